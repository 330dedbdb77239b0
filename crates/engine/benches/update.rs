//! What update, momentum and group-lasso step in one pass cost beside merely moving the same bytes.
//!
//! `cargo bench -p secateur-engine --bench update [-- SECONDS]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod common;

use common::{drawn, interleaved};
use rayon::prelude::*;
use secateur_engine::Threads;
use secateur_engine::kernels::update::{Nesterov, Sgd, nesterov, sgd};
use secateur_prox::{GroupLasso, Penalty, Strength};

const SIZE: usize = 2048;
const ROWS: usize = 256;

fn main() {
    let seconds = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(3.0);
    for threads in [1, 2] {
        println!("{SIZE} x {SIZE}, {threads} threads:");
        let pool = Threads::new(threads).unwrap();
        pool.run(|| compare(seconds));
    }
}

fn compare(seconds: f64) {
    let draw = |seed| drawn(SIZE * SIZE, seed);
    let (mut w1, mut w2, mut w3, mut w4) = (draw(1), draw(1), draw(1), draw(1));
    let (mut v1, mut v2) = (draw(2), draw(2));
    let g = draw(3);
    let penalty = Penalty::GroupLasso(GroupLasso);
    let strength = Strength::new(1e-4, (SIZE as f64).sqrt()).unwrap();
    let (rate, decay) = (1e-3, 0.0);
    let [move2, fused2, move3, fused3] = interleaved(
        seconds,
        [
            &mut || {
                let work = w1
                    .par_chunks_mut(ROWS * SIZE)
                    .zip(g.par_chunks(ROWS * SIZE));
                work.for_each(|(w, g)| shift(w, g));
            },
            &mut || {
                let work = w2
                    .par_chunks_mut(ROWS * SIZE)
                    .zip(g.par_chunks(ROWS * SIZE));
                work.for_each(|(w, g)| {
                    sgd(
                        w,
                        g,
                        SIZE,
                        Sgd { rate, decay },
                        #[inline(always)]
                        |_, row| penalty.prox_in_place(row, strength, 1e-2),
                    );
                });
            },
            &mut || {
                let work = w3
                    .par_chunks_mut(ROWS * SIZE)
                    .zip(v1.par_chunks_mut(ROWS * SIZE));
                let work = work.zip(g.par_chunks(ROWS * SIZE));
                work.for_each(|((w, v), g)| shift_two(w, v, g));
            },
            &mut || {
                let step = Nesterov {
                    rate,
                    momentum: 0.9,
                    decay,
                };
                let work = w4
                    .par_chunks_mut(ROWS * SIZE)
                    .zip(v2.par_chunks_mut(ROWS * SIZE));
                let work = work.zip(g.par_chunks(ROWS * SIZE));
                work.for_each(|((w, v), g)| {
                    nesterov(
                        w,
                        g,
                        v,
                        SIZE,
                        step,
                        #[inline(always)]
                        |_, row| penalty.prox_in_place(row, strength, 1e-2),
                    );
                });
            },
        ],
    );
    for (name, moved, fused) in [
        ("SGD (momentum in the matrix product)", move2, fused2),
        ("Nesterov momentum", move3, fused3),
    ] {
        println!(
            "  {name} and group lasso: median {:.3} ms, min {:.3} ms; moving the bytes {:.3}, {:.3}; \
             ratio {:.2}, {:.2} ({} runs)",
            fused.median(),
            fused.min(),
            moved.median(),
            moved.min(),
            fused.median() / moved.median(),
            fused.min() / moved.min(),
            fused.count(),
        );
    }
}

/// Reads `g`, reads and writes `w`.
#[multiversion::multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn shift(w: &mut [f32], g: &[f32]) {
    for (w, g) in w.iter_mut().zip(g) {
        *w += g;
    }
}

/// Reads `g`, reads and writes `w` and `v`.
#[multiversion::multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn shift_two(w: &mut [f32], v: &mut [f32], g: &[f32]) {
    for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
        (*w, *v) = (*v + g, *w);
    }
}
