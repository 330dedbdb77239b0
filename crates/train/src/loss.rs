//! How far outputs are from their targets, and in which direction to move them.

use std::ops::Range;

use crate::row_loss::{Scalar, cross_entropy_row, double_softmax_row};

/// Distance between predicted and true numbers, averaged over rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RegressionLoss {
    /// `(y - t)^2`
    MeanSquared,
    /// `|y - t|`
    MeanAbsolute,
    /// `(y - t)^2 / 2` up to `delta`, linear beyond (Huber 1964).
    Huber {
        /// Where the loss turns linear, in units of the standardised target; above zero.
        delta: f64,
    },
}

impl RegressionLoss {
    /// Loss and derivative for one residual.
    fn at(self, residual: f64) -> (f64, f64) {
        match self {
            Self::MeanSquared => (residual * residual, 2.0 * residual),
            Self::MeanAbsolute if residual == 0.0 => (0.0, 0.0),
            Self::MeanAbsolute => (residual.abs(), residual.signum()),
            Self::Huber { delta } if residual.abs() > delta => (
                delta * (residual.abs() - 0.5 * delta),
                delta * residual.signum(),
            ),
            Self::Huber { .. } => (0.5 * residual * residual, residual),
        }
    }
}

/// What classifiers minimise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClassLoss {
    /// Cross-entropy of the softmax of the outputs.
    #[default]
    CrossEntropy,
    /// Cross-entropy of the softmax of the softmax of the outputs, as in the published script, where it is
    /// an oversight: it is never below `ln(1 + (classes - 1) / e)`, 1.461 for ten classes.
    DoubleSoftmax,
}

/// The targets of some rows together with the loss that fits them.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Softmax cross-entropy on logits; one label a row.
    Classes {
        /// Index of the right class, below the number of outputs.
        labels: Vec<u32>,
        /// Factor on the loss of each class.
        weights: Vec<f32>,
        /// What is minimised.
        loss: ClassLoss,
    },
    /// A regression loss on standardised targets.
    Values {
        /// The distance.
        loss: RegressionLoss,
        /// Rows x columns, row-major.
        values: Vec<f32>,
        /// Numbers a row.
        columns: usize,
    },
}

impl Targets {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values {
                values, columns, ..
            } => values.len() / columns,
        }
    }

    /// Numbers that the network must put out for a row.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Classes { weights, .. } => weights.len(),
            Self::Values { columns, .. } => *columns,
        }
    }

    /// Replaces `self` by the given rows of `all`, without allocating anew.
    pub fn gather_from(&mut self, all: &Targets, rows: &[u32]) {
        match (self, all) {
            (
                Self::Classes {
                    labels,
                    weights,
                    loss,
                },
                Self::Classes {
                    labels: from,
                    weights: of,
                    loss: kind,
                },
            ) => {
                *loss = *kind;
                weights.clone_from(of);
                labels.clear();
                labels.extend(rows.iter().map(|&r| from[r as usize]));
            }
            (
                Self::Values {
                    loss,
                    values,
                    columns,
                },
                Self::Values {
                    loss: kind,
                    values: from,
                    columns: width,
                },
            ) => {
                (*loss, *columns) = (*kind, *width);
                values.clear();
                for &r in rows {
                    let start = r as usize * *width;
                    values.extend_from_slice(&from[start..start + *width]);
                }
            }
            (this, all) => {
                *this = all.clone();
                this.gather_from(all, rows);
            }
        }
    }

    /// Sum of the losses of `rows`, divided by the number of all rows, and its gradient.
    ///
    /// `outputs` and `gradient` hold the rows of the range only, row-major.
    pub fn loss_and_gradient<T: Scalar>(
        &self,
        rows: Range<usize>,
        outputs: &[T],
        gradient: &mut [T],
    ) -> f64 {
        match self {
            Self::Classes {
                labels,
                weights,
                loss,
            } => {
                let share = 1.0 / labels.len() as f64;
                let width = weights.len();
                let mut sum = 0.0;
                for ((&label, row), into) in labels[rows]
                    .iter()
                    .zip(outputs.chunks_exact(width))
                    .zip(gradient.chunks_exact_mut(width))
                {
                    let weight = f64::from(weights[label as usize]) * share;
                    let label = label as usize;
                    sum += weight
                        * match loss {
                            ClassLoss::CrossEntropy => cross_entropy_row(row, label, weight, into),
                            ClassLoss::DoubleSoftmax => {
                                double_softmax_row(row, label, weight, into)
                            }
                        };
                }
                sum
            }
            Self::Values {
                loss,
                values,
                columns,
            } => {
                let share = 1.0 / values.len() as f64;
                let wanted = &values[rows.start * columns..rows.end * columns];
                let mut sum = 0.0;
                for ((&y, &t), into) in outputs.iter().zip(wanted).zip(gradient) {
                    let (value, slope) = loss.at(y.wide() - f64::from(t));
                    sum += value;
                    *into = T::of(slope * share);
                }
                sum * share
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(targets: &Targets, y: &[f64]) -> f64 {
        targets.loss_and_gradient(0..targets.rows(), y, &mut vec![0.0; y.len()])
    }

    /// Slope of `|L(y + h v) - L(y) - h <g, v>|` against h, on a log-log scale: 2 where the
    /// gradient is right.
    fn taylor_slope(targets: &Targets, y: &[f64], v: &[f64]) -> Option<f64> {
        let mut g = vec![0.0; y.len()];
        let at = targets.loss_and_gradient(0..targets.rows(), y, &mut g);
        let along: f64 = g.iter().zip(v).map(|(a, b)| a * b).sum();
        let rest = |h: f64| {
            let moved: Vec<f64> = y.iter().zip(v).map(|(a, b)| a + h * b).collect();
            (value(targets, &moved) - at - h * along).abs()
        };
        let (coarse, fine) = (rest(1e-2), rest(1e-3));
        // A remainder at rounding level means that the loss is linear along v.
        (fine > 1e-12 * at.abs()).then(|| (coarse / fine).log10())
    }

    fn all_losses() -> Vec<Targets> {
        let classes = Targets::Classes {
            labels: vec![2, 0, 1, 2],
            weights: vec![0.5, 1.5, 1.0],
            loss: ClassLoss::CrossEntropy,
        };
        let values: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
        let of = |loss| Targets::Values {
            loss,
            values: values.clone(),
            columns: 3,
        };
        let double = Targets::Classes {
            labels: vec![2, 0, 1, 2],
            weights: vec![0.5, 1.5, 1.0],
            loss: ClassLoss::DoubleSoftmax,
        };
        vec![
            classes,
            double,
            of(RegressionLoss::MeanSquared),
            of(RegressionLoss::MeanAbsolute),
            of(RegressionLoss::Huber { delta: 0.8 }),
        ]
    }

    #[test]
    fn gradients_leave_a_second_order_remainder() {
        // Far enough from the kinks of the absolute and the Huber loss for steps of 0.01.
        let y: Vec<f64> = (0..12).map(|i| 1.7 * (i as f64 * 1.3).cos()).collect();
        let v: Vec<f64> = (0..12).map(|i| (i as f64 * 2.1 + 0.4).sin()).collect();
        for targets in all_losses() {
            if let Some(slope) = taylor_slope(&targets, &y, &v) {
                assert!((1.9..2.1).contains(&slope), "{targets:?}: slope {slope}");
            } else {
                let linear = RegressionLoss::MeanAbsolute;
                assert!(matches!(targets, Targets::Values { loss, .. } if loss == linear));
            }
        }
    }

    #[test]
    fn losses_have_their_textbook_values() {
        let uniform = Targets::Classes {
            labels: vec![1],
            weights: vec![1.0; 4],
            loss: ClassLoss::CrossEntropy,
        };
        assert!((value(&uniform, &[3.0; 4]) - 4f64.ln()).abs() < 1e-12);
        let double = Targets::Classes {
            labels: vec![1],
            weights: vec![1.0; 10],
            loss: ClassLoss::DoubleSoftmax,
        };
        let mut sure = [0.0; 10];
        assert!((value(&double, &sure) - 10f64.ln()).abs() < 1e-12);
        sure[1] = 1e3;
        assert!((value(&double, &sure) - (1.0 + 9.0 / 1f64.exp()).ln()).abs() < 1e-12);
        let huber = Targets::Values {
            loss: RegressionLoss::Huber { delta: 1.0 },
            values: vec![0.0, 0.0],
            columns: 1,
        };
        assert_eq!(value(&huber, &[3.0, 0.5]), (2.5 + 0.125) / 2.0);
    }

    #[test]
    fn chunks_of_rows_add_up_to_the_whole() {
        let y: Vec<f64> = (0..12).map(|i| (i as f64).sin()).collect();
        for targets in all_losses() {
            let mut whole = vec![0.0; 12];
            let sum = targets.loss_and_gradient(0..4, &y, &mut whole);
            let mut parts = vec![0.0; 12];
            let (a, b) = parts.split_at_mut(3);
            let first = targets.loss_and_gradient(0..1, &y[..3], a);
            let rest = targets.loss_and_gradient(1..4, &y[3..], b);
            assert!((sum - first - rest).abs() < 1e-12);
            assert_eq!(whole, parts);
        }
    }

    #[test]
    fn huge_logits_do_not_overflow_and_nan_stays() {
        for loss in [ClassLoss::CrossEntropy, ClassLoss::DoubleSoftmax] {
            let targets = Targets::Classes {
                labels: vec![0],
                weights: vec![1.0, 1.0],
                loss,
            };
            let mut g = [0.0f32; 2];
            let huge = targets.loss_and_gradient(0..1, &[1e30f32, -1e30], &mut g);
            assert!(huge.is_finite() && huge < 0.32, "{huge}");
            for row in [[f32::NAN, 0.0], [0.0, f32::NAN]] {
                assert!(targets.loss_and_gradient(0..1, &row, &mut g).is_nan());
                assert!(g.iter().all(|g| g.is_nan()), "{loss:?}: {g:?}");
            }
        }
    }
}
