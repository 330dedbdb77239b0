//! The data of a run.

use std::path::Path;
use std::sync::Arc;

use secateur_data::{Dataset, load};

use crate::plan::load_options;
use crate::{Config, Error, ErrorKind, Result};

/// The data of a config that names none.
pub(crate) const DEFAULT_DATA: &str = "digits";

/// Reads the data that `config` names, looking below `data_dir` too.
///
/// # Errors
/// If there is none, or it cannot be read.
pub fn load_data(config: &Config, data_dir: Option<&Path>) -> Result<Arc<Dataset>> {
    load_within(None, config, data_dir)
}

/// [`load_data`] that takes at most `memory` bytes; data that take more are out of reach, and no fault of their file.
pub(crate) fn load_within(
    memory: Option<u64>,
    config: &Config,
    data_dir: Option<&Path>,
) -> Result<Arc<Dataset>> {
    let name = config.data.as_deref().unwrap_or(DEFAULT_DATA);
    let mut options = load_options(config, data_dir)?;
    let most = memory.filter(|&memory| memory < options.max_bytes);
    options.max_bytes = most.unwrap_or(options.max_bytes);
    let loaded = load(name, &options).map_err(|error| match most {
        Some(_) if error.kind() == secateur_data::ErrorKind::Limit => {
            Error::new(ErrorKind::OutOfReach, error.to_string())
                .at("--memory")
                .hint("allow more memory, or take fewer rows")
        }
        Some(_) | None => Error::from(error),
    });
    Ok(Arc::new(loaded?))
}
