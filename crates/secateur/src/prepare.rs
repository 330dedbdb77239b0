//! Turns a data set into standardised rows for training, validation and test.

use std::sync::Arc;

use secateur_data::{Dataset, Split, SplitOptions, Standardiser, Target, TargetScaler, split};
use secateur_train::{ClassLoss, RegressionLoss, Rows, Table, Targets};

use crate::{Config, Origin, Result};

/// A data set with its split and the scaling measured on its training rows.
#[derive(Debug)]
pub struct Prepared {
    /// As it was read.
    pub dataset: Arc<Dataset>,
    /// Which rows are for what; the same for all arms of a seed.
    pub split: Split,
    /// From raw features to what the network is trained on.
    pub standardiser: Standardiser,
    /// The same for regression targets.
    pub target_scaler: Option<TargetScaler>,
}

impl Prepared {
    /// Splits by the seed of `config`, and scales as that says, by the training rows.
    ///
    /// # Errors
    /// If there are too few rows to split, or the scaling does not fit the data.
    pub fn new(dataset: Arc<Dataset>, config: &Config) -> Result<Self> {
        let split = split(&dataset, config.seed.unwrap_or(0), &SplitOptions::default())?;
        let origin = Origin::of(config)?;
        let scaling = origin.scaling(config, &dataset, &split.train)?;
        let standardiser = dataset.standardiser(&split.train, scaling)?;
        let target_scaler = match (&origin, dataset.target()) {
            // The file puts out the target's own units, before and after.
            (Origin::Model(_), Target::Values { columns, .. }) => {
                Some(TargetScaler::identity(columns.len()))
            }
            (_, target) => TargetScaler::fit(target, &split.train),
        };
        Ok(Self {
            dataset,
            split,
            standardiser,
            target_scaler,
        })
    }

    /// Standardised features and targets of the given rows.
    ///
    /// # Errors
    /// If there are none.
    pub fn rows(
        &self,
        rows: &[u32],
        class_loss: ClassLoss,
        loss: RegressionLoss,
        balanced: bool,
    ) -> Result<Rows> {
        let columns = self.dataset.inputs();
        let mut values = Table::zeros(rows.len() * columns);
        self.dataset
            .gather(rows, None, &self.standardiser, &mut values);
        Ok(Rows::of_table(
            values,
            columns,
            self.targets(rows, class_loss, loss, balanced),
        )?)
    }

    /// Raw features of the given rows, as the written model takes them.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn raw(&self, rows: &[u32]) -> Result<Vec<f32>> {
        let mut values = vec![0.0; rows.len() * self.dataset.inputs()];
        self.dataset
            .try_gather(rows, None, &self.standardiser.unscaled(), &mut values)?;
        Ok(values)
    }

    pub(crate) fn targets(
        &self,
        rows: &[u32],
        class_loss: ClassLoss,
        loss: RegressionLoss,
        balanced: bool,
    ) -> Targets {
        match self.dataset.target() {
            Target::Classes { labels, names } => Targets::Classes {
                labels: rows.iter().map(|&r| labels[r as usize]).collect(),
                weights: match balanced {
                    true => balanced_weights(labels, &self.split.train, names.len()),
                    false => vec![1.0; names.len()],
                },
                loss: class_loss,
            },
            Target::Values { columns, values } => {
                let width = columns.len();
                let mut picked = Vec::with_capacity(rows.len() * width);
                for &r in rows {
                    picked.extend_from_slice(&values[r as usize * width..][..width]);
                }
                if let Some(scaler) = &self.target_scaler {
                    scaler.apply(&mut picked);
                }
                Targets::Values {
                    loss,
                    values: picked,
                    columns: width,
                }
            }
        }
    }
}

/// `rows / (classes * rows of the class)`, so that each class counts the same and the mean is 1.
fn balanced_weights(labels: &[u32], train: &[u32], classes: usize) -> Vec<f32> {
    let mut counts = vec![0usize; classes];
    for &row in train {
        counts[labels[row as usize] as usize] += 1;
    }
    let share = |&n: &usize| train.len() as f32 / (classes * n.max(1)) as f32;
    counts.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_classes_weigh_the_same_in_sum() {
        let labels = [0, 0, 0, 1];
        let weights = balanced_weights(&labels, &[0, 1, 2, 3], 2);
        assert_eq!(weights[0] * 3.0, weights[1]);
        assert_eq!(weights[0] * 3.0 + weights[1], 4.0);
    }
}
