//! An ONNX model with what shrinking or masking changed, and everything else as it was.
//!
//! The network of a file leaves out what it has no use for: descriptions, shapes between nodes, unknown fields.
//! A changed network is therefore not written anew but carried over into the messages that it came from.

mod prune;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use secateur_onnx::proto::tensor_shape_proto::dimension;
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto,
};

use crate::raise::{initializer, node_message};
use crate::shapes::infer_shapes;
use crate::{Conv, ConvTranspose, Dim, Error, Graph, NodeId, Op, Result, Tensor, Value, ValueId};

use self::prune::{Reads, prune};

/// The model that `network` was read from, with the changes that made `changed` out of it.
///
/// `network` is what was read, or that [settled](crate::settle()). Constants get their new numbers where the file has them, as
/// initializers or `Constant` nodes; those that the file computes become initializers; attributes that count channels, and
/// lengths that the file states, follow. What is read no more, and was before, goes. Nothing else is touched.
///
/// # Errors
/// If the two networks are not of this model, or shapes of the changed one do not fit together.
pub fn patch(model: &ModelProto, network: &Graph, changed: &Graph) -> Result<ModelProto> {
    let mut patched = model.clone();
    let Some(graph) = patched.graph.as_option_mut() else {
        return Err(Error::invalid("the model holds no graph"));
    };
    let changed = infer_shapes(changed)?;
    let holders = Holders::of(graph);
    let mut computed = HashSet::new();
    for id in read(&changed) {
        let old = network.values().get(id.index());
        let old = old.and_then(|v| v.constant.as_ref());
        let value = changed.value(id);
        if constant(graph, &holders, value, old)? {
            computed.insert(value.name.clone());
        }
    }
    let before = Reads::of(graph);
    nodes(graph, &holders, network, &changed)?;
    prune(graph, &before, &computed)?;
    let values: HashMap<&str, &Value> = changed
        .values()
        .iter()
        .map(|v| (v.name.as_str(), v))
        .collect();
    let infos = graph.value_info.iter_mut().chain(&mut graph.output);
    let listed = graph.input.iter_mut();
    for info in infos.chain(listed) {
        lengths(&values, info);
    }
    Ok(patched)
}

/// Constants that a node reads or that are outputs, in order.
fn read(graph: &Graph) -> Vec<ValueId> {
    let mut read = vec![false; graph.values().len()];
    let inputs = graph.nodes().iter().flat_map(|n| n.inputs.iter().flatten());
    for id in inputs.chain(graph.outputs()) {
        read[id.index()] = true;
    }
    let all = graph.value_ids().filter(|id| read[id.index()]);
    all.filter(|id| graph.constant(*id).is_some()).collect()
}

/// Where in a file a value is held, by its name.
struct Holders {
    initializers: HashMap<String, usize>,
    /// Nodes by each of their outputs.
    nodes: HashMap<String, usize>,
}

impl Holders {
    fn of(graph: &GraphProto) -> Self {
        let tensors = graph.initializer.iter().enumerate();
        let nodes = graph.node.iter().enumerate();
        Self {
            initializers: tensors
                .filter_map(|(i, t)| Some((t.name.clone()?, i)))
                .collect(),
            nodes: nodes
                .flat_map(|(i, n)| n.output.iter().map(move |name| (name.clone(), i)))
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        }
    }
}

/// Carries over a constant that is not the one that was read; whether the file computes it so far.
fn constant(
    graph: &mut GraphProto,
    holders: &Holders,
    value: &Value,
    old: Option<&Arc<Tensor>>,
) -> Result<bool> {
    let Some(new) = &value.constant else {
        return Ok(false);
    };
    let maker = holders.nodes.get(&value.name).map(|&at| &graph.node[at]);
    if maker.is_some_and(|node| node.op_type.as_deref() != Some("Constant")) {
        graph.initializer.push(initializer(&value.name, new)?);
        return Ok(true);
    }
    let is_held = maker.is_some() || holders.initializers.contains_key(&value.name);
    if is_held && old.is_some_and(|old| Arc::ptr_eq(old, new) || old == new) {
        return Ok(false);
    }
    let message = initializer(&value.name, new)?;
    if let Some(&at) = holders.initializers.get(&value.name) {
        refill(&mut graph.initializer[at], message);
        return Ok(false);
    }
    match holders.nodes.get(&value.name) {
        Some(&at) => {
            refill_constant(&mut graph.node[at], message).map_err(|e| e.at(&value.name))?
        }
        None => graph.initializer.push(message),
    }
    Ok(false)
}

/// New numbers in a message that keeps its name and descriptions.
fn refill(tensor: &mut TensorProto, with: TensorProto) {
    tensor.dims = with.dims;
    tensor.data_type = with.data_type;
    tensor.raw_data = with.raw_data;
    tensor.float_data.clear();
    tensor.int64_data.clear();
    tensor.external_data.clear();
    tensor.data_location = None;
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
        for (slot, input) in node.inputs.iter().enumerate() {
            let Some(input) = input else { continue };
            if message.input.len() <= slot {
                message.input.resize(slot + 1, String::new());
            }
            message.input[slot].clone_from(&changed.value(*input).name);
        }
    }
    // What is new selects inputs, which everything else comes after.
    graph.node.splice(0..0, new);
    Ok(())
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
        Op::Split(split) if split.attribute => {
            set(message, "split", |a| a.ints = whole(&split.parts))
        }
        // The parts are an input now.
        Op::Split(_) => {
            let keeps = |a: &AttributeProto| a.name.as_deref() != Some("num_outputs");
            message.attribute.retain(keeps);
            Ok(())
        }
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
fn lengths(values: &HashMap<&str, &Value>, info: &mut ValueInfoProto) {
    let value = info.name.as_deref().and_then(|name| values.get(name));
    let Some(shape) = value.and_then(|v| v.shape.as_deref()) else {
        return;
    };
    let declared = info.r#type.as_option_mut().and_then(|t| t.value.as_mut());
    let Some(type_proto::Value::TensorType(tensor)) = declared else {
        return;
    };
    let Some(declared) = tensor.shape.as_option_mut() else {
        return;
    };
    if declared.dim.len() != shape.len() {
        return;
    }
    for (dim, length) in declared.dim.iter_mut().zip(shape) {
        if let (Some(dimension::Value::DimValue(old)), Dim::Fixed(new)) = (&mut dim.value, length) {
            *old = *new as i64;
        }
    }
}
