//! The same network with what follows from lengths alone settled: computed where it is a number, stated as a shape where it
//! is one.
//!
//! Graphs that were exported from programs compute shapes, masks and indices in nodes, and those nodes hide what a shape
//! means. Here a value that is the same whatever goes in becomes a constant; the wanted shape of a `Reshape` becomes one
//! with `0` and `-1`; what else depends on the length of an axis of an input, and on nothing more, is computed from that
//! input at once. Nodes that nobody reads any more go.

use std::collections::HashMap;
use std::sync::Arc;

use crate::derived::only_moves;
use crate::eval::Array;
use crate::known::{Entry, Known};
use crate::shapes::infer_shapes;
use crate::{Data, Dim, Element, Graph, Node, Op, Result, Tensor, Value, ValueId};

/// The settled network. Ids of values are those of `graph`; new values come after them.
///
/// # Errors
/// If operands do not fit together.
pub fn settle(graph: &Graph) -> Result<Graph> {
    let mut settled = infer_shapes(&without_aliases(graph))?;
    for id in graph.value_ids() {
        let value = settled.value(id);
        let Some(Known::Same(array)) = value.known.clone().filter(|_| value.constant.is_none())
        else {
            continue;
        };
        if let Some(tensor) = value.element.and_then(|e| tensor_of(e, &array)) {
            settled.replace_constant(id, tensor);
        }
    }
    let computed = |id: &ValueId| settled.constant(*id).is_some();
    let nodes = settled.nodes().iter().cloned();
    let (ahead, left): (Vec<Node>, Vec<Node>) =
        nodes.partition(|node| node.outputs.iter().all(computed));
    *settled.nodes_mut() = left;
    for node in ahead.into_iter().filter(|node| only_moves(&node.op)) {
        let weights = settled.constant(node.input(0)?);
        if weights.is_some_and(|t| t.is_float() && t.len() > 1) {
            settled.derive(node.output()?, node);
        }
    }
    let mut lengths = Lengths::of_inputs(&settled);
    let mut at = 0;
    while at < settled.nodes().len() {
        at += wanted_shape(&mut settled, &lengths, at)? + 1;
        lengths.add(&settled, &settled.nodes()[at - 1].outputs.clone());
    }
    drop_unread(&mut settled);
    infer_shapes(&settled)
}

/// The same network, where nodes read constants by their own names: a second name for weights would hide that two layers share
/// them.
fn without_aliases(graph: &Graph) -> Graph {
    let mut own: HashMap<ValueId, ValueId> = HashMap::new();
    for node in graph.nodes() {
        if let (Op::Identity, Some(Some(read)), [made]) =
            (&node.op, node.inputs.first(), &node.outputs[..])
        {
            let read = own.get(read).copied().unwrap_or(*read);
            if graph.constant(read).is_some() && !graph.outputs().contains(made) {
                own.insert(*made, read);
            }
        }
    }
    let mut renamed = graph.clone();
    if own.is_empty() {
        return renamed;
    }
    for node in renamed.nodes_mut() {
        // What is not understood may read by name.
        if !matches!(node.op, Op::Opaque(_)) {
            for input in node.inputs.iter_mut().flatten() {
                *input = own.get(input).copied().unwrap_or(*input);
            }
        }
    }
    renamed
}

/// Where the length of an axis that is known by name can be read: of an input, or else of the first value that has it.
struct Lengths(HashMap<String, (ValueId, usize)>);

impl Lengths {
    fn of_inputs(graph: &Graph) -> Self {
        let mut lengths = Self(HashMap::new());
        lengths.add(graph, graph.inputs());
        lengths
    }

    fn add(&mut self, graph: &Graph, values: &[ValueId]) {
        for &id in values {
            let shape = graph.value(id).shape.iter().flatten().enumerate();
            for (axis, dim) in shape {
                if let Dim::Named(name) = dim {
                    self.0.entry(name.clone()).or_insert((id, axis));
                }
            }
        }
    }
}

/// States anew the shape that a node wants, if it is computed; how many nodes that took.
fn wanted_shape(graph: &mut Graph, lengths: &Lengths, at: usize) -> Result<usize> {
    let node = &graph.nodes()[at];
    let slot = match &node.op {
        Op::Reshape { .. } | Op::Expand | Op::Tile => 1,
        Op::Index(crate::Index::ConstantOfShape { .. }) => 0,
        Op::Resize(_) => 3,
        _ => return Ok(0),
    };
    let Some(Some(wanted)) = node.inputs.get(slot).copied() else {
        return Ok(0);
    };
    let value = graph.value(wanted);
    let Some(entries) = value.entries.clone().filter(|_| value.constant.is_none()) else {
        return Ok(0);
    };
    let name = format!("{}.shape", node.name);
    let stated = match &node.op {
        Op::Reshape { allow_zero: false } => stated(graph, node, &entries),
        _ => None,
    };
    if let Some(stated) = stated {
        let tensor = Tensor::i64([stated.len()], stated)?;
        let new = push(graph, &name, Some(tensor));
        graph.nodes_mut()[at].inputs[slot] = Some(new);
        return Ok(0);
    }
    let Some(parts) = from_lengths(lengths, &entries) else {
        return Ok(0);
    };
    let (new, nodes) = computed(graph, &name, parts)?;
    let count = nodes.len();
    graph.nodes_mut()[at].inputs[slot] = Some(new);
    graph.nodes_mut().splice(at..at, nodes);
    Ok(count)
}

/// The shape as `Reshape` may be told it: 0 for a length that stays where it is, -1 for one that follows.
fn stated(graph: &Graph, node: &Node, entries: &[Entry]) -> Option<Vec<i64>> {
    let x = graph.value(node.input(0).ok()?).shape.as_deref()?;
    let mut open = 0;
    let stated: Option<Vec<i64>> = entries
        .iter()
        .enumerate()
        .map(|(axis, entry)| match entry {
            Entry::Number(n) if *n == 0.0 => None,
            Entry::Number(n) => {
                open += usize::from(*n == -1.0);
                Some(*n as i64)
            }
            Entry::Length(name) if x.get(axis) == Some(&Dim::Named(name.clone())) => Some(0),
            Entry::Length(_) | Entry::Other => {
                open += 1;
                Some(-1)
            }
        })
        .collect();
    stated.filter(|_| open <= 1)
}

/// One entry of a shape that is computed from lengths at once.
enum Part {
    Number(i64),
    Length { of: ValueId, axis: usize },
}

fn from_lengths(lengths: &Lengths, entries: &[Entry]) -> Option<Vec<Part>> {
    let part = |entry: &Entry| match entry {
        Entry::Number(n) => Some(Part::Number(*n as i64)),
        Entry::Length(name) => {
            let &(of, axis) = lengths.0.get(name)?;
            Some(Part::Length { of, axis })
        }
        Entry::Other => None,
    };
    entries.iter().map(part).collect()
}

/// Nodes that put a shape together, and what they make.
fn computed(graph: &mut Graph, name: &str, parts: Vec<Part>) -> Result<(ValueId, Vec<Node>)> {
    let mut nodes = vec![];
    let mut pieces = vec![];
    let mut numbers: Vec<i64> = vec![];
    let settle = |graph: &mut Graph, numbers: &mut Vec<i64>, pieces: &mut Vec<Option<ValueId>>| {
        let own = std::mem::take(numbers);
        if !own.is_empty() {
            let tensor = Tensor::i64([own.len()], own)?;
            pieces.push(Some(push(graph, &format!("{name}.numbers"), Some(tensor))));
        }
        Ok::<(), crate::Error>(())
    };
    for part in parts {
        match part {
            Part::Number(n) => numbers.push(n),
            Part::Length { of, axis } => {
                settle(graph, &mut numbers, &mut pieces)?;
                let all = push(graph, &format!("{name}.all"), None);
                let index = Tensor::i64([1], vec![axis as i64])?;
                let index = push(graph, &format!("{name}.axis"), Some(index));
                let length = push(graph, &format!("{name}.length"), None);
                let shape = Op::Shape {
                    start: 0,
                    end: None,
                };
                nodes.push(made(graph, shape, vec![Some(of)], all));
                let gather = Op::Gather { axis: 0 };
                nodes.push(made(graph, gather, vec![Some(all), Some(index)], length));
                pieces.push(Some(length));
            }
        }
    }
    settle(graph, &mut numbers, &mut pieces)?;
    let whole = push(graph, name, None);
    nodes.push(made(graph, Op::Concat { axis: 0 }, pieces, whole));
    Ok((whole, nodes))
}

fn made(graph: &Graph, op: Op, inputs: Vec<Option<ValueId>>, output: ValueId) -> Node {
    Node {
        name: graph.value(output).name.clone(),
        op,
        inputs,
        outputs: vec![output],
    }
}

fn push(graph: &mut Graph, name: &str, tensor: Option<Tensor>) -> ValueId {
    let name = graph.unused_name(name);
    let shape = tensor
        .as_ref()
        .map(|t| t.shape().iter().map(|&n| Dim::Fixed(n)).collect());
    graph.push_value(Value {
        name,
        shape,
        element: Some(Element::I64),
        known: None,
        entries: None,
        constant: tensor.map(Arc::new),
    })
}

/// Takes away nodes whose results nobody reads.
pub(crate) fn drop_unread(graph: &mut Graph) {
    let mut read = vec![false; graph.values().len()];
    for output in graph.outputs() {
        read[output.index()] = true;
    }
    let mut alive = vec![false; graph.nodes().len()];
    for (at, node) in graph.nodes().iter().enumerate().rev() {
        alive[at] = node.outputs.iter().any(|id| read[id.index()]);
        if alive[at] {
            for id in node.inputs.iter().flatten() {
                read[id.index()] = true;
            }
        }
    }
    let mut alive = alive.into_iter();
    graph.nodes_mut().retain(|_| alive.next().unwrap_or(true));
}

/// Numbers as a constant of that type; none where they are no numbers of it.
pub(crate) fn tensor_of(element: Element, array: &Array) -> Option<Tensor> {
    let data = match element {
        Element::F32 => Data::F32(array.values.iter().map(|&v| v as f32).collect()),
        Element::I64 => {
            let whole = array
                .values
                .iter()
                .all(|v| v.fract() == 0.0 && v.abs() < 9e15);
            whole.then(|| Data::I64(array.values.iter().map(|&v| v as i64).collect()))?
        }
        other => {
            let bytes: Option<Vec<Vec<u8>>> =
                array.values.iter().map(|&v| other.bytes(v)).collect();
            Data::Raw(other, bytes?.concat())
        }
    };
    Tensor::new(array.shape.clone(), data).ok()
}
