//! `secateur inspect` and `secateur shrink`: models of others.

use secateur::compare::Table;
use secateur::{
    Amount, Config, Error, ErrorKind, ModelData, ModelFile, Recalibration, Result, UnitScore,
    quality_table, quality_to_json, shrink_model, shrink_model_by,
};

use crate::args::model::{InspectFlags, ShrinkFlags};
use crate::commands::{Exit, check_target, data_dir};
use crate::output::{note, result};
use crate::table::plain;

/// Shows what is in a model.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn inspect(flags: &InspectFlags) -> Result<Exit> {
    let mut file = ModelFile::read(&flags.model)?;
    flags.size.apply(&mut file)?;
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
    let sources = flags.sources()?;
    let target = check_target(&flags.out, flags.force)?;
    let mut file = ModelFile::read(&flags.model)?;
    flags.size.apply(&mut file)?;
    if !flags.input.is_empty() {
        file.verify_on(&flags.input)?;
    }
    if sources.statistics.is_some() {
        file.check_statistics()?;
    }
    let read =
        |config: &Config| ModelData::read(&file, config, sources.rows, data_dir().as_deref());
    let data = sources.ranking.as_ref().map(read).transpose()?;
    let is_other = sources.ranking != sources.statistics;
    let other = sources.statistics.as_ref().filter(|_| is_other);
    let other = other.map(read).transpose()?;
    let statistics = match is_other {
        true => other.as_ref(),
        false => data.as_ref(),
    };
    // What would fail at the end fails before anything takes long.
    if data.is_some() || matches!(choice.amount, Amount::Macs(_)) {
        file.verify_beforehand(choice.seed)?;
    }
    if let Some(on) = statistics {
        on.verify_beforehand()?;
    }
    let mut models = vec![];
    if let Some(data) = &data {
        models.push(("before", data.quality(file.graph())?));
    }
    let small = match (&data, choice.by) {
        (Some(data), UnitScore::Taylor) => shrink_model_by(&file, &choice, data.taylor(&file)?)?,
        _ => shrink_model(&file, &choice)?,
    };
    if let Some(data) = &data {
        models.push(("units dropped", data.quality(&small.graph()?)?));
    }
    let small = match statistics {
        Some(on) => small.recalibrate(&file, on)?,
        None => small,
    };
    if let (Some(data), Some(Recalibration::Measured { .. })) = (&data, small.recalibration()) {
        models.push(("recalibrated", data.quality(&small.graph()?)?));
    }
    small.write(&target)?;
    if let Some(nearest) = small.nearest() {
        note(format_args!("note: {nearest}"));
    }
    if flags.json {
        let mut told = small.to_json(&file);
        if !models.is_empty() {
            told["quality"] = quality_to_json(&models);
        }
        return json(&told);
    }
    let table = small.table(&file);
    let mut text = format!("{}\n", plain(&table.header, &table.rows));
    if !models.is_empty() {
        let table = quality_table(&models);
        text += &format!("{}\n", plain(&table.header, &table.rows));
    }
    text += &format!("\n{}\n", small.verified());
    if let Some(recalibration) = small.recalibration() {
        text += &format!("{recalibration}\n");
    }
    result(&text)?;
    note(format_args!("model: {}", flags.out.display()));
    Ok(Exit::Done)
}

/// A table with its title above it and its note.
pub(crate) fn shown(table: &Table) -> String {
    format!(
        "{}\n{}\n\n{}\n\n",
        table.title,
        table.note,
        plain(&table.header, &table.rows)
    )
}

/// Prints a value for scripts.
///
/// # Errors
/// If stdout cannot be written.
pub(crate) fn json(value: &serde_json::Value) -> Result<Exit> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))?;
    result(&(text + "\n"))?;
    Ok(Exit::Done)
}
