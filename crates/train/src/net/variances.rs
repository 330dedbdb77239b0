//! How much units vary: what their activations are over rows and places.

use secateur_engine::{Network, Threads};
use secateur_graph::{ChannelGroups, Graph, Group, Role, ValueId};

use super::{even_batches, fits, row_shape};
use crate::{Result, Rows};

/// For every unit of every group the variance of its activation over rows and places, all positions of a unit together, as its first
/// reader with weights sees it; the mean over batches of at most `batch` rows, with normalizations by the statistics of the batch, as in
/// training. 1 for units of groups that nobody can tell it of.
///
/// `groups` are those of `graph`, or of the network that has more nodes behind its outputs.
///
/// # Errors
/// If the network cannot be trained or does not fit the rows.
pub fn activation_variances(
    graph: &Graph,
    groups: &ChannelGroups,
    rows: &Rows,
    batch: usize,
    threads: usize,
) -> Result<Vec<Vec<f64>>> {
    let row = row_shape(graph, rows)?;
    let threads = Threads::new(threads)?;
    let mut network = Network::compile(graph, &row, batch.min(rows.len()), 0, threads)?;
    fits(&network, rows)?;
    let groups = groups.groups();
    let mut sums: Vec<Vec<f64>> = groups.iter().map(|g| vec![0.0; g.units]).collect();
    let mut batches = 0.0;
    for range in even_batches(rows.len(), batch) {
        let features = rows.features(range.start, range.len())?;
        for (group, sums) in groups.iter().zip(&mut sums) {
            let own = variances(&mut network, graph, group, (&features, range.len()));
            let own = own.unwrap_or_else(|| vec![1.0; group.units]);
            sums.iter_mut().zip(own).for_each(|(sum, v)| *sum += v);
        }
        batches += 1.0;
    }
    for sum in sums.iter_mut().flatten() {
        *sum /= batches;
    }
    Ok(sums)
}

/// Those of one group on some rows; none where no reader with weights sees its activation as such.
pub(super) fn variances(
    network: &mut Network,
    graph: &Graph,
    group: &Group,
    (features, rows): (&[f32], usize),
) -> Option<Vec<f64>> {
    let readers = group.members.iter().filter(|m| m.role == Role::Reads);
    let read: Vec<ValueId> = readers
        .filter_map(|m| graph.readers(m.tensor).first())
        .filter_map(|&id| graph.node(id).input(0).ok())
        .collect();
    let seen = group.activations.iter().filter(|a| read.contains(&a.value));
    for activation in seen {
        let at = [(activation.value, activation.axis)];
        let Ok(mut measured) = network.deviations(features, rows, &at) else {
            continue;
        };
        let mut variance = vec![0.0; group.units];
        // Units of a group have as many positions, by which shares would be divided again.
        for (unit, deviation) in activation.unit_of.iter().zip(&measured.remove(0)) {
            if let Some(unit) = unit {
                variance[*unit as usize] += deviation.powi(2);
            }
        }
        return Some(variance);
    }
    None
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, GraphBuilder, Op, Tensor, Unary};

    use super::*;
    use crate::{RegressionLoss, Targets};

    #[test]
    fn variances_are_means_over_batches_of_what_readers_see() {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
        let w1 = b.constant("w1", Tensor::f32([1, 2], vec![1.0, -2.0]).unwrap());
        let made = b.node("first", Op::MatMul, &[x, w1]);
        let hidden = b.node("relu", Op::Unary(Unary::Relu), &[made]);
        let w2 = b.constant("w2", Tensor::f32([2, 1], vec![1.0, 1.0]).unwrap());
        let out = b.node("second", Op::MatMul, &[hidden, w2]);
        b.output(out);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        // Two batches of two rows: 1 and 3, -1 and -5.
        let targets = Targets::Values {
            loss: RegressionLoss::MeanSquared,
            values: vec![0.0; 4],
            columns: 1,
        };
        let rows = Rows::new(vec![1.0, 3.0, -1.0, -5.0], 1, targets).unwrap();
        let found = activation_variances(&graph, &groups, &rows, 2, 1).unwrap();
        let of = |name: &str| &found[groups.named(name).unwrap().index()];
        // Above zero: 1 and 3, then nothing; nothing, then 2 and 10.
        let wanted = [1.0 / 2.0, 16.0 / 2.0];
        for (found, wanted) in of("first").iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-5, "{found} {wanted}");
        }
        // Nobody can tell it of what is made for nobody.
        assert_eq!(of("second"), &[1.0]);
    }
}
