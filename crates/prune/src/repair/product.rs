//! Products of queries and keys that sum over less than they did, and which channels of their projection queries are made of.

use std::collections::HashSet;

use secateur_graph::{
    Array, Binary, Dim, Graph, Node, NodeId, Op, Tensor, ValueId, at_lengths, evaluate,
};

use super::layout::{Axis, Layout};
use super::site::{Kept, Untouched};

/// A product of queries and keys, some dimensions of which went.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Product {
    /// What the node is called.
    pub(crate) name: String,
    pub(crate) node: NodeId,
    /// Queries, whose dimensions lie last, and keys, whose dimensions lie before the last axis.
    pub(crate) sides: [ValueId; 2],
    /// What is left of each side along other axes, such as that of heads.
    pub(crate) others: [Vec<(usize, Vec<usize>)>; 2],
    /// Dimensions that are left.
    pub(crate) kept: Vec<usize>,
    /// How many there were.
    pub(crate) width: usize,
    pub(crate) projection: Projection,
    /// For each head the channels of the projection that are its dimensions. Matrices of queries are those of one head after the other.
    pub(crate) heads: Vec<Vec<usize>>,
}

/// What makes queries, but for the order of their numbers and a scale.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Projection {
    pub(crate) weights: ValueId,
    pub(crate) layout: Layout,
    /// The operand that holds a bias, or may.
    pub(crate) bias: Option<(NodeId, usize)>,
    /// What weights make; channels lie last.
    pub(crate) made: ValueId,
    /// What that is with its bias.
    biased: ValueId,
    /// Constants that queries are multiplied or divided by.
    scales: Vec<ValueId>,
    /// What others make of the same channels.
    others: Vec<ValueId>,
}

/// The products of a network that sum over less than they did, and those among them that stay as they are. Inputs have these shapes.
pub(crate) fn products(
    (wide, small): (&Graph, &Graph),
    kept: &Kept,
    shapes: &[Vec<usize>],
) -> (Vec<Product>, Vec<Untouched>) {
    let (mut found, mut untouched) = (vec![], vec![]);
    for id in small.node_ids() {
        let node = small.node(id);
        let Some(width) = summed(wide, node, kept) else {
            continue;
        };
        match product(small, (id, width), kept, shapes) {
            Ok(product) => found.push(product),
            Err(why) => untouched.push(Untouched {
                node: node.name.clone(),
                why,
            }),
        }
    }
    (found, untouched)
}

/// How much a product of activations summed over, if some of it went.
fn summed(wide: &Graph, node: &Node, kept: &Kept) -> Option<usize> {
    let (Op::MatMul, [Some(left), Some(right)]) = (&node.op, &node.inputs[..]) else {
        return None;
    };
    let (last, others) = wide.value(*left).shape.as_deref()?.split_last()?;
    let stayed = kept.get(&(*left, others.len()))?;
    let width = last.fixed().filter(|width| stayed.len() < *width)?;
    let is_constant = |id: &ValueId| wide.constant(*id).is_some();
    (!is_constant(left) && !is_constant(right)).then_some(width)
}

fn product(
    graph: &Graph,
    (id, width): (NodeId, usize),
    kept: &Kept,
    shapes: &[Vec<usize>],
) -> Result<Product, &'static str> {
    let node = graph.node(id);
    let [Some(queries), Some(keys)] = node.inputs[..] else {
        return Err("it lacks an operand");
    };
    if !node
        .outputs
        .first()
        .is_some_and(|&made| is_softened(graph, made))
    {
        return Err("it multiplies activations without a Softmax behind");
    }
    let why = "more than scales and the order of numbers lies between queries and their weights";
    let projection = Projection::of(graph, queries, id).ok_or(why)?;
    let at = at_lengths(graph, shapes).map_err(|_| why)?;
    let heads = projection.heads(at, [queries, keys]).ok_or(why)?;
    let rank = |id: ValueId| graph.value(id).shape.as_ref().map_or(0, Vec::len);
    let ends = [(queries, rank(queries) - 1), (keys, rank(keys) - 2)];
    let others = ends.map(|(side, summed)| {
        let axes = kept.range((side, 0)..(side, rank(side)));
        let axes = axes.filter(|((_, axis), _)| *axis != summed);
        axes.map(|((_, axis), left)| (*axis, left.clone()))
            .collect()
    });
    Ok(Product {
        name: node.name.clone(),
        node: id,
        sides: [queries, keys],
        others,
        kept: kept.get(&ends[0]).cloned().ok_or(why)?,
        width,
        projection,
        heads,
    })
}

/// Whether what is made of a value, number by number, goes into a softmax along its last axis: what all numbers of a row have in common
/// does not count.
fn is_softened(graph: &Graph, mut at: ValueId) -> bool {
    loop {
        let &[reader] = graph.readers(at) else {
            return false;
        };
        let node = graph.node(reader);
        let rank = graph.value(at).shape.as_ref().map_or(0, Vec::len) as i64;
        match (&node.op, node.outputs.first()) {
            (Op::Softmax { axis }, _) => return *axis == -1 || *axis + 1 == rank,
            (Op::Binary(Binary::Add) | Op::Where, Some(made)) => at = *made,
            (_, Some(made)) if scaled(graph, node).is_some() => at = *made,
            _ => return false,
        }
    }
}

/// Whether an operator does no more than move the numbers of its first operand.
fn moves(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Squeeze(_)
            | Op::Flatten { .. }
            | Op::Split(_)
            | Op::Slice { .. }
            | Op::Gather { .. }
            | Op::Identity
    )
}

/// The operands of a product with one number: what is multiplied, and the number.
fn scaled(graph: &Graph, node: &Node) -> Option<(ValueId, ValueId)> {
    let is_one = |id: ValueId| graph.constant(id).is_some_and(|c| c.len() == 1);
    match (&node.op, &node.inputs[..]) {
        (Op::Binary(Binary::Mul | Binary::Div), &[Some(x), Some(one)]) if is_one(one) => {
            Some((x, one))
        }
        (Op::Binary(Binary::Mul), &[Some(one), Some(x)]) if is_one(one) => Some((x, one)),
        _ => None,
    }
}

impl Projection {
    /// That of queries, if nothing else lies between.
    fn of(graph: &Graph, queries: ValueId, mut behind: NodeId) -> Option<Self> {
        let (mut at, mut scales, mut others) = (queries, vec![], vec![]);
        loop {
            let readers = graph.readers(at).iter().map(|&id| (id, graph.node(id)));
            let apart =
                readers.filter(|(id, node)| *id != behind && !matches!(node.op, Op::Shape { .. }));
            for (_, node) in apart {
                if !moves(&node.op) {
                    return None;
                }
                others.extend(&node.outputs);
            }
            let id = graph.producer(at)?;
            let node = graph.node(id);
            let operand = |slot: usize| node.inputs.get(slot).copied().flatten();
            let next = match node.op {
                ref op if moves(op) => operand(0)?,
                Op::Binary(Binary::Mul | Binary::Div) => {
                    let (x, scale) = scaled(graph, node)?;
                    scales.push(scale);
                    x
                }
                _ => return Self::made(graph, (at, id), scales, others),
            };
            (at, behind) = (next, id);
        }
    }

    /// That which makes a value, by a node.
    fn made(
        graph: &Graph,
        (biased, id): (ValueId, NodeId),
        scales: Vec<ValueId>,
        others: Vec<ValueId>,
    ) -> Option<Self> {
        let node = graph.node(id);
        let (made, added) = match (&node.op, &node.inputs[..]) {
            (Op::Binary(Binary::Add), &[Some(a), Some(b)]) => match graph.constant(a) {
                Some(_) => (b, Some((id, 0))),
                None => (a, Some((id, 1))),
            },
            _ => (biased, None),
        };
        let own = graph.producer(made)?;
        let node = graph.node(own);
        let (_, weights, layout) = Layout::all_of(graph, node).next()?;
        let held = |(id, slot): (NodeId, usize)| graph.node(id).inputs.get(slot).copied().flatten();
        let of_node = layout.bias.map(|slot| (own, slot));
        let tensor = graph.constant(weights)?;
        let channels = layout.sizes(tensor.shape()).outputs;
        let is_plain = layout.channels == Axis::FromEnd(0)
            && !layout.is_hidden()
            && layout.fold == 1
            && (added.is_none() || of_node.and_then(held).is_none())
            && tensor.is_float()
            && graph.readers(weights).len() == 1
            && (added.is_none() || graph.readers(made).len() == 1);
        let bias = added.or(of_node);
        let fits = bias.and_then(held).is_none_or(|own| {
            graph.constant(own).is_some_and(|own| {
                own.is_float() && own.shape().last() == Some(&channels) && own.len() == channels
            })
        });
        (is_plain && fits).then_some(Self {
            weights,
            layout,
            bias,
            made,
            biased,
            scales,
            others,
        })
    }

    /// The channels that are the dimensions of each head, of a network whose lengths are known; none where they are not those of one head
    /// after the other, or somebody else reads some.
    fn heads(&self, mut at: Graph, [queries, keys]: [ValueId; 2]) -> Option<Vec<Vec<usize>>> {
        for &scale in &self.scales {
            let shape = at.constant(scale)?.shape().to_vec();
            at.set_constant(scale, Tensor::f32(shape, vec![1.0]).ok()?)
                .ok()?;
        }
        let lengths = |id: ValueId| -> Option<Vec<usize>> {
            at.value(id)
                .shape
                .as_ref()?
                .iter()
                .map(Dim::fixed)
                .collect()
        };
        let shape = lengths(self.biased)?;
        let channels = *shape.last()?;
        let numbers = (0..shape.iter().product()).map(|n: usize| (n % channels.max(1)) as f64);
        let numbers = Array::new(shape, numbers.collect()).ok()?;
        let wanted: Vec<ValueId> = std::iter::once(queries)
            .chain(self.others.iter().copied())
            .collect();
        let part = at.segment(&[self.biased], &wanted).ok()?;
        let mut made = evaluate(&part, &[numbers]).ok()?.into_iter();
        let own = made.next()?;
        let (of_keys, [outer @ .., rows, width]) = (lengths(keys)?, &own.shape[..]) else {
            return None;
        };
        if of_keys.get(..outer.len()) != Some(outer) || of_keys.len() != own.shape.len() {
            return None;
        }
        let mut heads: Vec<Vec<usize>> = vec![];
        let mut read = HashSet::new();
        for (block, numbers) in own.values.chunks((rows * width).max(1)).enumerate() {
            let mut rows = numbers
                .chunks((*width).max(1))
                .map(|row| row.iter().map(|&n| n as usize));
            let first: Vec<usize> = rows.next()?.collect();
            if rows.any(|row| !row.eq(first.iter().copied())) {
                return None;
            }
            match block == heads.len() && heads.first() != Some(&first) {
                true if first.iter().all(|&c| read.insert(c)) => heads.push(first),
                false if heads[block % heads.len()] == first => {}
                _ => return None,
            }
        }
        let is_free = |n: &f64| !read.contains(&(*n as usize));
        made.all(|other| other.values.iter().all(is_free))
            .then_some(heads)
    }
}
