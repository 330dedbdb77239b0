#!/usr/bin/env python3
"""How much accuracy does a ResNet-20 on CIFAR-10 keep at two budgets, if all networks train for 40 epochs?

    cargo build --release
    SECATEUR_DATA=... python3 scripts/compress_resnet20.py [--work FOLDER] [--binary FILE]

For two seeds: the dense network, and runs to 40 % and 58.8 % of its MACs, whose units are ranked behind a fifth of the epochs.
The smaller ones train a uniformly narrowed network of equal MACs beside them, as long and under the same weight decay. Runs that
--work (target/resnet20) has already are not run again, and ones that were stopped go on. Writes a table to standard output, for
docs/runs/resnet20-40.md; what is not finished is left out of it.

Exit code 0: all well; 1: a run fails; 2: usage.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = "compress --data cifar-10 --net resnet20 --epochs 40 --threads 1 --quiet"
SMALL = "--settle 24 --strength 1e-5 --part budget:"
SEEDS = [0, 1]
ARMS = {
    "dense": "--penalty none",
    "40": f"{SMALL}40%",
    "58.8": f"{SMALL}58.8%",
}
CONTROL = "--control narrow-same-decay"


def report(work, name):
    path = work / name / "report.json"
    return json.loads(path.read_text()) if path.exists() else None


def mean(values):
    return sum(values) / len(values)


def rows(work):
    by_arm = {arm: {seed: report(work, f"{arm}-{seed}") for seed in SEEDS} for arm in ARMS}
    for arm, by_seed in by_arm.items():
        done = {seed: run for seed, run in by_seed.items() if run}
        if not done:
            continue
        test = {seed: 100 * run["after"]["test_score"] for seed, run in done.items()}
        paired = [test[seed] - 100 * by_arm["dense"][seed]["after"]["test_score"] for seed in done if by_arm["dense"][seed]]
        narrow = {seed: 100 * run["narrow"]["test_score"] for seed, run in done.items() if run.get("narrow")}
        yield [
            "dense" if arm == "dense" else f"budget {arm} %",
            ", ".join(f"{value:.2f}" for value in test.values()),
            f"{mean(test.values()):.2f}",
            "-" if arm == "dense" else f"{mean(paired):+.2f}",
            ", ".join(f"{value:.2f} (seed {seed})" for seed, value in narrow.items()) or "-",
            f"{mean([run['after']['macs'] for run in done.values()]):,.0f}",
            f"{mean([run['before']['macs'] / run['after']['macs'] for run in done.values()]):.2f}",
            f"{mean([run['seconds']['total'] for run in done.values()]):.0f}",
        ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/resnet20")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--only-table", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    for arm, flags in ARMS.items():
        for seed in SEEDS:
            folder = arguments.work / f"{arm}-{seed}"
            if arguments.only_table or (folder / "report.json").exists():
                continue
            control = CONTROL if arm == "40" else ""
            begin = f"{RUN} {flags} {control} --seed {seed} --out {folder}"
            goes_on = f"compress --resume {folder} --quiet"
            command = goes_on if (folder / "checkpoint").exists() else begin
            if subprocess.run([arguments.binary, *command.split()]).returncode != 0:
                sys.exit(1)
    head = ["arm", "test accuracy by seed, %", "mean", "to dense, points", "narrowed dense of equal MACs", "MACs", "dense / MACs", "seconds"]
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows(arguments.work):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
