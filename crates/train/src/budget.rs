//! Which units a network must lose to meet a budget of MACs.

use secateur_engine::Dense;
use secateur_graph::{ChannelGroups, Keep};
use secateur_prox::Inputs;

use crate::order::reading_group;
use crate::removal::Body;
use crate::{Error, Result};

/// Rows on which the spread of activations is measured.
const RANKING_ROWS: usize = 3072;

/// Share that a hidden layer keeps at least of what even narrowing would leave it. A layer that loses
/// units makes those of its neighbours cheap to keep, so greed alone can empty it.
pub(crate) const LEAST_OF_EVEN: f64 = 0.25;

/// The decision to drop the least useful units until at most `limit` MACs a row remain.
///
/// A unit's score is `std(activation) * norm2(outgoing) / sqrt(size)` per MAC that its removal frees at
/// the widths of that moment; units go greedily from the worst. Norms alone mislead: rows of inputs
/// that never vary keep their initial norm.
///
/// # Errors
/// If the least that layers keep is more than `limit`.
pub(crate) fn surplus(body: &mut Body, limit: u64, floor: usize) -> Result<Keep> {
    body.network.write_back(&mut body.graph)?;
    let groups = ChannelGroups::of(&body.graph)?;
    let spread = activation_spread(body)?;
    let layers = body.network.layers();
    let scores: Vec<Vec<f64>> = layers.iter().zip(&spread).map(scores).collect();
    let outputs = layers.last().map_or(0, Dense::outputs);
    let inputs_may_go = body
        .penalised
        .as_ref()
        .is_some_and(|p| p.settings().inputs != Inputs::Spared);
    let dropped = worst(&scores, outputs, limit, floor.max(1), inputs_may_go)?;
    let mut keep = Keep::all(&groups);
    for (layer, units) in layers.iter().zip(dropped) {
        if let Some(group) = reading_group(&groups, layer.weight_id()) {
            units
                .into_iter()
                .try_for_each(|unit| keep.drop(group, unit))?;
        }
    }
    Ok(keep)
}

/// The score of every unit that a layer reads, before it is divided by MACs.
fn scores((layer, spread): (&Dense, &Vec<f64>)) -> Vec<f64> {
    let rows = layer.weight().chunks_exact(layer.outputs());
    let size = layer.outputs() as f64;
    let norm = |row: &[f32]| {
        row.iter()
            .map(|&w| f64::from(w).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    rows.zip(spread)
        .map(|(row, s)| s * norm(row) / size.sqrt())
        .collect()
}

/// The units of each layer that go: inputs first, then hidden layers, by their scores.
fn worst(
    scores: &[Vec<f64>],
    outputs: usize,
    limit: u64,
    floor: usize,
    inputs_may_go: bool,
) -> Result<Vec<Vec<usize>>> {
    let mut widths: Vec<usize> = scores.iter().map(Vec::len).collect();
    widths.push(outputs);
    let macs = |w: &[usize]| w.windows(2).map(|p| (p[0] * p[1]) as u64).sum::<u64>();
    // Without inputs to drop the first layer shrinks only as fast as its units.
    let share = limit as f64 / macs(&widths).max(1) as f64;
    let even = if inputs_may_go { share.sqrt() } else { share };
    let least = |l: usize| match l {
        0 => floor,
        _ => ((scores[l].len() as f64 * even * LEAST_OF_EVEN).ceil() as usize).max(floor),
    };
    let mut queues: Vec<Vec<usize>> = scores.iter().map(|s| by_falling_score(s)).collect();
    let mut dropped = vec![vec![]; scores.len()];
    while macs(&widths) > limit {
        let next = (usize::from(!inputs_may_go)..queues.len())
            .filter(|&l| widths[l] > least(l))
            .filter_map(|l| {
                let made = if l > 0 { widths[l - 1] } else { 0 };
                let freed = (made + widths[l + 1]) as f64;
                queues[l].last().map(|&unit| (scores[l][unit] / freed, l))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some(unit) = next.and_then(|(_, l)| Some((l, queues[l].pop()?))) else {
            return Err(Error::settings(format!(
                "{limit} MACs a row cannot be reached: {} are left when every layer keeps its least",
                macs(&widths)
            ))
            .at("part")
            .hint("allow a larger budget or a lower floor"));
        };
        dropped[unit.0].push(unit.1);
        widths[unit.0] -= 1;
    }
    Ok(dropped)
}

/// Units by falling score, so that the worst is at the end; equal ones by falling position.
fn by_falling_score(scores: &[f64]) -> Vec<usize> {
    let mut units: Vec<usize> = (0..scores.len()).collect();
    units.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(b.cmp(&a)));
    units
}

/// Standard deviation over rows of every input and hidden unit, by layer that reads it.
fn activation_spread(body: &mut Body) -> Result<Vec<Vec<f64>>> {
    let counts: Vec<usize> = body.network.layers().iter().map(Dense::inputs).collect();
    let mut sums: Vec<Vec<(f64, f64)>> = counts.iter().map(|&n| vec![(0.0, 0.0); n]).collect();
    let total = RANKING_ROWS.min(body.rows.len());
    let mut start = 0;
    while start < total {
        let count = body.network.batch().min(total - start);
        let features = body.rows.features(start, count)?;
        body.network.forward(&features, count);
        for (l, sums) in sums.iter_mut().enumerate() {
            let values = match l {
                0 => &features[..],
                _ => &body.network.values(l - 1)[..count * counts[l]],
            };
            for row in values.chunks_exact(counts[l]) {
                for (sum, &v) in sums.iter_mut().zip(row) {
                    sum.0 += f64::from(v);
                    sum.1 += f64::from(v).powi(2);
                }
            }
        }
        start += count;
    }
    let n = total.max(1) as f64;
    let spread = |&(sum, squares): &(f64, f64)| (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
    Ok(sums
        .iter()
        .map(|layer| layer.iter().map(spread).collect())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(scores: &[Vec<f64>], limit: u64, inputs_may_go: bool) -> Vec<usize> {
        let dropped = worst(scores, 1, limit, 1, inputs_may_go).unwrap();
        scores
            .iter()
            .zip(dropped)
            .map(|(s, d)| s.len() - d.len())
            .collect()
    }

    #[test]
    fn the_worst_units_go_first() {
        let scores = vec![vec![5.0; 3], vec![3.0, 1.0, 4.0, 2.0]];
        // 3 * 4 + 4 = 16 MACs; each hidden unit frees 4.
        let dropped = worst(&scores, 1, 8, 1, false).unwrap();
        assert_eq!(dropped, [vec![], vec![1, 3]]);
    }

    #[test]
    fn greed_empties_no_layer() {
        // Units of the last layer free most, and the fewer there are the less the others free.
        let scores = vec![vec![1.0; 8], vec![1.0; 64], vec![1.0; 32]];
        let units = left(&scores, 648, true);
        assert_eq!(units[2], 4, "{units:?}");
        assert!(units[0] * units[1] + units[1] * units[2] + units[2] <= 648);
    }

    #[test]
    fn inputs_stay_where_they_are_spared_and_a_budget_may_be_out_of_reach() {
        let scores = vec![vec![0.0; 8], vec![1.0; 64], vec![1.0; 32]];
        assert_eq!(left(&scores, 648, false)[0], 8);
        let error = worst(&scores, 1, 8, 1, false).unwrap_err();
        assert!(
            error.to_string().contains("8 MACs a row cannot be reached"),
            "{error}"
        );
    }
}
