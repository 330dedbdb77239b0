#!/usr/bin/env python3
"""Does the latency of a narrower network fall as its multiply-adds do, and does it help to round channels up?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/rounding.py [--binary FILE] [--threads N] > docs/runs/rounding.md

Each network as `secateur new` makes it is shrunk by `secateur shrink --keep 63%`, with channels as they come and rounded up to
multiples of 4, 8 and 16; and, where SECATEUR_DATA has CIFAR-10, brought to 40 % of its multiply-adds by a budget of `secateur compress`
after one epoch, left with any numbers of channels and with multiples of 8. ONNX Runtime runs all files of a network by turns, at
batch 1 and 64. Prints tables in Markdown. Wants a machine with nothing else to do.

Exit code 0: done; 1: a file cannot be made or run; 2: usage.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "peers"))
from measure import BATCHES, cost, latencies, session

# Name, factor of its widths.
NETWORKS = [("resnet20", 1), ("resnet20", 2), ("resnet20", 4), ("vgg-small", 1), ("mobilenet-small", 1)]
KEEP = "63%"
KEPT_MULTIPLES = [1, 4, 8, 16]
# Those that train in minutes.
TRAINED = [("vgg-small", 1), ("mobilenet-small", 1), ("resnet20", 2)]
BUDGET = "macs=40%"
BUDGET_MULTIPLES = [1, 8]
# The budget is met before the second epoch, which is left at once.
TRAINING = ["--data", "cifar-10", "--budget", BUDGET, "--steps", "145", "--settle", "0", "--learning-rate", "0.1", "--strength", "1e-4"]
ROUNDS = 15
HEAD = ["network", "channels", "MMACs", "dense / MACs", *(f"batch {batch}, us | dense / that | of MACs" for batch in BATCHES)]


def run(*command):
    shown = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if shown.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{shown.stderr}")


def new(binary, folder, name, factor):
    dense = folder / f"{name}-{factor}.onnx"
    run(binary, "new", name, "--input", "3x32x32", "--width", factor, "--force", "-o", dense)
    return dense


def shrunk(binary, folder, dense):
    """The files of one network by label."""
    files = {"all": dense}
    for multiple in KEPT_MULTIPLES:
        file = folder / f"{dense.stem}-{multiple}.onnx"
        run(binary, "shrink", dense, "--keep", KEEP, "--round", multiple, "-o", file)
        files[KEEP if multiple == 1 else f"{KEEP}, to {multiple}"] = file
    return files


def compressed(binary, folder, dense):
    """The files of one network by label."""
    files = {"all": dense}
    for multiple in BUDGET_MULTIPLES:
        out = folder / f"{dense.stem}-budget-{multiple}"
        run(binary, "compress", "--model", dense, *TRAINING, "--round", multiple, "--out", out)
        files["any" if multiple == 1 else f"multiples of {multiple}"] = out / "small.onnx"
    return files


def print_table(networks, files_of, binary, folder, threads):
    head = " | ".join(HEAD)
    print(f"| {head} |\n|---|---|" + "---:|" * (head.count("|") - 1))
    drawn = np.random.default_rng(0).random((max(BATCHES), 3, 32, 32))
    for name, factor in networks:
        dense = new(binary, folder, name, factor)
        files = files_of(binary, folder, dense)
        macs = {label: cost(file)[1] for label, file in files.items()}
        sessions = {label: session(file, threads) for label, file in files.items()}
        times = latencies(sessions, {batch: drawn[:batch] for batch in BATCHES}, ROUNDS)
        for label in files:
            fewer = macs["all"] / macs[label]
            cells = [name if factor == 1 else f"{name}, {factor} times as wide", label, f"{macs[label] / 1e6:.1f}", f"{fewer:.2f}"]
            for batch in BATCHES:
                took = times[label][batch]
                falls = times["all"][batch] / took
                cells += [f"{took:,.0f}", f"{falls:.2f}", "-" if label == "all" else f"{falls / fewer:.2f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print(f"ONNX Runtime {onnxruntime.__version__}, {arguments.threads} threads, medians of {ROUNDS} rounds.\n")
    with tempfile.TemporaryDirectory() as folder:
        print_table(NETWORKS, shrunk, arguments.binary, Path(folder), arguments.threads)
        if (Path(os.environ.get("SECATEUR_DATA", "")) / "cifar-10").is_dir():
            print(f"\nBrought to {BUDGET} by a budget:\n")
            print_table(TRAINED, compressed, arguments.binary, Path(folder), arguments.threads)
        else:
            print("cifar-10 is not there: budgets skipped", file=sys.stderr)


if __name__ == "__main__":
    main()
