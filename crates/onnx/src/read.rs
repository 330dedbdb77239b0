//! Bytes to messages.

use std::io::Read;
use std::path::Path;

use buffa::{DecodeError, DecodeOptions, Message};

use crate::proto::{ModelProto, NodeProto, TensorProto};
use crate::{Error, ErrorKind, Limits, Result};

/// Reads a model; fields that the schema does not know are kept.
///
/// # Errors
/// If the bytes are cut short, are no protobuf message of this schema, hold a string that is not
/// UTF-8, or exceed `limits`. An empty slice is a model without a graph, as in the format itself.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<ModelProto> {
    decode(bytes, limits)
}

/// Reads one node's message, as [`crate::write_node`] wrote it.
///
/// # Errors
/// As for [`read`].
pub fn read_node(bytes: &[u8], limits: &Limits) -> Result<NodeProto> {
    decode(bytes, limits)
}

/// Reads a file that holds one tensor; see [`read`].
///
/// # Errors
/// As for [`read_file`].
pub fn read_tensor_file(path: impl AsRef<Path>, limits: &Limits) -> Result<TensorProto> {
    let path = path.as_ref();
    read_bytes(path, limits)
        .and_then(|bytes| decode(&bytes, limits))
        .map_err(|e| e.at(path.display().to_string()))
}

/// Reads a model file; see [`read`].
///
/// # Errors
/// If the file cannot be read, is longer than `limits` allow, or as for [`read`]; the place names
/// the file.
pub fn read_file(path: impl AsRef<Path>, limits: &Limits) -> Result<ModelProto> {
    let path = path.as_ref();
    read_bytes(path, limits)
        .and_then(|bytes| read(&bytes, limits))
        .map_err(|e| e.at(path.display().to_string()))
}

fn read_bytes(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let io = |e: std::io::Error| Error::new(ErrorKind::Io, format!("cannot be read: {e}"));
    let file = std::fs::File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file that grows or a pipe is noticed too.
    let most = (limits.max_bytes as u64).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn decode<M: Message>(bytes: &[u8], limits: &Limits) -> Result<M> {
    // The library's own check asserts that the bound is at most the format's.
    if bytes.len() > limits.max_bytes.min(buffa::MAX_MESSAGE_BYTES as usize) {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("is longer than the {} bytes allowed", limits.max_bytes),
        )
        .hint("keep weights in fewer or smaller tensors, or raise the limit"));
    }
    DecodeOptions::new()
        .with_recursion_limit(limits.max_nesting)
        .with_element_memory_limit(limits.max_slot_bytes)
        .with_unknown_field_limit(limits.max_unknown_fields)
        .decode_from_slice(bytes)
        .map_err(|e| explain(&e))
}

fn explain(error: &DecodeError) -> Error {
    match error {
        DecodeError::RecursionLimitExceeded
        | DecodeError::UnknownFieldLimitExceeded
        | DecodeError::ElementMemoryLimitExceeded
        | DecodeError::MessageTooLarge => Error::new(ErrorKind::Limit, error.to_string())
            .hint("the file is damaged, or made to take too much memory; a program that trusts it can raise the limits"),
        DecodeError::UnexpectedEof => {
            Error::malformed("ends in the middle of a message").hint("is the file complete?")
        }
        _ => Error::malformed(format!("is no ONNX model: {error}"))
            .hint("expected a binary .onnx file"),
    }
}
