//! `secateur inspect` and `secateur shrink`: models of others.

use secateur::compare::Table;
use secateur::{Error, ErrorKind, ModelFile, Result, shrink_model};

use crate::args::model::{InspectFlags, ShrinkFlags};
use crate::commands::{Exit, refuse_to_replace};
use crate::output::{note, result};
use crate::table::plain;

/// Shows what is in a model.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn inspect(flags: &InspectFlags) -> Result<Exit> {
    let file = ModelFile::read(&flags.model)?;
    if flags.json {
        return json(&file.to_json());
    }
    if flags.dot {
        result(&file.to_dot())?;
        return Ok(Exit::Done);
    }
    let mut text = file.headline().join("\n") + "\n\n";
    text += &shown(&file.node_table());
    text += &shown(&file.group_table());
    result(&text)?;
    Ok(Exit::Done)
}

/// Removes units, verifies and writes.
///
/// # Errors
/// If the model cannot be read, the choice makes no sense, or the result cannot be verified or written.
pub(crate) fn shrink(flags: &ShrinkFlags) -> Result<Exit> {
    let choice = flags.choice()?;
    refuse_to_replace(&flags.out, flags.force)?;
    let mut file = ModelFile::read(&flags.model)?;
    if !flags.input.is_empty() {
        file.verify_on(&flags.input)?;
    }
    let small = shrink_model(&file, &choice)?;
    small.write(&flags.out)?;
    if flags.json {
        return json(&small.to_json(&file));
    }
    let table = small.table(&file);
    result(&format!(
        "{}\n\n{}\n",
        plain(&table.header, &table.rows),
        small.verified()
    ))?;
    note(format_args!("model: {}", flags.out.display()));
    Ok(Exit::Done)
}

fn shown(table: &Table) -> String {
    format!(
        "{}\n{}\n\n{}\n\n",
        table.title,
        table.note,
        plain(&table.header, &table.rows)
    )
}

fn json(value: &serde_json::Value) -> Result<Exit> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))?;
    result(&(text + "\n"))?;
    Ok(Exit::Done)
}
