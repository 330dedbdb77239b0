//! Inputs of whole numbers hold numbers of their type, and of the table that they look up.

use secateur_data::Rows;
use secateur_graph::{Graph, ValueId};

use crate::model::draw::table_rows;
use crate::{Error, ErrorKind, Result};

/// Refuses rows for an input of whole numbers that hold others, or what is beyond its type or the table that it looks up.
pub(super) fn check_whole(rows: &Rows, graph: &Graph, id: ValueId) -> Result<()> {
    let value = graph.value(id);
    let name = &value.name;
    let Some(element) = value.element.filter(|element| !element.is_float()) else {
        return Ok(());
    };
    let table = table_rows(graph, id);
    // Negative positions count from the end.
    let is_in = |v: f64| table.is_none_or(|rows| (-(rows as f64)..rows as f64).contains(&v));
    for row in 0..rows.count() {
        let (_, values) = rows.pick(&[row]);
        let mut values = values.iter().map(|&v| f64::from(v));
        let Some(odd) = values.find(|&v| !element.holds(v) || !is_in(v)) else {
            continue;
        };
        let known = rows.name(row);
        let row = known.map_or_else(|| format!("row {}", row + 1), str::to_owned);
        let (message, hint) = match (element.holds(odd), table) {
            (true, Some(table)) => (
                format!(
                    "'{name}' looks up a table of {table} rows, counted from 0, and {row} holds {odd}"
                ),
                "give numbers as the model was trained on them",
            ),
            _ => (
                format!(
                    "'{name}' takes whole numbers ({}), and {row} holds {odd}",
                    element.name()
                ),
                "give whole numbers; pixels stay what they are with --scale 255, without --mean and --std",
            ),
        };
        return Err(Error::new(ErrorKind::Input, message)
            .at("--repair")
            .hint(hint));
    }
    Ok(())
}
