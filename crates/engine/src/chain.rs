//! A compiled network: its layers and the buffers that a step needs.

mod cut;
mod dense;
mod forward;
mod plan;
mod read;
mod update;

use secateur_graph::Graph;

pub use self::dense::{Dense, MAX_STATE_SLOTS};
use self::plan::{Plan, plan};
pub use self::update::{BlockKind, RowBlock};
use crate::{Error, Phases, Result, Threads};

/// A network ready to run and train on at most [`Chain::batch`] rows at a time.
///
/// The same graph, inputs and thread count give the same bits.
#[derive(Debug)]
pub struct Chain {
    pub(crate) layers: Vec<Dense>,
    /// Each layer's outputs, and the gradients of what its activation was given.
    pub(crate) values: Vec<Vec<f32>>,
    pub(crate) deltas: Vec<Vec<f32>>,
    /// Where transposed gradients wait to be turned.
    pub(crate) scratch: Vec<f32>,
    pub(crate) selected_inputs: Option<Vec<usize>>,
    pub(crate) batch: usize,
    pub(crate) threads: Threads,
    macs_per_thread: usize,
    pub(crate) phases: Phases,
}

impl Chain {
    /// Compiles `graph` for at most `batch` rows on `threads` threads, with `state_slots` vectors of
    /// optimiser state (0 to [`MAX_STATE_SLOTS`]) for every parameter.
    ///
    /// The graph is a chain of Gemm, or MatMul and Add, each with at most one activation behind it.
    /// A Gather before the first layer is not run: the network then takes rows that hold the
    /// [`Chain::selected_inputs`] alone.
    ///
    /// # Errors
    /// If the graph has anything else, naming the node; if a size is zero; if there are too many
    /// state slots; if threads cannot be started.
    pub fn compile(
        graph: &Graph,
        batch: usize,
        state_slots: usize,
        threads: usize,
    ) -> Result<Self> {
        Self::compile_on(graph, batch, state_slots, Threads::new(threads)?)
    }

    /// [`Chain::compile`] on threads that other networks may share.
    ///
    /// # Errors
    /// As [`Chain::compile`].
    pub fn compile_on(
        graph: &Graph,
        batch: usize,
        state_slots: usize,
        threads: Threads,
    ) -> Result<Self> {
        if batch == 0 {
            return Err(Error::invalid("a batch of zero rows").hint("use 1 row or more"));
        }
        if state_slots > MAX_STATE_SLOTS {
            return Err(Error::invalid(format!(
                "{state_slots} vectors of optimiser state where {MAX_STATE_SLOTS} are the most"
            )));
        }
        let Plan {
            layers,
            selected_inputs,
        } = plan(graph, state_slots)?;
        let mut network = Self {
            layers,
            values: vec![],
            deltas: vec![],
            scratch: vec![],
            selected_inputs,
            batch,
            threads,
            macs_per_thread: 2_000_000,
            phases: Phases::default(),
        };
        network.allocate();
        Ok(network)
    }

    /// Bytes that a chain compiled with these arguments holds, found without taking all of them: outputs and gradients of each
    /// layer, and parameters with their gradients and their optimiser's state.
    ///
    /// # Errors
    /// As [`Chain::compile`].
    pub fn planned_bytes(graph: &Graph, batch: usize, state_slots: usize) -> Result<u64> {
        let layers = plan(graph, 0)?.layers;
        let outputs: usize = layers.iter().map(|l| l.outputs).sum();
        let scratch = layers.iter().skip(1).map(Dense::scratch).max();
        let parameters: usize = layers.iter().map(|l| (l.inputs + 1) * l.outputs).sum();
        let numbers = batch * (2 * outputs + scratch.unwrap_or(0)) + (2 + state_slots) * parameters;
        Ok(4 * numbers as u64)
    }

    /// Sizes the buffers for the layers as they are now.
    pub(crate) fn allocate(&mut self) {
        let buffer = |layer: &Dense| vec![0.0; self.batch * layer.outputs];
        self.values = self.layers.iter().map(buffer).collect();
        self.deltas = self.layers.iter().map(buffer).collect();
        let widest = self.layers.iter().skip(1).map(Dense::scratch).max();
        self.scratch = vec![0.0; self.batch * widest.unwrap_or(0)];
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// The layers in order, for writing parameters.
    pub fn layers_mut(&mut self) -> &mut [Dense] {
        &mut self.layers
    }

    /// Features in a row of inputs.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Dense::inputs)
    }

    /// Numbers in a row of outputs.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Dense::outputs)
    }

    /// Which features of the graph's input a row holds, in order; `None` if all.
    pub fn selected_inputs(&self) -> Option<&[usize]> {
        self.selected_inputs.as_deref()
    }

    /// The most rows that can be run at once.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The threads that the network runs on.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Sets the least work, in multiply-adds, for which one more thread is used.
    ///
    /// The default, 2 million, is about 30 microseconds of work, a few times what waking a thread costs.
    /// Another value may change results in the last bits, as another number of threads does.
    pub fn set_macs_per_thread(&mut self, macs: usize) {
        self.macs_per_thread = macs.max(1);
    }

    /// Seconds spent so far, by phase.
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// A layer's outputs for the rows of the last [`Chain::forward`] or
    /// [`Chain::forward_backward`]; rows beyond them are left from earlier calls.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn values(&self, layer: usize) -> &[f32] {
        &self.values[layer]
    }

    /// Writes all parameters into the constants of `graph` that they came from.
    ///
    /// # Errors
    /// If `graph` has other shapes than this network.
    pub fn write_back(&self, graph: &mut Graph) -> Result<()> {
        self.layers.iter().try_for_each(|l| l.write_back(graph))
    }

    /// Checks that `x` holds `rows` rows.
    pub(crate) fn check(&self, x: &[f32], rows: usize) {
        assert!(rows <= self.batch, "{rows} rows beyond {}", self.batch);
        assert_eq!(x.len(), rows * self.inputs(), "inputs of {rows} rows");
    }

    /// How many threads are worth waking for `macs` multiply-adds.
    pub(crate) fn threads_for(&self, macs: usize) -> usize {
        (macs / self.macs_per_thread).clamp(1, self.threads.count())
    }

    /// Multiply-adds of one row in all layers.
    pub(crate) fn macs(&self) -> usize {
        self.layers.iter().map(|l| l.inputs * l.outputs).sum()
    }
}
