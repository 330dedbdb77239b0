//! Tensors that keep their data in another file: taken in, and put out again.
//!
//! A tensor that was taken in holds its data like any other, and still says that they lie elsewhere: that is how those
//! are known that [`write_parts`] puts out again, whatever was done with the model in between.

mod place;

use std::collections::BTreeSet;
use std::path::Path;

use crate::proto::tensor_proto::DataLocation;
use crate::proto::{ModelProto, NodeProto, TensorProto};
use crate::tensor::{name, raw_length, typed_length};
use crate::visit::{tensors, tensors_of_node};
use crate::{Error, ErrorKind, Limits, Result, is_external, write};

use self::place::Place;

/// Tensors that are longer begin where memory can be mapped, as onnxruntime writes them; shorter ones lie side by
/// side, as in files of the official library.
const ALIGNED_FROM: usize = 1 << 20;
/// What memory is mapped by on the system with the largest such unit.
const ALIGNMENT: usize = 1 << 16;
/// What is put out of a model that is too long for one file, as the official library does it.
const PUT_OUT_FROM: usize = 1024;

/// Takes the data of all tensors that keep it in other files of `folder` into the model; how many bytes that were.
///
/// That they lie elsewhere stays written in the tensors, for [`write_parts`]; [`keep_inside`] takes it away.
///
/// # Errors
/// If a file is named that is not there or not inside `folder`, it ends before the data do, the length that is
/// stated is not that of the shape, a tensor holds data as well, or all data together exceed `limits`. The place
/// names the tensor.
pub fn take_in_external(
    model: &mut ModelProto,
    folder: impl AsRef<Path>,
    limits: &Limits,
) -> Result<u64> {
    let folder = folder.as_ref();
    take_in(model, limits, &|place, wanted| place.read(folder, wanted))
}

fn take_in(
    model: &mut ModelProto,
    limits: &Limits,
    read: &dyn Fn(&Place, u64) -> Result<Vec<u8>>,
) -> Result<u64> {
    let mut left = limits.max_external_bytes;
    let mut one = |tensor: &mut TensorProto| -> Result<()> {
        if tensor.data_location != Some(DataLocation::EXTERNAL) {
            return Ok(());
        }
        if tensor.raw_data.is_some() || typed_length(tensor) > 0 {
            return Err(Error::malformed("holds its data twice")
                .hint("it says that they lie in another file, and has some itself"));
        }
        let wanted = raw_length(tensor)? as u64;
        let place = Place::of(tensor)?;
        if let Some(length) = place.length
            && length != wanted
        {
            return Err(Error::malformed(format!(
                "has {length} bytes in another file, but its shape takes {wanted}"
            ))
            .hint("is the file that of another model?"));
        }
        left = left.checked_sub(wanted).ok_or_else(|| {
            Error::new(ErrorKind::Limit, "is too long for the bytes allowed")
                .hint("all data in other files together are limited")
        })?;
        tensor.raw_data = Some(read(&place, wanted)?);
        Ok(())
    };
    tensors(model, &mut |t| one(t).map_err(|e| e.at(name(t))))?;
    Ok(limits.max_external_bytes - left)
}

/// The files in which tensors keep their data, as they name them.
pub fn external_locations(model: &mut ModelProto) -> BTreeSet<String> {
    let mut locations = BTreeSet::new();
    let mut one = |tensor: &mut TensorProto| {
        if tensor.data_location == Some(DataLocation::EXTERNAL) {
            locations.extend(place::location(tensor).map(str::to_owned));
        }
        Ok(())
    };
    tensors(model, &mut one).unwrap_or_default();
    locations
}

/// Lets a model hold in itself what was taken in.
pub fn keep_inside(model: &mut ModelProto) {
    // Never an error, as `inside` gives none.
    tensors(model, &mut inside).unwrap_or_default();
}

/// Lets a node hold in itself what was taken in.
pub fn keep_inside_node(node: &mut NodeProto) {
    tensors_of_node(node, &mut inside).unwrap_or_default();
}

fn inside(tensor: &mut TensorProto) -> Result<()> {
    if is_taken_in(tensor) {
        tensor.external_data.clear();
        tensor.data_location = None;
    }
    Ok(())
}

fn is_taken_in(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::EXTERNAL) && !is_external(tensor)
}

/// A model as files: its own, and one beside it with the data of the tensors that keep theirs outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The bytes of the model's own file.
    pub model: Vec<u8>,
    /// The bytes of the other one; empty if there is none.
    pub data: Vec<u8>,
}

impl Parts {
    /// Bytes of both files.
    pub fn size(&self) -> u64 {
        (self.model.len() + self.data.len()) as u64
    }

    /// Reads the model back, with the data that its tensors keep in the other file.
    ///
    /// # Errors
    /// As for [`crate::read`] and [`take_in_external`]; if a tensor names another file than `location`.
    pub fn read(&self, location: &str, limits: &Limits) -> Result<ModelProto> {
        let mut model = crate::read(&self.model, limits)?;
        take_in(
            &mut model,
            limits,
            &|place, wanted| match place.location == location {
                true => place.cut(&self.data, wanted),
                false => Err(Error::malformed(format!(
                    "keeps its data in '{}', not in '{location}'",
                    place.location
                ))),
            },
        )?;
        Ok(model)
    }

    /// The bytes of the model's own file if the other one is called `location`.
    ///
    /// # Errors
    /// As for [`crate::read`] and [`crate::write()`].
    pub fn model_under(&self, location: &str, limits: &Limits) -> Result<Vec<u8>> {
        let mut model = crate::read(&self.model, limits)?;
        let mut one = |tensor: &mut TensorProto| {
            if is_external(tensor) {
                let place = Place {
                    location: location.to_owned(),
                    ..Place::of(tensor)?
                };
                tensor.external_data = place.entries();
            }
            Ok(())
        };
        tensors(&mut model, &mut one)?;
        write(&model)
    }
}

/// The bytes of a model whose tensors that were taken in keep their data in a file called `location`, again; if it is
/// too long for one file all the same, every tensor of 1 KiB or more does.
///
/// # Errors
/// As for [`write()`].
pub fn write_parts(model: ModelProto, location: &str) -> Result<Parts> {
    write_parts_within(model, location, Limits::default().max_bytes)
}

fn write_parts_within(mut model: ModelProto, location: &str, most: usize) -> Result<Parts> {
    let mut data = vec![];
    put_out(&mut model, location, &mut data);
    match write(&model) {
        Ok(bytes) if bytes.len() <= most => return Ok(Parts { model: bytes, data }),
        Err(error) if error.kind() != ErrorKind::Limit => return Err(error),
        _ => {}
    }
    mark(&mut model, PUT_OUT_FROM);
    put_out(&mut model, location, &mut data);
    Ok(Parts {
        model: write(&model)?,
        data,
    })
}

/// The bytes of a model all of whose raw data of any length lie in a file called `location`. For another program to
/// load: data move over one tensor after the other, so that they are never held twice.
///
/// # Errors
/// As for [`write()`].
pub fn write_apart(mut model: ModelProto, location: &str) -> Result<Parts> {
    mark(&mut model, PUT_OUT_FROM);
    let mut data = vec![];
    put_out(&mut model, location, &mut data);
    Ok(Parts {
        model: write(&model)?,
        data,
    })
}

/// Says of tensors of so many bytes that their data shall lie outside.
fn mark(model: &mut ModelProto, least: usize) {
    let mut one = |tensor: &mut TensorProto| {
        if tensor
            .raw_data
            .as_ref()
            .is_some_and(|raw| raw.len() >= least)
        {
            tensor.data_location = Some(DataLocation::EXTERNAL);
        }
        Ok(())
    };
    tensors(model, &mut one).unwrap_or_default();
}

/// Moves the data of tensors that shall lie outside to the end of `data`.
fn put_out(model: &mut ModelProto, location: &str, data: &mut Vec<u8>) {
    let mut total = data.len();
    let mut count = |tensor: &mut TensorProto| {
        if is_taken_in(tensor) {
            let length = tensor.raw_data.as_ref().map_or(0, Vec::len);
            total = start(total, length) + length;
        }
        Ok(())
    };
    tensors(model, &mut count).unwrap_or_default();
    data.reserve_exact(total - data.len());
    let mut one = |tensor: &mut TensorProto| {
        if is_taken_in(tensor) {
            let raw = tensor.raw_data.take().unwrap_or_default();
            data.resize(start(data.len(), raw.len()), 0);
            let place = Place {
                location: location.to_owned(),
                offset: data.len() as u64,
                length: Some(raw.len() as u64),
            };
            tensor.external_data = place.entries();
            data.extend(raw);
        }
        Ok(())
    };
    tensors(model, &mut one).unwrap_or_default();
}

/// Where a tensor of that length begins if there are so many bytes already.
fn start(there: usize, length: usize) -> usize {
    match length > ALIGNED_FROM {
        true => there.next_multiple_of(ALIGNMENT),
        false => there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::GraphProto;
    use crate::{f32_tensor, read};

    fn holding(lengths: &[usize]) -> ModelProto {
        let tensors = lengths.iter().enumerate();
        let tensors = tensors
            .map(|(i, &n)| f32_tensor(&format!("t{i}"), &[n], &vec![i as f32 + 1.0; n]).unwrap());
        let graph = GraphProto {
            initializer: tensors.collect(),
            ..GraphProto::default()
        };
        ModelProto {
            graph: graph.into(),
            ..ModelProto::default()
        }
    }

    #[test]
    fn what_is_too_long_for_one_file_is_put_out() {
        let model = holding(&[10, 300, 400]);
        let whole = write(&model).unwrap().len();
        let one = write_parts_within(model.clone(), "d", whole).unwrap();
        assert_eq!((one.model.len(), one.data.len()), (whole, 0));
        let two = write_parts_within(model.clone(), "d", whole - 1).unwrap();
        assert_eq!(two.data.len(), 4 * 700);
        let mut back = two.read("d", &Limits::default()).unwrap();
        keep_inside(&mut back);
        assert_eq!(back, model);
    }

    #[test]
    #[cfg_attr(miri, ignore = "a megabyte takes it many minutes")]
    fn long_tensors_begin_where_memory_can_be_mapped() {
        let long = (ALIGNED_FROM / 4) + 1;
        let mut parts = write_apart(holding(&[300, long, 300]), "d").unwrap();
        assert_eq!(parts.size() as usize, parts.model.len() + parts.data.len());
        assert!(!parts.data.is_empty());
        let model = read(&parts.model, &Limits::default()).unwrap();
        let tensors = model.graph.initializer.iter();
        let places = tensors.map(|t| Place::of(t).unwrap().offset);
        let behind = (ALIGNMENT + 4 * long) as u64;
        assert_eq!(places.collect::<Vec<_>>(), [0, ALIGNMENT as u64, behind]);

        let limits = Limits::default();
        let before = parts.read("d", &limits).unwrap();
        parts.model = parts.model_under("other", &limits).unwrap();
        assert!(parts.read("d", &limits).is_err());
        let after = parts.read("other", &limits).unwrap();
        let inside = |mut model| {
            keep_inside(&mut model);
            model
        };
        assert_eq!(inside(after), inside(before));
    }
}
