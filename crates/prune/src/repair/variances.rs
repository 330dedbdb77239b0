//! How much units vary on inputs without labels.

use secateur_graph::{ChannelGroups, Graph, ValueId};

use super::lockstep::{Batch, Runner, Step};
use super::readers::readers;
use super::samples::Spread;
use super::taps::Taps;
use crate::{Error, Result};

/// For every unit of every group the variance of its activation over inputs and places, all positions of a unit together, as its first
/// reader that mixes channels sees it; 1 for units of groups that none does.
///
/// # Errors
/// If the network cannot be run, or an activation is not finite.
pub fn variances(
    graph: &Graph,
    groups: &ChannelGroups,
    inputs: &[Batch],
    runner: &dyn Runner,
) -> Result<Vec<Vec<f64>>> {
    let readers = readers(graph, groups);
    let mut seen = vec![];
    for (id, group) in groups.iter() {
        let ends = readers.iter().map(|r| r.read);
        let mut held =
            ends.filter_map(|end| group.activations.iter().find(|a| (a.value, a.axis) == end));
        seen.extend(held.next().map(|activation| (id, activation)));
    }
    let wanted: Vec<ValueId> = seen.iter().map(|(_, a)| a.value).collect();
    let network = Taps::of(graph, &wanted, runner)?;
    let mut spreads = vec![Spread::default(); seen.len()];
    for (done, batch) in inputs.iter().enumerate() {
        runner.at(Step {
            doing: "measuring how much units vary",
            done,
            of: inputs.len(),
        });
        let made = network.run(batch)?;
        let each = spreads.iter_mut().zip(&seen).zip(made.iter());
        each.for_each(|((spread, (_, activation)), value)| spread.add(value, activation.axis));
    }
    let units = groups.groups().iter().map(|g| g.units);
    let mut all: Vec<Vec<f64>> = units.map(|n| vec![1.0; n]).collect();
    for ((id, activation), spread) in seen.into_iter().zip(spreads) {
        let mut own = vec![0.0; groups.group(id).units];
        let (_, variances) = spread.of();
        for (unit, variance) in activation.unit_of.iter().zip(variances) {
            if let Some(unit) = unit {
                own[*unit as usize] += variance;
            }
        }
        if own.iter().any(|v| !v.is_finite()) {
            return Err(Error::not_finite(&groups.group(id).name));
        }
        all[id.index()] = own;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Conv, Dim, GraphBuilder, Op, Tensor, Unary, Window, infer_shapes};

    use super::*;
    use crate::repair::Activation;
    use crate::repair::tests::Naive;

    #[test]
    fn variances_are_those_of_what_the_first_reader_reads() {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(1), Dim::Fixed(2)]);
        let w1 = b.constant("w1", Tensor::f32([3, 1, 1], vec![1.0, -1.0, 2.0]).unwrap());
        let window = || {
            Op::Conv(Conv {
                window: Window::plain(1),
                conv_groups: 1,
            })
        };
        let made = b.node("first", window(), &[x, w1]);
        let hidden = b.node("relu", Op::Unary(Unary::Relu), &[made]);
        let w2 = b.constant("w2", Tensor::f32([1, 3, 1], vec![1.0; 3]).unwrap());
        let out = b.node("second", window(), &[hidden, w2]);
        b.output(out);
        let graph = infer_shapes(&b.build().unwrap()).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let batch = |values: [f32; 4]| {
            vec![Activation {
                shape: vec![2, 1, 2],
                values: values.to_vec(),
            }]
        };
        let id = groups.named("first").unwrap();
        let of = |inputs: &[Batch]| variances(&graph, &groups, inputs, &Naive);
        // Places of both batches are 1, 2, 3, 6 and -1, -2, -3, -6: above zero they have mean 3/2 and mean square 50/8.
        let all = of(&[batch([1.0, 2.0, 3.0, 6.0]), batch([-1.0, -2.0, -3.0, -6.0])]).unwrap();
        assert_eq!(all[id.index()], [4.0, 4.0, 16.0]);
        let error = of(&[batch([f32::NAN; 4])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "what 'first' makes is not a finite number"
        );
    }
}
