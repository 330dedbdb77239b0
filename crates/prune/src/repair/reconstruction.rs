//! What is a unit worth, once the others have made up for it as well as they can?

use faer::Mat;
use rayon::prelude::*;
use secateur_graph::{ChannelGroups, Graph, GroupId, ValueId};

use super::greedy::{Reader, greedy};
use super::lockstep::{Batch, Effort, Parts, Runner, Step};
use super::memory::{ranked_at_once, solving_bytes};
use super::moments::{About, Moments};
use super::readers::{Through, readers};
use super::samples::{Activation, Spread};
use super::taps::Taps;
use crate::{Error, Result};

/// Of the variances of what is read: what is known of these is that of some thousand positions of some hundred inputs.
const RIDGE: f64 = 0.3;
/// Share by which what a reader makes is moved towards what it makes of another input, to see how much outputs answer.
const DISTURBANCE: f64 = 0.1;
/// Inputs on which that is seen.
const SEEN_ON: usize = 24;
/// A unit that stays in any case is worth so many times the dearest of the others.
const LAST: f64 = 2.0;

/// What every unit of every group is worth: the distance of the outputs of a network, as a share of their variance, that giving it up adds
/// once those before it are gone, as the errors of the readers at hand and how much outputs answer to these tell. The order is found on the
/// part to fit on, and what it costs on the part to choose on. Units of a group that no reader mixes are worth more than all others.
///
/// # Errors
/// If the network cannot be run, or an activation is not finite.
pub fn reconstruction(
    graph: &Graph,
    groups: &ChannelGroups,
    parts: Parts<'_>,
    effort: Effort,
    runner: &dyn Runner,
) -> Result<Vec<Vec<f64>>> {
    let mut readers = readers(graph, groups);
    // How outputs answer to what stays inside a node is not seen.
    readers.retain(|through| !through.layout.is_hidden());
    let (measured, variances) = measured(graph, &readers, parts, effort, runner)?;
    let answers = answers(graph, (&readers, &measured), &variances, parts.fit, runner)?;
    let ids: Vec<GroupId> = groups.iter().map(|(id, _)| id).collect();
    let of_group = |&id: &GroupId| match groups.group(id).is_free() {
        true => worth(graph, groups, id, &readers, (&measured, &answers)),
        false => Ok(None),
    };
    let mut all: Vec<Option<Vec<f64>>> = vec![];
    let each = readers
        .iter()
        .map(|reader| solving_bytes(graph, reader))
        .max();
    let at_once = ranked_at_once(
        each.unwrap_or(0),
        effort.memory,
        rayon::current_num_threads(),
    );
    for some in ids.chunks(at_once) {
        runner.at(Step {
            doing: "ranking units",
            done: all.len(),
            of: ids.len(),
        });
        let own = some.par_iter().map(of_group).collect::<Result<Vec<_>>>()?;
        all.extend(own);
    }
    let dearest = all.iter().flatten().flatten().copied().fold(0.0, f64::max);
    let units = groups.groups().iter().map(|g| g.units);
    let unknown = |n: usize| vec![LAST * f64::max(dearest, f64::MIN_POSITIVE); n];
    Ok(all
        .into_iter()
        .zip(units)
        .map(|(own, n)| own.unwrap_or_else(|| unknown(n)))
        .collect())
}

/// What a reader reads and makes on some inputs.
struct Measured {
    /// Of what it reads, about the means, on what is fitted on.
    covariance: Mat<f64>,
    /// The same on what is chosen on.
    held_out: Mat<f64>,
    /// Means of what it makes, by channel.
    means: Vec<f64>,
    /// Variance of what it makes, all channels together.
    variance: f64,
}

/// What is measured of each reader, and the variance of each output.
fn measured(
    graph: &Graph,
    readers: &[Through<'_>],
    parts: Parts<'_>,
    effort: Effort,
    runner: &dyn Runner,
) -> Result<(Vec<Measured>, Vec<f64>)> {
    let wanted = readers.iter().flat_map(|r| [r.read.0, r.made.0]);
    let wanted: Vec<ValueId> = wanted.chain(graph.outputs().iter().copied()).collect();
    let mut outputs = vec![Spread::default(); graph.outputs().len()];
    let network = Taps::of(graph, &wanted, runner)?;
    let plain = |r: &Through<'_>| [0; 2].map(|_| Moments::new(0, r.width, About::Means));
    let mut all: Vec<[Moments; 2]> = readers.iter().map(plain).collect();
    let count = parts.fit.len() + parts.choose.len();
    let mut spreads = vec![Spread::default(); readers.len()];
    for (number, batch) in parts.fit.iter().chain(parts.choose).enumerate() {
        runner.at(Step {
            doing: "measuring what layers read",
            done: number,
            of: count,
        });
        let is_held_out = number >= parts.fit.len();
        let made = network.run(batch)?;
        let values: Vec<&Activation> = made.iter().collect();
        let (values, made) = values.split_at(2 * readers.len());
        for (spread, output) in outputs.iter_mut().zip(made) {
            spread.add(&output.flat(), 1);
        }
        for (place, (pair, reader)) in values.chunks_exact(2).zip(readers).enumerate() {
            let [read, made] = pair else { continue };
            let there = reader.view.positions(read, reader.read.1);
            let positions = effort.drawn(there, reader.width, (place, number), count);
            let moments = &mut all[place][usize::from(is_held_out)];
            moments.add(&[], &reader.view.at(read, reader.read.1, &positions))?;
            spreads[place].add(made, reader.made.1);
        }
    }
    let each = all.into_iter().zip(spreads).zip(readers);
    let each = each.map(|((moments, spread), reader)| {
        let (means, variances) = spread.of();
        if !variances.iter().all(|v| v.is_finite()) {
            return Err(Error::not_finite(&reader.node.name));
        }
        let [covariance, held_out] = moments.map(|m| m.own());
        Ok(Measured {
            covariance,
            held_out,
            means,
            variance: variances.into_iter().sum(),
        })
    });
    let variances = outputs
        .into_iter()
        .map(|spread| spread.of().1.first().copied().unwrap_or(0.0));
    Ok((each.collect::<Result<_>>()?, variances.collect()))
}

/// How far outputs move, as a share of their variance, for what a reader makes moving by a share of its own.
fn answers(
    graph: &Graph,
    (readers, measured): (&[Through<'_>], &[Measured]),
    variances: &[f64],
    inputs: &[Batch],
    runner: &dyn Runner,
) -> Result<Vec<f64>> {
    let rows = |batch: &Batch| {
        batch
            .first()
            .and_then(|x| x.shape.first().copied())
            .unwrap_or(1)
    };
    let mut some = vec![];
    let mut count = 0;
    for batch in inputs.iter().take_while(|batch| {
        let more = count < SEEN_ON;
        count += rows(batch);
        more
    }) {
        some.push(batch);
    }
    let outputs = graph.outputs();
    let made: Vec<ValueId> = readers.iter().map(|r| r.made.0).collect();
    let wanted: Vec<ValueId> = outputs.iter().chain(&made).copied().collect();
    let whole = Taps::of(graph, &wanted, runner)?;
    let before = some
        .iter()
        .map(|batch| Ok(whole.run(batch)?.iter().cloned().collect()));
    let before: Vec<Vec<Activation>> = before.collect::<Result<_>>()?;
    let numbers = |at: usize| {
        before
            .iter()
            .filter_map(|m| m.get(at))
            .map(|a| a.values.len())
            .sum::<usize>()
    };
    let variances = variances
        .iter()
        .enumerate()
        .map(|(at, v)| v * numbers(at) as f64);
    let variances: Vec<f64> = variances.collect();
    let mut all = vec![];
    for (place, (reader, measured)) in readers.iter().zip(measured).enumerate() {
        runner.at(Step {
            doing: "measuring how much outputs answer to layers",
            done: place,
            of: readers.len(),
        });
        let mut given = graph.inputs().to_vec();
        given.push(reader.made.0);
        let part = graph.segment(&given, outputs)?;
        let network = runner.compile(&part)?;
        let mut moved = vec![0.0; outputs.len()];
        let (mut disturbance, mut variance) = (0.0, 0.0);
        for (at, (batch, own)) in some.iter().zip(&before).enumerate() {
            let made = outputs.len() + place;
            let next = &before[(at + 1) % before.len()][made];
            let means = &measured.means;
            let other = disturbed(&own[made], next, (reader.made.1, means));
            disturbance += squared_distance(&other, &own[made]);
            variance += measured.variance * (other.values.len() / means.len()) as f64;
            let value = |id: &ValueId| match *id == reader.made.0 {
                true => Some(&other),
                false => graph
                    .inputs()
                    .iter()
                    .position(|own| own == id)
                    .and_then(|at| batch.get(at)),
            };
            let inputs: Vec<&Activation> = part.inputs().iter().filter_map(value).collect();
            let after = network.run(&inputs)?;
            for (at, (a, b)) in own.iter().zip(&after).enumerate() {
                moved[at] += squared_distance(a, b);
            }
        }
        let each = moved.iter().zip(&variances).filter(|(_, v)| **v > 0.0);
        let shares: Vec<f64> = each.map(|(m, v)| m / v).collect();
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        all.push(match disturbance > 0.0 {
            true => mean * variance / disturbance,
            false => 0.0,
        });
    }
    Ok(all)
}

fn squared_distance(a: &Activation, b: &Activation) -> f64 {
    let pairs = a.values.iter().zip(&b.values);
    pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// What is made of each input, moved by a share of how far what is made of the next one, with these values, is from the means: what a reader
/// gets wrong is wrong alike at places that are alike, which a mean over places does not level out as it does noise.
fn disturbed(
    own: &Activation,
    next: &Activation,
    (channels, means): (usize, &[f64]),
) -> Activation {
    let inner: usize = own.shape[channels + 1..].iter().product();
    let of_row: usize = own.shape[1..].iter().product();
    let mut moved = own.clone();
    let others = next.values.chunks_exact(of_row.max(1)).cycle().skip(1);
    for (row, other) in moved.values.chunks_exact_mut(of_row.max(1)).zip(others) {
        for (at, (value, other)) in row.iter_mut().zip(other).enumerate() {
            let mean = means[at / inner.max(1) % means.len()];
            *value += (DISTURBANCE * (f64::from(*other) - mean)) as f32;
        }
    }
    moved
}

/// What the units of a group are worth; none where nothing mixes them.
fn worth(
    graph: &Graph,
    groups: &ChannelGroups,
    id: GroupId,
    readers: &[Through<'_>],
    (measured, answers): (&[Measured], &[f64]),
) -> Result<Option<Vec<f64>>> {
    let group = groups.group(id);
    let mut own = vec![];
    for ((through, measured), answer) in readers.iter().zip(measured).zip(answers) {
        let end = through.read;
        let Some(held) = group.activations.iter().find(|a| (a.value, a.axis) == end) else {
            continue;
        };
        let Some(weights) = graph.constant(through.weights) else {
            continue;
        };
        let shape = weights.shape();
        let sizes = through.layout.sizes(shape);
        let each = through.layout.of_channel(shape);
        let matrices = through.layout.matrices(shape, &weights.numbers());
        // Where offsets of a window share the channels, each reads them elsewhere: their sum is taken for what the reader makes.
        let share = answer / f64::max(measured.variance, f64::MIN_POSITIVE);
        for (part, matrix) in matrices.iter().enumerate() {
            let first = part * sizes.inputs;
            let columns: Vec<Vec<usize>> = (0..group.units)
                .map(|unit| {
                    let units = held.unit_of.iter().step_by(through.layout.fold);
                    let units = units.flat_map(|unit| std::iter::repeat_n(unit, each));
                    let own = units.skip(first).take(sizes.inputs).enumerate();
                    own.filter(|(_, u)| **u == Some(unit as u32))
                        .map(|(at, _)| at)
                        .collect()
                })
                .collect();
            if columns.iter().all(Vec::is_empty) {
                continue;
            }
            let covariance =
                measured
                    .covariance
                    .submatrix(first, first, sizes.inputs, sizes.inputs);
            let reader = Reader::new(matrix.as_ref(), covariance, columns, RIDGE, share)?;
            let held_out = measured
                .held_out
                .submatrix(first, first, sizes.inputs, sizes.inputs);
            own.push(reader.held_to(held_out)?);
        }
    }
    if own.is_empty() {
        return Ok(None);
    }
    let gone = greedy(&mut own, group.units, 1);
    let mut worth = vec![f64::NAN; group.units];
    let costs: Vec<f64> = gone.iter().map(|(_, cost)| *cost).collect();
    // Each is worth a little more than the one before it, so that sorting keeps the order.
    let mut before: f64 = 0.0;
    for ((unit, _), cost) in gone.into_iter().zip(rising(&costs)) {
        before = f64::max(cost, before * (1.0 + 1e-12)).max(f64::MIN_POSITIVE);
        worth[unit] = before;
    }
    let last = LAST * f64::max(before, f64::MIN_POSITIVE);
    worth
        .iter_mut()
        .filter(|w| w.is_nan())
        .for_each(|w| *w = last);
    Ok(Some(worth))
}

/// The rising numbers nearest to these, by squares: neighbours that fall share their mean (pool adjacent violators, Ayer et al. 1955).
fn rising(numbers: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = vec![];
    for &number in numbers {
        pools.push((number, 1));
        while let [.., (a, n), (b, m)] = pools[..]
            && b < a
        {
            pools.truncate(pools.len() - 2);
            pools.push(((a * n as f64 + b * m as f64) / (n + m) as f64, n + m));
        }
    }
    pools
        .into_iter()
        .flat_map(|(mean, count)| std::iter::repeat_n(mean, count))
        .collect()
}

#[cfg(test)]
mod tests;
