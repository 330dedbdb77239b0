//! Shapes and constants of a file, as far as a network can hold them.

use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    AttributeProto, NodeProto, TensorProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, type_proto,
};
use secateur_onnx::{Elements, elements, shape};

use crate::{Data, Dim, Element, Error, Result, Tensor};

/// A constant of a file.
pub(super) enum Constant {
    /// Of a type that the network's own operations read.
    Known(Tensor),
    /// Of another type: to be passed on as it is.
    Carried,
}

/// The constant in a tensor message.
pub(super) fn constant(tensor: &TensorProto) -> Result<Constant> {
    let is = |element: DataType| tensor.data_type == Some(element as i32);
    let is_six_bits = is(DataType::FLOAT6E2M3) || is(DataType::FLOAT6E3M2);
    if is(DataType::STRING) || is_six_bits && tensor.raw_data.is_none() {
        return Ok(Constant::Carried);
    }
    Ok(match elements(tensor)? {
        Elements::F32(values) => Constant::Known(Tensor::f32(shape(tensor)?, values)?),
        Elements::I64(values) => Constant::Known(Tensor::i64(shape(tensor)?, values)?),
        Elements::Raw { data_type, bytes } => match Element::of(data_type) {
            Some(element) => {
                Constant::Known(Tensor::new(shape(tensor)?, Data::Raw(element, bytes))?)
            }
            None => Constant::Carried,
        },
    })
}

/// The tensor that a `Constant` node makes, if it is given as numbers.
pub(super) fn constant_of_node(node: &NodeProto) -> Result<Option<TensorProto>> {
    let [attribute] = node.attribute.as_slice() else {
        return Err(Error::invalid("Constant takes one attribute"));
    };
    if node.output.len() != 1 || !node.input.is_empty() {
        return Err(Error::invalid(
            "Constant takes no input and makes one output",
        ));
    }
    let name = &node.output[0];
    let floats = |shape: &[usize], v: &[f32]| secateur_onnx::f32_tensor(name, shape, v);
    let ints = |shape: &[usize], v: &[i64]| secateur_onnx::i64_tensor(name, shape, v);
    let a = attribute;
    Ok(Some(match a.name.as_deref().unwrap_or_default() {
        "value" => match a.t.as_option() {
            Some(tensor) => TensorProto {
                name: Some(name.clone()),
                ..tensor.clone()
            },
            None => return Err(Error::invalid("attribute 'value' is no tensor")),
        },
        "value_float" => floats(&[], a.f.as_slice())?,
        "value_floats" => floats(&[a.floats.len()], &a.floats)?,
        "value_int" => ints(&[], a.i.as_slice())?,
        "value_ints" => ints(&[a.ints.len()], &a.ints)?,
        _ => return Ok(None),
    }))
}

/// A node that makes the constant of a tensor message.
pub(super) fn constant_node(name: &str, tensor: &TensorProto) -> NodeProto {
    NodeProto {
        name: Some(name.to_owned()),
        op_type: Some("Constant".into()),
        output: vec![name.to_owned()],
        attribute: vec![AttributeProto {
            name: Some("value".into()),
            r#type: Some(AttributeType::TENSOR),
            t: tensor.clone().into(),
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    }
}

pub(super) fn tensor_name(tensor: &TensorProto) -> &str {
    tensor.name.as_deref().unwrap_or_default()
}

/// The shape, if given, and the type of the elements of an input, which must be a tensor.
pub(super) fn declared_input(info: &ValueInfoProto) -> Result<(Option<Vec<Dim>>, Option<Element>)> {
    use type_proto::Value as V;
    let what = match &info.r#type.value {
        Some(V::TensorType(_)) => return declared(info),
        Some(V::SequenceType(_)) => "a sequence",
        Some(V::MapType(_)) => "a map",
        Some(V::OptionalType(_)) => "optional",
        Some(V::SparseTensorType(_)) => "a sparse tensor",
        _ => "of no type",
    };
    let name = info.name.as_deref().unwrap_or_default();
    Err(Error::unsupported(format!(
        "is an input that is {what}, which cannot be drawn to verify the result"
    ))
    .at(name)
    .hint("export the model with tensors as inputs"))
}

/// The shape, if given, and the type of the elements of an input or output; nothing of what is not a tensor.
pub(super) fn declared(info: &ValueInfoProto) -> Result<(Option<Vec<Dim>>, Option<Element>)> {
    let name = info.name.as_deref().unwrap_or_default();
    let Some(type_proto::Value::TensorType(tensor)) = &info.r#type.value else {
        return Ok((None, None));
    };
    let code = tensor.elem_type.unwrap_or_default();
    let data_type = secateur_onnx::data_type(code);
    let Some(data_type) = data_type.filter(|t| *t != DataType::UNDEFINED) else {
        return Err(
            Error::invalid(format!("has the element type {code}, which there is not")).at(name),
        );
    };
    let element = Element::of(data_type);
    let Some(shape) = tensor.shape.as_option() else {
        return Ok((None, element));
    };
    let axes = shape.dim.iter().enumerate();
    let dims = axes.map(|(axis, dim)| dimension(name, axis, dim));
    Ok((Some(dims.collect::<Result<_>>()?), element))
}

fn dimension(name: &str, axis: usize, dim: &Dimension) -> Result<Dim> {
    Ok(match &dim.value {
        // Not as the format says, but what several exporters write for a length that is unknown.
        Some(dimension::Value::DimValue(-1)) => Dim::Named(format!("{name}:{axis}")),
        Some(dimension::Value::DimValue(length)) => {
            let length = usize::try_from(*length);
            Dim::Fixed(length.map_err(|_| {
                Error::invalid(format!("axis {axis} has a negative length"))
                    .at(name)
                    .hint("give an axis of unknown length a name (dim_param) instead")
            })?)
        }
        Some(dimension::Value::DimParam(param)) if !param.is_empty() => Dim::Named(param.clone()),
        // A length that is unknown is none that another value shares.
        _ => Dim::Named(format!("{name}:{axis}")),
    })
}

impl From<secateur_onnx::Error> for Error {
    fn from(error: secateur_onnx::Error) -> Self {
        let message = error.message();
        let mut out = match error.kind() {
            secateur_onnx::ErrorKind::Malformed => Error::invalid(message),
            _ => Error::unsupported(message),
        };
        if let Some(place) = error.place() {
            out = out.at(place);
        }
        match error.hint_text() {
            Some(hint) => out.hint(hint),
            None => out,
        }
    }
}
