//! The law of initial weights and biases.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use secateur_graph::Unary;

use crate::{Error, Result};

/// The law of initial weights and biases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Normal with a variance that keeps the scale of what flows through: 2/in before rectifiers
    /// (He et al. 2015, eq. 10), 2/(in + out) before tanh and sigmoid (Glorot & Bengio 2010, eq. 12),
    /// 1/in where no function follows: at the output, so that the first loss does not depend on the width. Biases are
    /// zero.
    Scaled,
    /// Normal, drawn anew beyond two standard deviations, whatever the widths: as in the published script.
    TruncatedNormal {
        /// Standard deviation before truncation; above zero.
        deviation: f32,
        /// Every bias.
        bias: f32,
    },
}

/// Where a truncated normal ends, in standard deviations.
const TRUNCATION: f32 = 2.0;

impl Init {
    /// The law, if its numbers are in their ranges.
    ///
    /// # Errors
    /// If a deviation is not a positive number, or a bias is not finite.
    pub fn checked(self) -> Result<Self> {
        let Self::TruncatedNormal { deviation, bias } = self else {
            return Ok(self);
        };
        if !(deviation.is_finite() && deviation > 0.0) {
            return Err(
                Error::settings(format!("{deviation} is not a positive deviation"))
                    .at("init")
                    .hint("0.1 is the published one: truncated-normal:0.1"),
            );
        }
        if !bias.is_finite() {
            return Err(Error::settings(format!("{bias} is not a bias"))
                .at("init")
                .hint("0.1 is the published one: truncated-normal:0.1:0.1"));
        }
        Ok(self)
    }

    /// Weights of a layer and the value of its biases: `outputs` sums over `inputs` numbers each, so many weights, in
    /// whatever order as all are drawn alike; `activation` is the function behind them, if any.
    pub(super) fn draw(
        self,
        (inputs, outputs): (usize, usize),
        activation: Option<Unary>,
        rng: &mut ChaCha8Rng,
    ) -> Result<(Vec<f32>, f32)> {
        let (deviation, bias, most) = match self.checked()? {
            Self::Scaled => {
                let variance = match activation {
                    None => 1.0 / inputs as f32,
                    Some(Unary::Relu | Unary::LeakyRelu { .. }) => 2.0 / inputs as f32,
                    Some(Unary::Elu { .. } | Unary::Softplus | Unary::HardSwish) => {
                        2.0 / inputs as f32
                    }
                    Some(_) => 2.0 / (inputs + outputs) as f32,
                };
                (variance.sqrt(), 0.0, f32::INFINITY)
            }
            Self::TruncatedNormal { deviation, bias } => (deviation, bias, TRUNCATION * deviation),
        };
        let normal = Normal::new(0.0, deviation)
            .map_err(|e| Error::settings(format!("initial weights: {e}")))?;
        let mut one = || loop {
            let weight = normal.sample(rng);
            if weight.abs() <= most {
                return weight;
            }
        };
        Ok(((0..inputs * outputs).map(|_| one()).collect(), bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laws_that_draw_nothing_useful_are_refused() {
        let law = |deviation, bias| Init::TruncatedNormal { deviation, bias }.checked();
        assert!(law(0.1, -0.1).is_ok() && Init::Scaled.checked().is_ok());
        for (deviation, bias) in [
            (0.0, 0.0),
            (-0.1, 0.0),
            (f32::NAN, 0.0),
            (f32::INFINITY, 0.0),
            (0.1, f32::NAN),
        ] {
            let error = law(deviation, bias).unwrap_err();
            assert_eq!(error.place(), Some("init"), "{deviation} {bias}");
        }
    }

    #[test]
    fn scaled_weights_keep_the_variance_of_what_goes_through() {
        use rand_chacha::rand_core::SeedableRng;

        let (inputs, outputs) = (160, 90);
        let leaky = Unary::LeakyRelu { alpha: 0.1 };
        for (activation, wanted) in [
            (None, 1.0 / 160.0),
            (Some(Unary::Relu), 2.0 / 160.0),
            (Some(leaky), 2.0 / 160.0),
            (Some(Unary::HardSwish), 2.0 / 160.0),
            (Some(Unary::Tanh), 2.0 / 250.0),
            (Some(Unary::Sigmoid), 2.0 / 250.0),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let drawn = Init::Scaled.draw((inputs, outputs), activation, &mut rng);
            let (weights, bias) = drawn.unwrap();
            assert_eq!((weights.len(), bias), (inputs * outputs, 0.0));
            let squares = weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
            let variance = squares / weights.len() as f64;
            // Five deviations of the variance of so many draws.
            assert!(
                (variance / wanted - 1.0).abs() < 0.06,
                "{activation:?} {variance}"
            );
        }
    }
}
