//! The laws of groups where units lie on any axis of any input of any operator.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use secateur_graph::{
    ChannelGroups, ErrorKind, Graph, Keep, Op, evaluate, infer_shapes, mask, shrink,
};
use secateur_testkit::{OnAxis, bits, change, drawn_on_axis, on_axis, rows, some_keep};

/// The networks, which take a while to make.
fn all() -> &'static [OnAxis] {
    static ALL: OnceLock<Vec<OnAxis>> = OnceLock::new();
    ALL.get_or_init(|| on_axis().unwrap())
}

/// Decisions that drop one unit, and some that drop many; whether nothing stands in the way of carrying them out.
fn keeps(groups: &ChannelGroups) -> Vec<(Keep, bool)> {
    let mut all: Vec<(Keep, bool)> = (0..3)
        .map(|seed| (some_keep(groups, seed), false))
        .collect();
    for (id, group) in groups.iter().filter(|(_, g)| g.is_free()) {
        for unit in [0, group.units - 1] {
            let mut keep = Keep::all(groups);
            if keep.can_drop(groups, id, unit) && keep.drop(id, unit).is_ok() {
                all.push((keep, true));
            }
        }
    }
    all
}

/// What is wrong with the masked and the small network of a decision.
fn difference(graph: &Graph, groups: &ChannelGroups, keep: &Keep, must: bool) -> Option<String> {
    let small = match shrink(graph, groups, keep) {
        Ok(small) => small.graph,
        Err(error) if error.kind() == ErrorKind::Keep && !must => return None,
        Err(error) => return Some(format!("does not shrink: {error}")),
    };
    let inputs = rows(graph, 2, 1);
    let masked = mask(graph, groups, keep).and_then(|masked| evaluate(&masked, &inputs));
    let want = bits(&masked.unwrap());
    match evaluate(&small, &inputs) {
        Ok(have) if bits(&have) == want => {}
        Ok(_) => return Some("computes something else when shrunk".into()),
        Err(error) => return Some(format!("is no network when shrunk: {error}")),
    }
    // What is said to hold the units gets shorter by them.
    let shaped = infer_shapes(&small).unwrap();
    for (id, group) in groups.iter() {
        // Inputs keep their shape.
        let inner = group
            .activations
            .iter()
            .filter(|a| !graph.inputs().contains(&a.value));
        for held in inner {
            let left = |unit: &Option<u32>| unit.is_none_or(|unit| keep.keeps(id, unit as usize));
            let most = held.unit_of.iter().filter(|unit| left(unit)).count();
            let shape = shaped.value(held.value).shape.as_ref();
            let length = shape.and_then(|shape| shape.get(held.axis)?.fixed());
            if length.is_some_and(|length| length > most) {
                let name = &graph.value(held.value).name;
                return Some(format!("keeps the length of '{name}'"));
            }
        }
    }
    None
}

fn fault(case: &OnAxis) -> Option<String> {
    let graph = &case.graph;
    let groups = match ChannelGroups::of(graph) {
        Ok(groups) => groups,
        Err(error) => return Some(format!("has no groups: {error}")),
    };
    // Features of inputs alone are another matter.
    if !groups.groups().iter().any(|g| g.is_free() && g.units > 1) {
        return None;
    }
    match change(graph, &groups, 1) {
        Ok(change) if change < 1e-9 => {}
        Ok(change) => return Some(format!("changes by {change} when units are reordered")),
        Err(error) => return Some(format!("is no network when units are reordered: {error}")),
    }
    let mut keeps = keeps(&groups).into_iter();
    keeps.find_map(|(keep, must)| difference(graph, &groups, &keep, must))
}

#[test]
fn units_on_any_axis_go_or_are_frozen() {
    none_is_wrong(all());
}

#[test]
fn units_go_or_are_frozen_whatever_attributes_are_drawn() {
    let all = drawn_on_axis().unwrap();
    let ops: BTreeSet<&str> = all.iter().map(|case| case.op.onnx_name()).collect();
    assert_eq!(ops.len(), 72);
    none_is_wrong(&all);
}

fn none_is_wrong(all: &[OnAxis]) {
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in all {
        if let Some(fault) = fault(case) {
            let of = wrong.entry(case.op.onnx_name().into()).or_default();
            of.push(format!("{}: {fault}", case.name));
        }
    }
    let count: usize = wrong.values().map(Vec::len).sum();
    let mut said = format!("{count} of {}", all.len());
    for (op, of) in &wrong {
        said += &format!("\n{op}: {}", of.len());
        for case in of.iter().take(6) {
            said += &format!("\n    {case}");
        }
    }
    assert!(wrong.is_empty(), "{said}");
}

/// One name a variant of [`Op`]; none for those that the naive evaluator cannot run. Whoever adds a variant is led here.
fn variant(op: &Op) -> Option<&'static str> {
    Some(match op {
        Op::Gemm(_) => "Gemm",
        Op::MatMul => "MatMul",
        Op::Attention(_) => "Attention",
        Op::Sample(_) => "Sample",
        Op::Conv(_) => "Conv",
        Op::ConvTranspose(_) => "ConvTranspose",
        Op::BatchNorm { .. } => "BatchNorm",
        Op::Norm(_) => "Norm",
        Op::Pool(_) => "Pool",
        Op::Reduce(_) => "Reduce",
        Op::Binary(_) => "Binary",
        Op::Unary(_) => "Unary",
        Op::Variadic(_) => "Variadic",
        Op::Einsum(_) => "Einsum",
        Op::Mix(_) => "Mix",
        Op::Softmax { .. } => "Softmax",
        Op::LogSoftmax { .. } => "LogSoftmax",
        Op::Flatten { .. } => "Flatten",
        Op::Gather { .. } => "Gather",
        Op::Reshape { .. } => "Reshape",
        Op::Transpose { .. } => "Transpose",
        Op::Squeeze(_) => "Squeeze",
        Op::Concat { .. } => "Concat",
        Op::Slice { .. } => "Slice",
        Op::Split(_) => "Split",
        Op::Depth(_) => "Depth",
        Op::Pad(_) => "Pad",
        Op::Resize(_) => "Resize",
        Op::Expand => "Expand",
        Op::Tile => "Tile",
        Op::Where => "Where",
        Op::Cast { .. } => "Cast",
        Op::Shape { .. } => "Shape",
        Op::Index(_) => "Index",
        Op::PRelu => "PRelu",
        Op::Clip { .. } => "Clip",
        Op::Identity => "Identity",
        Op::Opaque(_) => return None,
    })
}

#[test]
fn every_variant_is_tried_and_most_pass_units_on() {
    let all = all();
    let tried: BTreeSet<&str> = all.iter().filter_map(|case| variant(&case.op)).collect();
    assert_eq!(tried.len(), 37, "{tried:?}");
    let mut free = BTreeSet::new();
    for case in all.iter().step_by(3) {
        let groups = ChannelGroups::of(&case.graph);
        if groups.is_ok_and(|g| g.groups().iter().any(|g| g.is_free() && g.units > 1)) {
            free.extend(variant(&case.op));
        }
    }
    let never: Vec<&&str> = tried.difference(&free).collect();
    assert!(never.is_empty(), "{never:?}");
}
