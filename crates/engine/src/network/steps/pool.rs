//! Windows that slide over the places of each channel: the largest number, or the mean.

use super::super::step::{Inputs, Into, Shared, Sums, Work};
use crate::kernels::pooling;

/// What is taken of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The largest number; the first of equal ones has the gradient.
    Largest,
    /// The mean of the places within the image.
    Mean,
    /// The sum divided by the places of the window, padding included.
    MeanOfAll,
}

/// Pooling of an image.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) taken: Taken,
    /// For each output place its taps: the offsets of the input places that it reads.
    pub(crate) taps: Vec<Vec<u32>>,
    /// For each output place, one over what a mean is divided by.
    pub(crate) shares: Vec<f32>,
    /// Numbers a place.
    pub(crate) pixel: usize,
    /// Numbers of a row of the input.
    pub(crate) input: usize,
}

impl Work for Pool {
    fn needs_input(&self, _k: usize) -> bool {
        self.taken == Taken::Largest
    }

    fn needs_output(&self) -> bool {
        self.taken == Taken::Largest
    }

    fn forward(&self, x: &dyn Inputs, y: &mut [f32], _: &mut Sums, _: &mut [f32], _: Shared<'_>) {
        let output = self.taps.len() * self.pixel;
        let rows = x.get(0).chunks_exact(self.input);
        for (x, y) in rows.zip(y.chunks_exact_mut(output)) {
            match self.taken {
                Taken::Largest => pooling::largest(x, &self.taps, self.pixel, y),
                Taken::Mean | Taken::MeanOfAll => {
                    pooling::mean(x, &self.taps, &self.shares, self.pixel, y);
                }
            }
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        x: &dyn Inputs,
        y: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        if !dx.add {
            dx.gradient.fill(0.0);
        }
        let output = self.taps.len() * self.pixel;
        for (row, dx) in dx.gradient.chunks_exact_mut(self.input).enumerate() {
            let own = row * output..(row + 1) * output;
            let dy = &dy[own.clone()];
            match self.taken {
                Taken::Largest => {
                    let x = &x.get(0)[row * self.input..(row + 1) * self.input];
                    pooling::largest_back(x, &y[own], dy, &self.taps, self.pixel, dx);
                }
                Taken::Mean | Taken::MeanOfAll => {
                    pooling::mean_back(dy, &self.taps, &self.shares, self.pixel, dx);
                }
            }
        }
    }
}
