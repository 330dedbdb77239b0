//! The attributes of an operation, as messages.

use secateur_onnx::proto::{AttributeProto, TensorProto, attribute_proto::AttributeType};

use crate::ops::MOMENTUM;
use crate::{
    Attention, Binary, DepthWay, Element, Gemm, Index, Merge, Mix, Nearest, Norm, Op, PadMode,
    Padding, PoolKind, Reduce, ReduceAxes, ReduceKind, Resize, ResizeMode, ResizePlaces, RoiAlign,
    Sample, Unary, Window,
};

/// All attributes, also at their defaults, but for a momentum, which inference does not read.
pub(crate) fn of(op: &Op) -> Vec<AttributeProto> {
    match op {
        Op::Gemm(Gemm {
            alpha,
            beta,
            trans_a,
            trans_b,
        }) => vec![
            float("alpha", *alpha),
            float("beta", *beta),
            int("transA", i64::from(*trans_a)),
            int("transB", i64::from(*trans_b)),
        ],
        Op::Unary(
            Unary::LeakyRelu { alpha }
            | Unary::Celu { alpha }
            | Unary::ThresholdedRelu { alpha }
            | Unary::Swish { alpha },
        ) => vec![float("alpha", *alpha)],
        Op::Unary(Unary::Selu { alpha, gamma }) => {
            vec![float("alpha", *alpha), float("gamma", *gamma)]
        }
        Op::Unary(Unary::Shrink { bias, lambda }) => {
            vec![float("bias", *bias), float("lambd", *lambda)]
        }
        Op::Unary(Unary::IsInf { negative, positive }) => vec![
            int("detect_negative", i64::from(*negative)),
            int("detect_positive", i64::from(*positive)),
        ],
        Op::Einsum(einsum) => vec![string("equation", einsum.equation())],
        Op::Mix(mix_) => mix(mix_),
        Op::Softmax { axis }
        | Op::LogSoftmax { axis }
        | Op::Flatten { axis }
        | Op::Gather { axis } => {
            vec![int("axis", *axis)]
        }
        Op::Conv(conv) => {
            let mut all = window(&conv.window);
            all.push(int("group", conv.conv_groups as i64));
            all
        }
        Op::Pool(pool) => {
            let mut all = window(&pool.window);
            all.push(ints("kernel_shape", &pool.kernel));
            all.push(int("ceil_mode", i64::from(pool.window.ceil)));
            match pool.kind {
                PoolKind::Max => {}
                PoolKind::Average { count_padding } => {
                    all.push(int("count_include_pad", i64::from(count_padding)));
                }
                PoolKind::Lp { p } => all.push(int("p", i64::from(p))),
            }
            all
        }
        Op::BatchNorm { epsilon, momentum } => {
            let mut all = vec![float("epsilon", *epsilon)];
            if *momentum != MOMENTUM {
                all.push(float("momentum", *momentum));
            }
            all
        }
        Op::Reduce(Reduce {
            axes: ReduceAxes::Spatial,
            kind,
            ..
        }) => match kind {
            ReduceKind::L1 => vec![int("p", 1)],
            ReduceKind::L2 => vec![int("p", 2)],
            ReduceKind::Lp { p } => vec![int("p", i64::from(*p))],
            _ => vec![],
        },
        // Axes are an input, which the node has.
        Op::Reduce(reduce) => vec![int("keepdims", i64::from(reduce.keep))],
        Op::Reshape { allow_zero } => vec![int("allowzero", i64::from(*allow_zero))],
        Op::Transpose { order } => vec![ints("perm", order)],
        Op::Concat { axis } => vec![int("axis", *axis)],
        Op::Unary(Unary::Elu { alpha }) => vec![float("alpha", *alpha)],
        Op::Unary(Unary::HardSigmoid { alpha, beta }) => {
            vec![float("alpha", *alpha), float("beta", *beta)]
        }
        Op::Unary(Unary::Gelu { tanh: true }) => vec![string("approximate", "tanh")],
        Op::Binary(Binary::Mod { float }) => vec![int("fmod", i64::from(*float))],
        Op::ConvTranspose(conv) => {
            let mut all = window(&conv.window);
            all.push(int("group", conv.conv_groups as i64));
            all.push(ints("output_padding", &conv.output_padding));
            all
        }
        Op::Norm(Norm::Layer { axis, epsilon } | Norm::Rms { axis, epsilon }) => {
            vec![int("axis", *axis), float("epsilon", *epsilon)]
        }
        Op::Norm(Norm::Instance { epsilon }) => vec![float("epsilon", *epsilon)],
        Op::Norm(Norm::Batch { epsilon }) => {
            vec![float("epsilon", *epsilon), int("training_mode", 1)]
        }
        Op::Attention(attributes) => attention(attributes),
        Op::Sample(attributes) => sample(attributes),
        Op::Norm(Norm::Group { count, epsilon, .. }) => {
            vec![int("num_groups", *count as i64), float("epsilon", *epsilon)]
        }
        Op::Depth(depth) => {
            let block = int("blocksize", depth.block as i64);
            match depth.way {
                DepthWay::FromSpace => vec![block],
                DepthWay::OuterToSpace => vec![block, string("mode", "DCR")],
                DepthWay::InnerToSpace => vec![block, string("mode", "CRD")],
            }
        }
        Op::Pad(pad) => vec![string(
            "mode",
            match pad.mode {
                PadMode::Constant(_) => "constant",
                PadMode::Reflect => "reflect",
                PadMode::Edge => "edge",
                PadMode::Wrap => "wrap",
            },
        )],
        Op::Cast { to } => vec![int("to", to.data_type() as i64)],
        Op::Shape { start, end } => {
            let end = end.map(|end| int("end", end));
            let start = (*start != 0).then(|| int("start", *start));
            start.into_iter().chain(end).collect()
        }
        Op::Split(split) => vec![int("axis", split.axis)],
        Op::Resize(resize_) => resize(resize_),
        Op::Index(index) => match *index {
            Index::CumSum { exclusive, reverse } => vec![
                int("exclusive", i64::from(exclusive)),
                int("reverse", i64::from(reverse)),
            ],
            Index::Trilu { upper } => vec![int("upper", i64::from(upper))],
            Index::Size | Index::Range | Index::NonZero => vec![],
            Index::ScatterNd { merge } => merged(merge),
            Index::ScatterElements { axis, merge } => {
                let mut all = merged(merge);
                all.push(int("axis", axis));
                all
            }
            Index::GatherNd { rows } => vec![int("batch_dims", rows as i64)],
            Index::GatherElements { axis } | Index::OneHot { axis } => vec![int("axis", axis)],
            Index::Compress { axis } => axis.map(|axis| int("axis", axis)).into_iter().collect(),
            Index::EyeLike { right, to } => {
                let to = to.map(|to| int("dtype", to.data_type() as i64));
                std::iter::once(int("k", right)).chain(to).collect()
            }
            Index::Arg {
                axis, keep, last, ..
            } => vec![
                int("axis", axis),
                int("keepdims", i64::from(keep)),
                int("select_last_index", i64::from(last)),
            ],
            Index::TopK { largest, axis } => {
                vec![int("axis", axis), int("largest", i64::from(largest))]
            }
            Index::ConstantOfShape { value, element } => vec![filling(value, element)],
        },
        // Axes and bounds are inputs, which the nodes have.
        Op::Slice { .. }
        | Op::Expand
        | Op::Tile
        | Op::Where
        | Op::Unary(_)
        | Op::MatMul
        | Op::Variadic(_)
        | Op::Binary(_)
        | Op::Squeeze(_)
        | Op::PRelu
        | Op::Clip { .. }
        | Op::Identity
        | Op::Opaque(_) => vec![],
    }
}

/// What is not given is left out.
fn attention(attention: &Attention) -> Vec<AttributeProto> {
    let mut all = vec![];
    if let Some((of_q, of_kv)) = attention.heads {
        all.push(int("q_num_heads", of_q as i64));
        all.push(int("kv_num_heads", of_kv as i64));
    }
    all.extend(attention.scale.map(|scale| float("scale", scale)));
    if attention.softcap != 0.0 {
        all.push(float("softcap", attention.softcap));
    }
    if attention.causal {
        all.push(int("is_causal", 1));
    }
    let names = ["left_window_size", "right_window_size"];
    for (name, reach) in names.into_iter().zip(attention.reach) {
        all.extend(reach.map(|reach| int(name, reach as i64)));
    }
    let precision = attention.softmax_precision;
    all.extend(precision.map(|precision| int("softmax_precision", precision)));
    all
}

fn sample(sample: &Sample) -> Vec<AttributeProto> {
    match sample {
        Sample::Grid(grid) => {
            let [mode, padding] = grid.names();
            vec![
                string("mode", mode),
                string("padding_mode", padding),
                int("align_corners", i64::from(grid.align_corners)),
            ]
        }
        Sample::Roi(RoiAlign {
            max,
            half_pixel,
            cells,
            samples,
            scale,
        }) => vec![
            string("mode", if *max { "max" } else { "avg" }),
            string(
                "coordinate_transformation_mode",
                if *half_pixel {
                    "half_pixel"
                } else {
                    "output_half_pixel"
                },
            ),
            int("output_height", cells[0] as i64),
            int("output_width", cells[1] as i64),
            int("sampling_ratio", *samples as i64),
            float("spatial_scale", *scale),
        ],
        Sample::Unpool(unpool) => vec![
            ints("kernel_shape", &unpool.kernel),
            ints("strides", &unpool.strides),
            ints("pads", &unpool.pads),
        ],
    }
}

/// What becomes of the numbers that are there; without the attribute they are replaced.
fn merged(merge: Merge) -> Vec<AttributeProto> {
    match merge {
        Merge::Replace => vec![],
        _ => vec![string("reduction", merge.onnx_name())],
    }
}

fn mix(mix: &Mix) -> Vec<AttributeProto> {
    match mix {
        Mix::Hardmax { axis } => vec![int("axis", *axis)],
        Mix::Lp { axis, p } => vec![int("axis", *axis), int("p", *p)],
        Mix::MeanVariance { axes } => vec![whole("axes", axes)],
        Mix::Lrn {
            size,
            alpha,
            beta,
            bias,
        } => vec![
            int("size", *size as i64),
            float("alpha", *alpha),
            float("beta", *beta),
            float("bias", *bias),
        ],
    }
}

fn window(window: &Window) -> Vec<AttributeProto> {
    let mut all = vec![
        ints("strides", &window.strides),
        ints("dilations", &window.dilations),
    ];
    all.push(match &window.padding {
        Padding::By { before, behind } => ints("pads", &[before.as_slice(), behind].concat()),
        Padding::SameUpper => string("auto_pad", "SAME_UPPER"),
        Padding::SameLower => string("auto_pad", "SAME_LOWER"),
    });
    all
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let values: Vec<i64> = values.iter().map(|&v| v as i64).collect();
    whole(name, &values)
}

fn whole(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(AttributeType::INTS),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}

fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(AttributeType::STRING),
        s: Some(value.as_bytes().to_vec()),
        ..AttributeProto::default()
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(AttributeType::FLOAT),
        f: Some(value),
        ..AttributeProto::default()
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(AttributeType::INT),
        i: Some(value),
        ..AttributeProto::default()
    }
}

fn filling(value: f64, element: Element) -> AttributeProto {
    let tensor = TensorProto {
        dims: vec![1],
        data_type: Some(element.data_type() as i32),
        // It was read in that type, or is a 0.
        raw_data: element.bytes(value),
        ..TensorProto::default()
    };
    AttributeProto {
        name: Some("value".into()),
        r#type: Some(AttributeType::TENSOR),
        t: tensor.into(),
        ..AttributeProto::default()
    }
}

fn resize(resize: &Resize) -> Vec<AttributeProto> {
    let places = match resize.places {
        ResizePlaces::HalfPixel => "half_pixel",
        ResizePlaces::PytorchHalfPixel => "pytorch_half_pixel",
        ResizePlaces::AlignCorners => "align_corners",
        // Nothing else is written anew.
        ResizePlaces::Asymmetric | ResizePlaces::Other => "asymmetric",
    };
    let mut all = vec![string("coordinate_transformation_mode", places)];
    match resize.mode {
        ResizeMode::Nearest(nearest) => {
            let rounding = match nearest {
                Nearest::RoundPreferFloor => "round_prefer_floor",
                Nearest::RoundPreferCeil => "round_prefer_ceil",
                Nearest::Floor => "floor",
                Nearest::Ceil => "ceil",
            };
            all.extend([string("mode", "nearest"), string("nearest_mode", rounding)]);
        }
        ResizeMode::Linear | ResizeMode::Other => all.push(string("mode", "linear")),
    }
    all
}
