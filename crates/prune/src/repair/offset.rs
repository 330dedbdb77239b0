//! Where a number for each channel of what a reader makes can be added: the means of what went are made up for there.

use secateur_graph::{Binary, Element, Graph, Node, NodeId, Op, Tensor, ValueId};

use crate::Result;

/// Such a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offset {
    /// A constant operand of a node, along the last axis or all of it; the node has none yet where the operand is missing.
    Added(NodeId, usize),
    /// The running means of the normalization behind, of which it is taken off.
    Means(NodeId),
    /// Of a recurrent layer, the biases of what it reads: along the last axis, as many of its state stand behind them.
    Gates(NodeId),
}

/// Operand of a normalization that holds running means.
const MEANS: usize = 3;
/// Operand of a recurrent layer that holds biases.
const BIASES: usize = 3;

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

    /// The place in a recurrent layer whose weights for what it reads are of that shape.
    pub(crate) fn of_gates(graph: &Graph, id: NodeId, weights: &[usize]) -> Option<Self> {
        let biases = graph.node(id).inputs.get(BIASES).copied().flatten()?;
        let biases = graph.constant(biases)?;
        let fits = weights.len() > 1 && biases.shape() == [weights[0], 2 * weights[1]];
        (fits && biases.is_float()).then_some(Self::Gates(id))
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
            Self::Gates(id) => (id, BIASES),
        }
    }

    /// The value that is there.
    fn held(self, graph: &Graph) -> Option<ValueId> {
        let (id, slot) = self.place();
        graph.node(id).inputs.get(slot).copied().flatten()
    }

    /// The type of what is there, or would be: that of the weights beside it.
    fn element(self, graph: &Graph) -> Element {
        let (id, _) = self.place();
        let operands = graph.node(id).inputs.iter().copied().flatten();
        let own = self.held(graph).into_iter().chain(operands);
        let mut constants = own.filter_map(|id| graph.constant(id));
        constants
            .find(|t| t.is_float())
            .map_or(Element::F32, Tensor::element)
    }

    /// What is there once a number is added to each channel.
    fn with(self, graph: &Graph, by: &[f64]) -> Result<Tensor> {
        let old = self.held(graph).and_then(|id| graph.constant(id));
        let shape = old.map_or(&[][..], Tensor::shape);
        let sign = match (self, old, shape) {
            (Self::Gates(_), Some(old), [_, both]) => {
                let half = both / 2;
                let mut numbers = old.numbers();
                for (channel, gap) in by.iter().enumerate() {
                    numbers[channel / half * both + channel % half] += gap;
                }
                return Ok(Tensor::of_floats(old.element(), shape, numbers)?);
            }
            (Self::Means(_), ..) => -1.0,
            _ => 1.0,
        };
        let others = shape.split_last().map_or(&[][..], |(_, others)| others);
        let numbers = self.numbers(graph, by.len()).into_iter().zip(by);
        let numbers = numbers.map(|(own, gap)| own + sign * gap);
        let shape = [others, &[by.len()]].concat();
        Ok(Tensor::of_floats(self.element(graph), shape, numbers)?)
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
        let is_theirs = |id: &ValueId| {
            let mut readers = graph.readers(*id).iter();
            let is_same = graph.constant(*id).map(Tensor::shape) == Some(tensor.shape());
            is_same && readers.all(|r| nodes.contains(r)) && !graph.outputs().contains(id)
        };
        if let Some(id) = held.filter(is_theirs) {
            graph.set_constant(id, tensor)?;
            changed.push(id);
        } else {
            graph.give_constant(node, slot, tensor)?;
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
    use secateur_graph::{Conv, Dim, GraphBuilder, Unary, Window, infer_shapes};
    use secateur_testkit::recurrent;

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
    fn nothing_behind_takes_it_for_a_value_that_is_given_out() {
        let graph = convolved(false, |b, made| {
            b.output(made);
            normalised(b, made)
        });
        let conv = graph.node_ids().next().unwrap();
        assert_eq!(place(&graph), Some(Offset::Added(conv, 2)));
    }

    #[test]
    fn numbers_lie_along_the_last_axis_alone() {
        let of = |shape: &[usize]| {
            let count = shape.iter().product();
            Tensor::f32(shape, vec![1.0; count]).unwrap()
        };
        for shape in [&[][..], &[1], &[2], &[1, 2], &[1, 1, 1]] {
            assert!(is_along_last(&of(shape), 2), "{shape:?}");
        }
        for shape in [&[3][..], &[2, 1], &[2, 2], &[1, 3, 2]] {
            assert!(!is_along_last(&of(shape), 2), "{shape:?}");
        }
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

    #[test]
    fn biases_of_what_a_recurrent_layer_reads_take_it() {
        let layer = |biases: Option<[usize; 2]>| {
            let mut b = GraphBuilder::new("net");
            let x = b.input("x", [Dim::Fixed(5), Dim::batch(), Dim::Fixed(3)]);
            let mut operands = vec![x];
            for (name, shape) in [("w", [2, 2, 3]), ("r", [2, 2, 2])] {
                let numbers = vec![1.0; shape.iter().product()];
                operands.push(b.constant(name, Tensor::f32(shape, numbers).unwrap()));
            }
            if let Some(shape) = biases {
                let numbers = (0..shape[0] * shape[1]).map(|n| n as f32).collect();
                operands.push(b.constant("b", Tensor::f32(shape, numbers).unwrap()));
            }
            let op = recurrent("RNN", (2, "bidirectional"), operands.len()).unwrap();
            let out = b.node("layer", op, &operands);
            b.output(out);
            b.build().unwrap()
        };
        let place = |graph: &Graph| {
            let node = graph.node_ids().next().unwrap();
            Offset::of_gates(graph, node, &[2, 2, 3])
        };
        let mut graph = layer(Some([2, 4]));
        add(
            &[place(&graph).unwrap()],
            &mut graph,
            &[10.0, 20.0, 30.0, 40.0],
        )
        .unwrap();
        let wanted = [10.0, 21.0, 2.0, 3.0, 34.0, 45.0, 6.0, 7.0];
        assert_eq!(numbers(&graph, 0, 3), wanted);
        for other in [None, Some([2, 2]), Some([1, 8])] {
            assert_eq!(place(&layer(other)), None);
        }
    }

    /// Two products whose sums read these constants, and a third one that reads the first of them.
    fn summed(own: [usize; 2], others: bool) -> Graph {
        let mut b = GraphBuilder::new("net");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
        let w = b.constant("w", Tensor::f32([3, 2], vec![1.0; 6]).unwrap());
        let biases = ["one", "other"]
            .map(|name| b.constant(name, Tensor::f32([2], vec![1.0, 2.0]).unwrap()));
        for (at, own) in own.into_iter().enumerate() {
            let made = b.node(format!("product{at}"), Op::MatMul, &[x, w]);
            let sum = [made, biases[own]];
            let sum = b.node(format!("sum{at}"), Op::Binary(Binary::Add), &sum);
            b.output(sum);
        }
        if others {
            let made = b.node("alone", Op::Unary(Unary::Relu), &[biases[0]]);
            b.output(made);
        }
        b.build().unwrap()
    }

    #[test]
    fn what_places_have_in_common_stays_one_constant() {
        for (own, others, is_one) in [
            ([0, 0], false, true),
            ([0, 1], false, false),
            ([0, 0], true, false),
        ] {
            let mut graph = summed(own, others);
            let ids: Vec<NodeId> = graph.node_ids().collect();
            let places = [Offset::Added(ids[1], 1), Offset::Added(ids[3], 1)];
            add(&places, &mut graph, &[0.5, -1.0]).unwrap();
            let [first, second] = [1, 3].map(|node| graph.nodes()[node].inputs[1].unwrap());
            assert_eq!(first == second, is_one, "{own:?} {others}");
            for node in [1, 3] {
                assert_eq!(numbers(&graph, node, 1), [1.5, 1.0], "{own:?} {others}");
            }
            if others {
                assert_eq!(numbers(&graph, 4, 0), [1.0, 2.0]);
            }
        }
    }
}
