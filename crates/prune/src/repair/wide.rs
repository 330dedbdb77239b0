//! What readers of the wide network read and make, in one pass.

use secateur_graph::Graph;

use super::lockstep::{Batch, Effort, Runner, Step};
use super::samples::{Activation, ByChannel, Positions, Spread};
use super::site::Site;
use super::taps::Taps;
use crate::{Error, Result};

/// What a reader of the wide network reads and makes.
#[derive(Debug)]
pub(crate) struct Measured {
    /// By batch.
    pub(crate) positions: Vec<Positions>,
    /// All channels at those positions, by batch.
    pub(crate) read: Vec<Vec<f32>>,
    /// Mean and variance of each channel that is made, over the first batches.
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
    let wanted: Vec<_> = sites.iter().flat_map(|s| [s.read.0, s.made.0]).collect();
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
        let made_of_batch = network.run(batch)?;
        let values: Vec<&Activation> = made_of_batch.iter().collect();
        let pairs = values.chunks_exact(2).zip(sites);
        for (place, (pair, site)) in pairs.enumerate() {
            let [read, out] = pair else { continue };
            let count = site.view.positions(read, site.read.1);
            let positions = effort.drawn(count, site.width, (place, number), batches.len());
            all[place]
                .read
                .push(site.view.at(read, site.read.1, &positions));
            all[place].positions.push(positions);
            if number < known {
                made[place].add(out, site.made.1);
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
