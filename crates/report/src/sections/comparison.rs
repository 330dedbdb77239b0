//! What the caller compared: claims, tables and pictures over arms and seeds.

use super::{time, trade_off, widths};
use crate::input::{Comparison, Table};
use crate::outline::{Block, Section};

/// Claims that are set out one by one; more go into a table.
const CARDS: usize = 6;

/// The section of a comparison.
pub(crate) fn section(comparison: &Comparison) -> Section {
    let mut blocks = vec![];
    if !comparison.notes.is_empty() {
        blocks.push(Block::List(comparison.notes.clone()));
    }
    let verdicts = comparison.verdicts.iter();
    let pairs: Vec<(String, String)> = verdicts
        .map(|v| (v.claim.clone(), v.words.clone()))
        .collect();
    match pairs.len() {
        0 => {}
        1..=CARDS => blocks.push(Block::Verdicts(pairs)),
        _ => {
            let rows = pairs.into_iter().map(|(claim, words)| vec![claim, words]);
            blocks.push(Block::Table(Table {
                title: "Claims".to_owned(),
                ..Table::of(&["claim", "what came out"], rows.collect())
            }));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Verdict;

    #[test]
    fn many_claims_are_a_table() {
        let of = |count| {
            section(&Comparison {
                verdicts: vec![Verdict::default(); count],
                ..Comparison::default()
            })
        };
        assert!(matches!(of(6).blocks[..], [Block::Verdicts(_)]));
        assert!(matches!(&of(7).blocks[..], [Block::Table(t)] if t.rows.len() == 7));
        assert!(of(0).blocks.is_empty());
    }
}
