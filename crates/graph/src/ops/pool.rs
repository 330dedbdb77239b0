//! `MaxPool`, `AveragePool` and `LpPool`: windows over each channel by itself.

use serde::{Deserialize, Serialize};

use super::{Window, input_shape, sample};
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result};

/// What a pooling window gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolKind {
    /// The largest number; borders do not count.
    Max,
    /// The mean.
    Average {
        /// Whether the padding counts as zeros.
        count_padding: bool,
    },
    /// The root of the sum of powers of magnitudes.
    Lp {
        /// Which power and root.
        p: u32,
    },
}

/// Attributes of [`Op::Pool`](crate::Op::Pool).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// What is taken.
    pub kind: PoolKind,
    /// Lengths of the window, one a spatial axis.
    pub kernel: Vec<usize>,
    /// Where it is laid.
    pub window: Window,
}

pub(super) fn shape(graph: &Graph, node: &Node, pool: &Pool) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let [batch, channels, spatial @ ..] = x else {
        return Err(Error::invalid(
            "pooling takes an input with a batch and channels",
        ));
    };
    let mut shape = vec![batch.clone(), channels.clone()];
    shape.extend(pool.window.shape(spatial, &pool.kernel)?);
    Ok(Some(shape))
}

/// The rule of whatever treats each channel by itself and mixes spatial positions.
pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    for channels in walk.channels(x).to_vec() {
        // Places come out in another number than they went in.
        if channels.axis > 1 {
            walk.freeze_axis(x, channels.axis, node, "is an axis that is pooled");
            continue;
        }
        // Where largest numbers lie is counted through all rows and channels.
        for &places in node.outputs.iter().skip(1) {
            if !sample::alone_reads(walk.graph(), places) {
                let reason = "is counted by places of MaxPool, which not only MaxUnpool reads";
                walk.freeze_axis(x, channels.axis, node, reason);
            }
            walk.carry(places, channels.clone());
        }
        walk.carry(node.output()?, channels);
    }
    Ok(())
}

pub(super) fn evaluate(pool: &Pool, x: &Array) -> Result<Array> {
    let [batch, channels, spatial @ ..] = x.shape.as_slice() else {
        return Err(Error::invalid(
            "pooling takes an input with a batch and channels",
        ));
    };
    let taps = pool.window.taps(spatial, &pool.kernel)?;
    let area: usize = spatial.iter().product();
    let mut values = Vec::with_capacity(batch * channels * taps.read.len());
    for image in x.values.chunks_exact(area.max(1)) {
        for (read, &padded) in taps.read.iter().zip(&taps.padded) {
            let inside = read.iter().flatten().map(|&at| image[at]);
            values.push(match pool.kind {
                PoolKind::Max => inside.fold(f64::NEG_INFINITY, largest),
                PoolKind::Average { count_padding } => {
                    let count = if count_padding {
                        padded
                    } else {
                        read.iter().flatten().count()
                    };
                    inside.fold(0.0, |sum, v| sum + v) / count as f64
                }
                PoolKind::Lp { p } => norm(p, inside),
            });
        }
    }
    let shape = [&[*batch, *channels], taps.shape.as_slice()].concat();
    Array::new(shape, values)
}

/// The root of the sum of powers of magnitudes.
pub(super) fn norm(p: u32, numbers: impl Iterator<Item = f64>) -> f64 {
    let power = |v: f64| match p {
        1 => v.abs(),
        2 => v * v,
        p => v.abs().powf(f64::from(p)),
    };
    let sum = numbers.fold(0.0, |sum, v| sum + power(v));
    match p {
        1 => sum,
        2 => sum.sqrt(),
        p => sum.powf(1.0 / f64::from(p)),
    }
}

/// The largest numbers, and where each first lies, counted through all rows and channels.
pub(super) fn evaluate_with_places(pool: &Pool, x: &Array) -> Result<Vec<Array>> {
    let largest = evaluate(pool, x)?;
    let spatial = x.shape.get(2..).unwrap_or_default();
    let taps = pool.window.taps(spatial, &pool.kernel)?;
    let area: usize = spatial.iter().product();
    let mut places = Vec::with_capacity(largest.values.len());
    for (image, numbers) in x.values.chunks_exact(area.max(1)).enumerate() {
        for read in &taps.read {
            let largest = largest.values[places.len()];
            let is_it = |at: &&usize| {
                let number = numbers[**at];
                number == largest || number.is_nan()
            };
            // A window beyond the borders has no place.
            let place = read.iter().flatten().find(is_it);
            places.push(place.map_or(-1.0, |at| (image * area + at) as f64));
        }
    }
    let places = Array::new(largest.shape.clone(), places)?;
    Ok(vec![largest, places])
}

/// The larger of two numbers; NaN if either is.
pub(super) fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Padding;
    use super::*;

    fn pool(kind: PoolKind) -> Vec<f64> {
        let pool = Pool {
            kind,
            kernel: vec![2],
            window: Window {
                padding: Padding::By {
                    before: vec![1],
                    behind: vec![0],
                },
                ..Window::plain(1)
            },
        };
        let x = Array::new([1, 1, 2], vec![-2.0, -4.0]).unwrap();
        evaluate(&pool, &x).unwrap().values
    }

    #[test]
    fn borders_count_only_where_they_are_asked_to() {
        assert_eq!(pool(PoolKind::Max), [-2.0, -2.0]);
        let average = |count_padding| pool(PoolKind::Average { count_padding });
        assert_eq!(average(false), [-2.0, -3.0]);
        assert_eq!(average(true), [-1.0, -3.0]);
    }
}
