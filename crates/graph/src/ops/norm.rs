//! Normalisation by the numbers themselves: over the last axes, or over the places of a channel.

use serde::{Deserialize, Serialize};

use super::{Sources, batch_norm, batch_statistics, identity, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Op, Result, ValueId};

/// Over what numbers are normalised; scale and shift are inputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Norm {
    /// `LayerNormalization`: over all axes from one on.
    Layer {
        /// The first of them.
        axis: i64,
        /// Added to the variance.
        epsilon: f32,
    },
    /// `RMSNormalization`: the same without a mean, by the root of the mean of squares.
    Rms {
        /// The first of the axes.
        axis: i64,
        /// Added to the mean of squares.
        epsilon: f32,
    },
    /// `InstanceNormalization`: over all places of each channel (second axis) of each row.
    Instance {
        /// Added to the variance.
        epsilon: f32,
    },
    /// `GroupNormalization`: over all places of runs of channels of each row.
    Group {
        /// Number of runs.
        count: usize,
        /// Added to the variance.
        epsilon: f32,
        /// Whether scale and shift are one number a run, as before operator set 21, and not one a channel.
        by_run: bool,
    },
    /// `BatchNormalization` in training: over all rows and places of each channel. Running statistics are inputs that nobody
    /// looks at.
    Batch {
        /// Added to the variance.
        epsilon: f32,
    },
}

const CHANNELS: usize = 1;

impl Norm {
    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Self::Layer { .. } => "LayerNormalization",
            Self::Rms { .. } => "RMSNormalization",
            Self::Instance { .. } => "InstanceNormalization",
            Self::Group { .. } => "GroupNormalization",
            Self::Batch { .. } => "BatchNormalization",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, norm: Norm) -> Result<Option<Vec<Dim>>> {
    if let Norm::Batch { .. } = norm {
        return batch_norm::shape(graph, node);
    }
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let channels = x.get(CHANNELS).and_then(Dim::fixed);
    match (norm, channels) {
        (Norm::Group { count, .. }, Some(channels)) if !channels.is_multiple_of(count) => {
            Err(uneven(channels, count))
        }
        _ => Ok(Some(x.to_vec())),
    }
}

fn uneven(channels: usize, count: usize) -> Error {
    Error::invalid(format!(
        "GroupNormalization of {channels} channels in {count} runs"
    ))
}

pub(super) fn channels(node: &Node, norm: Norm, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    if let Norm::Batch { .. } = norm {
        return batch_statistics::channels(node, walk);
    }
    if let Norm::Instance { .. } = norm {
        for channels in walk.channels(x).to_vec() {
            if channels.axis > CHANNELS {
                walk.freeze_axis(x, channels.axis, node, "is normalised over");
            }
        }
        // Scale and shift go along with their channels, as those of the other do.
        return batch_norm::channels(node, walk);
    }
    if let Norm::Group { count, by_run, .. } = norm {
        return runs(node, walk, x, (count, by_run));
    }
    let reason = format!(
        "is read without weights by {}, which mixes all channels",
        norm.onnx_name()
    );
    let mixed = match norm {
        Norm::Layer { axis, .. } | Norm::Rms { axis, .. } => axis_at(axis, rank)?..rank,
        Norm::Group { .. } | Norm::Instance { .. } | Norm::Batch { .. } => 0..0,
    };
    for axis in mixed {
        walk.freeze_axis(x, axis, node, &reason);
    }
    for &parameter in node.inputs[1..].iter().flatten() {
        walk.freeze(parameter, node, "normalises all channels together");
    }
    identity::channels(node, walk)
}

/// Runs of channels go as a whole, as only they do without each other.
fn runs(
    node: &Node,
    walk: &mut Walk<'_>,
    x: ValueId,
    (count, by_run): (usize, bool),
) -> Result<()> {
    let reason = "is read without weights by GroupNormalization, which mixes the channels of a run";
    for channels in walk.channels(x).to_vec() {
        if channels.axis > CHANNELS {
            walk.freeze_axis(x, channels.axis, node, reason);
        }
    }
    let own = walk.along(x, CHANNELS);
    let length = walk.length(x, CHANNELS).unwrap_or_default();
    let within = length.checked_div(count).unwrap_or_default();
    let carried = match &own[..] {
        [channels] if within == 1 => Some(channels.clone()),
        [runs, channels] if walk.are_factors(runs, channels, count, within) => {
            walk.freeze_atoms(&channels.atoms, node, reason);
            Some(runs.clone())
        }
        [whole] if count > 1 && walk.factorise(whole, &[count, within]) => None,
        _ => None,
    };
    if carried.is_none() {
        walk.freeze_axis(x, CHANNELS, node, reason);
    }
    for &parameter in node.inputs[1..].iter().flatten() {
        match (&carried, by_run) {
            (Some(_), _) if !walk.is_parameter(parameter) => {
                let reason = "is normalised by something other than constants";
                walk.freeze(x, node, reason);
                walk.freeze(parameter, node, reason);
            }
            (Some(runs), true) => {
                let atoms = runs.atoms.iter().step_by(within).copied().collect();
                let of_runs = Channels { axis: 0, atoms };
                walk.claim(parameter, 0, Role::Carries, &[of_runs]);
            }
            (Some(_), false) => walk.claim(parameter, 0, Role::Carries, &own),
            (None, _) => walk.freeze(parameter, node, "normalises unknown channels together"),
        }
    }
    identity::channels(node, walk)
}

/// As many runs as are left.
pub(super) fn rewritten(graph: &Graph, node: &Node, norm: Norm, sources: &Sources) -> Option<Op> {
    let Norm::Group {
        count,
        epsilon,
        by_run,
    } = norm
    else {
        return None;
    };
    let x = node.input(0).ok()?;
    let length = graph.value(x).shape.as_ref()?.get(CHANNELS)?.fixed()?;
    let left = sources.get(&(x, CHANNELS))?.len();
    let within = length.checked_div(count).filter(|&n| n > 0)?;
    let count = left / within;
    Some(Op::Norm(Norm::Group {
        count,
        epsilon,
        by_run,
    }))
}

pub(super) fn evaluate(
    norm: Norm,
    x: &Array,
    scale: &Array,
    shift: Option<&Array>,
) -> Result<Array> {
    if let Norm::Batch { epsilon } = norm {
        return batch_statistics::evaluate(epsilon, x, scale, shift);
    }
    let rank = x.shape.len();
    let area: usize = x.shape.iter().skip(CHANNELS + 1).product();
    let channels = x.shape.get(CHANNELS).copied().unwrap_or_default();
    // How many numbers are normalised together, and over how many the scale repeats.
    let (run, epsilon) = match norm {
        Norm::Layer { axis, epsilon } | Norm::Rms { axis, epsilon } => {
            (x.shape[axis_at(axis, rank)?..].iter().product(), epsilon)
        }
        Norm::Instance { epsilon } | Norm::Batch { epsilon } => (area, epsilon),
        Norm::Group { count, epsilon, .. } => {
            if count == 0 || !channels.is_multiple_of(count) {
                return Err(uneven(channels, count));
            }
            (channels / count * area, epsilon)
        }
    };
    if run == 0 {
        return Ok(x.clone());
    }
    // Over how many channels each number of scale and shift goes.
    let repeats = match norm {
        Norm::Group {
            count,
            by_run: true,
            ..
        } => channels / count,
        _ => 1,
    };
    let by_channel = matches!(norm, Norm::Instance { .. } | Norm::Group { .. });
    let expand = |parameter: &Array| match by_channel {
        true if repeats > 1 && parameter.values.len() * repeats == channels => {
            let each = parameter.values.iter().flat_map(|&v| [v].repeat(repeats));
            Ok(each.collect())
        }
        true if parameter.values.len() == channels => Ok(parameter.values.clone()),
        true => Err(Error::invalid(format!(
            "{} of {channels} channels has other parameters",
            norm.onnx_name()
        ))),
        false => Ok(parameter.broadcast_to(&x.shape)?.values),
    };
    let (scale, shift) = (expand(scale)?, shift.map(expand).transpose()?);
    let at = |element: usize| {
        if by_channel {
            element / area % channels
        } else {
            element
        }
    };
    let mut values = vec![];
    for (index, numbers) in x.values.chunks(run).enumerate() {
        let sum: f64 = numbers.iter().sum();
        let mean = if matches!(norm, Norm::Rms { .. }) {
            0.0
        } else {
            sum / run as f64
        };
        let squares: f64 = numbers.iter().map(|v| (v - mean) * (v - mean)).sum();
        let spread = (squares / run as f64 + f64::from(epsilon)).sqrt();
        for (i, v) in numbers.iter().enumerate() {
            let element = at(index * run + i);
            let shift = shift.as_ref().map_or(0.0, |s| s[element]);
            values.push((v - mean) / spread * scale[element] + shift);
        }
    }
    Array::new(x.shape.clone(), values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelGroups, GraphBuilder, Keep, Tensor, mask, shrink};

    #[test]
    fn numbers_are_normalised_together_as_told() {
        let x = Array::new([1, 2, 2], vec![1.0, 3.0, 5.0, 5.0]).unwrap();
        let two = |a: f64, b: f64| Array::new([2], vec![a, b]).unwrap();
        let (scale, shift) = (two(1.0, 2.0), two(0.0, 1.0));
        let of = |norm| evaluate(norm, &x, &scale, Some(&shift)).unwrap().values;
        let epsilon = 0.0;
        assert_eq!(of(Norm::Layer { axis: -1, epsilon })[..2], [-1.0, 3.0]);
        assert_eq!(of(Norm::Instance { epsilon: 1e-9 })[2..], [1.0, 1.0]);
        let rms = of(Norm::Rms { axis: 2, epsilon });
        assert!((rms[0] - 1.0 / 5f64.sqrt()).abs() < 1e-12, "{rms:?}");
        let by_run = false;
        let group = of(Norm::Group {
            count: 1,
            epsilon,
            by_run,
        });
        assert!(
            (group[1] - -0.5 / (2.75f64).sqrt()).abs() < 1e-12,
            "{group:?}"
        );
    }

    #[test]
    fn scales_may_be_one_a_run() {
        let x = Array::new([1, 4], vec![1.0, 3.0, 5.0, 7.0]).unwrap();
        let two = Array::new([2], vec![2.0, 3.0]).unwrap();
        let norm = |count| Norm::Group {
            count,
            epsilon: 0.0,
            by_run: true,
        };
        let y = evaluate(norm(2), &x, &two, Some(&two)).unwrap();
        assert_eq!(y.values, [0.0, 4.0, 0.0, 6.0]);
        assert!(evaluate(norm(3), &x, &two, None).is_err());
    }

    /// Six channels in three runs, with scales by run or by channel.
    fn network(by_run: bool) -> Graph {
        let drawn = |shape: &[usize], seed: f32| {
            let count: usize = shape.iter().product();
            let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.7).sin());
            Tensor::f32(shape, numbers.collect()).unwrap()
        };
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let first = b.constant("first", drawn(&[2, 6], 0.0));
        let length = if by_run { 3 } else { 6 };
        let scale = b.constant("scale", drawn(&[length], 1.0));
        let shift = b.constant("shift", drawn(&[length], 2.0));
        let last = b.constant("last", drawn(&[6, 2], 3.0));
        let h = b.node("h", Op::MatMul, &[x, first]);
        let norm = Norm::Group {
            count: 3,
            epsilon: 1e-5,
            by_run,
        };
        let h = b.node("norm", Op::Norm(norm), &[h, scale, shift]);
        let y = b.node("y", Op::MatMul, &[h, last]);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn whole_runs_can_go() {
        for by_run in [false, true] {
            let graph = network(by_run);
            let groups = ChannelGroups::of(&graph).unwrap();
            let [runs, within] = ["h", "h#2"].map(|name| groups.named(name).unwrap());
            assert_eq!(groups.group(runs).frozen, None);
            assert!(groups.group(within).frozen.is_some());
            let mut keep = Keep::all(&groups);
            keep.drop(runs, 1).unwrap();
            let small = shrink(&graph, &groups, &keep).unwrap().graph;
            let count = small.nodes().iter().find_map(|n| match n.op {
                Op::Norm(Norm::Group { count, .. }) => Some(count),
                _ => None,
            });
            assert_eq!(count, Some(2));
            let x = Array::new([2, 2], vec![1.0, -2.0, 0.5, 3.0]).unwrap();
            let run = |graph: &Graph| crate::evaluate(graph, std::slice::from_ref(&x)).unwrap();
            assert_eq!(run(&small), run(&mask(&graph, &groups, &keep).unwrap()));
            assert_ne!(run(&small), run(&graph));
        }
    }
}
