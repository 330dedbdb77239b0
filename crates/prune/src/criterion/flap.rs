//! Fluctuation of activations weighed by the weights that read them, after FLAP (An et al. 2024, arXiv 2312.11983, equation 7), as shares.

use secateur_graph::{Graph, Group, Role};

use super::slices;

/// For each unit its share of the variance of what reads it, added up over the tensors that do: `variance ||w||^2` over the sum of that
/// of all units, were they independent. A unit that is read at several places is of use at each, and as much as the others that are read
/// there are not: scales of layers do not matter.
pub(crate) fn shares(graph: &Graph, group: &Group, variances: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; group.units];
    for member in group.members.iter().filter(|m| m.role == Role::Reads) {
        let mut own = vec![0.0; group.units];
        slices::each(graph, member, |unit, slice| {
            own[unit] += variances[unit] * slice.iter().map(|w| w * w).sum::<f64>();
        });
        let total: f64 = own.iter().sum();
        let each = shares.iter_mut().zip(&own);
        each.for_each(|(share, own)| *share += own / total.max(f64::MIN_POSITIVE));
    }
    shares
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Binary, ChannelGroups, Dim, GraphBuilder, Op, Tensor};

    use super::*;

    #[test]
    fn shares_of_all_readers_add_up_whatever_their_scale() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
        let mut layer = |name: &str, input, shape: [usize; 2], numbers: Vec<f32>| {
            let w = b.constant(format!("{name}.w"), Tensor::f32(shape, numbers).unwrap());
            b.node(name, Op::MatMul, &[input, w])
        };
        let h = layer("h", x, [1, 3], vec![9.0, 9.0, 9.0]);
        let one = layer("one", h, [3, 2], vec![1.0, 1.0, 2.0, 0.0, 0.0, 3.0]);
        let two = layer("two", h, [3, 2], vec![1e3, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let y = b.node("y", Op::Binary(Binary::Add), &[one, two]);
        b.output(y);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let group = groups.group(groups.named("h").unwrap());
        // Variances by squares: 2 * 2, 1 * 4 and 0 * 9 of 8; all of the other reader is of the first unit.
        assert_eq!(shares(&graph, group, &[2.0, 1.0, 0.0]), [1.5, 0.5, 0.0]);
        assert_eq!(shares(&graph, group, &[0.0; 3]), [0.0; 3]);
    }
}
