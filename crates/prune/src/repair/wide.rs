//! What readers of the wide network read and make, in one pass.

use secateur_graph::{Graph, ValueId};

use super::lockstep::{Batch, Effort, Runner, Step};
use super::samples::{ByChannel, Positions, Spread};
use super::site::Site;
use super::taps::Taps;
use crate::{Error, Result};

/// What a reader of the wide network reads and makes.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Those of the node that is run first, by batch.
    pub(crate) positions: Vec<Positions>,
    /// All channels at those positions, by batch, and behind them those that other nodes read through the same weights.
    pub(crate) read: Vec<Vec<f32>>,
    /// Mean and variance of each channel that is made, over the first batches, where that is one value.
    pub(crate) made: ByChannel,
}

/// Runs the network once over all batches. Means are those of the first `known`.
pub(crate) fn measured(
    wide: &Graph,
    sites: &[Site],
    batches: &[&Batch],
    known: usize,
    effort: Effort,
    runner: &dyn Runner,
) -> Result<Vec<Measured>> {
    if sites.is_empty() {
        return Ok(vec![]);
    }
    let values = |site: &Site| -> Vec<ValueId> {
        let read = site.uses().map(|one| one.read.0);
        read.chain(site.made.map(|(made, _)| made)).collect()
    };
    let wanted: Vec<ValueId> = sites.iter().flat_map(values).collect();
    let network = Taps::of(wide, &wanted, runner)?;
    let mut all: Vec<Measured> = sites
        .iter()
        .map(|_| Measured {
            positions: vec![],
            read: vec![],
            made: (vec![], vec![]),
        })
        .collect();
    let mut made = vec![Spread::default(); sites.len()];
    for (number, batch) in batches.iter().enumerate() {
        runner.at(Step {
            doing: "measuring what layers made",
            done: number,
            of: batches.len(),
        });
        let values = network.run(batch)?;
        let mut values = values.iter();
        let mut place = 0;
        for ((measured, made), site) in all.iter_mut().zip(&mut made).zip(sites) {
            let mut read = vec![];
            for (one, value) in site.uses().zip(&mut values) {
                let count = one.view.positions(value, one.read.1);
                let positions = effort.drawn(count, site.width, (place, number), batches.len());
                read.extend(one.view.at(value, one.read.1, &positions));
                if one.node == site.first.node {
                    measured.positions.push(positions);
                }
                place += 1;
            }
            measured.read.push(read);
            if let Some((_, axis)) = site.made
                && let Some(value) = values.next()
                && number < known
            {
                made.add(value, axis);
            }
        }
    }
    for ((measured, made), site) in all.iter_mut().zip(made).zip(sites) {
        measured.made = made.of();
        if !measured.made.1.iter().all(|v| v.is_finite()) {
            return Err(Error::not_finite(&site.name));
        }
    }
    Ok(all)
}
