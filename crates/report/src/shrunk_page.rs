//! A model of others that lost units, as one HTML file.

use secateur::{ModelFile, SmallModel};

use crate::page::document;
use crate::sections::shrunk::section;

/// The page of a model that lost units: what stayed, what its outputs lost, and what a repair gave back, reader by reader.
///
/// Like [`crate::page`] it needs no network and no script, and every picture has a text alternative and its numbers as a table.
pub fn shrunk_page(small: &SmallModel, file: &ModelFile) -> String {
    document(
        &format!("{} without some of its units", file.name()),
        &[],
        &[section(small, file)],
    )
}
