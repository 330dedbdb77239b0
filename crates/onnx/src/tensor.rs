//! The numbers inside a tensor message, whichever of its fields holds them.

use crate::proto::TensorProto;
use crate::proto::tensor_proto::{DataLocation, DataType};
use crate::{Error, Result};

/// The elements of a tensor in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// Any other numeric type, as `raw_data` holds it: little-endian, types narrower than a byte
    /// packed from the low bits up.
    Raw {
        /// The element type.
        data_type: DataType,
        /// The bytes of all elements.
        bytes: Vec<u8>,
    },
}

/// The length along each axis of a tensor; empty for a scalar.
///
/// # Errors
/// If a length is negative or does not fit the address space.
pub fn shape(tensor: &TensorProto) -> Result<Vec<usize>> {
    let axis = |&d: &i64| {
        usize::try_from(d)
            .map_err(|_| Error::malformed(format!("has an axis of length {d}")).at(name(tensor)))
    };
    tensor.dims.iter().map(axis).collect()
}

/// Whether the data of a tensor lie in another file and were not [taken in](crate::take_in_external).
pub fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::EXTERNAL) && tensor.raw_data.is_none()
}

/// The elements of a tensor, from `raw_data` or from the typed field of its element type.
///
/// # Errors
/// If the data does not fit the shape or lies in two fields (malformed); if it lies in another
/// file, in segments, or is text (unsupported). The place names the tensor.
pub fn elements(tensor: &TensorProto) -> Result<Elements> {
    decode(tensor).map_err(|e| e.at(name(tensor)))
}

/// A tensor message whose `raw_data` holds 32-bit floats.
///
/// # Errors
/// As for [`raw_tensor`].
pub fn f32_tensor(name: &str, shape: &[usize], values: &[f32]) -> Result<TensorProto> {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    raw_tensor(name, shape, DataType::FLOAT, bytes)
}

/// A tensor message whose `raw_data` holds 64-bit integers.
///
/// # Errors
/// As for [`raw_tensor`].
pub fn i64_tensor(name: &str, shape: &[usize], values: &[i64]) -> Result<TensorProto> {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    raw_tensor(name, shape, DataType::INT64, bytes)
}

/// A tensor message over little-endian bytes, laid out as [`Elements::Raw`] says.
///
/// # Errors
/// If the bytes do not fit the shape, an axis is longer than the format can say, or the type has
/// no such layout (text).
pub fn raw_tensor(
    name: &str,
    shape: &[usize],
    data_type: DataType,
    bytes: Vec<u8>,
) -> Result<TensorProto> {
    let dims = byte_length(shape, data_type)
        .and_then(|expected| check_length(expected, bytes.len(), "bytes"))
        .and_then(|()| dims(shape))
        .map_err(|e| e.at(format!("tensor '{name}'")))?;
    Ok(TensorProto {
        dims,
        data_type: Some(data_type as i32),
        name: Some(name.to_owned()),
        raw_data: Some(bytes),
        ..TensorProto::default()
    })
}

fn dims(shape: &[usize]) -> Result<Vec<i64>> {
    let axis = |&length: &usize| i64::try_from(length).map_err(|_| too_large(shape));
    shape.iter().map(axis).collect()
}

pub(crate) fn name(tensor: &TensorProto) -> String {
    match tensor.name.as_deref() {
        Some(name) if !name.is_empty() => format!("tensor '{name}'"),
        _ => "a tensor without a name".into(),
    }
}

fn decode(tensor: &TensorProto) -> Result<Elements> {
    if is_external(tensor) {
        return Err(Error::unsupported("keeps its data in another file")
            .hint("save the model with its weights inside, for example with onnx.save_model"));
    }
    if tensor.segment.is_set() {
        return Err(Error::unsupported("is split into segments"));
    }
    let data_type = known_type(tensor)?;
    let shape = shape(tensor)?;
    let bytes = byte_length(&shape, data_type)?;
    let raw = tensor.raw_data.as_deref().unwrap_or_default();
    if raw.is_empty() {
        return typed(tensor, data_type, &shape);
    }
    if typed_length(tensor) > 0 {
        return Err(Error::malformed("holds its data twice"));
    }
    check_length(bytes, raw.len(), "bytes")?;
    Ok(match data_type {
        DataType::FLOAT => Elements::F32(words(raw).map(f32::from_le_bytes).collect()),
        DataType::INT64 => Elements::I64(words(raw).map(i64::from_le_bytes).collect()),
        _ => Elements::Raw {
            data_type,
            bytes: raw.to_vec(),
        },
    })
}

/// The elements from the typed field that the schema assigns to the element type.
fn typed(tensor: &TensorProto, data_type: DataType, shape: &[usize]) -> Result<Elements> {
    use DataType as D;
    let count = count(shape)?;
    let bytes = match data_type {
        D::FLOAT => {
            check_length(count, tensor.float_data.len(), "elements")?;
            return Ok(Elements::F32(tensor.float_data.clone()));
        }
        D::INT64 => {
            check_length(count, tensor.int64_data.len(), "elements")?;
            return Ok(Elements::I64(tensor.int64_data.clone()));
        }
        D::DOUBLE | D::COMPLEX128 => flat(tensor.double_data.iter().map(|v| v.to_le_bytes())),
        D::COMPLEX64 => flat(tensor.float_data.iter().map(|v| v.to_le_bytes())),
        D::UINT64 => flat(tensor.uint64_data.iter().map(|v| v.to_le_bytes())),
        D::UINT32 => {
            let values = tensor.uint64_data.iter().map(|&v| u32::try_from(v));
            let values: Vec<u32> = values.collect::<Result<_, _>>().map_err(|_| too_wide())?;
            flat(values.into_iter().map(u32::to_le_bytes))
        }
        D::INT32 => flat(tensor.int32_data.iter().map(|v| v.to_le_bytes())),
        D::INT16 | D::UINT16 | D::FLOAT16 | D::BFLOAT16 => narrow::<2>(&tensor.int32_data)?,
        D::FLOAT6E2M3 | D::FLOAT6E3M2 if count > 0 => {
            return Err(Error::unsupported("holds 6-bit floats outside raw_data"));
        }
        // Types of two or four bits are packed in this field as they are in `raw_data`.
        _ => narrow::<1>(&tensor.int32_data)?,
    };
    check_length(byte_length(shape, data_type)?, bytes.len(), "bytes")?;
    Ok(Elements::Raw { data_type, bytes })
}

fn flat<const N: usize>(words: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    words.flatten().collect()
}

/// The low `N` bytes of each value, which must be sign or zero extensions of them.
fn narrow<const N: usize>(values: &[i32]) -> Result<Vec<u8>> {
    let bits = 8 * N as u32;
    let range = -(1i32 << (bits - 1))..(1i32 << bits);
    if !values.iter().all(|v| range.contains(v)) {
        return Err(too_wide());
    }
    Ok(values
        .iter()
        .flat_map(|v| v.to_le_bytes().into_iter().take(N))
        .collect())
}

fn too_wide() -> Error {
    Error::malformed("holds a number beyond its element type")
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}

pub(crate) fn typed_length(t: &TensorProto) -> usize {
    t.float_data.len()
        + t.int32_data.len()
        + t.int64_data.len()
        + t.double_data.len()
        + t.uint64_data.len()
        + t.string_data.len()
}

fn count(shape: &[usize]) -> Result<usize> {
    let product = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    product.ok_or_else(|| too_large(shape))
}

/// Bytes that the elements of a tensor take in `raw_data`.
pub(crate) fn raw_length(tensor: &TensorProto) -> Result<usize> {
    byte_length(&shape(tensor)?, known_type(tensor)?)
}

/// Bits of an element of a tensor.
pub(crate) fn element_bits(tensor: &TensorProto) -> Result<usize> {
    bits_of(known_type(tensor)?)
}

/// The bytes of elements, as `raw_data` holds them.
pub(crate) fn raw_bytes(elements: Elements) -> Vec<u8> {
    match elements {
        Elements::F32(values) => flat(values.iter().map(|v| v.to_le_bytes())),
        Elements::I64(values) => flat(values.iter().map(|v| v.to_le_bytes())),
        Elements::Raw { bytes, .. } => bytes,
    }
}

fn known_type(tensor: &TensorProto) -> Result<DataType> {
    let code = tensor.data_type.unwrap_or_default();
    data_type(code)
        .ok_or_else(|| Error::unsupported(format!("has the unknown element type {code}")))
}

fn bits_of(data_type: DataType) -> Result<usize> {
    bits(data_type).ok_or_else(|| Error::unsupported(format!("holds {data_type:?}, not numbers")))
}

/// Bytes that `raw_data` takes for a shape.
fn byte_length(shape: &[usize], data_type: DataType) -> Result<usize> {
    let total = count(shape)?.checked_mul(bits_of(data_type)?);
    Ok(total.ok_or_else(|| too_large(shape))?.div_ceil(8))
}

fn too_large(shape: &[usize]) -> Error {
    Error::malformed(format!("shape {shape:?} is too large"))
}

fn check_length(expected: usize, found: usize, what: &str) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::malformed(format!(
        "its shape needs {expected} {what}, its data has {found}"
    )))
}

/// The element type of a code of the format, if there is one.
pub fn data_type(code: i32) -> Option<DataType> {
    <DataType as buffa::Enumeration>::from_i32(code)
}

/// Bits per element; `None` for what is not stored as numbers.
fn bits(data_type: DataType) -> Option<usize> {
    use DataType as D;
    Some(match data_type {
        D::UNDEFINED | D::STRING => return None,
        D::COMPLEX128 => 128,
        D::DOUBLE | D::INT64 | D::UINT64 | D::COMPLEX64 => 64,
        D::FLOAT | D::INT32 | D::UINT32 => 32,
        D::UINT16 | D::INT16 | D::FLOAT16 | D::BFLOAT16 => 16,
        D::UINT8 | D::INT8 | D::BOOL => 8,
        D::FLOAT8E4M3FN | D::FLOAT8E4M3FNUZ | D::FLOAT8E5M2 | D::FLOAT8E5M2FNUZ => 8,
        D::FLOAT8E8M0 => 8,
        D::FLOAT6E2M3 | D::FLOAT6E3M2 => 6,
        D::UINT4 | D::INT4 | D::FLOAT4E2M1 => 4,
        D::UINT2 | D::INT2 => 2,
    })
}
