//! Where a number for each channel of what a reader makes can be added: the means of what went are made up for there.

use secateur_graph::{Binary, Graph, Node, NodeId, Op, Tensor, ValueId};

use crate::Result;

/// Such a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offset {
    /// A constant operand of a node, along the last axis or all of it; the node has none yet where the operand is missing.
    Added(NodeId, usize),
    /// The running means of the normalization behind, of which it is taken off.
    Means(NodeId),
}

/// Operand of a normalization that holds running means.
const MEANS: usize = 3;

impl Offset {
    /// The place for what a node makes, whose own bias would be operand `bias`; `axis` of it, of `channels`, counts.
    pub(crate) fn of(
        graph: &Graph,
        (id, bias): (NodeId, Option<usize>),
        made: (ValueId, usize),
        channels: usize,
    ) -> Option<Self> {
        let fits = |id: ValueId| {
            let constant = graph.constant(id);
            constant.is_some_and(|t| t.is_float() && is_along_last(t, channels))
        };
        if let Some(slot) = bias
            && let Some(own) = graph.node(id).inputs.get(slot).copied().flatten()
        {
            return fits(own).then_some(Self::Added(id, slot));
        }
        let behind = match graph.readers(made.0) {
            &[only] if !graph.outputs().contains(&made.0) => Some(only),
            _ => None,
        };
        let found = behind.and_then(|id| {
            let node = graph.node(id);
            match node.op {
                Op::BatchNorm { .. } if made.1 == 1 => {
                    let means = node.inputs.get(MEANS).copied().flatten()?;
                    fits(means).then_some(Self::Means(id))
                }
                Op::Binary(Binary::Add) if is_last(graph, made) => {
                    let slot = added(node, made.0)?;
                    fits(node.inputs[slot]?).then_some(Self::Added(id, slot))
                }
                _ => None,
            }
        });
        found.or_else(|| bias.map(|slot| Self::Added(id, slot)))
    }

    /// Whether it is at the node itself, so that what that makes changes with it.
    pub(crate) fn is_at(self, node: NodeId) -> bool {
        matches!(self, Self::Added(id, _) if id == node)
    }

    /// The numbers that are added so far.
    pub(crate) fn numbers(self, graph: &Graph, channels: usize) -> Vec<f64> {
        match self.held(graph).and_then(|id| graph.constant(id)) {
            Some(own) => own.numbers().into_iter().cycle().take(channels).collect(),
            None => vec![0.0; channels],
        }
    }

    /// The operand.
    fn place(self) -> (NodeId, usize) {
        match self {
            Self::Added(id, slot) => (id, slot),
            Self::Means(id) => (id, MEANS),
        }
    }

    /// The value that is there.
    fn held(self, graph: &Graph) -> Option<ValueId> {
        let (id, slot) = self.place();
        graph.node(id).inputs.get(slot).copied().flatten()
    }

    /// What is there once a number is added to each channel.
    fn with(self, graph: &Graph, by: &[f64]) -> Result<Tensor> {
        let sign = match self {
            Self::Added(..) => 1.0,
            Self::Means(_) => -1.0,
        };
        let old = self.held(graph).and_then(|id| graph.constant(id));
        let shape = old.map_or(&[][..], Tensor::shape);
        let others = shape.split_last().map_or(&[][..], |(_, others)| others);
        let numbers = self.numbers(graph, by.len()).into_iter().zip(by);
        let numbers = numbers.map(|(own, gap)| (own + sign * gap) as f32);
        let shape = [others, &[by.len()]].concat();
        Ok(Tensor::f32(shape, numbers.collect())?)
    }
}

/// Adds a number to each channel at all of these places. A constant that they have in common, and nobody else reads, stays one.
pub(crate) fn add(offsets: &[Offset], graph: &mut Graph, by: &[f64]) -> Result<()> {
    let nodes: Vec<NodeId> = offsets.iter().map(|o| o.place().0).collect();
    let mut changed = vec![];
    for offset in offsets {
        let held = offset.held(graph);
        if held.is_some_and(|id| changed.contains(&id)) {
            continue;
        }
        let tensor = offset.with(graph, by)?;
        let (node, slot) = offset.place();
        match held {
            Some(id)
                if graph
                    .readers(id)
                    .iter()
                    .all(|reader| nodes.contains(reader))
                    && graph.constant(id).map(Tensor::shape) == Some(tensor.shape()) =>
            {
                graph.set_constant(id, tensor)?;
                changed.push(id);
            }
            _ => {
                graph.give_constant(node, slot, tensor)?;
            }
        }
    }
    Ok(())
}

/// Whether a constant has a number for each channel along its last axis, or one for all.
fn is_along_last(tensor: &Tensor, channels: usize) -> bool {
    let (last, others) = match tensor.shape().split_last() {
        Some((last, others)) => (*last, others),
        None => (1, &[][..]),
    };
    (last == channels || last == 1) && others.iter().all(|&n| n == 1)
}

fn is_last(graph: &Graph, (value, axis): (ValueId, usize)) -> bool {
    let rank = graph.value(value).shape.as_ref().map(Vec::len);
    rank == Some(axis + 1)
}

/// The operand of a sum that is not `value`.
fn added(node: &Node, value: ValueId) -> Option<usize> {
    match node.inputs[..] {
        [Some(a), Some(b)] if a == value && b != value => Some(1),
        [Some(a), Some(b)] if b == value && a != value => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Conv, Dim, GraphBuilder, Window, infer_shapes};

    use super::*;

    /// `x` of three channels through a convolution to two, and what `behind` makes of that.
    fn convolved(bias: bool, behind: impl FnOnce(&mut GraphBuilder, ValueId) -> ValueId) -> Graph {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3), Dim::Fixed(4)]);
        let w = b.constant("w", Tensor::f32([2, 3, 1], vec![1.0; 6]).unwrap());
        let mut inputs = vec![x, w];
        if bias {
            inputs.push(b.constant("b", Tensor::f32([2], vec![1.0, 2.0]).unwrap()));
        }
        let window = Window::plain(1);
        let conv = Op::Conv(Conv {
            window,
            conv_groups: 1,
        });
        let made = b.node("conv", conv, &inputs);
        let out = behind(&mut b, made);
        b.output(out);
        infer_shapes(&b.build().unwrap()).unwrap()
    }

    fn place(graph: &Graph) -> Option<Offset> {
        let made = graph.node(graph.node_ids().next().unwrap()).outputs[0];
        Offset::of(
            graph,
            (graph.producer(made).unwrap(), Some(2)),
            (made, 1),
            2,
        )
    }

    fn numbers(graph: &Graph, node: usize, slot: usize) -> Vec<f64> {
        graph
            .constant(graph.nodes()[node].inputs[slot].unwrap())
            .unwrap()
            .numbers()
    }

    fn normalised(b: &mut GraphBuilder, made: ValueId) -> ValueId {
        let names = ["scale", "shift", "mean", "variance"];
        let own = names.map(|name| b.constant(name, Tensor::f32([2], vec![3.0, 4.0]).unwrap()));
        let norm = Op::BatchNorm {
            epsilon: 1e-5,
            momentum: 0.9,
        };
        b.node("norm", norm, &[&[made][..], &own[..]].concat())
    }

    #[test]
    fn a_bias_takes_it_and_is_made_where_there_is_none() {
        for bias in [true, false] {
            let mut graph = convolved(bias, |_, made| made);
            let offset = place(&graph).unwrap();
            assert!(offset.is_at(graph.node_ids().next().unwrap()));
            add(&[offset], &mut graph, &[0.5, -1.0]).unwrap();
            let wanted = if bias { [1.5, 1.0] } else { [0.5, -1.0] };
            assert_eq!(numbers(&graph, 0, 2), wanted);
        }
    }

    #[test]
    fn running_means_behind_a_node_without_a_bias_take_it() {
        let mut graph = convolved(false, normalised);
        let offset = place(&graph).unwrap();
        assert!(!offset.is_at(graph.node_ids().next().unwrap()));
        add(&[offset], &mut graph, &[0.5, -1.0]).unwrap();
        assert_eq!(numbers(&graph, 1, MEANS), [2.5, 5.0]);
        // A bias of its own is nearer.
        let graph = convolved(true, normalised);
        assert!(matches!(place(&graph), Some(Offset::Added(_, 2))));
    }

    #[test]
    fn a_constant_that_is_added_behind_a_product_takes_it() {
        let product = |shape: [usize; 1], shared: bool| {
            let mut b = GraphBuilder::new("net");
            let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
            let w = b.constant("w", Tensor::f32([3, 2], vec![1.0; 6]).unwrap());
            let made = b.node("product", Op::MatMul, &[x, w]);
            let numbers = (0..shape[0]).map(|n| n as f32).collect();
            let c = b.constant("c", Tensor::f32(shape, numbers).unwrap());
            let sum = b.node("sum", Op::Binary(Binary::Add), &[c, made]);
            let out = match shared {
                true => b.node("again", Op::Binary(Binary::Add), &[sum, made]),
                false => sum,
            };
            b.output(out);
            infer_shapes(&b.build().unwrap()).unwrap()
        };
        let of = |graph: &Graph| {
            let made = graph.nodes()[0].outputs[0];
            Offset::of(graph, (graph.producer(made).unwrap(), None), (made, 1), 2)
        };
        for length in [2, 1] {
            let mut graph = product([length], false);
            add(&[of(&graph).unwrap()], &mut graph, &[5.0, 6.0]).unwrap();
            let wanted = if length == 2 { [5.0, 7.0] } else { [5.0, 6.0] };
            assert_eq!(numbers(&graph, 1, 0), wanted);
        }
        assert_eq!(of(&product([2], true)), None);
    }
}
