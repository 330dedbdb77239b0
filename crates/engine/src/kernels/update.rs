//! Optimiser steps on consecutive rows, each row followed by the caller's proximal step while it is in
//! the first-level cache.
//!
//! Every function returns how much of its time went into the proximal steps, told from a sample of the
//! rows: the clock costs as much as a short row.

use std::time::{Duration, Instant};

use multiversion::multiversion;

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
    in_groups(weight.len(), width, 2, |first_row, range, clock| {
        let rows = &mut weight[range.clone()];
        for (w, v) in rows.iter_mut().zip(&velocity[range]) {
            *w = keep * *w - step.rate * v;
        }
        clock.updated();
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            prox(first_row + i, row);
        }
    })
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
    in_groups(weight.len(), width, 3, |first_row, range, clock| {
        let rows = &mut weight[range.clone()];
        let state = velocity[range.clone()].iter_mut();
        for ((w, g), v) in rows.iter_mut().zip(&gradient[range]).zip(state) {
            *v = step.momentum * *v + g;
            *w = keep * *w - step.rate * (g + step.momentum * *v);
        }
        clock.updated();
        for (i, row) in rows.chunks_exact_mut(width).enumerate() {
            prox(first_row + i, row);
        }
    })
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
    in_groups(weight.len(), width, 4, |first_row, range, clock| {
        let rows = &mut weight[range.clone()];
        let second = &mut second[range.clone()];
        let moments = first[range.clone()].iter_mut().zip(second.iter_mut());
        for ((w, g), (m, v)) in rows.iter_mut().zip(&gradient[range]).zip(moments) {
            *m = step.beta1 * *m + fresh1 * g;
            *v = step.beta2 * *v + fresh2 * (g * g);
            *w = keep * *w - rate * *m / (v.sqrt() * scale + step.epsilon);
        }
        clock.updated();
        let rows = rows.chunks_exact_mut(width).enumerate();
        for ((i, row), second) in rows.zip(second.chunks_exact(width)) {
            prox(first_row + i, row, second);
        }
    })
}

/// Splits a row of its time into the update and what follows it.
struct Clock {
    running: bool,
    updated: Option<Instant>,
}

impl Clock {
    #[inline(always)]
    fn updated(&mut self) {
        if self.running {
            self.updated = Some(Instant::now());
        }
    }
}

/// Calls `work` for groups of rows that stay in the first-level cache with `arrays` arrays of their
/// shape: with the first row, the range of elements, and a clock.
///
/// Returns the estimated time that the whole spent behind [`Clock::updated`].
#[inline(always)]
fn in_groups(
    len: usize,
    width: usize,
    arrays: usize,
    mut work: impl FnMut(usize, std::ops::Range<usize>, &mut Clock),
) -> Duration {
    const GROUP_BYTES: usize = 16 << 10;
    const TIME_EVERY: usize = 16;
    let rows = (GROUP_BYTES / (4 * arrays * width.max(1))).max(1);
    let begin = Instant::now();
    let (mut update, mut rest) = (Duration::ZERO, Duration::ZERO);
    let mut start = 0;
    let mut index = 0;
    while start < len {
        let end = (start + rows * width).min(len);
        let mut clock = Clock {
            running: index % TIME_EVERY == 0,
            updated: None,
        };
        let before = clock.running.then(Instant::now);
        work(index * rows, start..end, &mut clock);
        if let (Some(before), Some(updated)) = (before, clock.updated) {
            update += updated - before;
            rest += updated.elapsed();
        }
        start = end;
        index += 1;
    }
    let timed = (update + rest).as_secs_f64();
    if timed > 0.0 {
        begin.elapsed().mul_f64(rest.as_secs_f64() / timed)
    } else {
        Duration::ZERO
    }
}
