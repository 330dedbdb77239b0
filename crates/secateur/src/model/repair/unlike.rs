//! Do inputs look like those that a network was trained on? Its first normalization holds what they made then.

use secateur_graph::{Graph, NodeId, Op, Tensor};

/// Operands of a normalization.
const MEAN: usize = 3;
const VARIANCE: usize = 4;
/// In the middle of the channels, means further apart than so many standard deviations are told.
const SHIFT: f64 = 1.0;
/// And so are variances that differ by such a factor.
const FACTOR: f64 = 3.0;

/// What the user should know where the first normalization, which no cut has changed yet, sees other numbers than in training. `measured`
/// is the network with statistics of the inputs.
pub(super) fn unlike(network: &Graph, measured: &Graph) -> Option<String> {
    let is_norm = |id: &NodeId| matches!(network.node(*id).op, Op::BatchNorm { .. });
    let first = network.node_ids().find(is_norm)?;
    let numbers = |graph: &Graph, slot: usize| {
        let held = graph.node(first).inputs.get(slot).copied().flatten()?;
        graph.constant(held).map(Tensor::numbers)
    };
    let of = |graph: &Graph| Some((numbers(graph, MEAN)?, numbers(graph, VARIANCE)?));
    let ((means, variances), (own_means, own_variances)) = (of(network)?, of(measured)?);
    let each = means.iter().zip(&own_means).zip(&variances);
    let shift = median(each.map(|((was, is), v)| (is - was).abs() / v.sqrt()))?;
    let each = variances.iter().zip(&own_variances);
    let factor = median(each.map(|(was, is)| is / was))?;
    let is_alike = shift <= SHIFT && (1.0 / FACTOR..=FACTOR).contains(&factor);
    (!is_alike).then(|| {
        format!(
            "'{}', the first normalization, was trained on other numbers (means are {shift:.1} standard deviations apart, variances {factor:.2} times \
             as large): are inputs scaled as in training (--scale, --mean, --std)?",
            network.node(first).name
        )
    })
}

/// The middle one of some numbers, of those that are numbers.
fn median(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = numbers.filter(|v| v.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, GraphBuilder};

    use super::*;

    /// A normalization of three channels, of which one does not vary.
    fn network(mean: f32, variance: f32) -> Graph {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let held = [
            ("scale", vec![1.0; 3]),
            ("shift", vec![0.0; 3]),
            ("mean", vec![mean; 3]),
            ("variance", vec![0.0, variance, variance]),
        ];
        let held = held.map(|(name, numbers)| b.constant(name, Tensor::f32([3], numbers).unwrap()));
        let norm = Op::BatchNorm {
            epsilon: 1e-5,
            momentum: 0.9,
        };
        let mut operands = vec![x];
        operands.extend(held);
        let y = b.node("norm", norm, &operands);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn other_means_or_variances_are_told() {
        let trained = network(1.0, 4.0);
        for (mean, variance, is_told) in [
            (1.0, 4.0, false),
            (2.9, 4.0, false),
            (3.1, 4.0, true),
            (-1.1, 4.0, true),
            (1.0, 11.9, false),
            (1.0, 12.1, true),
            (1.0, 1.3, true),
            (1.0, 1.4, false),
        ] {
            let told = unlike(&trained, &network(mean, variance));
            assert_eq!(told.is_some(), is_told, "{mean} {variance}: {told:?}");
        }
        assert_eq!(
            unlike(&trained, &network(7.0, 1.0)).unwrap(),
            "'norm', the first normalization, was trained on other numbers (means are 3.0 standard deviations apart, variances 0.25 times as \
             large): are inputs scaled as in training (--scale, --mean, --std)?"
        );
        let mut b = GraphBuilder::new("plain");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let y = b.node("y", Op::Identity, &[x]);
        b.output(y);
        let plain = b.build().unwrap();
        assert_eq!(unlike(&plain, &plain), None);
    }
}
