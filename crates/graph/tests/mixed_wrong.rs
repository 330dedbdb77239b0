//! The laws themselves: what is drawn holds what it should, and wrong groups do not pass.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;

use secateur_graph::{
    ChannelGroups, Graph, Group, GroupKind, Keep, Tensor, evaluate, mask, settle, shrink,
};
use secateur_testkit::{Mixed, bits, change, drawn, operators, rows, some_keep};

const COUNT: usize = 150;

fn found(plan: &Mixed) -> (Graph, ChannelGroups) {
    let graph = settle(&plan.build().unwrap()).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    (graph, groups)
}

/// Operators that are drawn, by their names in the format.
const OPERATORS: [&str; 74] = [
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Conv",
    "ConvTranspose",
    "CumSum",
    "DepthToSpace",
    "Div",
    "Einsum",
    "Elu",
    "Expand",
    "Flatten",
    "Gather",
    "Gelu",
    "Gemm",
    "Greater",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "IsNaN",
    "LRN",
    "LayerNormalization",
    "LeakyRelu",
    "LogSoftmax",
    "LpNormalization",
    "MatMul",
    "Max",
    "MaxPool",
    "Mean",
    "MeanVarianceNormalization",
    "Min",
    "Mul",
    "PRelu",
    "Pad",
    "Pow",
    "RMSNormalization",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "ReduceSumSquare",
    "Relu",
    "Reshape",
    "Resize",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "SpaceToDepth",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Swish",
    "Tanh",
    "Tile",
    "Transpose",
    "Unsqueeze",
    "Upsample",
    "Where",
    "ConstantOfShape",
    "Shape",
    "Neg",
];

/// A generator that draws less and less, or groups that are all frozen, would let every law hold.
#[test]
fn every_operator_is_drawn_and_units_may_go() {
    let (mut drawn_names, mut free, mut several) = (BTreeSet::new(), 0, 0);
    let (mut inputs, mut outputs) = (0, 0);
    let mut steps = operators();
    for plan in drawn(6 * COUNT) {
        steps.retain(|step| !plan.steps.contains(step));
        let graph = plan.build().unwrap();
        drawn_names.extend(graph.nodes().iter().map(|n| n.op.onnx_name().to_owned()));
        inputs += usize::from(graph.inputs().len() > 1);
        outputs += usize::from(graph.outputs().len() > 1);
        let (_, groups) = found(&plan);
        let hidden = groups
            .groups()
            .iter()
            .filter(|g| g.kind == GroupKind::Hidden);
        let hidden: Vec<&Group> = hidden.filter(|g| g.units > 1).collect();
        several += hidden.len();
        free += hidden.iter().filter(|g| g.frozen.is_none()).count();
    }
    let missing: Vec<&&str> = OPERATORS
        .iter()
        .filter(|o| !drawn_names.contains(**o))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(steps.is_empty(), "{steps:?}");
    assert!(
        inputs > 5 && outputs > 5,
        "{inputs} and {outputs} of several"
    );
    assert!(
        3 * free > several,
        "{free} of {several} groups may lose units"
    );
}

/// Whether slices of a member differ between the units of its group.
fn differs(graph: &Graph, group: &Group, at: usize) -> bool {
    let member = &group.members[at];
    let tensor = graph.constant(member.tensor).unwrap();
    let slices = |unit: u32| {
        let own = (0..member.unit_of.len()).filter(|&p| member.unit_of[p] == Some(unit));
        tensor
            .select(member.axis, &own.collect::<Vec<_>>())
            .unwrap()
    };
    let first: Tensor = slices(0);
    (1..group.units as u32).any(|unit| slices(unit) != first)
}

/// How often a wrong rule for one member is noticed, and how often it was stated, of groups of so many units at least. Of two
/// units every order is the same for both of them, and other names for them are as good.
fn noticed(least: usize, wrong: impl Fn(&mut Group, usize)) -> (usize, usize) {
    let (mut caught, mut tried) = (0, 0);
    for plan in drawn(COUNT) {
        let (graph, groups) = found(&plan);
        let free =
            |g: &Group| g.frozen.is_none() && g.kind == GroupKind::Hidden && g.units >= least;
        for (index, group) in groups.groups().iter().enumerate() {
            if !free(group) {
                continue;
            }
            for at in (0..group.members.len()).filter(|&at| differs(&graph, group, at)) {
                let mut corrupt = groups.groups().to_vec();
                wrong(&mut corrupt[index], at);
                if corrupt == groups.groups() {
                    continue;
                }
                // Only this group is reordered.
                for (other, group) in corrupt.iter_mut().enumerate() {
                    if other != index {
                        group.frozen = Some(frozen());
                    }
                }
                let corrupt = groups.clone().with_groups(corrupt);
                tried += 1;
                // Any one of several orders and inputs.
                let worst = (0..4).map(|seed| change(&graph, &corrupt, seed).unwrap_or(1.0));
                caught += usize::from(worst.fold(0.0, f64::max) > 1e-9);
            }
        }
    }
    (caught, tried)
}

fn frozen() -> secateur_graph::Freeze {
    secateur_graph::Freeze {
        node: "test".into(),
        reason: "is not looked at".into(),
    }
}

/// Rectified units that are never positive, and layers behind them, hide some; eight of ten must show.
fn assert_noticed((caught, tried): (usize, usize)) {
    assert!(tried > 100, "{tried}");
    assert!(10 * caught > 8 * tried, "{caught} of {tried}");
}

#[test]
fn a_rule_that_leaves_out_a_member_fails() {
    assert_noticed(noticed(2, |group, at| {
        group.members.remove(at);
    }));
}

#[test]
fn a_rule_that_is_one_off_fails() {
    assert_noticed(noticed(3, |group, at| {
        group.members[at].unit_of.rotate_right(1);
    }));
}

#[test]
fn a_rule_that_swaps_two_units_fails() {
    assert_noticed(noticed(3, |group, at| {
        for unit in group.members[at].unit_of.iter_mut().flatten() {
            *unit = match *unit {
                0 => 1,
                1 => 0,
                other => other,
            };
        }
    }));
}

/// Units that are read without weights are frozen; were they not, masked and shrunk networks would differ.
#[test]
fn what_is_read_without_weights_could_not_have_gone() {
    const WITHOUT: [&str; 3] = [
        "is mixed across channels",
        "is read without weights",
        "is summed over",
    ];
    let (mut differ, mut tried) = (0, 0);
    for plan in drawn(COUNT) {
        let (graph, groups) = found(&plan);
        for index in 0..groups.groups().len() {
            let group = &groups.groups()[index];
            let reason = group.frozen.as_ref().map_or("", |f| f.reason.as_str());
            let is_read = group
                .members
                .iter()
                .any(|m| m.role == secateur_graph::Role::Reads);
            if !WITHOUT.iter().any(|w| reason.starts_with(w)) || !is_read || group.units < 2 {
                continue;
            }
            let mut thawed = groups.groups().to_vec();
            for (other, group) in thawed.iter_mut().enumerate() {
                group.frozen = (other != index).then(frozen);
            }
            let thawed = groups.clone().with_groups(thawed);
            let keeps = (0..3).map(|seed| some_keep(&thawed, seed));
            let keep = keeps.into_iter().find(|keep: &Keep| !keep.is_all());
            let Some(keep) = keep else { continue };
            let inputs = rows(&graph, 2, 1);
            let masked = mask(&graph, &thawed, &keep).unwrap();
            let want = evaluate(&masked, &inputs).unwrap();
            let have = shrink(&graph, &thawed, &keep).and_then(|s| evaluate(&s.graph, &inputs));
            tried += 1;
            differ += usize::from(have.is_ok_and(|have| bits(&want) != bits(&have)));
        }
    }
    assert!(tried > 20, "{tried}");
    assert!(2 * differ > tried, "{differ} of {tried}");
}
