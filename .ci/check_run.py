#!/usr/bin/env python3
"""Is this run of the embedded digits complete, and does its model score what its report says?

    .venv/bin/python .ci/check_run.py RUN_FOLDER crates/data/embedded/digits.csv.gz

Runs `small.onnx` in ONNX Runtime on the raw pixels of all rows. Which rows were for training, validation and test
does not matter: the rows that are right must be those of the three scores together.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

FILES = [
    "config.toml",
    "inputs.json",
    "log.jsonl",
    "report.html",
    "report.json",
    "report.md",
    "small.onnx",
]
ARM = ["test_score", "params", "macs", "bytes", "units"]


def check(folder, data):
    found = sorted(path.name for path in folder.iterdir())
    assert found == FILES, f"the folder holds {found}"
    report = json.loads((folder / "report.json").read_text())
    for key in ["dense", "before", "after", "seconds", "verify", "config_hash", "machine"]:
        assert key in report, f"report.json has no {key}"
    for arm in ["before", "after"]:
        for key in ARM:
            assert key in report[arm], f"report.json has no {arm}.{key}"
    assert report["ended"] == "complete", report["ended"]
    assert report["verify"]["runtime_difference"] <= report["verify"]["tolerance"]

    before, after = report["before"], report["after"]
    assert after["macs"] < before["macs"], "nothing was compressed"
    assert after["bytes"] == (folder / "small.onnx").stat().st_size
    epochs = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert len(epochs) == report["epochs"]
    assert epochs[-1]["units"] == after["units"]

    model = onnx.load(folder / "small.onnx")
    meta = {entry.key: entry.value for entry in model.metadata_props}
    assert meta["secateur.config_hash"] == report["config_hash"]
    assert json.loads(meta["class_names"]) == [str(digit) for digit in range(10)]

    table = np.loadtxt(data, delimiter=",", dtype=np.float32)
    session = onnxruntime.InferenceSession(folder / "small.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"features": table[:, :-1]})
    right = int((logits.argmax(axis=1) == table[:, -1]).sum())
    counts = report["data"]
    parts = [("train", "train_rows"), ("validation", "validation_rows"), ("test", "test_rows")]
    told = sum(after[f"{part}_score"] * counts[rows] for part, rows in parts)
    assert sum(counts[rows] for _, rows in parts) == len(table)
    # One row may fall to the other side of a tie in 32-bit arithmetic.
    assert abs(right - told) <= 1.5, f"{right} rows are right, the report says {told:.1f}"
    return f"{len(found)} files; {right} of {len(table)} rows right, as the report says"


def main():
    folder, data = map(Path, sys.argv[1:])
    try:
        verdict = check(folder, data)
    except (AssertionError, KeyError, OSError, ValueError) as error:
        print(f"FAIL {folder}: {error!r}")
        return 1
    print(f"ok   {folder}: {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
