//! The folder of a comparison: finished cells, a line each, so that none is ever run twice.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::data::DataChoice;
use super::grid::{Grid, Unit};
use crate::folder::in_use;
use crate::report::FORMAT;
use crate::whole_file::{is_half, write_whole};
use crate::{Config, Error, ErrorKind, Result};

const HEAD: &str = "comparison.json";
const CELLS: &str = "cells.jsonl";

/// What all cells of a folder share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// What the files mean.
    pub format: u32,
    /// Version of the program.
    pub secateur: String,
    /// The settings that no arm sets.
    pub shared: Config,
    /// Where the data were read, by name.
    pub data: Vec<DataChoice>,
}

impl Head {
    /// Of a grid that is about to be run.
    pub fn of(grid: &Grid) -> Self {
        Self {
            format: FORMAT,
            secateur: env!("CARGO_PKG_VERSION").into(),
            shared: grid.shared.clone(),
            data: grid.data.clone(),
        }
    }
}

/// The cells of one or several folders of the same comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What they share.
    pub head: Head,
    /// In no particular order, none twice.
    pub cells: Vec<Cell>,
}

impl Comparison {
    /// Reads folders of the same comparison, such as its shards.
    ///
    /// # Errors
    /// If a folder cannot be read, was written by another version, has other shared settings, or other data
    /// under the same name.
    pub fn read(folders: &[PathBuf]) -> Result<Self> {
        let mut joined: Option<Self> = None;
        for folder in folders {
            let (head, cells, _) = read(folder)?;
            let into = joined.get_or_insert_with(|| Self {
                head: head.clone(),
                cells: vec![],
            });
            same(&into.head, &head, folder)?;
            for data in head.data {
                if !into.head.data.contains(&data) {
                    into.head.data.push(data);
                }
            }
            for cell in cells {
                if !into.cells.iter().any(|c| c.unit == cell.unit) {
                    into.cells.push(cell);
                }
            }
        }
        let joined = joined.ok_or_else(|| Error::usage("no folder is given").at("--merge"))?;
        one_fingerprint_a_name(&joined.cells)?;
        Ok(joined)
    }
}

impl Comparison {
    /// A line of JSON for each cell.
    ///
    /// # Errors
    /// Never in practice: every number has a place in JSON.
    pub fn to_json_lines(&self) -> Result<String> {
        self.cells.iter().map(line).collect()
    }
}

/// A folder that takes cells as they finish.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    file: File,
    cells: Vec<Cell>,
}

impl Store {
    /// The cells that are finished in a folder, which need not be there yet; changes nothing.
    ///
    /// # Errors
    /// If it cannot be read, holds something else, or another comparison.
    pub fn finished(folder: &Path, grid: &Grid) -> Result<Vec<Cell>> {
        Ok(look(folder, grid)?.0)
    }

    /// Makes the folder, or goes on with one of the same shared settings. No other process writes in it as long as this lives.
    ///
    /// # Errors
    /// As [`Store::finished`], and if it cannot be written, or another process writes in it.
    pub fn open(folder: &Path, grid: &Grid) -> Result<Self> {
        look(folder, grid)?;
        let head = Head::of(grid);
        let path = folder.join(HEAD);
        let io = |e: std::io::Error| Error::io(folder, &e);
        fs::create_dir_all(folder).map_err(io)?;
        let text = serde_json::to_string_pretty(&head)
            .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))?;
        write_whole(&path, (text + "\n").as_bytes()).map_err(io)?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(CELLS))
            .map_err(io)?;
        // Unlocked when it is closed, however the process ends.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(folder)),
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        let (cells, whole) = look(folder, grid)?;
        // A line that a crash cut off is no cell.
        file.set_len(whole).map_err(io)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            file,
            cells,
        })
    }

    /// The cell of a unit, if it is finished.
    pub fn cell(&self, unit: &Unit) -> Option<&Cell> {
        self.cells.iter().find(|c| c.unit == *unit)
    }

    /// The finished cells.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Keeps a finished cell; it is on disk when this returns.
    ///
    /// # Errors
    /// If the line cannot be written, or the data under this name have changed.
    pub fn add(&mut self, cell: Cell) -> Result<()> {
        let path = self.folder.join(CELLS);
        let line = line(&cell)?;
        self.cells.push(cell);
        one_fingerprint_a_name(&self.cells)?;
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|e| Error::io(&path, &e))
    }
}

fn line(cell: &Cell) -> Result<String> {
    let text = serde_json::to_string(cell)
        .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()))?;
    Ok(text + "\n")
}

/// The cells of a folder that may take those of a grid, and the bytes that whole lines take.
fn look(folder: &Path, grid: &Grid) -> Result<(Vec<Cell>, u64)> {
    if folder.join(HEAD).exists() {
        let (before, cells, whole) = read(folder)?;
        same(&before, &Head::of(grid), folder)?;
        return Ok((cells, whole));
    }
    // A crash at the first moment leaves a head that is not whole, under a name of its own.
    let is_other =
        |entry: std::io::Result<fs::DirEntry>| entry.is_ok_and(|e| !is_half(&e.file_name()));
    if folder.is_file()
        || fs::read_dir(folder).is_ok_and(|entries| entries.into_iter().any(is_other))
    {
        return Err(
            Error::usage("this is something else than the folder of a comparison")
                .at(folder.display().to_string())
                .hint("choose another with --out"),
        );
    }
    Ok((vec![], 0))
}

/// The head of a folder, its cells, and the bytes that whole lines take.
fn read(folder: &Path) -> Result<(Head, Vec<Cell>, u64)> {
    let damaged = |name: &str, message: String| {
        Error::new(ErrorKind::Input, message)
            .at(folder.join(name).display().to_string())
            .hint(
                "the folder is incomplete or no comparison: run compare again with the same --out",
            )
    };
    let text = |name: &str| {
        fs::read_to_string(folder.join(name)).map_err(|e| damaged(name, e.to_string()))
    };
    let head = text(HEAD)?;
    let value: serde_json::Value =
        serde_json::from_str(&head).map_err(|e| damaged(HEAD, e.to_string()))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let version = value.get("secateur").and_then(|v| v.as_str());
        return Err(Error::new(
            ErrorKind::Input,
            format!(
                "written by secateur {} in format {}; this version reads format {FORMAT}",
                version.unwrap_or("of an unknown version"),
                format.map_or("unknown".into(), |f| f.to_string()),
            ),
        )
        .at(folder.display().to_string())
        .hint("run the comparison again in another folder: --out"));
    }
    let head = serde_json::from_str(&head).map_err(|e| damaged(HEAD, e.to_string()))?;
    let lines = match folder.join(CELLS).exists() {
        true => text(CELLS)?,
        false => String::new(),
    };
    let whole = lines.rfind('\n').map_or(0, |end| end + 1);
    let cells = lines[..whole]
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|e| damaged(CELLS, e.to_string())))
        .collect::<Result<_>>()?;
    Ok((head, cells, whole as u64))
}

/// Refuses to set runs under unlike settings beside each other.
fn same(one: &Head, other: &Head, folder: &Path) -> Result<()> {
    let refuse = |what: String| {
        Err(Error::usage(what)
            .at(folder.display().to_string())
            .hint("choose another folder with --out, or give the settings that it was begun with"))
    };
    if one.shared != other.shared {
        let (a, b) = (one.shared.to_toml()?, other.shared.to_toml()?);
        let lines = |of: &str, without: &str| -> String {
            let own: Vec<&str> = of
                .lines()
                .filter(|l| !without.lines().any(|m| m == *l))
                .collect();
            own.join(", ")
        };
        return refuse(format!(
            "this comparison has other settings ({}) than asked for ({})",
            lines(&a, &b),
            lines(&b, &a)
        ));
    }
    for data in &other.data {
        if let Some(before) = one.data.iter().find(|d| d.name == data.name)
            && before != data
        {
            return refuse(format!(
                "'{}' was {} there, and is {} here",
                data.name, before.path, data.path
            ));
        }
    }
    Ok(())
}

fn one_fingerprint_a_name(cells: &[Cell]) -> Result<()> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for cell in cells {
        let first = seen.entry(&cell.unit.data).or_insert(&cell.fingerprint);
        if **first != cell.fingerprint {
            return Err(Error::new(
                ErrorKind::Input,
                format!("two different data sets are called '{}'", cell.unit.data),
            )
            .hint("give one of them another name: --data NAME=PATH; or run all of it on the same data"));
        }
    }
    Ok(())
}
