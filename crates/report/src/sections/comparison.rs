//! What the caller compared: claims, tables and pictures over arms and seeds.

use super::{time, trade_off, widths};
use crate::input::Comparison;
use crate::outline::{Block, Section};

/// The section of a comparison.
pub(crate) fn section(comparison: &Comparison) -> Section {
    let mut blocks = vec![];
    if !comparison.notes.is_empty() {
        blocks.push(Block::List(comparison.notes.clone()));
    }
    if !comparison.verdicts.is_empty() {
        let verdicts = comparison.verdicts.iter();
        let pairs = verdicts.map(|v| (v.claim.clone(), v.words.clone()));
        blocks.push(Block::Verdicts(pairs.collect()));
    }
    blocks.extend(comparison.tables.iter().cloned().map(Block::Table));
    let pictures = comparison.trade_offs.iter().map(trade_off::figure);
    let pictures = pictures.chain(comparison.widths.iter().map(widths::figure));
    blocks.extend(pictures.map(Block::Figure));
    if !comparison.times.is_empty() {
        let figure = time::figure("Where the time of each arm went", &comparison.times);
        blocks.push(Block::Figure(figure));
    }
    Section {
        id: "comparison".to_owned(),
        title: comparison.title.clone(),
        blocks,
        ..Section::default()
    }
}
