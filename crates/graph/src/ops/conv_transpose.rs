//! `ConvTranspose`: every input position adds a window of outputs.

use serde::{Deserialize, Serialize};

use super::{Padding, Sources, Window, conv, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::{Dim, Error, Graph, Node, Op, Result};

/// Attributes of [`Op::ConvTranspose`](crate::Op::ConvTranspose).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvTranspose {
    /// Where the windows are laid; padding takes away from the result.
    pub window: Window,
    /// Groups of channels that do not meet.
    pub conv_groups: usize,
    /// Positions added behind each spatial axis of the result.
    pub output_padding: Vec<usize>,
}

const CHANNELS: usize = 1;

impl ConvTranspose {
    /// The lengths of the spatial axes that come out, and what is taken away before each.
    fn spatial(&self, spatial: &[usize], kernel: &[usize]) -> Result<(Vec<usize>, Vec<usize>)> {
        let Padding::By { before, behind } = &self.window.padding else {
            return Err(Error::unsupported("ConvTranspose with automatic padding"));
        };
        let axes = [
            before.len(),
            behind.len(),
            kernel.len(),
            self.output_padding.len(),
        ];
        if axes != [spatial.len(); 4] {
            return Err(Error::invalid(
                "ConvTranspose over another number of axes than its input has",
            ));
        }
        let length = |i: usize| {
            // What is too much is refused with the shape.
            let steps = |step: usize, of: usize| step.saturating_mul(of.saturating_sub(1));
            steps(self.window.strides[i], spatial[i])
                .saturating_add(self.output_padding[i])
                .saturating_add(steps(self.window.dilations[i], kernel[i]))
                .saturating_add(1)
                .checked_sub(before[i].saturating_add(behind[i]))
                .ok_or_else(|| Error::invalid("ConvTranspose pads more than there is"))
        };
        let lengths = (0..spatial.len()).map(length).collect::<Result<_>>()?;
        Ok((lengths, before.clone()))
    }
}

pub(super) fn shape(
    graph: &Graph,
    node: &Node,
    transposed: &ConvTranspose,
) -> Result<Option<Vec<Dim>>> {
    let Some(weights) = input_shape(graph, node, 1)? else {
        return Ok(None);
    };
    let unknown = conv::unknown(node, weights.len());
    let x = input_shape(graph, node, 0)?.unwrap_or(&unknown);
    let ([batch, channels, spatial @ ..], [inputs, outputs, kernel @ ..]) = (x, weights) else {
        return Err(Error::invalid(
            "ConvTranspose takes an input and weights with channels",
        ));
    };
    if channels
        .fixed()
        .zip(inputs.fixed())
        .is_some_and(|(c, i)| c != i)
    {
        return Err(Error::invalid(format!(
            "the input has {channels} channels but the weights expect {inputs}"
        )));
    }
    let outputs = match outputs.fixed() {
        Some(outputs) => Dim::Fixed(outputs.saturating_mul(transposed.conv_groups)),
        None => return Ok(None),
    };
    let fixed = |dims: &[Dim]| dims.iter().map(Dim::fixed).collect::<Option<Vec<usize>>>();
    let spatial = match (fixed(spatial), fixed(kernel)) {
        (Some(lengths), Some(kernel)) => {
            let lengths = transposed.spatial(&lengths, &kernel)?.0;
            lengths.into_iter().map(Dim::Fixed).collect()
        }
        _ => (0..spatial.len())
            .map(|axis| Dim::Named(format!("{}:{axis}", node.name)))
            .collect::<Vec<_>>(),
    };
    Ok(Some([vec![batch.clone(), outputs], spatial].concat()))
}

pub(super) fn channels(node: &Node, transposed: &ConvTranspose, walk: &mut Walk<'_>) -> Result<()> {
    let (x, weights, made) = (node.input(0)?, node.input(1)?, node.output()?);
    let bias = node.inputs.get(2).copied().flatten();
    let read = walk.along(x, CHANNELS);
    conv::beside_channels(node, walk, x, made);
    let known = walk.is_parameter(weights) && bias.is_none_or(|b| walk.is_parameter(b));
    let lengths = (walk.length(weights, 0), walk.length(weights, 1));
    let role = match (lengths, transposed.conv_groups) {
        ((Some(_), Some(outputs)), 1) if known && !walk.is_parameter(x) => {
            if read.is_empty() {
                walk.pin(
                    weights,
                    0,
                    node,
                    "shares weights that read unknown channels",
                );
            }
            walk.claim(weights, 0, Role::Reads, &read);
            let produced = walk.produce(made, CHANNELS, outputs);
            walk.claim(weights, 1, Role::Produces, &produced);
            Role::Produces
        }
        ((Some(inputs), Some(times)), groups)
            if known && groups == inputs && !read.is_empty() && !walk.is_parameter(x) =>
        {
            walk.claim(weights, 0, Role::Carries, &read);
            for channels in conv::repeated(&read, times) {
                walk.carry(made, channels);
            }
            Role::Carries
        }
        _ => {
            for &value in node.inputs.iter().flatten() {
                walk.freeze(value, node, "is convolved in groups, backwards");
            }
            return Ok(());
        }
    };
    if let Some(bias) = bias {
        let own = walk.along(made, CHANNELS);
        walk.claim(bias, 0, role, &own);
    }
    Ok(())
}

/// The operation after channels went.
pub(super) fn rewritten(
    graph: &Graph,
    node: &Node,
    conv: &ConvTranspose,
    sources: &Sources,
) -> Option<Op> {
    Some(Op::ConvTranspose(ConvTranspose {
        conv_groups: conv::groups_left(graph, node, conv.conv_groups, sources)?,
        ..conv.clone()
    }))
}

pub(super) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    let product = |dims: &[Dim]| -> u64 {
        let lengths = dims.iter().map(|d| d.fixed().unwrap_or(1) as u64);
        lengths.product()
    };
    let weights = product(input_shape(graph, node, 1).ok()??);
    let x = input_shape(graph, node, 0).ok()??;
    Some(weights * product(x.get(..CHANNELS)?) * product(x.get(2..)?))
}

pub(super) fn evaluate(
    conv: &ConvTranspose,
    x: &Array,
    w: &Array,
    bias: Option<&Array>,
) -> Result<Array> {
    let ([batch, channels, spatial @ ..], [inputs, outputs, kernel @ ..]) =
        (x.shape.as_slice(), w.shape.as_slice())
    else {
        return Err(Error::invalid(
            "ConvTranspose takes an input and weights with channels",
        ));
    };
    let (batch, channels, outputs, groups) = (*batch, *channels, *outputs, conv.conv_groups);
    if channels != *inputs || groups == 0 || !channels.is_multiple_of(groups) {
        return Err(Error::invalid(format!(
            "{channels} channels do not fit weights of {inputs} in {groups} groups"
        )));
    }
    let (lengths, before) = conv.spatial(spatial, kernel)?;
    let (places, area): (usize, usize) = (lengths.iter().product(), spatial.iter().product());
    let elements: usize = kernel.iter().product();
    let mut values = vec![0.0; batch * outputs * groups * places];
    for (at, from) in super::window::indices(spatial).enumerate() {
        for (tap, offset) in super::window::indices(kernel).enumerate() {
            let to = |(i, &length): (usize, &usize)| {
                let grown = from[i] * conv.window.strides[i] + offset[i] * conv.window.dilations[i];
                grown.checked_sub(before[i]).filter(|&p| p < length)
            };
            let to: Option<Vec<usize>> = lengths.iter().enumerate().map(to).collect();
            let Some(to) = to else { continue };
            let to = to.iter().zip(&lengths).fold(0, |sum, (&p, &n)| sum * n + p);
            for n in 0..batch {
                for c in 0..channels {
                    let group = c / (channels / groups);
                    let input = x.values[(n * channels + c) * area + at];
                    for m in 0..outputs {
                        let weight = w.values[(c * outputs + m) * elements + tap];
                        values[(n * outputs * groups + group * outputs + m) * places + to] +=
                            input * weight;
                    }
                }
            }
        }
    }
    if let Some(bias) = bias {
        for (block, values) in values.chunks_mut(places.max(1)).enumerate() {
            let own = bias
                .values
                .get(block % (outputs * groups))
                .copied()
                .unwrap_or_default();
            values.iter_mut().for_each(|v| *v += own);
        }
    }
    Array::new([vec![batch, outputs * groups], lengths].concat(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_added_up() {
        let conv = ConvTranspose {
            window: Window {
                strides: vec![2],
                ..Window::plain(1)
            },
            conv_groups: 1,
            output_padding: vec![1],
        };
        let x = Array::new([1, 1, 2], vec![1.0, 2.0]).unwrap();
        let w = Array::new([1, 1, 3], vec![1.0, 10.0, 100.0]).unwrap();
        let bias = Array::new([1], vec![0.5]).unwrap();
        let y = evaluate(&conv, &x, &w, Some(&bias)).unwrap();
        assert_eq!(y.values, [1.5, 10.5, 102.5, 20.5, 200.5, 0.5]);
        assert_eq!(y.shape, [1, 1, 6]);
    }

    #[test]
    fn groups_do_not_meet() {
        let conv = ConvTranspose {
            window: Window::plain(1),
            conv_groups: 2,
            output_padding: vec![0],
        };
        let x = Array::new([1, 2, 1], vec![1.0, 2.0]).unwrap();
        let w = Array::new([2, 1, 1], vec![3.0, 5.0]).unwrap();
        assert_eq!(evaluate(&conv, &x, &w, None).unwrap().values, [3.0, 10.0]);
    }
}
