//! Other numbers in a tensor message that stays what it is.

use crate::proto::TensorProto;
use crate::proto::tensor_proto::DataType;
use crate::tensor::{data_type, typed_length};

/// Gives a tensor the shape and numbers of another, which holds raw data. Numbers stay in the field where they were,
/// raw or typed; name, descriptions and unknown fields stay as they are.
pub fn refill(tensor: &mut TensorProto, with: TensorProto) {
    let is_typed = tensor.raw_data.is_none() && typed_length(tensor) > 0;
    let is_same_type = tensor.data_type == with.data_type;
    let raw = with.raw_data.unwrap_or_default();
    let element = with.data_type.and_then(data_type);
    tensor.float_data.clear();
    tensor.int32_data.clear();
    tensor.int64_data.clear();
    tensor.uint64_data.clear();
    tensor.double_data.clear();
    tensor.dims = with.dims;
    tensor.data_type = with.data_type;
    tensor.raw_data = match element.filter(|_| is_typed && is_same_type) {
        Some(element) if typed(tensor, element, &raw) => None,
        _ => Some(raw),
    };
}

/// Puts numbers into the field that the schema assigns to their type; whether it does.
fn typed(tensor: &mut TensorProto, element: DataType, raw: &[u8]) -> bool {
    use DataType as D;
    match element {
        D::FLOAT => tensor.float_data = words(raw, f32::from_le_bytes),
        D::INT64 => tensor.int64_data = words(raw, i64::from_le_bytes),
        D::DOUBLE => tensor.double_data = words(raw, f64::from_le_bytes),
        D::UINT64 => tensor.uint64_data = words(raw, u64::from_le_bytes),
        D::UINT32 => tensor.uint64_data = words(raw, |b| u64::from(u32::from_le_bytes(b))),
        D::INT32 => tensor.int32_data = words(raw, i32::from_le_bytes),
        D::INT16 => tensor.int32_data = words(raw, |b| i32::from(i16::from_le_bytes(b))),
        D::INT8 => tensor.int32_data = words(raw, |b| i32::from(i8::from_le_bytes(b))),
        D::UINT16 | D::FLOAT16 | D::BFLOAT16 => {
            tensor.int32_data = words(raw, |b| i32::from(u16::from_le_bytes(b)));
        }
        D::UINT8 | D::BOOL => tensor.int32_data = words(raw, |b: [u8; 1]| i32::from(b[0])),
        _ => return false,
    }
    true
}

fn words<const N: usize, T>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.as_chunks().0.iter().map(|&word| number(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, elements, raw_tensor, read};

    /// Every typed tensor of the official file, filled with its own numbers, is itself.
    #[test]
    fn numbers_stay_in_their_field() {
        let bytes = include_bytes!("../tests/fixtures/everything.onnx");
        let model = read(bytes, &Limits::default()).unwrap();
        let names = [
            "f32", "i64", "i32", "i8", "u8", "f16", "f64", "u32", "u64", "f32_raw",
        ];
        for name in names {
            let mut all = model.graph.initializer.iter();
            let before = all.find(|t| t.name.as_deref() == Some(name)).unwrap();
            let bytes = match elements(before).unwrap() {
                crate::Elements::F32(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
                crate::Elements::I64(v) => v.iter().flat_map(|v| v.to_le_bytes()).collect(),
                crate::Elements::Raw { bytes, .. } => bytes,
            };
            let element = data_type(before.data_type.unwrap()).unwrap();
            let shape = crate::shape(before).unwrap();
            let with = raw_tensor("other", &shape, element, bytes).unwrap();
            let mut after = before.clone();
            refill(&mut after, with);
            assert_eq!(after, *before, "{name}");
        }
    }

    #[test]
    fn numbers_of_another_type_are_raw() {
        let mut tensor = TensorProto {
            dims: vec![1],
            data_type: Some(DataType::FLOAT as i32),
            float_data: vec![1.0],
            ..TensorProto::default()
        };
        refill(
            &mut tensor,
            raw_tensor("", &[1], DataType::INT8, vec![7]).unwrap(),
        );
        assert_eq!(
            (tensor.raw_data.as_deref(), tensor.float_data.len()),
            (Some(&[7u8][..]), 0)
        );
    }
}
