//! Sums, means and extremes over axes; global pooling is that over all spatial axes.

use serde::{Deserialize, Serialize};

use super::{input_shape, pool};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Result};

/// What is taken of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReduceKind {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// Their product.
    Product,
    /// The sum of their magnitudes.
    L1,
    /// The root of the sum of their squares.
    L2,
    /// The sum of their squares.
    SumSquare,
    /// The logarithm of their sum.
    LogSum,
    /// The logarithm of the sum of their exponentials.
    LogSumExp,
    /// The root of the sum of powers of their magnitudes, over spatial axes.
    Lp {
        /// Which power and root: 3 or more.
        p: u32,
    },
}

/// Over which axes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReduceAxes {
    /// Every axis.
    All,
    /// These, negative ones counted from the end.
    These(Vec<i64>),
    /// Those from the third on.
    Spatial,
}

/// Attributes of [`Op::Reduce`](crate::Op::Reduce).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reduce {
    /// What is taken.
    pub kind: ReduceKind,
    /// Over which axes.
    pub axes: ReduceAxes,
    /// Whether they stay, with a length of 1.
    pub keep: bool,
}

impl Reduce {
    /// Whether each of `rank` axes is reduced.
    fn reduced(&self, rank: usize) -> Result<Vec<bool>> {
        Ok(match &self.axes {
            ReduceAxes::All => vec![true; rank],
            ReduceAxes::Spatial => (0..rank).map(|axis| axis >= 2).collect(),
            ReduceAxes::These(axes) => {
                let mut reduced = vec![false; rank];
                for &axis in axes {
                    if std::mem::replace(&mut reduced[axis_at(axis, rank)?], true) {
                        return Err(Error::invalid(format!("reduces axis {axis} twice")));
                    }
                }
                reduced
            }
        })
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, reduce: &Reduce) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let reduced = reduce.reduced(x.len())?;
    let dims = x.iter().zip(reduced).filter_map(|(dim, gone)| match gone {
        true => reduce.keep.then_some(Dim::Fixed(1)),
        false => Some(dim.clone()),
    });
    Ok(Some(dims.collect()))
}

pub(super) fn channels(node: &Node, reduce: &Reduce, walk: &mut Walk<'_>) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    let reduced = reduce.reduced(rank)?;
    for channels in walk.channels(x).to_vec() {
        if reduced[channels.axis] {
            let reason = format!("is mixed across channels by {}", node.op.onnx_name());
            walk.freeze_axis(x, channels.axis, node, &reason);
            continue;
        }
        let gone = reduced[..channels.axis].iter().filter(|&&r| r).count();
        let axis = channels.axis - if reduce.keep { 0 } else { gone };
        walk.carry(made, Channels { axis, ..channels });
    }
    Ok(())
}

pub(super) fn evaluate(reduce: &Reduce, x: &Array) -> Result<Array> {
    let reduced = reduce.reduced(x.shape.len())?;
    let pairs = || x.shape.iter().zip(&reduced);
    let small: Vec<usize> = pairs()
        .map(|(&n, &gone)| if gone { 1 } else { n })
        .collect();
    let start = match reduce.kind {
        ReduceKind::Mean
        | ReduceKind::Sum
        | ReduceKind::L1
        | ReduceKind::L2
        | ReduceKind::SumSquare
        | ReduceKind::LogSum
        | ReduceKind::LogSumExp
        | ReduceKind::Lp { .. } => 0.0,
        ReduceKind::Product => 1.0,
        ReduceKind::Max => f64::NEG_INFINITY,
        ReduceKind::Min => f64::INFINITY,
    };
    // Exponentials are taken of what is below the largest number, so that none overflows.
    let highest = match reduce.kind {
        ReduceKind::LogSumExp => {
            let largest = Reduce {
                kind: ReduceKind::Max,
                ..reduce.clone()
            };
            let found = evaluate(&largest, x)?.values.into_iter();
            found
                .map(|v| if v.is_infinite() { 0.0 } else { v })
                .collect()
        }
        _ => vec![],
    };
    let mut values = vec![start; small.iter().product()];
    for (index, &value) in super::window::indices(&x.shape).zip(&x.values) {
        let at = index
            .iter()
            .zip(&small)
            .fold(0, |at, (&i, &n)| at * n + i.min(n - 1));
        values[at] = match reduce.kind {
            ReduceKind::Mean | ReduceKind::Sum | ReduceKind::LogSum => values[at] + value,
            ReduceKind::LogSumExp => values[at] + (value - highest[at]).exp(),
            ReduceKind::Lp { p } => values[at] + value.abs().powf(f64::from(p)),
            ReduceKind::Product => values[at] * value,
            ReduceKind::L1 => values[at] + value.abs(),
            ReduceKind::L2 | ReduceKind::SumSquare => values[at] + value * value,
            ReduceKind::Max => pool::largest(values[at], value),
            ReduceKind::Min => -pool::largest(-values[at], -value),
        };
    }
    if reduce.kind == ReduceKind::Mean {
        let count: usize = pairs().filter(|(_, gone)| **gone).map(|(n, _)| n).product();
        values.iter_mut().for_each(|v| *v /= count as f64);
    }
    match reduce.kind {
        ReduceKind::L2 => values.iter_mut().for_each(|v| *v = v.sqrt()),
        ReduceKind::Lp { p } => values
            .iter_mut()
            .for_each(|v| *v = v.powf(1.0 / f64::from(p))),
        ReduceKind::LogSum => values.iter_mut().for_each(|v| *v = v.ln()),
        ReduceKind::LogSumExp => {
            for (sum, highest) in values.iter_mut().zip(highest) {
                *sum = sum.ln() + highest;
            }
        }
        _ => {}
    }
    let shape = match reduce.keep {
        true => small,
        false => pairs()
            .filter(|(_, gone)| !**gone)
            .map(|(&n, _)| n)
            .collect(),
    };
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(kind: ReduceKind, axes: ReduceAxes, keep: bool) -> Array {
        let x = Array::new([1, 2, 2], vec![1.0, 2.0, 3.0, -4.0]).unwrap();
        evaluate(&Reduce { kind, axes, keep }, &x).unwrap()
    }

    #[test]
    fn axes_are_reduced_and_kept_as_told() {
        let mean = reduced(ReduceKind::Mean, ReduceAxes::Spatial, true);
        assert_eq!((mean.shape, mean.values), (vec![1, 2, 1], vec![1.5, -0.5]));
        let sum = reduced(ReduceKind::Sum, ReduceAxes::These(vec![-2]), false);
        assert_eq!((sum.shape, sum.values), (vec![1, 2], vec![4.0, -2.0]));
        let max = reduced(ReduceKind::Max, ReduceAxes::All, false);
        assert_eq!((max.shape, max.values), (vec![], vec![3.0]));
        let whole = |kind| reduced(kind, ReduceAxes::All, false).values[0];
        assert_eq!(whole(ReduceKind::Product), -24.0);
        assert_eq!(whole(ReduceKind::L1), 10.0);
        assert_eq!(whole(ReduceKind::SumSquare), 30.0);
        assert_eq!(whole(ReduceKind::L2), 30f64.sqrt());
        assert_eq!(whole(ReduceKind::LogSum), 2f64.ln());
        let exponentials: f64 = [1.0, 2.0, 3.0, -4.0f64].map(f64::exp).iter().sum();
        assert!((whole(ReduceKind::LogSumExp) - exponentials.ln()).abs() < 1e-15);
        let min = reduced(ReduceKind::Min, ReduceAxes::All, true);
        assert_eq!((min.shape, min.values), (vec![1, 1, 1], vec![-4.0]));
    }
}
