#!/usr/bin/env python3
"""Is this ONNX file valid, and does ONNX Runtime compute what it should?

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/check_onnx.py model.onnx [expected.npz | expected.json] [--tolerance 1e-5]

Checks the model (onnx.checker with full shape inference), opens it in ONNX Runtime and runs it: on the
inputs in `expected`, comparing the outputs in it, or else on two rows of ones, looking for outputs that
are not finite. `expected` maps each input's and each output's name to its numbers: an array in .npz, a
nested list in .json. The tolerance is relative to the largest expected magnitude of an output, at least 1.

Prints one line. Exit code 0: all well; 1: invalid, does not run, or differs; 2: usage.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def read_expected(path):
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return dict(arrays)
    return {name: np.asarray(numbers) for name, numbers in json.loads(path.read_text()).items()}


def rows_of_ones(argument):
    lengths = [length if isinstance(length, int) else 2 for length in argument.shape]
    return np.ones(lengths, dtype=np.float32)


def check(model_path, expected_path, tolerance):
    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(model_path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    if expected_path is None:
        inputs = {argument.name: rows_of_ones(argument) for argument in session.get_inputs()}
        for name, found in zip(names, session.run(names, inputs)):
            if not np.isfinite(found).all():
                raise ValueError(f"output '{name}' is not finite")
        return f"valid and runs (outputs {', '.join(names)}; nothing to compare with)"

    expected = read_expected(expected_path)
    inputs = {}
    for argument in session.get_inputs():
        if argument.name not in expected:
            raise ValueError(f"{expected_path} has no input '{argument.name}'")
        inputs[argument.name] = expected[argument.name].astype(np.float32)
    compared = [name for name in names if name in expected]
    if not compared:
        raise ValueError(f"{expected_path} has none of the outputs {', '.join(names)}")
    worst = 0.0
    for name, found in zip(compared, session.run(compared, inputs)):
        wanted = np.asarray(expected[name], dtype=np.float64)
        if found.shape != wanted.shape:
            raise ValueError(f"output '{name}' has shape {found.shape}, expected {wanted.shape}")
        scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
        error = float(np.abs(found - wanted).max(initial=0.0)) / scale
        if not error <= tolerance:
            raise ValueError(f"output '{name}' is off by {error:.3g} of its scale, allowed {tolerance:.3g}")
        worst = max(worst, error)
    return f"valid, and {', '.join(compared)} within {worst:.3g} of the scale"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("expected", type=Path, nargs="?")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    try:
        verdict = check(arguments.model, arguments.expected, arguments.tolerance)
    # Whatever the checker, the runtime or the files object to is the verdict.
    except Exception as error:
        reason = " ".join(str(error).split())
        print(f"FAIL {arguments.model}: {reason}")
        return 1
    print(f"ok   {arguments.model}: {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
