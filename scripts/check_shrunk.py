#!/usr/bin/env python3
"""Does the small model compute what the original does without the units that were removed?

    secateur shrink model.onnx --keep 50% --json -o small.onnx > cuts.json
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt
    .venv/bin/python scripts/check_shrunk.py model.onnx small.onnx cuts.json [--draws 3] [--length NAME=4 ...]

Needs nothing of secateur's but these files. Checks the small model (onnx.checker with full shape inference, and strict
shape inference) and makes the masked model from the original: every position of every tensor that `cuts` says was
removed is set to zero, be it of a weight that makes a unit, goes along with it or reads it. A tensor that is neither
an initializer nor a Constant is multiplied by a mask where it is made. Not set to zero, and listed: integers, as they are
places and lengths, and what something is divided by. Both models run in ONNX Runtime on drawn inputs, with two rows where
the model leaves the number open; other open lengths are 2 too, or as --length says.

Prints the largest difference of each output, relative to its largest magnitude in the masked model, and how far
masking moved it from the original; if that is nowhere, a wrong small model could not be told from a right one.

Exit code 0: all well; 1: invalid, does not run, `cuts` lacks something, or off by more than 1e-4; 2: usage.
"""

import argparse
import collections
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

TOLERANCE = 1e-4
FLOATS = {"tensor(float16)": np.float16, "tensor(float)": np.float32, "tensor(double)": np.float64}


def read_cuts(path):
    """The positions that were kept, by tensor, or tensor and place where it is read, and axis."""
    cuts = json.loads(path.read_text())
    if missing := {"tensors", "groups"} - cuts.keys():
        raise ValueError(f"{path} lacks {', '.join(sorted(missing))}")
    kept = collections.defaultdict(dict)
    for number, cut in enumerate(cuts["tensors"]):
        if missing := {"tensor", "axis", "kept"} - cut.keys():
            raise ValueError(f"{path}: tensors[{number}] lacks {', '.join(sorted(missing))}")
        place = (cut["tensor"], cut["reader"], cut["input"]) if "reader" in cut else (cut["tensor"],)
        if cut["axis"] in kept[place]:
            raise ValueError(f"{path}: axis {cut['axis']} of '{' '.join(map(str, place))}' is there twice")
        kept[place][cut["axis"]] = cut["kept"]
    removed = sum(group["units"] - len(group["kept"]) for group in cuts["groups"])
    if removed and not kept:
        raise ValueError(f"{path} says that {removed} units went, and of no tensor what went with them")
    return kept, removed


def mask(name, shape, axes):
    """Whether each position stays; axes with one position broadcast."""
    stays = np.ones([1] * len(shape), dtype=bool)
    for axis, positions in axes.items():
        if axis >= len(shape) or any(not 0 <= position < shape[axis] for position in positions):
            raise ValueError(f"'{name}' has shape {list(shape)}, but is cut on axis {axis} to {positions}")
        one = np.zeros(shape[axis], dtype=bool)
        one[positions] = True
        stays = stays & one.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return stays


def constants(graph):
    """Initializers and Constants by name, with what writes new numbers back."""
    found = {tensor.name: (numpy_helper.to_array(tensor), tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            found[node.output[0]] = (numpy_helper.to_array(tensor), tensor)
    return found


def made_shape(model, name, lengths):
    """The shape and the type of what a node makes, as it comes out where both are not written down."""
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    for value in [*inferred.value_info, *inferred.output]:
        dims = value.type.tensor_type.shape.dim
        if value.name == name and all(dim.dim_value for dim in dims):
            return [dim.dim_value for dim in dims], helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    asked = onnx.ModelProto()
    asked.CopyFrom(model)
    del asked.graph.output[:]
    asked.graph.output.append(onnx.ValueInfoProto(name=name))
    session = onnxruntime.InferenceSession(asked.SerializeToString(), providers=["CPUExecutionProvider"])
    made = session.run([name], draw(session, np.random.default_rng(0), lengths))[0]
    return made.shape, made.dtype


def mask_made(model, name, axes, node, lengths):
    """Multiplies by a mask what a node makes."""
    shape, kind = made_shape(model, name, lengths)
    stays = mask(name, shape, axes).astype(kind)
    whole, factor = f"{name}.whole", f"{name}.mask"
    node.output[list(node.output).index(name)] = whole
    model.graph.initializer.append(numpy_helper.from_array(stays, factor))
    place = list(model.graph.node).index(node) + 1
    model.graph.node.insert(place, helper.make_node("Mul", [whole, factor], [name]))


def masked_model(model, kept, lengths):
    """The original without what was removed, and the tensors that were left whole."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    stored = constants(made.graph)
    makers = {output: node for node in made.graph.node for output in node.output}
    divisors = {node.input[1] for node in made.graph.node if node.op_type == "Div"}
    left = []
    # What holds for one reader comes first: it gets a copy of the tensor as it was.
    for (name, *place), axes in sorted(kept.items(), key=lambda cut: -len(cut[0])):
        if place:
            reader, slot = makers[place[0]], place[1]
            array, _ = stored[name]
            copy = f"{name}.for.{place[0]}.{slot}"
            made.graph.initializer.append(
                numpy_helper.from_array(array * mask(name, array.shape, axes).astype(array.dtype), copy)
            )
            # What is divided by stays whole, as the copy would only bring zeros there.
            if reader.op_type == "Div" and slot == 1:
                left.append(copy)
            else:
                reader.input[slot] = copy
        elif name in divisors:
            left.append(name)
        elif name in stored:
            array, tensor = stored[name]
            stays = mask(name, array.shape, axes)
            if np.issubdtype(array.dtype, np.integer):
                left.append(name)
            else:
                tensor.CopyFrom(numpy_helper.from_array(array * stays.astype(array.dtype), tensor.name))
        elif name in makers:
            mask_made(made, name, axes, makers[name], lengths)
        else:
            raise ValueError(f"the original has no tensor '{name}'")
    return made, left


def draw(session, generator, lengths):
    inputs = {}
    for argument in session.get_inputs():
        shape = [length if isinstance(length, int) else lengths.get(length, 2) for length in argument.shape]
        if argument.type in FLOATS:
            inputs[argument.name] = generator.standard_normal(shape, dtype=np.float32).astype(FLOATS[argument.type])
        elif argument.type in ("tensor(int64)", "tensor(int32)", "tensor(uint8)", "tensor(bool)"):
            inputs[argument.name] = generator.integers(0, 2, shape).astype(argument.type[7:-1])
        else:
            raise ValueError(f"input '{argument.name}' is a {argument.type}, which is not drawn")
    return inputs


def off(found, wanted):
    if found.shape != wanted.shape:
        raise ValueError(f"shape {list(found.shape)}, expected {list(wanted.shape)}")
    if not np.isfinite(wanted).all():
        raise ValueError("the masked model's output is not finite")
    scale = max(float(np.abs(wanted).max(initial=0.0)), 1e-6)
    return float(np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max(initial=0.0)) / scale


def check(arguments):
    kept, removed = read_cuts(arguments.cuts)
    small = onnx.load(arguments.small)
    onnx.checker.check_model(small, full_check=True)
    onnx.shape_inference.infer_shapes(small, check_type=True, strict_mode=True, data_prop=True)
    original = onnx.load(arguments.original)
    masked, left = masked_model(original, kept, dict(arguments.length))

    sessions = [
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for model in (original, masked, small)
    ]
    names = [output.name for output in sessions[0].get_outputs()]
    if (others := [output.name for output in sessions[2].get_outputs()]) != names:
        raise ValueError(f"the outputs are {', '.join(others)}, of the original {', '.join(names)}")
    generator = np.random.default_rng(0)
    differences, moves = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for _ in range(arguments.draws):
        inputs = draw(sessions[0], generator, dict(arguments.length))
        for name, whole, wanted, found in zip(names, *(session.run(names, inputs) for session in sessions)):
            try:
                differences[name] = max(differences[name], off(found, wanted))
                moves[name] = max(moves[name], off(whole, wanted))
            except ValueError as error:
                raise ValueError(f"output '{name}': {error}") from error

    told = ", ".join(f"{name} off by {differences[name]:.2g} (masking moved it by {moves[name]:.2g})" for name in names)
    told += f"; {removed} units gone, {len(kept)} tensors cut"
    if left:
        told += f", left whole: {', '.join(left)}"
    if not all(difference <= TOLERANCE for difference in differences.values()):
        raise ValueError(f"{told}; allowed {TOLERANCE:.2g}")
    return told


def length(text):
    name, equals, number = text.rpartition("=")
    if not (name and equals and number.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=NUMBER")
    return name, int(number)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original", type=Path)
    parser.add_argument("small", type=Path)
    parser.add_argument("cuts", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--length", type=length, action="append", default=[], metavar="NAME=NUMBER")
    arguments = parser.parse_args()
    try:
        verdict = check(arguments)
    # Whatever the checker, the runtime or the files object to is the verdict.
    except Exception as error:
        print(f"FAIL {arguments.small}: {' '.join(str(error).split())}")
        return 1
    print(f"ok   {arguments.small}: {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
