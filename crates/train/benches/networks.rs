//! Steps and forward passes of networks for images, in milliseconds; [`scripts/bench_torch.py`] times the same in PyTorch.
//!
//! `cargo bench -p secateur-train --bench networks [SECONDS]`
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::ops::Range;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_engine::kernels::update::{Sgd, sgd};
use secateur_engine::{Network, ParameterKind, Threads, instruction_set};
use secateur_graph::cost;
use secateur_train::{Architecture, ClassLoss, Init, Targets};

fn main() {
    let seconds = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(5.0);
    println!("{}", instruction_set());
    for threads in [1, 2] {
        train("lenet5", 1.0, 128, threads, seconds);
        train("resnet20", 1.0, 128, threads, seconds);
        run("resnet20", 1, threads, seconds);
        run("resnet20", 128, threads, seconds);
    }
}

fn network(name: &str, width: f64, batch: usize, threads: usize) -> (Network, u64) {
    let architecture: Architecture = name.parse().unwrap();
    let size = architecture.usual_input();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let graph = architecture
        .build(size, 10, width, Init::Scaled, &mut rng)
        .unwrap();
    let row = [1, size.channels, size.height, size.width];
    let macs = cost(&graph).unwrap().macs;
    let pool = Threads::new(threads).unwrap();
    (
        Network::compile(&graph, &row, batch, 0, pool).unwrap(),
        macs,
    )
}

/// One step of SGD with momentum.
fn train(name: &str, width: f64, batch: usize, threads: usize, seconds: f64) {
    let (mut network, macs) = network(name, width, batch, threads);
    let x = drawn(batch * network.inputs());
    let targets = Targets::Classes {
        labels: (0..batch as u32).map(|r| r * 7 % 10).collect(),
        weights: vec![1.0; 10],
        loss: ClassLoss::CrossEntropy,
    };
    let loss = |rows: Range<usize>, z: &[f32], g: &mut [f32]| targets.loss_and_gradient(rows, z, g);
    let step = Sgd {
        rate: 0.01,
        decay: 0.0,
    };
    let pool = network.threads().clone();
    let times = pool.run(|| {
        timed(seconds, || {
            network.forward_backward(&x, batch, 0.9, loss);
            for parameter in network.parameters_mut() {
                if parameter.kind() != ParameterKind::Running {
                    let parts = parameter.parts();
                    sgd(
                        parts.values,
                        parts.gradient,
                        parts.gradient.len(),
                        step,
                        |_, _| {},
                    );
                }
            }
        })
    });
    let phases = network.phases();
    let share = |seconds: f64| 100.0 * seconds / phases.total();
    println!(
        "{name} step, batch {batch}, {threads} threads: {} ms; {:.0} GMAC/s; forward {:.0} %, backward {:.0} %, weights {:.0} %; buffers {} MB",
        times,
        3e-6 * batch as f64 * macs as f64 / times.median(),
        share(phases.forward),
        share(phases.backward),
        share(phases.weight_gradient),
        network.buffer_bytes() >> 20,
    );
}

fn run(name: &str, batch: usize, threads: usize, seconds: f64) {
    let (mut network, macs) = network(name, 1.0, batch, threads);
    let x = drawn(batch * network.inputs());
    let pool = network.threads().clone();
    let times = pool.run(|| {
        timed(seconds, || {
            network.forward(&x, batch);
        })
    });
    println!(
        "{name} forward, batch {batch}, {threads} threads: {} ms; {:.0} GMAC/s",
        times,
        1e-6 * batch as f64 * macs as f64 / times.median()
    );
}

/// Milliseconds of many calls, in order of size.
struct Times(Vec<f64>);

impl Times {
    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.2} (least {:.2} of {})",
            self.median(),
            self.0[0],
            self.0.len()
        )
    }
}

fn timed(seconds: f64, mut work: impl FnMut()) -> Times {
    let mut times = vec![];
    for (share, keep) in [(0.2, false), (1.0, true)] {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs_f64(share * seconds)
            || times.len() < usize::from(keep)
        {
            let start = Instant::now();
            work();
            if keep {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    times.sort_by(f64::total_cmp);
    Times(times)
}

fn drawn(len: usize) -> Vec<f32> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}
