//! The operations a network is made of: a closed set, so that the compiler leads whoever adds one.

use crate::ops::{Binary, Gemm, Opaque, Unary};

/// An operation with its attributes; names and defaults follow the ONNX operators of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `y = alpha * op(a) * op(b) + beta * c`, two-dimensional.
    Gemm(Gemm),
    /// Matrix product.
    MatMul,
    /// Element-wise binary arithmetic with broadcasting.
    Binary(Binary),
    /// Element-wise function of one value.
    Unary(Unary),
    /// `exp(x) / sum exp(x)` along an axis (negative counts from the end).
    Softmax {
        /// The axis that sums to one.
        axis: i64,
    },
    /// Folds the axes before and from `axis` into one each.
    Flatten {
        /// First axis of the second fold.
        axis: i64,
    },
    /// Picks constant indices along an axis.
    Gather {
        /// The axis that is indexed.
        axis: i64,
    },
    /// The value itself.
    Identity,
    /// Anything else: carried through unchanged, and freezing the channels that it touches.
    Opaque(Opaque),
}

impl Op {
    /// The name of the operator in ONNX.
    pub fn onnx_name(&self) -> &str {
        match self {
            Op::Gemm(_) => "Gemm",
            Op::MatMul => "MatMul",
            Op::Binary(Binary::Add) => "Add",
            Op::Binary(Binary::Sub) => "Sub",
            Op::Binary(Binary::Mul) => "Mul",
            Op::Binary(Binary::Div) => "Div",
            Op::Unary(Unary::Relu) => "Relu",
            Op::Unary(Unary::LeakyRelu { .. }) => "LeakyRelu",
            Op::Unary(Unary::Tanh) => "Tanh",
            Op::Unary(Unary::Sigmoid) => "Sigmoid",
            Op::Softmax { .. } => "Softmax",
            Op::Flatten { .. } => "Flatten",
            Op::Gather { .. } => "Gather",
            Op::Identity => "Identity",
            Op::Opaque(opaque) => &opaque.op_type,
        }
    }
}
