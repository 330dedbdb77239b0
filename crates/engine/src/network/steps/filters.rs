//! The parameters of a convolution, whichever way it goes: filters, and perhaps a bias.

use super::super::Parameter;
use super::super::step::Sums;
use crate::aligned::Aligned;
use crate::kernels::conv::Planes;
use crate::kernels::pointwise::add_column_sums;

/// Weights of a kernel, with the bias of what it makes.
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    pub(crate) weight: usize,
    pub(crate) bias: Option<usize>,
}

impl Filters {
    pub(super) fn parameters(&self) -> Vec<usize> {
        let all = [Some(self.weight), self.bias];
        all.into_iter().flatten().collect()
    }

    /// Room for the gradients, where a place of the output has `pixel` numbers.
    pub(super) fn sums(&self, kernel: &Planes, pixel: usize) -> Sums {
        let bias = self.bias.map_or(0, |_| pixel);
        Sums {
            gradients: vec![Aligned::zeros(kernel.gradient_len()), Aligned::zeros(bias)],
            channels: vec![],
        }
    }

    /// Adds the gradient of the bias: that of the output, added up over its places.
    pub(super) fn bias_gradient(&self, dy: &[f32], sums: &mut Sums) {
        if self.bias.is_some() {
            add_column_sums(dy, &mut sums.gradients[1]);
        }
    }

    /// Adds the gradients of all threads to those of the parameters.
    pub(super) fn finish(&self, kernel: &Planes, sums: &[&Sums], parameters: &mut [Parameter]) {
        for part in sums {
            let gradient = &mut parameters[self.weight].gradient;
            kernel.unpack_gradient(&part.gradients[0], 1.0, gradient);
            if let Some(bias) = self.bias {
                let gradient = parameters[bias].gradient.iter_mut();
                let own = gradient.zip(part.gradients[1].iter());
                own.for_each(|(g, v)| *g += v);
            }
        }
    }
}
