//! A network as an ONNX model.

mod attributes;
mod meta;

use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};
use secateur_onnx::{Limits, f32_tensor, i64_tensor, raw_tensor, read_node};

use crate::{
    Data, Dim, Element, Error, Graph, Node, Norm, Op, Opaque, Pad, Reduce, ReduceAxes, Resize,
    ResizeForm, ResizeMode, ResizePlaces, Result, Sample, Squeeze, Tensor, ValueId, infer_shapes,
};

pub(crate) use self::attributes::of as attributes_of;
pub use self::meta::ModelMeta;
pub(crate) use self::meta::{NEWEST_OPSET, OLDEST_WRITTEN_OPSET, is_standard};

/// The ONNX model of a network.
///
/// Inputs and outputs are 32-bit floats (an output that is an integer constant aside), axes without
/// a known length are named, and constants that are read become initializers in `raw_data`; others
/// are left out. Outputs without a shape get the inferred one. Attributes are always written, also at their defaults, but for
/// the momentum of BatchNormalization. Opaque nodes are written as
/// they were read, with the present names of their inputs and outputs. An unnamed graph is called
/// `main`, as the format demands a name.
///
/// # Errors
/// If an output's shape is to be inferred and the operands before it do not fit together, the
/// operator set is outside 13 to 28 or scales groups of channels in another way, two properties have the same key, an opaque node's
/// domain has no version in `meta` or its message cannot be read back.
pub fn to_model(graph: &Graph, meta: &ModelMeta) -> Result<ModelProto> {
    check_meta(graph, meta)?;
    let outputs = output_infos(graph)?;
    let name = match graph.name() {
        "" => "main",
        name => name,
    };
    let proto = GraphProto {
        name: Some(name.to_owned()),
        node: graph
            .nodes()
            .iter()
            .map(|n| node_message(graph, n))
            .collect::<Result<_>>()?,
        initializer: initializers(graph)?,
        input: graph
            .inputs()
            .iter()
            .map(|&v| value_info(graph, v))
            .collect(),
        output: outputs,
        ..GraphProto::default()
    };
    let imports = std::iter::once((String::new(), meta.opset)).chain(meta.domains.iter().cloned());
    let properties = meta.properties.iter().cloned();
    Ok(ModelProto {
        ir_version: Some(meta.ir_version()),
        producer_name: Some(meta.producer_name.clone()),
        producer_version: Some(meta.producer_version.clone()),
        doc_string: Some(meta.doc.clone()).filter(|d| !d.is_empty()),
        graph: proto.into(),
        opset_import: imports
            .map(|(domain, version)| OperatorSetIdProto {
                domain: Some(domain),
                version: Some(version),
                ..OperatorSetIdProto::default()
            })
            .collect(),
        functions: meta.functions.clone(),
        metadata_props: properties
            .map(|(key, value)| StringStringEntryProto {
                key: Some(key),
                value: Some(value),
                ..StringStringEntryProto::default()
            })
            .collect(),
        ..ModelProto::default()
    })
}

/// The first operator set whose `GroupNormalization` has a scale for each channel, not for each group.
pub(crate) const GROUPS_BY_CHANNEL: i64 = 21;

fn check_meta(graph: &Graph, meta: &ModelMeta) -> Result<()> {
    if !(OLDEST_WRITTEN_OPSET..=NEWEST_OPSET).contains(&meta.opset) {
        return Err(Error::unsupported(format!(
            "cannot write operator set {}, only {OLDEST_WRITTEN_OPSET} to {NEWEST_OPSET}",
            meta.opset
        )));
    }
    let mut keys = std::collections::HashSet::new();
    if let Some((key, _)) = meta.properties.iter().find(|(key, _)| !keys.insert(key)) {
        return Err(Error::invalid(format!("two properties are called '{key}'")));
    }
    for node in graph.nodes() {
        if let Op::Norm(Norm::Group { by_run, .. }) = node.op
            && by_run != (meta.opset < GROUPS_BY_CHANNEL)
        {
            let what = format!(
                "operator set {} scales GroupNormalization in another way",
                meta.opset
            );
            return Err(Error::unsupported(what).at(&node.name));
        }
        check_since(&node.op, meta.opset).map_err(|e| e.at(&node.name))?;
        if let Op::Opaque(Opaque {
            domain, op_type, ..
        }) = &node.op
        {
            let known = is_standard(domain) || meta.domains.iter().any(|(d, _)| d == domain);
            if !known {
                let what = format!("{op_type} is of domain '{domain}', which has no version");
                return Err(Error::invalid(what)
                    .at(&node.name)
                    .hint("take the meta data of the model that was read"));
            }
        }
    }
    Ok(())
}

/// Refuses what the operator set does not have, or has in another form.
fn check_since(op: &Op, opset: i64) -> Result<()> {
    let fits = match op {
        Op::Attention(attention) => {
            opset
                >= if attention.reach == [None, None] {
                    23
                } else {
                    25
                }
        }
        Op::Sample(Sample::Grid(grid)) => opset >= 16 && grid.old_names == (opset < 20),
        Op::Sample(Sample::Roi(_)) => opset >= 16,
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(Error::unsupported(format!(
            "operator set {opset} has {} in another form, or not at all",
            op.onnx_name()
        ))),
    }
}

fn initializers(graph: &Graph) -> Result<Vec<TensorProto>> {
    let mut read = vec![false; graph.values().len()];
    let inputs = graph.nodes().iter().flat_map(|n| n.inputs.iter().flatten());
    for id in inputs.chain(graph.outputs()) {
        read[id.index()] = true;
    }
    let constants = graph.value_ids().filter(|id| read[id.index()]);
    constants
        .filter_map(|id| Some((&graph.value(id).name, graph.constant(id)?)))
        .map(|(name, tensor)| initializer(name, tensor))
        .collect()
}

pub(crate) fn initializer(name: &str, tensor: &Tensor) -> Result<TensorProto> {
    Ok(match tensor.data() {
        Data::F32(values) => f32_tensor(name, tensor.shape(), values)?,
        Data::I64(values) => i64_tensor(name, tensor.shape(), values)?,
        Data::Raw(element, bytes) => {
            raw_tensor(name, tensor.shape(), element.data_type(), bytes.clone())?
        }
    })
}

fn output_infos(graph: &Graph) -> Result<Vec<ValueInfoProto>> {
    let mut outputs = graph.outputs().iter();
    let inferred;
    let shaped = if outputs.all(|&v| graph.value(v).shape.is_some()) {
        graph
    } else {
        inferred = infer_shapes(graph)?;
        &inferred
    };
    let outputs = graph.outputs().iter();
    Ok(outputs.map(|&v| value_info(shaped, v)).collect())
}

fn value_info(graph: &Graph, id: ValueId) -> ValueInfoProto {
    let value = graph.value(id);
    let constant = value.constant.as_deref().map(Tensor::element);
    let element = constant.or(value.element).unwrap_or(Element::F32);
    let shape = value.shape.as_ref().map(|dims| TensorShapeProto {
        dim: dims.iter().map(dimension).collect(),
        ..TensorShapeProto::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: Some(element.data_type() as i32),
        shape: shape.into(),
        ..type_proto::Tensor::default()
    };
    let r#type = TypeProto {
        value: Some(tensor.into()),
        ..TypeProto::default()
    };
    ValueInfoProto {
        name: Some(value.name.clone()),
        r#type: r#type.into(),
        ..ValueInfoProto::default()
    }
}

fn dimension(dim: &Dim) -> Dimension {
    let value = match dim {
        // A vector's length is at most `isize::MAX`, so only a shape without elements saturates.
        Dim::Fixed(length) => {
            dimension::Value::DimValue(i64::try_from(*length).unwrap_or(i64::MAX))
        }
        Dim::Named(name) => dimension::Value::DimParam(name.clone()),
    };
    Dimension {
        value: Some(value),
        ..Dimension::default()
    }
}

/// The message of a node.
pub(crate) fn node_message(graph: &Graph, node: &Node) -> Result<NodeProto> {
    let name_of = |id: &ValueId| graph.value(*id).name.clone();
    let input = node.inputs.iter();
    let input = input
        .map(|i| i.as_ref().map(name_of).unwrap_or_default())
        .collect();
    let output: Vec<String> = node.outputs.iter().map(name_of).collect();
    refuse_old_forms(node).map_err(|e| e.at(&node.name))?;
    if let Op::Opaque(opaque) = &node.op {
        let mut proto = read_node(&opaque.message, &Limits::default())
            .map_err(|e| Error::from(e).at(&node.name))?;
        // Inputs behind those of the message are read by name in its subgraphs.
        let own = proto.input.len();
        proto.input = input;
        proto.input.truncate(own);
        // An optional output that the file left out stays left out.
        let absent: Vec<bool> = proto.output.iter().map(String::is_empty).collect();
        proto.output = output;
        for (name, absent) in proto.output.iter_mut().zip(absent) {
            if absent {
                name.clear();
            }
        }
        return Ok(proto);
    }
    Ok(NodeProto {
        input,
        output,
        name: Some(node.name.clone()),
        op_type: Some(node.op.onnx_name().to_owned()),
        attribute: attributes::of(&node.op),
        ..NodeProto::default()
    })
}

/// What is written is of a newer operator set than what may have been read; where that would lose something, the
/// model can still be carried over by [`patch`](crate::patch).
fn refuse_old_forms(node: &Node) -> Result<()> {
    let what = match &node.op {
        Op::Opaque(opaque)
            if is_standard(&opaque.domain)
                && opaque.opset < OLDEST_WRITTEN_OPSET
                && opaque.op_type != "Constant" =>
        {
            format!("{} of operator set {}", opaque.op_type, opaque.opset)
        }
        Op::Squeeze(Squeeze::Out(axes) | Squeeze::In(axes))
            if node.inputs.len() < 2 && !axes.is_empty() =>
        {
            format!("{} with its axes as an attribute", node.op.onnx_name())
        }
        Op::Reduce(Reduce {
            axes: ReduceAxes::These(_),
            ..
        }) if node.inputs.len() < 2 => {
            format!("{} with its axes as an attribute", node.op.onnx_name())
        }
        Op::Clip { min, max }
            if node.inputs.len() < 2 && (*min, *max) != (f32::NEG_INFINITY, f32::INFINITY) =>
        {
            "Clip with its bounds as attributes".to_owned()
        }
        Op::Slice { bounds: Some(_) } => "Slice with its bounds as attributes".to_owned(),
        Op::Pad(Pad { pads: Some(_), .. }) => "Pad with its numbers as an attribute".to_owned(),
        Op::Split(split) if split.attribute => "Split with its parts as an attribute".to_owned(),
        Op::Resize(Resize {
            form: ResizeForm::Scales { .. },
            ..
        }) => format!("{} with scales as its second input", node.op.onnx_name()),
        Op::Resize(resize)
            if resize.mode == ResizeMode::Other
                || resize.places == ResizePlaces::Other
                || !resize.axes.is_empty() =>
        {
            "Resize in a mode of its own".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::unsupported(format!("{what} cannot be written anew"))
        .hint("convert the model with onnx.version_converter to operator set 18"))
}
