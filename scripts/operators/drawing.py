"""What an operator is drawn with."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Missing = object()
"""An operand that is left out."""


@dataclass
class Fixed:
    """An operand that is a constant."""

    array: np.ndarray


@dataclass
class Spec:
    """An operator, what it is given, and the values that its attributes are drawn of.

    Attributes whose names begin with `_` are no attributes of the operator: they say how operands are drawn.
    """

    op: str
    operands: Callable
    attributes: dict = field(default_factory=dict)
    opsets: tuple = (13, 18)
    required: tuple = ()
    outputs: int = 1
    domain: str = ""
    more: int = 0
    """How many further models with nothing but what there must be."""
    rows: int = 2
    """The length of the first axis of what flows where that axis is rows."""
    runtime: bool = False
    """Whether ONNX Runtime alone is believed, as the reference evaluator does otherwise than the specification."""
    note: str = ""


def floats(generator, shape, scale=1.0):
    """Numbers that differ from each other and from whole ones."""
    return (generator.standard_normal(shape) * scale).astype(np.float32)


def positive(generator, shape):
    return (generator.random(shape) + 0.5).astype(np.float32)


def fixed(values, kind=np.int64):
    return Fixed(np.asarray(values, dtype=kind))


def flows(*shape, scale=1.0):
    """Operands of an operator on one value."""
    return lambda generator, attributes, opset: [floats(generator, shape, scale)]
