//! Where in another file a tensor says that its data lie.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use crate::proto::{StringStringEntryProto, TensorProto};
use crate::{Error, ErrorKind, Result};

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, as the tensor names it.
    pub(super) location: String,
    /// Where it begins.
    pub(super) offset: u64,
    /// Its bytes, if the tensor says so.
    pub(super) length: Option<u64>,
}

impl Place {
    /// The one that a tensor names.
    ///
    /// # Errors
    /// If a number is none.
    pub(super) fn of(tensor: &TensorProto) -> Result<Self> {
        Ok(Self {
            location: location(tensor).unwrap_or_default().to_owned(),
            offset: number(tensor, "offset")?.unwrap_or(0),
            length: number(tensor, "length")?,
        })
    }

    /// As entries of a tensor, in the order of the official library.
    pub(super) fn entries(&self) -> Vec<StringStringEntryProto> {
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: Some(key.into()),
            value: Some(value),
            ..StringStringEntryProto::default()
        };
        let location = entry("location", self.location.clone());
        let offset = entry("offset", self.offset.to_string());
        let length = self.length.map(|n| entry("length", n.to_string()));
        [location, offset].into_iter().chain(length).collect()
    }

    /// `wanted` bytes of a file in `folder`.
    ///
    /// # Errors
    /// If the file is not there or not inside the folder, or ends before.
    pub(super) fn read(&self, folder: &Path, wanted: u64) -> Result<Vec<u8>> {
        let path = inside(folder, &self.location)?;
        let io = |e: std::io::Error| {
            Error::new(
                ErrorKind::Io,
                format!("its data in '{}' cannot be read: {e}", path.display()),
            )
            .hint("put the file beside the model")
        };
        let mut file = File::open(&path).map_err(io)?;
        let there = file.metadata().map_err(io)?.len();
        self.check_length(there, wanted, &path.display().to_string())?;
        file.seek(SeekFrom::Start(self.offset)).map_err(io)?;
        let mut bytes = Vec::new();
        file.take(wanted).read_to_end(&mut bytes).map_err(io)?;
        match bytes.len() as u64 == wanted {
            true => Ok(bytes),
            false => Err(Error::malformed("its data ended while it was read")),
        }
    }

    /// `wanted` bytes of the content of a file.
    ///
    /// # Errors
    /// If it ends before.
    pub(super) fn cut(&self, content: &[u8], wanted: u64) -> Result<Vec<u8>> {
        self.check_length(content.len() as u64, wanted, &self.location)?;
        let start = self.offset as usize;
        Ok(content[start..start + wanted as usize].to_vec())
    }

    fn check_length(&self, file: u64, wanted: u64, name: &str) -> Result<()> {
        let there = file.saturating_sub(self.offset);
        if there >= wanted {
            return Ok(());
        }
        Err(Error::malformed(format!(
            "takes {wanted} bytes of '{name}' from {} on, where {there} are",
            self.offset
        ))
        .hint("is the file complete?"))
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

/// The file that a tensor names.
pub(super) fn location(tensor: &TensorProto) -> Option<&str> {
    entry(tensor, "location")
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
