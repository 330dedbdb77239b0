//! One fully connected layer: `y = f(x W + b)`, its gradients and its optimiser state.

use rayon::prelude::*;
use secateur_graph::ValueId;

use crate::Activation;
use crate::kernels::pointwise::{self, add_column_sums, transpose};
use crate::matrix::{View, multiply, multiply_split};

/// How many numbers an optimiser may keep per parameter beside the gradient.
pub const MAX_STATE_SLOTS: usize = 2;

/// A fully connected layer with its gradients and optimiser state.
#[derive(Debug, Clone)]
pub struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) name: String,
    pub(crate) activation: Activation,
    pub(crate) weight_id: ValueId,
    pub(crate) bias_id: Option<ValueId>,
    pub(crate) transposed: bool,
    pub(crate) weight: Parameter,
    pub(crate) bias: Parameter,
}

/// Numbers that are trained, with what the optimiser knows of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameter {
    pub(crate) values: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    pub(crate) state: Vec<Vec<f32>>,
}

impl Parameter {
    pub(crate) fn new(values: Vec<f32>, slots: usize) -> Self {
        Self {
            gradient: vec![0.0; values.len()],
            state: vec![vec![0.0; values.len()]; slots],
            values,
        }
    }

    /// All vectors, each of which follows when units are cut.
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut Vec<f32>> {
        [&mut self.values, &mut self.gradient]
            .into_iter()
            .chain(&mut self.state)
    }
}

impl Dense {
    /// Units that the layer reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Units that the layer makes.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The name of the graph's node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What follows the affine map.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The graph's constant that holds the weights.
    pub fn weight_id(&self) -> ValueId {
        self.weight_id
    }

    /// The graph's constant that holds the biases, if the layer has any.
    pub fn bias_id(&self) -> Option<ValueId> {
        self.bias_id
    }

    /// The weights, `[inputs, outputs]` row-major: row `i` is what leaves unit `i` of the layer before.
    pub fn weight(&self) -> &[f32] {
        &self.weight.values
    }

    /// The weights for writing; see [`Dense::weight`].
    pub fn weight_mut(&mut self) -> &mut [f32] {
        &mut self.weight.values
    }

    /// The last gradient of the weights, or their velocity where momentum is fused; shaped like them.
    pub fn weight_gradient(&self) -> &[f32] {
        &self.weight.gradient
    }

    /// The gradient or velocity for writing; see [`Dense::weight_gradient`].
    pub fn weight_gradient_mut(&mut self) -> &mut [f32] {
        &mut self.weight.gradient
    }

    /// The biases, one for each output; empty if the layer has none.
    pub fn bias(&self) -> &[f32] {
        &self.bias.values
    }

    /// The biases for writing; see [`Dense::bias`].
    pub fn bias_mut(&mut self) -> &mut [f32] {
        &mut self.bias.values
    }

    /// The last gradient of the biases, or their velocity where momentum is fused.
    pub fn bias_gradient(&self) -> &[f32] {
        &self.bias.gradient
    }

    /// The gradient or velocity of the biases for writing.
    pub fn bias_gradient_mut(&mut self) -> &mut [f32] {
        &mut self.bias.gradient
    }

    /// Optimiser state of the weights, one vector for each slot, each shaped like the weights.
    pub fn weight_state(&self) -> &[Vec<f32>] {
        &self.weight.state
    }

    /// Optimiser state of the biases, one vector for each slot.
    pub fn bias_state(&self) -> &[Vec<f32>] {
        &self.bias.state
    }

    /// Optimiser state of the weights for writing, slot by slot.
    pub fn weight_state_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.weight.state.iter_mut().map(Vec::as_mut_slice)
    }

    /// Optimiser state of the biases for writing, slot by slot.
    pub fn bias_state_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.bias.state.iter_mut().map(Vec::as_mut_slice)
    }

    /// Gradient and optimiser state, slot by slot, of the weights and of the biases.
    pub fn moments_mut(&mut self) -> [(&mut [f32], Vec<&mut [f32]>); 2] {
        [&mut self.weight, &mut self.bias].map(|p| {
            let state = p.state.iter_mut().map(Vec::as_mut_slice).collect();
            (p.gradient.as_mut_slice(), state)
        })
    }

    /// `y = f(x W + b)` for `y.len() / outputs` rows.
    pub(crate) fn forward(&self, x: &[f32], y: &mut [f32]) {
        let rows = y.len() / self.outputs;
        multiply(y, 0.0, View::new(x, rows, self.inputs), self.weight_view());
        self.activate(y);
    }

    /// `y = f(x W + b)` on `parts` threads of the current pool, each with some of the outputs.
    pub(crate) fn forward_split(&self, x: &[f32], y: &mut [f32], parts: usize) {
        let rows = y.len() / self.outputs;
        let x = View::new(x, rows, self.inputs);
        multiply_split(y, x, self.weight_view(), parts);
        let chunk = rows.div_ceil(parts).max(1) * self.outputs;
        y.par_chunks_mut(chunk).for_each(|y| self.activate(y));
    }

    /// Whether threads should share the weights and not the rows: bringing weights into order for the
    /// product then costs more than meeting after the layer.
    pub(crate) fn is_large(&self) -> bool {
        const LARGE: usize = 1 << 19;
        self.inputs * self.outputs >= LARGE
    }

    fn activate(&self, y: &mut [f32]) {
        pointwise::forward(self.activation, y, &self.bias.values, self.outputs);
    }

    /// Turns the gradient of the layer's outputs `y` into that of what its activation was given.
    pub(crate) fn through_activation(&self, y: &[f32], dy: &mut [f32]) {
        pointwise::backward(self.activation, y, dy);
    }

    /// `dx = dy W'` where `dy` is the gradient before this layer's activation; `scratch` holds at least
    /// [`Dense::scratch`] numbers for each row.
    pub(crate) fn backward(&self, dy: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let rows = dy.len() / self.outputs;
        let dy = View::new(dy, rows, self.outputs);
        if self.scratch() == 0 {
            multiply(dx, 0.0, dy, self.weight_view().transposed());
        } else {
            let turned = &mut scratch[..dx.len()];
            multiply(turned, 0.0, self.weight_view(), dy.transposed());
            transpose(turned, self.inputs, dx);
        }
    }

    /// Numbers for each row that [`Dense::backward`] needs beside its result.
    ///
    /// `W dy'` reads the weights as they lie, `dy W'` turns them first; with wide layers that costs
    /// more than turning the result.
    pub(crate) fn scratch(&self) -> usize {
        const WIDE: usize = 256;
        if self.outputs < WIDE { 0 } else { self.inputs }
    }

    fn weight_view(&self) -> View<'_> {
        View::new(&self.weight.values, self.inputs, self.outputs)
    }
}

/// `gradient = momentum * gradient + x dy`, where `x` holds a row for each row of `gradient`.
pub(crate) fn weight_gradient(gradient: &mut [f32], momentum: f32, x: View<'_>, dy: View<'_>) {
    multiply(gradient, momentum, x, dy);
}

/// `gradient = momentum * gradient + column sums of dy`.
pub(crate) fn bias_gradient(gradient: &mut [f32], momentum: f32, dy: View<'_>) {
    for g in gradient.iter_mut() {
        // Not a product with 0, which would keep a NaN.
        *g = if momentum == 0.0 { 0.0 } else { momentum * *g };
    }
    add_column_sums(dy.data(), gradient);
}
