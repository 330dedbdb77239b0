//! A small problem that the tests of the trainer share.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test uses its share"
)]

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::{Graph, Unary};
use secateur_prox::{Compensation, GroupLasso, GroupWeights, Inputs, Members, Part, Penalty};
use secateur_testkit::Stream;
use secateur_train::{
    AdamMetric, Criterion, Decay, Flow, ImageSize, Mlp, Optimizer, PenaltySettings, PenaltyStep,
    RegressionLoss, RemovalTime, Rows, Settings, StrengthChoice, Targets, Trained, fit,
};

pub(crate) const FEATURES: usize = 10;

/// Three classes that depend on the first three of ten features.
pub(crate) fn classes(count: usize, seed: u64) -> Rows {
    let mut stream = Stream::new(seed);
    let mut values = vec![];
    let mut labels = vec![];
    for _ in 0..count {
        let row: Vec<f32> = (0..FEATURES)
            .map(|_| (2.0 * stream.unit() - 1.0) as f32)
            .collect();
        let scores = [row[0] + row[1], row[1] - row[2], row[2] - row[0]];
        let best = (0..3)
            .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
            .unwrap();
        labels.push(best as u32);
        values.extend(row);
    }
    Rows::new(
        values,
        FEATURES,
        Targets::Classes {
            labels,
            weights: vec![1.0; 3],
            loss: secateur_train::ClassLoss::CrossEntropy,
        },
    )
    .unwrap()
}

/// Two numbers that depend on the first three of ten features.
pub(crate) fn values(count: usize, seed: u64) -> Rows {
    let mut stream = Stream::new(seed);
    let mut features = vec![];
    let mut targets = vec![];
    for _ in 0..count {
        let row: Vec<f32> = (0..FEATURES)
            .map(|_| (2.0 * stream.unit() - 1.0) as f32)
            .collect();
        targets.extend([row[0] * row[1], row[2] - 0.5 * row[0]]);
        features.extend(row);
    }
    let loss = RegressionLoss::MeanSquared;
    Rows::new(
        features,
        FEATURES,
        Targets::Values {
            loss,
            values: targets,
            columns: 2,
        },
    )
    .unwrap()
}

/// Images of one class have a bright square at one of four places.
pub(crate) fn images(count: usize, size: ImageSize, seed: u64) -> Rows {
    let mut stream = Stream::new(seed);
    let ImageSize {
        channels,
        height,
        width,
    } = size;
    let mut values = vec![];
    let mut labels = vec![];
    for _ in 0..count {
        let class = stream.below(4);
        let (top, left) = (class / 2 * height / 2, class % 2 * width / 2);
        for _ in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let inside = (top..top + height / 2).contains(&row)
                        && (left..left + width / 2).contains(&column);
                    values.push((if inside { 1.0 } else { 0.0 } + 0.7 * stream.unit()) as f32);
                }
            }
        }
        labels.push(class as u32);
    }
    let targets = Targets::Classes {
        labels,
        weights: vec![1.0; 4],
        loss: secateur_train::ClassLoss::CrossEntropy,
    };
    let columns = channels * height * width;
    Rows::new(values, columns, targets)
        .unwrap()
        .with_shape(vec![channels, height, width])
        .unwrap()
}

pub(crate) fn network(hidden: &[usize], outputs: usize) -> Graph {
    let activation = Unary::Relu;
    let mlp = Mlp {
        init: secateur_train::Init::Scaled,
        inputs: FEATURES,
        hidden: hidden.to_vec(),
        outputs,
        activation,
    };
    mlp.build(&mut ChaCha8Rng::seed_from_u64(7)).unwrap()
}

pub(crate) fn group_lasso(strength: f64) -> PenaltySettings {
    PenaltySettings {
        penalty: Penalty::GroupLasso(GroupLasso),
        part: Part::Full,
        inputs: Inputs::Penalised,
        members: Members::Outgoing,
        weights: GroupWeights::CurrentWidths,
        compensation: Compensation::Off,
        strength: StrengthChoice::Fixed(strength),
        step: PenaltyStep::Proximal,
        adam_metric: AdamMetric::Mean,
        removal: RemovalTime::Epoch,
        floor: 1,
        round: 1,
        stages: 1,
        by: Criterion::Flap,
    }
}

pub(crate) fn settings(penalty: Option<PenaltySettings>) -> Settings {
    Settings {
        steps: None,
        order: secateur_train::Order::Shuffled,
        optimizer: Optimizer::Sgd {
            momentum: 0.9,
            nesterov: false,
        },
        rate: 0.05,
        decay: Decay::Cosine,
        warm_up: 0,
        weight_decay: 0.0,
        epochs: 60,
        settle: if penalty.is_some() { 20 } else { 0 },
        batch: 25,
        seed: 3,
        threads: 2,
        penalty,
    }
}

pub(crate) fn run(settings: &Settings) -> Trained {
    let graph = network(&[24, 16], 3);
    fit(
        graph,
        classes(400, 1),
        &classes(200, 2),
        settings,
        &mut |_| Flow::Continue,
    )
    .unwrap()
}
