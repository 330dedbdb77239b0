//! Which units of a group go first, and how many of each group if all groups are ranked together.

use secateur_graph::{Graph, Group, GroupId, Role};

/// The units of a group that may lose some.
pub(super) struct Ranked {
    pub(super) id: GroupId,
    /// Those that go first in front.
    pub(super) order: Vec<usize>,
    /// Their scores in that order, as multiples of the mean of the group.
    scores: Vec<f64>,
}

impl Ranked {
    pub(super) fn new(id: GroupId, scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
        // Units of a group that nothing weighs are all worth nothing.
        let relative = |&unit: &usize| if mean > 0.0 { scores[unit] / mean } else { 0.0 };
        Self {
            id,
            scores: order.iter().map(relative).collect(),
            order,
        }
    }

    pub(super) fn units(&self) -> usize {
        self.order.len()
    }

    /// The score of the unit at a place in the order, as a multiple of the mean of the group.
    pub(super) fn score(&self, place: usize) -> f64 {
        self.scores[place]
    }
}

/// How many units of each group stay, if the lowest of all go until a share of all is left, and each group keeps
/// `least`, which may be none.
///
/// Scores are compared as multiples of their group's mean: sums over many large weights would otherwise make all
/// units of one layer better than those of another.
pub(super) fn across(share: f64, least: usize, ranked: &[Ranked]) -> Vec<usize> {
    let mut left: Vec<usize> = ranked.iter().map(Ranked::units).collect();
    let total: usize = left.iter().sum();
    let wanted = (share * total as f64).ceil() as usize;
    let mut spare = total.saturating_sub(wanted);
    let mut pool: Vec<(f64, usize)> = vec![];
    for (index, group) in ranked.iter().enumerate() {
        pool.extend(group.scores.iter().map(|&score| (score, index)));
    }
    // Stable, so that the units of a group stay in their order.
    pool.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (_, index) in pool {
        if spare == 0 {
            break;
        }
        if left[index] > least {
            left[index] -= 1;
            spare -= 1;
        }
    }
    left
}

/// For each unit the sum of `of` over the weights that read it, or make it where something without weights reads it.
pub(crate) fn norms(graph: &Graph, group: &Group, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let reads = group.members.iter().any(|m| m.role == Role::Reads);
    let role = if reads && !group.in_products {
        Role::Reads
    } else {
        Role::Produces
    };
    let mut sums = vec![0.0; group.units];
    for member in group.members.iter().filter(|m| m.role == role) {
        let Some(tensor) = graph.constant(member.tensor) else {
            continue;
        };
        let inner: usize = tensor.shape()[member.axis + 1..].iter().product();
        let numbers = tensor.numbers();
        let slices = numbers.chunks_exact(inner.max(1));
        for (slice, unit) in slices.zip(member.unit_of.iter().cycle()) {
            if let Some(unit) = *unit {
                sums[unit as usize] += slice.iter().map(|&w| of(w)).sum::<f64>();
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Data, Dim, Element, GraphBuilder, Op, Tensor, Unary};
    use secateur_testkit::mlp;

    use super::*;

    fn ranked(scores: &[&[f64]]) -> Vec<Ranked> {
        let widths = vec![2; scores.len() + 2];
        let groups = ChannelGroups::of(&mlp(&widths, Unary::Relu, 1).unwrap()).unwrap();
        let pairs = groups.ids().zip(scores);
        pairs.map(|(id, scores)| Ranked::new(id, scores)).collect()
    }

    #[test]
    fn the_lowest_go_wherever_they_are() {
        let groups = ranked(&[&[3.0, 1.0, 2.0, 2.0], &[100.0, 100.0, 100.0, 100.0]]);
        assert_eq!(groups[0].order, [1, 2, 3, 0]);
        // All of the second group are as good as its mean; scores as they are would spare it altogether.
        assert_eq!(across(7.0 / 8.0, 1, &groups), [3, 4]);
        assert_eq!(across(0.5, 1, &groups), [1, 3]);
        assert_eq!(across(1.0, 1, &groups), [4, 4]);
    }

    #[test]
    fn every_group_keeps_the_least() {
        let groups = ranked(&[&[0.0, 0.0, 0.0], &[1.0, 5.0, 6.0]]);
        assert_eq!(across(0.5, 2, &groups), [2, 2]);
        assert_eq!(across(0.5, 0, &groups), [0, 3]);
        assert_eq!(across(0.01, 1, &groups), [1, 1]);
    }

    /// They once counted as weights of nothing.
    #[test]
    fn weights_of_other_types_count() {
        let halves =
            |bits: &[u16]| -> Vec<u8> { bits.iter().flat_map(|b| b.to_le_bytes()).collect() };
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
        b.of_type(x, Element::F16);
        let tensor = |shape: [usize; 2], bits: &[u16]| {
            Tensor::new(shape, Data::Raw(Element::F16, halves(bits))).unwrap()
        };
        // 1.0, -2.0 and 0.0 in 16 bits.
        let first = b.constant("first", tensor([1, 3], &[0x3c00; 3]));
        let last = b.constant("last", tensor([3, 1], &[0x3c00, 0xc000, 0]));
        let h = b.node("h", Op::MatMul, &[x, first]);
        let y = b.node("y", Op::MatMul, &[h, last]);
        b.output(y);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let hidden = groups.group(groups.named("h").unwrap());
        assert_eq!(norms(&graph, hidden, f64::abs), [1.0, 2.0, 0.0]);
    }

    #[test]
    fn what_is_multiplied_or_given_out_counts_by_what_makes_it() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3), Dim::Fixed(1)]);
        let mut layer = |name: &str, input, shape: [usize; 2], numbers: &[f32]| {
            let weights = Tensor::f32(shape, numbers.to_vec()).unwrap();
            let w = b.constant(format!("{name}.w"), weights);
            b.node(name, Op::MatMul, &[input, w])
        };
        let q = layer("q", x, [1, 2], &[1.0, -2.0]);
        let k = layer("k", x, [1, 2], &[3.0, 5.0]);
        // Something with weights reads the queries, too.
        let read = layer("read", q, [2, 1], &[100.0, 200.0]);
        let order = vec![0, 2, 1];
        let turned = b.node("turned", Op::Transpose { order }, &[k]);
        let products = b.node("products", Op::MatMul, &[q, turned]);
        b.output(products);
        b.output(read);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let summed = |name: &str| {
            let group = groups.group(groups.named(name).unwrap());
            (group.in_products, norms(&graph, group, f64::abs))
        };
        assert_eq!(summed("q"), (true, vec![4.0, 7.0]));
        assert_eq!(summed("read"), (false, vec![300.0]));
    }
}
