//! A small network with a dead unit, and rows to remove it on.

use secateur_graph::{
    Array, ChannelGroups, Dim, Gemm, Graph, GraphBuilder, GroupKind, Keep, Op, Tensor, Unary,
};
use secateur_testkit::Stream;

use secateur_prox::{Compensation, GroupLasso, GroupWeights, Inputs, Members, Part, Penalty};

use crate::{
    AdamMetric, Criterion, Decay, Optimizer, Order, PenaltySettings, PenaltyStep, RegressionLoss,
    RemovalTime, Rows, Settings, StrengthChoice, Targets,
};

/// Rows of every test: more than the naive evaluator is given.
pub(crate) const ROWS: usize = 12;
/// In single precision, numbers of this size lose what is below 2^-8; outputs here are about 2.
pub(crate) const LOST: f32 = 32768.0;

/// Three features, four units and two outputs; nobody reads the last unit. `lift` is added in front of the units and taken away
/// behind them: the function is the same, but for what single precision loses.
pub(crate) fn network(lift: f32) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    let mut stream = Stream::new(5);
    let first: Vec<f32> = (0..12)
        .map(|_| (0.6 + 0.3 * stream.unit()) as f32)
        .collect();
    let last = [1.0, 0.5, -0.5, 1.0, 1.0, -0.5, 0.0, 0.0];
    let sums = [1.5, 1.0];
    let weights = [
        Tensor::f32([3, 4], first).unwrap(),
        Tensor::f32([4, 2], last.to_vec()).unwrap(),
    ];
    let biases = [
        Tensor::f32([4], vec![lift; 4]).unwrap(),
        Tensor::f32([2], sums.map(|sum| -lift * sum).to_vec()).unwrap(),
    ];
    let mut y = x;
    for (layer, (w, bias)) in (1..).zip(weights.into_iter().zip(biases)) {
        let w = b.constant(format!("w{layer}"), w);
        let bias = b.constant(format!("b{layer}"), bias);
        let gemm = Op::Gemm(Gemm::default());
        y = b.node(format!("dense{layer}"), gemm, &[y, w, bias]);
        if layer == 1 {
            y = b.node("relu", Op::Unary(Unary::Relu), &[y]);
        }
    }
    b.output(y);
    b.build().unwrap()
}

/// The network with the weights of its last output, and of no other, grown by a share.
pub(crate) fn grown(share: f32) -> Graph {
    let mut graph = network(0.0);
    let id = graph.value_named("w2").unwrap();
    let mut weights = graph.constant(id).unwrap().as_f32().unwrap().to_vec();
    for row in weights.chunks_mut(2) {
        row[1] *= 1.0 + share;
    }
    let weights = Tensor::f32([4, 2], weights).unwrap();
    graph.set_constant(id, weights).unwrap();
    graph
}

/// All units but the dead one.
pub(crate) fn live(groups: &ChannelGroups) -> Keep {
    let mut keep = Keep::all(groups);
    let mut hidden = groups.iter().filter(|(_, g)| g.kind == GroupKind::Hidden);
    let (id, _) = hidden.next().unwrap();
    keep.drop(id, 3).unwrap();
    keep
}

fn features() -> Vec<f32> {
    let mut stream = Stream::new(8);
    let drawn = (0..ROWS * 3).map(|_| (0.5 + 0.4 * stream.unit()) as f32);
    drawn.collect()
}

/// Rows with targets that nothing is learnt from.
pub(crate) fn rows() -> Rows {
    let targets = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: vec![0.0; ROWS * 2],
        columns: 2,
    };
    Rows::new(features(), 3, targets).unwrap()
}

/// The first rows as the naive evaluator should be given them.
pub(crate) fn sample(count: usize) -> Array {
    let values = features().into_iter().take(count * 3).map(f64::from);
    Array::new([count, 3], values.collect::<Vec<f64>>()).unwrap()
}

/// Batches that hold all rows.
pub(crate) fn settings() -> Settings {
    Settings {
        steps: None,
        order: Order::Shuffled,
        optimizer: Optimizer::Sgd {
            momentum: 0.0,
            nesterov: false,
        },
        rate: 0.05,
        decay: Decay::Cosine,
        warm_up: 0,
        weight_decay: 0.0,
        epochs: 1,
        settle: 0,
        batch: 16,
        seed: 3,
        threads: 1,
        penalty: None,
    }
}

/// All hidden units, by what leaves them.
pub(crate) fn group_lasso(strength: f64) -> PenaltySettings {
    PenaltySettings {
        penalty: Penalty::GroupLasso(GroupLasso),
        part: Part::Full,
        inputs: Inputs::Spared,
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
