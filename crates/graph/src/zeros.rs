//! Does a unit that is made of zeros stay zero wherever it flows?
//!
//! A unit that a product of activations sums over has no weights that read it. It is silenced where it is made instead, which
//! silences it in the product only if nothing on the way makes another number of 0.

use crate::groups::Group;
use crate::{Binary, Graph, Index, Node, Op, PadMode, ValueId};

/// The first node that could make something else of units whose producing and carrying slices are all 0.0; the name of the
/// input, where they are its features.
pub(crate) fn broken_by(graph: &Graph, group: &Group) -> Option<String> {
    group.activations.iter().find_map(|held| {
        let Some(id) = graph.producer(held.value) else {
            return Some(graph.value(held.value).name.clone());
        };
        let node = graph.node(id);
        (!keeps_zero(graph, group, node)).then(|| node.name.clone())
    })
}

/// Whether a node makes 0.0 of units that are 0.0 in all that it reads of the group.
fn keeps_zero(graph: &Graph, group: &Group, node: &Node) -> bool {
    let holds = |id: &ValueId| {
        let members = group.members.iter().map(|m| m.tensor);
        let activations = group.activations.iter().map(|a| a.value);
        members.chain(activations).any(|held| held == *id)
    };
    let inputs: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    let is_zero = |id: &ValueId| {
        let numbers = graph.numbers(*id);
        numbers.is_some_and(|numbers| numbers.iter().all(|&n| n == 0.0))
    };
    match &node.op {
        // Where the units are neither made nor carried by slices, a bias would be added to them.
        Op::Gemm(_) | Op::Conv(_) | Op::ConvTranspose(_) => {
            inputs.get(1).is_some_and(holds) && inputs.get(2).is_none_or(holds)
        }
        Op::BatchNorm { .. } => inputs.iter().skip(1).all(holds),
        Op::Binary(Binary::Add | Binary::Sub) | Op::Variadic(_) => inputs.iter().all(holds),
        Op::Binary(Binary::Div) => !inputs.get(1).is_some_and(holds),
        Op::Unary(unary) => unary.apply(0.0) == 0.0,
        Op::Clip { min, max } => inputs.len() == 1 && *min <= 0.0 && *max >= 0.0,
        Op::Pad(pad) => pad.mode == PadMode::Constant(0.0) && inputs.get(2).is_none_or(is_zero),
        Op::Expand => inputs.first().is_some_and(|x| holds(x) || is_zero(x)),
        Op::Where => inputs.iter().skip(1).all(|x| holds(x) || is_zero(x)),
        Op::Index(Index::ConstantOfShape { value, .. }) => *value == 0.0,
        Op::MatMul
        | Op::Einsum(_)
        | Op::Binary(Binary::Mul)
        | Op::PRelu
        | Op::Pool(_)
        | Op::Attention(_)
        | Op::Sample(_)
        | Op::Resize(_)
        | Op::Identity
        | Op::Cast { .. }
        | Op::Reshape { .. }
        | Op::Transpose { .. }
        | Op::Flatten { .. }
        | Op::Squeeze(_)
        | Op::Concat { .. }
        | Op::Slice { .. }
        | Op::Split(_)
        | Op::Depth(_)
        | Op::Gather { .. }
        | Op::Tile => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Array, Binary, ChannelGroups, Dim, Graph, GraphBuilder, Keep, Op, Tensor, Unary, evaluate,
        mask, shrink,
    };

    fn weights(shape: [usize; 2], seed: f32) -> Tensor {
        let count = shape[0] * shape[1];
        let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.7).sin());
        Tensor::f32(shape, numbers.collect()).unwrap()
    }

    /// Scores of queries against keys of three dimensions; `between` stands in front of the product of one of them.
    fn scores(between: impl FnOnce(&mut GraphBuilder, crate::ValueId) -> crate::ValueId) -> Graph {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(2), Dim::Fixed(4), Dim::Fixed(5)]);
        let wq = b.constant("wq", weights([5, 3], 0.0));
        let wk = b.constant("wk", weights([5, 3], 1.0));
        let bias = b.constant("bias", Tensor::f32([3], vec![0.5, -0.25, 1.0]).unwrap());
        let q = b.node("q", Op::MatMul, &[x, wq]);
        let q = b.node("biased", Op::Binary(Binary::Add), &[q, bias]);
        let q = between(&mut b, q);
        let k = b.node("k", Op::MatMul, &[x, wk]);
        let turned = Op::Transpose {
            order: vec![0, 2, 1],
        };
        let k = b.node("turned", turned, &[k]);
        let y = b.node("y", Op::MatMul, &[q, k]);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn what_a_product_sums_over_is_silenced_where_it_is_made() {
        let graph = scores(|b, q| b.node("relu", Op::Unary(Unary::Relu), &[q]));
        let groups = ChannelGroups::of(&graph).unwrap();
        let id = groups.named("q").unwrap();
        assert!(groups.group(id).in_products);
        assert_eq!(groups.group(id).units, 3);
        // Nothing reads them with weights, and yet they are not unread.
        assert!(Keep::unread(&graph, &groups, 1).is_all());
        let mut keep = Keep::all(&groups);
        keep.drop(id, 1).unwrap();
        let small = shrink(&graph, &groups, &keep).unwrap().graph;
        let masked = mask(&graph, &groups, &keep).unwrap();
        let x = Array::new([2, 4, 5], (0..40).map(|i| f64::from(i).cos()).collect()).unwrap();
        let run = |graph: &Graph| evaluate(graph, std::slice::from_ref(&x)).unwrap();
        assert_eq!(run(&masked), run(&small));
        assert_ne!(run(&masked), run(&graph));
    }

    #[test]
    fn what_may_not_stay_zero_stays() {
        let frozen = |graph: &Graph| {
            let groups = ChannelGroups::of(graph).unwrap();
            let group = groups.group(groups.named("q").unwrap());
            group.frozen.as_ref().map(ToString::to_string)
        };
        assert_eq!(frozen(&scores(|_, q| q)), None);
        let cosine = frozen(&scores(|b, q| {
            b.node("cosine", Op::Unary(Unary::Cos), &[q])
        }));
        assert!(cosine.unwrap().contains("cosine"));
        let shifted = frozen(&scores(|b, q| {
            let one = b.constant("one", Tensor::f32([1], vec![1.0]).unwrap());
            b.node("shifted", Op::Binary(Binary::Add), &[q, one])
        }));
        assert!(shifted.unwrap().contains("shifted"));
    }
}
