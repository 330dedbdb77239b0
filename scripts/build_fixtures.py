#!/usr/bin/env python3
"""Builds small networks node by node, one for each form that a file may have and torch does not write at will.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/build_fixtures.py [NETWORK ...] [--into FOLDER]

Networks are in scripts/built, one file a family. Weights are random from a fixed seed, and two runs give equal bytes. Each file is
checked (onnx.checker with full shape inference) and run in ONNX Runtime on two drawn inputs, whose outputs must be finite and
differ. The README.md beside the files is written too.

Prints a line for each file. Exit code 0: all well; 1: a file is invalid or does not run; 2: usage.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from built import attention, beside, maps, weights

FOLDER = Path(__file__).resolve().parent.parent / "crates/secateur/tests/fixtures/built"
NETWORKS = {**weights.NETWORKS, **maps.NETWORKS, **attention.NETWORKS, **beside.NETWORKS}
# Pictures of any size are drawn of this one.
OPEN = {"height": 9, "width": 7}


def runs(model):
    """Whether outputs are finite and hang on the inputs."""
    options = onnxruntime.SessionOptions()
    # That initializers are inputs, too, is what one of the files is there for.
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    found = []
    for _ in range(2):
        inputs = {}
        for argument in session.get_inputs():
            shape = [n if isinstance(n, int) else OPEN.get(n, 2) for n in argument.shape]
            inputs[argument.name] = generator.standard_normal(shape, dtype=np.float32)
        found.append(session.run(None, inputs))
    for first, second in zip(*found, strict=True):
        if not np.isfinite(first).all():
            raise ValueError("an output is not finite")
        if not np.abs(first - second).max() > 1e-3:
            raise ValueError("an output does not hang on the inputs")


def build(name, folder):
    model = NETWORKS[name]()
    onnx.checker.check_model(model, full_check=True)
    runs(model)
    data = model.SerializeToString(deterministic=True)
    (folder / f"{name}.onnx").write_bytes(data)
    return f"{len(data)} bytes, {len(model.graph.node)} nodes"


def readme():
    lines = [
        "# Small networks, built node by node",
        "",
        "Written by `scripts/build_fixtures.py`, as is this page; its docstring says how to run it and what is fixed. Each has one form that a",
        "file may have, with layers in front and behind whose units should go. Weights are random.",
        "",
        "| network | what it is |",
        "|---|---|",
        *(f"| `{name}` | {build.__doc__} |" for name, build in NETWORKS.items()),
    ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"all, or some of {', '.join(NETWORKS)}")
    parser.add_argument("--into", type=Path, default=FOLDER, metavar="FOLDER")
    arguments = parser.parse_args()
    if unknown := set(arguments.networks) - set(NETWORKS):
        parser.error(f"no network is called {', '.join(sorted(unknown))}; there are {', '.join(NETWORKS)}")
    arguments.into.mkdir(parents=True, exist_ok=True)
    (arguments.into / "README.md").write_text(readme())
    failed = False
    for name in arguments.networks or NETWORKS:
        try:
            verdict = f"ok   {name}.onnx: {build(name, arguments.into)}"
        # Whatever the checker or the runtime object to is the verdict.
        except Exception as error:
            verdict = f"FAIL {name}.onnx: {' '.join(str(error).split())}"
            failed = True
        print(verdict, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
