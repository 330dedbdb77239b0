#!/usr/bin/env python3
"""What does a cut take from Magika's network, which tells kinds of files by their bytes, and what does `shrink --repair` give back?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-magika.txt
    .venv/bin/python scripts/repair_magika.py [--files FOLDER...] [--work FOLDER] [--secateur PATH] [--most N] [--macs SHARE...]
                                              [--ways WAY...]

Takes files of the system, all below --files (/usr and where Python is installed), in the order of their paths: of each extension --most at
equal distances, if there are four at least; files of which the network sees the same count once. Of each extension every second one is what
is repaired on, and the others are counted on. Magika itself makes of them what its network sees, and leaves out those that it tells without.
Cuts the network to shares of its multiply-adds, runs all of them in ONNX Runtime, and counts where the kind is the same as by the given
network: of all test files, of those of which the given one is sure (0.9 at least), and on average over the kinds that the given one tells.
Other files give other numbers. What --work (target/magika) has already is not made again. Writes a table in Markdown to standard output, for
docs/runs/repair-magika.md.

Exit code 0: all well; 1: a run fails (the others are made); 2: usage.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import magika
import numpy as np
import onnxruntime
from magika import Magika

ROOT = Path(__file__).resolve().parent.parent
# What is typed for each way.
WAYS = {
    "none": ["--by", "l2", "--allocation", "even"],
    "formula": ["--by", "l2", "--allocation", "even"],
    "formula, reconstruction": [],
}
# Of fewer files of an extension, none is taken.
FEWEST = 4


def files(folders):
    """All files by extension, in order."""
    found = defaultdict(set)
    for folder in folders:
        for inside, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(inside, name)
                extension = os.path.splitext(name)[1].lower()
                # Digits are versions, and say nothing about the kind.
                if not extension[1:].isdigit() and os.path.isfile(path) and not os.path.islink(path):
                    found[extension].add(os.path.realpath(path))
    return {extension: sorted(paths) for extension, paths in sorted(found.items())}


def seen(reader, path):
    """What the network sees of a file, if Magika asks it at all."""
    try:
        _, features = reader._get_result_or_features_from_path(Path(path))
    except OSError:
        return None
    return None if features is None else np.array([*features.beg, *features.end], np.int32)


def rows(folders, most, paths):
    """What is repaired on and what is counted on, in one file for each."""
    if all(path.exists() for path in paths):
        return [np.load(path) for path in paths]
    reader, known, parts = Magika(), set(), ([], [])
    for own in files(folders).values():
        # Twice as many as are wanted, as some will be alike.
        places = np.linspace(0, len(own) - 1, min(2 * most, len(own))).round().astype(int)
        made = []
        for at in places:
            row = seen(reader, own[at])
            if row is not None and row.tobytes() not in known:
                known.add(row.tobytes())
                made.append(row)
        if len(made) >= FEWEST:
            places = np.linspace(0, len(made) - 1, min(most, len(made))).round().astype(int)
            for number, at in enumerate(places):
                parts[number % 2].append(made[at])
    if not parts[0]:
        sys.exit("no files are found: name folders with --files")
    for part, path in zip(parts, paths):
        # Files of one extension must not lie side by side, as inputs are divided by their place.
        np.save(path, np.random.default_rng(0).permutation(np.stack(part)))
    return [np.load(path) for path in paths]


def answers(path, inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    made = [session.run(None, {name: inputs[at : at + 32]})[0] for at in range(0, len(inputs), 32)]
    return np.concatenate(made).astype(np.float64)


def compared(want, have):
    """Agreement of all, of sure ones and on average over kinds, and the divergence of what are shares already."""
    kinds, same = want.argmax(1), want.argmax(1) == have.argmax(1)
    by_kind = np.mean([same[kinds == kind].mean() for kind in np.unique(kinds)])
    p, q = np.maximum(want, 1e-12), np.maximum(have, 1e-12)
    return 100 * same.mean(), 100 * same[want.max(1) >= 0.9].mean(), 100 * by_kind, (p * np.log(p / q)).sum(1).mean()


def cut(secateur, model, share, way, out, inputs):
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        repair = [] if way == "none" else ["--repair", f"bytes={inputs}"]
        flags = ["--macs", f"{share}%", *repair, *WAYS[way], "--force", "--json"]
        start = time.monotonic()
        command = [str(secateur), "shrink", str(model), *flags, "-o", str(out)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            print(f"{' '.join(command)}\n{made.stderr}", file=sys.stderr, flush=True)
            return None
        record = json.loads(made.stdout)
        kept = {key: record[key] for key in ("macs", "params", "repair")}
        told.write_text(json.dumps(kept | {"seconds": time.monotonic() - start}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="+", type=Path, default=[Path("/usr"), Path(sys.base_prefix), Path(sys.prefix)])
    parser.add_argument("--work", type=Path, default=ROOT / "target/magika")
    parser.add_argument("--secateur", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--macs", nargs="+", type=int, default=[75, 50])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    args = parser.parse_args()
    model = Path(magika.__file__).parent / "models/standard_v3_3/model.onnx"
    folder = args.work / str(args.most)
    folder.mkdir(parents=True, exist_ok=True)
    inputs = folder / "calibration.npy"
    fitted, tests = rows(args.files, args.most, [inputs, folder / "tests.npy"])
    want = answers(model, tests)
    kinds, sure = len(np.unique(want.argmax(1))), (want.max(1) >= 0.9).sum()
    print(f"{len(fitted)} files to repair on; {len(tests)} others of {kinds} kinds, of {sure} of which the given network is sure.\n")
    print("| MACs % | repair | agreement % | of sure ones % | over kinds % | KL | minutes |\n|---:|---|---:|---:|---:|---:|---:|")
    print("| 100 | - | 100 | 100 | 100 | 0 | - |", flush=True)
    is_well = True
    for share in args.macs:
        for number, way in enumerate(WAYS):
            if way not in args.ways:
                continue
            out = folder / f"{share}-{number}.onnx"
            record = cut(args.secateur, model, share, way, out, inputs)
            if record is None:
                print(f"| {share} | {way} | fails | - | - | - | - |", flush=True)
                is_well = False
                continue
            same, of_sure, by_kind, divergence = compared(want, answers(out, tests))
            left = 100 * record["macs"]["after"] / record["macs"]["before"]
            took = record["seconds"] / 60
            print(f"| {left:.1f} | {way} | {same:.1f} | {of_sure:.1f} | {by_kind:.1f} | {divergence:.2f} | {took:.1f} |", flush=True)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
