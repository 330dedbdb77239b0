"""Operators that look at one place at a time."""

import numpy as np

from .drawing import Fixed, Missing, Spec, fixed, floats, flows, positive

WHOLE = np.int32


def within(low, high):
    return lambda g, a, o: [(low + (high - low) * g.random((2, 3, 4))).astype(np.float32)]


def halves(g, a, o):
    return [(g.integers(-7, 8, (2, 8)) / 4).astype(np.float32)]


def two(kind=None, positive_second=False):
    """Two operands that broadcast, of which one or both flow."""

    def operands(g, a, o):
        shapes = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (3, 1)), ((2, 1, 4), (3, 4)), ((2, 3), (1,)), ((2, 3), ())]
        first, second = shapes[g.integers(len(shapes))]
        if kind == "bool":
            x, y = (g.random(s) < 0.5 for s in (first, second))
            return [np.asarray(x), Fixed(np.asarray(y))]
        if kind == "whole":
            x = g.integers(-9, 10, first).astype(WHOLE)
            y = g.integers(1, 5, second) * g.choice([-1, 1], second)
            return [x, Fixed(np.asarray(y, dtype=WHOLE))]
        x = np.abs(floats(g, first)) + 0.5 if positive_second else np.round(floats(g, first) * 4) / 4
        y = np.asarray(np.round(floats(g, second) * 4) / 4 + (0.125 if positive_second else 0), dtype=np.float32)
        return [x.astype(np.float32), Fixed(y)]

    return operands


def several(count):
    def operands(g, a, o):
        shapes = [(2, 3, 4), (3, 1), (4,), (1,)][: max(count, 1)]
        return [floats(g, shapes[0]), *(Fixed(floats(g, s)) for s in shapes[1:])]

    return operands


def infinite(g, a, o):
    return [np.asarray([[1.0, np.inf, -np.inf], [-np.inf, 0.0, np.inf]], dtype=np.float32)]


def nothing_there(g, a, o):
    return [np.asarray([[1.0, np.nan, -np.inf], [np.nan, 0.0, np.inf]], dtype=np.float32)]


def bounds(g, attributes, o):
    low, high = attributes.get("_low"), attributes.get("_high")
    operands = [floats(g, (2, 5))]
    if low is not None or high is not None:
        operands.append(Missing if low is None else fixed(low, np.float32))
    if high is not None:
        operands.append(fixed(high, np.float32))
    return operands


def choice(g, a, o):
    x = floats(g, (2, 3, 4))
    return [Fixed(g.random((3, 1)) < 0.5), x, Fixed(floats(g, (4,)))]


def slopes(g, a, o):
    shape = [(3, 1), (4,), (1,), (2, 3, 4)][g.integers(4)]
    return [floats(g, (2, 3, 4)), Fixed(floats(g, shape))]


PLAIN = ["Relu", "Tanh", "Sigmoid", "Exp", "Abs", "Neg", "Softplus", "HardSwish", "Erf", "Sign", "Sin", "Cos", "Atan",
         "Sinh", "Cosh", "Asinh", "Softsign", "Identity"]  # fmt: skip

ALL = [
    *(Spec(op, flows(2, 3, 4), opsets=(18,)) for op in PLAIN),
    Spec("Mish", flows(2, 3, 4), opsets=(18,)),
    *(Spec(op, within(0.25, 2.0), opsets=(13,)) for op in ["Sqrt", "Log", "Reciprocal"]),
    *(Spec(op, within(-0.9, 0.9), opsets=(13,)) for op in ["Asin", "Acos", "Atanh", "Tan"]),
    Spec("Acosh", within(1.1, 3.0), opsets=(13,)),
    *(Spec(op, halves, opsets=(13,)) for op in ["Floor", "Ceil", "Round"]),
    Spec("Not", lambda g, a, o: [g.random((2, 3)) < 0.5], opsets=(13,)),
    Spec("BitwiseNot", lambda g, a, o: [g.integers(-9, 9, (2, 3)).astype(WHOLE)], opsets=(18,)),
    Spec("IsNaN", nothing_there, opsets=(13,)),
    Spec("IsInf", infinite, {"detect_negative": [0, 1], "detect_positive": [0, 1]}, (10, 20)),
    Spec("LeakyRelu", flows(2, 3, 4), {"alpha": [0.5, -0.25]}),
    Spec("Elu", flows(2, 3, 4), {"alpha": [0.5, 2.0]}),
    Spec("Celu", flows(2, 3, 4), {"alpha": [0.5, 2.0]}),
    Spec("ThresholdedRelu", flows(2, 9), {"alpha": [0.25, -0.5]}),
    Spec("Selu", flows(2, 3, 4), {"alpha": [0.5], "gamma": [2.0]}),
    Spec("Shrink", flows(2, 9), {"bias": [0.25], "lambd": [0.125, 1.0]}),
    Spec("HardSigmoid", flows(2, 9, scale=3.0), {"alpha": [0.5], "beta": [0.125]}),
    Spec("Gelu", flows(2, 3, 4), {"approximate": ["none", "tanh"]}, (20,)),
    Spec("Swish", flows(2, 3, 4), {"alpha": [0.5, 2.0]}, (24,)),
    Spec("Gelu", flows(2, 3, 4), domain="com.microsoft", note="runtime"),
    Spec("FastGelu", flows(2, 3, 4), domain="com.microsoft"),
    Spec("QuickGelu", flows(2, 3, 4), {"alpha": [0.5]}, domain="com.microsoft"),
    *(Spec(op, two(), opsets=(13,), more=3) for op in ["Add", "Sub", "Mul", "Min", "Max"]),
    *(Spec(op, two(positive_second=True), opsets=(13,), more=3) for op in ["Div", "Pow"]),
    *(Spec(op, two(), opsets=(16,), more=2) for op in ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"]),
    *(Spec(op, two("bool"), opsets=(13,), more=2) for op in ["And", "Or", "Xor"]),
    *(Spec(op, two("whole"), opsets=(18,), more=2) for op in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]),
    Spec("Div", two("whole"), opsets=(14,), more=2, note="whole"),
    Spec("Mod", two("whole"), {"fmod": [0]}, opsets=(13,), more=3, note="whole"),
    Spec("Mod", two(positive_second=True), {"fmod": [1]}, opsets=(13,), required=("fmod",), more=3),
    *(Spec(op, several(n), note=str(n)) for op in ["Sum", "Mean", "Min", "Max"] for n in (1, 3, 4)),
    Spec("Where", choice, opsets=(16,), more=2),
    Spec("PRelu", slopes, more=4),
    Spec("Clip", bounds, {"_low": [-0.5], "_high": [0.25]}),
    Spec("Clip", flows(2, 5), {"min": [-0.5], "max": [0.25]}, (7, 10)),
    Spec("Cast", lambda g, a, o: [floats(g, (2, 5), 3.0)], {"to": [6, 7, 1, 9]}, required=("to",)),
    Spec("Dropout", lambda g, a, o: [floats(g, (2, 5))], {"ratio": [0.25]}, (7, 10)),
    Spec("Dropout", lambda g, a, o: [floats(g, (2, 5)), fixed(0.5, np.float32)], {"seed": [3]}),
]
