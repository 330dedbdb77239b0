//! Some of the rows, drawn by a seed.

use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Features, Gather, Rows};
use crate::{Result, Table};

/// Stream of random numbers for the rows that are drawn.
const DRAW_STREAM: u64 = 4;

/// Rows of another source, in another order.
struct Drawn {
    from: Arc<dyn Gather>,
    rows: Vec<u32>,
}

impl Gather for Drawn {
    fn gather(&self, rows: &[u32], epoch: Option<usize>, out: &mut [f32]) -> Result<()> {
        let own: Vec<u32> = rows.iter().map(|&row| self.rows[row as usize]).collect();
        self.from.gather(&own, epoch, out)
    }
}

impl Rows {
    /// So many of the rows, or all if there are no more: each once, in an order that the seed draws.
    pub(crate) fn drawn(&self, most: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(DRAW_STREAM);
        let mut all: Vec<u32> = (0..self.len() as u32).collect();
        let rows = all.partial_shuffle(&mut rng, most).0.to_vec();
        let mut targets = self.targets.clone();
        targets.gather_from(&self.targets, &rows);
        let features = match &self.features {
            Features::Held(values) => {
                let mut own = Table::zeros(rows.len() * self.columns);
                let places = own.chunks_exact_mut(self.columns).zip(&rows);
                places.for_each(|(place, &row)| {
                    let start = row as usize * self.columns;
                    place.copy_from_slice(&values[start..start + self.columns]);
                });
                Features::Held(own)
            }
            Features::Gathered(from) => Features::Gathered(Arc::new(Drawn {
                from: Arc::clone(from),
                rows,
            })),
        };
        Self {
            features,
            columns: self.columns,
            shape: self.shape.clone(),
            targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RegressionLoss, Targets};

    /// Rows of their number and ten times it, whose target is their number.
    fn rows(count: usize) -> Rows {
        let numbers = || (0..count).map(|n| n as f32);
        let targets = Targets::Values {
            loss: RegressionLoss::MeanSquared,
            values: numbers().collect(),
            columns: 1,
        };
        let features = numbers().flat_map(|n| [n, 10.0 * n]).collect();
        Rows::new(features, 2, targets).unwrap()
    }

    /// Writes what [`rows`] holds; in an epoch it would be other numbers.
    struct Source;

    impl Gather for Source {
        fn gather(&self, rows: &[u32], epoch: Option<usize>, out: &mut [f32]) -> Result<()> {
            assert_eq!(epoch, None);
            for (out, &row) in out.chunks_exact_mut(2).zip(rows) {
                out.copy_from_slice(&[row as f32, 10.0 * row as f32]);
            }
            Ok(())
        }
    }

    /// The numbers of some rows, by their features; their targets must be the same.
    fn numbers(rows: &Rows) -> Vec<f32> {
        let features = rows.features(0, rows.len()).unwrap();
        let found: Vec<f32> = features.chunks_exact(2).map(|row| row[0]).collect();
        assert!(features.chunks_exact(2).all(|row| row[1] == 10.0 * row[0]));
        let Targets::Values { values, .. } = rows.targets() else {
            panic!("numbers");
        };
        assert_eq!(*values, found);
        found
    }

    #[test]
    fn rows_are_drawn_once_each_in_an_order_of_the_seed_wherever_they_are_held() {
        let held = rows(50);
        let gathered = Rows::gathered(Arc::new(Source), 2, held.targets().clone()).unwrap();
        for most in [1, 7, 50, 1000] {
            let found = numbers(&held.drawn(most, 3));
            assert_eq!(found.len(), most.min(50));
            let mut sorted = found.clone();
            sorted.sort_by(f32::total_cmp);
            sorted.dedup();
            assert_eq!(sorted.len(), found.len());
            assert_eq!(numbers(&gathered.drawn(most, 3)), found);
            assert_ne!(numbers(&held.drawn(most, 4)), found);
        }
        let shaped = held.with_shape(vec![2, 1]).unwrap().drawn(5, 3);
        assert_eq!((shaped.shape(), shaped.columns()), (&[2, 1][..], 2));
    }
}
