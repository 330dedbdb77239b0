"""Operators that move numbers, take some of them or add some."""

import numpy as np

from .drawing import Fixed, Missing, Spec, fixed, floats, flows

X = (2, 4, 6)


def gather(g, a, o):
    indices = [fixed([1, 0]), fixed(-1), fixed([[0, -2], [1, 1]])]
    return [floats(g, X), indices[g.integers(3)]]


def reshape(g, a, o):
    if a.get("allowzero", 0):
        return [np.zeros((2, 0, 3), dtype=np.float32), fixed([[2, 3, 0], [0, 5]][g.integers(2)])]
    wanted = [[2, 24], [0, -1], [0, 2, 2, 6], [0, 0, 3, -1], [-1]]
    return [floats(g, X), fixed(wanted[g.integers(len(wanted))])]


def squeeze(g, a, o):
    x = floats(g, (2, 1, 3, 1))
    return [x] if a.get("_axes") is None else [x, fixed(a["_axes"])]


def unsqueeze(g, a, o):
    return [floats(g, (2, 3)), fixed(a["_axes"])]


def concat(g, a, o):
    axis = a["axis"] % 3
    other = [2, 4, 6]
    other[axis] = 3
    if a.get("_flow"):
        return [floats(g, X), floats(g, X)]
    return [floats(g, X), Fixed(floats(g, other)), floats(g, X)]


def slices(g, a, o):
    axes, steps = a.get("_axes"), a.get("_steps")
    count = len(axes) if axes else 3
    starts, ends = [1, 0, -5][:count], [2, -1, 100][:count]
    if steps:
        steps = steps[:count]
        starts = [4 if s < 0 else b for s, b in zip(steps, starts, strict=True)]
        ends = [-100 if s < 0 else e for s, e in zip(steps, ends, strict=True)]
    operands = [floats(g, X), fixed(starts), fixed(ends)]
    if axes or steps:
        operands.append(fixed(axes) if axes else Missing)
    return [*operands, fixed(steps)] if steps else operands


def old_slices(g, a, o):
    if len(a.get("axes", a["starts"])) != len(a["starts"]) or len(a["ends"]) != len(a["starts"]):
        return None
    return [floats(g, X)]


def split(g, a, o):
    x = floats(g, (6, 4, 6) if a.get("axis", 0) in (0, -3) else (2, 4, 6))
    length = x.shape[a.get("axis", 0)]
    return [x, fixed([1, length - 1])] if a.get("_parts") else [x]


def old_split(g, a, o):
    x = floats(g, (4, 4, 4))
    return [x]


def pad(g, a, o):
    operands = [floats(g, (2, 4, 5))]
    axes, value = a.get("_axes"), a.get("_value")
    if axes and o < 18:
        return None
    pads = [1, 0, 0, 2] if axes else [[0, 1, 2, 0, 2, 1], [0, 0, 1, 0, 0, 2]][g.integers(2)]
    if a.get("_less") and a.get("mode", "constant") == "constant":
        pads[-1] = -1
    operands.append(fixed(pads))
    if value is not None:
        operands.append(fixed(value, np.float32))
    elif axes:
        operands.append(Missing)
    return [*operands, fixed(axes)] if axes else operands


def depth(g, a, o):
    return [floats(g, (2, 8 if a["blocksize"] == 2 else 9, 2, 3))]


def space(g, a, o):
    return [floats(g, (2, 3, 6, 6))]


def expand(g, a, o):
    return [floats(g, (2, 3, 1)), fixed(a["_to"])]


def resized(g, a, o):
    x = floats(g, (2, 2, 4, 5))
    axes = a.get("axes")
    count = len(axes) if axes else 4
    if a.get("_by", "scales") == "scales":
        scales = [[1.0, 1.0, 2.0, 3.0], [1.0, 1.0, 0.5, 1.6], [1.0, 1.0, 1.5, 0.75]][g.integers(3)][-count:]
        return [x, Missing, fixed(scales, np.float32)]
    sizes = [[2, 2, 8, 15], [2, 2, 3, 7], [2, 2, 1, 2]][g.integers(3)][-count:]
    return [x, Missing, Missing, fixed(sizes)]


def enlarged(g, a, o):
    return [floats(g, (2, 2, 4, 5)), fixed([1.0, 1.0, 2.0, 3.0], np.float32)]


MODES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
ROUNDING = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]

ALL = [
    Spec("Flatten", flows(*X), {"axis": [0, 1, 2, 3, -1, -2]}),
    Spec("Gather", gather, {"axis": [0, 1, 2, -1, -2]}, more=2),
    Spec("Reshape", reshape, {"allowzero": [0, 1]}, (14,), more=4),
    Spec("Reshape", reshape, opsets=(7, 13), note="old", more=2),
    Spec("Transpose", flows(*X), {"perm": [[0, 2, 1], [2, 0, 1], [1, 2, 0]]}),
    Spec("Squeeze", squeeze, {"_axes": [[1], [-1], [3, 1], [-3, -1]]}),
    Spec("Squeeze", flows(2, 1, 3, 1), {"axes": [[1], [-1], [3, 1]]}, (11,)),
    Spec("Unsqueeze", unsqueeze, {"_axes": [[0], [1], [-1], [1, -1], [3, 0]]}, required=("_axes",)),
    Spec("Unsqueeze", flows(2, 3), {"axes": [[0], [1], [-1], [1, -1], [3, 0]]}, (11,), required=("axes",)),
    Spec("Concat", concat, {"axis": [0, 1, 2, -1, -2], "_flow": [True]}, required=("axis",)),
    Spec("Slice", slices, {"_axes": [[1], [-1, 1], [2, 1]], "_steps": [[2, 2, 3], [-1, -2, 1]]}, more=1),
    Spec("Slice", old_slices, {"starts": [[1], [0, 1], [-1, -3]], "ends": [[2], [2, -1], [100, 3]], "axes": [[1], [2, 1], [-1, 1]]},
         (7, 9), required=("starts", "ends")),  # fmt: skip
    Spec("Split", split, {"axis": [0, 1, 2, -1, -2], "_parts": [True]}, (13,), outputs=2),
    Spec("Split", split, {"axis": [0, 1, 2, -1], "num_outputs": [2]}, (18,), required=("num_outputs",), outputs=2),
    Spec("Split", flows(2, 5, 7), {"axis": [1, 2, -1], "num_outputs": [3]}, (18,), required=("num_outputs", "axis"), outputs=3),
    Spec("Split", old_split, {"axis": [0, 1, 2, -1], "split": [[1, 3], [3, 1]]}, (7, 11), outputs=2),
    Spec("DepthToSpace", depth, {"blocksize": [2, 3], "mode": ["DCR", "CRD"]}, required=("blocksize",)),
    Spec("SpaceToDepth", space, {"blocksize": [2, 3]}, required=("blocksize",)),
    Spec("Pad", pad, {"mode": ["constant", "reflect", "edge"], "_axes": [[1, 2], [-1, 1]], "_value": [0.5], "_less": [True]}, (13, 18)),
    Spec("Pad", pad, {"mode": ["wrap", "constant"], "_axes": [[1, 2], [-1, 1]]}, (19, 21)),
    Spec("Pad", flows(2, 4, 5), {"pads": [[0, 1, 2, 0, 2, 1], [0, -1, 1, 0, 0, 2]], "mode": ["constant", "reflect", "edge"],
         "value": [0.5]}, (7, 10), required=("pads",)),  # fmt: skip
    Spec("Expand", expand, {"_to": [[2, 3, 4], [1, 4], [2, 1, 1], [3, 2, 3, 4]]}, required=("_to",)),
    Spec("Tile", lambda g, a, o: [floats(g, (2, 3)), fixed(a["_by"])], {"_by": [[1, 2], [2, 1], [3, 2]]}, required=("_by",)),
    Spec("Resize", resized, {"mode": ["nearest", "linear"], "coordinate_transformation_mode": MODES, "nearest_mode": ROUNDING,
         "_by": ["scales", "sizes"]}, (13,), more=3),  # fmt: skip
    Spec("Resize", resized, {"mode": ["nearest", "linear"], "coordinate_transformation_mode": MODES, "nearest_mode": ROUNDING,
         "_by": ["scales", "sizes"], "axes": [[2, 3]], "antialias": [0], "keep_aspect_ratio_policy": ["stretch"],
         "exclude_outside": [0], "cubic_coeff_a": [-0.5], "extrapolation_value": [1.0]}, (18, 19)),  # fmt: skip
    Spec("Resize", enlarged, {"mode": ["nearest", "linear"]}, (10,), note="old"),
    Spec("Upsample", enlarged, {"mode": ["nearest", "linear"]}, (9,)),
]
