//! A path as one HTML file.

use secateur::path::PathReport;

use crate::page::document;
use crate::sections::path::section;

/// The page of a path: its curve over MACs, its points, and what decides between them.
///
/// Like [`crate::page`] it needs no network and no script, and every picture has a text alternative and its numbers as a table.
pub fn path_page(report: &PathReport) -> String {
    document(
        &format!("Path on {}", report.data.name),
        &[],
        &[section(report)],
    )
}
