//! Means and covariances of what a reader of activations reads, in a network and in what is left of it.

use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, Par};

use crate::{Error, ErrorKind, Result};

/// What second moments are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The means: a bias makes up for these.
    Means,
    /// Zero, where there is no bias.
    Zero,
}

/// Moments of `read` numbers of one network and `kept` numbers of another at the same positions of the same inputs, in double
/// precision, added up block by block in the order of the inputs.
///
/// Sums are of what is above the means of the first block, so that numbers far from zero lose no digits.
#[derive(Debug, Clone)]
pub struct Moments {
    about: About,
    count: u64,
    shift: Vec<f64>,
    kept_shift: Vec<f64>,
    sum: Vec<f64>,
    kept_sum: Vec<f64>,
    cross: Mat<f64>,
    /// Its lower half.
    own: Mat<f64>,
}

impl Moments {
    /// Of nothing yet.
    pub fn new(read: usize, kept: usize, about: About) -> Self {
        Self {
            about,
            count: 0,
            shift: vec![0.0; read],
            kept_shift: vec![0.0; kept],
            sum: vec![0.0; read],
            kept_sum: vec![0.0; kept],
            cross: Mat::zeros(read, kept),
            own: Mat::zeros(kept, kept),
        }
    }

    /// Adds positions: `dense` holds `read` numbers of each, one position after the other, `small` holds `kept` of each.
    ///
    /// # Errors
    /// If they are of different numbers of positions, or a number is not finite.
    pub fn add(&mut self, dense: &[f32], small: &[f32]) -> Result<()> {
        let (read, kept) = (self.sum.len(), self.kept_sum.len());
        let positions = match read {
            0 => small.len() / kept.max(1),
            _ => dense.len() / read,
        };
        if positions * read != dense.len() || positions * kept != small.len() {
            let message = format!(
                "{} and {} numbers are not those of positions with {read} and {kept}",
                dense.len(),
                small.len()
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        if dense.iter().chain(small).any(|v| !v.is_finite()) {
            return Err(
                Error::new(ErrorKind::Inputs, "an activation is not a finite number")
                    .hint("scale inputs as the network was trained on them"),
            );
        }
        if positions == 0 {
            return Ok(());
        }
        if self.count == 0 {
            self.shift = means(dense, read);
            self.kept_shift = means(small, kept);
        }
        let dense = above(dense, &self.shift);
        let small = above(small, &self.kept_shift);
        add_sums(&mut self.sum, &dense);
        add_sums(&mut self.kept_sum, &small);
        let dense = Mat::from_fn(read, positions, |i, t| dense[t * read + i]);
        let small = Mat::from_fn(positions, kept, |t, j| small[t * kept + j]);
        let (cross, own) = (&mut self.cross, &mut self.own);
        rayon::join(
            || matmul(cross, Accum::Add, &dense, &small, 1.0, Par::Seq),
            || add_lower(own, &small),
        );
        self.count += positions as u64;
        Ok(())
    }

    /// Positions that were added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Means of what the first network reads.
    pub fn mean(&self) -> Vec<f64> {
        mean(&self.shift, &self.sum, self.count)
    }

    /// Means of what the second one reads.
    pub fn kept_mean(&self) -> Vec<f64> {
        mean(&self.kept_shift, &self.kept_sum, self.count)
    }

    /// Second moments of the first with the second, `read x kept`.
    pub fn cross(&self) -> Mat<f64> {
        self.moments(&self.cross, (&self.sum, &self.mean()))
    }

    /// Second moments of the second, `kept x kept`.
    pub fn own(&self) -> Mat<f64> {
        let lower = self.moments(&self.own, (&self.kept_sum, &self.kept_mean()));
        Mat::from_fn(lower.nrows(), lower.ncols(), |i, j| {
            lower[(i.max(j), i.min(j))]
        })
    }

    /// Of what is in the rows, with these sums and means, and the second.
    fn moments(&self, products: &Mat<f64>, (sums, means): (&[f64], &[f64])) -> Mat<f64> {
        let n = self.count.max(1) as f64;
        let kept = self.kept_mean();
        Mat::from_fn(sums.len(), kept.len(), |i, j| {
            let covariance = (products[(i, j)] - sums[i] * self.kept_sum[j] / n) / n;
            match self.about {
                About::Means => covariance,
                About::Zero => covariance + means[i] * kept[j],
            }
        })
    }
}

/// Adds the lower half of `rows^T rows`.
fn add_lower(to: &mut Mat<f64>, rows: &Mat<f64>) {
    triangular::matmul(
        to,
        BlockStructure::TriangularLower,
        Accum::Add,
        rows.transpose(),
        BlockStructure::Rectangular,
        rows,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

fn means(values: &[f32], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in values.chunks_exact(width.max(1)) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, &v)| *sum += f64::from(v));
    }
    let positions = (values.len() / width.max(1)).max(1) as f64;
    sums.iter().map(|sum| sum / positions).collect()
}

fn above(values: &[f32], shift: &[f64]) -> Vec<f64> {
    let shifts = shift.iter().cycle();
    values
        .iter()
        .zip(shifts)
        .map(|(&v, s)| f64::from(v) - s)
        .collect()
}

fn add_sums(sums: &mut [f64], values: &[f64]) {
    for row in values.chunks_exact(sums.len().max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
}

fn mean(shift: &[f64], sum: &[f64], count: u64) -> Vec<f64> {
    let n = count.max(1) as f64;
    shift
        .iter()
        .zip(sum)
        .map(|(shift, sum)| shift + sum / n)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_all_positions_however_they_come() {
        // Far from zero, where sums of squares would lose all digits.
        let dense: Vec<f32> = (0..60).map(|i| 1e5 + ((i * i) % 17) as f32).collect();
        let small: Vec<f32> = (0..40).map(|i| ((i * 7) % 11) as f32 - 3.0).collect();
        let mut moments = Moments::new(3, 2, About::Means);
        moments.add(&dense[..15], &small[..10]).unwrap();
        moments.add(&[], &[]).unwrap();
        moments.add(&dense[15..], &small[10..]).unwrap();
        assert_eq!(moments.count(), 20);
        let column = |of: &[f32], width: usize, i: usize| -> Vec<f64> {
            of.chunks(width).map(|row| f64::from(row[i])).collect()
        };
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let covariance = |a: &[f64], b: &[f64]| {
            let (ma, mb) = (mean(a), mean(b));
            let products = a.iter().zip(b).map(|(x, y)| (x - ma) * (y - mb));
            products.sum::<f64>() / a.len() as f64
        };
        for i in 0..3 {
            let a = column(&dense, 3, i);
            assert!((moments.mean()[i] - mean(&a)).abs() < 1e-9);
            for j in 0..2 {
                let b = column(&small, 2, j);
                assert!((moments.kept_mean()[j] - mean(&b)).abs() < 1e-12);
                assert!((moments.cross()[(i, j)] - covariance(&a, &b)).abs() < 1e-9);
                let c = column(&small, 2, i % 2);
                assert!((moments.own()[(i % 2, j)] - covariance(&c, &b)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn numbers_that_are_none_and_half_a_position_are_refused() {
        let mut moments = Moments::new(2, 1, About::Means);
        let error = moments.add(&[1.0, f32::NAN], &[0.0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Inputs);
        for (dense, small) in [(3, 1), (2, 2), (0, 1)] {
            let error = moments
                .add(&vec![0.0; dense], &vec![0.0; small])
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Network);
        }
        assert_eq!(moments.count(), 0);
    }
}
