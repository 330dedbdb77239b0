#!/usr/bin/env python3
"""Draws small models of one operator each, and what an independent runtime makes of them.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt
    .venv/bin/python scripts/build_operators.py

Which operators with which attributes is in scripts/operators. Every value of every attribute is drawn once at least, with the other
attributes given or left out at random, and each operator once with nothing but what it must have. All that is random comes from a
fixed seed, and two runs give equal bytes. ONNX Runtime computes the outputs; where it lacks an operator, the reference evaluator
of the onnx package does. What neither runs is drawn anew.

Writes crates/testkit/fixtures/operators.bin: models one behind the other, each after its length (4 bytes, the lowest first). Numbers
for the input `x` are in the unread initializer `given:x`, and those expected of the output `y` in `wanted:y`.

Prints a line for each operator. Exit code 0: all well; 1: a value of an attribute could not be drawn.
"""

import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from operators import layers, movement, places, points, sums
from operators.drawing import Fixed, Missing

FILE = Path(__file__).resolve().parent.parent / "crates/testkit/fixtures/operators.bin"
TRIES = 60


def model_of(spec, opset, attributes, operands):
    """The model, and the numbers of what flows into it."""
    inputs, constants, given, names = [], [], {}, []
    for at, operand in enumerate(operands):
        if operand is Missing:
            names.append("")
            continue
        names.append(f"x{at}")
        if isinstance(operand, Fixed):
            constants.append(numpy_helper.from_array(operand.array, names[-1]))
            continue
        kind = helper.np_dtype_to_tensor_dtype(operand.dtype)
        lengths = list(operand.shape)
        if spec.rows and lengths and operand.shape[0] == spec.rows:
            lengths[0] = "batch"
        inputs.append(helper.make_tensor_value_info(names[-1], kind, lengths))
        given[names[-1]] = operand
    made = [f"y{at}" for at in range(spec.outputs)]
    node = helper.make_node(spec.op, names, made, name="operator", domain=spec.domain, **attributes)
    wanted = [helper.make_empty_tensor_value_info(name) for name in made]
    graph = helper.make_graph([node], "operator", inputs, wanted, constants)
    sets = [helper.make_opsetid("", opset)]
    if spec.domain:
        sets.append(helper.make_opsetid(spec.domain, 1))
    return helper.make_model(graph, opset_imports=sets, ir_version=8 if opset < 20 else 10), given


def by_runtime(model, given):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, given)


def by_reference(model, given):
    return ReferenceEvaluator(model).run(None, given)


def outputs_of(spec, model, given):
    """What the first that runs the model makes of it; none if nobody does."""
    for run in [by_runtime] if spec.runtime else [by_runtime, by_reference]:
        try:
            made = run(model, given)
        except Exception:  # Whatever it is, the draw is no model of this operator.
            continue
        if all(array.dtype.kind != "f" or np.isfinite(array).all() for array in made):
            return run.__name__, made
    return None, None


def drawn(spec, fixed, generator):
    """A model with some attributes fixed (to a value, or to none), and who ran it."""
    for _ in range(TRIES):
        opset = spec.opsets[generator.integers(len(spec.opsets))]
        attributes = dict(fixed)
        for name, values in spec.attributes.items():
            if name not in attributes:
                given = name in spec.required or generator.random() < 0.5
                attributes[name] = values[generator.integers(len(values))] if given else None
        attributes = {name: value for name, value in attributes.items() if value is not None}
        try:
            operands = spec.operands(generator, attributes, opset)
        except (ValueError, IndexError):
            continue
        if operands is None:
            continue
        hidden = [name for name in attributes if name.startswith("_")]
        model, given = model_of(spec, opset, {n: v for n, v in attributes.items() if n not in hidden}, operands)
        who, made = outputs_of(spec, model, given)
        if made is None:
            continue
        for value, array in zip(model.graph.output, made, strict=True):
            kind = helper.np_dtype_to_tensor_dtype(array.dtype)
            value.CopyFrom(helper.make_tensor_value_info(value.name, kind, [f"{value.name}.{a}" for a in range(array.ndim)]))
        told = " ".join(f"{n}={v}" for n, v in attributes.items() if n not in hidden)
        model.graph.name = f"{spec.op} of set {opset} {told}".strip()
        tensors = {f"given:{n}": a for n, a in given.items()}
        tensors |= {f"wanted:y{at}": array for at, array in enumerate(made)}
        model.graph.initializer.extend(numpy_helper.from_array(np.asarray(a), n) for n, a in tensors.items())
        return who, model
    return None, None


def main():
    failed = []
    models = []
    for spec in [*points.ALL, *sums.ALL, *layers.ALL, *movement.ALL, *places.ALL]:
        generator = np.random.default_rng(zlib.crc32(f"{spec.op}{spec.opsets}{spec.note}".encode()))
        wishes = [{name: None for name in spec.attributes if name not in spec.required}] * (1 + spec.more)
        wishes += [{name: value} for name, values in spec.attributes.items() for value in values]
        wishes += [{name: None} for name in spec.attributes if name not in spec.required]
        seen, who = set(), set()
        for wish in wishes:
            by, model = drawn(spec, wish, generator)
            if model is None:
                failed.append(f"{spec.op} {spec.opsets}: {wish}")
                continue
            who.add(by)
            data = model.SerializeToString(deterministic=True)
            if data not in seen:
                seen.add(data)
                models.append(data)
        print(f"{spec.op} {spec.opsets}: {len(seen)} models, {sum(map(len, seen))} bytes, {sorted(filter(None, who))}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_bytes(b"".join(len(data).to_bytes(4, "little") + data for data in models))
    print(f"{len(models)} models, {FILE.stat().st_size} bytes")
    for wish in failed:
        print(f"could not be drawn: {wish}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
