//! Laws of the solution, on drawn readers.

use secateur_testkit::Stream;

use super::*;
use crate::repair::About;
use crate::repair::ridge::RIDGES;

const OUTPUTS: usize = 3;
const POSITIONS: usize = 120;

/// A reader that loses some of what it reads.
struct Case {
    /// What it reads, one position after the other.
    values: Vec<f32>,
    read: usize,
    kept: Vec<usize>,
    weights: Mat<f64>,
}

impl Case {
    fn new(values: Vec<f32>, kept: &[usize], seed: u64) -> Self {
        let read = values.len() / POSITIONS;
        let mut stream = Stream::new(seed);
        Self {
            values,
            read,
            kept: kept.to_vec(),
            weights: Mat::from_fn(OUTPUTS, read, |_, _| stream.unit()),
        }
    }

    fn moments(&self) -> Moments {
        let mut moments = Moments::new(self.read, self.kept.len(), About::Means);
        let rows = self.values.chunks(self.read);
        let small = rows.flat_map(|row| self.kept.iter().map(|&i| row[i]));
        let small: Vec<f32> = small.collect();
        moments.add(&self.values, &small).unwrap();
        moments
    }

    fn solved(&self, ridge: f64) -> Solution {
        solve(self.weights.as_ref(), &self.kept, &self.moments(), ridge).unwrap()
    }

    /// The weights that a cut leaves.
    fn cut(&self) -> Mat<f64> {
        Mat::from_fn(OUTPUTS, self.kept.len(), |o, j| {
            self.weights[(o, self.kept[j])]
        })
    }

    /// `D`: variances, and a hundredth of their mean.
    fn held(&self) -> Vec<f64> {
        let own = self.moments().own();
        let variances: Vec<f64> = (0..self.kept.len()).map(|j| own[(j, j)]).collect();
        let mean = variances.iter().sum::<f64>() / variances.len() as f64;
        variances.into_iter().map(|v| v + 0.01 * mean).collect()
    }

    /// `||W||^2_D`: squares of weights of what stays, each times its part of `D`.
    fn spread(&self, small: &Mat<f64>) -> f64 {
        let held = self.held();
        let of = |j: usize| held[j] * (0..OUTPUTS).map(|o| small[(o, j)].powi(2)).sum::<f64>();
        (0..self.kept.len()).map(of).sum()
    }

    /// How far weights of what stays are apart, as a share of those that a cut leaves.
    fn apart(&self, a: &Mat<f64>, b: &Mat<f64>) -> f64 {
        (self.spread(&(a - b)) / self.spread(&self.cut())).sqrt()
    }

    /// The mean over positions of the squared distance of both outputs, each about its mean.
    fn distance(&self, small: &Mat<f64>) -> f64 {
        let gap = |row: &[f32], o: usize| {
            let whole = (0..self.read).map(|i| self.weights[(o, i)] * f64::from(row[i]));
            let left = self.kept.iter().enumerate();
            let left = left.map(|(j, &i)| small[(o, j)] * f64::from(row[i]));
            whole.sum::<f64>() - left.sum::<f64>()
        };
        let of = |o: usize| {
            let gaps = self.values.chunks(self.read).map(|row| gap(row, o));
            let gaps: Vec<f64> = gaps.collect();
            let mean = gaps.iter().sum::<f64>() / POSITIONS as f64;
            gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / POSITIONS as f64
        };
        (0..OUTPUTS).map(of).sum()
    }
}

/// Numbers of `read` channels that lie on `rank` directions, with different means and, where `apart` is not 0, in units of measurement
/// that are up to a million times as large as others.
fn activations(read: usize, rank: usize, apart: i32, stream: &mut Stream) -> Vec<f32> {
    let mut number = || stream.unit() + stream.unit();
    let directions: Vec<f64> = (0..read * rank).map(|_| number()).collect();
    let units: Vec<f64> = (0..read)
        .map(|i| 10f64.powi(apart * (i as i32 % 7 - 3)))
        .collect();
    let mut all = vec![];
    for _ in 0..POSITIONS {
        let along: Vec<f64> = (0..rank).map(|_| number()).collect();
        for i in 0..read {
            let v: f64 = (0..rank).map(|r| directions[i * rank + r] * along[r]).sum();
            all.push((units[i] * (v + 2.0 - i as f64)) as f32);
        }
    }
    all
}

/// Readers of two to nine channels, of which some lie on fewer directions than they are, and some in unlike units; the order of what
/// stays is any one.
fn drawn() -> impl Iterator<Item = Case> {
    (0..40).map(|seed| {
        let mut stream = Stream::new(seed);
        let read = 2 + stream.below(8);
        let rank = 1 + stream.below(read);
        let values = activations(read, rank, (seed % 2) as i32, &mut stream);
        let left = 1 + stream.below(read - 1);
        Case::new(values, &stream.order(read)[..left], seed)
    })
}

/// Whole numbers, so that no sum is rounded: what goes is made of what stays by multiples. With the weights of what stays that make all
/// that the reader made.
fn combined() -> impl Iterator<Item = (Case, Mat<f64>)> {
    (0..40).map(|seed| {
        let mut stream = Stream::new(seed);
        let read = 2 + stream.below(8);
        let order = stream.order(read);
        let (kept, gone) = order.split_at(1 + stream.below(read - 1));
        let multiples = Mat::from_fn(gone.len(), kept.len(), |_, _| stream.integer(2));
        let mut values = vec![0.0; POSITIONS * read];
        for row in values.chunks_mut(read) {
            kept.iter().for_each(|&i| row[i] = stream.integer(9) as f32);
            for (g, &i) in gone.iter().enumerate() {
                let sum = kept.iter().enumerate();
                let sum = sum.map(|(j, &k)| multiples[(g, j)] as f32 * row[k]);
                row[i] = sum.sum();
            }
        }
        let case = Case::new(values, kept, seed);
        let of_gone = Mat::from_fn(OUTPUTS, gone.len(), |o, g| case.weights[(o, gone[g])]);
        let whole = case.cut() + of_gone * multiples;
        (case, whole)
    })
}

#[test]
fn keeping_all_changes_nothing_for_any_ridge() {
    for (seed, mut case) in drawn().enumerate() {
        case.kept = Stream::new(seed as u64).order(case.read);
        for ridge in RIDGES.into_iter().chain([1e6]) {
            let apart = case.apart(&case.solved(ridge).weights, &case.cut());
            assert!(apart < 1e-10, "{seed} {ridge}: {apart}");
        }
    }
}

/// What makes all again costs no more than the ridge times how far it lies from the weights of the cut; the best costs no more than that.
#[test]
fn what_is_a_combination_of_what_stays_is_given_back_as_the_ridge_goes_to_zero() {
    for (seed, (case, whole)) in combined().enumerate() {
        let cut = case.cut();
        let far = case.spread(&(&whole - &cut));
        assert!(case.distance(&whole) < 1e-20 * case.spread(&whole));
        for ridge in RIDGES.into_iter().chain([1e-6, 1e-9, 1e-12]) {
            let found = case.distance(&case.solved(ridge).weights);
            let most = ridge * far + 1e-20 * case.spread(&whole);
            assert!(found <= most, "{seed} {ridge}: {found} {most}");
        }
        let last = case.solved(1e-12).weights;
        assert!(case.apart(&last, &whole) < 1e-6, "{seed}");
    }
    // Where nothing is like what goes, nothing makes up for it.
    let lost = combined().filter(|(case, _)| case.distance(&case.cut()) > 1.0);
    assert!(lost.count() > 20);
}

/// `(W' - W_S) (Cov(x', x') + r D)` is what is missing, channel by channel in units of `D`.
#[test]
fn the_normal_equations_hold_however_they_are_conditioned() {
    for (seed, case) in drawn().enumerate() {
        let (own, cross) = (case.moments().own(), case.moments().cross());
        let missing = &case.weights * &cross - case.cut() * &own;
        let held = case.held();
        for ridge in RIDGES {
            let found = case.solved(ridge);
            assert!(found.residual < 1e-8, "{seed} {ridge}: {}", found.residual);
            assert!(found.condition >= 1.0, "{seed} {ridge}");
            let moved = &found.weights - case.cut();
            let rest = &missing - &moved * &own;
            let (mut rests, mut all) = (0.0, 0.0);
            for o in 0..OUTPUTS {
                for j in 0..case.kept.len() {
                    let rest = rest[(o, j)] - ridge * held[j] * moved[(o, j)];
                    rests += rest.powi(2) / held[j];
                    all += missing[(o, j)].powi(2) / held[j];
                }
            }
            let residual = f64::sqrt(rests / all);
            assert!(residual < 1e-8, "{seed} {ridge}: {residual}");
        }
    }
}

/// A step in any direction makes the sum of distance and ridge larger.
#[test]
fn no_weights_near_by_are_better() {
    let mut stream = Stream::new(5);
    let values = activations(8, 8, 0, &mut stream);
    let (case, ridge) = (Case::new(values, &[1, 2, 5, 7], 6), 0.3);
    let found = case.solved(ridge).weights;
    let cost = |small: &Mat<f64>| case.distance(small) + ridge * case.spread(&(small - case.cut()));
    let least = cost(&found);
    for o in 0..OUTPUTS {
        for j in 0..case.kept.len() {
            for step in [-1e-3, 1e-3] {
                let mut other = found.clone();
                other[(o, j)] += step;
                assert!(cost(&other) > least, "{o} {j}");
            }
        }
    }
}

/// Channels that are read, those of them that stay, and outputs, each in another order.
#[test]
fn the_order_of_channels_is_that_of_the_answer() {
    for (seed, case) in drawn().enumerate() {
        let mut stream = Stream::new(100 + seed as u64);
        let (order, outputs) = (stream.order(case.read), stream.order(OUTPUTS));
        let left = stream.order(case.kept.len());
        let rows = case.values.chunks(case.read);
        let place = |old: usize| order.iter().position(|&o| o == old).unwrap();
        let other = Case {
            values: rows.flat_map(|row| order.iter().map(|&i| row[i])).collect(),
            read: case.read,
            kept: left.iter().map(|&j| place(case.kept[j])).collect(),
            weights: Mat::from_fn(OUTPUTS, case.read, |o, i| {
                case.weights[(outputs[o], order[i])]
            }),
        };
        for ridge in RIDGES {
            let (one, other) = (case.solved(ridge).weights, other.solved(ridge).weights);
            let mut back = one.clone();
            for (o, &output) in outputs.iter().enumerate() {
                for (j, &at) in left.iter().enumerate() {
                    back[(output, at)] = other[(o, j)];
                }
            }
            let apart = case.apart(&one, &back);
            assert!(apart < 1e-9, "{seed} {ridge}: {apart}");
        }
    }
}

#[test]
fn what_does_not_vary_keeps_its_weights() {
    let mut values = activations(4, 4, 0, &mut Stream::new(9));
    values.chunks_mut(4).for_each(|row| row[1] = 2.5);
    let mut case = Case::new(values, &[0, 1, 3], 10);
    let (found, w) = (case.solved(1e-3), &case.weights);
    assert!((0..OUTPUTS).all(|o| found.weights[(o, 1)] == w[(o, 1)]));
    assert!((0..OUTPUTS).any(|o| (found.weights[(o, 0)] - w[(o, 0)]).abs() > 1e-3));
    case.values.fill(1.0);
    let still = case.solved(1e-3).weights;
    assert!((0..OUTPUTS).all(|o| still[(o, 2)] == case.weights[(o, 3)]));
}

#[test]
fn sizes_that_do_not_fit_and_singular_equations_are_refused() {
    let kept = [0, 1, 2];
    let case = Case::new(activations(5, 2, 0, &mut Stream::new(11)), &kept, 12);
    let of_three = case.moments();
    for wrong in [&[0, 1][..], &[0, 1, 5]] {
        let error = solve(case.weights.as_ref(), wrong, &of_three, 1.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
    }
    let error = solve(case.weights.as_ref(), &kept, &of_three, -2.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Singular);
    assert!(error.hint_text().is_some());
}

/// A channel that hardly varies where it is measured may do so elsewhere: what would be made up for by chance is not taken from it.
#[test]
fn channels_that_hardly_vary_keep_their_weights() {
    let mut stream = Stream::new(3);
    let values = (0..POSITIONS).flat_map(|_| {
        let gone = stream.unit() as f32;
        [gone, stream.unit() as f32, 1e-4 * gone]
    });
    let case = Case::new(values.collect(), &[1, 2], 4);
    for (ridge, most) in [(1e-2, 2.0), (1.0, 0.02)] {
        let moved = case.solved(ridge).weights - case.cut();
        let largest = (0..OUTPUTS)
            .map(|o| moved[(o, 1)].abs())
            .fold(0.0, f64::max);
        assert!(largest > 0.0 && largest < most, "{ridge}: {largest}");
    }
}
