//! A model file as the independent runtime takes it.

use secateur_onnx::proto::ModelProto;
use secateur_onnx::{Parts, densify, lists_initializers, unlist_initializers, write_apart};

use super::ModelFile;
use super::files::LOCATION;
use crate::Result;
use crate::runtime::Runtime;

/// Where the data of tensors lie in what [`written`] makes.
pub(crate) const WRITTEN_DATA: &str = LOCATION;

/// A model as bytes for the runtime. Dense tensors that are no inputs are what every runtime knows, and data are not held
/// twice where they lie apart.
pub(crate) fn written(mut model: ModelProto) -> Result<Parts> {
    unlist_initializers(&mut model);
    densify(&mut model)?;
    Ok(write_apart(model, LOCATION)?)
}

/// Whether a file as it is may be more than the runtime knows: it has sparse tensors, or initializers that are inputs too.
pub(crate) fn needs_plain_form(model: &ModelProto) -> bool {
    let graph = model.graph.as_option();
    graph.is_some_and(|graph| !graph.sparse_initializer.is_empty()) || lists_initializers(model)
}

impl ModelFile {
    /// Whether the runtime takes the file in another form only.
    pub(super) fn needs_plain_form(&self) -> bool {
        needs_plain_form(&self.model)
    }

    /// The file as it came, loaded by the independent runtime to be run many times.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub(crate) fn to_repeat(&self) -> Result<Runtime> {
        let parts = written(self.as_it_came()?)?;
        Runtime::load_to_repeat(parts, LOCATION)
    }
}
