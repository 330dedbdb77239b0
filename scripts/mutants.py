#!/usr/bin/env python3
"""Which changes of the code, made by cargo-mutants one at a time, does no test notice?

    scripts/mutants.py run [AREA...] [--minutes N] [--jobs N] [--every N] [--anew] [--commit COMMIT] [--out FILE]
    scripts/mutants.py changed [--base COMMIT] [--minutes N]

`run` goes through the areas of scripts/mutants.toml: all mutants of some files, or each n-th of a crate; with --every each N-th of
those. The unit tests of a crate come first. What they do not notice is tried with all tests of the crate, and what those do not with
the tests of the crates that use it, as the area says (`also`). Results are kept in FILE (docs/mutants.json) as they come, and a run
goes on where the last one stopped, in as many checkouts at once as --jobs says (1); --anew forgets those of the areas first.
`scripts/tests_page.py` makes a page of them.

`changed` takes the lines that differ from COMMIT; without it, what was changed in the three hours before HEAD. Each crate gets its
share of N minutes (10), without what its first build takes, and all of them twice as much; it says how many of all it came to.

Survivors that change nothing, or nothing that anybody could want, are explained in scripts/mutants.toml. Works on a checkout of
HEAD, or of COMMIT, below target/mutants. Needs Rust, cargo-nextest and cargo-mutants. Exit code 0: each is noticed or explained;
1: one is neither; 2: usage.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from planting import HOME, ROOT, Tree, git, in_trees

RESULTS = ROOT / "docs/mutants.json"
LISTED = ROOT / "scripts/mutants.toml"
# Seconds that unit tests, and those of whole crates, may take: some mutants run for ever.
LIMITS = (60, 240, 240)
# How many are given to cargo-mutants at a time.
BATCH = 10
# The same where it matters when a run ends.
FEW = 4
OUTCOMES = {"CaughtMutant": "caught", "MissedMutant": "missed", "Timeout": "caught", "Unviable": "unviable"}


def mutants(tree, *arguments):
    """What a command of cargo-mutants prints."""
    return tree.run("cargo", "mutants", "--dir", str(tree.path), "--colors", "never", *arguments)


def listed(tree, chosen):
    """The mutants that a choice comes to, in the order of the tree."""
    shown = mutants(tree, "--list", "--json", *chosen)
    if shown.returncode != 0:
        raise SystemExit(f"cargo mutants: {shown.stderr}")
    return list(dict.fromkeys(mutant["name"] for mutant in json.loads(shown.stdout or "[]")))


def steps(package, also):
    """How a mutant is tried, until a test notices it: the unit tests of its crate, which are built in a moment where it is not optimized;
    all tests of the crate; those of the crates that use it."""
    unit = ["--bins" if package == "secateur-cli" else "--lib", f"--config=profile.dev.package.{package}.opt-level=0"]
    return [[f"--cargo-arg={part}" for part in unit], [], *([[part for package in also for part in ("--test-package", package)]] if also else [])]


def hold_unchanged(tree, package, tests):
    """Ends where the tests of a step fail without any change: they would notice every mutant."""
    command = ["cargo", "nextest", "run", "--status-level", "fail"]
    # Arguments of cargo-mutants as those of nextest.
    command += ["--package" if part == "--test-package" else part.removeprefix("--cargo-arg=") for part in tests]
    if "--package" not in command:
        command += ["--package", package]
    shown = tree.run(*command)
    if shown.returncode != 0:
        raise SystemExit(f"{package}: tests fail without any change:\n{(shown.stdout + shown.stderr)[-3000:]}")


def tried(tree, names, tests, limit):
    """What became of some mutants by the tests that the arguments of cargo-mutants choose."""
    folder = HOME / f"tried-{tree.number}"
    chosen = ["--workspace"]
    for file in sorted({name.split(":")[0] for name in names}):
        chosen += ["--file", file]
    # cargo-mutants takes regular expressions.
    for name in names:
        chosen += ["--re", f"^{re.escape(name)}$"]
    limits = ["--timeout", str(limit), "--build-timeout", "600"]
    shown = mutants(tree, "--in-place", "--baseline", "skip", *limits, "--output", str(folder), *chosen, *tests)
    found = {}
    try:
        for outcome in json.loads((folder / "mutants.out/outcomes.json").read_text())["outcomes"]:
            if outcome["scenario"] != "Baseline":
                found.setdefault(outcome["scenario"]["Mutant"]["name"], set()).add(OUTCOMES[outcome["summary"]])
    except (OSError, ValueError) as error:
        raise SystemExit(f"{error}: {shown.stdout}{shown.stderr}")
    # cargo-mutants 27.1 tries changes of fields of those files whatever it is asked for.
    found = {name: own for name, own in found.items() if name in names}
    if len(found) < len(set(names)):
        raise SystemExit(f"no outcome of {', '.join(sorted(set(names) - found.keys()))}\n{shown.stdout}{shown.stderr}")
    # The same change may be made in two ways that are told by one name.
    return {name: next(best for best in ("missed", "caught", "unviable") if best in own) for name, own in found.items()}


def batches(names, jobs=1, most=BATCH):
    """Some at a time, as cargo-mutants reads the whole workspace each time; so many that each of the jobs has some."""
    size = max(1, min(most, -(-len(names) // jobs)))
    return [names[start : start + size] for start in range(0, len(names), size)]


def nameless(name):
    """A mutant without the place in its file, which changes whenever lines are added above."""
    return re.sub(r"(\.rs):\d+:\d+:", r"\1:", name)


def explained():
    """Why survivors are left, by their names without places."""
    return {entry["name"]: entry["why"] for entry in tomllib.loads(LISTED.read_text()).get("explained", [])}


def choice(area, every):
    """The mutants of an area, or each so-many-th of them."""
    chosen = ["--package", area["package"]]
    for file in area.get("files", []):
        chosen += ["--file", f"crates/{area['package'].removeprefix('secateur-')}/src/{file}"]
    for file in area.get("but", []):
        chosen += ["--exclude", f"crates/{area['package'].removeprefix('secateur-')}/src/{file}"]
    if (each := every * area.get("every", 1)) > 1:
        chosen += ["--shard", f"0/{each}", "--sharding", "round-robin"]
    return chosen


def run(asked):
    areas = tomllib.loads(LISTED.read_text())["area"]
    unknown = set(asked.areas) - {area["name"] for area in areas}
    if unknown:
        raise SystemExit(f"no such area: {', '.join(sorted(unknown))}")
    results = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    end = time.monotonic() + 60 * asked.minutes
    trees = [Tree(asked.commit, number) for number in range(asked.jobs)]
    head = trees[0].head
    chosen = [area for area in areas if not asked.areas or area["name"] in asked.areas]
    for area in chosen:
        names = listed(trees[0], choice(area, asked.every))
        own = {} if asked.anew else results.get(area["name"], {"mutants": {}, "commit": head})
        # Lines may have moved since: what was noticed stays so, what was not is tried again.
        kept = {name: own["mutants"].get(name, 0) for name in names} if own else dict.fromkeys(names, 0)
        if own and own["commit"] != head:
            kept = {name: found if found in ("caught", "unviable") else 0 for name, found in kept.items()}
        results[area["name"]] = {"commit": head, "mutants": kept}
    # A number is the step that is next. All areas come to a step before one comes to the next, which takes longer.
    held = set()
    for step in range(3):
        for area in chosen:
            done = results[area["name"]]["mutants"]
            ways = steps(area["package"], area.get("also", []))
            # What is explained already needs no other tests.
            todo = [name for name, found in done.items() if found == step and not (step and nameless(name) in explained())]
            if step >= len(ways):
                done |= dict.fromkeys(todo, "missed")
                continue
            print(f"{area['name']}, step {step + 1}: {len(todo)} of {len(done)} mutants", flush=True)
            # Areas of one crate have tests in common.
            if todo and (tests := (area["package"], *ways[step])) not in held:
                hold_unchanged(trees[0], area["package"], ways[step])
                held.add(tests)

            def attempt(tree, some, tests=ways[step], limit=LIMITS[step]):
                return tried(tree, some, tests, limit) if time.monotonic() < end else {}

            for found in in_trees(trees, attempt, batches(todo, len(trees))):
                done |= {name: step + 1 if outcome == "missed" else outcome for name, outcome in found.items()}
                asked.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            if time.monotonic() > end:
                raise SystemExit(f"{asked.minutes:g} minutes are over")
    for area in chosen:
        done = results[area["name"]]["mutants"]
        done |= {name: "missed" for name, found in done.items() if isinstance(found, int)}
    asked.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    survivors = [name for area in results.values() for name, found in area["mutants"].items() if found == "missed"]
    return [name for name in survivors if nameless(name) not in explained()]


def outcomes(tree, names):
    """What became of some mutants of one crate in the end."""
    crate = names[0].split("/")[1]
    package = crate if crate == "secateur" else f"secateur-{crate}"
    areas = tomllib.loads(LISTED.read_text())["area"]
    also = next((area.get("also", []) for area in areas if area["package"] == package), [])
    found = dict.fromkeys(names, "missed")
    for tests, limit in zip(steps(package, also), LIMITS):
        missed = [name for name in names if found[name] == "missed" and nameless(name) not in explained()]
        found |= tried(tree, missed, tests, limit) if missed else {}
    return found


def changed(asked):
    base = asked.base
    if not base:
        last = git("log", "-1", "--format=%ct").strip()
        base = git("rev-list", "-1", f"--before={int(last) - 3 * 3600}", "HEAD").strip() or git("rev-list", "--max-parents=0", "HEAD").split()[-1]
    tree = Tree()
    difference = HOME / "changed.diff"
    difference.write_text(git("diff", base, "HEAD", "--", "crates/*/src/*"))
    names = listed(tree, ["--workspace", "--in-diff", str(difference)]) if difference.stat().st_size else []
    crates = {}
    # A few of every file rather than all of the first, and the same ones when lines are added elsewhere.
    for name in sorted(names, key=lambda name: hashlib.sha256(nameless(name).encode()).digest()):
        crates.setdefault(name.split("/")[1], []).append(name)
    survivors, count, left, began = [], 0, 60 * asked.minutes, time.monotonic()
    # Crate by crate, as another crate means another build; the smallest first, so that what they leave goes to the others.
    for place, crate in enumerate(sorted(crates, key=lambda crate: len(crates[crate]))):
        share = left / (len(crates) - place)
        start = None
        for some in batches(crates[crate], most=FEW):
            # Builds take what they take, but not for ever.
            if time.monotonic() - began > 2 * 60 * asked.minutes:
                break
            found = outcomes(tree, some)
            # The first waits for a build of everything, which is no fault of it.
            start = start or time.monotonic()
            count += len(found)
            survivors += (own := [name for name in some if found[name] == "missed" and nameless(name) not in explained()])
            for name in own:
                print(f"  not noticed: {name}", flush=True)
            if time.monotonic() - start > share:
                break
        left -= time.monotonic() - (start or time.monotonic())
    print(f"mutants of the lines that changed since {base[:9]}: {count} of {len(names)} tried, {len(survivors)} not noticed", flush=True)
    return survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    all_areas = commands.add_parser("run")
    all_areas.add_argument("areas", nargs="*")
    all_areas.add_argument("--minutes", type=float, default=120)
    all_areas.add_argument("--anew", action="store_true")
    all_areas.add_argument("--jobs", type=int, default=1)
    all_areas.add_argument("--every", type=int, default=1)
    all_areas.add_argument("--commit", default="HEAD")
    all_areas.add_argument("--out", type=Path, default=RESULTS)
    all_areas.set_defaults(do=run)
    lines = commands.add_parser("changed")
    lines.add_argument("--base")
    lines.add_argument("--minutes", type=float, default=10)
    lines.set_defaults(do=changed)
    asked = parser.parse_args()
    sys.exit(1 if asked.do(asked) else 0)


if __name__ == "__main__":
    main()
