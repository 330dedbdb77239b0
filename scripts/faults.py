#!/usr/bin/env python3
"""Does a test notice each fault that is planted on purpose, which one, and how soon?

    scripts/faults.py [PHRASE...] [--jobs N] [--anew] [--out FILE]

The faults are those of scripts/faults/*.toml: what is wrong, a file, the text that is replaced in it, and the packages whose tests
must notice. Each is planted by itself in a checkout of HEAD below target/mutants (in as many as --jobs says), whose tests are run until one fails. PHRASEs choose
the faults that say one of them. Results are kept in FILE (docs/faults.json) as they come; a fault that is there is not run again
unless --anew is given. `scripts/tests_page.py` makes a page of them.

Needs Rust and cargo-nextest. Exit code 0: all are noticed; 1: one is not, or does not compile; 2: usage, or a text that is not in
its file just once.
"""

import argparse
import json
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from planting import ROOT, Tree, in_trees

FAULTS = ROOT / "scripts/faults"
RESULTS = ROOT / "docs/faults.json"
# A fault may make a test run for ever.
LIMIT = 900
FAILED = re.compile(r"^\s*(?:FAIL|SIG\w+|TIMEOUT|ABORT)\b.*?\]\s+(?:\(\s*\d+/\d+\)\s+)?(\S+) (\S+)\s*$", re.M)


def faults():
    """All faults, with the file that lists each."""
    found = []
    for path in sorted(FAULTS.glob("*.toml")):
        for fault in tomllib.loads(path.read_text())["fault"]:
            found.append({"area": path.stem, **fault})
    return found


def key(fault):
    return f"{fault['file']}: {fault['what']}"


def tests(tree, packages, *more):
    """Runs the tests of some packages until one fails."""
    command = ["cargo", "nextest", "run", "--locked", "--status-level", "fail"]
    command += [part for package in packages for part in ("--package", package)] + list(more)
    start = time.monotonic()
    try:
        shown = tree.run(*command, timeout=LIMIT)
        code, said = shown.returncode, shown.stdout + shown.stderr
    except subprocess.TimeoutExpired:
        code, said = 100, "TIMEOUT [ ] all tests\n"
    return code, said, round(time.monotonic() - start, 1)


def planted(tree, fault):
    """Which test notices the fault and how soon; none where none does."""
    path = tree.path / fault["file"]
    text = path.read_text()
    if text.count(fault["old"]) != 1:
        raise SystemExit(f"{fault['area']}.toml: {fault['what']}: its text stands {text.count(fault['old'])} times in {fault['file']}, not once")
    try:
        path.write_text(text.replace(fault["old"], fault["new"]))
        code, said, _ = tests(tree, fault["packages"], "--no-run")
        if code != 0:
            return {"test": None, "why": "it does not compile", "said": said[-2000:]}
        code, said, seconds = tests(tree, fault["packages"])
    finally:
        path.write_text(text)
    failed = FAILED.search(said)
    if code == 0 or not failed:
        return {"test": None, "why": "all tests pass" if code == 0 else said[-2000:]}
    return {"test": f"{failed[1]} {failed[2]}", "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phrases", nargs="*", metavar="PHRASE")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    chosen = [fault for fault in faults() if not asked.phrases or any(phrase in key(fault) for phrase in asked.phrases)]
    if not chosen:
        parser.error("no fault says that")
    results = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    todo = [fault for fault in chosen if asked.anew or not results.get(key(fault), {}).get("test")]
    trees = [Tree(number=number) for number in range(asked.jobs)]
    if todo:
        packages = sorted({package for fault in todo for package in fault["packages"]})
        print(f"without faults: {', '.join(packages)}", flush=True)
        code, said, seconds = tests(trees[0], packages)
        if code != 0:
            raise SystemExit(f"tests fail without any fault:\n{said[-3000:]}")
        print(f"  pass in {seconds} s", flush=True)
    unnoticed = 0
    for number, (fault, found) in enumerate(zip(todo, in_trees(trees, planted, todo)), 1):
        print(f"{number}/{len(todo)} {key(fault)}", flush=True)
        unnoticed += found["test"] is None
        print(f"  {found['test']} in {found['seconds']} s" if found["test"] else f"  NOT NOTICED: {found['why']}\n{found.get('said', '')}", flush=True)
        results[key(fault)] = {"commit": trees[0].head, "area": fault["area"], "what": fault["what"], "file": fault["file"], **found}
        known = {key(fault) for fault in faults()}
        kept = {name: result for name, result in sorted(results.items()) if name in known}
        asked.out.write_text(json.dumps(kept, indent=1) + "\n")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
