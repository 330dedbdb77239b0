//! Convolutional networks: units are exchangeable, and masked and shrunk networks compute the same.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use insta::assert_snapshot;
use proptest::prelude::*;
use secateur_graph::{
    ChannelGroups, ModelMeta, Unary, evaluate, from_model, infer_shapes, to_model,
};
use secateur_testkit::{Block, Images, change, images, law, masked_equals_cut, rows, some_keep};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sigmoids are not exact, and sums in another order differ by a few units in the last place.
    #[test]
    fn reordered_units_change_nothing(plan in images(), seed in 0..1000u64) {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let change = change(&graph, &groups, seed).unwrap();
        prop_assert!(change < 1e-9, "{}", change);
    }
}

#[test]
fn masked_and_shrunk_agree_to_the_bit() {
    law(200, 0.3, &(images(), 0..1000u64), |(plan, seed)| {
        let graph = plan.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        masked_equals_cut(&graph, &groups, &some_keep(&groups, seed), seed)
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_and_read_back_is_the_same(plan in images()) {
        let graph = infer_shapes(&plan.build().unwrap()).unwrap();
        let back = from_model(&to_model(&graph, &ModelMeta::default()).unwrap()).unwrap();
        prop_assert_eq!(back.nodes().len(), graph.nodes().len());
        for (back, node) in back.nodes().iter().zip(graph.nodes()) {
            prop_assert_eq!(&back.op, &node.op);
        }
        let inputs = rows(&graph, 2, plan.seed);
        prop_assert_eq!(evaluate(&back, &inputs).unwrap(), evaluate(&graph, &inputs).unwrap());
    }
}

/// A channel that stands at several positions is no run of positions that could be divided.
#[test]
fn channels_that_are_shuffled_twice_are_still_followed() {
    let plan = Images {
        inputs: 1,
        blocks: vec![
            Block::Conv(3, 1, false),
            Block::Dense(3),
            Block::Shuffle,
            Block::Shuffle,
        ],
        flat: false,
        outputs: 1,
        seed: 0,
    };
    let graph = plan.build().unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    assert!(change(&graph, &groups, 0).unwrap() < 1e-9);
}

fn groups(blocks: &[Block], flat: bool) -> String {
    let plan = Images {
        inputs: 3,
        blocks: blocks.to_vec(),
        flat,
        outputs: 2,
        seed: 1,
    };
    ChannelGroups::of(&plan.build().unwrap())
        .unwrap()
        .to_string()
}

#[test]
fn a_plain_network_flattens_channels_into_blocks() {
    let blocks = [
        Block::Conv(2, 3, true),
        Block::Activate(Unary::Relu),
        Block::MaxPool,
        Block::MaxPool,
    ];
    assert_snapshot!(groups(&blocks, true));
}

#[test]
fn a_residual_couples_and_concatenation_keeps_apart() {
    let blocks = [Block::Conv(2, 1, false), Block::Residual, Block::Dense(1)];
    assert_snapshot!(groups(&blocks, false));
}

#[test]
fn grouped_convolutions_and_shuffles_are_products() {
    let blocks = [Block::Conv(4, 1, false), Block::Grouped(2), Block::Shuffle];
    assert_snapshot!(groups(&blocks, false));
}

#[test]
fn squeeze_and_excite_gates_the_channels_that_it_reads() {
    let blocks = [
        Block::Conv(3, 1, false),
        Block::SqueezeExcite(2),
        Block::Depthwise,
    ];
    assert_snapshot!(groups(&blocks, false));
}
