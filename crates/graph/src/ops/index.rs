//! What exported graphs compute sizes, masks and indices with. Where its inputs are known it is computed ahead; elsewhere it
//! keeps the channels that it reads.

mod lengths;
mod order;
mod scatter;

pub use self::scatter::Merge;

use self::lengths::{along, gathered, one_hot_shape};
use super::{expand, input_shape, window};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Element, Error, Graph, Node, Result};
use serde::{Deserialize, Serialize};

/// Most elements that a range or a constant of some shape may have.
const MOST: f64 = 16_777_216.0;

/// Operators that compute sizes, masks and indices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Index {
    /// The number of elements.
    Size,
    /// Numbers from a start to a limit in steps.
    Range,
    /// A tensor of a shape that an input holds, filled with a number.
    ConstantOfShape {
        /// The number.
        value: f64,
        /// Its type.
        element: Element,
    },
    /// Positions of the elements that are not 0, an axis a row.
    NonZero,
    /// Sums of all elements up to each along an axis.
    CumSum {
        /// Whether the element itself is left out.
        exclusive: bool,
        /// Whether sums run from the end.
        reverse: bool,
    },
    /// The upper or lower triangle of matrices.
    Trilu {
        /// Whether the upper one stays.
        upper: bool,
    },
    /// The first input with slices replaced at positions.
    ScatterNd {
        /// What becomes of the number that is there.
        merge: Merge,
    },
    /// Slices at positions.
    GatherNd {
        /// How many leading axes are rows of both inputs.
        rows: usize,
    },
    /// For each index along an axis the element there.
    GatherElements {
        /// The axis.
        axis: i64,
    },
    /// The first input with elements replaced at indices along an axis.
    ScatterElements {
        /// The axis.
        axis: i64,
        /// What becomes of the number that is there.
        merge: Merge,
    },
    /// The slices along an axis, or elements, for which a condition is true.
    Compress {
        /// The axis; none for the elements in row-major order.
        axis: Option<i64>,
    },
    /// For each index a list of one number, but for another at that place.
    OneHot {
        /// The axis of lists in the result.
        axis: i64,
    },
    /// Ones on a diagonal, in the shape of the input.
    EyeLike {
        /// How far the diagonal is to the right of the main one.
        right: i64,
        /// The type of the numbers; none for that of the input.
        to: Option<Element>,
    },
    /// The index of the largest or smallest number along an axis.
    Arg {
        /// Whether the largest is meant.
        largest: bool,
        /// The axis.
        axis: i64,
        /// Whether it stays, with a length of 1.
        keep: bool,
        /// Whether the last of equal numbers counts, and not the first.
        last: bool,
    },
    /// So many of the largest or smallest numbers along an axis, in order, and their indices.
    TopK {
        /// Whether the largest are meant.
        largest: bool,
        /// The axis.
        axis: i64,
    },
}

impl Index {
    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Self::Size => "Size",
            Self::Range => "Range",
            Self::ConstantOfShape { .. } => "ConstantOfShape",
            Self::NonZero => "NonZero",
            Self::CumSum { .. } => "CumSum",
            Self::Trilu { .. } => "Trilu",
            Self::ScatterNd { .. } => "ScatterND",
            Self::GatherNd { .. } => "GatherND",
            Self::GatherElements { .. } => "GatherElements",
            Self::ScatterElements { .. } => "ScatterElements",
            Self::Compress { .. } => "Compress",
            Self::OneHot { .. } => "OneHot",
            Self::EyeLike { .. } => "EyeLike",
            Self::Arg { largest: true, .. } => "ArgMax",
            Self::Arg { .. } => "ArgMin",
            Self::TopK { .. } => "TopK",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, index: Index) -> Result<Option<Vec<Dim>>> {
    Ok(match index {
        Index::Size => Some(vec![]),
        Index::ConstantOfShape { .. } => expand::wanted(graph, node, 0)?,
        Index::CumSum { .. }
        | Index::Trilu { .. }
        | Index::ScatterNd { .. }
        | Index::ScatterElements { .. }
        | Index::EyeLike { .. } => input_shape(graph, node, 0)?.map(<[Dim]>::to_vec),
        Index::GatherElements { .. } => input_shape(graph, node, 1)?.map(<[Dim]>::to_vec),
        Index::Range => Some(vec![Dim::Named(format!("{}:0", node.name))]),
        Index::NonZero => input_shape(graph, node, 0)?
            .map(|x| vec![Dim::Fixed(x.len()), Dim::Named(format!("{}:1", node.name))]),
        Index::GatherNd { rows: 0 } => {
            gathered(input_shape(graph, node, 0)?, input_shape(graph, node, 1)?)
        }
        Index::GatherNd { .. } => None,
        Index::Compress { axis: None } => Some(vec![Dim::Named(format!("{}:0", node.name))]),
        Index::Compress { axis: Some(axis) } => along(graph, node, axis, |axis| {
            Some(Dim::Named(format!("{}:{axis}", node.name)))
        })?,
        Index::Arg { axis, keep, .. } => {
            along(graph, node, axis, |_| keep.then_some(Dim::Fixed(1)))?
        }
        Index::TopK { axis, .. } => along(graph, node, axis, |axis| {
            let count = node.input(1).ok().and_then(|id| graph.numbers(id));
            let count = count.and_then(|numbers| numbers.first().copied());
            Some(match count {
                Some(count) => Dim::Fixed(count.max(0.0) as usize),
                None => Dim::Named(format!("{}:{axis}", node.name)),
            })
        })?,
        Index::OneHot { axis } => one_hot_shape(graph, node, axis)?,
    })
}

/// Numbers and their indices have one shape.
pub(super) fn shapes(graph: &Graph, node: &Node, index: Index) -> Result<Vec<Option<Vec<Dim>>>> {
    let shape = shape(graph, node, index)?;
    Ok(vec![shape; node.outputs.len()])
}

/// Channels pass along axes on which no position is counted; what is filled with one number has units of its own.
pub(super) fn channels(node: &Node, index: Index, walk: &mut Walk<'_>) -> Result<()> {
    if let Index::ConstantOfShape { .. } = index {
        let (lengths, made) = (node.input(0)?, node.output()?);
        walk.freeze(lengths, node, "tells how an operator works");
        (0..walk.rank(made).unwrap_or(0)).for_each(|axis| expand::fill(made, axis, walk));
        return Ok(());
    }
    let x = node.input(0)?;
    let reason = format!("is read by {}, which counts positions", node.op.onnx_name());
    let rank = walk.rank(x);
    let at = |axis: i64| rank.map(|rank| axis_at(axis, rank)).transpose();
    let numbers = |slot: usize| -> Option<f64> {
        let id = node.input(slot).ok()?;
        walk.graph().numbers(id)?.first().copied()
    };
    // The axes that are counted along, and whether the last of them goes.
    let (counted, goes): (Option<Vec<usize>>, bool) = match index {
        Index::CumSum { .. } => {
            let axis = numbers(1).map(|axis| at(axis as i64)).transpose()?;
            (axis.flatten().map(|axis| vec![axis]), false)
        }
        Index::Trilu { .. } => {
            let last = rank.and_then(|rank| Some(vec![rank.checked_sub(2)?, rank - 1]));
            (last, false)
        }
        Index::TopK { axis, .. } | Index::Compress { axis: Some(axis) } => {
            (at(axis)?.map(|axis| vec![axis]), false)
        }
        Index::Arg { axis, keep, .. } => (at(axis)?.map(|axis| vec![axis]), !keep),
        Index::Size
        | Index::Range
        | Index::ConstantOfShape { .. }
        | Index::NonZero
        | Index::ScatterNd { .. }
        | Index::GatherNd { .. }
        | Index::GatherElements { .. }
        | Index::ScatterElements { .. }
        | Index::Compress { axis: None }
        | Index::OneHot { .. }
        | Index::EyeLike { .. } => (None, false),
    };
    let others = usize::from(counted.is_some());
    for &value in node.inputs.iter().skip(others).flatten() {
        walk.freeze(value, node, &reason);
    }
    for channels in counted
        .iter()
        .flat_map(|_| walk.channels(x).to_vec())
        .collect::<Vec<_>>()
    {
        let counted = counted.as_deref().unwrap_or_default();
        if counted.contains(&channels.axis) {
            walk.freeze_atoms(&channels.atoms, node, &reason);
            continue;
        }
        let gone = counted.iter().filter(|&&axis| goes && axis < channels.axis);
        let axis = channels.axis - gone.count();
        for &made in &node.outputs {
            let atoms = channels.atoms.clone();
            walk.carry(made, Channels { axis, atoms });
        }
    }
    Ok(())
}

/// Whether so little comes out, whatever goes in, that it need not be looked at before.
pub(crate) fn makes_little(index: Index) -> bool {
    match index {
        Index::Size
        | Index::Range
        | Index::NonZero
        | Index::GatherNd { .. }
        | Index::Compress { .. } => true,
        Index::ConstantOfShape { .. }
        | Index::CumSum { .. }
        | Index::Trilu { .. }
        | Index::ScatterNd { .. }
        | Index::GatherElements { .. }
        | Index::ScatterElements { .. }
        | Index::OneHot { .. }
        | Index::EyeLike { .. }
        | Index::Arg { .. }
        | Index::TopK { .. } => false,
    }
}

pub(super) fn evaluate(index: Index, inputs: &[Option<&Array>]) -> Result<Array> {
    let input = |i: usize| {
        let given = inputs.get(i).copied().flatten();
        given.ok_or_else(|| Error::invalid(format!("{} has no input {i}", index.onnx_name())))
    };
    let number =
        |i: usize| -> Result<f64> { Ok(input(i)?.values.first().copied().unwrap_or_default()) };
    match index {
        Index::Size => Array::new([], vec![input(0)?.values.len() as f64]),
        Index::Range => range(number(0)?, number(1)?, number(2)?),
        Index::ConstantOfShape { value, .. } => {
            let shape: Vec<usize> = input(0)?.values.iter().map(|&n| n as usize).collect();
            let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
            match elements.filter(|&n| n as f64 <= MOST) {
                Some(elements) => Array::new(shape, vec![value; elements]),
                None => Err(Error::invalid(format!("ConstantOfShape of {shape:?}"))),
            }
        }
        Index::NonZero => {
            let x = input(0)?;
            let places = window::indices(&x.shape).zip(&x.values);
            let found: Vec<Vec<usize>> = places
                .filter(|(_, v)| **v != 0.0)
                .map(|(at, _)| at)
                .collect();
            let axes = 0..x.shape.len();
            let values = axes.flat_map(|axis| found.iter().map(move |at| at[axis] as f64));
            Array::new([x.shape.len(), found.len()], values.collect())
        }
        Index::CumSum { exclusive, reverse } => {
            let x = input(0)?;
            let axis = axis_at(number(1)? as i64, x.shape.len())?;
            Ok(sums(x, axis, exclusive, reverse))
        }
        Index::Trilu { upper } => {
            let k = if inputs.len() > 1 {
                number(1)? as i64
            } else {
                0
            };
            triangle(input(0)?, upper, k)
        }
        Index::ScatterNd { merge } => scatter::into_slices(input(0)?, input(1)?, input(2)?, merge),
        Index::GatherNd { rows } => scatter::slices(input(0)?, input(1)?, rows),
        Index::GatherElements { axis } => scatter::elements(input(0)?, input(1)?, axis),
        Index::ScatterElements { axis, merge } => {
            scatter::into_elements(input(0)?, input(1)?, input(2)?, (axis, merge))
        }
        Index::Compress { axis } => scatter::compress(input(0)?, input(1)?, axis),
        Index::OneHot { axis } => order::one_hot(input(0)?, number(1)?, input(2)?, axis),
        Index::EyeLike { right, .. } => order::eye(input(0)?, right),
        Index::Arg {
            largest,
            axis,
            keep,
            last,
        } => order::arg(input(0)?, (largest, last), axis, keep),
        Index::TopK { .. } => Err(Error::invalid("TopK makes two outputs")),
    }
}

/// Numbers in order and their indices.
pub(super) fn top_k(largest: bool, axis: i64, inputs: &[Option<&Array>]) -> Result<Vec<Array>> {
    let [Some(x), Some(count)] = *inputs else {
        return Err(Error::invalid("TopK takes two inputs"));
    };
    let count = count.values.first().copied().unwrap_or_default();
    order::top(x, largest, axis, count)
}

fn range(start: f64, limit: f64, step: f64) -> Result<Array> {
    let count = ((limit - start) / step).ceil().max(0.0);
    if count.is_nan() || count > MOST {
        return Err(Error::invalid(format!(
            "Range from {start} to {limit} by {step}"
        )));
    }
    let values = (0..count as usize).map(|i| start + i as f64 * step);
    Array::new([count as usize], values.collect())
}

fn sums(x: &Array, axis: usize, exclusive: bool, reverse: bool) -> Array {
    let inner: usize = x.shape[axis + 1..].iter().product();
    let length = x.shape[axis];
    let mut values = x.values.clone();
    for block in values.chunks_mut((length * inner).max(1)) {
        for i in 0..inner {
            let mut sum = 0.0;
            for step in 0..length {
                let at = if reverse { length - 1 - step } else { step } * inner + i;
                let own = block[at];
                block[at] = if exclusive { sum } else { sum + own };
                sum += own;
            }
        }
    }
    Array {
        shape: x.shape.clone(),
        values,
    }
}

fn triangle(x: &Array, upper: bool, k: i64) -> Result<Array> {
    let [.., rows, columns] = x.shape[..] else {
        return Err(Error::invalid("Trilu takes matrices"));
    };
    let keep = |element: usize| {
        let (row, column) = (element / columns % rows, element % columns);
        let offset = column as i64 - row as i64;
        if upper { offset >= k } else { offset <= k }
    };
    let all = x.values.iter().enumerate();
    let values = all.map(|(at, &v)| if keep(at) { v } else { 0.0 });
    Array::new(x.shape.clone(), values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[f64]) -> Array {
        Array::new([values.len()], values.to_vec()).unwrap()
    }

    fn scalar(value: f64) -> Array {
        Array::new([], vec![value]).unwrap()
    }

    fn run(index: Index, inputs: &[&Array]) -> Array {
        let inputs: Vec<Option<&Array>> = inputs.iter().map(|a| Some(*a)).collect();
        evaluate(index, &inputs).unwrap()
    }

    #[test]
    fn ranges_and_fills() {
        let three = run(Index::Range, &[&scalar(1.0), &scalar(6.0), &scalar(2.0)]);
        assert_eq!(three.values, [1.0, 3.0, 5.0]);
        assert!(range(0.0, 1.0, 0.0).is_err());
        let fill = Index::ConstantOfShape {
            value: 7.0,
            element: Element::I64,
        };
        assert_eq!(run(fill, &[&list(&[2.0])]).values, [7.0, 7.0]);
        assert!(evaluate(fill, &[Some(&list(&[1e9, 1e9]))]).is_err());
    }

    #[test]
    fn positions_sums_and_triangles() {
        let x = Array::new([2, 2], vec![1.0, 0.0, 2.0, 3.0]).unwrap();
        let places = run(Index::NonZero, &[&x]);
        assert_eq!(
            (places.shape, places.values),
            (vec![2, 3], vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
        );
        let sum = |exclusive, reverse| {
            run(Index::CumSum { exclusive, reverse }, &[&x, &scalar(1.0)]).values
        };
        assert_eq!(sum(false, false), [1.0, 1.0, 2.0, 5.0]);
        assert_eq!(sum(true, true), [0.0, 0.0, 3.0, 0.0]);
        assert_eq!(
            run(Index::Trilu { upper: false }, &[&x]).values,
            [1.0, 0.0, 2.0, 3.0]
        );
        assert_eq!(
            run(Index::Trilu { upper: true }, &[&x, &scalar(1.0)]).values,
            [0.0; 4]
        );
    }
}
