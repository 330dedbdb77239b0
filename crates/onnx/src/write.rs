//! Messages to bytes.

use buffa::Message;

use crate::proto::{ModelProto, NodeProto, TensorProto};
use crate::{Error, ErrorKind, Result};

/// The bytes of a model, fields in the order of their numbers as the official serialiser writes
/// them; [`crate::read`] gives the same model back. One that tensors from other files were taken into is for
/// [`crate::write_parts`].
///
/// # Errors
/// If they would be more than the 2^31 - 1 that the format allows.
pub fn write(model: &ModelProto) -> Result<Vec<u8>> {
    encode(model)
}

/// The bytes of one node's message; see [`crate::read_node`].
///
/// # Errors
/// As for [`write()`].
pub fn write_node(node: &NodeProto) -> Result<Vec<u8>> {
    encode(node)
}

/// The bytes of one tensor, as [`crate::read_tensor_file`] reads them.
///
/// # Errors
/// As for [`write()`].
pub fn write_tensor(tensor: &TensorProto) -> Result<Vec<u8>> {
    encode(tensor)
}

fn encode(message: &impl Message) -> Result<Vec<u8>> {
    message.try_encode_to_vec().map_err(|_| {
        Error::new(
            ErrorKind::Limit,
            "takes more than the 2 GiB that an ONNX file may hold",
        )
        .hint("keep weights in another file beside it")
    })
}
