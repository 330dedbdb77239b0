//! How many bytes a repair holds, found before it takes them.

use std::collections::BTreeMap;

use secateur_graph::{ChannelGroups, Graph, Op, ValueId};

use super::lockstep::Effort;
use super::readers::{Through, readers};
use super::view::View;

/// Square matrices of doubles that are at hand at once for the widest reader, or for each group that is ranked at once: moments,
/// equations, their factors and inverse.
const MATRICES: u64 = 6;
/// Doubles for each weight of the reader with most of these: as they were, as they are moved, and the best and the latest that were found.
const WEIGHTS: u64 = 4;
/// Doubles for each number that is looked at of one batch.
const OF_BATCH: u64 = 4;

/// Bytes that scores by reconstruction and a repair hold at most, beside weights, inputs, and the values between what was run and what was
/// not, which may be made anew. `graph` is the network at the lengths of one of `batches` batches.
pub fn held_bytes(graph: &Graph, groups: &ChannelGroups, effort: Effort, batches: usize) -> u64 {
    let lengths = |id: ValueId| -> Option<Vec<u64>> {
        let shape = graph.value(id).shape.as_ref()?.iter();
        shape.map(|d| d.fixed().map(|n| n as u64)).collect()
    };
    let is_constant = |id: ValueId| graph.constant(id).is_some();
    let count = |id: ValueId| lengths(id).map_or(0, |all| all.into_iter().product::<u64>());
    let (mut samples, mut covariances) = (0u64, 0u64);
    let (mut most_of_reader, mut most_of_batch) = (0, 0);
    let mut sample_of: BTreeMap<ValueId, u64> = BTreeMap::new();
    let mut values: BTreeMap<ValueId, u64> = BTreeMap::new();
    for reader in readers(graph, groups) {
        let value = reader.read.0;
        let width = reader.width as u64;
        let (positions, of) = match reader.view {
            View::Channels { .. } => (value, width),
            View::Patches { .. } => (
                reader.made.0,
                lengths(reader.made.0).map_or(1, |all| all[reader.made.1]),
            ),
        };
        let positions = count(positions).saturating_mul(batches as u64) / of.max(1);
        let wanted = (effort.positions as u64).max(width.saturating_mul(effort.for_channel as u64));
        let sample = positions.min(wanted).saturating_mul(width * 4);
        samples = samples.saturating_add(sample);
        let of_all = sample_of.entry(reader.weights).or_default();
        *of_all = of_all.saturating_add(sample);
        // Those to fit on, and those to choose on.
        covariances = covariances.saturating_add(width.saturating_pow(2).saturating_mul(2 * 8));
        most_of_batch = most_of_batch.max(sample.div_ceil(batches.max(1) as u64 * 4));
        most_of_reader = most_of_reader.max(solving_bytes(graph, &reader));
        values.extend([value, reader.made.0].map(|id| (id, 4 * count(id))));
    }
    // Of one product of queries and keys, both are there of both networks.
    let sides = graph
        .nodes()
        .iter()
        .filter_map(|node| match node.inputs[..] {
            [Some(q), Some(k)] if node.op == Op::MatMul && !is_constant(q) && !is_constant(k) => {
                Some(8 * count(q).saturating_add(count(k)))
            }
            _ => None,
        });
    // Of all that read through one constant the samples are there of both networks.
    let widest_sample = sample_of.into_values().max().unwrap_or(0);
    let repair = samples.saturating_add(widest_sample);
    repair
        .max(covariances)
        .saturating_add(most_of_reader)
        .saturating_add(most_of_batch.saturating_mul(8 * OF_BATCH))
        .saturating_add(values.values().sum())
        .saturating_add(sides.max().unwrap_or(0))
}

/// Bytes that are at hand while a reader is ranked or solved.
pub(crate) fn solving_bytes(graph: &Graph, reader: &Through<'_>) -> u64 {
    let weights = graph.constant(reader.weights).map_or(0, |t| t.len() as u64);
    let matrices = (reader.width as u64)
        .saturating_pow(2)
        .saturating_mul(MATRICES);
    matrices
        .saturating_add(weights.saturating_mul(WEIGHTS))
        .saturating_mul(8)
}

/// How many groups are ranked at once on so many threads: one, and as many more as fit into `memory` bytes if each takes `each`.
pub(crate) fn ranked_at_once(each: u64, memory: u64, threads: usize) -> usize {
    let more = memory / each.max(1);
    usize::try_from(more).map_or(threads, |more| more.saturating_add(1).min(threads))
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Binary, Dim, GraphBuilder, Op, Tensor, Unary, at_lengths, infer_shapes};
    use secateur_testkit::mlp;

    use super::*;

    #[test]
    fn bytes_are_those_of_samples_matrices_and_a_batch() {
        let graph = infer_shapes(&mlp(&[3, 100, 50, 2], Unary::Relu, 1).unwrap()).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let batch = at_lengths(&graph, &[vec![8, 3]]).unwrap();
        let of = |positions, for_channel| {
            let effort = Effort {
                positions,
                for_channel,
                seed: 0,
                memory: 0,
            };
            held_bytes(&batch, &groups, effort, 5)
        };
        // Of the weights of the second layer four times as many as there are.
        let solving = 8 * (6 * 100 * 100 + 4 * 100 * 50);
        // Of a batch all that there is: eight rows.
        let fixed = solving + 4 * 8 * 8 * 100 + 4 * 8 * (100 + 50 + 50 + 2);
        // 40 positions there are, of 100 and of 50 numbers: fewer bytes than covariances take.
        assert_eq!(of(1000, 24), fixed + 2 * 8 * (100 * 100 + 50 * 50));
        let many = at_lengths(&graph, &[vec![1000, 3]]).unwrap();
        let effort = Effort {
            positions: 200,
            for_channel: 3,
            seed: 0,
            memory: 0,
        };
        let samples = 4 * (300 * 100 + 200 * 50) + 4 * 300 * 100;
        // Of each of five batches 60 positions.
        let of_batch = 4 * 8 * 60 * 100;
        assert_eq!(
            held_bytes(&many, &groups, effort, 5),
            samples + solving + of_batch + 4 * 1000 * 202
        );
    }

    #[test]
    fn groups_are_ranked_side_by_side_as_memory_allows() {
        assert_eq!(ranked_at_once(500, 499, 8), 1);
        assert_eq!(ranked_at_once(500, 1000, 8), 3);
        assert_eq!(ranked_at_once(500, 1000, 2), 2);
        assert_eq!(ranked_at_once(0, 100, 4), 4);
        assert_eq!(ranked_at_once(500, u64::MAX, 4), 4);
    }

    #[test]
    fn what_shares_weights_is_held_at_once() {
        let zeros = |shape: [usize; 2]| Tensor::f32(shape, vec![0.0; shape[0] * shape[1]]).unwrap();
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let w1 = b.constant("w1", zeros([3, 100]));
        let first = b.node("first", Op::MatMul, &[x, w1]);
        let second = b.node("second", Op::Unary(Unary::Relu), &[first]);
        let w = b.constant("w", zeros([100, 2]));
        let one = b.node("one", Op::MatMul, &[first, w]);
        let other = b.node("other", Op::MatMul, &[second, w]);
        let sum = b.node("sum", Op::Binary(Binary::Add), &[one, other]);
        b.output(sum);
        let graph = infer_shapes(&b.build().unwrap()).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let graph = at_lengths(&graph, &[vec![1000, 3]]).unwrap();
        let effort = Effort {
            positions: 200,
            for_channel: 3,
            seed: 0,
            memory: 0,
        };
        // 300 positions of both, in both networks.
        let samples = 2 * 2 * 4 * 300 * 100;
        let solving = 8 * (6 * 100 * 100 + 4 * 100 * 2) + 4 * 8 * 60 * 100;
        let values = 4 * 1000 * (100 + 100 + 2 + 2);
        let held = held_bytes(&graph, &groups, effort, 5);
        assert_eq!(held, samples + solving + values);
    }

    #[test]
    fn queries_and_keys_of_a_batch_are_held_of_both_networks() {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(5), Dim::Fixed(3)]);
        let [queries, keys] = ["queries", "keys"].map(|name| {
            let w = Tensor::f32([3, 100], vec![0.0; 300]).unwrap();
            let w = b.constant(format!("{name}.w"), w);
            b.node(name, Op::MatMul, &[x, w])
        });
        let order = vec![0, 2, 1];
        let keys = b.node("columns", Op::Transpose { order }, &[keys]);
        let scores = b.node("scores", Op::MatMul, &[queries, keys]);
        b.output(scores);
        let graph = infer_shapes(&b.build().unwrap()).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let graph = at_lengths(&graph, &[vec![10, 5, 3]]).unwrap();
        let effort = Effort {
            positions: 200,
            for_channel: 3,
            seed: 0,
            memory: 0,
        };
        let held = held_bytes(&graph, &groups, effort, 5);
        assert_eq!(held, 2 * 4 * 2 * 10 * 5 * 100);
    }
}
