//! Optimiser steps on consecutive rows, each row followed by the caller's proximal step while it is in
//! the first-level cache.
//!
//! Every function returns how much of its time went into the proximal steps, told from a sample of the
//! rows: the clock costs as much as a short row.

use std::time::Duration;

use multiversion::multiversion;

use super::groups::Groups;

/// Stochastic gradient descent: `w = (1 - rate * decay) w - rate * v`, with `v` the gradient or, where
/// momentum was fused into it, the velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub rate: f32,
    /// Decoupled weight decay.
    pub decay: f32,
}

/// Nesterov's momentum: `v = momentum * v + g`, `w = (1 - rate * decay) w - rate * (g + momentum * v)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nesterov {
    /// Learning rate.
    pub rate: f32,
    /// Share of the velocity that stays.
    pub momentum: f32,
    /// Decoupled weight decay.
    pub decay: f32,
}

/// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1) with the decoupled weight decay of AdamW
/// (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub rate: f32,
    /// Share of the first moment that stays.
    pub beta1: f32,
    /// Share of the second moment that stays.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay; 0 is plain Adam.
    pub decay: f32,
    /// Steps taken, this one included: 1 at the first.
    pub step: u32,
}

impl Adam {
    /// `1 - beta1^step` and `1 - beta2^step`, by which the moments are divided.
    pub fn corrections(&self) -> (f32, f32) {
        let of = |beta: f32| (1.0 - f64::from(beta).powi(self.step as i32)) as f32;
        (of(self.beta1), of(self.beta2))
    }
}

/// Takes an [`Sgd`] step on rows of `width` numbers and calls `prox` with each row's index and weights.
///
/// # Panics
/// If the slices differ in length.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub fn sgd<P>(weight: &mut [f32], velocity: &[f32], width: usize, step: Sgd, prox: P) -> Duration
where
    P: Fn(usize, &mut [f32]),
{
    sgd_rows(weight, velocity, width, step, prox)
}

/// Takes a [`Nesterov`] step on rows of `width` numbers and calls `prox` with each row's index and
/// weights.
///
/// # Panics
/// If the slices differ in length.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub fn nesterov<P>(
    weight: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
    width: usize,
    step: Nesterov,
    prox: P,
) -> Duration
where
    P: Fn(usize, &mut [f32]),
{
    nesterov_rows(weight, gradient, velocity, width, step, prox)
}

/// Takes an [`Adam`] step on rows of `width` numbers and calls `prox` with each row's index, weights
/// and second moments.
///
/// # Panics
/// If the slices differ in length.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub fn adam<P>(
    weight: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    width: usize,
    step: Adam,
    prox: P,
) -> Duration
where
    P: Fn(usize, &mut [f32], &[f32]),
{
    adam_rows(weight, gradient, first, second, width, step, prox)
}

#[inline(always)]
fn sgd_rows<P>(weight: &mut [f32], velocity: &[f32], width: usize, step: Sgd, prox: P) -> Duration
where
    P: Fn(usize, &mut [f32]),
{
    assert_eq!(weight.len(), velocity.len(), "weights and velocity");
    let keep = 1.0 - step.rate * step.decay;
    let mut groups = Groups::new(weight.len(), width, 2);
    while let Some((first_row, range)) = groups.next() {
        let rows = &mut weight[range.clone()];
        for (w, v) in rows.iter_mut().zip(&velocity[range]) {
            *w = keep * *w - step.rate * v;
        }
        groups.updated();
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            prox(first_row + i, row);
        }
    }
    groups.prox_time()
}

#[inline(always)]
fn nesterov_rows<P>(
    weight: &mut [f32],
    gradient: &[f32],
    velocity: &mut [f32],
    width: usize,
    step: Nesterov,
    prox: P,
) -> Duration
where
    P: Fn(usize, &mut [f32]),
{
    assert_eq!(weight.len(), gradient.len(), "weights and gradient");
    assert_eq!(weight.len(), velocity.len(), "weights and velocity");
    let keep = 1.0 - step.rate * step.decay;
    let mut groups = Groups::new(weight.len(), width, 3);
    while let Some((first_row, range)) = groups.next() {
        let rows = &mut weight[range.clone()];
        let state = velocity[range.clone()].iter_mut();
        for ((w, g), v) in rows.iter_mut().zip(&gradient[range]).zip(state) {
            *v = step.momentum * *v + g;
            *w = keep * *w - step.rate * (g + step.momentum * *v);
        }
        groups.updated();
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            prox(first_row + i, row);
        }
    }
    groups.prox_time()
}

#[inline(always)]
fn adam_rows<P>(
    weight: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    width: usize,
    step: Adam,
    prox: P,
) -> Duration
where
    P: Fn(usize, &mut [f32], &[f32]),
{
    assert_eq!(weight.len(), gradient.len(), "weights and gradient");
    assert_eq!(weight.len(), first.len(), "weights and first moments");
    assert_eq!(weight.len(), second.len(), "weights and second moments");
    let keep = 1.0 - step.rate * step.decay;
    let (correct1, correct2) = step.corrections();
    let rate = step.rate / correct1;
    let scale = 1.0 / correct2.sqrt();
    let (fresh1, fresh2) = (1.0 - step.beta1, 1.0 - step.beta2);
    let mut groups = Groups::new(weight.len(), width, 4);
    while let Some((first_row, range)) = groups.next() {
        let rows = &mut weight[range.clone()];
        let second = &mut second[range.clone()];
        let moments = first[range.clone()].iter_mut().zip(second.iter_mut());
        for ((w, g), (m, v)) in rows.iter_mut().zip(&gradient[range]).zip(moments) {
            *m = step.beta1 * *m + fresh1 * g;
            *v = step.beta2 * *v + fresh2 * (g * g);
            *w = keep * *w - rate * *m / (v.sqrt() * scale + step.epsilon);
        }
        groups.updated();
        let rows = rows.chunks_exact_mut(width).enumerate();
        for ((i, row), second) in rows.zip(second.chunks_exact(width)) {
            prox(first_row + i, row, second);
        }
    }
    groups.prox_time()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Instant;

    type Columns = (usize, Vec<[f32; 4]>);

    /// A width and rows of weight, gradient, first and second moment; enough rows for several groups.
    fn columns() -> impl Strategy<Value = Columns> {
        let numbers = [-2.0f32..2.0, -2.0..2.0, -2.0..2.0, 0.0..2.0];
        (1usize..400, 0usize..60).prop_flat_map(move |(width, rows)| {
            let rows = prop::collection::vec(numbers.clone(), width * rows);
            (Just(width), rows)
        })
    }

    fn column(rows: &[[f32; 4]], column: usize) -> Vec<f32> {
        rows.iter().map(|r| r[column]).collect()
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|n| n.to_bits()).collect()
    }

    /// Scales each row by a number that depends on its place.
    fn scale(row: usize, weights: &mut [f32]) {
        for w in weights {
            *w *= 0.5 + (row % 3) as f32;
        }
    }

    fn scale_by_second(row: usize, weights: &mut [f32], second: &[f32]) {
        scale(row, weights);
        for (w, v) in weights.iter_mut().zip(second) {
            *w += v;
        }
    }

    /// The kernels for AVX2 alone, where the dispatched ones are for AVX-512.
    mod avx2 {
        use super::*;

        #[multiversion(targets("x86_64+avx2+fma"))]
        pub(super) fn sgd(w: &mut [f32], v: &[f32], width: usize, step: Sgd) {
            sgd_rows(w, v, width, step, scale);
        }

        #[multiversion(targets("x86_64+avx2+fma"))]
        pub(super) fn nesterov(
            w: &mut [f32],
            g: &[f32],
            v: &mut [f32],
            width: usize,
            step: Nesterov,
        ) {
            nesterov_rows(w, g, v, width, step, scale);
        }

        #[multiversion(targets("x86_64+avx2+fma"))]
        pub(super) fn adam(
            w: &mut [f32],
            g: &[f32],
            m: &mut [f32],
            v: &mut [f32],
            width: usize,
            step: Adam,
        ) {
            adam_rows(w, g, m, v, width, step, scale_by_second);
        }
    }

    const SGD: Sgd = Sgd {
        rate: 0.1,
        decay: 0.01,
    };
    const NESTEROV: Nesterov = Nesterov {
        rate: 0.1,
        momentum: 0.9,
        decay: 0.01,
    };
    const ADAM: Adam = Adam {
        rate: 0.1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.01,
        step: 3,
    };

    proptest! {
        #[test]
        fn sgd_is_the_same_on_every_path_and_as_defined((width, rows) in columns()) {
            let g = column(&rows, 1);
            let [mut portable, mut avx2, mut best] = [0; 3].map(|_| column(&rows, 0));
            sgd_rows(&mut portable, &g, width, SGD, scale);
            avx2::sgd(&mut avx2, &g, width, SGD);
            sgd(&mut best, &g, width, SGD, scale);
            prop_assert_eq!(bits(&portable), bits(&avx2));
            prop_assert_eq!(bits(&portable), bits(&best));
            for (i, [w, g, ..]) in rows.iter().enumerate() {
                let mut one = [(1.0 - 0.1f32 * 0.01) * w - 0.1 * g];
                scale(i / width, &mut one);
                prop_assert_eq!(portable[i], one[0]);
            }
        }

        #[test]
        fn nesterov_is_the_same_on_every_path_and_as_defined((width, rows) in columns()) {
            let g = column(&rows, 1);
            let [mut portable, mut avx2, mut best] =
                [0; 3].map(|_| (column(&rows, 0), column(&rows, 2)));
            nesterov_rows(&mut portable.0, &g, &mut portable.1, width, NESTEROV, scale);
            avx2::nesterov(&mut avx2.0, &g, &mut avx2.1, width, NESTEROV);
            nesterov(&mut best.0, &g, &mut best.1, width, NESTEROV, scale);
            for other in [avx2, best] {
                prop_assert_eq!(bits(&portable.0), bits(&other.0));
                prop_assert_eq!(bits(&portable.1), bits(&other.1));
            }
            for (i, [w, g, v, _]) in rows.iter().enumerate() {
                let v = 0.9 * v + g;
                let mut one = [(1.0 - 0.1f32 * 0.01) * w - 0.1 * (g + 0.9 * v)];
                scale(i / width, &mut one);
                prop_assert_eq!((portable.0[i], portable.1[i]), (one[0], v));
            }
        }

        #[test]
        fn adam_is_the_same_on_every_path_and_as_published((width, rows) in columns()) {
            let g = column(&rows, 1);
            let [mut portable, mut avx2, mut best] =
                [0; 3].map(|_| (column(&rows, 0), column(&rows, 2), column(&rows, 3)));
            let (w, m, v) = &mut portable;
            adam_rows(w, &g, m, v, width, ADAM, scale_by_second);
            let (w, m, v) = &mut avx2;
            avx2::adam(w, &g, m, v, width, ADAM);
            let (w, m, v) = &mut best;
            adam(w, &g, m, v, width, ADAM, scale_by_second);
            for other in [avx2, best] {
                prop_assert_eq!(bits(&portable.0), bits(&other.0));
                prop_assert_eq!(bits(&portable.1), bits(&other.1));
                prop_assert_eq!(bits(&portable.2), bits(&other.2));
            }
            for (i, row) in rows.iter().enumerate() {
                let [w, g, m, v] = row.map(f64::from);
                let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
                let (mhat, vhat) = (m / (1.0 - 0.9f64.powi(3)), v / (1.0 - 0.999f64.powi(3)));
                let stepped = w - 0.1 * 0.01 * w - 0.1 * mhat / (vhat.sqrt() + 1e-8);
                let expected = stepped * (0.5 + (i / width % 3) as f64) + v;
                // A few roundings of numbers up to 0.1 * mhat / 1e-8-free root, hence up to about 100.
                let most = stepped.abs().max(mhat.abs() / vhat.sqrt().max(1e-3)).max(1.0);
                prop_assert!((f64::from(portable.0[i]) - expected).abs() <= 1e-4 * most);
            }
        }
    }

    #[test]
    fn time_of_a_slow_prox_is_told_apart() {
        let slow = |_: usize, _: &mut [f32]| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(50) {}
        };
        let start = Instant::now();
        let told = sgd(&mut [1.0; 64], &[1.0; 64], 1, SGD, slow);
        let all = start.elapsed();
        assert!(told > all / 2 && told <= all, "{told:?} of {all:?}");
    }
}
