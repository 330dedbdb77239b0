//! Convolution over any number of axes, with batch normalisation folded into its weights where nothing is trained.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work};
use super::{Filters, Running};
use crate::kernels::conv::Planes;

/// A convolution with constant weights.
#[derive(Debug, Clone)]
pub(crate) struct Convolve {
    pub(crate) kernel: Planes,
    /// `[outputs, inputs / groups, ..., height, width]`
    pub(crate) filters: Filters,
    /// A normalisation by running statistics that follows.
    pub(crate) norm: Option<Running>,
    /// Whether negative results become 0.
    pub(crate) relu: bool,
    pub(crate) trains: bool,
}

impl Convolve {
    /// Numbers of a row of the input and of the output.
    fn lengths(&self) -> [usize; 2] {
        [self.kernel.in_len(), self.kernel.out_len()]
    }

    fn bias<'s>(&self, state: &'s State) -> &'s [f32] {
        state.channels.first().map_or(&[], Vec::as_slice)
    }
}

impl Work for Convolve {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn needs_output(&self) -> bool {
        self.relu
    }

    fn parameters(&self) -> Vec<usize> {
        self.filters.parameters()
    }

    fn sums(&self) -> Sums {
        self.filters
            .sums(&self.kernel, self.kernel.shape().out_stride)
    }

    fn scratch(&self) -> usize {
        self.kernel.scratch_len()
    }

    fn prepare(&self, parameters: &[Parameter], state: &mut State) {
        let weight = &parameters[self.filters.weight];
        let outputs = weight.shape[0];
        let mut bias = vec![0.0; self.kernel.shape().out_stride];
        if let Some(own) = self.filters.bias {
            bias[..outputs].copy_from_slice(&parameters[own].values);
        }
        state.packed.resize(self.kernel.packed_len());
        match &self.norm {
            Some(norm) => {
                let (scale, shift) = norm.scale_and_shift(parameters);
                let mut scaled = weight.values.clone();
                let filter = scaled.len() / outputs.max(1);
                for (filter, a) in scaled.chunks_exact_mut(filter.max(1)).zip(&scale) {
                    filter.iter_mut().for_each(|w| *w *= a);
                }
                for ((b, a), c) in bias.iter_mut().zip(&scale).zip(&shift) {
                    *b = *b * a + c;
                }
                self.kernel.pack(&scaled, &mut state.packed);
            }
            None => self.kernel.pack(&weight.values, &mut state.packed),
        }
        if self.trains {
            state.turned.resize(self.kernel.turned_len());
            self.kernel.pack_turned(&weight.values, &mut state.turned);
        }
        let is_shifted = self.filters.bias.is_some() || self.norm.is_some();
        state.channels = if is_shifted { vec![bias] } else { vec![] };
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        scratch: &mut [f32],
        shared: Shared<'_>,
    ) {
        let state = shared.state;
        let [from, to] = self.lengths();
        for (x, y) in x.get(0).chunks_exact(from).zip(y.chunks_exact_mut(to)) {
            let bias = self.bias(state);
            self.kernel
                .forward(x, &state.packed, bias, self.relu, y, scratch);
        }
    }

    fn through_output(
        &self,
        _: &dyn Inputs,
        y: &[f32],
        dy: &mut [f32],
        _: &mut Sums,
        _: Shared<'_>,
    ) {
        if self.relu {
            crate::kernels::pointwise::backward(crate::Activation::Relu, y, dy);
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        _: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        scratch: &mut [f32],
        shared: Shared<'_>,
    ) {
        let [from, to] = self.lengths();
        let rows = dy.chunks_exact(to).zip(dx.gradient.chunks_exact_mut(from));
        for (dy, gradient) in rows {
            self.kernel
                .input_gradient(dy, &shared.state.turned, gradient, dx.add, scratch);
        }
    }

    fn parameter_gradient(
        &self,
        x: &dyn Inputs,
        dy: &[f32],
        sums: &mut Sums,
        scratch: &mut [f32],
        _: Shared<'_>,
    ) {
        let [from, to] = self.lengths();
        for (x, dy) in x.get(0).chunks_exact(from).zip(dy.chunks_exact(to)) {
            self.kernel
                .weight_gradient(x, dy, &mut sums.gradients[0], scratch);
            self.filters.bias_gradient(dy, sums);
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        self.filters.finish(&self.kernel, sums, parameters);
    }
}
