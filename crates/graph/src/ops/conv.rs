//! `Conv`: every input channel of a group meets every output channel of it, at each position of a window.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{Sources, Window, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::text;
use crate::{Dim, Error, Graph, Node, Op, Result, ValueId};

/// Attributes of [`Op::Conv`](crate::Op::Conv).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Where the weights are laid.
    pub window: Window,
    /// Groups of channels that do not meet.
    pub conv_groups: usize,
}

/// The channel axis of activations.
const CHANNELS: usize = 1;

pub(super) fn shape(graph: &Graph, node: &Node, conv: &Conv) -> Result<Option<Vec<Dim>>> {
    let (x, weights) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?);
    // Known even where the input is not.
    let outputs = weights.and_then(|shape| shape.first()?.fixed());
    if let Some(outputs) = outputs
        && !outputs.is_multiple_of(conv.conv_groups)
    {
        let groups = conv.conv_groups;
        let message = format!("{outputs} output channels cannot be made in {groups} groups");
        return Err(Error::invalid(message));
    }
    let Some(weights) = weights else {
        return Ok(None);
    };
    let unknown = unknown(node, weights.len());
    let x = x.unwrap_or(&unknown);
    let kernel: Option<Vec<usize>> = weights.iter().skip(2).map(Dim::fixed).collect();
    let (Some(kernel), [batch, channels, spatial @ ..]) = (kernel, x) else {
        return Err(Error::invalid(
            "Conv takes an input with a batch and channels",
        ));
    };
    let [outputs, inputs, ..] = weights else {
        return Err(Error::invalid(
            "the weights of Conv have output and input channels",
        ));
    };
    if let (Some(channels), Some(inputs)) = (channels.fixed(), inputs.fixed())
        && Some(channels) != inputs.checked_mul(conv.conv_groups)
    {
        let groups = match conv.conv_groups {
            1 => String::new(),
            groups => format!(" in each of {groups} groups"),
        };
        return Err(Error::invalid(format!(
            "the input has {channels} channels but the weights expect {inputs}{groups}"
        )));
    }
    if let Some(Some(bias)) = node.inputs.get(2)
        && let Some(own) = graph.value(*bias).shape.as_deref()
        && (own.len() != 1
            || own[0]
                .fixed()
                .zip(outputs.fixed())
                .is_some_and(|(n, m)| n != m))
    {
        let message = format!("a bias of shape {} for {outputs} channels", text(own));
        return Err(Error::invalid(message));
    }
    let mut shape = vec![batch.clone(), outputs.clone()];
    shape.extend(conv.window.shape(spatial, &kernel)?);
    Ok(Some(shape))
}

/// Lengths of an input of which weights tell no more than the number of axes.
pub(super) fn unknown(node: &Node, rank: usize) -> Vec<Dim> {
    let axes = 0..rank;
    axes.map(|axis| Dim::Named(format!("{}.0:{axis}", node.name)))
        .collect()
}

pub(super) fn channels(node: &Node, conv: &Conv, walk: &mut Walk<'_>) -> Result<()> {
    let (x, weights, made) = (node.input(0)?, node.input(1)?, node.output()?);
    let bias = node.inputs.get(2).copied().flatten();
    let (Some(outputs), Some(inputs)) = (walk.length(weights, 0), walk.length(weights, 1)) else {
        return freeze_all(node, walk, "is convolved with weights of unknown shape");
    };
    let known = walk.is_parameter(weights) && bias.is_none_or(|b| walk.is_parameter(b));
    if !known || walk.is_parameter(x) {
        return freeze_all(
            node,
            walk,
            "is convolved with something other than constant weights",
        );
    }
    beside_channels(node, walk, x, made);
    let read = walk.along(x, CHANNELS);
    let role = match conv.conv_groups {
        1 => {
            if read.is_empty() {
                walk.pin(
                    weights,
                    1,
                    node,
                    "shares weights that read unknown channels",
                );
            }
            walk.claim(weights, 1, Role::Reads, &read);
            let produced = walk.produce(made, CHANNELS, outputs);
            walk.claim(weights, 0, Role::Produces, &produced);
            Role::Produces
        }
        groups if inputs == 1 && !read.is_empty() => {
            let each = repeated(&read, outputs / groups);
            walk.claim(weights, 0, Role::Carries, &each);
            for channels in each {
                walk.carry(made, channels);
            }
            Role::Carries
        }
        groups => grouped(node, walk, (x, weights, made), (groups, inputs, outputs))?,
    };
    if let Some(bias) = bias {
        let own = walk.along(made, CHANNELS);
        walk.claim(bias, 0, role, &own);
    }
    Ok(())
}

/// Rows pass, and places that a window slides over stay.
pub(super) fn beside_channels(node: &Node, walk: &mut Walk<'_>, x: ValueId, made: ValueId) {
    for channels in walk.channels(x).to_vec() {
        match channels.axis.cmp(&CHANNELS) {
            Ordering::Less => walk.carry(made, channels),
            Ordering::Equal => {}
            Ordering::Greater => {
                let reason = "is an axis that a convolution slides over";
                walk.freeze_axis(x, channels.axis, node, reason);
            }
        }
    }
}

/// What becomes of channels that each have so many outputs of their own, side by side.
pub(super) fn repeated(read: &[Channels], times: usize) -> Vec<Channels> {
    let each = read.iter().map(|channels| Channels {
        axis: CHANNELS,
        atoms: (channels.atoms.iter())
            .flat_map(|&atom| std::iter::repeat_n(atom, times))
            .collect(),
    });
    each.collect()
}

/// Several channels a group: unit k of the input is channel k of every group, and likewise of the output.
fn grouped(
    node: &Node,
    walk: &mut Walk<'_>,
    (x, weights, made): (ValueId, ValueId, ValueId),
    (groups, inputs, outputs): (usize, usize, usize),
) -> Result<Role> {
    let reason = "is one of the groups of a grouped convolution";
    let read = walk.along(x, CHANNELS);
    let own_inputs = match &read[..] {
        [groups_of, within] if walk.are_factors(groups_of, within, groups, inputs) => {
            walk.freeze_atoms(&groups_of.atoms, node, reason);
            let atoms = within.atoms[..inputs].to_vec();
            Some(vec![Channels { axis: 1, atoms }])
        }
        [whole] if walk.factorise(whole, &[groups, inputs]) => None,
        [] => None,
        _ => {
            let reason = "is divided into groups of convolution unlike elsewhere";
            walk.freeze_axis(x, CHANNELS, node, reason);
            None
        }
    };
    match own_inputs {
        Some(channels) => walk.claim(weights, 1, Role::Reads, &channels),
        None => walk.pin(
            weights,
            1,
            node,
            "shares weights that read unknown channels",
        ),
    }
    let lengths = [groups, outputs / groups.max(1)];
    let produced = walk.produce_product(made, CHANNELS, outputs, &lengths);
    if let [groups_of, _] = &produced[..] {
        walk.freeze_atoms(&groups_of.atoms.clone(), node, reason);
    }
    walk.claim(weights, 0, Role::Produces, &produced);
    Ok(Role::Produces)
}

fn freeze_all(node: &Node, walk: &mut Walk<'_>, reason: &str) -> Result<()> {
    for &value in node.inputs.iter().flatten() {
        walk.freeze(value, node, reason);
    }
    Ok(())
}

/// The operation after channels went.
pub(super) fn rewritten(graph: &Graph, node: &Node, conv: &Conv, sources: &Sources) -> Option<Op> {
    Some(Op::Conv(Conv {
        conv_groups: groups_left(graph, node, conv.conv_groups, sources)?,
        ..conv.clone()
    }))
}

/// As many groups as channels, where each has its own and some went.
pub(super) fn groups_left(
    graph: &Graph,
    node: &Node,
    groups: usize,
    sources: &Sources,
) -> Option<usize> {
    let x = node.input(0).ok()?;
    let channels = graph.value(x).shape.as_ref()?.get(CHANNELS)?.fixed()?;
    let kept = sources.get(&(x, CHANNELS))?.len();
    (groups > 1 && channels == groups).then_some(kept)
}

pub(super) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    let weights = input_shape(graph, node, 1).ok()??;
    let made = graph.value(node.output().ok()?).shape.as_deref()?;
    let weights: Option<u64> = weights
        .iter()
        .map(|d| d.fixed().map(|n| n as u64))
        .product();
    let lengths = made.iter().take(CHANNELS).chain(made.iter().skip(2));
    let places: u64 = lengths.map(|d| d.fixed().unwrap_or(1) as u64).product();
    Some(weights? * places)
}

pub(super) fn evaluate(conv: &Conv, x: &Array, w: &Array, bias: Option<&Array>) -> Result<Array> {
    let ([batch, channels, spatial @ ..], [outputs, inputs, kernel @ ..]) =
        (x.shape.as_slice(), w.shape.as_slice())
    else {
        return Err(Error::invalid(
            "Conv takes an input and weights with channels",
        ));
    };
    let (batch, channels, outputs, inputs) = (*batch, *channels, *outputs, *inputs);
    let groups = conv.conv_groups;
    if channels != inputs * groups || groups == 0 || !outputs.is_multiple_of(groups) {
        return Err(Error::invalid(format!(
            "{channels} channels do not fit {groups} groups of {inputs}, or {outputs} outputs do not"
        )));
    }
    let taps = conv.window.taps(spatial, kernel)?;
    let (places, elements) = (taps.read.len(), kernel.iter().product::<usize>());
    let area: usize = spatial.iter().product();
    let mut values = Vec::with_capacity(batch * outputs * places);
    for n in 0..batch {
        for m in 0..outputs {
            let first = m / (outputs / groups) * inputs;
            for read in &taps.read {
                let mut sum = 0.0;
                for c in 0..inputs {
                    let image = &x.values[(n * channels + first + c) * area..][..area];
                    let weights = &w.values[(m * inputs + c) * elements..][..elements];
                    for (&at, &weight) in read.iter().zip(weights) {
                        if let Some(at) = at {
                            sum += image[at] * weight;
                        }
                    }
                }
                let bias = bias.and_then(|b| b.values.get(m)).copied();
                values.push(bias.map_or(sum, |b| sum + b));
            }
        }
    }
    Array::new([&[batch, outputs], taps.shape.as_slice()].concat(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(shape: &[usize]) -> Array {
        let values = (0..shape.iter().product::<usize>()).map(|v| v as f64);
        Array::new(shape, values.collect()).unwrap()
    }

    #[test]
    fn a_kernel_is_laid_over_every_place_and_bias_added() {
        let conv = Conv {
            window: Window::plain(2),
            conv_groups: 1,
        };
        let kernel = Array::new([1, 1, 2, 2], vec![1.0, 0.0, 0.0, 10.0]).unwrap();
        let bias = Array::new([1], vec![0.5]).unwrap();
        let y = evaluate(&conv, &counting(&[1, 1, 3, 3]), &kernel, Some(&bias)).unwrap();
        assert_eq!(y.shape, [1, 1, 2, 2]);
        assert_eq!(y.values, [40.5, 51.5, 73.5, 84.5]);
    }

    #[test]
    fn groups_do_not_meet() {
        let conv = Conv {
            window: Window::plain(1),
            conv_groups: 2,
        };
        let kernel = Array::new([2, 1, 1], vec![1.0, 100.0]).unwrap();
        let y = evaluate(&conv, &counting(&[1, 2, 2]), &kernel, None).unwrap();
        assert_eq!(y.values, [0.0, 1.0, 200.0, 300.0]);
        assert!(evaluate(&conv, &counting(&[1, 3, 2]), &kernel, None).is_err());
    }
}
