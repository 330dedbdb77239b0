//! Every operator with every attribute that it has in the format.
//!
//! All fields of an operator are named here, so that whoever adds one, or an operator, is led to say what there is to
//! draw.

use secateur_graph::{
    Attention, Binary, Bounds, Conv, ConvTranspose, Depth, DepthWay, Gemm, GridSample, Index,
    MaxUnpool, Mix, Norm, Op, Pad, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, Resize,
    ResizeForm, RoiAlign, Sample, Split, Squeeze, Unary, Variadic, Window,
};

/// A table that is read both ways: by the operator, and as a whole.
macro_rules! attributes {
    ($($pattern:pat => $name:literal [$($attribute:literal)*],)*) => {
        /// Every operator in the format with its attributes. An attribute without a default has a `!` behind it.
        pub const ATTRIBUTES: &[(&str, &[&str])] = &[$(($name, &[$($attribute),*])),*];

        /// The entry of [`ATTRIBUTES`] that an operator has; none if it is only carried along.
        pub fn attributes_of(op: &Op) -> Option<(&'static str, &'static [&'static str])> {
            // Whoever adds a variant or a field is led here.
            Some(match op {
                Op::Opaque(_) => return None,
                $($pattern => ($name, &[$($attribute),*]),)*
            })
        }
    };
}

attributes! {
    Op::Gemm(Gemm { alpha: _, beta: _, trans_a: _, trans_b: _ }) => "Gemm" ["alpha" "beta" "transA" "transB"],
    Op::MatMul => "MatMul" [],
    Op::Attention(Attention { heads: _, scale: _, softcap: _, causal: _, reach: _, truth_mask: _,
        softmax_precision: _ }) =>
        "Attention" ["q_num_heads" "kv_num_heads" "scale" "softcap" "is_causal" "softmax_precision"],
    Op::Conv(Conv { window: Window { strides: _, dilations: _, padding: _, ceil: _ }, conv_groups: _ }) =>
        "Conv" ["strides" "dilations" "pads" "auto_pad" "group" "kernel_shape"],
    Op::ConvTranspose(ConvTranspose { window: _, conv_groups: _, output_padding: _ }) =>
        "ConvTranspose" ["strides" "dilations" "pads" "auto_pad" "group" "kernel_shape" "output_padding"],
    Op::BatchNorm { epsilon: _, momentum: _ } => "BatchNormalization" ["epsilon" "momentum"],
    Op::Norm(Norm::Layer { axis: _, epsilon: _ }) => "LayerNormalization" ["axis" "epsilon" "stash_type"],
    Op::Norm(Norm::Rms { axis: _, epsilon: _ }) => "RMSNormalization" ["axis" "epsilon" "stash_type"],
    Op::Norm(Norm::Instance { epsilon: _ }) => "InstanceNormalization" ["epsilon"],
    Op::Norm(Norm::Group { count: _, epsilon: _, by_run: _ }) =>
        "GroupNormalization" ["num_groups!" "epsilon" "stash_type"],
    Op::Norm(Norm::Batch { epsilon: _ }) => "BatchNormalization" ["epsilon" "training_mode!"],
    Op::Pool(Pool { kind: PoolKind::Max, kernel: _, window: _ }) =>
        "MaxPool" ["kernel_shape!" "strides" "dilations" "pads" "auto_pad" "ceil_mode" "storage_order"],
    Op::Pool(Pool { kind: PoolKind::Average { count_padding: _ }, kernel: _, window: _ }) =>
        "AveragePool" ["kernel_shape!" "strides" "dilations" "pads" "auto_pad" "ceil_mode" "count_include_pad"],
    Op::Pool(Pool { kind: PoolKind::Lp { p: _ }, kernel: _, window: _ }) =>
        "LpPool" ["kernel_shape!" "strides" "dilations" "pads" "auto_pad" "ceil_mode" "p"],
    Op::Reduce(Reduce { kind: ReduceKind::Mean, axes: ReduceAxes::Spatial, keep: _ }) => "GlobalAveragePool" [],
    Op::Reduce(Reduce { kind: ReduceKind::Max, axes: ReduceAxes::Spatial, keep: _ }) => "GlobalMaxPool" [],
    Op::Reduce(Reduce { kind: ReduceKind::L1 | ReduceKind::L2 | ReduceKind::Lp { p: _ }, axes: ReduceAxes::Spatial,
        keep: _ }) =>
        "GlobalLpPool" ["p"],
    Op::Reduce(Reduce { kind: ReduceKind::Mean, axes: _, keep: _ }) =>
        "ReduceMean" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::Sum, axes: _, keep: _ }) =>
        "ReduceSum" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::Max, axes: _, keep: _ }) =>
        "ReduceMax" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::Min, axes: _, keep: _ }) =>
        "ReduceMin" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::Product, axes: _, keep: _ }) =>
        "ReduceProd" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::L1, axes: _, keep: _ }) =>
        "ReduceL1" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::L2 | ReduceKind::Lp { p: _ }, axes: _, keep: _ }) =>
        "ReduceL2" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::SumSquare, axes: _, keep: _ }) =>
        "ReduceSumSquare" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::LogSum, axes: _, keep: _ }) =>
        "ReduceLogSum" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Reduce(Reduce { kind: ReduceKind::LogSumExp, axes: _, keep: _ }) =>
        "ReduceLogSumExp" ["axes" "keepdims" "noop_with_empty_axes"],
    Op::Binary(Binary::Add) => "Add" [],
    Op::Binary(Binary::Sub) => "Sub" [],
    Op::Binary(Binary::Mul) => "Mul" [],
    Op::Binary(Binary::Div | Binary::Quotient) => "Div" [],
    Op::Binary(Binary::Pow) => "Pow" [],
    Op::Binary(Binary::Min) | Op::Variadic(Variadic::Min) => "Min" [],
    Op::Binary(Binary::Max) | Op::Variadic(Variadic::Max) => "Max" [],
    Op::Variadic(Variadic::Sum) => "Sum" [],
    Op::Variadic(Variadic::Mean) => "Mean" [],
    Op::Binary(Binary::Mod { float: _ }) => "Mod" ["fmod"],
    Op::Binary(Binary::Equal) => "Equal" [],
    Op::Binary(Binary::Less) => "Less" [],
    Op::Binary(Binary::LessOrEqual) => "LessOrEqual" [],
    Op::Binary(Binary::Greater) => "Greater" [],
    Op::Binary(Binary::GreaterOrEqual) => "GreaterOrEqual" [],
    Op::Binary(Binary::And) => "And" [],
    Op::Binary(Binary::Or) => "Or" [],
    Op::Binary(Binary::Xor) => "Xor" [],
    Op::Binary(Binary::BitwiseAnd) => "BitwiseAnd" [],
    Op::Binary(Binary::BitwiseOr) => "BitwiseOr" [],
    Op::Binary(Binary::BitwiseXor) => "BitwiseXor" [],
    Op::Unary(Unary::Relu) => "Relu" [],
    Op::Unary(Unary::LeakyRelu { alpha: _ }) => "LeakyRelu" ["alpha"],
    Op::Unary(Unary::Tanh) => "Tanh" [],
    Op::Unary(Unary::Sigmoid) => "Sigmoid" [],
    Op::Unary(Unary::Exp) => "Exp" [],
    Op::Unary(Unary::Sqrt) => "Sqrt" [],
    Op::Unary(Unary::Abs) => "Abs" [],
    Op::Unary(Unary::Neg) => "Neg" [],
    Op::Unary(Unary::Softplus) => "Softplus" [],
    Op::Unary(Unary::Elu { alpha: _ }) => "Elu" ["alpha"],
    Op::Unary(Unary::HardSigmoid { alpha: _, beta: _ }) => "HardSigmoid" ["alpha" "beta"],
    Op::Unary(Unary::HardSwish) => "HardSwish" [],
    Op::Unary(Unary::Erf) => "Erf" [],
    Op::Unary(Unary::Gelu { tanh: _ }) => "Gelu" ["approximate"],
    Op::Unary(Unary::Mish) => "Mish" [],
    Op::Unary(Unary::Reciprocal) => "Reciprocal" [],
    Op::Unary(Unary::Log) => "Log" [],
    Op::Unary(Unary::Floor) => "Floor" [],
    Op::Unary(Unary::Ceil) => "Ceil" [],
    Op::Unary(Unary::Round) => "Round" [],
    Op::Unary(Unary::Sign) => "Sign" [],
    Op::Unary(Unary::Not) => "Not" [],
    Op::Unary(Unary::Sin) => "Sin" [],
    Op::Unary(Unary::Cos) => "Cos" [],
    Op::Unary(Unary::Tan) => "Tan" [],
    Op::Unary(Unary::Asin) => "Asin" [],
    Op::Unary(Unary::Acos) => "Acos" [],
    Op::Unary(Unary::Atan) => "Atan" [],
    Op::Unary(Unary::Sinh) => "Sinh" [],
    Op::Unary(Unary::Cosh) => "Cosh" [],
    Op::Unary(Unary::Asinh) => "Asinh" [],
    Op::Unary(Unary::Acosh) => "Acosh" [],
    Op::Unary(Unary::Atanh) => "Atanh" [],
    Op::Unary(Unary::Softsign) => "Softsign" [],
    Op::Unary(Unary::Selu { alpha: _, gamma: _ }) => "Selu" ["alpha" "gamma"],
    Op::Unary(Unary::Celu { alpha: _ }) => "Celu" ["alpha"],
    Op::Unary(Unary::ThresholdedRelu { alpha: _ }) => "ThresholdedRelu" ["alpha"],
    Op::Unary(Unary::Shrink { bias: _, lambda: _ }) => "Shrink" ["bias" "lambd"],
    Op::Unary(Unary::Swish { alpha: _ }) => "Swish" ["alpha"],
    Op::Unary(Unary::IsNan) => "IsNaN" [],
    Op::Unary(Unary::IsInf { negative: _, positive: _ }) => "IsInf" ["detect_negative" "detect_positive"],
    Op::Unary(Unary::BitwiseNot) => "BitwiseNot" [],
    Op::Einsum(_) => "Einsum" ["equation!"],
    Op::Mix(Mix::Hardmax { axis: _ }) => "Hardmax" ["axis"],
    Op::Mix(Mix::Lp { axis: _, p: _ }) => "LpNormalization" ["axis" "p"],
    Op::Mix(Mix::MeanVariance { axes: _ }) => "MeanVarianceNormalization" ["axes"],
    Op::Mix(Mix::Lrn { size: _, alpha: _, beta: _, bias: _ }) => "LRN" ["size!" "alpha" "beta" "bias"],
    Op::Softmax { axis: _ } => "Softmax" ["axis"],
    Op::LogSoftmax { axis: _ } => "LogSoftmax" ["axis"],
    Op::Flatten { axis: _ } => "Flatten" ["axis"],
    Op::Gather { axis: _ } => "Gather" ["axis"],
    Op::Reshape { allow_zero: _ } => "Reshape" ["allowzero"],
    Op::Transpose { order: _ } => "Transpose" ["perm"],
    Op::Squeeze(Squeeze::Out(_)) => "Squeeze" ["axes"],
    Op::Squeeze(Squeeze::In(_)) => "Unsqueeze" ["axes"],
    Op::Concat { axis: _ } => "Concat" ["axis!"],
    Op::Slice { bounds: None | Some(Bounds { starts: _, ends: _, axes: _ }) } => "Slice" ["starts" "ends" "axes"],
    Op::Split(Split { axis: _, parts: _, attribute: _ }) => "Split" ["axis" "split" "num_outputs"],
    Op::Depth(Depth { block: _, way: DepthWay::FromSpace }) => "SpaceToDepth" ["blocksize!"],
    Op::Depth(Depth { block: _, way: DepthWay::OuterToSpace | DepthWay::InnerToSpace }) =>
        "DepthToSpace" ["blocksize!" "mode"],
    Op::Pad(Pad { mode: _, pads: _ }) => "Pad" ["mode" "pads" "value"],
    Op::Resize(Resize { form: ResizeForm::Scales { upsample: true }, mode: _, places: _, axes: _ }) =>
        "Upsample" ["mode"],
    Op::Resize(Resize { form: ResizeForm::Resize | ResizeForm::Scales { upsample: false }, mode: _, places: _,
        axes: _ }) =>
        "Resize" ["mode" "coordinate_transformation_mode" "nearest_mode" "axes" "antialias" "exclude_outside"
            "keep_aspect_ratio_policy" "cubic_coeff_a" "extrapolation_value"],
    Op::Sample(Sample::Grid(GridSample { mode: _, padding: _, align_corners: _, old_names: _ })) =>
        "GridSample" ["mode" "padding_mode" "align_corners"],
    Op::Sample(Sample::Roi(RoiAlign { max: _, half_pixel: _, cells: _, samples: _, scale: _ })) =>
        "RoiAlign" ["mode" "coordinate_transformation_mode" "output_height" "output_width" "sampling_ratio"
            "spatial_scale"],
    Op::Sample(Sample::Unpool(MaxUnpool { kernel: _, strides: _, pads: _ })) =>
        "MaxUnpool" ["kernel_shape!" "strides" "pads"],
    Op::Expand => "Expand" [],
    Op::Tile => "Tile" [],
    Op::Where => "Where" [],
    Op::Cast { to: _ } => "Cast" ["to!"],
    Op::Shape { start: _, end: _ } => "Shape" ["start" "end"],
    Op::Index(Index::Size) => "Size" [],
    Op::Index(Index::Range) => "Range" [],
    Op::Index(Index::ConstantOfShape { value: _, element: _ }) => "ConstantOfShape" ["value"],
    Op::Index(Index::NonZero) => "NonZero" [],
    Op::Index(Index::CumSum { exclusive: _, reverse: _ }) => "CumSum" ["exclusive" "reverse"],
    Op::Index(Index::Trilu { upper: _ }) => "Trilu" ["upper"],
    Op::Index(Index::ScatterNd { merge: _ }) => "ScatterND" ["reduction"],
    Op::Index(Index::GatherNd { rows: _ }) => "GatherND" ["batch_dims"],
    Op::Index(Index::GatherElements { axis: _ }) => "GatherElements" ["axis"],
    Op::Index(Index::ScatterElements { axis: _, merge: _ }) => "ScatterElements" ["axis" "reduction"],
    Op::Index(Index::Compress { axis: _ }) => "Compress" ["axis"],
    Op::Index(Index::OneHot { axis: _ }) => "OneHot" ["axis"],
    Op::Index(Index::EyeLike { right: _, to: _ }) => "EyeLike" ["k" "dtype"],
    Op::Index(Index::Arg { largest: true, axis: _, keep: _, last: _ }) =>
        "ArgMax" ["axis" "keepdims" "select_last_index"],
    Op::Index(Index::Arg { largest: false, axis: _, keep: _, last: _ }) =>
        "ArgMin" ["axis" "keepdims" "select_last_index"],
    Op::Index(Index::TopK { largest: _, axis: _ }) => "TopK" ["axis" "largest" "sorted"],
    Op::PRelu => "PRelu" [],
    Op::Clip { min: _, max: _ } => "Clip" ["min" "max"],
    Op::Identity => "Identity" [],
}
