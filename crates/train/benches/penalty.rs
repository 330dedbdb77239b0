//! Microseconds that the penalty adds to a training step: by the spared share, fused with the update, in a
//! pass of its own, and as a subgradient.
//!
//! `cargo bench -p secateur-train --bench penalty [-- SECONDS json=FILE]`
//!
//! In every round all kinds of step take turns in a drawn order, a few steps each, of which the quickest
//! counts; a penalty's cost is the difference to the step without one of the same round. "none, again" is that
//! step a second time: what its difference shows is noise. "Counted" is what a run books as the penalty's time.
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secateur_engine::{Threads, instruction_set};
use secateur_graph::{Graph, Unary};
use secateur_prox::{Compensation, GroupLasso, GroupWeights, Inputs, Members};
use secateur_train::bench::{Pass, Stepper};
use secateur_train::{
    AdamMetric, ClassLoss, Criterion, Decay, Init, Mlp, Optimizer, Order, PenaltySettings,
    PenaltyStep, RemovalTime, Rows, Settings, StrengthChoice, Targets,
};

const INPUTS: usize = 784;
const HIDDEN: [usize; 3] = [400, 300, 100];
const CLASSES: usize = 10;

/// Steps at a turn before the clock starts, which bring the network into the caches, and steps that are
/// measured, of which the quickest counts.
const WARM: usize = 1;
const TIMED: usize = 3;

/// Spared share of the units and features of every layer, and the part that spares it.
const PARTS: [(&str, &str); 4] = [
    ("0", "full"),
    ("1/8", "spare-last:8"),
    ("1/2", "spare-last:2"),
    ("7/8", "fraction:0.125:first"),
];

const OPTIMIZERS: [(&str, Optimizer); 2] = [
    (
        "SGD, momentum",
        Optimizer::Sgd {
            momentum: 0.9,
            nesterov: false,
        },
    ),
    ("Adam, mean metric", Optimizer::Adam),
];

/// How the penalty is taken into a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    None,
    NoneAgain,
    Fused,
    Separate,
    Subgradient,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NoneAgain => "none, again",
            Self::Fused => "proximal, fused",
            Self::Separate => "proximal, separate",
            Self::Subgradient => "subgradient",
        }
    }
}

/// One kind of step with its times, in microseconds, one a round.
struct Arm {
    kind: Kind,
    spared: &'static str,
    stepper: Stepper,
    times: Vec<f64>,
    /// What a run would count as the penalty's, mean over the steps of a turn.
    counted: Vec<f64>,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let json = words.iter().find_map(|w| w.strip_prefix("json="));
    let seconds: f64 = words.iter().find_map(|w| w.parse().ok()).unwrap_or(150.0);
    let configurations: Vec<_> = [1, 2]
        .into_iter()
        .flat_map(|threads| [128, 400].map(|batch| (threads, batch)))
        .flat_map(|(threads, batch)| OPTIMIZERS.map(|o| (threads, batch, o)))
        .collect();
    let each = Duration::from_secs_f64(seconds / configurations.len() as f64);
    println!(
        "{INPUTS}-400-300-100-{CLASSES}, group lasso on {}; medians and quartiles of rounds of {TIMED} steps each.\n",
        instruction_set()
    );
    println!(
        "| threads | batch | optimiser | penalty step | spared | step (µs) | penalty (µs) | quartiles | of the step (%) | of the full one's | counted (µs) | rounds |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut lines = String::new();
    for (threads, batch, (name, optimizer)) in configurations {
        let pool = Threads::new(threads).unwrap();
        let mut arms = arms(batch, optimizer, &pool);
        pool.run(|| measure(&mut arms, each));
        for row in rows(&arms) {
            println!("| {threads} | {batch} | {name} | {} |", row.markdown());
            let head = format!("\"threads\":{threads},\"batch\":{batch},\"optimiser\":\"{name}\"");
            writeln!(lines, "{{{head},{}}}", row.json()).unwrap();
        }
    }
    if let Some(file) = json {
        std::fs::write(file, lines).unwrap();
    }
}

fn arms(batch: usize, optimizer: Optimizer, threads: &Threads) -> Vec<Arm> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mlp = Mlp {
        inputs: INPUTS,
        hidden: HIDDEN.to_vec(),
        outputs: CLASSES,
        activation: Unary::Relu,
        init: Init::Scaled,
    };
    let graph = mlp.build(&mut rng).unwrap();
    let values = (0..batch * INPUTS).map(|_| rng.random::<f32>()).collect();
    let targets = Targets::Classes {
        labels: (0..batch).map(|i| (i % CLASSES) as u32).collect(),
        weights: vec![1.0; CLASSES],
        loss: ClassLoss::CrossEntropy,
    };
    let rows = Rows::new(values, INPUTS, targets).unwrap();
    let arm = |kind, (spared, part): (&'static str, &str)| Arm {
        kind,
        spared,
        stepper: stepper(&graph, rows.clone(), optimizer, kind, part, threads),
        times: vec![],
        counted: vec![],
    };
    let mut arms = vec![
        arm(Kind::None, ("", "full")),
        arm(Kind::NoneAgain, ("", "full")),
    ];
    for kind in [Kind::Fused, Kind::Separate, Kind::Subgradient] {
        arms.extend(PARTS.map(|part| arm(kind, part)));
    }
    arms
}

fn stepper(
    graph: &Graph,
    rows: Rows,
    optimizer: Optimizer,
    kind: Kind,
    part: &str,
    threads: &Threads,
) -> Stepper {
    let penalty = PenaltySettings {
        penalty: GroupLasso.into(),
        part: part.parse().unwrap(),
        // So that the share holds of all weights.
        inputs: Inputs::LikeHidden,
        members: Members::Outgoing,
        weights: GroupWeights::InitialWidths,
        compensation: Compensation::Off,
        // Too little to remove anything: rows of zeros would be cheaper.
        strength: StrengthChoice::Fixed(1e-9),
        step: match kind {
            Kind::Subgradient => PenaltyStep::Subgradient,
            _ => PenaltyStep::Proximal,
        },
        adam_metric: AdamMetric::Mean,
        removal: RemovalTime::End,
        floor: 1,
        round: 1,
        stages: 1,
        by: Criterion::Flap,
    };
    let settings = Settings {
        optimizer,
        rate: 1e-4,
        decay: Decay::Constant,
        warm_up: 0,
        weight_decay: 0.0,
        epochs: 1,
        settle: 0,
        steps: None,
        batch: rows.len(),
        order: Order::AsIs,
        seed: 0,
        threads: threads.count(),
        penalty: (!matches!(kind, Kind::None | Kind::NoneAgain)).then_some(penalty),
    };
    let pass = match kind {
        Kind::Separate => Pass::Separate,
        _ => Pass::Fused,
    };
    Stepper::new(graph, rows, settings, pass, threads).unwrap()
}

/// Rounds until the time is over; the first does not count.
fn measure(arms: &mut [Arm], time: Duration) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut order: Vec<usize> = (0..arms.len()).collect();
    let begin = Instant::now();
    let mut is_first = true;
    while is_first || begin.elapsed() < time {
        order.shuffle(&mut rng);
        for &a in &order {
            let arm = &mut arms[a];
            let counted = arm.stepper.penalty_seconds();
            (0..WARM).for_each(|_| arm.stepper.step());
            let mut best = f64::INFINITY;
            for _ in 0..TIMED {
                let start = Instant::now();
                arm.stepper.step();
                best = best.min(start.elapsed().as_secs_f64());
            }
            if !is_first {
                let counted = arm.stepper.penalty_seconds() - counted;
                arm.times.push(best * 1e6);
                arm.counted.push(counted * 1e6 / (WARM + TIMED) as f64);
            }
        }
        is_first = false;
    }
}

/// One line of the table.
struct Row {
    kind: Kind,
    spared: &'static str,
    penalised_share: f64,
    step: f64,
    /// Lower quartile, median and upper quartile.
    penalty: [f64; 3],
    /// Of the penalty of the same kind that spares nothing; none where that is lost in noise.
    of_full: Option<f64>,
    counted: f64,
    rounds: usize,
}

fn rows(arms: &[Arm]) -> Vec<Row> {
    let base = &arms[0].times;
    let costs = |arm: &Arm| -> [f64; 3] {
        let differences = arm.times.iter().zip(base).map(|(t, b)| t - b).collect();
        quartiles(differences)
    };
    let row = |arm: &Arm| {
        let full = arms.iter().find(|a| a.kind == arm.kind);
        let penalty = costs(arm);
        Row {
            kind: arm.kind,
            spared: arm.spared,
            penalised_share: arm.stepper.penalised_share(),
            step: quartiles(arm.times.clone())[1],
            penalty,
            of_full: full
                .map(costs)
                .filter(|full| full[0] > 0.0)
                .map(|full| penalty[1] / full[1]),
            counted: quartiles(arm.counted.clone())[1],
            rounds: arm.times.len(),
        }
    };
    arms.iter().map(row).collect()
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|q| {
        let last = values.len().saturating_sub(1);
        values.get(last * q / 4).copied().unwrap_or(f64::NAN)
    })
}

impl Row {
    fn markdown(&self) -> String {
        let [low, middle, high] = self.penalty;
        let (name, step, rounds) = (self.kind.name(), self.step, self.rounds);
        let share = 100.0 * middle / step;
        let of_full = self.of_full.map_or_else(String::new, |r| format!("{r:.2}"));
        match self.kind {
            Kind::None => format!("{name} | | {step:.0} | | | | | | {rounds}"),
            Kind::NoneAgain => format!(
                "{name} | | {step:.0} | {middle:.1} | {low:.1} to {high:.1} | {share:.2} | | | {rounds}"
            ),
            Kind::Fused | Kind::Separate | Kind::Subgradient => format!(
                "{name} | {} | {step:.0} | {middle:.1} | {low:.1} to {high:.1} | {share:.2} | {of_full} | {:.1} | {rounds}",
                self.spared, self.counted
            ),
        }
    }

    fn json(&self) -> String {
        let [low, middle, high] = self.penalty;
        format!(
            "\"step\":\"{}\",\"spared\":\"{}\",\"penalised_share\":{:.6},\"step_us\":{:.3},\"penalty_us\":{middle:.3},\
             \"penalty_us_q1\":{low:.3},\"penalty_us_q3\":{high:.3},\"counted_us\":{:.3},\"rounds\":{}",
            self.kind.name(),
            self.spared,
            self.penalised_share,
            self.step,
            self.counted,
            self.rounds
        )
    }
}
