//! What the operation of a node tells of its outputs, before shapes are inferred.

use crate::{Binary, Element, Error, Index, Op, ReduceAxes, Result, Sample, Squeeze};

/// The number of axes of the output, where those of the inputs tell.
pub(super) fn rank(op: &Op, inputs: &[Option<usize>]) -> Option<usize> {
    let input = |index: usize| inputs.get(index).copied().flatten();
    match op {
        Op::Gemm(_) | Op::Flatten { .. } => Some(2),
        Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::Identity
        | Op::PRelu
        | Op::Clip { .. }
        | Op::BatchNorm { .. }
        | Op::Norm(_)
        | Op::Mix(_)
        | Op::Pool(_)
        | Op::Slice { .. }
        | Op::Split(_)
        | Op::Depth(_)
        | Op::Pad(_)
        | Op::Resize(_)
        | Op::Attention(_)
        | Op::Sample(Sample::Grid(_) | Sample::Unpool(_))
        | Op::Tile
        | Op::Cast { .. }
        | Op::Concat { .. } => input(0),
        Op::Conv(_) | Op::ConvTranspose(_) => input(0).or(input(1)),
        Op::Sample(Sample::Roi(_)) => Some(4),
        Op::Where => Some(input(0)?.max(input(1)?).max(input(2)?)),
        Op::Shape { .. } => Some(1),
        Op::Index(index) => match index {
            Index::Size => Some(0),
            Index::Range => Some(1),
            Index::NonZero => Some(2),
            Index::CumSum { .. }
            | Index::Trilu { .. }
            | Index::ScatterNd { .. }
            | Index::ScatterElements { .. }
            | Index::EyeLike { .. }
            | Index::TopK { .. } => input(0),
            Index::GatherElements { .. } => input(1),
            Index::Compress { axis } => axis.map_or(Some(1), |_| input(0)),
            Index::OneHot { .. } => Some(input(0)? + 1),
            Index::Arg { keep, .. } => input(0)?.checked_sub(usize::from(!keep)),
            Index::ConstantOfShape { .. } | Index::GatherNd { .. } => None,
        },
        // As many as the wanted shape has entries, which is known once shapes are.
        Op::Expand => None,
        Op::Transpose { order } => Some(order.len()),
        Op::Reduce(reduce) => match &reduce.axes {
            _ if reduce.keep => input(0),
            ReduceAxes::All => Some(0),
            ReduceAxes::Spatial => input(0).map(|rank| rank.min(2)),
            ReduceAxes::These(axes) => input(0)?.checked_sub(axes.len()),
        },
        Op::Squeeze(Squeeze::Out(axes)) if axes.is_empty() => None,
        Op::Squeeze(Squeeze::Out(axes)) => input(0)?.checked_sub(axes.len()),
        Op::Squeeze(Squeeze::In(axes)) => Some(input(0)? + axes.len()),
        // As many as the constant shape has entries, which is known once shapes are.
        Op::Reshape { .. } => None,
        Op::Binary(_) => Some(input(0)?.max(input(1)?)),
        Op::Variadic(_) => {
            let ranks: Option<Vec<usize>> = inputs.iter().copied().collect();
            ranks?.into_iter().max()
        }
        Op::Einsum(einsum) => einsum.rank(),
        Op::MatMul => {
            Some(input(0)?.max(input(1)?)).filter(|_| input(0) >= Some(2) && input(1) >= Some(2))
        }
        Op::Gather { .. } => (input(0)? + input(1)?).checked_sub(1),
        Op::Opaque(_) => None,
    }
}

/// Checks that what is added or multiplied is of one type.
pub(super) fn check_types(op: &Op, inputs: &[Option<Element>]) -> Result<()> {
    match op {
        Op::Gemm(_)
        | Op::MatMul
        | Op::Einsum(_)
        | Op::Variadic(_)
        | Op::Conv(_)
        | Op::ConvTranspose(_)
        | Op::Concat { .. } => {}
        Op::Binary(binary) if !matches!(binary, Binary::Pow) => {}
        _ => return Ok(()),
    }
    let mut known = inputs.iter().flatten();
    let first = known.next();
    match known.find(|e| Some(*e) != first).zip(first) {
        None => Ok(()),
        Some((other, first)) => Err(Error::invalid(format!(
            "{} of elements of type {} and {}",
            op.onnx_name(),
            first.name(),
            other.name()
        ))),
    }
}

/// The type of the elements of an output, where those of the inputs tell.
pub(super) fn element(op: &Op, inputs: &[Option<Element>], output: usize) -> Option<Element> {
    let first = inputs.first().copied().flatten();
    match op {
        Op::Cast { to } => Some(*to),
        Op::Shape { .. } | Op::Index(Index::Size | Index::NonZero | Index::Arg { .. }) => {
            Some(Element::I64)
        }
        Op::Index(Index::TopK { .. }) | Op::Pool(_) if output == 1 => Some(Element::I64),
        Op::Index(Index::OneHot { .. }) => inputs.get(2).copied().flatten(),
        Op::Index(Index::EyeLike { to, .. }) => to.or(first),
        Op::Index(Index::ConstantOfShape { element, .. }) => Some(*element),
        Op::Binary(binary) if binary.is_truth() => Some(Element::Bool),
        Op::Unary(unary) if unary.is_truth() => Some(Element::Bool),
        Op::Where => inputs.get(1).copied().flatten(),
        Op::Opaque(_) => None,
        _ => first,
    }
}
