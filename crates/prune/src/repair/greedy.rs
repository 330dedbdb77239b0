//! Which units can be given up one after the other, if the others make up for them as well as they can? (Optimal brain surgeon, Hassibi
//! and Stork 1993, for groups of columns.)

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::{DenseSolveCore, Solve};
use faer::{Accum, Mat, MatRef, Par, Side};

use crate::{Error, ErrorKind, Result};

/// Variance, as a share of the largest, below which a column is constant: a bias makes up for it.
const NOTHING: f64 = 1e-14;

/// A reader of the units of a group: its weights as the moves so far have left them, and the inverse of the covariances of what it reads.
///
/// Both are in units of the standard deviations of the columns, so that the ridge is a share of the variance of each.
#[derive(Debug, Clone)]
pub struct Reader {
    weights: Mat<f64>,
    inverse: Mat<f64>,
    columns: Vec<Vec<usize>>,
    share: f64,
    /// Standard deviations of the columns; 0 of those that hardly vary.
    deviations: Vec<f64>,
    held_out: Option<HeldOut>,
}

/// What has become of a reader on inputs that it was not fitted on.
#[derive(Debug, Clone)]
struct HeldOut {
    /// Covariances of what it reads there, in the same units.
    covariance: Mat<f64>,
    /// How far the weights have moved, those of units that are gone included.
    moved: Mat<f64>,
}

impl Reader {
    /// `weights` are `outputs x read`, `covariance` is `read x read`, `columns` has those of each unit. A cost of this reader counts
    /// `share` times.
    ///
    /// # Errors
    /// If sizes do not fit together, or the ridge is too small for the covariances.
    pub fn new(
        weights: MatRef<'_, f64>,
        covariance: MatRef<'_, f64>,
        columns: Vec<Vec<usize>>,
        ridge: f64,
        share: f64,
    ) -> Result<Self> {
        let n = weights.ncols();
        let fits = covariance.nrows() == n
            && covariance.ncols() == n
            && columns.iter().flatten().all(|&c| c < n);
        if !fits {
            let message = format!(
                "weights of {n} inputs do not fit covariances of {}",
                covariance.nrows()
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        let largest = (0..n).map(|i| covariance[(i, i)]).fold(0.0, f64::max);
        let deviation = |i: usize| match covariance[(i, i)] > NOTHING * largest {
            true => covariance[(i, i)].sqrt(),
            false => 0.0,
        };
        let deviations: Vec<f64> = (0..n).map(deviation).collect();
        let a = Mat::from_fn(n, n, |i, j| {
            let scale = deviations[i] * deviations[j];
            let correlation = match (scale > 0.0, i == j) {
                (true, _) => covariance[(i, j)] / scale,
                (false, true) => 1.0,
                (false, false) => 0.0,
            };
            correlation + if i == j { ridge } else { 0.0 }
        });
        let factors = a.llt(Side::Lower).map_err(|_| {
            Error::new(
                ErrorKind::Singular,
                format!("covariances of {n} positions are singular at a ridge of {ridge:e}"),
            )
            .hint("use a larger ridge or more inputs")
        })?;
        Ok(Self {
            weights: Mat::from_fn(weights.nrows(), n, |o, i| weights[(o, i)] * deviations[i]),
            inverse: factors.inverse(),
            columns,
            share,
            deviations,
            held_out: None,
        })
    }

    /// The same, which tells what giving units up costs on other inputs, where what it reads has these covariances: what others make up
    /// for by chance on those that it is fitted on is no gain there.
    ///
    /// # Errors
    /// If they are of another size.
    pub fn held_to(mut self, covariance: MatRef<'_, f64>) -> Result<Self> {
        let n = self.weights.ncols();
        if covariance.nrows() != n || covariance.ncols() != n {
            let message = format!(
                "covariances of {} inputs do not fit those of {n}",
                covariance.nrows()
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        let inverse = |i: usize| match self.deviations[i] > 0.0 {
            true => 1.0 / self.deviations[i],
            false => 0.0,
        };
        self.held_out = Some(HeldOut {
            covariance: Mat::from_fn(n, n, |i, j| covariance[(i, j)] * inverse(i) * inverse(j)),
            moved: Mat::zeros(self.weights.nrows(), n),
        });
        Ok(self)
    }

    /// What giving a unit up costs once the others have moved: `tr(W_J (H_JJ)^-1 W_J^T)`.
    fn cost(&self, unit: usize) -> f64 {
        let columns = &self.columns[unit];
        let outputs = self.weights.nrows();
        let own = match columns[..] {
            [] => 0.0,
            [c] => {
                let squares: f64 = (0..outputs).map(|o| self.weights[(o, c)].powi(2)).sum();
                squares / self.inverse[(c, c)]
            }
            _ => {
                let moved = self.block(columns).solve(&self.rows(columns));
                let pairs = columns.iter().enumerate();
                pairs
                    .map(|(j, &c)| {
                        (0..outputs)
                            .map(|o| self.weights[(o, c)] * moved[(j, o)])
                            .sum::<f64>()
                    })
                    .sum()
            }
        };
        self.share * own
    }

    /// The columns of the weights, `columns x outputs`.
    fn rows(&self, columns: &[usize]) -> Mat<f64> {
        Mat::from_fn(columns.len(), self.weights.nrows(), |j, o| {
            self.weights[(o, columns[j])]
        })
    }

    fn block(&self, columns: &[usize]) -> faer::linalg::solvers::PartialPivLu<f64> {
        let n = columns.len();
        Mat::from_fn(n, n, |i, j| self.inverse[(columns[i], columns[j])]).partial_piv_lu()
    }

    /// Gives a unit up: the other columns move by `- W_J (H_JJ)^-1 H_J:`, and `H` is downdated. What that adds to the distance on held-out
    /// inputs, if there are some.
    fn drop(&mut self, unit: usize) -> Option<f64> {
        let columns = std::mem::take(&mut self.columns[unit]);
        if columns.is_empty() {
            return self.held_out.as_ref().map(|_| 0.0);
        }
        let n = self.inverse.ncols();
        let across = Mat::from_fn(columns.len(), n, |j, i| self.inverse[(columns[j], i)]);
        // `(H_JJ)^-1 H_J:`
        let moves = self.block(&columns).solve(&across);
        let own = self.rows(&columns);
        let parallel = Par::Seq;
        matmul(
            &mut self.weights,
            Accum::Add,
            own.transpose(),
            &moves,
            -1.0,
            parallel,
        );
        matmul(
            &mut self.inverse,
            Accum::Add,
            across.transpose(),
            &moves,
            -1.0,
            parallel,
        );
        for &c in &columns {
            self.weights.col_mut(c).fill(0.0);
            self.inverse.col_mut(c).fill(0.0);
            self.inverse.row_mut(c).fill(0.0);
            // Keeps blocks of what is left regular.
            self.inverse[(c, c)] = 1.0;
        }
        let share = self.share;
        self.held_out
            .as_mut()
            .map(|held_out| share * held_out.add(&own, &moves))
    }
}

impl HeldOut {
    /// Moves the weights by `- own^T moves`; by how much the squared distance grows.
    fn add(&mut self, own: &Mat<f64>, moves: &Mat<f64>) -> f64 {
        // `C m^T`, `read x columns`
        let reached = &self.covariance * moves.transpose();
        let (met, squares) = (&self.moved * &reached, moves * &reached);
        let outputs = own.transpose();
        let mut grown = 0.0;
        for i in 0..own.nrows() {
            for o in 0..outputs.nrows() {
                grown -= 2.0 * met[(o, i)] * own[(i, o)];
            }
            for j in 0..own.nrows() {
                let pairs = (0..outputs.nrows()).map(|o| own[(i, o)] * own[(j, o)]);
                grown += squares[(i, j)] * pairs.sum::<f64>();
            }
        }
        matmul(&mut self.moved, Accum::Add, outputs, moves, -1.0, Par::Seq);
        grown
    }
}

/// Gives up `units` units of a group but `least`, each time the one that costs all readers together the least: units in the order in which they
/// go, with what each costs once those before it are gone: on held-out inputs, where all readers are held to some.
pub fn greedy(readers: &mut [Reader], units: usize, least: usize) -> Vec<(usize, f64)> {
    let mut left: Vec<usize> = (0..units).collect();
    let mut gone = vec![];
    while left.len() > least {
        let cost = |&unit: &usize| readers.iter().map(|r| r.cost(unit)).sum::<f64>();
        let costs = left.iter().map(cost);
        let cheapest = costs.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let Some((at, cost)) = cheapest else { break };
        let unit = left.remove(at);
        let held_out: Vec<Option<f64>> = readers.iter_mut().map(|r| r.drop(unit)).collect();
        let held_out: Option<Vec<f64>> = held_out.into_iter().collect();
        gone.push((unit, held_out.map_or(cost, |all| all.iter().sum())));
    }
    gone
}

#[cfg(test)]
mod tests {
    use secateur_testkit::Stream;

    use super::*;

    fn drawn(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
        let mut stream = Stream::new(seed);
        Mat::from_fn(rows, columns, |_, _| stream.unit() - 0.5)
    }

    /// Covariances of `n` columns on `rank` directions.
    fn covariance(n: usize, rank: usize, seed: u64) -> Mat<f64> {
        let directions = drawn(n, rank, seed);
        &directions * directions.transpose()
    }

    fn singles(n: usize) -> Vec<Vec<usize>> {
        (0..n).map(|i| vec![i]).collect()
    }

    /// `min tr(D A D^T)` over all `D` that are the weights at the columns: what giving them up costs.
    fn least(weights: &Mat<f64>, covariance: &Mat<f64>, ridge: f64, columns: &[usize]) -> f64 {
        let n = weights.ncols();
        let a = Mat::from_fn(n, n, |i, j| {
            let own = if i == j {
                ridge * covariance[(i, i)]
            } else {
                0.0
            };
            covariance[(i, j)] + own
        });
        let free: Vec<usize> = (0..n).filter(|i| !columns.contains(i)).collect();
        let own = Mat::from_fn(free.len(), free.len(), |i, j| a[(free[i], free[j])]);
        let mixed = Mat::from_fn(free.len(), columns.len(), |i, j| a[(free[i], columns[j])]);
        let given = Mat::from_fn(columns.len(), weights.nrows(), |j, o| {
            weights[(o, columns[j])]
        });
        let other = -(own.partial_piv_lu().solve(&mixed) * &given);
        let d = Mat::from_fn(weights.nrows(), n, |o, i| {
            match columns.iter().position(|&c| c == i) {
                Some(j) => given[(j, o)],
                None => other[(free.iter().position(|&f| f == i).unwrap(), o)],
            }
        });
        let product = &d * &a;
        (0..d.nrows())
            .map(|o| (0..n).map(|i| product[(o, i)] * d[(o, i)]).sum::<f64>())
            .sum()
    }

    #[test]
    fn the_costs_of_all_that_is_gone_add_up_to_the_least_there_is() {
        let (w, c) = (drawn(4, 7, 1), covariance(7, 9, 2));
        for columns in [
            singles(7),
            vec![vec![0, 5], vec![1], vec![2, 3, 6], vec![4]],
        ] {
            let reader = Reader::new(w.as_ref(), c.as_ref(), columns.clone(), 0.05, 1.0).unwrap();
            let gone = greedy(&mut [reader], columns.len(), 1);
            assert_eq!(gone.len(), columns.len() - 1);
            let mut sum = 0.0;
            for (i, (_, cost)) in gone.iter().enumerate() {
                sum += cost;
                let all: Vec<usize> = gone[..=i]
                    .iter()
                    .flat_map(|(u, _)| columns[*u].clone())
                    .collect();
                let wanted = least(&w, &c, 0.05, &all);
                assert!(
                    (sum - wanted).abs() < 1e-9 * wanted.max(1e-3),
                    "{sum} {wanted}"
                );
            }
        }
    }

    #[test]
    fn each_time_the_cheapest_goes() {
        let (w, c) = (drawn(3, 6, 3), covariance(6, 8, 4));
        let reader = Reader::new(w.as_ref(), c.as_ref(), singles(6), 0.01, 1.0).unwrap();
        let gone = greedy(&mut [reader], 6, 2);
        let mut before: Vec<usize> = vec![];
        for (unit, cost) in gone {
            let of = |unit: usize| least(&w, &c, 0.01, &[&before[..], &[unit]].concat());
            let base = if before.is_empty() {
                0.0
            } else {
                least(&w, &c, 0.01, &before)
            };
            let all = (0..6).filter(|u| !before.contains(u));
            let cheapest = all.map(|u| of(u) - base).fold(f64::INFINITY, f64::min);
            assert!((cost - cheapest).abs() < 1e-10, "{cost} {cheapest}");
            before.push(unit);
        }
    }

    #[test]
    fn what_others_can_make_up_for_goes_for_nothing_however_large() {
        // The third column is the sum of the others, the fourth constant.
        let base = covariance(2, 3, 5);
        let mix = Mat::from_fn(4, 2, |i, j| match (i, j) {
            (0, 0) | (1, 1) | (2, _) => 1.0,
            _ => 0.0,
        });
        let c = &mix * &base * mix.transpose();
        let w = Mat::from_fn(1, 4, |_, i| [1.0, 1.0, 100.0, 1e6][i]);
        let reader = Reader::new(w.as_ref(), c.as_ref(), singles(4), 1e-9, 1.0).unwrap();
        let gone = greedy(&mut [reader], 4, 2);
        // Any of the first three follows from the two others.
        assert_eq!(gone[0].0, 3);
        assert!(gone[0].1 == 0.0 && gone[1].1 < 1e-3, "{gone:?}");
    }

    #[test]
    fn readers_count_by_their_shares() {
        let c = covariance(2, 2, 6);
        let reader = |w: [f64; 2], share| {
            let w = Mat::from_fn(1, 2, |_, i| w[i]);
            Reader::new(w.as_ref(), c.as_ref(), singles(2), 10.0, share).unwrap()
        };
        let first = |share| {
            let readers = &mut [reader([1.0, 0.0], 1.0), reader([0.0, 1.0], share)];
            greedy(readers, 2, 1)[0].0
        };
        let large = c[(0, 0)] / c[(1, 1)];
        assert_eq!((first(0.5 * large), first(2.0 * large)), (1, 0));
    }

    #[test]
    fn sizes_that_do_not_fit_and_singular_covariances_are_refused() {
        let (w, c) = (drawn(2, 3, 7), covariance(3, 1, 8));
        let of =
            |c: &Mat<f64>, columns, ridge| Reader::new(w.as_ref(), c.as_ref(), columns, ridge, 1.0);
        let kind = |r: Result<Reader>| r.unwrap_err().kind();
        assert_eq!(
            kind(of(&covariance(2, 2, 1), singles(3), 0.1)),
            ErrorKind::Network
        );
        assert_eq!(kind(of(&c, singles(4), 0.1)), ErrorKind::Network);
        assert_eq!(kind(of(&c, singles(3), -0.5)), ErrorKind::Singular);
    }
}
