//! `PRelu` and `Clip`: element-wise functions with parameters of their own.

use super::{broadcast, identity, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, Result};

/// Slopes stretch to the input, never the input to them.
pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(slope)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?)
    else {
        return Ok(None);
    };
    let aligned = x.iter().rev().zip(slope.iter().rev());
    let mut lengths = aligned.map(|(x, slope)| (x.fixed(), slope.fixed()));
    let fits =
        lengths.all(|(x, slope)| slope == Some(1) || x.zip(slope).is_none_or(|(m, n)| m == n));
    match fits && slope.len() <= x.len() {
        true => Ok(Some(x.to_vec())),
        false => Err(Error::invalid(format!(
            "slopes of shape {} for an input of shape {}",
            text(slope),
            text(x)
        ))),
    }
}

/// Bounds are single numbers.
pub(super) fn clip_shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    for &bound in node.inputs[1..].iter().flatten() {
        let shape = graph.value(bound).shape.as_deref().unwrap_or_default();
        if shape.iter().any(|d| d.fixed().is_some_and(|n| n != 1)) {
            let message = format!("Clip to a bound of shape {}, not a number", text(shape));
            return Err(Error::invalid(message));
        }
    }
    Ok(input_shape(graph, node, 0)?.map(<[Dim]>::to_vec))
}

/// The slopes of `PRelu` go along with their channels, as a factor would.
pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let operands = [node.input(0)?, node.input(1)?];
    broadcast::channels(node, &operands, Role::Carries, walk)
}

pub(super) fn evaluate(x: &Array, slope: &Array) -> Result<Array> {
    let slope = slope.broadcast_to(&x.shape)?;
    let pairs = x.values.iter().zip(&slope.values);
    let values = pairs.map(|(&x, &slope)| if x < 0.0 { slope * x } else { x });
    Array::new(x.shape.clone(), values.collect())
}

/// Bounds are scalars, the same for all channels.
pub(super) fn clip_channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    for &bound in node.inputs[1..].iter().flatten() {
        if !walk.is_parameter(bound) {
            walk.freeze(
                node.input(0)?,
                node,
                "is clipped to bounds that are not constant",
            );
        }
    }
    identity::channels(node, walk)
}

/// Bounds by attribute, and by input where given; NaN stays NaN.
pub(super) fn clip(bounds: (f32, f32), x: &Array, inputs: [Option<&Array>; 2]) -> Result<Array> {
    let bound = |given: Option<&Array>, default: f32| {
        let given = given.and_then(|a| a.values.first().copied());
        given.unwrap_or_else(|| f64::from(default))
    };
    let (low, high) = (bound(inputs[0], bounds.0), bound(inputs[1], bounds.1));
    let clip = |&v: &f64| if v.is_nan() { v } else { v.max(low).min(high) };
    Array::new(x.shape.clone(), x.values.iter().map(clip).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_hold_below_zero_and_bounds_on_both_sides() {
        let x = Array::new([1, 2], vec![-2.0, 3.0]).unwrap();
        let slope = Array::new([2], vec![0.5, 9.0]).unwrap();
        assert_eq!(evaluate(&x, &slope).unwrap().values, [-1.0, 3.0]);
        let two = Array::new([], vec![2.0]).unwrap();
        let clipped = clip((f32::NEG_INFINITY, f32::INFINITY), &x, [None, Some(&two)]);
        assert_eq!(clipped.unwrap().values, [-2.0, 2.0]);
        assert_eq!(
            clip((0.0, 6.0), &x, [None, None]).unwrap().values,
            [0.0, 3.0]
        );
    }
}
