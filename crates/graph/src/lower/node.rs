//! Which operation is a node's message?

use std::ops::RangeInclusive;

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::{attention, elementwise, index, movement, norm, plain, sample, unread};
use crate::raise::is_standard;
use crate::shapes::text;
use crate::{
    Conv, ConvTranspose, Dim, Einsum, Element, Error, Gemm, Index, Op, Pool, PoolKind, Reduce,
    ReduceAxes, ReduceKind, Result,
};

/// What to call a node in messages: its name, else its first output, else its place in the file.
pub(super) fn label(node: &NodeProto, index: usize) -> String {
    let first_output = node
        .output
        .iter()
        .map(String::as_str)
        .find(|o| !o.is_empty());
    match node.name.as_deref() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => first_output.map_or_else(|| format!("node {index}"), str::to_owned),
    }
}

/// Whether an operator of old operator sets means what is understood for some numbers of axes only.
pub(super) fn wants_rank(op_type: &str) -> bool {
    matches!(op_type, "Softmax" | "LogSoftmax" | "Hardmax")
}

/// Whether the operator is one of the standard domain.
pub(super) fn standard(node: &NodeProto) -> bool {
    is_standard(node.domain.as_deref().unwrap_or_default())
}

/// An operation, how many inputs it takes, and which attributes it may have.
pub(super) type Understood = (Op, RangeInclusive<usize>, &'static [&'static str]);

/// What is known of the inputs of a node.
pub(super) struct Inputs<'a> {
    /// Numbers of axes.
    pub(super) ranks: &'a [Option<usize>],
    /// Types of elements.
    pub(super) elements: &'a [Option<Element>],
    /// Whole numbers, of those inputs that are such constants.
    pub(super) integers: &'a [Option<&'a [i64]>],
    /// Whether an input is a constant that is one zero.
    pub(super) zeros: &'a [bool],
}

/// The understood operation of a node, or `None`.
pub(super) fn understood(node: &NodeProto, opset: i64, given: &Inputs<'_>) -> Result<Option<Op>> {
    let a = Attributes(&node.attribute);
    if let Some(understood) = elementwise::of_runtimes(node)? {
        return checked(node, &a, understood);
    }
    // Further outputs (running statistics) mean training, or more than is understood.
    let further = node.output.iter().skip(1).any(|o| !o.is_empty());
    let is_more = further && unread::may_make_more(node) && !sample::finds_places(node)?;
    if !standard(node) || is_more {
        return Ok(None);
    }
    let ranks = given.ranks;
    if let Some(op) = plain::of(op_type(node)) {
        let inputs = if matches!(op, Op::Unary(_)) { 1 } else { 2 };
        return checked(node, &a, (op, inputs..=inputs, &[]));
    }
    let (op, inputs, attributes): Understood = match op_type(node) {
        "Gemm" => {
            let gemm = Gemm {
                alpha: a.float("alpha", 1.0)?,
                beta: a.float("beta", 1.0)?,
                trans_a: a.int("transA", 0)? != 0,
                trans_b: a.int("transB", 0)? != 0,
            };
            (
                Op::Gemm(gemm),
                2..=3,
                &["alpha", "beta", "transA", "transB"],
            )
        }
        "MatMul" => (Op::MatMul, 2..=2, &[]),
        "Einsum" => {
            let count = node.input.len();
            let Some(einsum) = Einsum::of(a.text("equation", "")?, count)? else {
                return Ok(None);
            };
            (Op::Einsum(einsum), count..=count, &["equation"])
        }
        "ConvTranspose" => {
            let Some(rank) = ranks.iter().take(2).flatten().next() else {
                return Ok(None);
            };
            let axes = spatial(*rank)?;
            // The result's lengths would decide the padding.
            if a.has("output_shape") || a.text("auto_pad", "NOTSET")? != "NOTSET" {
                return Ok(None);
            }
            let conv = ConvTranspose {
                window: a.window(axes)?,
                conv_groups: positive(&a, "group", 1)?,
                output_padding: a.lengths("output_padding", axes, 0)?,
            };
            (Op::ConvTranspose(conv), 2..=3, TRANSPOSED)
        }
        "Conv" => {
            let Some(rank) = ranks.iter().take(2).flatten().next() else {
                return Ok(None);
            };
            let conv = Conv {
                window: a.window(spatial(*rank)?)?,
                conv_groups: positive(&a, "group", 1)?,
            };
            (Op::Conv(conv), 2..=3, WINDOW)
        }
        "MaxPool" => {
            let kernel = a.kernel()?;
            let window = a.window(kernel.len())?;
            let kind = PoolKind::Max;
            let op = Op::Pool(Pool {
                kind,
                kernel,
                window,
            });
            (op, 1..=1, WINDOW)
        }
        "LpPool" => {
            let kernel = a.kernel()?;
            let window = a.window(kernel.len())?;
            let kind = PoolKind::Lp { p: power(&a)? };
            let op = Op::Pool(Pool {
                kind,
                kernel,
                window,
            });
            (op, 1..=1, NORM_WINDOW)
        }
        "AveragePool" => {
            let kernel = a.kernel()?;
            let window = a.window(kernel.len())?;
            let kind = PoolKind::Average {
                count_padding: a.int("count_include_pad", 0)? != 0,
            };
            let op = Op::Pool(Pool {
                kind,
                kernel,
                window,
            });
            (op, 1..=1, WINDOW)
        }
        "GlobalAveragePool" => (global(ReduceKind::Mean), 1..=1, &[]),
        "GlobalMaxPool" => (global(ReduceKind::Max), 1..=1, &[]),
        "GlobalLpPool" => {
            let kind = match power(&a)? {
                1 => ReduceKind::L1,
                2 => ReduceKind::L2,
                p => ReduceKind::Lp { p },
            };
            (global(kind), 1..=1, &["p"])
        }
        "ReduceMean" | "ReduceSum" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1"
        | "ReduceL2" | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" => {
            let kind = match op_type(node) {
                "ReduceMean" => ReduceKind::Mean,
                "ReduceSum" => ReduceKind::Sum,
                "ReduceMax" => ReduceKind::Max,
                "ReduceProd" => ReduceKind::Product,
                "ReduceL1" => ReduceKind::L1,
                "ReduceL2" => ReduceKind::L2,
                "ReduceSumSquare" => ReduceKind::SumSquare,
                "ReduceLogSum" => ReduceKind::LogSum,
                "ReduceLogSumExp" => ReduceKind::LogSumExp,
                _ => ReduceKind::Min,
            };
            let Some(axes) = axes(&a, node, given)? else {
                return Ok(None);
            };
            // No axes mean all of them, unless the node says that they mean none.
            let axes = match axes.is_empty() {
                true if a.int("noop_with_empty_axes", 0)? != 0 => return Ok(None),
                true => ReduceAxes::All,
                false => ReduceAxes::These(axes),
            };
            let keep = a.int("keepdims", 1)? != 0;
            let op = Op::Reduce(Reduce { kind, axes, keep });
            (op, 1..=2, &["axes", "keepdims", "noop_with_empty_axes"])
        }
        // In inference, or at a rate of 0, it passes everything on.
        "Dropout" if passes_on(node, given) => (Op::Identity, 1..=3, &["ratio", "seed"]),
        "Identity" => (Op::Identity, 1..=1, &[]),
        _ => {
            let families = [
                movement::of,
                elementwise::of,
                norm::of,
                index::of,
                attention::of,
                sample::of,
            ];
            let mut found = families.iter().map(|of| of(node, opset, given));
            match found.find(|found| !matches!(found, Ok(None))) {
                Some(understood) => match understood? {
                    Some(understood) => understood,
                    None => return Ok(None),
                },
                None => return Ok(None),
            }
        }
    };
    checked(node, &a, (op, inputs, attributes))
}

/// The operation, if the node has as many inputs and outputs as it takes, and no other attributes.
fn checked(
    node: &NodeProto,
    a: &Attributes<'_>,
    (op, inputs, attributes): Understood,
) -> Result<Option<Op>> {
    let given = node.input.len();
    if !inputs.contains(&given) || node.input[..*inputs.start()].iter().any(String::is_empty) {
        let many = match inputs.into_inner() {
            (least, usize::MAX) => format!("at least {least}"),
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        };
        let message = format!("{} takes {many} inputs, not {given}", op.onnx_name());
        return Err(Error::invalid(message));
    }
    let several = matches!(op, Op::Split(_) | Op::Index(Index::TopK { .. }))
        || matches!(op, Op::Pool(_)) && node.output.len() == 2;
    if !several && node.output.len() != 1 || node.output.iter().any(String::is_empty) {
        return Err(Error::invalid(format!(
            "{} makes one output",
            op.onnx_name()
        )));
    }
    a.only(attributes)?;
    Ok(Some(op))
}

/// Whether a `Dropout` drops nothing: it has no input that says whether it is trained, or one that says no, or its rate is 0.
fn passes_on(node: &NodeProto, given: &Inputs<'_>) -> bool {
    let is_given = |slot: usize| node.input.get(slot).is_some_and(|name| !name.is_empty());
    let is_zero = |slot: usize| given.zeros.get(slot).copied().unwrap_or_default();
    !is_given(2) || is_zero(2) || is_zero(1)
}

/// Which power and root a norm takes.
fn power(a: &Attributes<'_>) -> Result<u32> {
    let p = a.int("p", 2)?;
    u32::try_from(p)
        .ok()
        .filter(|&p| p > 0)
        .ok_or_else(|| Error::invalid(format!("attribute 'p' is {p}, which is no power of a norm")))
}

/// Attributes of windows.
const WINDOW: &[&str] = &[
    "auto_pad",
    "ceil_mode",
    "count_include_pad",
    "dilations",
    "group",
    "kernel_shape",
    "pads",
    "storage_order",
    "strides",
];

/// Attributes of `LpPool`.
const NORM_WINDOW: &[&str] = &[
    "auto_pad",
    "ceil_mode",
    "dilations",
    "kernel_shape",
    "p",
    "pads",
    "strides",
];

/// Attributes of `ConvTranspose`.
const TRANSPOSED: &[&str] = &[
    "auto_pad",
    "dilations",
    "group",
    "kernel_shape",
    "output_padding",
    "pads",
    "strides",
];

fn global(kind: ReduceKind) -> Op {
    Op::Reduce(Reduce {
        kind,
        axes: ReduceAxes::Spatial,
        keep: true,
    })
}

/// Spatial axes of a value, which come behind batch and channels.
fn spatial(rank: usize) -> Result<usize> {
    let axes = rank.checked_sub(2).filter(|&axes| axes > 0);
    axes.ok_or_else(|| Error::invalid(format!("a window over a value with {rank} axes")))
}

pub(super) fn positive(a: &Attributes<'_>, name: &str, default: i64) -> Result<usize> {
    let count = usize::try_from(a.int(name, default)?)
        .ok()
        .filter(|&n| n > 0);
    count.ok_or_else(|| Error::invalid(format!("attribute '{name}' is not positive")))
}

/// Checks that the lengths of the window that a convolution states, if so, are those of its weights.
pub(super) fn check_kernel(node: &NodeProto, weights: Option<&[Dim]>) -> Result<()> {
    let Some(stated) = Attributes(&node.attribute).ints("kernel_shape")? else {
        return Ok(());
    };
    let lengths = weights.and_then(|shape| shape.get(2..));
    let fits = lengths.is_none_or(|lengths| {
        let same = |(dim, stated): (&Dim, &i64)| {
            dim.fixed()
                .is_none_or(|n| usize::try_from(*stated) == Ok(n))
        };
        lengths.len() == stated.len() && lengths.iter().zip(stated).all(same)
    });
    match fits {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "attribute 'kernel_shape' is {stated:?}, but the weights have the shape {}",
            text(weights.unwrap_or_default())
        ))),
    }
}

/// Axes by attribute or as the second input, which newer operator sets have; empty where none are named, and
/// none where they are not constant.
pub(super) fn axes(
    a: &Attributes<'_>,
    node: &NodeProto,
    given: &Inputs<'_>,
) -> Result<Option<Vec<i64>>> {
    if let Some(axes) = a.ints("axes")? {
        return Ok(Some(axes.to_vec()));
    }
    Ok(match node.input.get(1).map(String::as_str) {
        None | Some("") => Some(vec![]),
        Some(_) => given
            .integers
            .get(1)
            .copied()
            .flatten()
            .map(<[i64]>::to_vec),
    })
}

/// Checks that a node can be carried unread: everything it means is in its message and inputs.
pub(super) fn check_opaque(node: &NodeProto) -> Result<()> {
    let op_type = op_type(node);
    if op_type.is_empty() {
        return Err(Error::invalid("is a node without an operator"));
    }
    for attribute in &node.attribute {
        for tensor in attribute
            .t
            .as_option()
            .into_iter()
            .chain(&attribute.tensors)
        {
            if secateur_onnx::is_external(tensor) {
                let message = format!("{op_type} keeps data in another file");
                return Err(Error::unsupported(message).hint(
                    "save the model with its weights inside, for example with onnx.save_model",
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn op_type(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or_default()
}
