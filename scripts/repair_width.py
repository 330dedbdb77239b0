#!/usr/bin/env python3
"""How long does `shrink --repair` take, and how much memory, as networks get wider, inputs more, and memory less?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/repair_width.py [--work FOLDER] [--binary FILE]

Draws networks and inputs by a seed: two dense layers of so many units each on 256 numbers, for widths and for numbers of inputs; and a network
of 100 MB (four convolutions on pictures of 64 x 64, and two dense layers behind a flattening), for what --memory allows. Each is cut to 70 % of
its multiply-adds, units by reconstruction. Memory is the largest that the process held (maximum resident set size), of which
what is refused has none. What --work (target/repair-width) has already is not measured again. Writes tables in Markdown to standard output, for
docs/runs/repair-width.md and repair-memory.md.

Exit code 0: all well; 1: a run fails otherwise than for want of memory; 2: usage.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
READ, CLASSES = 256, 10
WIDTHS, ROWS = [256, 512, 1024, 2048], [128, 512, 2048]
CHANNELS, SIDE, HIDDEN = [64, 128, 256, 512], 64, 2880
MEMORY = ["1GiB", "1536MiB", "2GiB"]
# Why a run stops that would take more memory than it may.
OUT_OF_REACH = 5


def constant(rng, name, *shape):
    spread = np.sqrt(2 / np.prod(shape[1:]))
    return numpy_helper.from_array((spread * rng.standard_normal(shape)).astype(np.float32), name)


def saved(path, nodes, constants, shape):
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", CLASSES])
    graph = helper.make_graph(nodes, path.stem, [given], [made], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def dense(rng, at, constants, read, width, made):
    """A dense layer, with a ReLU unless it is the last one."""
    constants += [constant(rng, f"w{at}", width, read), constant(rng, f"b{at}", width, 1)]
    constants[-1].dims.pop()
    last = made == "y"
    gemm = helper.make_node("Gemm", [f"v{at - 1}", f"w{at}", f"b{at}"], [made if last else f"a{at}"], f"dense{at}", transB=1)
    return [gemm] if last else [gemm, helper.make_node("Relu", [f"a{at}"], [made])]


def two_layers(path, width):
    rng, constants = np.random.default_rng(1), []
    nodes = [helper.make_node("Identity", ["x"], ["v0"])]
    for at, (read, made) in enumerate([(READ, width), (width, width), (width, CLASSES)], 1):
        nodes += dense(rng, at, constants, read, made, "y" if at == 3 else f"v{at}")
    saved(path, nodes, constants, [READ])


def convolutions(path):
    rng, constants, read, value = np.random.default_rng(2), [], 3, "x"
    nodes = []
    for at, channels in enumerate(CHANNELS, 1):
        constants.append(constant(rng, f"k{at}", channels, read, 3, 3))
        nodes += [
            helper.make_node("Conv", [value, f"k{at}"], [f"c{at}"], f"conv{at}", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"c{at}"], [f"r{at}"]),
            helper.make_node("MaxPool", [f"r{at}"], [f"p{at}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]
        read, value = channels, f"p{at}"
    nodes.append(helper.make_node("Flatten", [value], ["v0"]))
    flat = CHANNELS[-1] * (SIDE >> len(CHANNELS)) ** 2
    nodes += dense(rng, 1, constants, flat, HIDDEN, "v1") + dense(rng, 2, constants, HIDDEN, CLASSES, "y")
    saved(path, nodes, constants, [3, SIDE, SIDE])


def rows(path, count, *shape):
    """Inputs whose neighbors are alike: noise that was drawn coarsely, mixed."""
    rng = np.random.default_rng(3)
    if len(shape) == 1:
        values = rng.standard_normal((count, shape[0] // 4)) @ rng.standard_normal((shape[0] // 4, shape[0])) / 8
    else:
        coarse = rng.standard_normal((count, shape[0], SIDE // 8, SIDE // 8))
        values = coarse.repeat(8, 2).repeat(8, 3) + 0.2 * rng.standard_normal((count, *shape))
    np.save(path, values.astype(np.float32))


def measured(binary, model, inputs, out, *flags):
    """Seconds, the most megabytes that were held, and what was said if memory was too little."""
    told = out.with_suffix(".json")
    if not told.exists():
        command = [binary, "shrink", model, "--macs", "70%", "--repair", inputs, "--rows", "1000000", "--force", "--json", "-o", out, *flags]
        start = time.monotonic()
        with open(out.with_suffix(".err"), "w") as said, open(os.devnull, "w") as nothing:
            run = subprocess.Popen([str(part) for part in command], stdout=nothing, stderr=said)
            _, status, usage = os.wait4(run.pid, 0)
        seconds, code = time.monotonic() - start, os.waitstatus_to_exitcode(status)
        said = out.with_suffix(".err").read_text()
        if code not in (0, OUT_OF_REACH):
            sys.exit(f"{' '.join(map(str, command))}\n{said}")
        refused = next((line for line in said.splitlines() if "at least" in line), None) if code else None
        told.write_text(json.dumps({"seconds": seconds, "megabytes": usage.ru_maxrss * 1024 / 1e6, "refused": refused}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/repair-width")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    print("| units of a layer | inputs | seconds | MB |\n|---:|---:|---:|---:|")
    for width, count in [(width, 512) for width in WIDTHS] + [(1024, count) for count in ROWS if count != 512]:
        model, inputs = args.work / f"dense-{width}.onnx", args.work / f"rows-{count}.npy"
        two_layers(model, width)
        rows(inputs, count, READ)
        told = measured(args.binary, model, inputs, args.work / f"small-{width}-{count}.onnx")
        print(f"| {width} | {count} | {told['seconds']:.1f} | {told['megabytes']:.0f} |", flush=True)
    model, inputs = args.work / "large.onnx", args.work / "pictures.npy"
    convolutions(model)
    rows(inputs, 512, 3, SIDE, SIDE)
    size = model.stat().st_size / 1e6
    print(f"\nThe network of {size:.0f} MB, 512 pictures:\n\n| --memory | seconds | MB |\n|---|---:|---:|")
    for memory in [None, *MEMORY]:
        flags = [] if memory is None else ["--memory", memory]
        told = measured(args.binary, model, inputs, args.work / f"large-{memory}.onnx", *flags)
        name = memory or "not said"
        if told["refused"]:
            print(f"| {name} | refused: {told['refused'].split(': ')[-1]} | - |", flush=True)
        else:
            print(f"| {name} | {told['seconds']:.0f} | {told['megabytes']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
