//! Tests that cannot run everywhere say so, where people see it.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;
use std::path::PathBuf;

/// The file that skipped tests add a line to, for whoever runs all of them to print at the end.
const LIST: &str = "SECATEUR_SKIPPED";

/// The folder of larger data that `SECATEUR_DATA` names; none where that is not set, and then the caller is told as skipped.
#[track_caller]
pub fn larger_data() -> Option<PathBuf> {
    let folder = std::env::var_os("SECATEUR_DATA").map(PathBuf::from);
    if folder.is_none() {
        skipped("SECATEUR_DATA is not set");
    }
    folder
}

/// Says on the standard error that the calling test was skipped, and adds it to the file that `SECATEUR_SKIPPED` names.
///
/// # Panics
/// If that file cannot be written.
#[track_caller]
pub fn skipped(why: &str) {
    let test = std::thread::current();
    let line = format!(
        "{} ({}): {why}\n",
        test.name().unwrap_or("a test"),
        Location::caller().file()
    );
    // Unlike the print macros this is not captured.
    let told = write!(std::io::stderr(), "skipped: {line}");
    told.expect("the standard error takes a line");
    if let Some(list) = std::env::var_os(LIST) {
        let file = OpenOptions::new().create(true).append(true).open(list);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the list of skipped tests takes a line");
    }
}
