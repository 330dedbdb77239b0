//! An ONNX model with what shrinking or masking changed, and everything else as it was.
//!
//! The network of a file leaves out what it has no use for: descriptions, shapes between nodes, unknown fields.
//! A changed network is therefore not written anew but carried over into the messages that it came from.

mod listed;
mod prune;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use secateur_onnx::proto::tensor_shape_proto::dimension;
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto,
};
use secateur_onnx::refill;

use crate::apart::reunite;
use crate::lighten::is_light;
use crate::lower::named_by_training;
use crate::raise::{attributes_of, initializer, node_message};
use crate::shapes::infer_shapes;
use crate::{
    Conv, ConvTranspose, Dim, Error, Graph, NodeId, Norm, Op, Pad, Result, Tensor, Value, ValueId,
};

pub(crate) use self::prune::subgraphs;
use self::prune::{Reads, drop_unreached, prune, stale};

/// The model that `network` was read from, with the changes that made `changed` out of it.
///
/// `network` is what was read, or that [settled](crate::settle()) or [set apart](crate::set_apart()). Constants get their new numbers where the file has them, as
/// initializers or `Constant` nodes; those that the file computes become initializers; attributes that count channels, and
/// lengths that the file states, follow. What is read no more, and was before, goes, and so does what reads something changed
/// and leads to no output. Nothing else is touched. Numbers that
/// [`crate::lighten`] took out of the model are put back.
///
/// # Errors
/// If the two networks are not of this model, or shapes of the changed one do not fit together.
pub fn patch(model: &ModelProto, network: &Graph, changed: &Graph) -> Result<ModelProto> {
    let mut patched = model.clone();
    let Some(graph) = patched.graph.as_option_mut() else {
        return Err(Error::invalid("the model holds no graph"));
    };
    let holders = Holders::of(graph);
    let initializers = listed::initializers(graph);
    let changed = reunite(network, infer_shapes(changed)?, |name| holders.hold(name));
    let mut computed = HashSet::new();
    let read = read(&changed);
    // What the file makes of weights that it holds, and that changed alike, it goes on making.
    let is_stored = |id: &ValueId| {
        let origin = &changed.value(changed.origin(*id)).name;
        let maker = holders.nodes.get(origin).map(|&at| &graph.node[at]);
        maker.map_or(holders.hold(origin), |node| {
            node.op_type.as_deref() == Some("Constant")
        })
    };
    let follow: HashSet<ValueId> = changed
        .still_derived()
        .into_iter()
        .filter(is_stored)
        .collect();
    for id in changed.value_ids().filter(|id| !follow.contains(id)) {
        let old = network.values().get(id.index());
        let old = old.and_then(|v| v.constant.as_ref());
        let value = changed.value(id);
        if constant(graph, &holders, (value, read[id.index()]), old)? {
            computed.insert(value.name.clone());
        }
    }
    let trained: HashSet<String> = named_by_training(model)
        .iter()
        .map(ToString::to_string)
        .collect();
    let before = Reads::of(graph, &trained);
    nodes(graph, &holders, network, &changed)?;
    // What the file states of a value that did not change stays, even if it is wrong.
    let shaped = infer_shapes(network)?;
    let pairs = shaped.values().iter().zip(changed.values());
    let values: HashMap<&str, (&[Dim], &[Dim])> = pairs
        .filter_map(|(old, new)| Some((new, old.shape.as_deref()?, new.shape.as_deref()?)))
        .filter(|(_, old, new)| old != new)
        .map(|(value, old, new)| (value.name.as_str(), (old, new)))
        .collect();
    drop_unreached(graph, &values.keys().copied().collect(), &trained);
    prune(graph, &before, &computed, &trained);
    let version = model.ir_version.unwrap_or_default();
    listed::relist(graph, &initializers, version);
    let stale = stale(graph, values.keys().copied(), &changed);
    graph
        .value_info
        .retain(|info| info.name.as_ref().is_none_or(|name| !stale.contains(name)));
    let infos = graph.value_info.iter_mut().chain(&mut graph.output);
    let listed = graph.input.iter_mut();
    for info in infos.chain(listed) {
        lengths(&values, info);
    }
    Ok(patched)
}

/// Which values a node reads or are outputs.
fn read(graph: &Graph) -> Vec<bool> {
    let mut read = vec![false; graph.values().len()];
    let inputs = graph.nodes().iter().flat_map(|n| n.inputs.iter().flatten());
    for id in inputs.chain(graph.outputs()) {
        read[id.index()] = true;
    }
    read
}

/// Where in a file a value is held, by its name.
struct Holders {
    initializers: HashMap<String, usize>,
    sparse: HashSet<String>,
    /// Nodes by each of their outputs.
    nodes: HashMap<String, usize>,
}

impl Holders {
    fn of(graph: &GraphProto) -> Self {
        let tensors = graph.initializer.iter().enumerate();
        let nodes = graph.node.iter().enumerate();
        Self {
            initializers: tensors
                .map(|(i, t)| (t.name.clone().unwrap_or_default(), i))
                .collect(),
            sparse: graph
                .sparse_initializer
                .iter()
                .filter_map(|s| s.values.as_option()?.name.clone())
                .collect(),
            nodes: nodes
                .flat_map(|(i, n)| n.output.iter().map(move |name| (name.clone(), i)))
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        }
    }

    fn hold(&self, name: &str) -> bool {
        self.initializers.contains_key(name) || self.nodes.contains_key(name)
    }
}

/// Carries over a constant that is not the one that was read; whether the file computes it so far.
fn constant(
    graph: &mut GraphProto,
    holders: &Holders,
    (value, is_read): (&Value, bool),
    old: Option<&Arc<Tensor>>,
) -> Result<bool> {
    let Some(new) = &value.constant else {
        return Ok(false);
    };
    if holders.sparse.contains(&value.name) {
        // Its lengths stay; once it was trained, its zeros are other numbers.
        if !old.is_some_and(|old| Arc::ptr_eq(old, new) || old == new) {
            graph.sparse_initializer.retain(|sparse| {
                let values = sparse.values.as_option();
                values.and_then(|v| v.name.as_deref()) != Some(value.name.as_str())
            });
            graph.initializer.push(initializer(&value.name, new)?);
        }
        return Ok(false);
    }
    let maker = holders.nodes.get(&value.name).map(|&at| &graph.node[at]);
    let is_computed = maker.is_some_and(|node| node.op_type.as_deref() != Some("Constant"));
    let is_held = holders.initializers.contains_key(&value.name);
    if !is_read && (is_computed || maker.is_none() && !is_held) {
        return Ok(false);
    }
    if is_computed {
        graph.initializer.push(initializer(&value.name, new)?);
        return Ok(true);
    }
    let is_same =
        (maker.is_some() || is_held) && old.is_some_and(|old| Arc::ptr_eq(old, new) || old == new);
    let holder = holders.initializers.get(&value.name);
    let mut holder = holder.map(|&at| &mut graph.initializer[at]);
    let is_there = holder.as_ref().is_none_or(|tensor| !is_light(tensor));
    if is_same && (is_there || new.is_empty()) {
        return Ok(false);
    }
    let message = initializer(&value.name, new)?;
    if let Some(tensor) = &mut holder {
        match is_same {
            true => tensor.raw_data = message.raw_data,
            false => refill(tensor, message),
        }
        return Ok(false);
    }
    match holders.nodes.get(&value.name) {
        Some(&at) => {
            refill_constant(&mut graph.node[at], message).map_err(|e| e.at(&value.name))?;
        }
        None => graph.initializer.push(message),
    }
    Ok(false)
}

fn refill_constant(node: &mut NodeProto, with: TensorProto) -> Result<()> {
    let [attribute] = node.attribute.as_mut_slice() else {
        return Err(Error::invalid("is made by something other than a Constant"));
    };
    if let Some(tensor) = attribute.t.as_option_mut() {
        refill(tensor, with);
        return Ok(());
    }
    // Plain numbers as an attribute: the tensor says the same.
    *attribute = AttributeProto {
        name: Some("value".into()),
        r#type: Some(secateur_onnx::proto::attribute_proto::AttributeType::TENSOR),
        t: with.into(),
        ..AttributeProto::default()
    };
    Ok(())
}

/// Attributes and inputs of nodes that changed, and nodes that are new.
fn nodes(
    graph: &mut GraphProto,
    holders: &Holders,
    network: &Graph,
    changed: &Graph,
) -> Result<()> {
    let makers: HashMap<&str, NodeId> = network
        .node_ids()
        .filter_map(|id| {
            let made = network.node(id).outputs.first()?;
            Some((network.value(*made).name.as_str(), id))
        })
        .collect();
    let mut new = vec![];
    for id in changed.node_ids() {
        let node = changed.node(id);
        let Some(made) = node
            .outputs
            .first()
            .map(|m| changed.value(*m).name.as_str())
        else {
            continue;
        };
        let old = makers.get(made).map(|old| network.node(*old));
        let (Some(old), Some(&place)) = (old, holders.nodes.get(made)) else {
            // A constant of another type is carried as a node, but the file holds it.
            if !holders.initializers.contains_key(made) {
                new.push(node_message(changed, node)?);
            }
            continue;
        };
        let message = &mut graph.node[place];
        if old.op != node.op {
            attributes(message, &node.op).map_err(|e| e.at(&node.name))?;
        }
        // What a carried node reads behind its own inputs, its subgraphs read by name.
        let own = match node.op {
            Op::Opaque(_) => message.input.len(),
            _ => node.inputs.len(),
        };
        for (slot, input) in node.inputs.iter().take(own).enumerate() {
            let Some(input) = input else { continue };
            if message.input.len() <= slot {
                message.input.resize(slot + 1, String::new());
            }
            message.input[slot].clone_from(&changed.value(*input).name);
        }
        if matches!(node.op, Op::Concat { .. }) {
            // Branches that lost all their units went.
            message.input.truncate(own);
        }
    }
    insert(graph, new);
    Ok(())
}

/// Puts new nodes, which are in order, each behind those whose values it reads, as far in front as can be.
fn insert(graph: &mut GraphProto, new: Vec<NodeProto>) {
    let made = graph.node.iter().chain(&new);
    let mut missing: HashSet<String> = made.flat_map(|n| n.output.iter().cloned()).collect();
    let mut waiting: VecDeque<NodeProto> = new.into();
    let mut nodes = vec![];
    let mut old = std::mem::take(&mut graph.node).into_iter();
    loop {
        while let Some(node) = waiting.pop_front() {
            if node.input.iter().any(|input| missing.contains(input)) {
                waiting.push_front(node);
                break;
            }
            node.output.iter().for_each(|made| {
                missing.remove(made);
            });
            nodes.push(node);
        }
        let Some(node) = old.next() else { break };
        node.output.iter().for_each(|made| {
            missing.remove(made);
        });
        nodes.push(node);
    }
    // Where values are made in a circle, nothing comes first.
    nodes.extend(waiting);
    graph.node = nodes;
}

/// The attributes that shrinking changes.
fn attributes(message: &mut NodeProto, op: &Op) -> Result<()> {
    let whole = |values: &[usize]| values.iter().map(|&n| n as i64).collect::<Vec<_>>();
    match op {
        Op::Conv(Conv { conv_groups, .. })
        | Op::ConvTranspose(ConvTranspose { conv_groups, .. }) => {
            let groups = *conv_groups as i64;
            set(message, "group", |a| a.i = Some(groups))
        }
        Op::Norm(Norm::Group { count, .. }) => {
            let count = *count as i64;
            set(message, "num_groups", |a| a.i = Some(count))
        }
        Op::Attention(_) => {
            counted_heads(message, op);
            Ok(())
        }
        Op::Split(split) if split.attribute => {
            set(message, "split", |a| a.ints = whole(&split.parts))
        }
        // The parts are an input now.
        Op::Split(_) => {
            let keeps = |a: &AttributeProto| a.name.as_deref() != Some("num_outputs");
            message.attribute.retain(keeps);
            Ok(())
        }
        Op::Pad(Pad {
            pads: Some(pads), ..
        }) => set(message, "pads", |a| a.ints.clone_from(pads)),
        Op::Slice {
            bounds: Some(bounds),
        } => {
            set(message, "starts", |a| a.ints.clone_from(&bounds.starts))?;
            set(message, "ends", |a| a.ints.clone_from(&bounds.ends))
        }
        _ => Err(Error::unsupported(format!(
            "an attribute of {} cannot be carried over",
            op.onnx_name()
        ))),
    }
}

/// Heads that are left, and the scale of the dimensions that there were, which a file need not have stated.
fn counted_heads(message: &mut NodeProto, op: &Op) {
    let names = ["q_num_heads", "kv_num_heads", "scale"];
    let new = attributes_of(op).into_iter();
    for new in new.filter(|a| names.contains(&a.name.as_deref().unwrap_or_default())) {
        match message.attribute.iter_mut().find(|a| a.name == new.name) {
            Some(old) if (old.i, old.f) == (new.i, new.f) => {}
            Some(old) => (old.i, old.f) = (new.i, new.f),
            None => message.attribute.push(new),
        }
    }
}

fn set(message: &mut NodeProto, name: &str, change: impl Fn(&mut AttributeProto)) -> Result<()> {
    let is_it = |a: &&mut AttributeProto| a.name.as_deref() == Some(name);
    match message.attribute.iter_mut().find(is_it) {
        Some(attribute) => {
            change(attribute);
            Ok(())
        }
        None => Err(Error::invalid(format!(
            "has no attribute '{name}' to change"
        ))),
    }
}

/// The lengths that a declaration states, where they are others now.
fn lengths(values: &HashMap<&str, (&[Dim], &[Dim])>, info: &mut ValueInfoProto) {
    let name = info.name.as_deref().unwrap_or_default();
    let Some((before, after)) = values.get(name) else {
        return;
    };
    let declared = info.r#type.as_option_mut().and_then(|t| t.value.as_mut());
    let Some(type_proto::Value::TensorType(tensor)) = declared else {
        return;
    };
    let Some(declared) = tensor.shape.as_option_mut() else {
        return;
    };
    if declared.dim.len() != after.len() || before.len() != after.len() {
        return;
    }
    for (dim, (old, new)) in declared.dim.iter_mut().zip(before.iter().zip(*after)) {
        if let (Some(dimension::Value::DimValue(stated)), Dim::Fixed(new)) = (&mut dim.value, new)
            && old.fixed() != Some(*new)
        {
            *stated = *new as i64;
        }
    }
}
