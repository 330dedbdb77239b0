//! `secateur inspect` and `secateur shrink`: models of others.

use std::path::Path;

use secateur::compare::Table;
use secateur::{
    Config, Error, ErrorKind, Limit, Measured, ModelData, ModelFile, Needs, RepairBy, RepairInputs,
    Result, quality_table, quality_to_json, shrink_model_on,
};
use secateur_report::shrunk_page;

use crate::args::model::{InspectFlags, ShrinkFlags, Sources};
use crate::commands::{Exit, check_target, data_dir, write_whole};
use crate::output::{note, result};
use crate::progress::{Manner, StepDisplay};
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

/// Refuses to write over what is read, or one result over another. The model itself may be replaced.
fn check_apart(flags: &ShrinkFlags, file: &ModelFile) -> Result<()> {
    let place = |path: &Path| match path.canonicalize() {
        Ok(place) => Some(place),
        Err(_) => {
            let whole = Path::new(".").join(path);
            let folder = whole.parent()?.canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        }
    };
    let is_same = |a: &Path, b: &Path| place(a).is_some_and(|a| Some(a) == place(b));
    let is_below = |a: &Path, b: &Path| {
        let (a, b) = (a.is_file().then(|| place(a)), b.is_dir().then(|| place(b)));
        matches!((a.flatten(), b.flatten()), (Some(a), Some(b)) if a.starts_with(&b))
    };
    let is_read = |path: &Path| {
        let mut given = flags.read();
        file.has_data_in(path) || given.any(|data| is_same(path, data) || is_below(path, data))
    };
    let page = flags.report.as_deref();
    let is_model = |page: &Path| is_same(page, &flags.model) || is_same(page, &flags.out);
    let clash = match page.filter(|page| is_model(page) || is_read(page)) {
        Some(page) => Some(("--report", page)),
        None => Some(("--out", flags.out.as_path())).filter(|(_, out)| is_read(out)),
    };
    let Some((flag, path)) = clash else {
        return Ok(());
    };
    let message = "this is the model, its data, an input or the other result";
    let error = Error::usage(message).at(format!("{flag} {}", path.display()));
    Err(error.hint("choose another name"))
}

/// Why nothing is repaired.
const NOT_NEEDED: &str =
    "not repaired: no unit went that weights read, so that there is nothing to give back";

/// What a model is repaired on, if it is.
fn inputs(
    flags: &ShrinkFlags,
    sources: &Sources,
    file: &ModelFile,
    data: Option<&ModelData>,
) -> Result<Option<RepairInputs>> {
    let Some(statistics) = &sources.statistics else {
        return flags.inputs(file);
    };
    let inputs = match data.filter(|_| sources.ranking == sources.statistics) {
        Some(data) => data.repair_inputs(file)?,
        None => ModelData::read(file, statistics, sources.rows, data_dir().as_deref())
            .map_err(without_targets)?
            .repair_inputs(file)?,
    };
    Ok(Some(flags.within_memory(inputs, file)?))
}

/// Says which flag names the page, where it cannot be written.
fn for_page(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Environment => {
            error.hint("nothing was written; choose a place that can be written: --report")
        }
        _ => error,
    }
}

/// Says that data without targets serve as well.
fn without_targets(error: Error) -> Error {
    let way = "inputs without targets, and models that cannot be trained here, take --repair DATA --repair-by statistics";
    let hint = match error.hint_text() {
        Some(hint) => format!("{hint}; {way}"),
        None => way.to_owned(),
    };
    error.hint(hint)
}

/// Removes units, verifies and writes.
///
/// # Errors
/// If the model cannot be read, the choice makes no sense, or the result cannot be verified or written.
pub(crate) fn shrink(flags: &ShrinkFlags) -> Result<Exit> {
    let choice = flags.choice()?;
    let sources = flags.sources()?;
    let target = check_target(&flags.out, flags.force)?;
    let page = flags
        .report
        .as_deref()
        .map(|path| check_target(path, flags.force).map_err(for_page))
        .transpose()?;
    let mut file = ModelFile::read(&flags.model)?;
    flags.size.apply(&mut file)?;
    check_apart(flags, &file)?;
    if !flags.input.is_empty() {
        file.verify_on(&flags.input)?;
    }
    let repair_by = flags.repair_by()?;
    if repair_by == RepairBy::Statistics {
        file.check_statistics()?;
    }
    let read = |config: &Config| {
        let config = &flags.scaled(config, &file)?;
        let data = ModelData::read(&file, config, sources.rows, data_dir().as_deref());
        match sources.ranking == sources.statistics {
            true => data.map_err(without_targets),
            false => data,
        }
    };
    let data = sources.ranking.as_ref().map(read).transpose()?;
    let inputs = inputs(flags, &sources, &file, data.as_ref())?;
    if let Some(inputs) = inputs.as_ref().filter(|_| flags.input.is_empty()) {
        file.verify_on_inputs(inputs)?;
    }
    // What would fail at the end fails before anything takes long.
    if data.is_some() || inputs.is_some() || matches!(choice.limit, Limit::Counted(_)) {
        file.verify_beforehand(choice.seed)?;
    }
    if let Some(inputs) = &inputs {
        inputs.verify_beforehand(&file)?;
    }
    let mut models = vec![];
    if let Some(data) = &data {
        models.push(("before", data.quality(file.graph())?));
    }
    let display = StepDisplay::new(Manner::new(false, flags.json));
    let tell = |step| display.show(step);
    let measured = match (choice.by.needs(), &data, &inputs) {
        (Needs::Gradients | Needs::Variances, Some(data), _) => {
            data.measured_for(choice.by, &file)?
        }
        (Needs::Covariances | Needs::Variances, _, Some(inputs)) => {
            inputs.measured_for(choice.by, &file, &tell)?
        }
        _ => Measured::default(),
    };
    let small = shrink_model_on(&file, &choice, &measured)?;
    if let Some(data) = &data {
        models.push(("units dropped", data.quality(&small.graph()?)?));
    }
    let is_exact = small.is_exact(&file);
    let small = match &inputs {
        Some(inputs) if !is_exact => small.repair(&file, inputs, repair_by, &tell)?,
        _ => small,
    };
    if let (Some(data), Some(_)) = (&data, small.repaired()) {
        models.push(("repaired", data.quality(&small.graph()?)?));
    }
    drop(display);
    if inputs.is_some() && is_exact {
        note(format_args!("note: {NOT_NEEDED}"));
    }
    if let Some(repair) = small.repaired() {
        repair
            .notes()
            .iter()
            .for_each(|odd| note(format_args!("note: {odd}")));
    }
    // Where the page cannot be written, there is no model either.
    if let Some(page) = &page {
        write_whole(page, shrunk_page(&small, &file).as_bytes()).map_err(for_page)?;
    }
    small.write(&target).inspect_err(|_| {
        if let Some(page) = &page {
            let _ = std::fs::remove_file(page);
        }
    })?;
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
    if let Some(repair) = small.repaired() {
        text += &format!("{repair}\n\n{}", shown(&repair.table()));
    }
    result(&text)?;
    note(format_args!("model: {}", flags.out.display()));
    if let Some(page) = &flags.report {
        note(format_args!("page: {}", page.display()));
    }
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
