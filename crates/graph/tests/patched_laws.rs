//! A model is written, read, settled, shrunk and patched, and the result read back: it computes what the small network does.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, ErrorKind, Graph, ModelMeta, evaluate, from_model, mask, patch, settle, shrink,
    to_model,
};
use secateur_onnx::proto::ModelProto;
use secateur_testkit::{
    Alias, Branch, Constants, Mixed, Operator, bits, law, mixed, rows, some_keep,
};

fn model(graph: &Graph) -> Option<ModelProto> {
    let meta = ModelMeta {
        opset: 24,
        ..ModelMeta::default()
    };
    match to_model(graph, &meta) {
        Ok(model) => Some(model),
        // Forms of old operator sets are only carried over.
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            None
        }
    }
}

/// A model without some units.
struct Shrunk {
    model: ModelProto,
    /// Those that it had.
    groups: ChannelGroups,
    is_cut: bool,
}

/// The model without some units; what is wrong, if it does not compute what the masked one does.
fn shrunk(model: &ModelProto, seed: u64) -> Result<Shrunk, String> {
    let said = |e: secateur_graph::Error| e.to_string();
    let read = from_model(model).map_err(said)?;
    let inputs = rows(&read, 2, seed);
    let settled = settle(&read).map_err(said)?;
    let groups = ChannelGroups::of(&settled).map_err(said)?;
    let keep = some_keep(&groups, seed);
    let (small, want, is_cut) = match shrink(&settled, &groups, &keep) {
        Ok(small) => {
            let masked = mask(&settled, &groups, &keep).map_err(said)?;
            (small.graph, masked, !keep.is_all())
        }
        // An axis would be left without positions.
        Err(error) if error.kind() == ErrorKind::Keep => (settled.clone(), settled.clone(), false),
        Err(error) => return Err(said(error)),
    };
    let patched = patch(model, &settled, &small).map_err(said)?;
    let back = from_model(&patched).map_err(said)?;
    let have = evaluate(&back, &inputs).map_err(said)?;
    let want = evaluate(&want, &inputs).map_err(said)?;
    match bits(&want) == bits(&have) {
        true => Ok(Shrunk {
            model: patched,
            groups,
            is_cut,
        }),
        false => Err("computes something else".into()),
    }
}

fn plan(places: usize, seed: u64, steps: &[Operator]) -> Graph {
    let layer = |outer| vec![Operator::Branch(Branch::Layer(outer))];
    let plan = Mixed {
        places,
        inputs: 2,
        rows: None,
        steps: [layer(6), steps.to_vec(), layer(5)].concat(),
        flat: false,
        outputs: 2,
        seed,
    };
    plan.build().unwrap()
}

#[test]
fn patched_models_compute_what_the_masked_network_does() {
    law(200, 0.3, &(mixed(), 0..1000u64), |(plan, seed)| {
        let Some(model) = model(&plan.build().unwrap()) else {
            return Ok(false);
        };
        let shrunk = shrunk(&model, seed).map_err(TestCaseError::fail)?;
        Ok(shrunk.is_cut)
    });
}

/// One part of a constant folds away with other constants; the other meets an activation.
#[test]
fn a_split_constant_is_settled_part_by_part() {
    for (places, seed) in (0..4).flat_map(|places| (0..4).map(move |seed| (places, seed))) {
        let graph = plan(places, seed, &[Operator::Constants(Constants::Packed)]);
        let Shrunk { groups, .. } = shrunk(&model(&graph).unwrap(), seed)
            .unwrap_or_else(|error| panic!("{places} axes: {error}"));
        let free = groups.groups().iter().filter(|g| g.is_free());
        assert!(free.map(|g| g.units).any(|units| units == 6), "{groups}");
    }
}

/// How many tensors of weights a model holds.
fn weights(model: &ModelProto) -> usize {
    let tensors = model.graph.initializer.iter();
    tensors.filter(|t| t.dims.len() > 1).count()
}

const ALIASES: [Alias; 5] = [
    Alias::Identity,
    Alias::Transpose,
    Alias::Turned,
    Alias::Reshape,
    Alias::Cast,
];

/// Layers with weights in common lose the same units, whatever stands between weights and layers.
#[test]
fn weights_in_common_have_the_same_units_for_all_that_read_them() {
    for (alias, places) in ALIASES
        .into_iter()
        .flat_map(|a| (0..4).map(move |p| (a, p)))
    {
        let built = plan(places, 1, &[Operator::Alias(alias)]);
        let settled = settle(&built).unwrap();
        let groups = ChannelGroups::of(&settled).unwrap();
        // Values with the same units stand side by side.
        let beside = settled
            .nodes()
            .iter()
            .find(|n| n.op.onnx_name() == "Concat");
        let held = beside.unwrap().inputs.iter().flatten().map(|value| {
            let all = groups.iter();
            let holds = |value| move |a: &secateur_graph::Activation| a.value == value;
            let own = all.filter(|(_, g)| g.activations.iter().any(holds(*value)));
            own.map(|(id, g)| (g.is_free(), id)).collect::<Vec<_>>()
        });
        let held: Vec<Vec<_>> = held.collect();
        let is_frozen = held.iter().flatten().all(|(free, _)| !free);
        assert!(
            is_frozen || held[0] == held[1],
            "{alias:?}, {places} axes: {groups}"
        );
    }
}

#[test]
fn weights_in_common_are_held_once() {
    for (alias, places) in ALIASES
        .into_iter()
        .flat_map(|a| (0..4).map(move |p| (a, p)))
    {
        let model = model(&plan(places, 1, &[Operator::Alias(alias)])).unwrap();
        for seed in 0..4 {
            let Shrunk { model: patched, .. } = shrunk(&model, seed)
                .unwrap_or_else(|error| panic!("{alias:?}, {places} axes: {error}"));
            if alias != Alias::Reshape {
                let (before, after) = (weights(&model), weights(&patched));
                assert!(
                    after <= before,
                    "{alias:?}, {places} axes: {before} and {after}"
                );
            }
        }
    }
}
