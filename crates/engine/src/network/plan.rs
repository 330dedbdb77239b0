//! What is done in which order, and where numbers lie: laid out once for a graph and a batch size.

use std::collections::HashMap;

use secateur_graph::ValueId;

use super::layout::Layout;
use super::step::Step;

/// A value that flows through the network.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) layout: Layout,
    /// The buffer of its numbers.
    pub(crate) value: usize,
    /// The buffer of its gradient, if it has one.
    pub(crate) gradient: Option<usize>,
    /// Whether parameters that are trained had a part in it.
    pub(crate) is_trained: bool,
}

/// A step with its operands.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) step: Step,
    /// The places that it reads.
    pub(crate) x: Vec<usize>,
    /// The place that it makes, or whose gradient it is given.
    pub(crate) y: usize,
    /// Whether the step makes that place.
    pub(crate) makes: bool,
    /// The state that it uses; two steps may share one.
    pub(crate) state: usize,
    /// For each input: whether its gradient is wanted, and if so, whether it is added to what is there.
    pub(crate) gradients: Vec<Option<bool>>,
    /// Whether parameters of it are trained.
    pub(crate) is_trained: bool,
}

/// Where numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffer {
    /// Numbers of a row.
    pub(crate) len: usize,
    /// Whether all rows of the batch are kept, and not one row a thread.
    pub(crate) keeps_rows: bool,
}

/// Steps that a thread does without waiting for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// In the order in which they are done.
    pub(crate) steps: Vec<usize>,
    /// Whether each step takes all rows of the thread at once; otherwise each row goes through all steps.
    pub(crate) takes_all_rows: bool,
    /// Whether threads meet behind the last step, to bring together what they added up.
    pub(crate) meets: bool,
}

/// A network, planned for running forwards, and backwards if it trains.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Planned>,
    pub(crate) places: Vec<Place>,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) states: usize,
    pub(crate) forward: Vec<Segment>,
    pub(crate) backward: Vec<Segment>,
    /// One or more, in the order of the graph.
    pub(crate) inputs: Vec<usize>,
    /// One or more, in the order of the graph, then those that are tapped. Where the plan trains, their numbers lie as ONNX counts them.
    pub(crate) outputs: Vec<usize>,
    /// Values that are tapped, with the places that keep their numbers and gradients.
    pub(crate) taps: Vec<(ValueId, usize)>,
    /// The places of the graph's values.
    pub(crate) at: HashMap<ValueId, usize>,
    /// Numbers that a thread needs beside the buffers.
    pub(crate) scratch: usize,
    /// What whoever trains the network should know.
    pub(crate) notes: Vec<String>,
}

/// Divides steps into segments, in the order given.
pub(crate) fn segments(
    steps: &[Planned],
    order: impl Iterator<Item = usize>,
    meets: impl Fn(&Step) -> bool,
) -> Vec<Segment> {
    let mut segments: Vec<Segment> = vec![];
    for s in order {
        let step = &steps[s].step;
        let takes_all_rows = step.work().takes_all_rows();
        let goes_on = segments
            .last()
            .is_some_and(|last| !last.meets && last.takes_all_rows == takes_all_rows);
        if !goes_on {
            segments.push(Segment {
                steps: vec![],
                takes_all_rows,
                meets: false,
            });
        }
        if let Some(last) = segments.last_mut() {
            last.steps.push(s);
            last.meets = meets(step);
        }
    }
    segments
}

impl Plan {
    /// Multiply-adds are not counted here; this is the number of numbers that all buffers hold for `rows` rows on `threads`
    /// threads.
    pub(crate) fn numbers(&self, rows: usize, threads: usize) -> usize {
        let size = |b: &Buffer| b.len * if b.keeps_rows { rows } else { threads };
        self.buffers.iter().map(size).sum()
    }
}
