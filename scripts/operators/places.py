"""Operators that count, compare or choose positions."""

import numpy as np
from onnx import numpy_helper

from .drawing import Fixed, Spec, fixed, floats, flows

X = (2, 3, 4)


def summed(g, a, o):
    return [floats(g, X), fixed([0, 1, 2, -1, -2][g.integers(5)])]


def triangle(g, a, o):
    x = floats(g, (2, 4, 5))
    k = a.get("_k")
    return [x] if k is None else [x, fixed(k)]


def ties(g, a, o):
    return [g.integers(0, 3, (2, 5, 6)).astype(np.float32)]


def top(g, a, o):
    return [floats(g, (2, 4, 5)), fixed([2])]


def elements(g, a, o):
    axis = a.get("axis", 0)
    shape = [2, 3, 4]
    shape[axis] = 2
    return [floats(g, X), fixed(g.integers(-X[axis], X[axis], shape))]


def scattered(g, a, o):
    axis = a.get("axis", 0)
    shape = [2, 3, 4]
    shape[axis] = 2 if a.get("reduction", "none") == "none" else 3
    if a.get("reduction", "none") == "none":
        order = np.moveaxis(np.zeros(shape, dtype=np.int64), axis, -1)
        order[...] = g.permutation(X[axis])[:2]
        indices = np.moveaxis(order, -1, axis)
    else:
        indices = g.integers(-X[axis], X[axis], shape)
    return [floats(g, X), fixed(indices), Fixed(floats(g, shape))]


def scattered_slices(g, a, o):
    indices = [[0, 1], [1, -1]] if a.get("reduction", "none") == "none" else [[0, 1], [0, -2]]
    return [floats(g, X), fixed(indices), Fixed(floats(g, (2, 4)))]


def gathered_slices(g, a, o):
    if a.get("batch_dims", 0) == 1:
        return [floats(g, X), fixed([[[1], [0]], [[-1], [2]]])]
    return [floats(g, X), fixed([[[0, 1]], [[1, -1]]])]


def compressed(g, a, o):
    length = X[a["axis"]] if "axis" in a else 24
    condition = g.random(length) < 0.6
    condition[0] = True
    return [floats(g, X), Fixed(condition)]


def one_hot(g, a, o):
    return [g.integers(-3, 3, (2, 4)).astype(np.float32), fixed(3), Fixed(np.asarray([0.25, 2.0], dtype=np.float32))]


def filling(value, kind):
    return numpy_helper.from_array(np.asarray([value], dtype=kind))


ALL = [
    Spec("Shape", flows(*X), {"start": [1, -1, -2], "end": [2, -1]}, (15, 19)),
    Spec("Size", flows(*X)),
    Spec("Range", lambda g, a, o: [fixed(1, np.float32), fixed(6, np.float32), fixed(2, np.float32)], opsets=(11,)),
    Spec("ConstantOfShape", lambda g, a, o: [fixed([2, 3])], {"value": [filling(2.5, np.float32), filling(7, np.int64)]}, (9, 20)),
    Spec("NonZero", ties),
    Spec("CumSum", summed, {"exclusive": [0, 1], "reverse": [0, 1]}, (11, 14), more=3),
    Spec("Trilu", triangle, {"upper": [0, 1], "_k": [0, 1, -1, 2]}, (14,), more=1),
    Spec("ArgMax", ties, {"axis": [0, 1, -1], "keepdims": [0, 1], "select_last_index": [0, 1]}, (12, 13)),
    Spec("ArgMin", ties, {"axis": [0, 1, -1], "keepdims": [0, 1], "select_last_index": [0, 1]}, (12, 13)),
    Spec("TopK", top, {"axis": [0, 1, -2], "largest": [0, 1], "sorted": [1]}, (11,), outputs=2),
    Spec("GatherElements", elements, {"axis": [0, 1, -1]}, (11, 13)),
    Spec("ScatterElements", scattered, {"axis": [0, 1, -1], "reduction": ["none", "add", "mul", "min", "max"]}, (18,)),
    Spec("ScatterND", scattered_slices, {"reduction": ["none", "add", "mul", "min", "max"]}, (18,)),
    Spec("GatherND", gathered_slices, {"batch_dims": [0, 1]}, (12, 13)),
    Spec("Compress", compressed, {"axis": [0, 1, -1]}, (11,)),
    Spec("OneHot", one_hot, {"axis": [0, 1, -1, -2]}, (11,)),
    Spec("EyeLike", lambda g, a, o: [floats(g, (3, 5))], {"k": [1, -1], "dtype": [1, 7]}, (9,), rows=0),
]
