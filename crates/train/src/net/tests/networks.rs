//! Small networks, rows and settings that these tests share.

use secateur_graph::{Array, Graph, Group, GroupId, Op, Role, Tensor, Unary, ValueId};
use secateur_testkit::{Block, Images, Stream};

use super::super::{NetLearner, row_shape};
use crate::learner::{Step, Stepped};
pub(super) use crate::removal::testing::group_lasso;
use crate::strength::Lambda;
use crate::{
    Decay, Optimizer, Order, PenaltySettings, RegressionLoss, Rows, Settings, StrengthChoice,
    Targets,
};

pub(super) const OUTPUTS: usize = 3;
const PIXELS: usize = 2 * 6 * 6;

pub(super) const SGD: Optimizer = momentum(0.0, false);
pub(super) const OPTIMIZERS: [Optimizer; 5] = [
    SGD,
    momentum(0.9, false),
    momentum(0.9, true),
    Optimizer::Adam,
    Optimizer::AdamW,
];

const fn momentum(momentum: f64, nesterov: bool) -> Optimizer {
    Optimizer::Sgd { momentum, nesterov }
}

/// A network of blocks with drawn numbers of which none is 0 and no two alike.
pub(super) fn pictures(blocks: &[Block], flat: bool) -> Graph {
    let plan = Images {
        inputs: 2,
        blocks: blocks.to_vec(),
        flat,
        outputs: OUTPUTS,
        seed: 3,
    };
    let mut graph = plan.build().unwrap();
    let mut stream = Stream::new(11);
    let around = |id: ValueId, graph: &Graph| {
        let norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
        let norms = graph.nodes().iter().filter(|n| norm(&n.op));
        // A scale and a variance lie around 1, all else around 0.
        let positive = |n: &secateur_graph::Node| [n.inputs[1], n.inputs[4]].contains(&Some(id));
        f64::from(u8::from(norms.clone().any(positive)))
    };
    for id in graph.value_ids() {
        let float = graph.constant(id).filter(|t| t.is_float());
        let Some(shape) = float.map(|t| t.shape().to_vec()) else {
            continue;
        };
        let middle = around(id, &graph);
        let draw = |_| (middle + 0.5 * stream.unit()) as f32;
        let numbers = (0..shape.iter().product()).map(draw).collect();
        graph
            .set_constant(id, Tensor::f32(shape, numbers).unwrap())
            .unwrap();
    }
    graph
}

/// Units that live together over a sum and through a depthwise layer, units beside them, and units read place by place.
pub(super) fn residual() -> Graph {
    let blocks = [
        Block::Conv(4, 3, true),
        Block::BatchNorm,
        Block::Activate(Unary::Relu),
        Block::Residual,
        Block::Activate(Unary::Relu),
        Block::Depthwise,
        Block::BatchNorm,
        Block::Activate(Unary::Relu),
        Block::Dense(2),
        Block::Activate(Unary::Relu),
        Block::Conv(6, 1, true),
        Block::Activate(Unary::Relu),
    ];
    pictures(&blocks, true)
}

/// A convolution in front of a normalisation, and one that means are read of.
pub(super) fn plain() -> Graph {
    let blocks = [
        Block::Conv(4, 3, false),
        Block::BatchNorm,
        Block::Activate(Unary::Relu),
        Block::Conv(5, 3, true),
        Block::Activate(Unary::Relu),
    ];
    pictures(&blocks, false)
}

/// Rows of drawn numbers with drawn targets.
pub(super) fn rows(count: usize) -> Rows {
    let mut stream = Stream::new(21);
    let mut drawn = |n: usize| (0..n).map(|_| stream.unit() as f32).collect::<Vec<f32>>();
    let features = drawn(count * PIXELS);
    let targets = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: drawn(count * OUTPUTS),
        columns: OUTPUTS,
    };
    let rows = Rows::new(features, PIXELS, targets).unwrap();
    rows.with_shape(vec![2, 6, 6]).unwrap()
}

pub(super) fn settings(optimizer: Optimizer, penalty: Option<PenaltySettings>) -> Settings {
    Settings {
        optimizer,
        rate: 0.05,
        decay: Decay::Constant,
        warm_up: 0,
        weight_decay: 0.1,
        epochs: 4,
        settle: 1,
        steps: None,
        batch: 8,
        order: Order::AsIs,
        seed: 3,
        threads: 2,
        penalty,
    }
}

pub(super) fn learner(graph: &Graph, settings: &Settings) -> NetLearner {
    NetLearner::new(graph.clone(), rows(8), settings).unwrap()
}

/// One step on all rows of the learner.
pub(super) fn step(
    net: &mut NetLearner,
    settings: &Settings,
    (rate, number, is_penalised): (f64, usize, bool),
) -> Stepped {
    let rows = net.rows.clone();
    let strength = settings.penalty.map(|p| p.strength);
    net.train_step(Step {
        settings,
        features: &rows.features(0, rows.len()).unwrap(),
        targets: rows.targets(),
        rate,
        number,
        lambda: &mut Lambda::new(strength.unwrap_or(StrengthChoice::Fixed(0.0))),
        is_penalised,
    })
}

/// A learner that took two steps without its penalty, so that gradients and state are those of a run.
pub(super) fn begun(graph: &Graph, settings: &Settings) -> NetLearner {
    let mut net = learner(graph, settings);
    for number in 0..2 {
        step(&mut net, settings, (0.01, number, false));
    }
    net
}

pub(super) fn values(net: &NetLearner) -> Vec<Vec<f32>> {
    let all = net.network.parameters().iter();
    all.map(|p| p.values().to_vec()).collect()
}

/// The graph with the numbers of the network as it is.
pub(super) fn written(net: &NetLearner) -> Graph {
    let mut graph = net.graph.clone();
    net.network.write_back(&mut graph).unwrap();
    graph
}

/// The groups whose units layers make, with their ids.
pub(super) fn hidden(net: &NetLearner) -> Vec<(GroupId, Group)> {
    let free = net.groups.iter().filter(|(_, g)| g.is_free());
    free.map(|(id, g)| (id, g.clone())).collect()
}

/// The parameters that hold a unit's numbers of some role, each with the places of these.
pub(super) fn places(
    net: &NetLearner,
    group: &Group,
    role: Role,
    unit: usize,
) -> Vec<(usize, Vec<usize>)> {
    let members = group.members.iter().filter(|m| m.role == role);
    let found = members.map(|member| {
        let mut all = net.network.parameters().iter();
        let index = all.position(|p| p.id() == member.tensor).unwrap();
        let shape = net.network.parameters()[index].shape();
        let inner: usize = shape[member.axis + 1..].iter().product();
        let is_own =
            |&at: &usize| member.unit_of[at / inner % shape[member.axis]] == Some(unit as u32);
        let all = 0..shape.iter().product::<usize>();
        (index, all.filter(is_own).collect())
    });
    found.collect()
}

/// The numbers at such places, one after the other.
pub(super) fn at(values: &[Vec<f32>], places: &[(usize, Vec<usize>)]) -> Vec<f64> {
    let each = places
        .iter()
        .flat_map(|(p, at)| at.iter().map(|&i| values[*p][i]));
    each.map(f64::from).collect()
}

pub(super) fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|w| w * w).sum::<f64>().sqrt()
}

/// All rows of a learner as the naive evaluator takes them.
pub(super) fn sample(net: &NetLearner) -> Array {
    let mut shape = row_shape(&net.graph, &net.rows).unwrap();
    shape[0] = net.rows.len();
    let features = net.rows.features(0, net.rows.len()).unwrap();
    Array::new(shape, features.iter().map(|&v| f64::from(v)).collect()).unwrap()
}
