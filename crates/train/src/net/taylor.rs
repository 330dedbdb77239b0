//! What units are worth by the first order of the loss (Molchanov et al. 2019, arXiv 1906.10771).

use secateur_engine::{Network, Parameter, ParameterKind, Threads};
use secateur_graph::{ChannelGroups, Graph, Group};

use super::slices::Axis;
use super::{even_batches, fits, row_shape};
use crate::{Error, ErrorKind, Result, Rows};

/// For every unit of every group, the Taylor score on `rows`: of each tensor that holds a slice of the unit the square of
/// `sum(gradient * weight)` over the slice, added up over those tensors, and averaged over batches of at most `batch` rows.
///
/// The sum is what the loss would change by, to first order, if the slice became 0; units that live together at several places
/// count for what they do at each. Gradients are those of the mean loss of a batch, with normalisations by that batch, as in
/// training. Scores are in squares of the loss's unit; those of a group without weights that are trained are NaN.
///
/// `groups` are those of `graph`, or of the network that has more nodes behind its outputs.
///
/// # Errors
/// If the network cannot be trained or does not fit the rows, a node without a derivative keeps weights from having a gradient, or
/// the loss is not a number.
pub fn taylor_scores(
    graph: &Graph,
    groups: &ChannelGroups,
    rows: &Rows,
    batch: usize,
    threads: usize,
) -> Result<Vec<Vec<f64>>> {
    taylor(graph, groups, rows, batch, Threads::new(threads)?)
}

/// The same on threads that there are.
pub(super) fn taylor(
    graph: &Graph,
    groups: &ChannelGroups,
    rows: &Rows,
    batch: usize,
    threads: Threads,
) -> Result<Vec<Vec<f64>>> {
    let row = row_shape(graph, rows)?;
    let mut network = Network::compile(graph, &row, batch.min(rows.len()), 0, threads)?;
    fits(&network, rows)?;
    // Weights without a gradient would look like weights that nobody needs.
    if let Some(note) = network.notes().first() {
        return Err(Error::new(ErrorKind::Chain, note.clone())
            .hint("scores by gradients need one everywhere: rank by weights, with l2"));
    }
    let groups = groups.groups();
    let axes: Vec<Vec<Axis>> = groups.iter().map(|g| trained(g, &network)).collect();
    let mut sums: Vec<Vec<f64>> = groups.iter().map(|g| vec![0.0; g.units]).collect();
    let mut targets = rows.targets().clone();
    let mut batches = 0;
    for range in even_batches(rows.len(), batch) {
        let features = rows.features(range.start, range.len())?;
        let own: Vec<u32> = range.clone().map(|row| row as u32).collect();
        targets.gather_from(rows.targets(), &own);
        let loss =
            network.forward_backward(&features, own.len(), 0.0, |rows, outputs, gradient| {
                targets.loss_and_gradient(rows, outputs, gradient)
            });
        if !loss.is_finite() {
            let message = "the loss of the given rows is not a finite number";
            return Err(Error::new(ErrorKind::Diverged, message)
                .at(format!("rows from {}", range.start))
                .hint("scale inputs as the network was trained on them"));
        }
        for (sums, axes) in sums.iter_mut().zip(&axes) {
            for axis in axes {
                let parameter = &network.parameters()[axis.parameter()];
                for (unit, sum) in sums.iter_mut().enumerate() {
                    *sum += first_order(axis, unit, parameter).powi(2);
                }
            }
        }
        batches += 1;
    }
    for (sums, axes) in sums.iter_mut().zip(&axes) {
        for sum in sums {
            *sum = match axes.is_empty() {
                true => f64::NAN,
                false => *sum / f64::from(batches),
            };
        }
    }
    Ok(sums)
}

/// Where the slices of a group lie that have gradients.
fn trained(group: &Group, network: &Network) -> Vec<Axis> {
    let members = group.members.iter();
    let axes = members.filter_map(|m| Axis::new(m, group.units, network));
    let kind = |axis: &Axis| network.parameters()[axis.parameter()].kind();
    axes.filter(|axis| kind(axis) != ParameterKind::Running)
        .collect()
}

/// The sum of gradient times weight over the slice of a unit.
fn first_order(axis: &Axis, unit: usize, parameter: &Parameter) -> f64 {
    let (weights, gradients) = (parameter.values(), parameter.gradient());
    let mut sum = 0.0;
    axis.each(unit, |range| {
        let pairs = weights[range.clone()].iter().zip(&gradients[range]);
        sum += pairs
            .map(|(&w, &g)| f64::from(w) * f64::from(g))
            .sum::<f64>();
    });
    sum
}
