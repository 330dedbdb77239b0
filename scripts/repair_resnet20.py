#!/usr/bin/env python3
"""What does a cut take from a ResNet-20 that was trained here, and what does `shrink --repair` give back?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    SECATEUR_DATA=... .venv/bin/python scripts/repair_resnet20.py [--work FOLDER] [--binary FILE] [--macs SHARE...]

Trains the network on CIFAR-10 for 40 epochs without a penalty, cuts it to shares of its multiply-adds in four ways, and counts right
answers to the 10,000 test pictures in ONNX Runtime. What it is repaired on are 1,024 training pictures, without labels. What --work
(target/repair-resnet20) has already is not made again; training that was stopped goes on. Writes a table in Markdown to standard output,
for docs/runs/repair-resnet20.md.

Exit code 0: all well; 1: a run fails; 2: usage.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SECATEUR_DATA", "data"))
TRAINING = "compress --data cifar-10 --net resnet20 --epochs 40 --penalty none --threads 1 --quiet"
# What is typed for each way.
WAYS = {
    "none": [],
    "statistics": ["--repair-by", "statistics", "--by", "l2", "--allocation", "even"],
    "formula": ["--by", "l2", "--allocation", "even"],
    "formula, reconstruction": [],
}


def run(command):
    made = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{made.stderr}")
    return made.stdout


def test_rows():
    """The test pictures as pixels of 0 to 255, and their classes."""
    record = 1 + 3 * 32 * 32
    with gzip.open(DATA / "cifar-10/test_batch.bin.gz") as file:
        raw = np.frombuffer(file.read(), np.uint8).reshape(-1, record)
    return raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32), raw[:, 0]


def answers(path, rows):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    made = [session.run(None, {name: rows[at : at + 250]})[0] for at in range(0, len(rows), 250)]
    return np.concatenate(made).argmax(1)


def cut(binary, model, share, way, out):
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        repair = [] if way == "none" else ["--repair", "cifar-10"]
        flags = ["--macs", f"{share}%", *repair, *WAYS[way], "--force", "--json"]
        start = time.monotonic()
        record = json.loads(run([binary, "shrink", model, *flags, "-o", out]))
        told.write_text(json.dumps({"macs": record["macs"], "seconds": time.monotonic() - start}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/repair-resnet20")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--macs", nargs="+", type=int, default=[70, 50])
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    trained = args.work / "trained"
    if not (trained / "report.json").exists():
        goes_on = ["compress", "--resume", trained, "--quiet"]
        command = goes_on if (trained / "checkpoint").exists() else [*TRAINING.split(), "--out", trained]
        run([args.binary, *command])
    model = trained / "small.onnx"
    rows, labels = test_rows()
    want = answers(model, rows)
    print("| MACs % | repair | accuracy % | agreement % | seconds |\n|---:|---|---:|---:|---:|")
    print(f"| 100 | - | {100 * (want == labels).mean():.2f} | 100 | - |", flush=True)
    for share in args.macs:
        for number, way in enumerate(WAYS):
            out = args.work / f"{share}-{number}.onnx"
            record = cut(args.binary, model, share, way, out)
            have = answers(out, rows)
            left = 100 * record["macs"]["after"] / record["macs"]["before"]
            right, same = 100 * (have == labels).mean(), 100 * (have == want).mean()
            print(f"| {left:.1f} | {way} | {right:.2f} | {same:.2f} | {record['seconds']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
