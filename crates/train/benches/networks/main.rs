//! Steps and forward passes of networks, in milliseconds; `scripts/bench_torch.py` times the same in PyTorch, by turns.
//!
//! `cargo bench -p secateur-train --bench networks [-- SECONDS only=WORKLOAD threads=COUNT json]`
//!
//! Every workload has a process of its own, for `SECONDS`, on one thread and then on two; what is told of memory is the most that the
//! process had. `only` names one of [`WORKLOADS`], and with `json` each is a line of JSON.
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod chain;
mod widths;

use std::ops::Range;
use std::process::Command;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_engine::kernels::update::{Sgd, sgd};
use secateur_engine::{Network, Phases, Threads, instruction_set};
use secateur_graph::{Graph, cost};
use secateur_train::{Architecture, ClassLoss, Init, Targets};

const CLASSES: u32 = 10;

/// A network to be timed.
struct Workload {
    name: &'static str,
    model: Model,
    batch: usize,
    is_step: bool,
}

enum Model {
    Named(Architecture),
    /// Dense layers of these widths, the inputs first.
    Chain(&'static [usize]),
}

const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "mlp-128-step",
        model: Model::Chain(&[784, 400, 300, 100, 10]),
        batch: 128,
        is_step: true,
    },
    Workload {
        name: "mlp-400-step",
        model: Model::Chain(&[784, 400, 300, 100, 10]),
        batch: 400,
        is_step: true,
    },
    Workload {
        name: "mlp-2048-step",
        model: Model::Chain(&[784, 2048, 2048, 10]),
        batch: 256,
        is_step: true,
    },
    Workload {
        name: "lenet5-step",
        model: Model::Named(Architecture::LeNet5),
        batch: 128,
        is_step: true,
    },
    Workload {
        name: "resnet20-step",
        model: Model::Named(Architecture::ResNet20),
        batch: 128,
        is_step: true,
    },
    Workload {
        name: "resnet20-forward-1",
        model: Model::Named(Architecture::ResNet20),
        batch: 1,
        is_step: false,
    },
    Workload {
        name: "resnet20-forward-128",
        model: Model::Named(Architecture::ResNet20),
        batch: 128,
        is_step: false,
    },
];

/// The workload of [`widths`].
const WIDTHS: &str = "resnet20-widths";

fn main() {
    // Cargo adds options of its own.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| !w.starts_with('-'))
        .collect();
    let valued = |name: &str| words.iter().find_map(|w| w.strip_prefix(name));
    let seconds = words.iter().find_map(|w| w.parse().ok()).unwrap_or(5.0);
    let threads: Option<usize> = valued("threads=").map(|w| w.parse().unwrap());
    let as_json = words.iter().any(|w| w == "json");
    let names = || WORKLOADS.iter().map(|w| w.name).chain([WIDTHS]);
    if let (Some(only), Some(threads)) = (valued("only="), threads) {
        if only == WIDTHS {
            return widths::compare(threads, seconds);
        }
        let Some(workload) = WORKLOADS.iter().find(|w| w.name == only) else {
            let names: Vec<_> = names().collect();
            panic!("no workload '{only}': {}", names.join(", "));
        };
        let measured = workload.measure(threads, seconds);
        println!(
            "{}",
            if as_json {
                measured.json()
            } else {
                measured.text()
            }
        );
        return;
    }
    if !as_json {
        println!("{}", instruction_set());
    }
    for threads in threads.map_or(vec![1, 2], |t| vec![t]) {
        for name in valued("only=").map_or(names().collect(), |only| vec![only]) {
            let mut alone = Command::new(std::env::current_exe().unwrap());
            alone.args([format!("only={name}"), format!("threads={threads}")]);
            alone.arg(seconds.to_string());
            alone.args(as_json.then_some("json"));
            assert!(alone.status().unwrap().success(), "{name}");
        }
    }
}

impl Workload {
    fn measure(&self, threads: usize, seconds: f64) -> Measured<'_> {
        match self.model {
            Model::Named(architecture) => self.measure_named(architecture, threads, seconds),
            Model::Chain(widths) => chain::measure(self, widths, threads, seconds),
        }
    }

    fn measure_named(
        &self,
        architecture: Architecture,
        threads: usize,
        seconds: f64,
    ) -> Measured<'_> {
        let graph = graph(architecture, 1.0);
        let pool = Threads::new(threads).unwrap();
        let row = row(architecture);
        let network = match self.is_step {
            true => Network::compile(&graph, &row, self.batch, 0, pool.clone()),
            false => Network::to_run(&graph, &row, self.batch, pool.clone()),
        };
        let mut network = network.unwrap();
        let batch = Batch::drawn(network.inputs(), self.batch);
        let times = pool.run(|| {
            timed(seconds, || match self.is_step {
                true => batch.step(&mut network),
                false => batch.forward(&mut network),
            })
        });
        Measured {
            workload: self,
            threads,
            macs: cost(&graph).unwrap().macs,
            times,
            phases: network.phases(),
            buffer_bytes: network.buffer_bytes() as u64,
            peak: peak_memory(),
        }
    }
}

fn row(architecture: Architecture) -> [usize; 4] {
    let size = architecture.usual_input();
    [1, size.channels, size.height, size.width]
}

fn graph(architecture: Architecture, width: f64) -> Graph {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let size = architecture.usual_input();
    architecture
        .build(size, CLASSES as usize, width, Init::Scaled, &mut rng)
        .unwrap()
}

/// Inputs and what is wanted of them.
struct Batch {
    x: Vec<f32>,
    rows: usize,
    targets: Targets,
}

impl Batch {
    fn drawn(inputs: usize, rows: usize) -> Self {
        Self {
            x: drawn(rows * inputs),
            rows,
            targets: Targets::Classes {
                labels: (0..rows as u32).map(|r| r * 7 % CLASSES).collect(),
                weights: vec![1.0; CLASSES as usize],
                loss: ClassLoss::CrossEntropy,
            },
        }
    }

    /// One step of SGD with momentum.
    fn step(&self, network: &mut Network) {
        let loss = |rows: Range<usize>, z: &[f32], g: &mut [f32]| {
            self.targets.loss_and_gradient(rows, z, g)
        };
        network.forward_backward(&self.x, self.rows, 0.9, loss);
        let step = Sgd {
            rate: 0.01,
            decay: 0.0,
        };
        network.update(|block| {
            let width = block.values.len();
            sgd(block.values, block.gradient, width, step, |_, _| {});
        });
    }

    fn forward(&self, network: &mut Network) {
        network.forward(&self.x, self.rows);
    }
}

struct Measured<'a> {
    workload: &'a Workload,
    threads: usize,
    /// Multiply-accumulates of one row.
    macs: u64,
    times: Times,
    phases: Phases,
    buffer_bytes: u64,
    /// Bytes.
    peak: Option<u64>,
}

impl Measured<'_> {
    fn text(&self) -> String {
        let Workload {
            name,
            batch,
            is_step,
            ..
        } = self.workload;
        let passes = if *is_step { 3.0 } else { 1.0 };
        let phases = self.phases;
        let share = |seconds: f64| 100.0 * seconds / phases.total();
        let mut text = format!(
            "{name:<21} {} threads: {}; {:.0} GMAC/s",
            self.threads,
            self.times,
            1e-6 * passes * *batch as f64 * self.macs as f64 / self.times.median(),
        );
        if *is_step {
            text += &format!(
                "; forward {:.0} %, backward {:.0} %, weights {:.0} %, update {:.0} %",
                share(phases.forward),
                share(phases.backward),
                share(phases.weight_gradient),
                share(phases.update),
            );
        }
        text += &format!("; buffers {} MB", self.buffer_bytes >> 20);
        if let Some(peak) = self.peak {
            text += &format!(", memory at most {} MB", peak >> 20);
        }
        text
    }

    fn json(&self) -> String {
        format!(
            r#"{{"workload":"{}","threads":{},"batch":{},"macs":{},"median_ms":{},"least_ms":{},"runs":{},"buffer_bytes":{},"peak_bytes":{},"instruction_set":"{}"}}"#,
            self.workload.name,
            self.threads,
            self.workload.batch,
            self.macs,
            self.times.median(),
            self.times.least(),
            self.times.0.len(),
            self.buffer_bytes,
            self.peak.map_or("null".into(), |p| p.to_string()),
            instruction_set(),
        )
    }
}

/// The most memory that this process had, in bytes, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Milliseconds of many calls, in order of size.
struct Times(Vec<f64>);

impl Times {
    fn new(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        Self(milliseconds)
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    fn least(&self) -> f64 {
        self.0[0]
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, least) = (self.median(), self.least());
        write!(f, "{median:.2} ms (least {least:.2} of {})", self.0.len())
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
                times.push(milliseconds(start));
            }
        }
    }
    Times::new(times)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
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
