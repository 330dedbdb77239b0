//! Tensors that keep their data in another file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use crate::proto::{ModelProto, TensorProto};
use crate::tensor::{name, raw_length};
use crate::{Error, ErrorKind, Limits, Result, is_external};

/// Takes the data of tensors that keep it in other files of `folder` into the model; how many bytes that were.
///
/// Initializers and the values of `Constant` nodes are looked at, those of subgraphs are not.
///
/// # Errors
/// If a file is named that is not there or not inside `folder`, it ends before the data do, the length that is
/// stated is not that of the shape, or all data together exceed `limits`. The place names the tensor.
pub fn take_in_external(
    model: &mut ModelProto,
    folder: impl AsRef<Path>,
    limits: &Limits,
) -> Result<u64> {
    let folder = folder.as_ref();
    let Some(graph) = model.graph.as_option_mut() else {
        return Ok(0);
    };
    let of_nodes = graph.node.iter_mut().flat_map(|n| &mut n.attribute);
    let of_nodes = of_nodes.filter_map(|a| a.t.as_option_mut());
    let mut total = 0;
    for tensor in graph.initializer.iter_mut().chain(of_nodes) {
        if is_external(tensor) {
            let left = (limits.max_bytes as u64).saturating_sub(total);
            let bytes = data(tensor, folder, left).map_err(|e| e.at(name(tensor)))?;
            total += bytes.len() as u64;
            tensor.raw_data = Some(bytes);
            tensor.external_data.clear();
            tensor.data_location = None;
        }
    }
    Ok(total)
}

fn data(tensor: &TensorProto, folder: &Path, most: u64) -> Result<Vec<u8>> {
    let wanted = raw_length(tensor)? as u64;
    if let Some(length) = number(tensor, "length")?
        && length != wanted
    {
        return Err(Error::malformed(format!(
            "has {length} bytes in another file, but its shape takes {wanted}"
        ))
        .hint("is the file that of another model?"));
    }
    if wanted > most {
        return Err(Error::new(
            ErrorKind::Limit,
            "is too long for the bytes allowed",
        ));
    }
    let path = inside(folder, entry(tensor, "location").unwrap_or_default())?;
    let io = |e: std::io::Error| {
        Error::new(
            ErrorKind::Io,
            format!("its data in '{}' cannot be read: {e}", path.display()),
        )
        .hint("put the file beside the model")
    };
    let mut file = File::open(&path).map_err(io)?;
    let offset = number(tensor, "offset")?.unwrap_or(0);
    let there = file.metadata().map_err(io)?.len().saturating_sub(offset);
    if there < wanted {
        return Err(Error::malformed(format!(
            "takes {wanted} bytes of '{}' from {offset} on, where {there} are",
            path.display()
        ))
        .hint("is the file complete?"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes).map_err(io)?;
    match bytes.len() as u64 == wanted {
        true => Ok(bytes),
        false => Err(Error::malformed("its data ended while it was read")),
    }
}

/// The path of a file in a folder, whatever the name or links in the folder would lead to.
fn inside(folder: &Path, location: &str) -> Result<PathBuf> {
    let refused = || {
        Error::malformed(format!(
            "keeps its data in '{location}', which is not a file beside the model"
        ))
        .hint("data are read from the model's own folder only")
    };
    let relative = Path::new(location);
    let mut parts = relative.components();
    if location.is_empty() || !parts.all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
    {
        return Err(refused());
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let missing = |e: std::io::Error| {
        Error::new(
            ErrorKind::Io,
            format!("keeps its data in '{location}': {e}"),
        )
        .hint("put the file beside the model")
    };
    let path = folder.join(relative).canonicalize().map_err(missing)?;
    match path.starts_with(folder.canonicalize().map_err(missing)?) {
        true => Ok(path),
        false => Err(refused()),
    }
}

fn entry<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let mut entries = tensor.external_data.iter();
    let found = entries.find(|e| e.key.as_deref() == Some(key))?;
    found.value.as_deref()
}

fn number(tensor: &TensorProto, key: &str) -> Result<Option<u64>> {
    let Some(text) = entry(tensor, key) else {
        return Ok(None);
    };
    let number = text.parse().map(Some);
    number.map_err(|_| {
        Error::malformed(format!("'{text}' is no {key} of data in another file"))
            .hint("it is a number of bytes; save the model anew, for example with onnx.save_model")
    })
}
