//! Milliseconds of a training step with momentum, and GFLOP/s beside what the machine can do at most.
//!
//! `cargo bench -p secateur-engine --bench step [-- SECONDS]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod common;
#[path = "common/peak.rs"]
mod peak;

use std::ops::Range;

use common::{drawn, interleaved};
use secateur_engine::Chain;
use secateur_engine::kernels::Sgd;
use secateur_graph::{Dim, Gemm, Graph, GraphBuilder, Op, Tensor, Unary};

fn main() {
    let seconds = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(3.0);
    for threads in [1, 2] {
        let peak = peak::gflops(threads, seconds / 3.0);
        println!("{threads} threads: peak {peak:.0} GFLOP/s of fused multiply-adds");
        for (widths, batch) in [
            (&[784, 300, 100, 10][..], 128),
            (&[784, 2048, 2048, 10][..], 256),
            (&[64, 32, 10][..], 32),
        ] {
            step(widths, batch, threads, seconds, peak);
        }
    }
}

fn step(widths: &[usize], batch: usize, threads: usize, seconds: f64, peak: f64) {
    let inputs = widths[0];
    let classes = widths[widths.len() - 1];
    let x = drawn(batch * inputs, 7);
    let loss = |rows: Range<usize>, outputs: &[f32], gradients: &mut [f32]| {
        let mut total = 0.0;
        let rows = rows.zip(outputs.chunks_exact(classes));
        for ((row, z), g) in rows.zip(gradients.chunks_exact_mut(classes)) {
            total += cross_entropy(z, g, row * 7 % classes, batch);
        }
        total
    };
    let mut network = Chain::compile(&mlp(widths), batch, 0, threads).unwrap();
    let step = Sgd {
        rate: 0.01,
        decay: 0.0,
    };
    let pool = network.threads().clone();
    let [times] = pool.run(|| {
        interleaved(
            seconds,
            [&mut || {
                network.forward_backward(&x, batch, loss);
                network.update(&x, batch, 0.9, |block| block.sgd(step, |_, _| {}));
            }],
        )
    });
    let macs: usize = widths.windows(2).map(|w| w[0] * w[1]).sum();
    let backward = macs - widths[0] * widths[1];
    let flop = 2.0 * batch as f64 * (2 * macs + backward) as f64;
    let gflops = flop / times.median() / 1e6;
    let phases = network.phases();
    let share = |seconds: f64| 100.0 * seconds / phases.total();
    println!(
        "  {widths:?} x {batch}: median {:.3} ms, min {:.3} ms of {} steps; {gflops:.0} GFLOP/s, \
         {:.0} % of peak; forward {:.0} %, backward {:.0} %, weight gradient {:.0} %, update {:.0} %",
        times.median(),
        times.min(),
        times.count(),
        100.0 * gflops / peak,
        share(phases.forward),
        share(phases.backward),
        share(phases.weight_gradient),
        share(phases.update),
    );
}

fn mlp(widths: &[usize]) -> Graph {
    let mut b = GraphBuilder::new("mlp");
    let mut x = b.input("x", [Dim::batch(), Dim::Fixed(widths[0])]);
    for (l, pair) in widths.windows(2).enumerate() {
        let scale = 1.0 / (pair[0] as f32).sqrt();
        let weights = drawn(pair[0] * pair[1], l as u64 + 1);
        let weights = weights.iter().map(|w| w * scale).collect();
        let w = b.constant(
            format!("w{l}"),
            Tensor::f32([pair[0], pair[1]], weights).unwrap(),
        );
        let c = b.constant(
            format!("b{l}"),
            Tensor::f32([pair[1]], vec![0.0; pair[1]]).unwrap(),
        );
        x = b.node(format!("gemm{l}"), Op::Gemm(Gemm::default()), &[x, w, c]);
        if l + 2 < widths.len() {
            x = b.node(format!("relu{l}"), Op::Unary(Unary::Relu), &[x]);
        }
    }
    b.output(x);
    b.build().unwrap()
}

fn cross_entropy(z: &[f32], gradient: &mut [f32], class: usize, batch: usize) -> f64 {
    let max = z.iter().copied().fold(f32::MIN, f32::max);
    for (g, z) in gradient.iter_mut().zip(z) {
        *g = (z - max).exp();
    }
    let sum: f32 = gradient.iter().sum();
    for g in gradient.iter_mut() {
        *g /= sum * batch as f32;
    }
    gradient[class] -= 1.0 / batch as f32;
    f64::from(sum.ln() + max - z[class]) / batch as f64
}
