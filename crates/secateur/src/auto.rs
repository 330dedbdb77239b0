//! Finds the strength on validation rows: the strongest that they can show to cost little.

use secateur_train::{Score, Settings, StrengthChoice, Trained};
use serde::{Deserialize, Serialize};

use crate::Result;

/// Factors of the strength at which penalty and loss are equal, in the order of trial.
const FACTORS: [f64; 3] = [0.25, 0.5, 1.0];
/// Accuracy that a stronger penalty may cost.
const ACCURACY_COST: f64 = 0.005;
/// The same for regression, as a share of the error.
const ERROR_COST: f64 = 0.02;

/// One strength that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// Lambda.
    pub strength: f64,
    /// Accuracy on the validation rows, or minus the mean RMSE in standardised units.
    pub validation_quality: f64,
    /// Multiply-accumulate operations a row that were left.
    pub macs: u64,
    /// Training time in seconds.
    pub seconds: f64,
}

/// Trains with the mildest strength, then with stronger ones while `rows` validation rows show that
/// they cost at most half a point of accuracy, or 2 % of the error, against the mildest.
///
/// Too few rows cannot show that whatever comes out; then the mildest is the only one tried. A run that
/// was cut short ends the search, and is the result unless a complete one came before.
pub(crate) fn search(
    settings: &Settings,
    rows: usize,
    mut train: impl FnMut(&Settings) -> Result<Trained>,
) -> Result<(Trained, Vec<Try>)> {
    let at = |factor: f64| {
        let mut settings = settings.clone();
        if let Some(penalty) = &mut settings.penalty {
            penalty.strength = StrengthChoice::Balance(factor);
        }
        settings
    };
    let mut chosen = train(&at(FACTORS[0]))?;
    let mut tries = vec![Try::of(&chosen)];
    let Some(mildest) = chosen.epochs.last().map(|e| e.validation.clone()) else {
        return Ok((chosen, tries));
    };
    for factor in &FACTORS[1..] {
        if !chosen.is_complete() || !is_affordable(&mildest, &mildest, rows) {
            break;
        }
        let stronger = train(&at(*factor))?;
        tries.push(Try::of(&stronger));
        let affordable = stronger
            .epochs
            .last()
            .is_some_and(|e| is_affordable(&mildest, &e.validation, rows));
        if !(stronger.is_complete() && affordable) {
            break;
        }
        chosen = stronger;
    }
    Ok((chosen, tries))
}

impl Try {
    fn of(trained: &Trained) -> Self {
        let last = trained.epochs.last();
        Self {
            strength: trained.lambda,
            validation_quality: last.map_or(f64::NAN, |e| e.validation.quality()),
            macs: last.map_or(0, |e| e.macs),
            seconds: trained.seconds.total,
        }
    }
}

/// Whether what `strong` loses against `mild`, and one standard error on top, is little.
fn is_affordable(mild: &Score, strong: &Score, rows: usize) -> bool {
    let loss = mild.quality() - strong.quality();
    let rows = rows.max(1) as f64;
    match mild {
        Score::Classes { accuracy, .. } => {
            // Of the difference of two shares, taken as independent, which overstates it.
            let noise = (2.0 * accuracy * (1.0 - accuracy) / rows).sqrt();
            loss + noise <= ACCURACY_COST
        }
        Score::Values { .. } => {
            // Of the difference of two root mean squares of normal errors.
            let noise = mild.quality().abs() / rows.sqrt();
            loss + noise <= ERROR_COST * mild.quality().abs()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(rmse: f64) -> Score {
        Score::Values {
            rmse: vec![rmse],
            r2: vec![0.0],
            loss: 0.0,
        }
    }

    fn accuracy(accuracy: f64) -> Score {
        Score::Classes {
            accuracy,
            balanced_accuracy: 0.0,
            loss: 0.0,
        }
    }

    #[test]
    fn many_rows_can_show_that_a_small_loss_is_affordable() {
        assert!(is_affordable(&accuracy(0.98), &accuracy(0.979), 5_000));
        assert!(!is_affordable(&accuracy(0.98), &accuracy(0.976), 5_000));
        assert!(is_affordable(&error(1.0), &error(1.004), 5_000));
        assert!(!is_affordable(&error(1.0), &error(1.01), 5_000));
    }

    #[test]
    fn few_rows_can_show_nothing() {
        assert!(!is_affordable(&accuracy(0.98), &accuracy(0.98), 180));
        assert!(!is_affordable(&error(1.0), &error(1.0), 103));
    }

    #[test]
    fn not_a_number_is_never_affordable() {
        assert!(!is_affordable(&error(1.0), &error(f64::NAN), 1_000_000));
    }
}
