//! A constant of the network: a shape and its numbers, row-major.

use serde::{Deserialize, Serialize};

use crate::{Element, Error, Result};

/// The numbers of a [`Tensor`], by element type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Data {
    /// 32-bit floats: every weight that is trained.
    F32(Vec<f32>),
    /// 64-bit integers: indices and shapes.
    I64(Vec<i64>),
    /// Any other type, as bytes.
    Raw(Element, Vec<u8>),
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Data::F32(values) => values.len(),
            Data::I64(values) => values.len(),
            Data::Raw(element, bytes) => bytes.len() / element.width(),
        }
    }
}

/// A dense array of constants in row-major order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Tensor {
    shape: Vec<usize>,
    pub(crate) data: Data,
}

/// A tensor as it was stored by whomever.
#[derive(Deserialize)]
struct Unchecked {
    shape: Vec<usize>,
    data: Data,
}

impl TryFrom<Unchecked> for Tensor {
    type Error = Error;

    fn try_from(stored: Unchecked) -> Result<Self> {
        Self::new(stored.shape, stored.data)
    }
}

impl Tensor {
    /// A tensor of `shape` over `data`.
    ///
    /// # Errors
    /// If the product of `shape` is not the number of elements.
    pub fn new(shape: impl Into<Vec<usize>>, data: Data) -> Result<Self> {
        let shape = shape.into();
        let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if elements != Some(data.len()) {
            return Err(Error::invalid(format!(
                "a tensor of shape {shape:?} cannot hold {} elements",
                data.len()
            )));
        }
        Ok(Self { shape, data })
    }

    /// A tensor of 32-bit floats; see [`Tensor::new`].
    pub fn f32(shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Result<Self> {
        Self::new(shape, Data::F32(values))
    }

    /// A tensor of numbers rounded to a type of floats; see [`Tensor::new`].
    ///
    /// # Errors
    /// As [`Tensor::new`], or if a finite number is beyond what the type holds.
    pub fn of_floats(
        element: Element,
        shape: impl Into<Vec<usize>>,
        numbers: impl IntoIterator<Item = f64>,
    ) -> Result<Self> {
        let numbers = numbers.into_iter();
        let data = match element {
            Element::F32 => Data::F32(numbers.map(|v| v as f32).collect()),
            other => {
                let numbers: Vec<f64> = numbers.collect();
                let bytes = numbers.iter().filter_map(|&v| other.bytes(v)).flatten();
                let made = Self::new(shape, Data::Raw(other, bytes.collect()))?;
                let pairs = numbers.iter().zip(made.numbers());
                return match pairs.into_iter().find(|(v, made)| v.is_finite() && !made.is_finite()) {
                    None => Ok(made),
                    Some((v, _)) => Err(Error::invalid(format!(
                        "{v:.0} is beyond what numbers of type {} can be",
                        other.name()
                    ))
                    .hint("cut less, choose units otherwise (--by l2), or take the model in single precision")),
                };
            }
        };
        Self::new(shape, data)
    }

    /// A tensor of 64-bit integers; see [`Tensor::new`].
    pub fn i64(shape: impl Into<Vec<usize>>, values: Vec<i64>) -> Result<Self> {
        Self::new(shape, Data::I64(values))
    }

    /// A list of whole numbers in the type of another one, which holds such as 32 or 64 bits; what is beyond 32 bits is brought to their
    /// bounds.
    pub(crate) fn list_like(other: Option<&Self>, values: Vec<i64>) -> Result<Self> {
        if other.map(Self::element) != Some(Element::I32) {
            return Self::i64([values.len()], values);
        }
        let narrow = |v: &i64| (*v).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let bytes = values
            .iter()
            .flat_map(|v| narrow(v).to_le_bytes())
            .collect();
        Self::new([values.len()], Data::Raw(Element::I32, bytes))
    }

    /// The type of the numbers.
    pub fn element(&self) -> Element {
        match &self.data {
            Data::F32(_) => Element::F32,
            Data::I64(_) => Element::I64,
            Data::Raw(element, _) => *element,
        }
    }

    /// The length along each axis; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers with their type.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// The numbers, if they are 32-bit floats.
    pub fn as_f32(&self) -> Option<&[f32]> {
        match &self.data {
            Data::F32(values) => Some(values),
            Data::I64(_) | Data::Raw(..) => None,
        }
    }

    /// The numbers for writing, if they are 32-bit floats.
    pub fn as_f32_mut(&mut self) -> Option<&mut [f32]> {
        match &mut self.data {
            Data::F32(values) => Some(values),
            Data::I64(_) | Data::Raw(..) => None,
        }
    }

    /// Whether they are floats, and so can be weights.
    pub fn is_float(&self) -> bool {
        self.element().is_float()
    }

    /// The numbers in double precision, of whatever type they are.
    pub fn numbers(&self) -> Vec<f64> {
        match &self.data {
            Data::F32(values) => values.iter().map(|&v| f64::from(v)).collect(),
            Data::I64(values) => values.iter().map(|&v| v as f64).collect(),
            Data::Raw(element, bytes) => {
                let all = bytes.chunks_exact(element.width());
                all.map(|bytes| element.number(bytes)).collect()
            }
        }
    }

    /// The numbers, if they are 64-bit integers.
    pub fn as_i64(&self) -> Option<&[i64]> {
        match &self.data {
            Data::I64(values) => Some(values),
            Data::F32(_) | Data::Raw(..) => None,
        }
    }

    /// The tensor with only `kept` indices along `axis`, in that order.
    ///
    /// # Errors
    /// If there is no such axis or an index lies beyond it.
    pub fn select(&self, axis: usize, kept: &[usize]) -> Result<Self> {
        let Some(&length) = self.shape.get(axis) else {
            return Err(Error::invalid(format!(
                "shape {:?} has no axis {axis}",
                self.shape
            )));
        };
        if let Some(bad) = kept.iter().find(|&&i| i >= length) {
            return Err(Error::invalid(format!(
                "index {bad} on an axis of length {length}"
            )));
        }
        let mut shape = self.shape.clone();
        shape[axis] = kept.len();
        let inner: usize = self.shape[axis + 1..].iter().product();
        let outer: usize = self.shape[..axis].iter().product();
        fn pick<T: Copy>(
            all: &[T],
            (outer, length, inner): (usize, usize, usize),
            kept: &[usize],
        ) -> Vec<T> {
            let mut out = Vec::with_capacity(outer * kept.len() * inner);
            for o in 0..outer {
                for &i in kept {
                    let start = (o * length + i) * inner;
                    out.extend_from_slice(&all[start..start + inner]);
                }
            }
            out
        }
        let dims = (outer, length, inner);
        let data = match &self.data {
            Data::F32(values) => Data::F32(pick(values, dims, kept)),
            Data::I64(values) => Data::I64(pick(values, dims, kept)),
            Data::Raw(element, bytes) => {
                let dims = (outer, length, inner * element.width());
                Data::Raw(*element, pick(bytes, dims, kept))
            }
        };
        Ok(Self { shape, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        assert!(Tensor::f32([2, 3], vec![0.0; 5]).is_err());
        assert!(Tensor::f32([usize::MAX, 2], vec![]).is_err());
    }

    #[test]
    fn select_keeps_rows_or_columns_in_the_given_order() {
        let t = Tensor::f32([2, 3], vec![0., 1., 2., 3., 4., 5.]).unwrap();
        assert_eq!(t.select(0, &[1]).unwrap().as_f32().unwrap(), [3., 4., 5.]);
        assert_eq!(
            t.select(1, &[2, 0]).unwrap().as_f32().unwrap(),
            [2., 0., 5., 3.]
        );
        assert!(t.select(1, &[3]).is_err());
        assert!(t.select(2, &[0]).is_err());
    }
}
