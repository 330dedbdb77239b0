//! Norms of weights (Li et al. 2017, arXiv 1608.08710).

use secateur_graph::{Graph, Group, Role};

use super::slices;

/// For each unit the sum of `of` over the weights that read it, or make it where something without weights reads it.
pub fn norms(graph: &Graph, group: &Group, of: impl Fn(f64) -> f64) -> Vec<f64> {
    let reads = group.members.iter().any(|m| m.role == Role::Reads);
    let role = if reads && !group.in_products {
        Role::Reads
    } else {
        Role::Produces
    };
    let mut sums = vec![0.0; group.units];
    for member in group.members.iter().filter(|m| m.role == role) {
        slices::each(graph, member, |unit, slice| {
            sums[unit] += slice.iter().map(|&w| of(w)).sum::<f64>();
        });
    }
    sums
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Data, Dim, Element, GraphBuilder, Op, Tensor};

    use super::*;

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
