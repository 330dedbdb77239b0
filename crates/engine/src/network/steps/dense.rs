//! Rows times a weight matrix: `y = x W + b`.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work, add_up};
use crate::Activation;
use crate::aligned::Aligned;
use crate::kernels::pointwise::{self, add_column_sums};
use crate::matrix::{View, multiply};

/// A product with constant weights, for all rows of a thread at once.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    /// The weights, `[inputs, outputs]`, or `[outputs, inputs]` where transposed.
    pub(crate) weight: usize,
    pub(crate) bias: Option<usize>,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) transposed: bool,
}

impl Dense {
    fn weights<'p>(&self, parameters: &'p [Parameter]) -> View<'p> {
        let values = parameters[self.weight].values.as_slice();
        match self.transposed {
            true => View::new(values, self.outputs, self.inputs).transposed(),
            false => View::new(values, self.inputs, self.outputs),
        }
    }
}

impl Work for Dense {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn takes_all_rows(&self) -> bool {
        true
    }

    fn parameters(&self) -> Vec<usize> {
        [Some(self.weight), self.bias]
            .into_iter()
            .flatten()
            .collect()
    }

    fn sums(&self) -> Sums {
        let bias = self.bias.map_or(0, |_| self.outputs);
        Sums {
            gradients: vec![
                Aligned::zeros(self.inputs * self.outputs),
                Aligned::zeros(bias),
            ],
            channels: vec![],
        }
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let rows = y.len() / self.outputs;
        let x = View::new(x.get(0), rows, self.inputs);
        multiply(y, 0.0, x, self.weights(shared.parameters));
        if let Some(bias) = self.bias {
            let bias = &shared.parameters[bias].values;
            pointwise::forward(Activation::Identity, y, bias, self.outputs);
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        _: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let rows = dy.len() / self.outputs;
        let dy = View::new(dy, rows, self.outputs);
        let keep = if dx.add { 1.0 } else { 0.0 };
        multiply(
            dx.gradient,
            keep,
            dy,
            self.weights(shared.parameters).transposed(),
        );
    }

    fn parameter_gradient(
        &self,
        x: &dyn Inputs,
        dy: &[f32],
        sums: &mut Sums,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        let rows = dy.len() / self.outputs;
        let x = View::new(x.get(0), rows, self.inputs);
        let gradient = View::new(dy, rows, self.outputs);
        let into = &mut sums.gradients[0];
        match self.transposed {
            true => multiply(into, 1.0, gradient.transposed(), x),
            false => multiply(into, 1.0, x.transposed(), gradient),
        }
        if self.bias.is_some() {
            add_column_sums(dy, &mut sums.gradients[1]);
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        let part = |which: usize| sums.iter().map(move |s| &*s.gradients[which]);
        add_up(part(0), &mut parameters[self.weight].gradient);
        if let Some(bias) = self.bias {
            add_up(part(1), &mut parameters[bias].gradient);
        }
    }
}
