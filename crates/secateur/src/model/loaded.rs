//! A model file as the independent runtime takes it.

use std::collections::HashMap;

use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::{AttributeProto, GraphProto, ModelProto, NodeProto};
use secateur_onnx::{Parts, densify, lists_initializers, unlist_initializers, write_apart};

use super::ModelFile;
use super::files::LOCATION;
use crate::Result;
use crate::runtime::Runtime;

/// Where the data of tensors lie in what [`written`] makes.
pub(crate) const WRITTEN_DATA: &str = LOCATION;

/// A model as bytes for the runtime. Dense tensors that are no inputs are what every runtime knows, and windows that are stated whole;
/// data are not held twice where they lie apart.
pub(crate) fn written(mut model: ModelProto) -> Result<Parts> {
    unlist_initializers(&mut model);
    state_windows(&mut model);
    densify(&mut model)?;
    Ok(write_apart(model, LOCATION)?)
}

/// Whether a file as it is may be more than the runtime knows: it has sparse tensors, initializers that are inputs too, or
/// windows that are not stated whole.
pub(crate) fn needs_plain_form(model: &ModelProto) -> bool {
    let graph = model.graph.as_option();
    let is_plain = |graph: &GraphProto| {
        let ranks = ranks(graph);
        let lacks = |node| !left_out(node, &ranks).is_empty();
        graph.sparse_initializer.is_empty() && !graph.node.iter().any(lacks)
    };
    !graph.is_none_or(is_plain) || lists_initializers(model)
}

/// What a node leaves out of how it lays windows, which the runtime refuses.
fn left_out(node: &NodeProto, ranks: &HashMap<String, usize>) -> Vec<(&'static str, Vec<i64>)> {
    let kind = node.op_type.as_deref();
    let (is_conv, is_pool) = (
        kind == Some("Conv"),
        matches!(kind, Some("MaxPool" | "AveragePool")),
    );
    let weights = || {
        node.input
            .get(1)
            .filter(|_| is_conv)
            .and_then(|name| ranks.get(name))
    };
    let axes = axes_of_window(node).or_else(|| weights()?.checked_sub(2));
    let Some(axes) = axes.filter(|_| is_conv || is_pool) else {
        return vec![];
    };
    let pads_itself = node
        .attribute
        .iter()
        .any(|a| a.name.as_deref() == Some("auto_pad"));
    let defaults = [
        ("strides", vec![1; axes], true),
        ("pads", vec![0; 2 * axes], is_conv && !pads_itself),
        ("dilations", vec![1; axes], is_conv),
    ];
    let lacks = |(name, value, is_needed)| {
        (is_needed && ints(node, name).is_none()).then_some((name, value))
    };
    defaults.into_iter().filter_map(lacks).collect()
}

/// The number of axes of every initializer.
fn ranks(graph: &GraphProto) -> HashMap<String, usize> {
    let tensors = graph.initializer.iter();
    tensors
        .filter_map(|t| Some((t.name.clone()?, t.dims.len())))
        .collect()
}

fn ints<'n>(node: &'n NodeProto, name: &str) -> Option<&'n [i64]> {
    let mut attributes = node.attribute.iter();
    let found = attributes.find(|a| a.name.as_deref() == Some(name))?;
    Some(&found.ints)
}

/// Over how many axes a window goes, where a node tells.
fn axes_of_window(node: &NodeProto) -> Option<usize> {
    let lengths = ints(node, "kernel_shape").or(ints(node, "dilations"));
    let borders = || ints(node, "pads").map(|pads| pads.len() / 2);
    lengths.map(<[i64]>::len).or_else(borders)
}

fn state_windows(model: &mut ModelProto) {
    let Some(graph) = model.graph.as_option_mut() else {
        return;
    };
    let ranks = ranks(graph);
    for node in &mut graph.node {
        for (name, numbers) in left_out(node, &ranks) {
            node.attribute.push(AttributeProto {
                name: Some(name.into()),
                r#type: Some(AttributeType::INTS),
                ints: numbers,
                ..AttributeProto::default()
            });
        }
    }
}

impl ModelFile {
    /// Whether the runtime takes the file in another form only.
    pub(super) fn needs_plain_form(&self) -> bool {
        needs_plain_form(&self.model)
    }

    /// The file as it came, loaded by the independent runtime to be run many times.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub(crate) fn to_repeat(&self) -> Result<Runtime> {
        let parts = written(self.as_it_came()?)?;
        Runtime::load_to_repeat(parts, LOCATION)
    }
}
