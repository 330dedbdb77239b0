//! How the learning rate changes over the steps of a run.

use std::f64::consts::PI;

/// The shape of the learning rate over a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decay {
    /// The same rate throughout.
    Constant,
    /// Multiplied by `factor` after each of `stages - 1` equal stretches.
    Step {
        /// Number of stretches; at least 1.
        stages: u32,
        /// Factor between stretches, in (0, 1].
        factor: f64,
    },
    /// Half a cosine from the peak to zero (Loshchilov & Hutter 2017, without restarts).
    Cosine,
}

/// Learning rate by step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// What happens after warm-up.
    pub decay: Decay,
    /// Steps over which the rate rises linearly to the peak.
    pub warm_up: usize,
    /// Steps of the whole run.
    pub steps: usize,
}

impl Schedule {
    /// The rate of step `step`, counted from 0.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warm_up {
            return self.peak * (step + 1) as f64 / self.warm_up as f64;
        }
        let length = self.steps.saturating_sub(self.warm_up).max(1);
        let done = ((step - self.warm_up) as f64 / length as f64).min(1.0);
        match self.decay {
            Decay::Constant => self.peak,
            Decay::Step { stages, factor } => {
                let stage = (done * f64::from(stages))
                    .floor()
                    .min(f64::from(stages - 1));
                self.peak * factor.powf(stage)
            }
            Decay::Cosine => self.peak * 0.5 * (1.0 + (PI * done).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warm_up_reaches_the_peak_and_cosine_ends_near_zero() {
        let s = Schedule {
            peak: 0.2,
            decay: Decay::Cosine,
            warm_up: 10,
            steps: 110,
        };
        assert!((s.rate(0) - 0.02).abs() < 1e-15);
        assert!((s.rate(9) - 0.2).abs() < 1e-15);
        assert!((s.rate(10) - 0.2).abs() < 1e-15);
        assert!((s.rate(60) - 0.1).abs() < 1e-15);
        assert!(s.rate(109) < 1e-4);
        assert!((10..109).all(|i| s.rate(i) >= s.rate(i + 1)));
    }

    #[test]
    fn steps_are_equal_stretches() {
        let decay = Decay::Step {
            stages: 3,
            factor: 0.1,
        };
        let s = Schedule {
            peak: 1.0,
            decay,
            warm_up: 0,
            steps: 9,
        };
        let rates: Vec<f64> = (0..9).map(|i| s.rate(i)).collect();
        for (i, rate) in rates.iter().enumerate() {
            assert!(
                (rate - 0.1f64.powi(i as i32 / 3)).abs() < 1e-12,
                "{rates:?}"
            );
        }
    }
}
