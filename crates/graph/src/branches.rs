//! A network without the branches that lose all units of a group.
//!
//! What reads nothing any more is a constant: its bias. Where that meets another branch that goes on, in a sum, a product or
//! a concatenation, the network can do without the nodes that made it. Where it would be an output, or reach an operation
//! that tells places apart (a convolution with padding, a normalisation), the branch has to stay.

use std::collections::HashMap;

use crate::eval::Array;
use crate::ops::{self, Sources};
use crate::settle::{drop_unread, tensor_of};
use crate::{
    Binary, Conv, Element, Error, ErrorKind, Graph, Node, Op, Padding, Reduce, ReduceKind, Result,
    ValueId,
};

/// What becomes of a value that lost an axis, or depends on one that did.
enum Fate {
    /// Nothing of it is left along that axis.
    Gone(usize),
    /// The same at every place: numbers whose axes are 1 long where it does not vary.
    Steady(Array),
}

/// `graph`, whose shapes are inferred, without what the values of `sources` that keep no position are needed for; none where all
/// keep some.
///
/// `masked` is the same network with the units silenced that go, of this and of other groups: what it computes in a branch is
/// what stands in for it.
///
/// # Errors
/// If a node needs such a value.
pub(crate) fn without_branches(
    graph: &Graph,
    sources: &Sources,
    masked: impl FnOnce() -> Result<Graph>,
) -> Result<Option<Graph>> {
    let emptied: HashMap<ValueId, usize> = sources
        .iter()
        .filter(|(_, kept)| kept.is_empty())
        .map(|((value, axis), _)| (*value, *axis))
        .collect();
    if emptied.is_empty() {
        return Ok(None);
    }
    let mut pruned = graph.clone();
    let masked = masked()?;
    let mut fates: HashMap<ValueId, Fate> = HashMap::new();
    let mut passed: HashMap<ValueId, ValueId> = HashMap::new();
    let mut nodes = vec![];
    for node in graph.nodes() {
        let mut node = node.clone();
        for input in node.inputs.iter_mut().flatten() {
            *input = passed.get(input).copied().unwrap_or(*input);
        }
        let touched = node
            .inputs
            .iter()
            .flatten()
            .any(|id| fates.contains_key(id));
        let lost: Vec<_> = node
            .outputs
            .iter()
            .filter_map(|id| emptied.get(id))
            .collect();
        if lost.len() == node.outputs.len() && !lost.is_empty() {
            for made in &node.outputs {
                fates.insert(*made, Fate::Gone(emptied[made]));
            }
        } else if !touched {
            nodes.push(node);
        } else {
            match step(&masked, &node, &fates)? {
                Step::Becomes(fate) => {
                    fates.insert(node.output()?, fate);
                }
                Step::Passes(other) => {
                    passed.insert(node.output()?, other);
                }
                Step::Stays { without } => {
                    node.inputs
                        .retain(|input| input.is_none_or(|id| !without.contains(&id)));
                    nodes.push(node);
                }
            }
        }
    }
    if let Some(output) = graph
        .outputs()
        .iter()
        .find(|id| fates.contains_key(id) || passed.contains_key(id))
    {
        return Err(needed(
            &graph.value(*output).name,
            "is an output of the graph",
        ));
    }
    let read: Vec<ValueId> = nodes
        .iter()
        .flat_map(|n| n.inputs.iter().flatten().copied())
        .collect();
    for id in read {
        if let Some(Fate::Steady(array)) = fates.get(&id) {
            let element = graph.value(id).element.unwrap_or(Element::F32);
            let Some(tensor) = tensor_of(element, array) else {
                return Err(needed(&graph.value(id).name, "has another type"));
            };
            pruned.replace_constant(id, tensor);
        }
    }
    *pruned.nodes_mut() = nodes;
    drop_unread(&mut pruned);
    Ok(Some(pruned))
}

/// What a node does that reads what is gone or steady.
enum Step {
    /// It goes, and what it makes becomes this.
    Becomes(Fate),
    /// It goes, and what it makes is that other value.
    Passes(ValueId),
    /// It stays, without these inputs.
    Stays { without: Vec<ValueId> },
}

fn step(graph: &Graph, node: &Node, fates: &HashMap<ValueId, Fate>) -> Result<Step> {
    let made = node.output()?;
    let first = fates.get(&node.input(0)?);
    let is_output = graph.outputs().contains(&made);
    match (&node.op, first) {
        (Op::Concat { .. }, _) => {
            let gone = |id: &ValueId| matches!(fates.get(id), Some(Fate::Gone(_)));
            let steady = |id: &ValueId| matches!(fates.get(id), Some(Fate::Steady(_)));
            let inputs = node.inputs.iter().flatten().copied();
            let (without, others): (Vec<ValueId>, Vec<ValueId>) = inputs.partition(gone);
            if !others.is_empty() && !others.iter().any(steady) {
                return Ok(Step::Stays { without });
            }
        }
        (Op::Conv(_) | Op::MatMul | Op::Gemm(_), Some(Fate::Gone(axis))) => {
            if let Some(bias) = unread(graph, node, *axis)? {
                return Ok(Step::Becomes(Fate::Steady(bias)));
            }
        }
        (Op::Binary(binary), _) if node.inputs.len() == 2 => {
            let (a, b) = (node.input(0)?, node.input(1)?);
            let steady = |id: ValueId| match fates.get(&id) {
                Some(Fate::Steady(array)) => Some(array),
                Some(Fate::Gone(_)) | None => None,
            };
            let shape = |id: ValueId| graph.value(id).shape.as_ref();
            let goes_on = |id: ValueId| {
                let is_live = !fates.contains_key(&id) && graph.constant(id).is_none();
                is_live && shape(id).is_some() && shape(id) == shape(made)
            };
            let kept = match (steady(a), steady(b)) {
                (Some(array), None) if goes_on(b) => Some((array, b, *binary == Binary::Add)),
                (None, Some(array)) if goes_on(a) => {
                    Some((array, a, matches!(binary, Binary::Add | Binary::Sub)))
                }
                _ => None,
            };
            match kept {
                Some((array, other, is_sum)) => {
                    let is_nothing = array.values.iter().all(|&v| v == 0.0);
                    return Ok(match is_sum && is_nothing && !is_output {
                        true => Step::Passes(other),
                        false => Step::Stays { without: vec![] },
                    });
                }
                None => {
                    if let Some(array) = steadily(graph, node, fates)? {
                        return Ok(Step::Becomes(Fate::Steady(array)));
                    }
                }
            }
        }
        (op, Some(Fate::Steady(_))) if is_placeless(op) => {
            if let Some(array) = steadily(graph, node, fates)? {
                return Ok(Step::Becomes(Fate::Steady(array)));
            }
        }
        _ => {}
    }
    Err(needed(&node.name, "needs it"))
}

fn needed(place: &str, why: &str) -> Error {
    let message = format!(
        "a layer would be left without units, and no other branch can stand in for it, as this {why}"
    );
    Error::new(ErrorKind::Keep, message)
        .at(place)
        .hint("keep at least one unit of each group")
}

/// What a node makes of an input that lost its contracted axis: the bias, or zeros.
fn unread(graph: &Graph, node: &Node, axis: usize) -> Result<Option<Array>> {
    let rank = |id: ValueId| graph.value(id).shape.as_ref().map(Vec::len);
    let (x, weights) = (node.input(0)?, node.input(1)?);
    let (Some(rank), Some(tensor)) = (rank(x), graph.constant(weights)) else {
        return Ok(None);
    };
    let numbers = |slot: usize| {
        let id = node.inputs.get(slot).copied().flatten()?;
        graph.constant(id).map(Array::from)
    };
    match &node.op {
        Op::Conv(_) if axis == 1 => {
            let outputs = tensor.shape()[0];
            let bias = match node.inputs.get(2).copied().flatten() {
                Some(_) => numbers(2).map(|bias| bias.values),
                None => Some(vec![0.0; outputs]),
            };
            let mut shape = vec![1; rank];
            shape[1] = outputs;
            bias.map(|bias| Array::new(shape, bias)).transpose()
        }
        Op::MatMul if axis + 1 == rank && tensor.shape().len() == 2 => {
            let mut shape = vec![1; rank];
            shape[rank - 1] = tensor.shape()[1];
            Array::new(shape, vec![0.0; tensor.shape()[1]]).map(Some)
        }
        Op::Gemm(gemm) if axis == 1 && !gemm.trans_a => {
            let inner = tensor.shape()[usize::from(gemm.trans_b)];
            let zeros = Array::new([1, inner], vec![0.0; inner])?;
            let silent = Array::new(tensor.shape(), vec![0.0; tensor.len()])?;
            let bias = numbers(2);
            let is_varied = bias
                .as_ref()
                .is_some_and(|b| b.shape.len() == 2 && b.shape[0] > 1);
            if is_varied || bias.is_none() && node.inputs.get(2).copied().flatten().is_some() {
                return Ok(None);
            }
            let inputs = [Some(&zeros), Some(&silent), bias.as_ref()];
            Ok(ops::evaluate(node, &inputs)?.pop())
        }
        _ => Ok(None),
    }
}

/// Whether an operation makes of the same at every place the same at every place, whatever number of places there are.
fn is_placeless(op: &Op) -> bool {
    match op {
        Op::Unary(_)
        | Op::Clip { .. }
        | Op::BatchNorm { .. }
        | Op::PRelu
        | Op::Identity
        | Op::MatMul
        | Op::Gemm(_) => true,
        Op::Conv(Conv { window, .. }) => match &window.padding {
            // The kernel must be 1 long, which is what evaluation of a single place checks.
            Padding::By { before, behind } => before.iter().chain(behind).all(|&n| n == 0),
            Padding::SameUpper | Padding::SameLower => false,
        },
        Op::Reduce(Reduce { kind, .. }) => {
            matches!(kind, ReduceKind::Mean | ReduceKind::Max | ReduceKind::Min)
        }
        _ => false,
    }
}

/// What a node makes of steady values and constants; nothing if one of its inputs is neither.
fn steadily(graph: &Graph, node: &Node, fates: &HashMap<ValueId, Fate>) -> Result<Option<Array>> {
    let mut arrays = vec![];
    for input in &node.inputs {
        arrays.push(match input {
            None => None,
            Some(id) => match (fates.get(id), graph.constant(*id)) {
                (Some(Fate::Steady(array)), _) => Some(array.clone()),
                (None, Some(tensor)) => Some(Array::from(tensor)),
                _ => return Ok(None),
            },
        });
    }
    let inputs: Vec<Option<&Array>> = arrays.iter().map(Option::as_ref).collect();
    // What cannot be computed of a single place (a kernel that is longer) is needed where it is.
    Ok(ops::evaluate(node, &inputs)
        .ok()
        .and_then(|mut all| all.pop()))
}
