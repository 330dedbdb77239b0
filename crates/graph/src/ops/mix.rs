//! Operators without weights that mix numbers along some axes and leave the shape as it is.

use serde::{Deserialize, Serialize};

use super::{identity, input_shape, window};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Graph, Node, Result};

/// Which numbers are mixed, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Mix {
    /// `Hardmax`: 1 at the first of the largest numbers along an axis, 0 elsewhere.
    Hardmax {
        /// The axis.
        axis: i64,
    },
    /// `LpNormalization`: divided by the norm along an axis, 0 where that is 0.
    Lp {
        /// The axis.
        axis: i64,
        /// 1 for the sum of magnitudes, 2 for the root of the sum of squares.
        p: i64,
    },
    /// `MeanVarianceNormalization`: centred and divided by the standard deviation over some axes.
    MeanVariance {
        /// The axes.
        axes: Vec<i64>,
    },
    /// `LRN`: divided by a power of the sum of squares of neighbouring channels.
    Lrn {
        /// How many channels are neighbours, the own one among them.
        size: usize,
        /// The factor of their mean square.
        alpha: f32,
        /// The power.
        beta: f32,
        /// What is added before.
        bias: f32,
    },
}

/// Added to the standard deviation by `MeanVarianceNormalization`, as the function of the format says.
const EPSILON: f64 = 1e-9;

impl Mix {
    pub(crate) fn onnx_name(&self) -> &'static str {
        match self {
            Self::Hardmax { .. } => "Hardmax",
            Self::Lp { .. } => "LpNormalization",
            Self::MeanVariance { .. } => "MeanVarianceNormalization",
            Self::Lrn { .. } => "LRN",
        }
    }

    /// Whether numbers are mixed along each of `rank` axes.
    fn mixed(&self, rank: usize) -> Result<Vec<bool>> {
        let axes = match self {
            Self::Hardmax { axis } | Self::Lp { axis, .. } => std::slice::from_ref(axis),
            Self::MeanVariance { axes } => axes,
            Self::Lrn { .. } => &[1],
        };
        let mut mixed = vec![false; rank];
        for &axis in axes {
            mixed[axis_at(axis, rank)?] = true;
        }
        Ok(mixed)
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, mix: &Mix) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    mix.mixed(x.len())?;
    Ok(Some(x.to_vec()))
}

pub(super) fn channels(node: &Node, mix: &Mix, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if let Some(rank) = walk.rank(x) {
        let reason = format!("is mixed across channels by {}", mix.onnx_name());
        for (axis, _) in mix.mixed(rank)?.iter().enumerate().filter(|(_, m)| **m) {
            walk.freeze_axis(x, axis, node, &reason);
        }
    }
    identity::channels(node, walk)
}

pub(super) fn evaluate(mix: &Mix, x: &Array) -> Result<Array> {
    let mixed = mix.mixed(x.shape.len())?;
    // Elements that are mixed with each other, in their order.
    let apart: Vec<usize> = x
        .shape
        .iter()
        .zip(&mixed)
        .map(|(&length, &mixed)| if mixed { 1 } else { length })
        .collect();
    let mut together = vec![vec![]; apart.iter().product()];
    for (element, index) in window::indices(&x.shape).enumerate() {
        let places = index.iter().zip(&apart);
        let at = places.fold(0, |at, (&i, &length)| at * length + i.min(length - 1));
        together[at].push(element);
    }
    let mut values = x.values.clone();
    for elements in together {
        let own: Vec<f64> = elements.iter().map(|&e| x.values[e]).collect();
        for (&element, value) in elements.iter().zip(mix.of(&own)) {
            values[element] = value;
        }
    }
    Array::new(x.shape.clone(), values)
}

impl Mix {
    /// The results for numbers that are mixed with each other.
    fn of(&self, own: &[f64]) -> Vec<f64> {
        let count = own.len() as f64;
        match *self {
            Self::Hardmax { .. } => {
                let above = |best: usize, at: usize| if own[at] > own[best] { at } else { best };
                let best = (0..own.len()).fold(0, above);
                (0..own.len())
                    .map(|at| f64::from(u8::from(at == best)))
                    .collect()
            }
            Self::Lp { p, .. } => {
                let norm = match p {
                    1 => own.iter().map(|v| v.abs()).sum::<f64>(),
                    _ => own.iter().map(|v| v * v).sum::<f64>().sqrt(),
                };
                let divided = |v: &f64| if norm == 0.0 { 0.0 } else { v / norm };
                own.iter().map(divided).collect()
            }
            Self::MeanVariance { .. } => {
                let mean = own.iter().sum::<f64>() / count;
                let variance = own.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
                let spread = variance.sqrt() + EPSILON;
                own.iter().map(|v| (v - mean) / spread).collect()
            }
            Self::Lrn {
                size,
                alpha,
                beta,
                bias,
            } => {
                let before = size.saturating_sub(1) / 2;
                let behind = size.saturating_sub(1) - before;
                let at = |c: usize| {
                    let near = c.saturating_sub(before)..(c + behind + 1).min(own.len());
                    let squares: f64 = own[near].iter().map(|v| v * v).sum();
                    let scale = f64::from(bias) + f64::from(alpha) / size as f64 * squares;
                    own[c] / scale.powf(f64::from(beta))
                };
                (0..own.len()).map(at).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_mixed_along_their_axes_only() {
        let x = Array::new([1, 2, 2], vec![3.0, 1.0, 4.0, 1.0]).unwrap();
        let of = |mix: Mix| evaluate(&mix, &x).unwrap().values;
        assert_eq!(of(Mix::Hardmax { axis: 1 }), [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(of(Mix::Lp { axis: 1, p: 2 })[..1], [0.6]);
        assert_eq!(of(Mix::Lp { axis: -1, p: 1 })[..2], [0.75, 0.25]);
        let centred = of(Mix::MeanVariance { axes: vec![0, 2] });
        assert!((centred[0] - 1.0).abs() < 1e-8 && (centred[3] + 1.0).abs() < 1e-8);
        let lrn = Mix::Lrn {
            size: 2,
            alpha: 2.0,
            beta: 1.0,
            bias: 1.0,
        };
        assert_eq!(of(lrn)[..1], [3.0 / 26.0]);
        assert!(evaluate(&Mix::Hardmax { axis: 3 }, &x).is_err());
    }
}
