//! The operations a network is made of: a closed set, so that the compiler leads whoever adds one.

use serde::{Deserialize, Serialize};

use crate::Element;
use crate::ops::{
    Attention, Binary, Bounds, Conv, ConvTranspose, Depth, Einsum, Gemm, Index, Mix, Norm, Opaque,
    Pad, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, Resize, Sample, Split, Squeeze, Unary,
    Variadic,
};

/// An operation with its attributes; names and defaults follow the ONNX operators of the same name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// `y = alpha * op(a) * op(b) + beta * c`, two-dimensional.
    Gemm(Gemm),
    /// Matrix product.
    MatMul,
    /// Attention by heads, in one operator.
    Attention(Attention),
    /// Convolution of channels (second axis) over spatial axes (from the third on), as correlation.
    Conv(Conv),
    /// Convolution backwards: every input position adds a window of outputs.
    ConvTranspose(ConvTranspose),
    /// Scale and shift of each channel by constants, as at inference.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// What mean and variance keep of themselves when the network is trained: running = momentum * running +
        /// (1 - momentum) * batch. PyTorch's 0.1 is 0.9 here. Nothing in this crate computes with it.
        momentum: f32,
    },
    /// Normalisation by the numbers themselves.
    Norm(Norm),
    /// Windows over each channel.
    Pool(Pool),
    /// Sums, means and extremes over axes.
    Reduce(Reduce),
    /// Element-wise binary arithmetic with broadcasting.
    Binary(Binary),
    /// Element-wise function of one value.
    Unary(Unary),
    /// Element-wise function of any number of values with broadcasting.
    Variadic(Variadic),
    /// Products and sums by letters.
    Einsum(Einsum),
    /// Numbers mixed along axes without weights.
    Mix(Mix),
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
    /// A run of positions along some axes, by inputs or, in old operator sets, by attributes.
    Slice {
        /// Bounds, where they are attributes.
        bounds: Option<Bounds>,
    },
    /// Parts of an axis, one an output.
    Split(Split),
    /// Blocks of places and channels take turns.
    Depth(Depth),
    /// Positions added around the elements.
    Pad(Pad),
    /// Other lengths of spatial axes.
    Resize(Resize),
    /// Numbers from or at places that an input names.
    Sample(Sample),
    /// Repeated along axes to a shape, the second input.
    Expand,
    /// Repeated along each axis as often as the second input says.
    Tile,
    /// The second operand where the first is true, else the third.
    Where,
    /// The same numbers in another type.
    Cast {
        /// That type.
        to: Element,
    },
    /// The lengths of the axes.
    Shape {
        /// The first axis.
        start: i64,
        /// The axis behind the last.
        end: Option<i64>,
    },
    /// What sizes, masks and indices are computed with.
    Index(Index),
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
            Op::Attention(_) => "Attention",
            Op::Conv(_) => "Conv",
            Op::BatchNorm { .. } => "BatchNormalization",
            Op::Pool(Pool { kind, .. }) => match kind {
                PoolKind::Max => "MaxPool",
                PoolKind::Average { .. } => "AveragePool",
                PoolKind::Lp { .. } => "LpPool",
            },
            Op::Reduce(Reduce { kind, axes, .. }) => match (kind, axes) {
                (ReduceKind::Mean, ReduceAxes::Spatial) => "GlobalAveragePool",
                (ReduceKind::Max, ReduceAxes::Spatial) => "GlobalMaxPool",
                (ReduceKind::L1 | ReduceKind::L2, ReduceAxes::Spatial)
                | (ReduceKind::Lp { .. }, _) => "GlobalLpPool",
                (ReduceKind::Mean, _) => "ReduceMean",
                (ReduceKind::Sum, _) => "ReduceSum",
                (ReduceKind::Max, _) => "ReduceMax",
                (ReduceKind::Min, _) => "ReduceMin",
                (ReduceKind::Product, _) => "ReduceProd",
                (ReduceKind::L1, _) => "ReduceL1",
                (ReduceKind::L2, _) => "ReduceL2",
                (ReduceKind::SumSquare, _) => "ReduceSumSquare",
                (ReduceKind::LogSum, _) => "ReduceLogSum",
                (ReduceKind::LogSumExp, _) => "ReduceLogSumExp",
            },
            Op::Binary(binary) => binary.onnx_name(),
            Op::Unary(unary) => unary.onnx_name(),
            Op::Variadic(variadic) => variadic.onnx_name(),
            Op::Einsum(_) => "Einsum",
            Op::Mix(mix) => mix.onnx_name(),
            Op::Softmax { .. } => "Softmax",
            Op::LogSoftmax { .. } => "LogSoftmax",
            Op::Flatten { .. } => "Flatten",
            Op::Gather { .. } => "Gather",
            Op::Reshape { .. } => "Reshape",
            Op::Transpose { .. } => "Transpose",
            Op::Squeeze(Squeeze::Out(_)) => "Squeeze",
            Op::Squeeze(Squeeze::In(_)) => "Unsqueeze",
            Op::Concat { .. } => "Concat",
            Op::ConvTranspose(_) => "ConvTranspose",
            Op::Norm(norm) => norm.onnx_name(),
            Op::Slice { .. } => "Slice",
            Op::Split(_) => "Split",
            Op::Depth(depth) => depth.onnx_name(),
            Op::Pad(_) => "Pad",
            Op::Resize(resize) => resize.onnx_name(),
            Op::Sample(sample) => sample.onnx_name(),
            Op::Expand => "Expand",
            Op::Tile => "Tile",
            Op::Where => "Where",
            Op::Cast { .. } => "Cast",
            Op::Shape { .. } => "Shape",
            Op::Index(index) => index.onnx_name(),
            Op::PRelu => "PRelu",
            Op::Clip { .. } => "Clip",
            Op::Identity => "Identity",
            Op::Opaque(opaque) => &opaque.op_type,
        }
    }
}
