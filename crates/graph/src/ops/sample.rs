//! Numbers taken from, or put at, places that another input names: `GridSample`, `RoiAlign` and `MaxUnpool`. Each channel
//! is treated by itself.

mod grid;
mod roi;
mod unpool;

use serde::{Deserialize, Serialize};

pub use self::grid::{GridMode, GridPadding, GridSample};
pub use self::roi::RoiAlign;
pub use self::unpool::MaxUnpool;
pub(super) use self::unpool::alone_reads;

use super::Sources;
use crate::channels::Walk;
use crate::eval::Array;
use crate::{Dim, Graph, Node, Result, Tensor, ValueId};

/// The axis of channels.
const CHANNELS: usize = 1;

/// Which of the operators, with its attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// `GridSample`: at the places that a grid holds.
    Grid(GridSample),
    /// `RoiAlign`: in the cells of regions.
    Roi(RoiAlign),
    /// `MaxUnpool`: put back to where `MaxPool` found them.
    Unpool(MaxUnpool),
}

impl Sample {
    pub(crate) fn onnx_name(&self) -> &'static str {
        match self {
            Self::Grid(_) => "GridSample",
            Self::Roi(_) => "RoiAlign",
            Self::Unpool(_) => "MaxUnpool",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, sample: &Sample) -> Result<Option<Vec<Dim>>> {
    match sample {
        Sample::Grid(_) => grid::shape(graph, node),
        Sample::Roi(attributes) => roi::shape(graph, node, attributes),
        Sample::Unpool(attributes) => unpool::shape(graph, node, attributes),
    }
}

pub(super) fn channels(node: &Node, sample: &Sample, walk: &mut Walk<'_>) -> Result<()> {
    match sample {
        Sample::Grid(_) => grid::channels(node, walk),
        Sample::Roi(_) => roi::channels(node, walk),
        Sample::Unpool(attributes) => unpool::channels(node, attributes, walk),
    }
}

pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    sample: &Sample,
    sources: &Sources,
) -> Result<Vec<(usize, Tensor)>> {
    match sample {
        Sample::Grid(_) | Sample::Roi(_) => Ok(vec![]),
        Sample::Unpool(_) => unpool::slice(graph, node, sources),
    }
}

pub(super) fn evaluate(sample: &Sample, inputs: &[Option<&Array>]) -> Result<Array> {
    match sample {
        Sample::Grid(attributes) => grid::evaluate(*attributes, inputs),
        Sample::Roi(attributes) => roi::evaluate(attributes, inputs),
        Sample::Unpool(attributes) => unpool::evaluate(attributes, inputs),
    }
}

/// Whether reading such places of constants takes longer than what comes out tells.
pub(crate) fn is_heavy(sample: &Sample) -> bool {
    matches!(sample, Sample::Roi(_))
}

/// Passes on channels of the first input; its places stay.
fn channel_by_channel(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    if walk.is_parameter(x) {
        walk.freeze(x, node, "is computed from constants");
    }
    for channels in walk.channels(x).to_vec() {
        if channels.axis == CHANNELS {
            walk.carry(node.output()?, channels);
        } else if channels.axis > CHANNELS {
            let reason = format!("is an axis of places of {}", node.op.onnx_name());
            walk.freeze_axis(x, channels.axis, node, &reason);
        }
    }
    Ok(())
}

/// What says where the numbers of others are stays whole.
fn freeze_places(node: &Node, walk: &mut Walk<'_>, id: ValueId) {
    let reason = format!("says where {} takes numbers from", node.op.onnx_name());
    walk.freeze(id, node, &reason);
}
