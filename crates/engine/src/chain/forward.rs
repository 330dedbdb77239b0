//! The first half of a step: outputs, loss and activation gradients, each thread with rows of its own.
//!
//! A thread takes its rows through all layers and back without waiting for another, except that in
//! networks with a large layer the threads share its weights on the way forward and meet after each layer.

use std::ops::Range;
use std::time::Instant;

use rayon::prelude::*;

use crate::{Chain, Dense, Phases};

impl Chain {
    /// The outputs for `rows` rows of inputs: `rows * inputs` numbers in, `rows * outputs` out.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Chain::batch`].
    pub fn forward(&mut self, x: &[f32], rows: usize) -> &[f32] {
        self.check(x, rows);
        let start = Instant::now();
        let threads = self.threads.clone();
        let count = self.threads_for(rows * self.macs());
        threads.run(|| {
            if self.meets_after_layers(count) {
                return self.forward_by_layer(x, rows, count);
            }
            let (layers, shards) = self.shards(x, rows, count);
            shards
                .into_par_iter()
                .with_max_len(1)
                .for_each(|mut shard| shard.forward(layers));
        });
        self.phases.forward += start.elapsed().as_secs_f64();
        let outputs = rows * self.outputs();
        self.values.last().map_or(&[], |v| &v[..outputs])
    }

    /// The loss of `rows` rows, and the gradients of all activations for [`Chain::update`].
    ///
    /// `loss` is called for consecutive ranges of rows, possibly at once on several threads. It is
    /// given the range, the outputs of those rows, and a slice of the same size to fill with the
    /// gradient of the outputs; it returns the loss of those rows. The losses are added in row order.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Chain::batch`].
    pub fn forward_backward<L>(&mut self, x: &[f32], rows: usize, loss: L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync,
    {
        self.check(x, rows);
        let start = Instant::now();
        let threads = self.threads.clone();
        let count = self.threads_for(2 * rows * self.macs());
        let (total, busy) = threads.run(|| {
            let by_layer = self.meets_after_layers(count);
            if by_layer {
                self.forward_by_layer(x, rows, count);
            }
            let forward = Phases {
                forward: if by_layer {
                    count as f64 * start.elapsed().as_secs_f64()
                } else {
                    0.0
                },
                ..Phases::default()
            };
            let (layers, shards) = self.shards(x, rows, count);
            let done: Vec<(f64, Phases)> = shards
                .into_par_iter()
                .with_max_len(1)
                .map(|mut shard| {
                    let begin = Instant::now();
                    if !by_layer {
                        shard.forward(layers);
                    }
                    let middle = Instant::now();
                    let loss = shard.backward(layers, &loss);
                    let phases = Phases {
                        forward: (middle - begin).as_secs_f64(),
                        backward: middle.elapsed().as_secs_f64(),
                        ..Phases::default()
                    };
                    (loss, phases)
                })
                .collect();
            let none = (0.0, forward);
            let add = |(l, p): (f64, Phases), (loss, phases)| (l + loss, p.plus(phases));
            done.into_iter().fold(none, add)
        });
        self.phases.add(start.elapsed(), &busy);
        total
    }

    /// Whether all threads should finish a layer before the next: where one is large.
    fn meets_after_layers(&self, count: usize) -> bool {
        count > 1 && self.layers.iter().any(Dense::is_large)
    }

    /// Runs one layer after another, large ones divided by outputs and others by rows.
    fn forward_by_layer(&mut self, x: &[f32], rows: usize, count: usize) {
        for (l, layer) in self.layers.iter().enumerate() {
            let (before, rest) = self.values.split_at_mut(l);
            let x = before.last().map_or(x, |v| &v[..rows * layer.inputs]);
            let y = &mut rest[0][..rows * layer.outputs];
            if layer.is_large() {
                layer.forward_split(x, y, count);
                continue;
            }
            let chunk = rows.div_ceil(count).max(1);
            y.par_chunks_mut(chunk * layer.outputs)
                .zip(x.par_chunks(chunk * layer.inputs))
                .for_each(|(y, x)| layer.forward(x, y));
        }
    }

    /// Divides the buffers by rows into `count` parts.
    fn shards<'a>(
        &'a mut self,
        x: &'a [f32],
        rows: usize,
        count: usize,
    ) -> (&'a [Dense], Vec<Shard<'a>>) {
        let inputs = self.inputs();
        let count = count.min(rows.max(1));
        let scratch_width = self.scratch.len() / self.batch;
        let layers = self.layers.as_slice();
        let widths = || layers.iter().map(Dense::outputs);
        let mut values: Vec<_> = self.values.iter_mut().map(Vec::as_mut_slice).collect();
        let mut deltas: Vec<_> = self.deltas.iter_mut().map(Vec::as_mut_slice).collect();
        let mut scratch = self.scratch.as_mut_slice();
        let shards = (0..count)
            .map(|i| {
                let range = rows * i / count..rows * (i + 1) / count;
                let take = |(rest, width)| take_front(rest, range.len() * width);
                Shard {
                    x: &x[range.start * inputs..range.end * inputs],
                    values: values.iter_mut().zip(widths()).map(take).collect(),
                    deltas: deltas.iter_mut().zip(widths()).map(take).collect(),
                    scratch: take_front(&mut scratch, range.len() * scratch_width),
                    range,
                }
            })
            .collect();
        (layers, shards)
    }
}

fn take_front<'a>(rest: &mut &'a mut [f32], count: usize) -> &'a mut [f32] {
    let (front, back) = std::mem::take(rest).split_at_mut(count);
    *rest = back;
    front
}

/// Consecutive rows of a batch with their part of every buffer.
struct Shard<'a> {
    range: Range<usize>,
    x: &'a [f32],
    values: Vec<&'a mut [f32]>,
    deltas: Vec<&'a mut [f32]>,
    scratch: &'a mut [f32],
}

impl Shard<'_> {
    fn forward(&mut self, layers: &[Dense]) {
        for (l, layer) in layers.iter().enumerate() {
            let (before, rest) = self.values.split_at_mut(l);
            let x = before.last().map_or(self.x, |v| &**v);
            layer.forward(x, rest[0]);
        }
    }

    /// The loss of the shard's rows, and their gradients from the last layer to the first.
    fn backward<L>(&mut self, layers: &[Dense], loss: &L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64,
    {
        let last = layers.len() - 1;
        let total = loss(self.range.clone(), self.values[last], self.deltas[last]);
        layers[last].through_activation(self.values[last], self.deltas[last]);
        for l in (1..layers.len()).rev() {
            let (before, rest) = self.deltas.split_at_mut(l);
            let dx = &mut *before[l - 1];
            layers[l].backward(rest[0], dx, self.scratch);
            layers[l - 1].through_activation(self.values[l - 1], dx);
        }
        total
    }
}
