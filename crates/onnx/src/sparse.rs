//! Sparse tensors as dense ones.

use crate::proto::{ModelProto, SparseTensorProto, TensorProto};
use crate::tensor::{element_bits, name, raw_bytes, raw_length};
use crate::{Elements, Error, ErrorKind, Result, elements, shape};

/// Bytes that a dense form may take: a short message can name any shape.
const MOST_BYTES: usize = 1 << 28;

/// The dense form of a sparse tensor, with its name and numbers in raw data.
///
/// # Errors
/// If it holds no values or indices, they do not fit each other or the shape, the dense form would be longer than
/// 256 MiB, or its elements have no whole bytes. The place names the tensor.
pub fn dense(sparse: &SparseTensorProto) -> Result<TensorProto> {
    let values = sparse.values.as_option();
    let values = values.ok_or_else(|| Error::malformed("a sparse tensor holds no values"))?;
    let place = name(values);
    filled(sparse, values).map_err(|e| e.at(place))
}

fn filled(sparse: &SparseTensorProto, values: &TensorProto) -> Result<TensorProto> {
    let mut dense = TensorProto {
        dims: sparse.dims.clone(),
        data_type: values.data_type,
        name: values.name.clone(),
        ..TensorProto::default()
    };
    let length = raw_length(&dense)?;
    if length > MOST_BYTES {
        let message = format!("is sparse, and takes {length} bytes if it is not");
        return Err(
            Error::new(ErrorKind::Limit, message).hint("export the model without sparse tensors")
        );
    }
    let width = match element_bits(values)? {
        bits if bits % 8 == 0 => bits / 8,
        _ => {
            return Err(Error::unsupported(
                "is sparse, and its elements have no whole bytes",
            ));
        }
    };
    let lengths = shape(&dense)?;
    let bytes = raw_bytes(elements(values)?);
    let count = bytes.len() / width;
    let places = places(sparse, &lengths, count)?;
    let mut raw = vec![0; length];
    for (place, value) in places.iter().zip(bytes.chunks_exact(width)) {
        let Some(slot) = raw.chunks_exact_mut(width).nth(*place) else {
            let message = format!("has a value at {place}, beyond its end");
            return Err(Error::malformed(message));
        };
        slot.copy_from_slice(value);
    }
    dense.raw_data = Some(raw);
    Ok(dense)
}

/// Where in the dense form each value goes, from indices of the form `[count]` or `[count, axes]`.
fn places(sparse: &SparseTensorProto, lengths: &[usize], count: usize) -> Result<Vec<usize>> {
    let indices = sparse.indices.as_option();
    let indices = indices.ok_or_else(|| Error::malformed("is sparse and has no indices"))?;
    let form = shape(indices)?;
    let Elements::I64(numbers) = elements(indices)? else {
        return Err(Error::malformed("has indices that are not 64-bit integers"));
    };
    let wrong = |index: i64| Error::malformed(format!("has an index {index} beyond its shape"));
    let at = |index: i64| usize::try_from(index).map_err(|_| wrong(index));
    match form[..] {
        [own] if own == count => numbers.iter().map(|&n| at(n)).collect(),
        [own, axes] if own == count && axes == lengths.len() && axes > 0 => {
            let row = |row: &[i64]| {
                row.iter()
                    .zip(lengths)
                    .try_fold(0, |place, (&index, &length)| {
                        let inside = at(index).ok().filter(|&i| i < length);
                        // Below the product of the lengths, which fits.
                        Ok(place * length + inside.ok_or_else(|| wrong(index))?)
                    })
            };
            numbers.chunks_exact(axes).map(row).collect()
        }
        _ => Err(Error::malformed(format!(
            "has indices of shape {form:?} for {count} values along {} axes",
            lengths.len()
        ))),
    }
}

/// Makes dense initializers of sparse ones, for programs that do not know them.
///
/// # Errors
/// As for [`dense`].
pub fn densify(model: &mut ModelProto) -> Result<()> {
    if let Some(graph) = model.graph.as_option_mut() {
        for sparse in std::mem::take(&mut graph.sparse_initializer) {
            graph.initializer.push(dense(&sparse)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{f32_tensor, i64_tensor};

    fn sparse(dims: &[i64], values: &[f32], form: &[usize], indices: &[i64]) -> SparseTensorProto {
        SparseTensorProto {
            values: f32_tensor("s", &[values.len()], values).unwrap().into(),
            indices: i64_tensor("", form, indices).unwrap().into(),
            dims: dims.to_vec(),
            ..SparseTensorProto::default()
        }
    }

    #[test]
    fn values_go_to_their_places_by_either_form_of_indices() {
        let wanted = f32_tensor("s", &[2, 3], &[0.0, 1.0, 0.0, 0.0, 0.0, 2.0]).unwrap();
        let flat = sparse(&[2, 3], &[1.0, 2.0], &[2], &[1, 5]);
        assert_eq!(dense(&flat).unwrap(), wanted);
        let by_axis = sparse(&[2, 3], &[1.0, 2.0], &[2, 2], &[0, 1, 1, 2]);
        assert_eq!(dense(&by_axis).unwrap(), wanted);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let kinds = [
            (sparse(&[2, 3], &[1.0], &[1], &[6]), ErrorKind::Malformed),
            (sparse(&[2, 3], &[1.0], &[1], &[-1]), ErrorKind::Malformed),
            (
                sparse(&[2, 3], &[1.0], &[1], &[i64::MAX]),
                ErrorKind::Malformed,
            ),
            (
                sparse(&[2, 3], &[1.0], &[1, 2], &[0, 3]),
                ErrorKind::Malformed,
            ),
            (sparse(&[2, 3], &[1.0], &[2], &[0, 1]), ErrorKind::Malformed),
            (sparse(&[-2, 3], &[1.0], &[1], &[0]), ErrorKind::Malformed),
            (
                sparse(&[1 << 40, 1 << 40], &[1.0], &[1], &[0]),
                ErrorKind::Malformed,
            ),
            (sparse(&[1 << 30, 1], &[1.0], &[1], &[0]), ErrorKind::Limit),
            (sparse(&[], &[1.0], &[1, 0], &[]), ErrorKind::Malformed),
            (SparseTensorProto::default(), ErrorKind::Malformed),
        ];
        for (index, (sparse, kind)) in kinds.iter().enumerate() {
            let error = dense(sparse).unwrap_err();
            assert_eq!(error.kind(), *kind, "case {index}: {error}");
        }
    }
}
