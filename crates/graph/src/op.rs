//! The operations a network is made of: a closed set, so that the compiler leads whoever adds one.

use crate::ops::{
    Binary, Conv, Gemm, Opaque, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, Squeeze, Unary,
};

/// An operation with its attributes; names and defaults follow the ONNX operators of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `y = alpha * op(a) * op(b) + beta * c`, two-dimensional.
    Gemm(Gemm),
    /// Matrix product.
    MatMul,
    /// Convolution of channels (second axis) over spatial axes (from the third on), as correlation.
    Conv(Conv),
    /// Scale and shift of each channel by constants, as at inference.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
    },
    /// Windows over each channel.
    Pool(Pool),
    /// Sums, means and extremes over axes.
    Reduce(Reduce),
    /// Element-wise binary arithmetic with broadcasting.
    Binary(Binary),
    /// Element-wise function of one value.
    Unary(Unary),
    /// `exp(x) / sum exp(x)` along an axis (negative counts from the end).
    Softmax {
        /// The axis that sums to one.
        axis: i64,
    },
    /// The logarithm of that.
    LogSoftmax {
        /// The axis whose exponentials sum to one.
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
    /// Brings the elements into a constant shape, the second input.
    Reshape {
        /// Whether an entry of 0 is a length of 0, not a copy.
        allow_zero: bool,
    },
    /// Axes in another order: the old axis of each new one.
    Transpose {
        /// Old axes.
        order: Vec<usize>,
    },
    /// Axes of length 1 go or come.
    Squeeze(Squeeze),
    /// Values one behind the other along an axis.
    Concat {
        /// The axis.
        axis: i64,
    },
    /// `x` above zero, a constant slope times `x` below.
    PRelu,
    /// Numbers no lower and no higher than bounds, which inputs narrow where they are given.
    Clip {
        /// Lower bound.
        min: f32,
        /// Upper bound.
        max: f32,
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
            Op::Conv(_) => "Conv",
            Op::BatchNorm { .. } => "BatchNormalization",
            Op::Pool(Pool { kind, .. }) => match kind {
                PoolKind::Max => "MaxPool",
                PoolKind::Average { .. } => "AveragePool",
            },
            Op::Reduce(Reduce { kind, axes, .. }) => match (kind, axes) {
                (ReduceKind::Mean, ReduceAxes::Spatial) => "GlobalAveragePool",
                (ReduceKind::Max, ReduceAxes::Spatial) => "GlobalMaxPool",
                (ReduceKind::Mean, _) => "ReduceMean",
                (ReduceKind::Sum, _) => "ReduceSum",
                (ReduceKind::Max, _) => "ReduceMax",
                (ReduceKind::Min, _) => "ReduceMin",
            },
            Op::Binary(Binary::Add) => "Add",
            Op::Binary(Binary::Sub) => "Sub",
            Op::Binary(Binary::Mul) => "Mul",
            Op::Binary(Binary::Div) => "Div",
            Op::Unary(Unary::Relu) => "Relu",
            Op::Unary(Unary::LeakyRelu { .. }) => "LeakyRelu",
            Op::Unary(Unary::Tanh) => "Tanh",
            Op::Unary(Unary::Sigmoid) => "Sigmoid",
            Op::Unary(Unary::Exp) => "Exp",
            Op::Unary(Unary::Sqrt) => "Sqrt",
            Op::Unary(Unary::Abs) => "Abs",
            Op::Unary(Unary::Neg) => "Neg",
            Op::Unary(Unary::Softplus) => "Softplus",
            Op::Unary(Unary::Elu { .. }) => "Elu",
            Op::Unary(Unary::HardSigmoid { .. }) => "HardSigmoid",
            Op::Unary(Unary::HardSwish) => "HardSwish",
            Op::Softmax { .. } => "Softmax",
            Op::LogSoftmax { .. } => "LogSoftmax",
            Op::Flatten { .. } => "Flatten",
            Op::Gather { .. } => "Gather",
            Op::Reshape { .. } => "Reshape",
            Op::Transpose { .. } => "Transpose",
            Op::Squeeze(Squeeze::Out(_)) => "Squeeze",
            Op::Squeeze(Squeeze::In(_)) => "Unsqueeze",
            Op::Concat { .. } => "Concat",
            Op::PRelu => "PRelu",
            Op::Clip { .. } => "Clip",
            Op::Identity => "Identity",
            Op::Opaque(opaque) => &opaque.op_type,
        }
    }
}
