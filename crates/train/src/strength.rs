//! How strong the penalty is at each moment of a run.

use crate::StrengthChoice;

/// Lambda over a run: fixed, or steered by what validation rows say.
///
/// `auto` starts where the penalty equals the loss at the first step, as PruneTrain does with another
/// share (Lym et al. 2019, section 4.1), and then moves in small factors: up while the validation
/// quality stays near the best seen so far, down where it has fallen behind.
#[derive(Debug, Clone)]
pub(crate) struct Lambda {
    choice: StrengthChoice,
    now: Option<f64>,
    best: f64,
}

/// How far the validation quality may fall behind before the penalty eases: 0.5 points of accuracy.
const ACCURACY_SLACK: f64 = 0.005;
/// The same for regression, as a share of the best error.
const ERROR_SLACK: f64 = 0.02;
/// Factor of lambda an epoch while the quality holds.
const RISE: f64 = 1.1;
/// Factor of lambda an epoch while it does not.
const FALL: f64 = 0.8;

impl Lambda {
    pub(crate) fn new(choice: StrengthChoice) -> Self {
        let now = match choice {
            StrengthChoice::Fixed(lambda) => Some(lambda),
            StrengthChoice::Auto => None,
        };
        Self {
            choice,
            now,
            best: f64::NEG_INFINITY,
        }
    }

    /// Lambda now, from the first loss and the penalty's value at lambda = 1 if it is still open.
    pub(crate) fn value(&mut self, first: impl FnOnce() -> (f64, f64)) -> f64 {
        *self.now.get_or_insert_with(|| {
            let (loss, penalty) = first();
            if penalty > 0.0 { loss / penalty } else { 0.0 }
        })
    }

    /// Lambda as last used; 0 before the first step.
    pub(crate) fn last(&self) -> f64 {
        self.now.unwrap_or(0.0)
    }

    /// Steers after an epoch; `quality` as in [`crate::Score::quality`], on `rows` rows.
    pub(crate) fn after_epoch(&mut self, quality: f64, rows: usize) {
        let (StrengthChoice::Auto, Some(now)) = (self.choice, &mut self.now) else {
            return;
        };
        self.best = self.best.max(quality);
        let slack = if self.best > 0.0 {
            // An accuracy: one standard error of the difference is noise.
            let noise = (self.best * (1.0 - self.best) / rows as f64).sqrt();
            ACCURACY_SLACK.max(noise)
        } else {
            ERROR_SLACK * self.best.abs()
        };
        *now *= if quality >= self.best - slack {
            RISE
        } else {
            FALL
        };
    }
}
