//! Batch normalisation by the statistics of the batch (Ioffe and Szegedy 2015, algorithm 1), or by running ones.
//!
//! Threads meet twice: [`Statistics`] adds up each channel while it is in the cache, behind the step that makes it, and
//! [`Normalise`] uses the sums; on the way back it is the other way round.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work, channel_sums};
use super::activate::pass_on;
use crate::Activation;
use crate::kernels::channels;

/// The parameters of a normalisation, by their places among all parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub(crate) scale: usize,
    pub(crate) shift: usize,
    pub(crate) mean: usize,
    pub(crate) variance: usize,
    pub(crate) epsilon: f32,
    /// Share of the running statistics that a batch leaves.
    pub(crate) momentum: f32,
}

impl Running {
    /// `a` and `c` of `y = a x + c` by running statistics.
    pub(crate) fn scale_and_shift(&self, parameters: &[Parameter]) -> (Vec<f32>, Vec<f32>) {
        let [scale, shift, mean, variance] =
            [self.scale, self.shift, self.mean, self.variance].map(|p| &parameters[p].values);
        let a: Vec<f32> = scale
            .iter()
            .zip(variance)
            .map(|(s, v)| (f64::from(*s) / (f64::from(*v) + f64::from(self.epsilon)).sqrt()) as f32)
            .collect();
        let c = a.iter().zip(shift).zip(mean);
        let c = c.map(|((a, shift), mean)| shift - mean * a).collect();
        (a, c)
    }
}

/// Places in [`State::channels`] that both steps share.
const FACTOR: usize = 0;
const SHIFT: usize = 1;
/// Of the batch: its mean, and one over its standard deviation.
const MEAN: usize = 2;
const INVERSE: usize = 3;
/// Of the way back: `dx = GRADIENT * dy + INPUT * x + CONSTANT`.
const GRADIENT: usize = 4;
const INPUT: usize = 5;
const CONSTANT: usize = 6;
const VECTORS: usize = 7;

/// Sums of each channel of its input, and the last step of the way back through the normalisation.
///
/// It shares the state of the [`Normalise`] step behind it, whose output's gradient is what it is given.
#[derive(Debug, Clone)]
pub(crate) struct Statistics {
    pub(crate) norm: Running,
    pub(crate) channels: usize,
    pub(crate) pixel: usize,
    /// Places of a row.
    pub(crate) places: usize,
}

impl Work for Statistics {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn parameters(&self) -> Vec<usize> {
        vec![]
    }

    fn sums(&self) -> Sums {
        Sums {
            gradients: vec![],
            channels: vec![vec![0.0; self.pixel]; 2],
        }
    }

    fn prepare(&self, parameters: &[Parameter], state: &mut State) {
        state
            .channels
            .resize_with(VECTORS, || vec![0.0; self.pixel]);
        // Numbers are added up from the running mean, so that little cancels; not from the mean of the batch before, which would
        // make a step depend on more than the parameters.
        let mean = &parameters[self.norm.mean].values;
        state.channels[MEAN][..mean.len()].copy_from_slice(mean);
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        _: &mut [f32],
        sums: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let [first, second] = &mut sums.channels[..] else {
            return;
        };
        channels::moments(x.get(0), &shared.state.channels[MEAN], first, second);
    }

    fn meet_forward(
        &self,
        sums: &[&Sums],
        rows: usize,
        parameters: &[Parameter],
        state: &mut State,
    ) {
        let n = (rows * self.places) as f64;
        let (first, second) = (channel_sums(sums, 0), channel_sums(sums, 1));
        let [scale, shift] = [self.norm.scale, self.norm.shift].map(|p| &parameters[p].values);
        for c in 0..self.channels {
            let about = f64::from(state.channels[MEAN][c]);
            let moved = first[c] / n;
            // Rounding must not make a variance negative.
            let variance = (second[c] / n - moved * moved).max(0.0);
            let inverse = 1.0 / (variance + f64::from(self.norm.epsilon)).sqrt();
            let mean = about + moved;
            let factor = f64::from(scale[c]) * inverse;
            state.channels[MEAN][c] = mean as f32;
            state.channels[INVERSE][c] = inverse as f32;
            state.channels[FACTOR][c] = factor as f32;
            state.channels[SHIFT][c] = (f64::from(shift[c]) - mean * factor) as f32;
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let factors = [GRADIENT, INPUT, CONSTANT].map(|v| shared.state.channels[v].as_slice());
        channels::combine(factors, dy, x.get(0), dx.gradient, dx.add);
    }

    /// Moves the running statistics towards those of the batch, with the variance that is right on average, as PyTorch does.
    fn measured(&self, rows: usize, state: &State, parameters: &mut [Parameter]) {
        let n = (rows * self.places) as f64;
        let keep = f64::from(self.norm.momentum);
        for c in 0..self.channels {
            let inverse = f64::from(state.channels[INVERSE][c]);
            let variance = (1.0 / (inverse * inverse) - f64::from(self.norm.epsilon)).max(0.0);
            let variance = variance * n / (n - 1.0).max(1.0);
            for (which, batch) in [
                (self.norm.mean, f64::from(state.channels[MEAN][c])),
                (self.norm.variance, variance),
            ] {
                let running = &mut parameters[which].values[c];
                *running = (keep * f64::from(*running) + (1.0 - keep) * batch) as f32;
            }
        }
    }
}

/// `y = f(a x + c + r)`, where `r` is an optional second input.
#[derive(Debug, Clone)]
pub(crate) struct Normalise {
    pub(crate) norm: Running,
    pub(crate) function: Activation,
    pub(crate) has_residual: bool,
    pub(crate) channels: usize,
    pub(crate) pixel: usize,
    pub(crate) places: usize,
    /// Whether by the statistics of the batch.
    pub(crate) trains: bool,
}

impl Work for Normalise {
    fn needs_input(&self, k: usize) -> bool {
        k == 0
    }

    fn needs_output(&self) -> bool {
        self.function != Activation::Identity
    }

    fn runs_in_place(&self, k: usize) -> bool {
        !self.trains && k == 0
    }

    fn parameters(&self) -> Vec<usize> {
        vec![self.norm.scale, self.norm.shift]
    }

    fn sums(&self) -> Sums {
        Sums {
            gradients: vec![],
            channels: vec![vec![0.0; self.pixel]; 2],
        }
    }

    fn prepare(&self, parameters: &[Parameter], state: &mut State) {
        if !self.trains {
            let (mut a, mut c) = self.norm.scale_and_shift(parameters);
            a.resize(self.pixel, 0.0);
            c.resize(self.pixel, 0.0);
            state.channels = vec![a, c];
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
        let (a, c) = (
            &shared.state.channels[FACTOR],
            &shared.state.channels[SHIFT],
        );
        let residual = if self.has_residual { x.get(1) } else { &[] };
        channels::normalise(self.function, [a, c], x.get(0), residual, y);
    }

    fn through_output(
        &self,
        x: &dyn Inputs,
        y: &[f32],
        dy: &mut [f32],
        sums: &mut Sums,
        shared: Shared<'_>,
    ) {
        let mean = &shared.state.channels[MEAN];
        let [first, second] = &mut sums.channels[..] else {
            return;
        };
        channels::normalise_backward(self.function, y, x.get(0), mean, dy, first, second);
    }

    fn meet_backward(
        &self,
        sums: &[&Sums],
        rows: usize,
        parameters: &[Parameter],
        state: &mut State,
    ) {
        let n = (rows * self.places) as f64;
        let (plain, along) = (channel_sums(sums, 0), channel_sums(sums, 1));
        let scale = &parameters[self.norm.scale].values;
        for c in 0..self.channels {
            let inverse = f64::from(state.channels[INVERSE][c]);
            let mean = f64::from(state.channels[MEAN][c]);
            let factor = f64::from(scale[c]) * inverse;
            // `dx = factor (dy - mean(dy) - xhat mean(dy xhat))`, with `along` the sum of `dy (x - mean)`.
            let slope = along[c] * inverse * inverse / n;
            state.channels[GRADIENT][c] = factor as f32;
            state.channels[INPUT][c] = (-factor * slope) as f32;
            state.channels[CONSTANT][c] = (factor * (slope * mean - plain[c] / n)) as f32;
        }
    }

    fn input_gradient(
        &self,
        k: usize,
        _: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        // That of the normalised input waits for the sums of the batch.
        if k == 1 {
            pass_on(dy, dx);
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, state: &State, parameters: &mut [Parameter]) {
        let (plain, along) = (channel_sums(sums, 0), channel_sums(sums, 1));
        for c in 0..self.channels {
            let inverse = f64::from(state.channels[INVERSE][c]);
            parameters[self.norm.shift].gradient[c] += plain[c] as f32;
            parameters[self.norm.scale].gradient[c] += (along[c] * inverse) as f32;
        }
    }
}
