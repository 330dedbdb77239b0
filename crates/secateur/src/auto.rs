//! Finds the strength on validation rows: the strongest whose halving gains nothing worth having.

use secateur_train::{Score, Settings, StrengthChoice, Trained};
use serde::Serialize;

use crate::Result;

/// Factors of the strength at which penalty and loss are equal, in the order of trial. Strong penalties
/// come first because their runs are the shortest.
const FACTORS: [f64; 3] = [1.0, 0.5, 0.25];
/// Gain of accuracy that a weaker penalty must bring to be preferred.
const ACCURACY_GAIN: f64 = 0.002;
/// The same for regression, as a share of the error.
const ERROR_GAIN: f64 = 0.01;

/// One strength that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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

/// Trains with one strength after the other and returns the chosen run with all that were tried.
///
/// A run that was cut short ends the search, and is the result unless a complete one came before.
pub(crate) fn search(
    settings: &Settings,
    mut train: impl FnMut(&Settings) -> Result<Trained>,
) -> Result<(Trained, Vec<Try>)> {
    let mut tries = vec![];
    let mut chosen: Option<Trained> = None;
    for factor in FACTORS {
        let mut settings = settings.clone();
        if let Some(penalty) = &mut settings.penalty {
            penalty.strength = StrengthChoice::Balance(factor);
        }
        let trained = train(&settings)?;
        tries.push(Try::of(&trained));
        let complete = trained.is_complete();
        let better = match chosen
            .as_ref()
            .and_then(|c| c.epochs.last())
            .zip(trained.epochs.last())
        {
            Some((before, now)) => complete && is_worth_it(&before.validation, &now.validation),
            None => true,
        };
        if !better {
            break;
        }
        chosen = Some(trained);
        if !complete {
            break;
        }
    }
    let chosen = chosen.ok_or_else(|| crate::Error::usage("no strength was tried"))?;
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

fn is_worth_it(stronger: &Score, weaker: &Score) -> bool {
    let gain = weaker.quality() - stronger.quality();
    match stronger {
        Score::Classes { .. } => gain > ACCURACY_GAIN,
        Score::Values { .. } => gain > ERROR_GAIN * stronger.quality().abs(),
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
    fn a_weaker_penalty_must_gain_a_fifth_of_a_point_or_one_per_cent() {
        assert!(is_worth_it(&accuracy(0.980), &accuracy(0.983)));
        assert!(!is_worth_it(&accuracy(0.980), &accuracy(0.981)));
        assert!(!is_worth_it(&accuracy(0.980), &accuracy(0.9)));
        assert!(is_worth_it(&error(1.0), &error(0.98)));
        assert!(!is_worth_it(&error(1.0), &error(0.995)));
    }
}
