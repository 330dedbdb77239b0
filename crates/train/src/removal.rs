//! Takes dead units out of the network while it trains, and proves that nothing else changed.

use secateur_engine::Chain;
use secateur_graph::{
    Array, ChannelGroups, Cut, Folded, Graph, GroupKind, Keep, evaluate, fold_constants, mask,
    shrink,
};
use secateur_prox::Members;
use serde::{Deserialize, Serialize};

use crate::evaluate::input_width;
use crate::penalised::Penalised;
use crate::settings::Widths;
use crate::{Error, ErrorKind, Result, Rows};

/// Real rows on which every removal is checked with the naive evaluator.
pub(crate) const NAIVE_ROWS: usize = 8;
/// Largest relative difference of outputs where constants were folded: f32 biases round.
const FOLD_TOLERANCE: f64 = 1e-5;
/// Largest relative difference between two f32 runs that sum in another order.
const ENGINE_TOLERANCE: f64 = 1e-4;
/// Unread inputs are dropped once they are this share of all, because dropping them copies the rows.
const INPUT_SHARE: f64 = 0.1;

/// One removal with the evidence that it changed nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removal {
    /// Epoch in which it happened, from 1.
    pub epoch: usize,
    /// Hidden units removed.
    pub units: usize,
    /// How many of them were constant and folded into the next bias.
    pub folded: usize,
    /// Input features removed.
    pub inputs: usize,
    /// Removed at the caller's wish (a budget), not because they were dead.
    pub asked: bool,
    /// Largest relative difference on the naive evaluator between the shrunk network and what it must
    /// equal: the network before, or the masked one where units went at the caller's wish.
    pub naive_difference: f64,
    /// Rows of that comparison.
    pub naive_rows: usize,
    /// The same on the engine.
    pub engine_difference: f64,
    /// Rows of that comparison.
    pub engine_rows: usize,
}

/// What a run owns while units come and go.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) graph: Graph,
    pub(crate) network: Chain,
    pub(crate) rows: Rows,
    pub(crate) penalised: Option<Penalised>,
}

/// Why units go, and so what must not change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause {
    /// Nothing reads them: the function stays the same, up to the rounding of folded biases.
    Dead { folded: usize, tolerance: f64 },
    /// The caller wants it: the function becomes that of the masked network.
    Asked,
}

impl Cause {
    /// What folding left unread, and what of it `keep` drops; where something was folded, biases have been rounded.
    pub(crate) fn dead(folded: &Folded, keep: &Keep) -> Self {
        // A folded unit that the floor holds stays unread: its constant is in the biases already.
        let gone = |&&(group, unit): &&(_, usize)| !keep.keeps(group, unit);
        Self::Dead {
            folded: folded.units.iter().filter(gone).count(),
            tolerance: match folded.units.is_empty() {
                true => 0.0,
                false => FOLD_TOLERANCE,
            },
        }
    }

    /// How many of the units that went had been folded.
    pub(crate) fn folded(self) -> usize {
        match self {
            Self::Dead { folded, .. } => folded,
            Self::Asked => 0,
        }
    }
}

/// Holds a shrunk network to the masked one on the naive evaluator, and where units were dead to the one `before`; the largest
/// relative difference from what it must equal.
pub(crate) fn agree_naively(
    [before, masked, shrunk]: [&Graph; 3],
    sample: &[Array],
    cause: Cause,
    epoch: usize,
) -> Result<f64> {
    let have = evaluate(shrunk, sample)?;
    let from_masked = difference(&evaluate(masked, sample)?, &have);
    agree("naive evaluator", from_masked, 0.0, epoch)?;
    let Cause::Dead { tolerance, .. } = cause else {
        return Ok(from_masked);
    };
    let moved = difference(&evaluate(before, sample)?, &have);
    agree("naive evaluator", moved, tolerance, epoch)?;
    Ok(moved)
}

/// Which removals are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) epoch: usize,
    pub(crate) widths: Widths,
    /// Whether even a few unread inputs go.
    pub(crate) last: bool,
}

impl Body {
    /// Removes what is dead; nothing if nothing is.
    pub(crate) fn remove_dead(&mut self, due: Due) -> Result<Option<Removal>> {
        self.network.write_back(&mut self.graph)?;
        let groups = ChannelGroups::of(&self.graph)?;
        let folded = fold_constants(&self.graph, &groups)?;
        let mut keep = Keep::unread(&folded.graph, &groups, due.widths.floor);
        keep.round_up(due.widths.round);
        for (id, group) in groups.iter() {
            let dropped = group.units - keep.kept(id).len();
            let few = (dropped as f64) < INPUT_SHARE * group.units as f64;
            if matches!(group.kind, GroupKind::Input(_)) && few && !due.last {
                keep.restore(id);
            }
        }
        if keep.is_all() {
            return Ok(None);
        }
        let cause = Cause::dead(&folded, &keep);
        self.apply(&folded.graph, &groups, &keep, due.epoch, cause)
            .map(Some)
    }

    /// Removes the units that `keep` drops, dead or not.
    pub(crate) fn remove_asked(&mut self, keep: &Keep, epoch: usize) -> Result<Option<Removal>> {
        self.network.write_back(&mut self.graph)?;
        if keep.is_all() {
            return Ok(None);
        }
        let groups = ChannelGroups::of(&self.graph)?;
        let base = self.graph.clone();
        self.apply(&base, &groups, keep, epoch, Cause::Asked)
            .map(Some)
    }

    /// Takes units out of `base`, which is the present network or what folding made of it.
    fn apply(
        &mut self,
        base: &Graph,
        groups: &ChannelGroups,
        keep: &Keep,
        epoch: usize,
        cause: Cause,
    ) -> Result<Removal> {
        let masked = mask(base, groups, keep)?;
        let shrunk = shrink(base, groups, keep)?;
        let naive_rows = NAIVE_ROWS.min(self.rows.len());
        let sample = [self.full_width(naive_rows)?];
        let networks = [&self.graph, &masked, &shrunk.graph];
        let naive_difference = agree_naively(networks, &sample, cause, epoch)?;
        let engine_rows = self.network.batch().min(self.rows.len());
        let columns = self.rows.columns();
        if let Cause::Asked = cause {
            self.load(&masked)?;
        }
        let before = self
            .network
            .forward(&self.rows.features(0, engine_rows)?, engine_rows)
            .to_vec();
        self.network.cut(&shrunk.cuts)?;
        for input in &shrunk.inputs {
            self.rows.keep_columns(&input.kept);
        }
        self.graph = shrunk.graph;
        self.load(&self.graph.clone())?;
        let after = self
            .network
            .forward(&self.rows.features(0, engine_rows)?, engine_rows);
        let engine_difference = agree_on_engine(&before, after, epoch)?;
        self.follow(&shrunk.cuts);
        let inputs = columns - self.rows.columns();
        let units = groups
            .iter()
            .filter(|(_, g)| matches!(g.kind, GroupKind::Hidden))
            .map(|(id, g)| g.units - keep.kept(id).len())
            .sum();
        Ok(Removal {
            epoch,
            units,
            folded: cause.folded(),
            inputs,
            asked: matches!(cause, Cause::Asked),
            naive_difference,
            naive_rows,
            engine_difference,
            engine_rows,
        })
    }

    /// The first rows at the full width of the graph's input; features that are no longer read are 0.
    fn full_width(&self, count: usize) -> Result<Array> {
        let width = input_width(&self.graph).unwrap_or(self.rows.columns());
        let mut values = vec![0.0; count * width];
        for row in 0..count {
            for (j, &v) in self.rows.features(row, 1)?.iter().enumerate() {
                let at = self.network.selected_inputs().map_or(j, |s| s[j]);
                values[row * width + at] = f64::from(v);
            }
        }
        Ok(Array::new([count, width], values)?)
    }

    /// Copies all parameters of `graph` into the network.
    fn load(&mut self, graph: &Graph) -> Result<()> {
        Ok(self.network.read(graph)?)
    }

    fn follow(&mut self, cuts: &[Cut]) {
        let Some(penalised) = &mut self.penalised else {
            return;
        };
        let axis = match penalised.settings().members {
            Members::Outgoing => 0,
            Members::Incoming => 1,
        };
        for (l, dense) in self.network.layers().iter().enumerate() {
            if let Some(cut) = cuts
                .iter()
                .find(|c| c.tensor == dense.weight_id() && c.axis == axis)
            {
                penalised.after_removal(l, &cut.kept);
            }
        }
        penalised.reweigh(&self.network);
    }
}

fn agree(by: &str, difference: f64, allowed: f64, epoch: usize) -> Result<()> {
    // Written so that NaN fails.
    if difference <= allowed {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Verification,
        format!(
            "a removal changed the outputs by {difference:.3e} (relative) on the {by}, \
             more than {allowed:.0e}"
        ),
    )
    .at(format!("epoch {epoch}"))
    .hint("this is a defect: please report it with the run's config.toml"))
}

/// Holds the outputs of the engine after a removal to those before; the relative difference.
pub(crate) fn agree_on_engine(before: &[f32], after: &[f32], epoch: usize) -> Result<f64> {
    let moved = relative(before, after);
    agree("engine", moved, ENGINE_TOLERANCE, epoch)?;
    Ok(moved)
}

/// The largest relative difference of any output; infinite if one is not there.
fn difference(a: &[Array], b: &[Array]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let of = |(a, b): (&Array, &Array)| relative(&a.values, &b.values);
    a.iter().zip(b).map(of).fold(0.0, worse)
}

/// The larger of two differences; NaN counts as the largest.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// `max |a - b| / max(max |a|, 1e-6)`; NaN if anything is not a number, infinite if there are more of one than of the other.
fn relative<T: Copy + Into<f64>>(a: &[T], b: &[T]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let pairs = a.iter().zip(b).map(|(&a, &b)| (a.into(), b.into()));
    let scale = pairs.clone().fold(1e-6, |m: f64, (a, _)| m.max(a.abs()));
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, worse) / scale
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
