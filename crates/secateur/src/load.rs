//! The data of a run.

use std::path::Path;
use std::sync::Arc;

use secateur_data::{Dataset, load};

use crate::plan::load_options;
use crate::{Config, Result};

/// The data of a config that names none.
pub(crate) const DEFAULT_DATA: &str = "digits";

/// Reads the data that `config` names, looking below `data_dir` too.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn load_data(config: &Config, data_dir: Option<&Path>) -> Result<Arc<Dataset>> {
    load_within(None, config, data_dir)
}

/// [`load_data`] that takes at most `memory` bytes.
pub(crate) fn load_within(
    memory: Option<u64>,
    config: &Config,
    data_dir: Option<&Path>,
) -> Result<Arc<Dataset>> {
    let name = config.data.as_deref().unwrap_or(DEFAULT_DATA);
    let mut options = load_options(config, data_dir)?;
    options.max_bytes = options.max_bytes.min(memory.unwrap_or(u64::MAX));
    Ok(Arc::new(load(name, &options)?))
}
