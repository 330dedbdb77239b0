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
const LEAST_OF_EVEN: f64 = 0.25;

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
    let mut keep = Keep::all(&groups);
    let spread = activation_spread(body);
    let layers = body.network.layers();
    let inputs_may_go = body
        .penalised
        .as_ref()
        .is_some_and(|p| p.settings().inputs == Inputs::Penalised);
    let mut queues: Vec<Vec<(f64, usize)>> = layers
        .iter()
        .zip(&spread)
        .map(|(layer, spread)| {
            let rows = layer.weight().chunks_exact(layer.outputs());
            let mut queue: Vec<(f64, usize)> = rows
                .zip(spread)
                .map(|(row, s)| {
                    let mean = row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>()
                        / layer.outputs() as f64;
                    s * mean.sqrt()
                })
                .enumerate()
                .map(|(unit, score)| (score, unit))
                .collect();
            queue.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
            queue
        })
        .collect();
    let mut widths: Vec<usize> = layers.iter().map(Dense::inputs).collect();
    widths.push(layers.last().map_or(0, Dense::outputs));
    let macs = |w: &[usize]| w.windows(2).map(|p| (p[0] * p[1]) as u64).sum::<u64>();
    // Without inputs to drop the first layer shrinks only as fast as its units.
    let share = limit as f64 / macs(&widths).max(1) as f64;
    let even = if inputs_may_go { share.sqrt() } else { share };
    let least: Vec<usize> = widths
        .iter()
        .enumerate()
        .map(|(l, &width)| match l {
            0 => floor.max(1),
            _ => ((width as f64 * even * LEAST_OF_EVEN).ceil() as usize).max(floor.max(1)),
        })
        .collect();
    while macs(&widths) > limit {
        let first = usize::from(!inputs_may_go);
        let worst = (first..queues.len())
            .filter(|&l| widths[l] > least[l])
            .filter_map(|l| {
                let made = if l > 0 { widths[l - 1] } else { 0 };
                let freed = (made + widths[l + 1]) as f64;
                queues[l].last().map(|&(score, _)| (score / freed, l))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, l)) = worst else {
            let least = macs(&widths);
            return Err(Error::settings(format!(
                "{limit} MACs a row cannot be reached: {least} are left when every layer keeps its least"
            ))
            .at("part")
            .hint("allow a larger budget or a lower floor"));
        };
        if let (Some((_, unit)), Some(group)) = (
            queues[l].pop(),
            reading_group(&groups, layers[l].weight_id()),
        ) {
            keep.drop(group, unit)?;
            widths[l] -= 1;
        }
    }
    Ok(keep)
}

/// Standard deviation over rows of every input and hidden unit, by layer that reads it.
fn activation_spread(body: &mut Body) -> Vec<Vec<f64>> {
    let counts: Vec<usize> = body.network.layers().iter().map(Dense::inputs).collect();
    let mut sums: Vec<Vec<(f64, f64)>> = counts.iter().map(|&n| vec![(0.0, 0.0); n]).collect();
    let total = RANKING_ROWS.min(body.rows.len());
    let mut start = 0;
    while start < total {
        let count = body.network.batch().min(total - start);
        let features = body.rows.features(start, count);
        body.network.forward(features, count);
        for (l, sums) in sums.iter_mut().enumerate() {
            let values = match l {
                0 => features,
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
    sums.iter()
        .map(|layer| layer.iter().map(spread).collect())
        .collect()
}
