//! What exported graphs compute sizes, masks and indices with. Where its inputs are known it is computed ahead; elsewhere it
//! keeps the channels that it reads.

use super::{expand, input_shape, window};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Element, Error, Graph, Node, Result};

/// Most elements that a range may have.
const MOST: f64 = 16_777_216.0;

/// Operators that compute sizes, masks and indices.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    ScatterNd,
    /// Slices at positions.
    GatherNd,
    /// Elements at positions along an axis, each within its own row.
    GatherElements {
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
            Self::ScatterNd => "ScatterND",
            Self::GatherNd => "GatherND",
            Self::GatherElements { .. } => "GatherElements",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, index: Index) -> Result<Option<Vec<Dim>>> {
    Ok(match index {
        Index::Size => Some(vec![]),
        Index::ConstantOfShape { .. } => expand::wanted(graph, node, 0)?,
        Index::CumSum { .. } | Index::Trilu { .. } | Index::ScatterNd => {
            input_shape(graph, node, 0)?.map(<[Dim]>::to_vec)
        }
        Index::Range => Some(vec![Dim::Named(format!("{}:0", node.name))]),
        Index::NonZero => input_shape(graph, node, 0)?
            .map(|x| vec![Dim::Fixed(x.len()), Dim::Named(format!("{}:1", node.name))]),
        Index::GatherElements { .. } => input_shape(graph, node, 1)?.map(<[Dim]>::to_vec),
        Index::GatherNd => gathered(input_shape(graph, node, 0)?, input_shape(graph, node, 1)?),
    })
}

/// The shape of slices of `x` at positions; none if it is open how many numbers tell one.
fn gathered(x: Option<&[Dim]>, indices: Option<&[Dim]>) -> Option<Vec<Dim>> {
    let (depth, outer) = indices?.split_last()?;
    let inner = x?.get(depth.fixed()?..)?;
    Some([outer, inner].concat())
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let reason = format!("is read by {}, which counts positions", node.op.onnx_name());
    for &value in node.inputs.iter().flatten() {
        walk.freeze(value, node, &reason);
    }
    Ok(())
}

/// Whether so little comes out, whatever goes in, that it need not be looked at before.
pub(crate) fn makes_little(index: Index) -> bool {
    match index {
        Index::Size | Index::Range | Index::NonZero | Index::GatherNd => true,
        Index::ConstantOfShape { .. }
        | Index::CumSum { .. }
        | Index::Trilu { .. }
        | Index::ScatterNd
        | Index::GatherElements { .. } => false,
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
        Index::ScatterNd => scatter(input(0)?, input(1)?, input(2)?),
        Index::GatherNd => gather(input(0)?, input(1)?),
        Index::GatherElements { axis } => elements(axis, input(0)?, input(1)?),
    }
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

/// For every row of the last axis of `indices`, where the slice that it names begins, and how long slices are.
fn slices(x: &Array, indices: &Array) -> Result<(Vec<usize>, usize)> {
    let depth = indices.shape.last().copied().unwrap_or_default();
    if depth == 0 || depth > x.shape.len() {
        return Err(Error::invalid(format!(
            "positions of {depth} numbers in {:?}",
            x.shape
        )));
    }
    let inner: usize = x.shape[depth..].iter().product();
    let start = |row: &[f64]| {
        row.iter().zip(&x.shape).try_fold(0, |at, (&i, &length)| {
            let i = axis_at(i as i64, length)
                .map_err(|_| Error::invalid(format!("position {i} of {length}")))?;
            Ok(at * length + i)
        })
    };
    let starts: Result<Vec<usize>> = indices.values.chunks(depth).map(start).collect();
    Ok((starts?.into_iter().map(|s| s * inner).collect(), inner))
}

fn scatter(x: &Array, indices: &Array, updates: &Array) -> Result<Array> {
    let (starts, inner) = slices(x, indices)?;
    if updates.values.len() != starts.len() * inner {
        return Err(Error::invalid(
            "ScatterND of other numbers than there are places",
        ));
    }
    let mut values = x.values.clone();
    for (&start, slice) in starts.iter().zip(updates.values.chunks(inner.max(1))) {
        values[start..start + inner].copy_from_slice(slice);
    }
    Array::new(x.shape.clone(), values)
}

fn gather(x: &Array, indices: &Array) -> Result<Array> {
    let (starts, inner) = slices(x, indices)?;
    let (depth, outer) = match indices.shape.split_last() {
        Some((&depth, outer)) => (depth, outer),
        None => (0, &[][..]),
    };
    let values = starts.iter().flat_map(|&s| &x.values[s..s + inner]);
    Array::new(
        [outer, &x.shape[depth..]].concat(),
        values.copied().collect(),
    )
}

/// For every place of `indices` the element of `x` there, but for the position along the axis, which `indices` tells.
fn elements(axis: i64, x: &Array, indices: &Array) -> Result<Array> {
    let axis = axis_at(axis, x.shape.len())?;
    let fits = |(a, (own, of))| a == axis || own <= of;
    let mut lengths = indices.shape.iter().zip(&x.shape).enumerate();
    if indices.shape.len() != x.shape.len() || !lengths.all(fits) {
        return Err(Error::invalid(format!(
            "GatherElements of {:?} at {:?}",
            x.shape, indices.shape
        )));
    }
    let length = x.shape[axis];
    let places = window::indices(&indices.shape).zip(&indices.values);
    let values = places.map(|(mut at, &i)| {
        at[axis] = axis_at(i as i64, length)
            .map_err(|_| Error::invalid(format!("position {i} of {length}")))?;
        let along = at.iter().zip(&x.shape);
        Ok(x.values[along.fold(0, |flat, (i, length)| flat * length + i)])
    });
    Array::new(indices.shape.clone(), values.collect::<Result<_>>()?)
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

    #[test]
    fn slices_are_put_and_taken_by_position() {
        let x = Array::new([2, 2], vec![1.0, 0.0, 2.0, 3.0]).unwrap();
        let at = Array::new([1, 1], vec![-1.0]).unwrap();
        let new = Array::new([1, 2], vec![8.0, 9.0]).unwrap();
        assert_eq!(
            run(Index::ScatterNd, &[&x, &at, &new]).values,
            [1.0, 0.0, 8.0, 9.0]
        );
        let row = run(Index::GatherNd, &[&x, &at]);
        assert_eq!((row.shape, row.values), (vec![1, 2], vec![2.0, 3.0]));
        let outside = Array::new([1, 1], vec![2.0]).unwrap();
        assert!(evaluate(Index::GatherNd, &[Some(&x), Some(&outside)]).is_err());
    }

    #[test]
    fn elements_are_taken_within_their_rows() {
        let x = Array::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let at = Array::new([2, 2], vec![2.0, 0.0, -2.0, 1.0]).unwrap();
        let run = |axis, at: &Array| {
            evaluate(Index::GatherElements { axis }, &[Some(&x), Some(at)]).map(|a| a.values)
        };
        assert_eq!(run(1, &at).unwrap(), [3.0, 1.0, 5.0, 5.0]);
        let down = Array::new([1, 2], vec![1.0, 0.0]).unwrap();
        assert_eq!(run(-2, &down).unwrap(), [4.0, 2.0]);
        for (axis, shape) in [(1, [3, 1]), (0, [1, 4])] {
            let at = Array::new(shape, vec![0.0; shape[0] * shape[1]]).unwrap();
            assert!(run(axis, &at).is_err(), "{shape:?}");
        }
        assert!(run(0, &Array::new([1, 1], vec![2.0]).unwrap()).is_err());
        assert!(run(0, &list(&[0.0])).is_err());
    }

    #[test]
    fn lengths_of_slices_at_positions() {
        let (x, at) = (
            [Dim::Fixed(4), Dim::Fixed(5)],
            [Dim::batch(), Dim::Fixed(1)],
        );
        let want = vec![Dim::batch(), Dim::Fixed(5)];
        assert_eq!(gathered(Some(&x), Some(&at)), Some(want));
        let whole = gathered(Some(&x), Some(&[Dim::Fixed(3), Dim::Fixed(2)]));
        assert_eq!(whole, Some(vec![Dim::Fixed(3)]));
        assert_eq!(gathered(Some(&x), Some(&[Dim::Fixed(3)])), None);
        assert_eq!(gathered(Some(&x), Some(&[Dim::batch()])), None);
        assert_eq!(gathered(None, Some(&at)), None);
    }
}
