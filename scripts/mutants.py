#!/usr/bin/env python3
"""Which changes of the code, made by cargo-mutants one at a time, does no test notice?

    scripts/mutants.py run [AREA...] [--minutes N] [--anew] [--commit COMMIT] [--out FILE]
    scripts/mutants.py changed [--base COMMIT] [--minutes N]

`run` goes through the areas of scripts/mutants.toml: all mutants of some files, or every n-th of a crate. What the tests of its own
crate do not notice is tried with those of the crates that use it, as the area says. Results are kept in FILE (docs/mutants.json) as they come, and a
run goes on where the last one stopped; --anew forgets those of the areas first. `scripts/tests_page.py` makes a page of them.

`changed` takes the lines that differ from COMMIT; without it, what was changed in the three hours before HEAD. It stops after N
minutes (10) at the next mutant, and says how many of all it came to.

Survivors that change nothing, or nothing that anybody could want, are explained in scripts/mutants.toml. Works on a checkout of HEAD, or of COMMIT,
below target/mutants. Needs Rust, cargo-nextest and cargo-mutants. Exit code 0: each is noticed or explained; 1: one is neither; 2: usage.
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
from planting import HOME, ROOT, TREE, checkout, environment, git

RESULTS = ROOT / "docs/mutants.json"
LISTED = ROOT / "scripts/mutants.toml"
# Of the tests of a crate: some mutants run for ever.
LIMIT = 240
OUTCOMES = {"CaughtMutant": "caught", "MissedMutant": "missed", "Timeout": "caught", "Unviable": "unviable"}


def mutants(*arguments):
    """What a command of cargo-mutants prints."""
    command = ["cargo", "mutants", "--dir", str(TREE), "--colors", "never", *arguments]
    return subprocess.run(command, cwd=TREE, env=environment(), capture_output=True, text=True)


def listed(chosen):
    """The mutants that a choice comes to, in the order of the tree."""
    shown = mutants("--list", "--json", *chosen)
    if shown.returncode != 0:
        raise SystemExit(f"cargo mutants: {shown.stderr}")
    return list(dict.fromkeys(mutant["name"] for mutant in json.loads(shown.stdout or "[]")))


def tried(name, packages):
    """What became of one mutant by the tests of some packages."""
    folder = HOME / "one"
    file = name.split(":")[0]
    # cargo-mutants takes a regular expression.
    chosen = ["--workspace", "--file", file, "--re", f"^{re.escape(name)}$"]
    for package in packages:
        chosen += ["--test-package", package]
    shown = mutants(
        *("--in-place", "--baseline", "skip", "--timeout", str(LIMIT), "--build-timeout", "600", "--output", str(folder)), *chosen
    )
    try:
        outcomes = json.loads((folder / "mutants.out/outcomes.json").read_text())["outcomes"]
    except (OSError, ValueError):
        raise SystemExit(f"{name}: {shown.stdout}{shown.stderr}")
    # The same change may be made in two ways that are told by one name.
    own = {OUTCOMES[outcome["summary"]] for outcome in outcomes if outcome["scenario"] != "Baseline"}
    if not own:
        raise SystemExit(f"{name}: no outcome\n{shown.stdout}{shown.stderr}")
    return next(found for found in ("missed", "caught", "unviable") if found in own)


def outcome(name, also):
    """The same by those of its own crate, and of others that use it where those notice nothing."""
    found = tried(name, [])
    return tried(name, also) if found == "missed" and also else found


def nameless(name):
    """A mutant without the place in its file, which changes whenever lines are added above."""
    return re.sub(r"(\.rs):\d+:\d+:", r"\1:", name)


def explained():
    """Why survivors are left, by their names without places."""
    return {entry["name"]: entry["why"] for entry in tomllib.loads(LISTED.read_text()).get("explained", [])}


def choice(area):
    chosen = ["--package", area["package"]]
    for file in area.get("files", []):
        chosen += ["--file", f"crates/{area['package'].removeprefix('secateur-')}/src/{file}"]
    for file in area.get("but", []):
        chosen += ["--exclude", f"crates/{area['package'].removeprefix('secateur-')}/src/{file}"]
    if area.get("every", 1) > 1:
        chosen += ["--shard", f"0/{area['every']}", "--sharding", "round-robin"]
    return chosen


def run(asked):
    areas = tomllib.loads(LISTED.read_text())["area"]
    unknown = set(asked.areas) - {area["name"] for area in areas}
    if unknown:
        raise SystemExit(f"no such area: {', '.join(sorted(unknown))}")
    results = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    end = time.monotonic() + 60 * asked.minutes
    head = checkout(asked.commit)
    for area in areas:
        if asked.areas and area["name"] not in asked.areas:
            continue
        names = listed(choice(area))
        own = results.setdefault(area["name"], {"commit": head, "mutants": {}})
        if asked.anew:
            own = results[area["name"]] = {"commit": head, "mutants": {}}
        # Lines may have moved since: what was noticed stays so, what was not is tried again.
        done = {name: found for name, found in own["mutants"].items() if name in names and found != "missed" or own["commit"] == head}
        results[area["name"]] = own = {"commit": head, "mutants": done}
        todo = [name for name in names if name not in done]
        print(f"{area['name']}: {len(todo)} of {len(names)} mutants", flush=True)
        for name in todo:
            if time.monotonic() > end:
                print(f"{asked.minutes} minutes are over", flush=True)
                break
            done[name] = outcome(name, area.get("also", []))
            if done[name] == "missed":
                print(f"  not noticed: {name}", flush=True)
            asked.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    survivors = [name for area in results.values() for name, found in area["mutants"].items() if found == "missed"]
    return [name for name in survivors if nameless(name) not in explained()]


def users(name):
    """The crates whose tests may notice what those of a mutant's own crate do not."""
    crate = name.split("/")[1]
    package = crate if crate == "secateur" else f"secateur-{crate}"
    areas = tomllib.loads(LISTED.read_text())["area"]
    return next((area.get("also", []) for area in areas if area["package"] == package), [])


def changed(asked):
    base = asked.base
    if not base:
        last = git("log", "-1", "--format=%ct").strip()
        base = git("rev-list", "-1", f"--before={int(last) - 3 * 3600}", "HEAD").strip() or git("rev-list", "--max-parents=0", "HEAD").split()[-1]
    HOME.mkdir(parents=True, exist_ok=True)
    checkout()
    difference = HOME / "changed.diff"
    difference.write_text(git("diff", base, "HEAD", "--", "crates/*/src/*"))
    names = listed(["--workspace", "--in-diff", str(difference)]) if difference.stat().st_size else []
    # Minutes count from the first mutant on, which waits for a build of everything.
    end, survivors, count = None, [], 0
    # A few of every file rather than all of the first, and the same ones when lines are added elsewhere.
    for name in sorted(names, key=lambda name: hashlib.sha256(nameless(name).encode()).digest()):
        if end is not None and time.monotonic() > end:
            break
        count += 1
        found = outcome(name, users(name))
        end = end or time.monotonic() + 60 * asked.minutes
        if found == "missed" and nameless(name) not in explained():
            survivors.append(name)
            print(f"  not noticed: {name}", flush=True)
    print(f"mutants of the lines that changed since {base[:9]}: {count} of {len(names)} tried, {len(survivors)} not noticed", flush=True)
    return survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    all_areas = commands.add_parser("run")
    all_areas.add_argument("areas", nargs="*")
    all_areas.add_argument("--minutes", type=float, default=120)
    all_areas.add_argument("--anew", action="store_true")
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
