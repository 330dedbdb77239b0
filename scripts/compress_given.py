#!/usr/bin/env python3
"""What does `secateur compress --model` make of models that others trained, and does ONNX Runtime agree?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    SECATEUR_DATA=... .venv/bin/python scripts/compress_given.py [--work FOLDER] [--only NAME...] [--threads 2]

Compresses three models from $SECATEUR_DATA: two for MNIST, from the examples of burn and of rten, and a ResNet-20 for
CIFAR-10 that is trained first, by `compress --net resnet20 --penalty none`; the last one to two budgets, the smaller under two
seeds.
Runs that --work (target/given) has already are not run again.

Then ONNX Runtime runs the given and the compressed model on all test images, at the batch that the model has: what it
gets right has to be what the report says, to a picture in a thousand; rounding may decide ties. Writes a table to standard
output, for docs/runs/given.md.

Exit code 0: all well; 1: a run fails, or ONNX Runtime comes to something else; 2: usage.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SECATEUR_DATA", "data"))
# Share of test images on which both may differ.
TIES = 1e-3
MNIST = ["--mean", "0.1307", "--std", "0.3081", "--epochs", "3", "--part", "budget:30%"]
CIFAR = ["--epochs", "20", "--settle", "16", "--learning-rate", "0.05", "--strength", "1e-5", "--part"]


def numbers(path, offset):
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=offset)


def mnist():
    images = numbers(DATA / "mnist/t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    labels = numbers(DATA / "mnist/t10k-labels-idx1-ubyte.gz", 8)
    return ((images / 255 - 0.1307) / 0.3081).astype(np.float32), labels


def cifar():
    records = numbers(DATA / "cifar-10/test_batch.bin.gz", 0).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32), records[:, 0]


TESTS = {"mnist": mnist, "cifar-10": cifar}


def right(model, images, labels):
    """How many images ONNX Runtime puts in their class."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    step = given.shape[0] if isinstance(given.shape[0], int) else 500
    count = 0
    for start in range(0, len(images), step):
        (scores, *_) = session.run(None, {given.name: images[start : start + step]})
        count += int((scores.argmax(1) == labels[start : start + step]).sum())
    return count


def compress(folder, threads, arguments):
    """The report of a run, which is made if there is none."""
    if not (folder / "report.json").exists():
        binary = os.environ.get("SECATEUR", ROOT / "target/release/secateur")
        command = [binary, "compress", *arguments, "--threads", str(threads), "--force", "--out", folder]
        print(f"== {folder.name}", file=sys.stderr)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads((folder / "report.json").read_text())


def runs(work, threads, only):
    """Name, data, given model and folder of each run."""
    models = DATA / "onnx-models"
    for name in ("burn", "rten"):
        if name in only:
            given = models / name / "mnist.onnx"
            compress(work / name, threads, ["--model", given, "--data", "mnist", *MNIST])
            yield f"{name}, mnist.onnx", "mnist", given, work / name
    if "resnet20" in only:
        common = ["--data", "cifar-10", "--epochs", "20"]
        compress(work / "dense", threads, ["--net", "resnet20", "--penalty", "none", *common])
        given = work / "dense/small.onnx"
        for budget, seeds in (("40%", "01"), ("58.8%", "0")):
            for seed in seeds:
                folder = work / f"resnet20-{budget[:2]}-{seed}"
                arguments = ["--model", given, "--data", "cifar-10", "--seed", seed, *CIFAR, f"budget:{budget}"]
                compress(folder, threads, arguments)
                yield f"ResNet-20, seed {seed}", "cifar-10", given, folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ["burn", "rten", "resnet20"]
    parser.add_argument("--work", type=Path, default=ROOT / "target/given")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    print("| model | epochs | test accuracy as given, % | compressed | MACs as given | compressed | given / compressed |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    wrong = []
    for name, data, given, folder in runs(options.work, options.threads, options.only):
        report = json.loads((folder / "report.json").read_text())
        images, labels = TESTS[data]()
        before, after = report["before"], report["after"]
        for model, said in ((given, before), (folder / "small.onnx", after)):
            found = right(model, images, labels) / len(labels)
            if abs(found - said["test_score"]) > TIES:
                wrong.append(f"{name}: {model} has {found:.4f} in ONNX Runtime, the report {said['test_score']:.4f}")
        scores = " | ".join(f"{100 * arm['test_score']:.2f}" for arm in (before, after))
        macs = " | ".join(f"{arm['macs']:,}" for arm in (before, after))
        print(f"| {name} | {report['epochs']} | {scores} | {macs} | {before['macs'] / after['macs']:.2f} |")
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
