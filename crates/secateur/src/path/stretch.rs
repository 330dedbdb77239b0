//! How a point of a path is trained: as a network from scratch, for a part of the time.

use secateur_prox::{Limit, Part, Share};
use secateur_train::{PenaltySettings, Rows, Settings, StrengthChoice, Table};

use crate::{Error, Result};

/// Share of the epochs of the full run that one cut takes. As later cuts train smaller networks, all of a path together take about
/// as long as the network that it starts from.
///
/// The rate is that of the full run, which falls anew in each cut: units that stay must take over what others did, and trained
/// weights that move slowly do not (as Renda et al. 2020 found, who call it rewinding the learning rate). On digits, a tenth or a
/// third of it left points below a twentieth of the MACs far behind, and gained nothing above.
const EPOCHS: f64 = 0.2;
/// Penalty over loss at the first step where the strength is left open: the mildest that compress tries.
const BALANCE: f64 = 0.25;

/// The settings of a network without a penalty, to start a path from.
pub(super) fn dense(full: &Settings) -> Settings {
    Settings {
        penalty: None,
        settle: 0,
        ..full.clone()
    }
}

/// The settings of a cut that leaves `share` of the MACs of the network that it starts from: a stretch under the penalty, half-way
/// through which units are ranked and go, and one without it, in the proportion of the full run.
///
/// # Errors
/// If the penalty cannot remove units.
pub(super) fn cut(full: &Settings, share: Share) -> Result<Settings> {
    let Some(penalty) = full.penalty else {
        return Err(Error::usage("a path needs a penalty").at("--penalty"));
    };
    let scaled = |epochs: usize| (epochs as f64 * EPOCHS).round() as usize;
    // One to rank units and one to settle, at least.
    let epochs = scaled(full.epochs).max(2);
    let part = |of: usize| (epochs.saturating_mul(of)).div_ceil(full.epochs.max(1));
    Ok(Settings {
        epochs,
        steps: None,
        settle: part(full.settle).min(epochs - 1),
        warm_up: scaled(full.warm_up),
        penalty: Some(PenaltySettings {
            part: Part::Budget {
                limit: Limit::macs(share),
            },
            // Each cut is a stage.
            stages: 1,
            ..penalty
        }),
        ..full.clone()
    }
    .checked()?)
}

/// The settings of the first steps of a run under a mild penalty on all units, whose lambda all cuts of a path share.
///
/// Where the strength is left open it weighs the penalty against the loss, and a network that is trained has next to none left:
/// weighed anew for each cut, the penalty would do nothing.
pub(super) fn probe(full: &Settings) -> Settings {
    Settings {
        penalty: full.penalty.map(|penalty| PenaltySettings {
            part: Part::Full,
            strength: StrengthChoice::Balance(BALANCE),
            ..penalty
        }),
        ..full.clone()
    }
}

/// The settings with this lambda.
pub(super) fn with_lambda(full: &Settings, lambda: f64) -> Settings {
    Settings {
        penalty: full.penalty.map(|penalty| PenaltySettings {
            strength: StrengthChoice::Fixed(lambda),
            ..penalty
        }),
        ..full.clone()
    }
}

/// The same rows with the features of `columns` alone, as a network that was cut before reads them.
///
/// # Errors
/// If the rows cannot be read.
pub(super) fn narrowed(rows: &Rows, columns: &[usize]) -> Result<Rows> {
    let features = rows.features(0, rows.len())?;
    let mut values = Table::zeros(rows.len() * columns.len());
    let from = features.chunks_exact(rows.columns());
    for (row, to) in from.zip(values.chunks_exact_mut(columns.len().max(1))) {
        for (value, &column) in to.iter_mut().zip(columns) {
            *value = row[column];
        }
    }
    Ok(Rows::of_table(
        values,
        columns.len(),
        rows.targets().clone(),
    )?)
}

#[cfg(test)]
mod tests {
    use secateur_data::EMBEDDED;
    use secateur_train::Targets;

    use super::*;
    use crate::{Config, Plan, load_data};

    fn full(change: impl Fn(&mut Config)) -> Settings {
        let mut config = Config {
            data: Some(EMBEDDED[0].into()),
            part: Some("budget:5%".into()),
            epochs: Some(50),
            settle: Some(20),
            ..Config::default()
        };
        change(&mut config);
        let dataset = load_data(&config, None).unwrap();
        Plan::new(&config, &dataset, 1000).unwrap().settings
    }

    #[test]
    fn a_cut_is_a_short_run_in_the_same_proportions() {
        let share = Share::new(0.7).unwrap();
        let settings = cut(&full(|c| c.warm_up = Some(10)), share).unwrap();
        assert_eq!(
            (settings.epochs, settings.settle, settings.warm_up),
            (10, 4, 2)
        );
        let part = settings.penalty.unwrap().part;
        assert_eq!(
            part,
            Part::Budget {
                limit: Limit::macs(share)
            }
        );
        let steps = full(|c| (c.epochs, c.settle, c.steps) = (None, Some(0), Some(320)));
        let settings = cut(&steps, share).unwrap();
        // 10 epochs of 32 steps.
        assert_eq!(
            (settings.epochs, settings.settle, settings.steps),
            (2, 0, None)
        );
    }

    #[test]
    fn the_shortest_cut_has_an_epoch_to_rank_in_and_one_to_settle() {
        let share = Share::new(0.7).unwrap();
        for (epochs, settle) in [(1, 0), (2, 1), (3, 2), (9, 3)] {
            let full = full(|c| (c.epochs, c.settle) = (Some(epochs), Some(settle)));
            let settings = cut(&full, share).unwrap();
            assert_eq!(
                (settings.epochs, settings.settle),
                (2, usize::from(settle > 0))
            );
        }
    }

    #[test]
    fn penalties_that_remove_nothing_are_refused() {
        let mut settings = full(|_| {});
        settings.penalty = settings.penalty.map(|penalty| PenaltySettings {
            penalty: "l2".parse().unwrap(),
            ..penalty
        });
        assert!(cut(&settings, Share::new(0.5).unwrap()).is_err());
    }

    #[test]
    fn rows_keep_the_features_that_are_read() {
        let targets = || Targets::Values {
            loss: secateur_train::RegressionLoss::MeanSquared,
            values: vec![0.0, 1.0],
            columns: 1,
        };
        let rows = Rows::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, targets()).unwrap();
        let narrow = narrowed(&rows, &[0, 2]).unwrap();
        assert_eq!(*narrow.features(0, 2).unwrap(), [1.0, 3.0, 4.0, 6.0]);
    }
}
