//! Sets for function fitting, drawn from known formulas with known noise, so that a fit can be held against the truth.
//!
//! Inputs are uniform on the set's domain, the noise is Gaussian, and both come from a fixed seed, so that everybody
//! fits the same rows (up to the last bit, where platforms differ in `sin` and `exp`).

mod formulas;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::dataset::{Dataset, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::options::{LoadOptions, Task};

/// The one target column.
const TARGET: &str = "y";
/// The stream of a set's generator that gives the inputs.
const INPUTS: u64 = 0;
/// The stream that gives the noise: apart, so that no input depends on how many numbers a normal draw consumed.
const NOISE: u64 = 1;

/// What a set is drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// What [`load`](crate::load) knows it by.
    pub name: &'static str,
    /// The function as text, for reports; one input is called `x`, several are `x1`, `x2`.
    pub formula: &'static str,
    /// The number of inputs.
    pub inputs: usize,
    /// The least and the greatest value of every input.
    pub domain: (f32, f32),
    /// Standard deviation of the noise on the target, in the target's unit: the least RMSE that can be expected on
    /// rows that were not trained on.
    pub noise: f32,
    /// The number of rows.
    pub rows: usize,
    seed: u64,
    function: fn(&[f64]) -> f64,
}

impl Drawn {
    /// The function without noise.
    ///
    /// # Panics
    /// If `x` does not hold [`inputs`](Self::inputs) numbers.
    pub fn value(&self, x: &[f64]) -> f64 {
        assert_eq!(x.len(), self.inputs, "{} takes its inputs", self.name);
        (self.function)(x)
    }
}

impl std::fmt::Display for Drawn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, with Gaussian noise of standard deviation {}",
            self.formula, self.noise
        )
    }
}

/// What a data set was drawn from, if it was.
pub fn of(dataset: &Dataset) -> Option<&'static Drawn> {
    dataset.truth()?;
    all().iter().find(|drawn| drawn.name == dataset.name())
}

/// All drawn sets, those of one input first.
pub fn all() -> &'static [Drawn] {
    &formulas::ALL
}

/// Draws the set `name`, if there is one.
///
/// # Errors
/// Options that ask for another target or for classes.
pub(crate) fn read(name: &str, options: &LoadOptions) -> Option<Result<Dataset>> {
    let drawn = all().iter().find(|drawn| drawn.name == name)?;
    Some(
        check(drawn, options)
            .and_then(|()| draw(drawn))
            .map_err(|error| error.in_file(name)),
    )
}

/// The truth is known for one target only.
fn check(drawn: &Drawn, options: &LoadOptions) -> Result<()> {
    let number = (drawn.inputs + 1).to_string();
    let mut asked = options.target.iter().flatten();
    if let Some(other) = asked.find(|name| **name != TARGET && **name != number) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("`{other}` cannot be predicted: a drawn set has one target, `{TARGET}`"),
        )
        .hint("leave the target out"));
    }
    if options.task == Some(Task::Classification) {
        return Err(Error::new(
            ErrorKind::Usage,
            "the target is a number with noise, which is no class",
        )
        .hint("leave the task out, or choose regression"));
    }
    Ok(())
}

fn draw(drawn: &Drawn) -> Result<Dataset> {
    let mut inputs = ChaCha8Rng::seed_from_u64(drawn.seed);
    inputs.set_stream(INPUTS);
    let mut noise = ChaCha8Rng::seed_from_u64(drawn.seed);
    noise.set_stream(NOISE);
    let (low, high) = (f64::from(drawn.domain.0), f64::from(drawn.domain.1));
    let cells: Vec<f32> = (0..drawn.rows * drawn.inputs)
        .map(|_| inputs.random_range(low..high) as f32)
        .collect();
    // Of the rounded inputs, so that the truth is that of the numbers a network sees.
    let exact = cells.chunks_exact(drawn.inputs).map(|row| {
        let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
        drawn.value(&row)
    });
    let (truth, values) = exact
        .map(|value| {
            let normal: f64 = StandardNormal.sample(&mut noise);
            let observed = value + f64::from(drawn.noise) * normal;
            (value as f32, observed as f32)
        })
        .unzip();
    let names = match drawn.inputs {
        1 => vec!["x".into()],
        several => (1..=several).map(|input| format!("x{input}")).collect(),
    };
    let columns = vec![TARGET.into()];
    let features = Features::new(Storage::F32(cells), drawn.inputs)?;
    let dataset = Dataset::new(drawn.name, features, Target::Values { columns, values })?;
    Ok(dataset.with_feature_names(names).with_truth(truth))
}

#[cfg(test)]
mod tests;
