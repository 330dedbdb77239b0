//! How good the outputs of a network are on some rows.

use serde::{Deserialize, Serialize};

use crate::Targets;

/// The quality of a network's outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Score {
    /// Of a classifier.
    Classes {
        /// Share of rows whose largest logit is at the right class, in [0, 1].
        accuracy: f64,
        /// Mean over classes of the share of their rows that are right, in [0, 1].
        balanced_accuracy: f64,
        /// Mean of the training loss, in nats: cross-entropy, or that of a doubled softmax.
        loss: f64,
    },
    /// Of a regression.
    Values {
        /// Root mean square error of each target column, in standardised units.
        rmse: Vec<f64>,
        /// Coefficient of determination of each target column.
        r2: Vec<f64>,
        /// Mean of the training loss.
        loss: f64,
    },
}

impl Score {
    /// The mean loss.
    pub fn loss(&self) -> f64 {
        match self {
            Self::Classes { loss, .. } | Self::Values { loss, .. } => *loss,
        }
    }

    /// One number, higher is better: the accuracy, or minus the mean of the columns' errors.
    pub fn quality(&self) -> f64 {
        match self {
            Self::Classes { accuracy, .. } => *accuracy,
            Self::Values { rmse, .. } => -rmse.iter().sum::<f64>() / rmse.len() as f64,
        }
    }
}

/// Scores outputs chunk by chunk, so that they need not be held all at once.
#[derive(Debug)]
pub(crate) struct Scorer<'a> {
    targets: &'a Targets,
    rows: usize,
    loss: f64,
    tally: Tally<'a>,
}

/// What is counted, beside what it is counted against.
#[derive(Debug)]
enum Tally<'a> {
    /// Right rows and all rows, by class.
    Classes {
        labels: &'a [u32],
        right: Vec<u64>,
        all: Vec<u64>,
    },
    /// Sum of squared errors, by column.
    Values {
        values: &'a [f32],
        squares: Vec<f64>,
    },
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(targets: &'a Targets) -> Self {
        let outputs = targets.outputs();
        let tally = match targets {
            Targets::Classes { labels, .. } => Tally::Classes {
                labels,
                right: vec![0; outputs],
                all: vec![0; outputs],
            },
            Targets::Values { values, .. } => Tally::Values {
                values,
                squares: vec![0.0; outputs],
            },
        };
        Self {
            targets,
            rows: 0,
            loss: 0.0,
            tally,
        }
    }

    /// Adds the outputs of the next rows.
    pub(crate) fn add(&mut self, outputs: &[f32]) {
        let width = self.targets.outputs();
        let rows = self.rows..self.rows + outputs.len() / width;
        let mut unused = vec![0.0f32; outputs.len()];
        self.loss += self
            .targets
            .loss_and_gradient(rows.clone(), outputs, &mut unused);
        match &mut self.tally {
            Tally::Classes { labels, right, all } => {
                for (row, &label) in outputs.chunks_exact(width).zip(&labels[rows.clone()]) {
                    all[label as usize] += 1;
                    right[label as usize] += u64::from(largest(row) == label as usize);
                }
            }
            Tally::Values { values, squares } => {
                let wanted = &values[rows.start * width..rows.end * width];
                for (i, (&y, &t)) in outputs.iter().zip(wanted).enumerate() {
                    squares[i % width] += (f64::from(y) - f64::from(t)).powi(2);
                }
            }
        }
        self.rows = rows.end;
    }

    /// The score of all rows added so far.
    pub(crate) fn finish(self) -> Score {
        let rows = self.rows.max(1) as f64;
        // Losses were divided by the number of all rows; undo that where only some were added.
        let loss = self.loss * self.targets.rows() as f64 / rows;
        match self.tally {
            Tally::Classes { right, all, .. } => {
                let shares: Vec<f64> = right
                    .iter()
                    .zip(&all)
                    .filter(|&(_, &n)| n > 0)
                    .map(|(&r, &n)| r as f64 / n as f64)
                    .collect();
                Score::Classes {
                    accuracy: right.iter().sum::<u64>() as f64 / rows,
                    balanced_accuracy: shares.iter().sum::<f64>() / shares.len().max(1) as f64,
                    loss,
                }
            }
            Tally::Values { squares, .. } => {
                let r2 = squares
                    .iter()
                    .zip(spread(self.targets))
                    .map(|(s, total)| 1.0 - s / rows / total)
                    .collect();
                let rmse = squares.iter().map(|s| (s / rows).sqrt()).collect();
                Score::Values { rmse, r2, loss }
            }
        }
    }
}

/// Index of the largest logit; the first among equals; no class where all are NaN.
pub(crate) fn largest(row: &[f32]) -> usize {
    let mut best = (f32::NEG_INFINITY, usize::MAX);
    for (j, &v) in row.iter().enumerate() {
        if v > best.0 {
            best = (v, j);
        }
    }
    best.1
}

/// Variance of each target column.
fn spread(targets: &Targets) -> Vec<f64> {
    let Targets::Values {
        values, columns, ..
    } = targets
    else {
        return vec![];
    };
    let rows = targets.rows() as f64;
    (0..*columns)
        .map(|c| {
            let column = || {
                values
                    .iter()
                    .skip(c)
                    .step_by(*columns)
                    .map(|&v| f64::from(v))
            };
            let mean = column().sum::<f64>() / rows;
            column().map(|v| (v - mean).powi(2)).sum::<f64>() / rows
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RegressionLoss;

    #[test]
    fn accuracy_counts_rows_and_balance_counts_classes() {
        let targets = Targets::Classes {
            labels: vec![0, 0, 0, 1],
            weights: vec![1.0; 3],
            loss: crate::ClassLoss::CrossEntropy,
        };
        let mut scorer = Scorer::new(&targets);
        scorer.add(&[2., 0., 0., 2., 0., 0.]);
        scorer.add(&[2., 0., 0., 2., 0., 0.]);
        let Score::Classes {
            accuracy,
            balanced_accuracy,
            ..
        } = scorer.finish()
        else {
            panic!("classes give a classification score")
        };
        assert_eq!(accuracy, 0.75);
        assert_eq!(balanced_accuracy, 0.5);
    }

    #[test]
    fn not_a_number_is_never_right() {
        let targets = Targets::Classes {
            labels: vec![0],
            weights: vec![1.0; 2],
            loss: crate::ClassLoss::CrossEntropy,
        };
        let mut scorer = Scorer::new(&targets);
        scorer.add(&[f32::NAN, f32::NAN]);
        assert_eq!(scorer.finish().quality(), 0.0);
    }

    #[test]
    fn predicting_the_mean_explains_nothing() {
        let targets = Targets::Values {
            loss: RegressionLoss::MeanSquared,
            values: vec![1.0, 10.0, 3.0, 30.0],
            columns: 2,
        };
        let mut scorer = Scorer::new(&targets);
        scorer.add(&[2.0, 20.0, 2.0, 20.0]);
        let score = scorer.finish();
        assert_eq!(
            score,
            Score::Values {
                rmse: vec![1.0, 10.0],
                r2: vec![0.0, 0.0],
                loss: 50.5
            }
        );
        assert_eq!(score.quality(), -5.5);
    }
}
