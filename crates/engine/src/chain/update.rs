//! The second half of a step: parameter gradients, block by block, each updated while it is in the cache.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::chain::dense::{MAX_STATE_SLOTS, Parameter, bias_gradient, weight_gradient};
use crate::kernels::update::{self, Adam, Nesterov, Sgd};
use crate::matrix::View;
use crate::{Chain, Dense, Phases};

/// What the numbers of a [`RowBlock`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Rows of a weight matrix: row `i` is what leaves unit `i` of the layer before.
    Weight,
    /// The biases of a layer as one row.
    Bias,
}

/// Consecutive rows of one layer's weights, or its biases, with their fresh gradient.
///
/// All slices have the same shape: `rows() * width`, row-major.
#[derive(Debug)]
pub struct RowBlock<'a> {
    /// Position of the layer in [`crate::Chain::layers`].
    pub layer: usize,
    /// Whether these are weights or biases.
    pub kind: BlockKind,
    /// The first row of the block within the layer's weights; 0 for biases.
    pub first_row: usize,
    /// Numbers in a row: the outputs of the layer.
    pub width: usize,
    /// The parameters.
    pub weight: &'a mut [f32],
    /// `momentum * old + gradient`: the velocity under momentum, the plain gradient without.
    pub gradient: &'a mut [f32],
    /// Optimiser state; slots beyond those that the network was compiled with are empty.
    pub state: [&'a mut [f32]; MAX_STATE_SLOTS],
    /// To be set to the time that went into the penalty, which is then told apart in
    /// [`crate::Phases`].
    pub penalty_time: &'a mut Duration,
}

impl RowBlock<'_> {
    /// How many rows the block has.
    pub fn rows(&self) -> usize {
        self.weight.len() / self.width
    }

    /// Takes an SGD step; `prox` is then called with each row's place in the layer and its weights.
    ///
    /// On closures see [`crate::kernels`].
    pub fn sgd(self, step: Sgd, prox: impl Fn(usize, &mut [f32])) {
        let first = self.first_row;
        *self.penalty_time = update::sgd(
            self.weight,
            self.gradient,
            self.width,
            step,
            #[inline(always)]
            |row, weights| prox(first + row, weights),
        );
    }

    /// Takes a step of Nesterov's momentum with the velocity in the first state slot; `prox` is then
    /// called with each row's place in the layer and its weights.
    ///
    /// On closures see [`crate::kernels`].
    ///
    /// # Panics
    /// If the network was compiled without state.
    pub fn nesterov(self, step: Nesterov, prox: impl Fn(usize, &mut [f32])) {
        let first = self.first_row;
        let [velocity, _] = self.state;
        *self.penalty_time = update::nesterov(
            self.weight,
            self.gradient,
            velocity,
            self.width,
            step,
            #[inline(always)]
            |row, weights| prox(first + row, weights),
        );
    }

    /// Takes an Adam step with the moments in the two state slots; `prox` is then called with each
    /// row's place in the layer, its weights and its second moments, not yet corrected.
    ///
    /// On closures see [`crate::kernels`].
    ///
    /// # Panics
    /// If the network was compiled with fewer than two state slots.
    pub fn adam(self, step: Adam, prox: impl Fn(usize, &mut [f32], &[f32])) {
        let start = self.first_row;
        let [first, second] = self.state;
        *self.penalty_time = update::adam(
            self.weight,
            self.gradient,
            first,
            second,
            self.width,
            step,
            #[inline(always)]
            |row, weights, second| prox(start + row, weights, second),
        );
    }
}

impl Chain {
    /// Gradients of all parameters from the last [`Chain::forward_backward`] on the same `x`, each
    /// block handed to `update` as soon as it is known.
    ///
    /// A block's gradient becomes `momentum` times what it was plus the new gradient. `update` is
    /// called once for every block, possibly at once on several threads and in any order.
    ///
    /// # Panics
    /// If `x` has another size or there are more rows than [`Chain::batch`].
    pub fn update<U>(&mut self, x: &[f32], rows: usize, momentum: f32, update: U)
    where
        U: Fn(RowBlock<'_>) + Sync,
    {
        self.check(x, rows);
        let count = self.threads_for(rows * self.macs());
        let gradients = Gradients { x, rows, momentum };
        self.each_block(Some(gradients), count, update);
    }

    /// Hands every block to `pass` on all threads as [`Chain::update`] does, but with the gradients of the
    /// last update: for passes over the parameters that are not fused with it.
    #[doc(hidden)]
    pub fn pass<U>(&mut self, pass: U)
    where
        U: Fn(RowBlock<'_>) + Sync,
    {
        self.each_block(None, self.threads.count(), pass);
    }

    fn each_block<U>(&mut self, gradients: Option<Gradients<'_>>, count: usize, update: U)
    where
        U: Fn(RowBlock<'_>) + Sync,
    {
        let start = Instant::now();
        let threads = self.threads.clone();
        let rows = gradients.map_or(0, |g| g.rows);
        let mut tasks = vec![];
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let x = match (l.checked_sub(1), gradients) {
                (None, gradients) => gradients.map_or(&[][..], |g| g.x),
                (Some(before), _) => &self.values[before][..rows * layer.inputs],
            };
            let x = View::new(x, rows, layer.inputs);
            let dy = View::new(&self.deltas[l][..rows * layer.outputs], rows, layer.outputs);
            let block = block_rows(layer, count);
            let Dense { weight, bias, .. } = layer;
            tasks.extend(Task::split(weight, l, BlockKind::Weight, block, x, dy));
            tasks.extend(Task::split(bias, l, BlockKind::Bias, 1, x, dy));
        }
        let momentum = gradients.map(|g| g.momentum);
        let busy = Mutex::new(Phases::default());
        let queue = Mutex::new(tasks.into_iter());
        let work = || {
            let mut own = Phases::default();
            while let Some(mut task) = pop(&queue) {
                own = own.plus(task.run(momentum, &update));
            }
            let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
            *busy = busy.plus(own);
        };
        threads.run(|| {
            rayon::scope(|scope| {
                for _ in 1..count {
                    scope.spawn(|_| work());
                }
                work();
            });
        });
        let busy = busy.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.phases.add(start.elapsed(), &busy);
    }
}

/// What gradients are computed of.
#[derive(Clone, Copy)]
struct Gradients<'a> {
    x: &'a [f32],
    rows: usize,
    momentum: f32,
}

/// The next task; a separate function so that the lock is free again when the task runs.
fn pop<T>(queue: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Rows of a weight matrix that are updated together.
///
/// Each block packs the gradients anew, so blocks are large; beyond this size they leave the cache
/// before they are updated.
fn block_rows(layer: &Dense, threads: usize) -> usize {
    const MOST: usize = 256 * 2048;
    const LEAST: usize = 8 << 10;
    let elements = layer.inputs * layer.outputs;
    let blocks = elements.div_ceil(MOST).next_multiple_of(threads);
    let blocks = blocks.min(elements.div_ceil(LEAST));
    layer.inputs.div_ceil(blocks)
}

/// A block before its gradient is computed.
struct Task<'a> {
    layer: usize,
    kind: BlockKind,
    first_row: usize,
    weight: &'a mut [f32],
    gradient: &'a mut [f32],
    state: [&'a mut [f32]; MAX_STATE_SLOTS],
    x: View<'a>,
    dy: View<'a>,
}

impl<'a> Task<'a> {
    /// Cuts a parameter into blocks of `rows` rows; the last may be smaller.
    fn split(
        parameter: &'a mut Parameter,
        layer: usize,
        kind: BlockKind,
        rows: usize,
        x: View<'a>,
        dy: View<'a>,
    ) -> impl Iterator<Item = Task<'a>> {
        let size = rows * dy.width();
        let mut slots = parameter.state.iter_mut().map(|s| s.chunks_mut(size));
        let mut state: [_; MAX_STATE_SLOTS] = std::array::from_fn(|_| slots.next());
        let mut next_state = move || {
            state
                .each_mut()
                .map(|s| s.as_mut().and_then(Iterator::next).unwrap_or_default())
        };
        let gradients = parameter.gradient.chunks_mut(size);
        let blocks = parameter.values.chunks_mut(size).zip(gradients);
        blocks.enumerate().map(move |(i, (weight, gradient))| Task {
            layer,
            kind,
            first_row: i * rows,
            weight,
            gradient,
            state: next_state(),
            x,
            dy,
        })
    }

    /// Computes the gradient, if there is a momentum to add it to, and calls `update`.
    fn run(&mut self, momentum: Option<f32>, update: &impl Fn(RowBlock<'_>)) -> Phases {
        let begin = Instant::now();
        let width = self.dy.width();
        match (self.kind, momentum) {
            (_, None) => {}
            (BlockKind::Bias, Some(momentum)) => {
                bias_gradient(self.gradient, momentum, self.dy);
            }
            (BlockKind::Weight, Some(momentum)) => {
                let rows = self.gradient.len() / width;
                let x = self.x.transposed().rows(self.first_row, rows);
                weight_gradient(self.gradient, momentum, x, self.dy);
            }
        }
        let middle = Instant::now();
        let mut penalty_time = Duration::ZERO;
        update(RowBlock {
            layer: self.layer,
            kind: self.kind,
            first_row: self.first_row,
            width,
            weight: self.weight,
            gradient: self.gradient,
            state: self.state.each_mut().map(|s| &mut **s),
            penalty_time: &mut penalty_time,
        });
        let penalty = penalty_time.as_secs_f64();
        Phases {
            weight_gradient: (middle - begin).as_secs_f64(),
            update: (middle.elapsed().as_secs_f64() - penalty).max(0.0),
            penalty,
            ..Phases::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_parameter_once_with_matching_state() {
        let mut parameter = Parameter::new((0..21).map(|i| i as f32).collect(), 1);
        parameter.state[0] = parameter.values.clone();
        let none = View::new(&[], 0, 7);
        let dy = View::new(&[], 0, 3);
        let tasks: Vec<_> =
            Task::split(&mut parameter, 4, BlockKind::Weight, 2, none, dy).collect();
        let seen: Vec<f32> = tasks.iter().flat_map(|t| t.weight.to_vec()).collect();
        assert_eq!(seen, (0..21).map(|i| i as f32).collect::<Vec<_>>());
        let first: Vec<_> = tasks.iter().map(|t| t.first_row).collect();
        assert_eq!(first, [0, 2, 4, 6]);
        for task in &tasks {
            assert_eq!(task.state[0], task.weight);
            assert!(task.state[1].is_empty());
            assert_eq!(task.gradient.len(), task.weight.len());
        }
    }
}
