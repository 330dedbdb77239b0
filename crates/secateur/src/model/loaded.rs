//! A model file as the independent runtime takes it.

use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::{AttributeProto, GraphProto, ModelProto, NodeProto};
use secateur_onnx::{Parts, densify, lists_initializers, unlist_initializers, write_apart};

use super::ModelFile;
use super::files::LOCATION;
use crate::Result;
use crate::runtime::Runtime;

/// Where the data of tensors lie in what [`written`] makes.
pub(crate) const WRITTEN_DATA: &str = LOCATION;

/// A model as bytes for the runtime. Dense tensors that are no inputs are what every runtime knows, and strides that are stated;
/// data are not held twice where they lie apart.
pub(crate) fn written(mut model: ModelProto) -> Result<Parts> {
    unlist_initializers(&mut model);
    state_strides(&mut model);
    densify(&mut model)?;
    Ok(write_apart(model, LOCATION)?)
}

/// Whether a file as it is may be more than the runtime knows: it has sparse tensors, initializers that are inputs too, or
/// windows whose strides are left out.
pub(crate) fn needs_plain_form(model: &ModelProto) -> bool {
    let graph = model.graph.as_option();
    let is_plain = |graph: &GraphProto| {
        graph.sparse_initializer.is_empty() && !graph.node.iter().any(lacks_strides)
    };
    !graph.is_none_or(is_plain) || lists_initializers(model)
}

/// Whether a node lays windows in steps of 1 because it states none, which the runtime refuses over two axes.
fn lacks_strides(node: &NodeProto) -> bool {
    let windows = matches!(
        node.op_type.as_deref(),
        Some("MaxPool" | "AveragePool" | "Conv")
    );
    windows && axes_of_window(node).is_some() && ints(node, "strides").is_none()
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

fn state_strides(model: &mut ModelProto) {
    let nodes = model
        .graph
        .as_option_mut()
        .into_iter()
        .flat_map(|g| &mut g.node);
    for node in nodes.filter(|node| lacks_strides(node)) {
        let axes = axes_of_window(node).unwrap_or_default();
        node.attribute.push(AttributeProto {
            name: Some("strides".into()),
            r#type: Some(AttributeType::INTS),
            ints: vec![1; axes],
            ..AttributeProto::default()
        });
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
