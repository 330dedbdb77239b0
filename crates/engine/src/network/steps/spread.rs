//! Convolution backwards, `ConvTranspose`: every place of the input adds a window to the output.
//!
//! It is the adjoint of the convolution that reads its output and makes its input, with the weights as they are: that
//! convolution's gradient of the input is the way forward here, and its way forward is the gradient of the input.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work};
use super::Filters;
use crate::Activation;
use crate::kernels::conv::Planes;
use crate::kernels::pointwise;

/// A transposed convolution with constant weights.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    /// The convolution from the output of this step to its input.
    pub(crate) kernel: Planes,
    /// `[inputs, outputs / groups, ..., height, width]`
    pub(crate) filters: Filters,
}

impl Work for Spread {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn parameters(&self) -> Vec<usize> {
        self.filters.parameters()
    }

    fn sums(&self) -> Sums {
        self.filters
            .sums(&self.kernel, self.kernel.shape().in_stride)
    }

    fn scratch(&self) -> usize {
        self.kernel.scratch_len() + self.kernel.out_len()
    }

    fn prepare(&self, parameters: &[Parameter], state: &mut State) {
        let weight = &parameters[self.filters.weight].values;
        state.packed.resize(self.kernel.packed_len());
        self.kernel.pack(weight, &mut state.packed);
        state.turned.resize(self.kernel.turned_len());
        self.kernel.pack_turned(weight, &mut state.turned);
        state.channels = vec![];
        if let Some(bias) = self.filters.bias {
            let mut bias = parameters[bias].values.clone();
            bias.resize(self.kernel.shape().in_stride, 0.0);
            state.channels.push(bias);
        }
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        scratch: &mut [f32],
        shared: Shared<'_>,
    ) {
        let turned = &shared.state.turned;
        self.kernel
            .input_gradient(x.get(0), turned, y, false, scratch);
        if let Some(bias) = shared.state.channels.first() {
            pointwise::forward(Activation::Identity, y, bias, bias.len());
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
        let packed = &shared.state.packed;
        if !dx.add {
            self.kernel
                .forward(dy, packed, &[], false, dx.gradient, scratch);
            return;
        }
        // The way forward of a convolution does not add.
        let (own, scratch) = scratch.split_at_mut(self.kernel.out_len());
        self.kernel.forward(dy, packed, &[], false, own, scratch);
        for (dx, own) in dx.gradient.iter_mut().zip(own) {
            *dx += *own;
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
        self.kernel
            .weight_gradient(dy, x.get(0), &mut sums.gradients[0], scratch);
        self.filters.bias_gradient(dy, sums);
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        self.filters.finish(&self.kernel, sums, parameters);
    }
}
