//! `BatchNormalization` as at inference: a scale and a shift of each channel.

use super::{identity, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, Result};

/// The momentum where a file states none.
pub(crate) const MOMENTUM: f32 = 0.9;

/// The channel axis of activations.
const CHANNELS: usize = 1;

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let Some(channels) = x.get(CHANNELS) else {
        return Err(Error::invalid(
            "BatchNormalization takes an input with a batch and channels",
        ));
    };
    for index in 1..5 {
        let own = input_shape(graph, node, index)?;
        let fits = own.is_none_or(|own| match (own, channels.fixed()) {
            ([length], Some(channels)) => length.fixed().is_none_or(|n| n == channels),
            ([_], None) => true,
            _ => false,
        });
        if !fits {
            return Err(Error::invalid(format!(
                "BatchNormalization of {channels} channels has parameters of shape {}",
                text(own.unwrap_or_default())
            )));
        }
    }
    Ok(Some(x.to_vec()))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    let own = walk.along(x, CHANNELS);
    for &parameter in node.inputs[1..].iter().flatten() {
        if own.is_empty() || !walk.is_parameter(parameter) {
            walk.freeze(x, node, "is normalised by something other than constants");
            walk.freeze(parameter, node, "normalises unknown channels");
        } else {
            walk.claim(parameter, 0, Role::Carries, &own);
        }
    }
    identity::channels(node, walk)
}

/// Scale, shift, mean and variance, one number a channel.
pub(super) fn evaluate(epsilon: f32, x: &Array, parameters: [&Array; 4]) -> Result<Array> {
    let [scale, shift, mean, variance] = parameters;
    let channels = *x.shape.get(CHANNELS).unwrap_or(&0);
    if channels == 0 || parameters.iter().any(|p| p.values.len() != channels) {
        return Err(Error::invalid(format!(
            "BatchNormalization of {channels} channels has other parameters"
        )));
    }
    let area: usize = x.shape[CHANNELS + 1..].iter().product();
    let value = |(element, &x): (usize, &f64)| {
        let c = element / area % channels;
        let centred = x - mean.values[c];
        centred / (variance.values[c] + f64::from(epsilon)).sqrt() * scale.values[c]
            + shift.values[c]
    };
    let values = x.values.iter().enumerate().map(value).collect();
    Array::new(x.shape.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_has_its_own_scale_and_shift() {
        let x = Array::new([1, 2, 1], vec![3.0, 5.0]).unwrap();
        let two = |a: f64, b: f64| Array::new([2], vec![a, b]).unwrap();
        let parameters = [
            &two(1.0, 10.0),
            &two(0.5, 0.0),
            &two(1.0, 4.0),
            &two(4.0, 1.0),
        ];
        let y = evaluate(0.0, &x, parameters).unwrap();
        assert_eq!(y.values, [1.5, 10.0]);
        let wrong = Array::new([1], vec![1.0]).unwrap();
        assert!(evaluate(0.0, &x, [&wrong, &wrong, &wrong, &wrong]).is_err());
    }
}
