//! A compiled network: its layers and the buffers that a step needs.

use std::ops::Range;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use secateur_graph::Graph;

use crate::dense::{Dense, MAX_STATE_SLOTS, bias_gradient, weight_gradient};
use crate::matrix::View;
use crate::plan::{Plan, plan};
use crate::update::{BlockKind, RowBlock, Task};
use crate::{Error, Phases, Result, Threads};

/// A network ready to run and train on at most [`Network::batch`] rows at a time.
///
/// The same graph, inputs and thread count give the same bits.
#[derive(Debug)]
pub struct Network {
    pub(crate) layers: Vec<Dense>,
    /// Each layer's outputs, and the gradients of what its activation was given.
    pub(crate) values: Vec<Vec<f32>>,
    pub(crate) deltas: Vec<Vec<f32>>,
    pub(crate) selected_inputs: Option<Vec<usize>>,
    pub(crate) batch: usize,
    threads: Threads,
    phases: Phases,
}

impl Network {
    /// Compiles `graph` for at most `batch` rows on `threads` threads, with `state_slots` vectors of
    /// optimiser state (0 to [`MAX_STATE_SLOTS`]) for every parameter.
    ///
    /// The graph is a chain of Gemm, or MatMul and Add, each with at most one activation behind it.
    /// A Gather before the first layer is not run: the network then takes rows that hold the
    /// [`Network::selected_inputs`] alone.
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

    /// [`Network::compile`] on threads that other networks may share.
    ///
    /// # Errors
    /// As [`Network::compile`].
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
            selected_inputs,
            batch,
            threads,
            phases: Phases::default(),
        };
        network.allocate();
        Ok(network)
    }

    /// Sizes the buffers for the layers as they are now.
    pub(crate) fn allocate(&mut self) {
        let buffer = |layer: &Dense| vec![0.0; self.batch * layer.outputs];
        self.values = self.layers.iter().map(buffer).collect();
        self.deltas = self.layers.iter().map(buffer).collect();
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

    /// Seconds spent so far, by phase.
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// A layer's outputs for the rows of the last [`Network::forward`] or
    /// [`Network::forward_backward`]; rows beyond them are left from earlier calls.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn values(&self, layer: usize) -> &[f32] {
        &self.values[layer]
    }

    /// The outputs for `rows` rows of inputs: `rows * inputs` numbers in, `rows * outputs` out.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Network::batch`].
    pub fn forward(&mut self, x: &[f32], rows: usize) -> &[f32] {
        self.check(x, rows);
        let start = Instant::now();
        let threads = self.threads.clone();
        threads.run(|| {
            let (layers, mut shards) = self.shards(x, rows);
            shards.par_iter_mut().for_each(|s| s.forward(layers));
        });
        self.phases.forward += start.elapsed().as_secs_f64();
        let outputs = rows * self.outputs();
        self.values.last().map_or(&[], |v| &v[..outputs])
    }

    /// The loss of `rows` rows, and the gradients of all activations for [`Network::update`].
    ///
    /// `loss` is called for consecutive ranges of rows, possibly at once on several threads. It is
    /// given the range, the outputs of those rows, and a slice of the same size to fill with the
    /// gradient of the outputs; it returns the loss of those rows. The losses are added in row order.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Network::batch`].
    pub fn forward_backward<L>(&mut self, x: &[f32], rows: usize, loss: L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync,
    {
        self.check(x, rows);
        let start = Instant::now();
        let threads = self.threads.clone();
        let (total, busy) = threads.run(|| {
            let (layers, mut shards) = self.shards(x, rows);
            let done: Vec<(f64, Phases)> = shards
                .par_iter_mut()
                .with_max_len(1)
                .map(|s| s.forward_backward(layers, &loss))
                .collect();
            done.into_iter()
                .fold((0.0, Phases::default()), |(l, p), (loss, phases)| {
                    (l + loss, p.plus(phases))
                })
        });
        self.phases.add(start.elapsed(), &busy);
        total
    }

    /// Gradients of all parameters from the last [`Network::forward_backward`] on the same `x`, each
    /// block handed to `update` as soon as it is known.
    ///
    /// A block's gradient becomes `momentum` times what it was plus the new gradient. `update` is
    /// called once for every block, possibly at once on several threads and in any order.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Network::batch`].
    pub fn update<U>(&mut self, x: &[f32], rows: usize, momentum: f32, update: U)
    where
        U: Fn(RowBlock<'_>) + Sync,
    {
        self.check(x, rows);
        let start = Instant::now();
        let threads = self.threads.clone();
        let busy = threads.run(|| {
            let values: &[Vec<f32>] = &self.values;
            let deltas: &[Vec<f32>] = &self.deltas;
            let mut tasks = vec![];
            for (l, layer) in self.layers.iter_mut().enumerate() {
                let width = layer.outputs;
                let block = block_rows(layer);
                tasks.extend(Task::split(
                    &mut layer.weight,
                    l,
                    BlockKind::Weight,
                    width,
                    block,
                ));
                tasks.extend(Task::split(&mut layer.bias, l, BlockKind::Bias, width, 1));
            }
            tasks
                .into_par_iter()
                .with_max_len(1)
                .map(|mut task| {
                    let begin = Instant::now();
                    let dy = &deltas[task.layer][..rows * task.width];
                    match task.kind {
                        BlockKind::Bias => bias_gradient(task.gradient, momentum, dy),
                        BlockKind::Weight => {
                            let x = match task.layer {
                                0 => x,
                                l => &values[l - 1],
                            };
                            let inputs = match task.layer {
                                0 => x.len().checked_div(rows).unwrap_or(0),
                                l => values[l - 1].len() / self.batch,
                            };
                            let x = View::new(&x[..rows * inputs], rows, inputs);
                            let dy = View::new(dy, rows, task.width);
                            let count = task.weight.len() / task.width;
                            weight_gradient(task.gradient, momentum, x, dy, task.first_row, count);
                        }
                    }
                    let middle = Instant::now();
                    let mut penalty_time = Duration::ZERO;
                    update(task.block(&mut penalty_time));
                    let penalty = penalty_time.as_secs_f64();
                    Phases {
                        weight_gradient: (middle - begin).as_secs_f64(),
                        update: (middle.elapsed().as_secs_f64() - penalty).max(0.0),
                        penalty,
                        ..Phases::default()
                    }
                })
                .reduce(Phases::default, Phases::plus)
        });
        self.phases.add(start.elapsed(), &busy);
    }

    /// Writes all parameters into the constants of `graph` that they came from.
    ///
    /// # Errors
    /// If `graph` has other shapes than this network.
    pub fn write_back(&self, graph: &mut Graph) -> Result<()> {
        self.layers.iter().try_for_each(|l| l.write_back(graph))
    }

    fn check(&self, x: &[f32], rows: usize) {
        assert!(rows <= self.batch, "{rows} rows beyond {}", self.batch);
        assert_eq!(x.len(), rows * self.inputs(), "inputs of {rows} rows");
    }

    /// Divides the buffers by rows.
    fn shards<'a>(&'a mut self, x: &'a [f32], rows: usize) -> (&'a [Dense], Vec<Shard<'a>>) {
        let inputs = self.inputs();
        let count = self.threads.count().min(rows.max(1));
        let mut values: Vec<&mut [f32]> = self.values.iter_mut().map(Vec::as_mut_slice).collect();
        let mut deltas: Vec<&mut [f32]> = self.deltas.iter_mut().map(Vec::as_mut_slice).collect();
        let layers = self.layers.as_slice();
        let take = |rest: &mut Vec<&'a mut [f32]>, rows: usize| -> Vec<&'a mut [f32]> {
            rest.iter_mut()
                .zip(layers)
                .map(|(rest, layer)| {
                    let (taken, left) = std::mem::take(rest).split_at_mut(rows * layer.outputs);
                    *rest = left;
                    taken
                })
                .collect()
        };
        let shards = (0..count)
            .map(|i| {
                let range = rows * i / count..rows * (i + 1) / count;
                Shard {
                    x: &x[range.start * inputs..range.end * inputs],
                    values: take(&mut values, range.len()),
                    deltas: take(&mut deltas, range.len()),
                    range,
                }
            })
            .collect();
        (layers, shards)
    }
}

/// Consecutive rows of a batch with their part of every buffer.
struct Shard<'a> {
    range: Range<usize>,
    x: &'a [f32],
    values: Vec<&'a mut [f32]>,
    deltas: Vec<&'a mut [f32]>,
}

impl Shard<'_> {
    fn forward(&mut self, layers: &[Dense]) {
        for (l, layer) in layers.iter().enumerate() {
            let (before, rest) = self.values.split_at_mut(l);
            let x = before.last().map_or(self.x, |v| &**v);
            layer.forward(x, rest[0]);
        }
    }

    fn forward_backward<L>(&mut self, layers: &[Dense], loss: &L) -> (f64, Phases)
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64,
    {
        let begin = Instant::now();
        self.forward(layers);
        let middle = Instant::now();
        let last = layers.len() - 1;
        let total = loss(self.range.clone(), self.values[last], self.deltas[last]);
        layers[last]
            .activation
            .backward(self.values[last], self.deltas[last]);
        for l in (1..layers.len()).rev() {
            let (before, rest) = self.deltas.split_at_mut(l);
            layers[l].backward(rest[0], before[l - 1]);
            layers[l - 1]
                .activation
                .backward(self.values[l - 1], before[l - 1]);
        }
        let phases = Phases {
            forward: (middle - begin).as_secs_f64(),
            backward: middle.elapsed().as_secs_f64(),
            ..Phases::default()
        };
        (total, phases)
    }
}

/// Rows of a weight matrix that are updated together: as many as stay in the second-level cache with
/// their velocity.
fn block_rows(layer: &Dense) -> usize {
    const BLOCK: usize = 64 * 2048;
    (BLOCK / layer.outputs).clamp(1, layer.inputs)
}
