//! A stored network is the network, with all places; what is no network is refused.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use proptest::prelude::*;
use secateur_graph::{ChannelGroups, Graph, infer_shapes, shrink};
use secateur_testkit::{images, law, mixed, mlp, some_keep};

fn through_bytes(graph: &Graph) -> Graph {
    let bytes = postcard::to_allocvec(graph).unwrap();
    postcard::from_bytes(&bytes).unwrap()
}

#[test]
fn mixed_networks_come_back() {
    law(48, 0.2, &(mixed(), any::<u64>()), |(network, seed)| {
        let graph = network.build().unwrap();
        prop_assert_eq!(&through_bytes(&graph), &graph);
        let inferred = infer_shapes(&graph).unwrap();
        prop_assert_eq!(&through_bytes(&inferred), &inferred);
        let groups = ChannelGroups::of(&inferred).unwrap();
        let keep = some_keep(&groups, seed);
        // Some draws leave a part of a divided value nothing, which is refused.
        let Ok(shrunk) = shrink(&inferred, &groups, &keep) else {
            return Ok(false);
        };
        prop_assert_eq!(&through_bytes(&shrunk.graph), &shrunk.graph);
        Ok(true)
    });
}

#[test]
fn changed_bytes_are_a_network_or_an_error() {
    let draws = (images(), any::<usize>(), 0u8..8);
    law(48, 0.1, &draws, |(network, place, bit)| {
        let mut bytes = postcard::to_allocvec(&network.build().unwrap()).unwrap();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        let Ok(graph) = postcard::from_bytes::<Graph>(&bytes) else {
            return Ok(false);
        };
        // Whatever came out is one: nothing here may panic.
        let _ = ChannelGroups::of(&graph);
        Ok(true)
    });
}

#[test]
fn values_that_do_not_exist_are_told() {
    let graph = mlp(&[2, 3, 1], secateur_graph::Unary::Relu, 1).unwrap();
    let text = serde_json::to_string(&graph).unwrap();
    let wrong = text.replacen("\"outputs\":[", "\"outputs\":[99,", 1);
    assert_ne!(text, wrong);
    let error = serde_json::from_str::<Graph>(&wrong).unwrap_err();
    assert!(error.to_string().contains("names value 99 of"), "{error}");
}
