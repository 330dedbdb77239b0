//! Elements and slices taken from and put to places that are told by indices.

use serde::{Deserialize, Serialize};

use crate::eval::Array;
use crate::ops::window;
use crate::shapes::axis_at;
use crate::{Binary, Error, Result};

/// What becomes of a number that stands where another is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Merge {
    /// It goes.
    Replace,
    /// Both are added.
    Add,
    /// Both are multiplied.
    Multiply,
    /// The smaller one stays.
    Min,
    /// The larger one stays.
    Max,
}

impl Merge {
    /// By its name in the format.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Replace,
            Self::Add,
            Self::Multiply,
            Self::Min,
            Self::Max,
        ];
        all.into_iter().find(|merge| merge.onnx_name() == name)
    }

    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Self::Replace => "none",
            Self::Add => "add",
            Self::Multiply => "mul",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    fn of(self, there: f64, new: f64) -> f64 {
        match self {
            Self::Replace => new,
            Self::Add => there + new,
            Self::Multiply => there * new,
            Self::Min => Binary::Min.apply(there, new),
            Self::Max => Binary::Max.apply(there, new),
        }
    }
}

fn index_at(index: f64, length: usize) -> Result<usize> {
    axis_at(index as i64, length)
        .map_err(|_| Error::invalid(format!("position {index} of {length}")))
}

/// For every row of the last axis of `indices`, where the slice that it names begins, and how long slices are; over the
/// first axes of both, `rows` of them, indices count within each row.
fn starts(x: &Array, indices: &Array, rows: usize) -> Result<(Vec<usize>, usize)> {
    let depth = indices.shape.last().copied().unwrap_or_default();
    if depth == 0
        || rows >= indices.shape.len()
        || rows + depth > x.shape.len()
        || x.shape[..rows] != indices.shape[..rows]
    {
        return Err(Error::invalid(format!(
            "positions of {depth} numbers in {:?}",
            x.shape
        )));
    }
    let inner: usize = x.shape[rows + depth..].iter().product();
    let count: usize = indices.shape[rows..indices.shape.len() - 1]
        .iter()
        .product();
    let start = |(at, row): (usize, &[f64])| {
        let mut lengths = row.iter().zip(&x.shape[rows..]);
        let within = lengths.try_fold(at / count, |at, (&i, &length)| {
            Ok::<usize, Error>(at * length + index_at(i, length)?)
        });
        Ok(within? * inner)
    };
    let starts: Result<Vec<usize>> = indices
        .values
        .chunks(depth)
        .enumerate()
        .map(start)
        .collect();
    Ok((starts?, inner))
}

/// `GatherND`.
pub(super) fn slices(x: &Array, indices: &Array, rows: usize) -> Result<Array> {
    let (starts, inner) = starts(x, indices, rows)?;
    let (depth, outer) = match indices.shape.split_last() {
        Some((&depth, outer)) => (depth, outer),
        None => (0, &[][..]),
    };
    let values = starts.iter().flat_map(|&s| &x.values[s..s + inner]);
    Array::new(
        [outer, &x.shape[rows + depth..]].concat(),
        values.copied().collect(),
    )
}

/// `ScatterND`.
pub(super) fn into_slices(
    x: &Array,
    indices: &Array,
    updates: &Array,
    merge: Merge,
) -> Result<Array> {
    let (starts, inner) = starts(x, indices, 0)?;
    if updates.values.len() != starts.len() * inner {
        return Err(Error::invalid(
            "ScatterND of other numbers than there are places",
        ));
    }
    let mut values = x.values.clone();
    for (&start, slice) in starts.iter().zip(updates.values.chunks(inner.max(1))) {
        for (there, &new) in values[start..start + inner].iter_mut().zip(slice) {
            *there = merge.of(*there, new);
        }
    }
    Array::new(x.shape.clone(), values)
}

/// Where the element lies that each element of `indices` names along an axis.
fn places(x: &Array, indices: &Array, axis: i64) -> Result<Vec<usize>> {
    let axis = axis_at(axis, x.shape.len())?;
    let lengths = x.shape.iter().zip(&indices.shape).enumerate();
    let fits = lengths.clone().all(|(a, (x, i))| a == axis || i <= x);
    if indices.shape.len() != x.shape.len() || !fits {
        return Err(Error::invalid(format!(
            "indices of shape {:?} into {:?}",
            indices.shape, x.shape
        )));
    }
    let place = |(mut place, &index): (Vec<usize>, &f64)| {
        place[axis] = index_at(index, x.shape[axis])?;
        let steps = place.iter().zip(&x.shape);
        Ok(steps.fold(0, |at, (&i, &length)| at * length + i))
    };
    window::indices(&indices.shape)
        .zip(&indices.values)
        .map(place)
        .collect()
}

/// `GatherElements`.
pub(super) fn elements(x: &Array, indices: &Array, axis: i64) -> Result<Array> {
    let values = places(x, indices, axis)?.into_iter().map(|at| x.values[at]);
    Array::new(indices.shape.clone(), values.collect())
}

/// `ScatterElements`.
pub(super) fn into_elements(
    x: &Array,
    indices: &Array,
    updates: &Array,
    (axis, merge): (i64, Merge),
) -> Result<Array> {
    if updates.shape != indices.shape {
        return Err(Error::invalid(
            "ScatterElements of other numbers than there are indices",
        ));
    }
    let mut values = x.values.clone();
    for (at, &new) in places(x, indices, axis)?.into_iter().zip(&updates.values) {
        values[at] = merge.of(values[at], new);
    }
    Array::new(x.shape.clone(), values)
}

/// `Compress`; a condition that is too short leaves out the rest.
pub(super) fn compress(x: &Array, condition: &Array, axis: Option<i64>) -> Result<Array> {
    let (axis, shape) = match axis {
        Some(axis) => (axis_at(axis, x.shape.len())?, x.shape.clone()),
        None => (0, vec![x.values.len()]),
    };
    let chosen = condition.values.iter().take(shape[axis]).enumerate();
    let chosen: Vec<usize> = chosen.filter(|(_, c)| **c != 0.0).map(|(i, _)| i).collect();
    let inner: usize = shape[axis + 1..].iter().product();
    let blocks = x.values.chunks((shape[axis] * inner).max(1));
    let values: Vec<f64> = blocks
        .flat_map(|block| {
            chosen
                .iter()
                .map(move |&i| &block[i * inner..(i + 1) * inner])
        })
        .flatten()
        .copied()
        .collect();
    let mut made = shape;
    made[axis] = chosen.len();
    Array::new(made, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], values: &[f64]) -> Array {
        Array::new(shape, values.to_vec()).unwrap()
    }

    #[test]
    fn slices_are_put_and_taken_by_position() {
        let x = array(&[2, 2], &[1.0, 0.0, 2.0, 3.0]);
        let at = array(&[1, 1], &[-1.0]);
        let new = array(&[1, 2], &[8.0, 9.0]);
        let put = |merge| into_slices(&x, &at, &new, merge).unwrap().values;
        assert_eq!(put(Merge::Replace), [1.0, 0.0, 8.0, 9.0]);
        assert_eq!(put(Merge::Add), [1.0, 0.0, 10.0, 12.0]);
        let row = slices(&x, &at, 0).unwrap();
        assert_eq!((row.shape, row.values), (vec![1, 2], vec![2.0, 3.0]));
        assert!(slices(&x, &array(&[1, 1], &[2.0]), 0).is_err());
        let by_row = slices(&x, &array(&[2, 1], &[1.0, 0.0]), 1).unwrap();
        assert_eq!((by_row.shape, by_row.values), (vec![2], vec![0.0, 2.0]));
    }

    #[test]
    fn elements_are_put_and_taken_along_an_axis() {
        let x = array(&[2, 2], &[1.0, 0.0, 2.0, 3.0]);
        let indices = array(&[2, 1], &[1.0, -2.0]);
        let taken = elements(&x, &indices, 1).unwrap();
        assert_eq!((taken.shape, taken.values), (vec![2, 1], vec![0.0, 2.0]));
        let put = into_elements(&x, &indices, &array(&[2, 1], &[5.0, 6.0]), (1, Merge::Max));
        assert_eq!(put.unwrap().values, [1.0, 5.0, 6.0, 3.0]);
        assert!(elements(&x, &array(&[3, 1], &[0.0; 3]), 1).is_err());
    }

    #[test]
    fn a_condition_chooses_slices_or_elements() {
        let x = array(&[2, 2], &[1.0, 0.0, 2.0, 3.0]);
        let condition = array(&[2], &[0.0, 1.0]);
        let columns = compress(&x, &condition, Some(1)).unwrap();
        assert_eq!(
            (columns.shape, columns.values),
            (vec![2, 1], vec![0.0, 3.0])
        );
        assert_eq!(compress(&x, &condition, None).unwrap().values, [0.0]);
    }
}
