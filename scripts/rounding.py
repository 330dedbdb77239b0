#!/usr/bin/env python3
"""Does the latency of a narrower network fall as its multiply-adds do, and does it help to round channels up?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/rounding.py [--binary FILE] [--threads N] > docs/runs/rounding.md

Each network as `secateur new` makes it is shrunk by `secateur shrink --keep 63%`, with channels as they come and rounded up to
multiples of 4, 8 and 16. ONNX Runtime runs all files of a network by turns, at batch 1 and 64. Prints a table in Markdown. Wants a machine
with nothing else to do.

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
MULTIPLES = [1, 4, 8, 16]
ROUNDS = 15
HEAD = ["network", "channels", "MMACs", "dense / MACs", *(f"batch {batch}, us | dense / that | of MACs" for batch in BATCHES)]


def rows(binary, folder, name, factor, threads):
    def run(*command):
        shown = subprocess.run([str(binary), *command], capture_output=True, text=True)
        if shown.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{shown.stderr}")

    dense = folder / f"{name}-{factor}.onnx"
    run("new", name, "--input", "3x32x32", "--width", str(factor), "-o", str(dense))
    files = [dense]
    for multiple in MULTIPLES:
        files.append(folder / f"{name}-{factor}-{multiple}.onnx")
        run("shrink", str(dense), "--keep", KEEP, "--round", str(multiple), "-o", str(files[-1]))
    counts = [cost(file)[1] for file in files]
    drawn = np.random.default_rng(0).random((max(BATCHES), 3, 32, 32))
    times = latencies({file: session(file, threads) for file in files}, {batch: drawn[:batch] for batch in BATCHES}, ROUNDS)
    title = name if factor == 1 else f"{name}, {factor} times as wide"
    for at, label in enumerate(["all", *(f"{KEEP}, to {multiple}" if multiple > 1 else KEEP for multiple in MULTIPLES)]):
        fewer = counts[0] / counts[at]
        cells = [title, label, f"{counts[at] / 1e6:.1f}", f"{fewer:.2f}"]
        for batch in BATCHES:
            took = times[files[at]][batch]
            falls = times[dense][batch] / took
            cells += [f"{took:,.0f}", f"{falls:.2f}", f"{falls / fewer:.2f}" if at else "-"]
        yield cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print(f"ONNX Runtime {onnxruntime.__version__}, {arguments.threads} threads, medians of {ROUNDS} rounds.\n")
    head = " | ".join(HEAD)
    print(f"| {head} |\n|---|---|" + "---:|" * (head.count("|") - 1))
    with tempfile.TemporaryDirectory() as folder:
        for name, factor in NETWORKS:
            for cells in rows(arguments.binary, Path(folder), name, factor, arguments.threads):
                print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
