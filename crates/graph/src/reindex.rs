//! Rebuilds a graph after positions on channel axes were picked or reordered: shrinking and permuting alike.

use crate::ops::{self, Rewrite, Sources};
use crate::{Dim, Error, ErrorKind, Graph, NodeId, Result, Tensor, Value, ValueId};

/// What was picked along an axis of a constant: new position `i` holds old position `kept[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The constant, by the id that it has before and after.
    pub tensor: ValueId,
    /// The axis along which it was cut.
    pub axis: usize,
    /// Old positions in their new order.
    pub kept: Vec<usize>,
}

/// Picks positions of constants and activations, and rewrites what refers to positions by number.
///
/// `graph` must have its shapes inferred.
pub(crate) fn reindex(graph: &Graph, mut sources: Sources) -> Result<(Graph, Vec<Cut>)> {
    let has = |&&(value, axis): &&(ValueId, usize)| {
        let shape = graph.value(value).shape.as_ref();
        shape.is_none_or(|s| axis < s.len())
    };
    if let Some(&(value, axis)) = sources.keys().find(|place| !has(place)) {
        // What a damaged file declares of one value may contradict what follows from another.
        return Err(Error::invalid(format!("has no axis {axis}")).at(&graph.value(value).name));
    }
    sources.retain(|&(value, axis), source| {
        let shape = graph.value(value).shape.as_ref();
        let length = shape.and_then(|s| s[axis].fixed());
        let is_whole = source.iter().enumerate().all(|(new, &old)| new == old);
        !(is_whole && length == Some(source.len()))
    });
    let mut small = graph.clone();
    for id in graph.node_ids() {
        let node = graph.node(id);
        for Rewrite {
            reader,
            slot,
            tensor,
        } in ops::slice(graph, node, &sources)?
        {
            rewrite(&mut small, graph, (reader.unwrap_or(id), slot), tensor)?;
        }
        if let Some(op) = ops::rewritten(graph, node, &sources) {
            small.nodes_mut()[id.index()].op = op;
        }
    }
    let mut cuts = vec![];
    for ((value, axis), kept) in sources {
        if kept.is_empty() {
            let message = format!("would have nothing left along axis {axis}");
            return Err(Error::new(ErrorKind::Keep, message)
                .at(&graph.value(value).name)
                .hint("keep more units of each group"));
        }
        if let Some(tensor) = small.constant(value) {
            let picked = tensor.select(axis, &kept)?;
            small.replace_constant(value, picked);
            cuts.push(Cut {
                tensor: value,
                axis,
                kept,
            });
        } else if let Some(shape) = small.shape_mut(value) {
            shape[axis] = Dim::Fixed(kept.len());
        }
    }
    Ok((small, cuts))
}

/// Gives a node another constant as an input; whoever else reads the old one keeps it.
fn rewrite(
    small: &mut Graph,
    wide: &Graph,
    (id, slot): (NodeId, usize),
    tensor: Tensor,
) -> Result<()> {
    let node = wide.node(id);
    let Some(Some(old)) = node.inputs.get(slot).copied() else {
        return add(small, (id, slot), &format!("{}.{slot}", node.name), tensor);
    };
    let once = node.inputs.iter().filter(|i| **i == Some(old)).count() == 1;
    if once && wide.readers(old) == [id] && !wide.outputs().contains(&old) {
        small.replace_constant(old, tensor);
        return Ok(());
    }
    let name = format!("{}.kept", wide.value(old).name);
    add(small, (id, slot), &name, tensor)
}

/// Gives a node a new constant as an input.
fn add(small: &mut Graph, (id, slot): (NodeId, usize), name: &str, tensor: Tensor) -> Result<()> {
    let new = small.push_value(Value {
        name: small.unused_name(name),
        shape: None,
        element: None,
        known: None,
        entries: None,
        constant: None,
    });
    small.replace_constant(new, tensor);
    let inputs = &mut small.nodes_mut()[id.index()].inputs;
    if inputs.len() <= slot {
        inputs.resize(slot + 1, None);
    }
    inputs[slot] = Some(new);
    Ok(())
}
