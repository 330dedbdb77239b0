//! An ONNX model with what shrinking or masking changed, and everything else as it was.
//!
//! The network of a file leaves out what it has no use for: descriptions, shapes between nodes, unknown fields.
//! A changed network is therefore not written anew but carried over into the messages that it came from.

use std::collections::HashMap;
use std::sync::Arc;

use secateur_onnx::proto::tensor_shape_proto::dimension;
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto,
};

use crate::raise::{initializer, node_message};
use crate::shapes::infer_shapes;
use crate::{Dim, Error, Graph, NodeId, Op, Result, ValueId};

/// The model that `network` was read from, with the changes that made `changed` out of it.
///
/// Constants get their new numbers where the file has them, as initializers or `Constant` nodes; attributes
/// that count channels, and lengths that the file states, follow. Nothing else is touched.
///
/// # Errors
/// If the two networks are not of this model, or shapes of the changed one do not fit together.
pub fn patch(model: &ModelProto, network: &Graph, changed: &Graph) -> Result<ModelProto> {
    let mut patched = model.clone();
    let Some(graph) = patched.graph.as_option_mut() else {
        return Err(Error::invalid("the model holds no graph"));
    };
    let changed = infer_shapes(changed)?;
    for id in changed.value_ids() {
        let old = network.values().get(id.index());
        constant(graph, &changed, id, old.and_then(|v| v.constant.as_ref()))?;
    }
    nodes(graph, network, &changed)?;
    let infos = graph.value_info.iter_mut().chain(&mut graph.output);
    let listed = graph.input.iter_mut();
    for info in infos.chain(listed) {
        lengths(&changed, info);
    }
    Ok(patched)
}

/// Carries over a constant that is not the one that was read.
fn constant(
    graph: &mut GraphProto,
    changed: &Graph,
    id: ValueId,
    old: Option<&Arc<crate::Tensor>>,
) -> Result<()> {
    let value = changed.value(id);
    let Some(new) = &value.constant else {
        return Ok(());
    };
    if old.is_some_and(|old| Arc::ptr_eq(old, new) || old == new) {
        return Ok(());
    }
    let message = initializer(&value.name, new)?;
    let is_named = |t: &&mut TensorProto| t.name.as_deref() == Some(&value.name);
    if let Some(tensor) = graph.initializer.iter_mut().find(is_named) {
        refill(tensor, message);
        return Ok(());
    }
    let maker = graph
        .node
        .iter_mut()
        .find(|n| n.output.first() == Some(&value.name));
    match maker {
        Some(node) => refill_constant(node, message).map_err(|e| e.at(&value.name)),
        None => {
            graph.initializer.push(message);
            Ok(())
        }
    }
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
fn nodes(graph: &mut GraphProto, network: &Graph, changed: &Graph) -> Result<()> {
    let makers: HashMap<&str, NodeId> = network
        .node_ids()
        .filter_map(|id| {
            let made = network.node(id).outputs.first()?;
            Some((network.value(*made).name.as_str(), id))
        })
        .collect();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, message) in graph.node.iter().enumerate() {
        if let Some(first) = message.output.first() {
            places.insert(first.clone(), place);
        }
    }
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
        let Some(old) = makers.get(made).map(|old| network.node(*old)) else {
            new.push(node_message(changed, node)?);
            continue;
        };
        let Some(&place) = places.get(made) else {
            // A constant that was carried as a node.
            continue;
        };
        let message = &mut graph.node[place];
        if old.op != node.op {
            attributes(message, &node.op).map_err(|e| e.at(&node.name))?;
        }
        for (slot, input) in message.input.iter_mut().zip(&node.inputs) {
            if let Some(input) = input {
                slot.clone_from(&changed.value(*input).name);
            }
        }
    }
    // What is new selects inputs, which everything else comes after.
    graph.node.splice(0..0, new);
    Ok(())
}

/// The only attribute that shrinking changes.
fn attributes(message: &mut NodeProto, op: &Op) -> Result<()> {
    let Op::Conv(conv) = op else {
        return Err(Error::unsupported(format!(
            "an attribute of {} cannot be carried over",
            op.onnx_name()
        )));
    };
    let is_group = |a: &&mut AttributeProto| a.name.as_deref() == Some("group");
    match message.attribute.iter_mut().find(is_group) {
        Some(attribute) => attribute.i = Some(conv.conv_groups as i64),
        None => return Err(Error::invalid("has no attribute 'group' to change")),
    }
    Ok(())
}

/// The lengths that a declaration states, where they are others now.
fn lengths(changed: &Graph, info: &mut ValueInfoProto) {
    let shape = info
        .name
        .as_deref()
        .and_then(|name| changed.value_named(name));
    let Some(shape) = shape.and_then(|id| changed.value(id).shape.as_deref()) else {
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
