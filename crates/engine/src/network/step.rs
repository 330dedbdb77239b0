//! One operation of a planned network: a closed set, so that the compiler leads whoever adds one.

use super::Parameter;
use super::steps::{
    Activate, Binary, Choose, Convolve, Dense, Fold, Function, Move, Normalise, Pool, Product,
    Reduce, Softmax, Spread, Standardise, Statistics, Still, Stretch,
};
use crate::aligned::Aligned;

/// What is computed, for some rows at a time, forwards and backwards.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Convolution of an image.
    Convolve(Convolve),
    /// Product of rows with a weight matrix.
    Dense(Dense),
    /// Sums of each channel over the batch.
    Statistics(Statistics),
    /// Batch normalisation by those sums, with what follows in the same pass.
    Normalise(Normalise),
    /// A function whose derivative its result tells.
    Activate(Activate),
    /// A function whose derivative needs its input.
    Function(Function),
    /// What has no derivative.
    Still(Still),
    /// Arithmetic of two operands with broadcasting.
    Binary(Binary),
    /// Of two operands the one that a condition names.
    Choose(Choose),
    /// Convolution backwards.
    Spread(Spread),
    /// Shares along an axis that sum to 1, or their logarithms.
    Softmax(Softmax),
    /// Normalisation of a row by its own numbers.
    Standardise(Standardise),
    /// Products of matrices, of which both may flow.
    Product(Product),
    /// Extremes, norms, products and logarithms of sums over axes.
    Fold(Fold),
    /// Linear interpolation along an axis.
    Stretch(Stretch),
    /// Numbers in other places.
    Move(Move),
    /// Windows over each channel.
    Pool(Pool),
    /// Sums and means over axes.
    Reduce(Reduce),
}

/// What a step holds beside its shape: parameters as its kernels like them, and figures of the batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Weights for the way forward.
    pub(crate) packed: Aligned,
    /// Weights for the way back.
    pub(crate) turned: Aligned,
    /// Numbers for each channel, by what the step calls them.
    pub(crate) channels: Vec<Vec<f32>>,
}

/// What one thread adds up over its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    /// Gradients of parameters, as the kernels make them.
    pub(crate) gradients: Vec<Aligned>,
    /// Sums of each channel.
    pub(crate) channels: Vec<Vec<f64>>,
}

impl Sums {
    pub(crate) fn clear(&mut self) {
        self.gradients.iter_mut().for_each(|v| v.fill(0.0));
        self.channels.iter_mut().for_each(|v| v.fill(0.0));
    }
}

/// The inputs of a step for some rows.
pub(crate) trait Inputs {
    /// Those rows of input `k`; empty where the step runs in place.
    fn get(&self, k: usize) -> &[f32];
}

/// What is shared by all threads while a step runs.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) parameters: &'a [Parameter],
    pub(crate) state: &'a State,
}

/// The gradient that a step adds to, or begins.
pub(crate) struct Into<'a> {
    /// Of one input.
    pub(crate) gradient: &'a mut [f32],
    /// Whether it holds a part of the gradient already.
    pub(crate) add: bool,
}

macro_rules! each {
    ($step:expr, $inner:ident => $call:expr) => {
        match $step {
            Step::Convolve($inner) => $call,
            Step::Dense($inner) => $call,
            Step::Statistics($inner) => $call,
            Step::Normalise($inner) => $call,
            Step::Activate($inner) => $call,
            Step::Function($inner) => $call,
            Step::Still($inner) => $call,
            Step::Binary($inner) => $call,
            Step::Choose($inner) => $call,
            Step::Spread($inner) => $call,
            Step::Softmax($inner) => $call,
            Step::Standardise($inner) => $call,
            Step::Product($inner) => $call,
            Step::Fold($inner) => $call,
            Step::Stretch($inner) => $call,
            Step::Move($inner) => $call,
            Step::Pool($inner) => $call,
            Step::Reduce($inner) => $call,
        }
    };
}

/// What every step can do; what it leaves out does nothing.
pub(crate) trait Work {
    /// Whether the output has a derivative in input `k` that is not 0 everywhere.
    fn differentiates(&self, _k: usize) -> bool {
        true
    }

    /// Whether input `k` is needed on the way back.
    fn needs_input(&self, _k: usize) -> bool {
        false
    }

    /// Whether the output is needed on the way back.
    fn needs_output(&self) -> bool {
        false
    }

    /// Whether the output may overwrite input `k`, if nobody else needs that.
    fn runs_in_place(&self, _k: usize) -> bool {
        false
    }

    /// Whether the gradient of input `k` is that of the output as it is. The two lie alike then, padding included.
    fn passes_gradient(&self, _k: usize) -> bool {
        false
    }

    /// Whether all rows of a thread are taken at once, and not one after the other.
    fn takes_all_rows(&self) -> bool {
        false
    }

    /// The parameters that the step reads.
    fn parameters(&self) -> Vec<usize> {
        vec![]
    }

    /// Room for what a thread adds up.
    fn sums(&self) -> Sums {
        Sums::default()
    }

    /// Numbers of scratch that a thread needs for one row.
    fn scratch(&self) -> usize {
        0
    }

    /// Brings parameters into the order that the kernels like.
    fn prepare(&self, _parameters: &[Parameter], _state: &mut State) {}

    /// Writes the output; `y` holds the input already where the step runs in place.
    fn forward(
        &self,
        _x: &dyn Inputs,
        _y: &mut [f32],
        _sums: &mut Sums,
        _scratch: &mut [f32],
        _shared: Shared<'_>,
    ) {
    }

    /// Turns the gradient of the output into that of what is computed last, in place.
    fn through_output(
        &self,
        _x: &dyn Inputs,
        _y: &[f32],
        _dy: &mut [f32],
        _sums: &mut Sums,
        _shared: Shared<'_>,
    ) {
    }

    /// The gradient of input `k`.
    fn input_gradient(
        &self,
        k: usize,
        x: &dyn Inputs,
        y: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        scratch: &mut [f32],
        shared: Shared<'_>,
    );

    /// Adds the gradients of parameters to `sums`.
    fn parameter_gradient(
        &self,
        _x: &dyn Inputs,
        _dy: &[f32],
        _sums: &mut Sums,
        _scratch: &mut [f32],
        _shared: Shared<'_>,
    ) {
    }

    /// Brings together what threads added up over `rows` rows on the way forward.
    fn meet_forward(
        &self,
        _sums: &[&Sums],
        _rows: usize,
        _parameters: &[Parameter],
        _state: &mut State,
    ) {
    }

    /// Brings together what threads added up on the way back.
    fn meet_backward(
        &self,
        _sums: &[&Sums],
        _rows: usize,
        _parameters: &[Parameter],
        _state: &mut State,
    ) {
    }

    /// Takes what was measured of `rows` rows on the way forward into parameters that are not trained.
    fn measured(&self, _rows: usize, _state: &State, _parameters: &mut [Parameter]) {}

    /// Adds the gradients of all threads, of `rows` rows, to those of the parameters.
    fn finish(&self, _sums: &[&Sums], _rows: usize, _state: &State, _parameters: &mut [Parameter]) {
    }
}

impl Step {
    /// What the step can do.
    pub(crate) fn work(&self) -> &dyn Work {
        each!(self, step => step)
    }

    /// Whether threads must meet behind the step on the way forward.
    pub(crate) fn meets_forward(&self) -> bool {
        matches!(self, Step::Statistics(_))
    }

    /// Whether threads must meet behind the step on the way back.
    pub(crate) fn meets_backward(&self) -> bool {
        matches!(self, Step::Normalise(_))
    }
}

/// Sums of what threads added up, in the order of threads, into `into`.
pub(crate) fn add_up<'s>(parts: impl Iterator<Item = &'s [f32]>, into: &mut [f32]) {
    for part in parts {
        for (sum, v) in into.iter_mut().zip(part) {
            *sum += v;
        }
    }
}

/// Sums of what threads added up by channel, in the order of threads.
pub(crate) fn channel_sums(sums: &[&Sums], which: usize) -> Vec<f64> {
    let mut total = vec![0.0; sums.first().map_or(0, |s| s.channels[which].len())];
    for part in sums {
        for (sum, v) in total.iter_mut().zip(&part.channels[which]) {
            *sum += v;
        }
    }
    total
}
