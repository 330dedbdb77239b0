"""Operators that add up, multiply or normalise."""

import numpy as np

from .drawing import Fixed, Spec, fixed, floats, flows, positive


def image(g):
    return [(2, 4, 5), (2, 4, 5, 3), (2, 4, 3)][g.integers(3)]


def gemm(g, a, o):
    x = (3, 2) if a.get("transA", 0) else (2, 3)
    w = (4, 3) if a.get("transB", 0) else (3, 4)
    c = [None, (4,), (1,), (2, 1), (2, 4), ()][g.integers(6)]
    operands = [floats(g, x), Fixed(floats(g, w))]
    if o < 11 and c is None:
        c = (4,)
    return operands if c is None else [*operands, Fixed(floats(g, c))]


def matmul(g, a, o):
    pairs = [((2, 3), (3, 4)), ((2, 5, 3), (3, 4)), ((2, 5, 3), (3,)), ((2, 5, 3), (2, 3, 4)), ((2, 1, 5, 3), (4, 3, 2))]
    x, w = pairs[g.integers(len(pairs))]
    return [floats(g, x), Fixed(floats(g, w))]


def einsum(g, a, o):
    first, *others = a["equation"].split("->")[0].replace(" ", "").split(",")
    lengths = dict(zip("abcde", (2, 3, 4, 2, 5), strict=True))
    shape = [tuple([2, 3] if part.startswith("...") else []) + tuple(lengths[c] for c in part.strip(".")) for part in [first, *others]]
    return [floats(g, shape[0]), *(Fixed(floats(g, s)) for s in shape[1:])]


def reduced(kind="any", old=False):
    def operands(g, a, o):
        x = positive(g, (2, 3, 4)) if kind == "positive" else floats(g, (2, 3, 4))
        axes = a.get("_axes")
        if old or axes is None:
            return [x]
        return [x, fixed(axes)]

    return operands


def batch(g, a, o):
    c = 4
    x = floats(g, image(g), 0.01)
    inputs = [floats(g, c), floats(g, c), floats(g, c, 0.01), positive(g, c) * np.float32(1e-4)]
    return [x, *(Fixed(i) for i in inputs)]


def by_axis(biased):
    def operands(g, a, o):
        x = floats(g, (2, 4, 3), 0.01)
        shape = x.shape[a.get("axis", -1) % 3 :]
        more = [Fixed(floats(g, shape))] if biased and g.random() < 0.5 else []
        return [x, Fixed(floats(g, shape)), *more]

    return operands


def instance(g, a, o):
    return [floats(g, image(g), 0.01), Fixed(floats(g, 4)), Fixed(floats(g, 4))]


def group(g, a, o):
    count = a["num_groups"] if o < 21 else 4
    return [floats(g, image(g), 0.01), Fixed(floats(g, count)), Fixed(floats(g, count))]


REDUCE = ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
          "ReduceLogSum", "ReduceLogSumExp"]  # fmt: skip
KIND = {"ReduceLogSum": "positive"}
AXES = [[1], [-1], [1, -1], [2, 1], [0]]
EQUATIONS = ["ab->ba", "ab,bc->ac", "abc,cd->abd", "abc,bcd->abd", "...c,cd->...d", "ab,ab->a", "abc,ac->ab", "ab,bc", "abc->ac",
             "abc,e->abce", " ab , bc -> ac "]  # fmt: skip


def reduce_specs():
    for op in REDUCE:
        kind = KIND.get(op, "any")
        first = 13 if op == "ReduceSum" else 18
        yield Spec(op, reduced(kind), {"_axes": AXES[:4], "keepdims": [0, 1], "noop_with_empty_axes": [0]}, (first, 20))
        yield Spec(op, reduced(kind, old=True), {"axes": AXES, "keepdims": [0, 1]}, (11, 11 if op == "ReduceSum" else 13))


def positions(op, opsets, **more):
    return Spec(op, flows(2, 3, 4), {"axis": [1, 2, -1, -2, 0]}, opsets, **more)


ALL = [
    Spec("Gemm", gemm, {"alpha": [0.5], "beta": [0.25], "transA": [0, 1], "transB": [0, 1]}, (9, 13), more=3),
    Spec("MatMul", matmul, more=8),
    Spec("Einsum", einsum, {"equation": EQUATIONS}, (12,), required=("equation",)),
    *reduce_specs(),
    *(Spec(op, lambda g, a, o: [floats(g, image(g))], opsets=(13,), more=2) for op in ["GlobalAveragePool", "GlobalMaxPool"]),
    Spec("GlobalLpPool", lambda g, a, o: [floats(g, image(g))], {"p": [1, 2, 3]}, (13,)),
    Spec("BatchNormalization", batch, {"epsilon": [1e-3], "momentum": [0.5]}, (9, 15), more=2),
    Spec("BatchNormalization", batch, {"epsilon": [1e-3], "training_mode": [1]}, (15,), required=("training_mode",), note="trained"),
    Spec("LayerNormalization", by_axis(True), {"axis": [1, 2, -1, -2], "epsilon": [1e-3], "stash_type": [1]}, (17,), more=2),
    Spec("RMSNormalization", by_axis(False), {"axis": [1, 2, -1, -2], "epsilon": [1e-3], "stash_type": [1]}, (23,), more=2),
    Spec("InstanceNormalization", instance, {"epsilon": [1e-3]}, (13,), more=2),
    Spec("GroupNormalization", group, {"num_groups": [1, 2, 4], "epsilon": [1e-3]}, (18,), required=("num_groups",)),
    Spec("GroupNormalization", group, {"num_groups": [1, 2, 4], "epsilon": [1e-3], "stash_type": [1]}, (21,), required=("num_groups",)),
    *(positions(op, (13, 18)) for op in ["Softmax", "LogSoftmax", "Hardmax"]),
    *(Spec(op, flows(2, 5), {"axis": [-1, 1]}, (7, 11), note="old") for op in ["Softmax", "LogSoftmax", "Hardmax"]),
    Spec("LpNormalization", flows(2, 3, 4), {"axis": [1, 2, -2, 0], "p": [1, 2]}, (13, 22)),
    Spec("MeanVarianceNormalization", flows(2, 3, 4, 5), {"axes": [[1, 2, 3], [2, 3], [0, 2, 3], [-1]]}, (13,)),
    Spec("LRN", flows(2, 7, 3, 2), {"size": [1, 3, 5], "alpha": [0.5], "beta": [0.5], "bias": [2.0]}, (13,), required=("size",), runtime=True),
]
