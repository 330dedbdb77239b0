//! `BatchNormalization` as in training: over all rows and places of each channel.

use super::batch_norm;
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Error, Node, Result};

/// The channel axis of activations.
const CHANNELS: usize = 1;

/// Each channel is normalised by itself; scale and shift go along with it.
pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    for channels in walk.channels(x).to_vec() {
        if channels.axis != CHANNELS {
            walk.freeze_axis(x, channels.axis, node, "is normalised over");
        }
    }
    batch_norm::channels(node, walk)
}

pub(super) fn evaluate(
    epsilon: f32,
    x: &Array,
    scale: &Array,
    shift: Option<&Array>,
) -> Result<Array> {
    let channels = x.shape.get(CHANNELS).copied().unwrap_or_default();
    let fits = |p: &Array| p.values.len() == channels;
    let Some(shift) = shift.filter(|shift| channels > 0 && fits(scale) && fits(shift)) else {
        return Err(Error::invalid(format!(
            "BatchNormalization of {channels} channels has other parameters"
        )));
    };
    let area: usize = x.shape[CHANNELS + 1..].iter().product();
    let mut values = x.values.clone();
    for channel in 0..channels {
        let begin = |row: usize| (row * channels + channel) * area;
        let rows = (0..x.shape[0]).flat_map(|row| begin(row)..begin(row) + area);
        let own: Vec<usize> = rows.collect();
        let count = own.len() as f64;
        let mean = own.iter().fold(0.0, |sum, &e| sum + x.values[e]) / count;
        let squares = own
            .iter()
            .map(|&e| (x.values[e] - mean) * (x.values[e] - mean));
        let variance = squares.fold(0.0, |sum, v| sum + v) / count;
        let spread = (variance + f64::from(epsilon)).sqrt();
        for e in own {
            values[e] =
                (x.values[e] - mean) / spread * scale.values[channel] + shift.values[channel];
        }
    }
    Array::new(x.shape.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_normalised_together() {
        let x = Array::new([2, 2], vec![1.0, 5.0, 3.0, 5.0]).unwrap();
        let two = |a: f64, b: f64| Array::new([2], vec![a, b]).unwrap();
        let y = evaluate(0.0, &x, &two(2.0, 1.0), Some(&two(0.5, 0.0))).unwrap();
        assert_eq!(y.values[0], -1.5);
        assert_eq!(y.values[2], 2.5);
        assert!(evaluate(0.0, &x, &two(2.0, 1.0), None).is_err());
    }
}
