//! A model file as the independent runtime takes it.

use secateur_onnx::proto::ModelProto;
use secateur_onnx::{Parts, densify, write_apart};

use super::ModelFile;
use super::files::LOCATION;
use crate::Result;
use crate::runtime::Runtime;

/// A model as bytes for the runtime. Dense tensors are what every runtime knows, and data are not held twice where they lie
/// apart.
pub(super) fn written(mut model: ModelProto) -> Result<Parts> {
    densify(&mut model)?;
    Ok(write_apart(model, LOCATION)?)
}

impl ModelFile {
    /// The file as it came, loaded by the independent runtime to be run many times.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub(crate) fn to_repeat(&self) -> Result<Runtime> {
        let parts = written(self.as_it_came()?)?;
        Runtime::load_to_repeat(parts, LOCATION)
    }
}
