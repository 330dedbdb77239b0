//! Types of elements of tensors.

use half::{bf16, f16};
use secateur_onnx::proto::tensor_proto::DataType;
use serde::{Deserialize, Serialize};

/// A type whose elements have whole bytes, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Element {
    F32,
    F16,
    Bf16,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

const TYPES: [(Element, DataType); 13] = [
    (Element::F32, DataType::FLOAT),
    (Element::F16, DataType::FLOAT16),
    (Element::Bf16, DataType::BFLOAT16),
    (Element::F64, DataType::DOUBLE),
    (Element::I8, DataType::INT8),
    (Element::I16, DataType::INT16),
    (Element::I32, DataType::INT32),
    (Element::I64, DataType::INT64),
    (Element::U8, DataType::UINT8),
    (Element::U16, DataType::UINT16),
    (Element::U32, DataType::UINT32),
    (Element::U64, DataType::UINT64),
    (Element::Bool, DataType::BOOL),
];

impl Element {
    /// The type of a code of the format; none of text and of types narrower than a byte.
    pub(crate) fn of(data_type: DataType) -> Option<Self> {
        let known = TYPES.iter().find(|(_, code)| *code == data_type);
        known.map(|(element, _)| *element)
    }

    pub(crate) fn data_type(self) -> DataType {
        let known = TYPES.iter().find(|(element, _)| *element == self);
        known.map_or(DataType::UNDEFINED, |(_, code)| *code)
    }

    /// The name in the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
            Self::F64 => "float64",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::Bool => "bool",
        }
    }

    /// Whether its numbers are floats, so that they can be weights.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::Bf16 | Self::F64)
    }

    /// Bytes of an element.
    pub fn width(self) -> usize {
        match self {
            Self::I8 | Self::U8 | Self::Bool => 1,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
        }
    }

    /// The number in the bytes of one element.
    pub(crate) fn number(self, bytes: &[u8]) -> f64 {
        fn take<const N: usize>(bytes: &[u8]) -> [u8; N] {
            std::array::from_fn(|i| bytes.get(i).copied().unwrap_or_default())
        }
        match self {
            Self::F32 => f64::from(f32::from_le_bytes(take(bytes))),
            Self::F16 => f16::from_le_bytes(take(bytes)).to_f64(),
            Self::Bf16 => bf16::from_le_bytes(take(bytes)).to_f64(),
            Self::F64 => f64::from_le_bytes(take(bytes)),
            Self::I8 => f64::from(i8::from_le_bytes(take(bytes))),
            Self::I16 => f64::from(i16::from_le_bytes(take(bytes))),
            Self::I32 => f64::from(i32::from_le_bytes(take(bytes))),
            Self::I64 => i64::from_le_bytes(take(bytes)) as f64,
            Self::U8 => f64::from(u8::from_le_bytes(take(bytes))),
            Self::U16 => f64::from(u16::from_le_bytes(take(bytes))),
            Self::U32 => f64::from(u32::from_le_bytes(take(bytes))),
            Self::U64 => u64::from_le_bytes(take(bytes)) as f64,
            Self::Bool => f64::from(u8::from(bytes.first() != Some(&0))),
        }
    }

    /// Whether a number is one of this type, as it is.
    pub fn holds(self, number: f64) -> bool {
        self.bytes(number)
            .is_some_and(|bytes| self.number(&bytes) == number)
    }

    /// The bytes of a number; none if it is no number of this type.
    pub(crate) fn bytes(self, number: f64) -> Option<Vec<u8>> {
        let bytes = match self {
            Self::F32 => (number as f32).to_le_bytes().to_vec(),
            Self::F16 => f16::from_f64(number).to_le_bytes().to_vec(),
            Self::Bf16 => bf16::from_f64(number).to_le_bytes().to_vec(),
            Self::F64 => number.to_le_bytes().to_vec(),
            Self::I8 => (number as i8).to_le_bytes().to_vec(),
            Self::I16 => (number as i16).to_le_bytes().to_vec(),
            Self::I32 => (number as i32).to_le_bytes().to_vec(),
            Self::I64 => (number as i64).to_le_bytes().to_vec(),
            Self::U8 => (number as u8).to_le_bytes().to_vec(),
            Self::U16 => (number as u16).to_le_bytes().to_vec(),
            Self::U32 => (number as u32).to_le_bytes().to_vec(),
            Self::U64 => (number as u64).to_le_bytes().to_vec(),
            Self::Bool => vec![u8::from(number != 0.0)],
        };
        (self.is_float() || self.number(&bytes) == number).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_again_and_its_bytes_are_read() {
        for (element, data_type) in TYPES {
            assert_eq!(Element::of(data_type), Some(element));
            assert_eq!(element.data_type(), data_type);
            assert_eq!(element.number(&vec![0; element.width()]), 0.0);
            assert_eq!(element.number(&element.bytes(1.0).unwrap()), 1.0);
        }
        assert_eq!(Element::of(DataType::STRING), None);
        assert_eq!(
            Element::F16.number(&f16::from_f64(-1.5).to_le_bytes()),
            -1.5
        );
        assert_eq!(
            Element::Bf16.number(&bf16::from_f64(0.25).to_le_bytes()),
            0.25
        );
        assert_eq!(Element::F64.number(&0.1f64.to_le_bytes()), 0.1);
        assert_eq!(Element::I8.number(&[255]), -1.0);
        assert_eq!(Element::U16.number(&[1, 1]), 257.0);
        assert_eq!(Element::I8.bytes(300.0), None);
        assert_eq!(Element::U8.bytes(0.5), None);
        assert_eq!(Element::Bool.number(&[1]), 1.0);
    }
}
