//! The units of a chain of dense layers by how little they are of use.

use secateur_engine::Dense;
use secateur_graph::{ChannelGroups, GroupId};
use secateur_prox::{Inputs, Quantity};

use super::ranked::{Order, Ranked, Units};
use crate::Result;
use crate::order::reading_group;
use crate::removal::Body;
use crate::settings::Widths;

/// Rows on which the spread of activations is measured.
const RANKING_ROWS: usize = 3072;

/// Share that a hidden layer keeps of what even narrowing would leave it, as long as the limit can be met so. A layer that loses
/// units makes those of its neighbours cheap to keep, so greed alone can come near to emptying it.
const LEAST_OF_EVEN: f64 = 0.25;

/// The inputs, then the units of each hidden layer.
#[derive(Debug)]
pub(crate) struct ChainUnits {
    of: Quantity,
    /// By layer that reads them: where they belong, none where they cannot go; and what each adds to the variance of what is read.
    layers: Vec<(Option<GroupId>, Vec<f64>)>,
    /// Which layers have a bias.
    has_bias: Vec<bool>,
    outputs: usize,
    inputs_may_go: bool,
}

impl Body {
    /// The network with its units ranked by their share of the variance of what their layer gives to the next one, as far as units
    /// vary by themselves: `(std(activation) * norm2(outgoing))^2`, over the sum of it. Norms alone mislead: rows of inputs that
    /// never vary keep their initial norm.
    ///
    /// # Errors
    /// If the network cannot be run or grouped.
    pub(crate) fn ranked(&mut self, of: Quantity, widths: Widths) -> Result<Ranked> {
        self.network.write_back(&mut self.graph)?;
        let groups = ChannelGroups::of(&self.graph)?;
        let spread = activation_spread(self)?;
        let layers = self.network.layers();
        let all = layers.iter().zip(&spread).map(|(layer, spread)| {
            (
                reading_group(&groups, layer.weight_id()),
                variances(layer, spread),
            )
        });
        let units = ChainUnits {
            of,
            layers: all.collect(),
            has_bias: layers.iter().map(|l| l.bias_id().is_some()).collect(),
            outputs: layers.last().map_or(0, Dense::outputs),
            inputs_may_go: self
                .penalised
                .as_ref()
                .is_some_and(|p| p.settings().inputs != Inputs::Spared),
        };
        Ok(Ranked {
            graph: self.graph.clone(),
            groups,
            of,
            widths,
            units: Units::Chain(units),
        })
    }
}

impl ChainUnits {
    /// Units greedily from the worst, as many together as a multiple takes, by their share of what is left of their layer per
    /// multiply-add or parameter that their removal frees at the widths of that moment: the fewer are left, the more each is worth.
    pub(crate) fn order(&self, limit: u64, allowed: Widths) -> Order {
        let mut widths: Vec<usize> = self.layers.iter().map(|(_, s)| s.len()).collect();
        widths.push(self.outputs);
        let least = self.least(limit as f64 / self.count(&widths).max(1) as f64);
        let mut queues: Vec<Vec<usize>> = self
            .layers
            .iter()
            .map(|(_, s)| by_falling_score(s))
            .collect();
        let mut left: Vec<f64> = self.layers.iter().map(|(_, s)| s.iter().sum()).collect();
        let mut units = vec![];
        let mut guess = None;
        loop {
            if guess.is_none() && self.count(&widths) <= limit {
                guess = Some(units.len());
            }
            let worst = |least: &dyn Fn(usize) -> usize| {
                let layers = usize::from(!self.inputs_may_go)..queues.len();
                let of_layer = layers.filter_map(|l| {
                    let (group, variances) = &self.layers[l];
                    let next = allowed.next_to_go(widths[l], least(l))?;
                    let go = &queues[l][widths[l] - next..];
                    let variance: f64 = go.iter().map(|&unit| variances[unit]).sum();
                    let share = variance / left[l].max(f64::MIN_POSITIVE);
                    let freed = next as f64 * self.freed(&widths, l);
                    Some((share / freed, l, (*group)?, next))
                });
                of_layer.min_by(|a, b| a.0.total_cmp(&b.0))
            };
            let next = worst(&|l| least[l]).or_else(|| worst(&|_| 1));
            let Some((_, layer, group, next)) = next else {
                break;
            };
            for _ in 0..next {
                let Some(unit) = queues[layer].pop() else {
                    break;
                };
                left[layer] -= self.layers[layer].1[unit];
                widths[layer] -= 1;
                units.push((group, unit));
            }
        }
        Order {
            guess: guess.unwrap_or(units.len()),
            units,
        }
    }

    /// What each layer keeps as long as others can still lose units, where a share of all may be left.
    fn least(&self, share: f64) -> Vec<usize> {
        // Without inputs to drop the first layer shrinks only as fast as its units.
        let even = if self.inputs_may_go {
            share.sqrt()
        } else {
            share
        };
        let layers = self.layers.iter().enumerate();
        let least = layers.map(|(l, (_, units))| match l {
            0 => 1,
            _ => (units.len() as f64 * even * LEAST_OF_EVEN).ceil() as usize,
        });
        least.collect()
    }

    fn count(&self, widths: &[usize]) -> u64 {
        let layers = widths.windows(2).zip(&self.has_bias);
        let of_layer = layers.map(|(w, &has_bias)| match self.of {
            Quantity::Macs => w[0] * w[1],
            Quantity::Params => w[0] * w[1] + if has_bias { w[1] } else { 0 },
        });
        of_layer.map(|n| n as u64).sum()
    }

    /// What goes with a unit that layer `l` reads.
    fn freed(&self, widths: &[usize], l: usize) -> f64 {
        let made = if l > 0 { widths[l - 1] } else { 0 };
        let bias = self.of == Quantity::Params && l > 0 && self.has_bias[l - 1];
        (made + widths[l + 1] + usize::from(bias)) as f64
    }
}

/// What every unit that a layer reads adds to the variance of all that the layer makes.
fn variances(layer: &Dense, spread: &[f64]) -> Vec<f64> {
    let rows = layer.weight().chunks_exact(layer.outputs());
    let squares = |row: &[f32]| row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>();
    rows.zip(spread)
        .map(|(row, s)| s.powi(2) * squares(row))
        .collect()
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
mod measured;
#[cfg(test)]
mod tests;
