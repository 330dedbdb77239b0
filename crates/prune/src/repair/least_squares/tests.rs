//! Laws of the solution.

use secateur_testkit::Stream;

use super::*;
use crate::repair::About;

const OUTPUTS: usize = 3;

/// Normal-like numbers of so many positions with `read` numbers each, that lie on `rank` directions, with different sizes and means.
fn activations(read: usize, rank: usize, positions: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed);
    let mut number = || stream.unit() + stream.unit() - stream.unit() - stream.unit();
    let directions: Vec<f64> = (0..read * rank).map(|_| number()).collect();
    let mut all = vec![];
    for _ in 0..positions {
        let along: Vec<f64> = (0..rank).map(|_| number()).collect();
        for i in 0..read {
            let v: f64 = (0..rank).map(|r| directions[i * rank + r] * along[r]).sum();
            all.push(((1.0 + i as f64) * v + 5.0 - i as f64) as f32);
        }
    }
    all
}

fn weights(read: usize, seed: u64) -> Mat<f64> {
    let mut stream = Stream::new(seed);
    Mat::from_fn(OUTPUTS, read, |_, _| stream.unit() - 0.5)
}

fn pick(values: &[f32], read: usize, kept: &[usize]) -> Vec<f32> {
    let rows = values.chunks(read);
    rows.flat_map(|row| kept.iter().map(|&i| row[i])).collect()
}

fn moments(values: &[f32], read: usize, kept: &[usize]) -> Moments {
    let mut moments = Moments::new(read, kept.len(), About::Means);
    moments.add(values, &pick(values, read, kept)).unwrap();
    moments
}

/// The mean over positions of the squared distance of both outputs, each about its mean.
fn distance(values: &[f32], read: usize, w: &Mat<f64>, kept: &[usize], small: &Mat<f64>) -> f64 {
    let gaps: Vec<Vec<f64>> = values
        .chunks(read)
        .map(|row| {
            (0..OUTPUTS)
                .map(|o| {
                    let whole: f64 = (0..read).map(|i| w[(o, i)] * f64::from(row[i])).sum();
                    let left = kept.iter().enumerate();
                    let left: f64 = left.map(|(j, &i)| small[(o, j)] * f64::from(row[i])).sum();
                    whole - left
                })
                .collect()
        })
        .collect();
    let n = gaps.len() as f64;
    (0..OUTPUTS)
        .map(|o| {
            let mean = gaps.iter().map(|g| g[o]).sum::<f64>() / n;
            gaps.iter().map(|g| (g[o] - mean).powi(2)).sum::<f64>() / n
        })
        .sum()
}

fn furthest(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (a - b).norm_max()
}

#[test]
fn keeping_all_changes_nothing_for_any_ridge() {
    let (values, w) = (activations(6, 6, 200, 1), weights(6, 2));
    let all: Vec<usize> = (0..6).collect();
    for ridge in [1e-8, 1e-4, 1.0, 1e6] {
        let found = solve(w.as_ref(), &all, &moments(&values, 6, &all), ridge).unwrap();
        assert!(furthest(&found.weights, &w) < 1e-12, "{ridge}");
    }
}

#[test]
fn what_is_a_combination_of_what_stays_is_given_back_as_the_ridge_goes_to_zero() {
    let (read, kept) = (7, [0, 2, 3, 6]);
    let (values, w) = (activations(read, 4, 300, 3), weights(read, 4));
    let moments = moments(&values, read, &kept);
    let cut = Mat::from_fn(OUTPUTS, kept.len(), |o, j| w[(o, kept[j])]);
    let before = distance(&values, read, &w, &kept, &cut);
    let after = |ridge| {
        let found = solve(w.as_ref(), &kept, &moments, ridge).unwrap();
        assert!(found.residual < 1e-8, "{}", found.residual);
        distance(&values, read, &w, &kept, &found.weights)
    };
    let found = [1.0, 1e-2, 1e-4, 1e-8].map(after);
    assert!(found.windows(2).all(|pair| pair[1] < pair[0]), "{found:?}");
    assert!(
        found[0] < before && found[3] < 1e-8 * before,
        "{before} {found:?}"
    );
}

/// A step in any direction makes the sum of distance and ridge larger.
#[test]
fn no_weights_near_by_are_better() {
    let (read, kept, ridge) = (8, [1, 2, 5, 7], 0.3);
    let (values, w) = (activations(read, 8, 400, 5), weights(read, 6));
    let moments = moments(&values, read, &kept);
    let found = solve(w.as_ref(), &kept, &moments, ridge).unwrap().weights;
    let own = moments.own();
    let cost = |small: &Mat<f64>| {
        let far = (0..OUTPUTS).flat_map(|o| (0..kept.len()).map(move |j| (o, j)));
        let far = far.map(|(o, j)| own[(j, j)] * (small[(o, j)] - w[(o, kept[j])]).powi(2));
        distance(&values, read, &w, &kept, small) + ridge * far.sum::<f64>()
    };
    let least = cost(&found);
    for o in 0..OUTPUTS {
        for j in 0..kept.len() {
            for step in [-1e-3, 1e-3] {
                let mut other = found.clone();
                other[(o, j)] += step;
                assert!(cost(&other) > least, "{o} {j}");
            }
        }
    }
}

#[test]
fn the_order_of_what_stays_is_that_of_the_answer() {
    let (values, w) = (activations(6, 6, 100, 7), weights(6, 8));
    let of = |kept: &[usize]| {
        let found = solve(w.as_ref(), kept, &moments(&values, 6, kept), 1e-2);
        found.unwrap().weights
    };
    let (one, other) = (of(&[0, 3, 5]), of(&[5, 0, 3]));
    let turned = Mat::from_fn(OUTPUTS, 3, |o, j| other[(o, [1, 2, 0][j])]);
    assert!(furthest(&one, &turned) < 1e-12);
}

#[test]
fn what_does_not_vary_keeps_its_weights() {
    let (read, kept) = (4, [0, 1, 3]);
    let mut values = activations(read, 4, 100, 9);
    values.chunks_mut(read).for_each(|row| row[1] = 2.5);
    let w = weights(read, 10);
    let found = solve(w.as_ref(), &kept, &moments(&values, read, &kept), 1e-3).unwrap();
    assert!((0..OUTPUTS).all(|o| found.weights[(o, 1)] == w[(o, 1)]));
    assert!((0..OUTPUTS).any(|o| (found.weights[(o, 0)] - w[(o, 0)]).abs() > 1e-3));
    values.fill(1.0);
    let still = solve(w.as_ref(), &kept, &moments(&values, read, &kept), 1e-3).unwrap();
    assert!((0..OUTPUTS).all(|o| still.weights[(o, 2)] == w[(o, 3)]));
}

#[test]
fn sizes_that_do_not_fit_and_singular_equations_are_refused() {
    let (values, w) = (activations(5, 2, 50, 11), weights(5, 12));
    let kept = [0, 1, 2];
    let of_three = moments(&values, 5, &kept);
    for wrong in [&[0, 1][..], &[0, 1, 5]] {
        let error = solve(w.as_ref(), wrong, &of_three, 1.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
    }
    let error = solve(w.as_ref(), &kept, &of_three, -2.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Singular);
    assert!(error.hint_text().is_some());
}
