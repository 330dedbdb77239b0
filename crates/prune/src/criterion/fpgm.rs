//! Filter pruning via geometric median (He et al. 2019, arXiv 1811.00250): what makes a unit, by how far it is from what makes the others.

use faer::Mat;
use secateur_graph::{Graph, Group, Role};

use super::slices;

/// For each unit the sum of the Euclidean distances of its filter to those of all units of the group; the filter is everything that makes
/// the unit, from all layers. The unit nearest to the geometric median scores least: others can stand in for it.
pub(crate) fn distances(graph: &Graph, group: &Group) -> Vec<f64> {
    let mut filters: Vec<Vec<f64>> = vec![vec![]; group.units];
    for member in group.members.iter().filter(|m| m.role == Role::Produces) {
        slices::each(graph, member, |unit, slice| {
            filters[unit].extend_from_slice(slice);
        });
    }
    // Units that lie unequally often on an axis have filters of unequal length.
    let length = filters.iter().map(Vec::len).max().unwrap_or(0);
    let number = |i: usize, u: usize| filters[u].get(i).copied().unwrap_or(0.0);
    let all = Mat::from_fn(length, group.units, number);
    let products = all.transpose() * &all;
    let distance = |u: usize, v: usize| {
        let squared = products[(u, u)] + products[(v, v)] - 2.0 * products[(u, v)];
        squared.max(0.0).sqrt()
    };
    let sum = |u: usize| (0..group.units).map(|v| distance(u, v)).sum();
    (0..group.units).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Dim, GraphBuilder, Op, Tensor, Unary};

    use super::*;

    #[test]
    fn the_unit_in_the_middle_scores_least_and_norms_do_not_matter() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        // Columns (10, 0), (13, 4), (10, 1) and (7, 4), far from zero.
        let numbers = vec![10.0, 13.0, 10.0, 7.0, 0.0, 4.0, 1.0, 4.0];
        let w = b.constant("w", Tensor::f32([2, 4], numbers).unwrap());
        let read = b.constant(
            "read",
            Tensor::f32([4, 1], vec![1e6, 0.0, 1.0, 2.0]).unwrap(),
        );
        let h = b.node("h", Op::MatMul, &[x, w]);
        let h = b.node("relu", Op::Unary(Unary::Relu), &[h]);
        let y = b.node("y", Op::MatMul, &[h, read]);
        b.output(y);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let found = distances(&graph, groups.group(groups.named("h").unwrap()));
        let side = 18f64.sqrt();
        let wanted = [11.0, 11.0 + side, 1.0 + 2.0 * side, 11.0 + side];
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{found} {wanted}");
        }
    }
}
