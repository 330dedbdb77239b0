#!/usr/bin/env python3
"""Writes docs/tests.md: what scripts/faults.py and scripts/mutants.py found.

    scripts/tests_page.py [--check]

With --check nothing is written. Exit code 0: done, or the page is what the results say; 1: it is not.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from faults import faults, key
from mutants import LISTED, RESULTS, explained, nameless
from planting import ROOT

PAGE = ROOT / "docs/tests.md"
FAULTS = ROOT / "docs/faults.json"
BEFORE = ROOT / "docs/mutants-before.json"

HEAD = """# What the tests notice

Tests that pass say little about faults that they would let through. Two kinds of faults are put into the code, one at a time, to
see whether a test fails: faults that a person thought of, and changes that cargo-mutants makes everywhere. This page is written by
`scripts/tests_page.py` from what the two scripts below found ([faults](faults.json)).
"""


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def planted():
    results = json.loads(FAULTS.read_text()) if FAULTS.exists() else {}
    rows, waiting, noticed = [], 0, 0
    for fault in faults():
        found = results.get(key(fault))
        if found is None:
            waiting += 1
            continue
        noticed += bool(found["test"])
        test = f"`{found['test']}`" if found["test"] else "**none**"
        rows.append((fault["what"], f"`{fault['file']}`", test, f"{found['seconds']:.0f}" if found["test"] else ""))
    more = f" {waiting} more faults of those files wait to be run." if waiting else ""
    return f"""## Faults planted on purpose

`scripts/faults.py` plants each fault of `scripts/faults/*.toml` by itself and runs the tests of the crates that must notice it until
one fails. {noticed} of {len(rows)} are noticed.{more} Seconds are those of the tests up to the first that fails, on two cores, without
what compiling takes.

{table(("fault", "file", "first test that fails", "seconds"), rows)}
"""


def counts(area):
    found = list(area["mutants"].values())
    missed = [name for name, outcome in area["mutants"].items() if outcome == "missed"]
    left = [name for name in missed if nameless(name) in explained()]
    viable = len(found) - found.count("unviable")
    return viable, found.count("caught"), len(left), len(missed) - len(left)


def share(area):
    if area is None:
        return ""
    viable, caught, left, _ = counts(area)
    return f"{caught + left} of {viable}, {100 * (caught + left) / max(viable, 1):.0f} %"


def ended(path):
    """The areas that were run to their end."""
    areas = json.loads(path.read_text()) if path.exists() else {}
    return {name: area for name, area in areas.items() if not any(isinstance(found, int) for found in area["mutants"].values())}


def mutated():
    after, before = ended(RESULTS), ended(BEFORE)
    rows, survivors = [], []
    for area in tomllib.loads(LISTED.read_text())["area"]:
        if area["name"] not in after:
            continue
        own, every = after.get(area["name"]), area.get("every", 1)
        where = f"`{area['package']}`" + (": " + ", ".join(f"`{file}`" for file in area["files"]) if "files" in area else "")
        rows.append((area["name"], where, "all" if every == 1 else f"each {every}th", share(before.get(area["name"])), share(own), own["commit"] if own else ""))
        for name, outcome in sorted(own["mutants"].items()) if own else []:
            if outcome == "missed":
                survivors.append((f"`{nameless(name)}`", explained().get(nameless(name), "**not explained**")))
    sample = """"Before" is commit 8e42883, at which the same script measured a sample (`--commit`, `--every`), with explanations
of today. """ if before else ""
    return f"""## Changes that cargo-mutants makes

`just mutants PATH` tries all changes of a file, `.ci/run` those of the lines that were changed of late, for some minutes, and
`scripts/mutants.py run` the areas below. A change counts as noticed if a test of its crate fails, or of the crates that
`scripts/mutants.toml` names beside it; changes that do not compile are left out. {sample}Survivors that are explained count as noticed.

{table(("area", "code", "changes", "before", "now", "commit"), rows) if rows else "No area was run to its end yet."}

### What no test notices, and why it is left

{table(("change", "why"), survivors) if survivors else "Nothing."}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    page = "\n".join([HEAD, planted(), mutated()]).rstrip("\n") + "\n"
    if asked.check:
        if PAGE.read_text() != page:
            sys.exit("docs/tests.md is not what docs/faults.json and mutants.json say: run scripts/tests_page.py")
        return
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
