//! Which weights can lose their length at no loss, because a normalisation follows them?

use secateur_graph::{Binary, Graph, Group, Node, NodeId, Op, Role, Unary, ValueId};

/// Whether all weights that the `roles` of a group take lie in front of a normalisation: scaled together they leave what
/// the network computes as it is, but for the `epsilon` of the normalisation.
///
/// Biases are not looked at. They are not penalised with outgoing weights, and can follow a change of length at no cost.
pub(crate) fn is_scale_free(graph: &Graph, group: &Group, roles: &[Role]) -> bool {
    let members = group.members.iter().filter(|m| roles.contains(&m.role));
    let mut weights = members
        .map(|m| m.tensor)
        .filter(|&id| graph.constant(id).is_some_and(|t| t.shape().len() > 1))
        .peekable();
    weights.peek().is_some() && weights.all(|id| is_normalised(graph, id))
}

/// Whether everything that reads a value passes a change of its length on, up to normalisations.
///
/// Graphs have no cycles, so this ends; few values lie between weights and a normalisation.
fn is_normalised(graph: &Graph, value: ValueId) -> bool {
    if graph.outputs().contains(&value) {
        return false;
    }
    let readers = graph.readers(value);
    let passes = |&id: &NodeId| {
        let node = graph.node(id);
        let is_first = node.input(0) == Ok(value);
        let others = || node.inputs.iter().flatten().filter(|&&i| i != value);
        let constants = || others().all(|&i| graph.constant(i).is_some());
        match &node.op {
            Op::BatchNorm { .. } | Op::Norm(_) => is_first,
            // Weights as much as what is multiplied by them.
            Op::Conv(_) | Op::ConvTranspose(_) | Op::MatMul | Op::Gemm(_) => next(graph, node),
            Op::Binary(Binary::Add | Binary::Sub) => constants() && next(graph, node),
            Op::Unary(Unary::Relu | Unary::LeakyRelu { .. })
            | Op::Pool(_)
            | Op::Reshape { .. }
            | Op::Flatten { .. }
            | Op::Transpose { .. }
            | Op::Squeeze(_)
            | Op::Identity => is_first && next(graph, node),
            // Anything else is taken to make a difference, which leaves a layer unmarked.
            _ => false,
        }
    };
    !readers.is_empty() && readers.iter().all(passes)
}

fn next(graph: &Graph, node: &Node) -> bool {
    node.output()
        .is_ok_and(|output| is_normalised(graph, output))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use secateur_graph::{ChannelGroups, Dim, GraphBuilder, Tensor};

    use super::*;
    use crate::{Architecture, ImageSize, Init};

    /// The layers of a network by name that are scale-free, and those that are not.
    fn sorted(name: &str) -> [Vec<String>; 2] {
        let architecture: Architecture = name.parse().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let size = ImageSize::new(1, 16, 16);
        let graph = architecture.build(size, 4, 0.25, Init::Scaled, &mut rng);
        let graph = graph.unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let mut found = [vec![], vec![]];
        for group in groups.groups().iter().filter(|g| g.is_free()) {
            let is_free = is_scale_free(&graph, group, &[Role::Reads]);
            found[usize::from(!is_free)].push(group.name.clone());
        }
        found
    }

    #[test]
    fn networks_without_normalisation_have_no_such_layer() {
        let [scale_free, others] = sorted("lenet5");
        assert!(scale_free.is_empty() && others.len() == 3, "{others:?}");
    }

    #[test]
    fn of_residual_networks_only_the_last_stage_is_read_without_a_normalisation() {
        let [scale_free, others] = sorted("resnet20");
        // A group in each of nine blocks, and one of each stage.
        assert_eq!((scale_free.len(), others.len()), (11, 1), "{others:?}");
    }

    /// Whether weights `[4, 4]` are followed by a normalisation, if `behind` is what follows their product.
    fn dense(behind: impl Fn(&mut GraphBuilder, ValueId, ValueId) -> ValueId) -> bool {
        let mut b = GraphBuilder::new("dense");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(4)]);
        let weights = b.constant("weights", Tensor::f32([4, 4], vec![0.5; 16]).unwrap());
        let product = b.node("product", Op::MatMul, &[x, weights]);
        let y = behind(&mut b, x, product);
        b.output(y);
        is_normalised(&b.build().unwrap(), weights)
    }

    fn vector(b: &mut GraphBuilder, name: &str) -> ValueId {
        b.constant(name, Tensor::f32([4], vec![1.0; 4]).unwrap())
    }

    fn normalised(b: &mut GraphBuilder, x: ValueId) -> ValueId {
        let [scale, shift, mean, variance] = ["s", "b", "m", "v"].map(|name| vector(b, name));
        let op = Op::BatchNorm {
            epsilon: 1e-5,
            momentum: 0.9,
        };
        b.node("norm", op, &[x, scale, shift, mean, variance])
    }

    #[test]
    fn lengths_pass_biases_and_rectifiers_and_nothing_that_bends_or_adds() {
        let unary = |b: &mut GraphBuilder, x, unary| b.node("bent", Op::Unary(unary), &[x]);
        assert!(dense(|b, _, y| normalised(b, y)));
        assert!(dense(|b, _, y| {
            let bias = vector(b, "bias");
            let y = b.node("add", Op::Binary(Binary::Add), &[y, bias]);
            let y = unary(b, y, Unary::Relu);
            normalised(b, y)
        }));
        assert!(!dense(|_, _, y| y));
        // Nothing that passes a length on is a normalization itself.
        assert!(!dense(|b, _, y| unary(b, y, Unary::Relu)));
        assert!(!dense(|b, _, y| {
            let bias = vector(b, "bias");
            b.node("add", Op::Binary(Binary::Add), &[y, bias])
        }));
        // Nor is what nobody reads.
        assert!(!dense(|b, x, _| b.node("other", Op::Identity, &[x])));
        assert!(!dense(|b, _, y| {
            let y = unary(b, y, Unary::Tanh);
            normalised(b, y)
        }));
        // What comes from elsewhere keeps its length.
        assert!(!dense(|b, x, y| {
            let y = b.node("add", Op::Binary(Binary::Add), &[x, y]);
            normalised(b, y)
        }));
        // One reader of two is enough to notice.
        assert!(!dense(|b, _, y| {
            let other = normalised(b, y);
            b.node("add", Op::Binary(Binary::Add), &[y, other])
        }));
    }
}
