//! The largest numbers and where they are, and places told by ones.

use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Error, Result};

/// Indices along an axis, best first, for every line of numbers along it; of equal numbers the first comes first.
fn ranked(x: &Array, largest: bool, axis: usize) -> Vec<Vec<usize>> {
    let (length, inner) = (x.shape[axis], x.shape[axis + 1..].iter().product::<usize>());
    let lines = x.values.len() / length.max(1);
    let line = |line: usize| {
        let number = |i: usize| x.values[(line / inner * length + i) * inner + line % inner];
        let mut order: Vec<usize> = (0..length).collect();
        order.sort_by(|&a, &b| match largest {
            true => number(b).total_cmp(&number(a)),
            false => number(a).total_cmp(&number(b)),
        });
        order
    };
    (0..lines).map(line).collect()
}

/// `TopK`.
pub(super) fn top(x: &Array, largest: bool, axis: i64, count: f64) -> Result<Vec<Array>> {
    let axis = axis_at(axis, x.shape.len())?;
    let (length, inner) = (x.shape[axis], x.shape[axis + 1..].iter().product::<usize>());
    if count < 0.0 || count > length as f64 {
        return Err(Error::invalid(format!("TopK of {count} of {length}")));
    }
    let count = count as usize;
    let ranked = ranked(x, largest, axis);
    let mut shape = x.shape.clone();
    shape[axis] = count;
    let (mut numbers, mut indices) = (vec![], vec![]);
    for at in 0..shape.iter().product() {
        let (outer, rank, within) = (at / inner / count, at / inner % count, at % inner);
        let index = ranked[outer * inner + within][rank];
        indices.push(index as f64);
        numbers.push(x.values[(outer * length + index) * inner + within]);
    }
    Ok(vec![
        Array::new(shape.clone(), numbers)?,
        Array::new(shape, indices)?,
    ])
}

/// `ArgMax` and `ArgMin`.
pub(super) fn arg(
    x: &Array,
    (largest, last): (bool, bool),
    axis: i64,
    keep: bool,
) -> Result<Array> {
    let axis = axis_at(axis, x.shape.len())?;
    let (length, inner) = (x.shape[axis], x.shape[axis + 1..].iter().product::<usize>());
    if length == 0 {
        return Err(Error::invalid("the largest of no numbers"));
    }
    let mut values = vec![];
    for line in 0..x.values.len() / length {
        let number = |i: usize| x.values[(line / inner * length + i) * inner + line % inner];
        let best = (1..length).fold(0, |best, i| {
            let (new, old) = (number(i), number(best));
            let better = if largest { new > old } else { new < old };
            if better || last && new == old {
                i
            } else {
                best
            }
        });
        values.push(best as f64);
    }
    let mut shape = x.shape.clone();
    match keep {
        true => shape[axis] = 1,
        false => {
            shape.remove(axis);
        }
    }
    Array::new(shape, values)
}

/// `OneHot`: `two` holds the number elsewhere and the one at the index; indices outside are nowhere.
pub(super) fn one_hot(indices: &Array, depth: f64, two: &Array, axis: i64) -> Result<Array> {
    let axis = axis_at(axis, indices.shape.len() + 1)?;
    let ([off, on], depth) = (
        two.values[..].try_into().unwrap_or([0.0, 1.0]),
        depth as i64,
    );
    if depth < 0 || two.values.len() != 2 {
        return Err(Error::invalid("OneHot takes a depth and two numbers"));
    }
    let inner: usize = indices.shape[axis..].iter().product();
    let mut values = vec![];
    for block in indices.values.chunks(inner.max(1)) {
        for place in 0..depth {
            let here = |&i: &f64| {
                let i = if i < 0.0 { i as i64 + depth } else { i as i64 };
                if i == place { on } else { off }
            };
            values.extend(block.iter().map(here));
        }
    }
    let (before, behind) = indices.shape.split_at(axis);
    Array::new([before, &[depth as usize], behind].concat(), values)
}

/// `EyeLike`.
pub(super) fn eye(x: &Array, right: i64) -> Result<Array> {
    let [rows, columns] = x.shape[..] else {
        return Err(Error::invalid("EyeLike takes a matrix"));
    };
    let value = |at: usize| {
        let (row, column) = ((at / columns) as i64, (at % columns) as i64);
        f64::from(u8::from(column - row == right))
    };
    let values = (0..rows * columns).map(value).collect();
    Array::new(x.shape.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_and_ties_in_their_order() {
        let x = Array::new([2, 3], vec![1.0, 3.0, 3.0, 2.0, 0.0, -1.0]).unwrap();
        let two = top(&x, true, -1, 2.0).unwrap();
        assert_eq!(two[0].values, [3.0, 3.0, 2.0, 0.0]);
        assert_eq!(two[1].values, [1.0, 2.0, 0.0, 1.0]);
        let least = top(&x, false, 0, 1.0).unwrap();
        assert_eq!(
            (&least[0].shape, &least[0].values),
            (&vec![1, 3], &vec![1.0, 0.0, -1.0])
        );
        assert!(top(&x, true, 1, 4.0).is_err());
        let of = |last| arg(&x, (true, last), 1, false).unwrap().values;
        assert_eq!((of(false), of(true)), (vec![1.0, 0.0], vec![2.0, 0.0]));
        let smallest = arg(&x, (false, false), 0, true).unwrap();
        assert_eq!(
            (smallest.shape, smallest.values),
            (vec![1, 3], vec![0.0, 1.0, 1.0])
        );
    }

    #[test]
    fn places_are_told_by_ones() {
        let indices = Array::new([2], vec![1.0, -2.0]).unwrap();
        let two = Array::new([2], vec![0.0, 5.0]).unwrap();
        let last = one_hot(&indices, 3.0, &two, -1).unwrap();
        assert_eq!(
            (last.shape, last.values),
            (vec![2, 3], vec![0.0, 5.0, 0.0, 0.0, 5.0, 0.0])
        );
        let first = one_hot(&indices, 2.0, &two, 0).unwrap();
        assert_eq!(
            (first.shape, first.values),
            (vec![2, 2], vec![0.0, 5.0, 5.0, 0.0])
        );
        let x = Array::new([2, 2], vec![7.0; 4]).unwrap();
        assert_eq!(eye(&x, 1).unwrap().values, [0.0, 1.0, 0.0, 0.0]);
    }
}
