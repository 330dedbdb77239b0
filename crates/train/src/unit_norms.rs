//! How long are the units of each penalised layer, and did a layer shrink as a whole?

use serde::{Deserialize, Serialize};

use crate::Collapse;

/// The lengths of a layer's units at one time: a unit's length is the Euclidean norm of the weights that are penalised
/// together for it, in the units of the weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitNorms {
    /// Units in the layer, penalised or spared.
    pub units: usize,
    /// Weights of a unit; of the largest, if they differ.
    pub size: usize,
    /// Root of the mean of the squared norms.
    pub rms: f64,
    /// Largest norm.
    pub largest: f64,
    /// Smallest norm; 0 where a unit that nothing reads has not been removed.
    pub smallest: f64,
}

impl UnitNorms {
    /// Sums up the norms of units of `size` weights each; all zeros without units.
    pub(crate) fn of(norms: &[f64], size: usize) -> Self {
        if norms.is_empty() {
            return Self::default();
        }
        let squares: f64 = norms.iter().map(|n| n * n).sum();
        Self {
            units: norms.len(),
            size,
            rms: (squares / norms.len() as f64).sqrt(),
            largest: norms.iter().copied().fold(0.0, f64::max),
            smallest: norms.iter().copied().fold(f64::INFINITY, f64::min),
        }
    }

    /// The largest unit as a share of what units had at the `start`, a weight: 1 where nothing has changed and all are
    /// alike. Taken by weight, as units that lose readers lose length that no penalty took.
    pub(crate) fn share_of(&self, start: &Self) -> f64 {
        let by_weight = |norm: f64, of: &Self| norm / (of.size.max(1) as f64).sqrt();
        by_weight(self.largest, self) / by_weight(start.rms, start).max(f64::MIN_POSITIVE)
    }
}

/// What a run did to the units of one layer that it penalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerNorms {
    /// The first node that makes the units; of chains `inputs`, `hidden layer 1` and so on.
    pub name: String,
    /// Whether a normalisation follows all weights that are penalised, so that their length is lost at no loss.
    pub is_scale_free: bool,
    /// Before the first step.
    pub start: UnitNorms,
    /// After the last epoch.
    pub end: UnitNorms,
    /// Whether the layer shrank as a whole.
    pub collapse: Option<Collapse>,
}

/// What does not change about a layer while it is trained.
#[derive(Debug, Clone)]
pub(crate) struct LayerHead {
    pub(crate) name: String,
    pub(crate) is_scale_free: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_summed_up() {
        let norms = UnitNorms::of(&[3.0, 4.0, 0.0], 5);
        assert_eq!((norms.units, norms.size), (3, 5));
        assert_eq!((norms.largest, norms.smallest), (4.0, 0.0));
        assert!((norms.rms - (25.0f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(UnitNorms::of(&[], 5), UnitNorms::default());
    }

    #[test]
    fn what_goes_with_the_readers_is_not_taken_for_a_loss() {
        // Weights of 0.5 at the start and at the end, a sixteenth of them left.
        let (start, end) = (UnitNorms::of(&[4.0], 64), UnitNorms::of(&[1.0], 4));
        assert!((end.share_of(&start) - 1.0).abs() < 1e-12);
        let shorter = UnitNorms::of(&[0.1], 4);
        assert!((shorter.share_of(&start) - 0.1).abs() < 1e-12);
    }
}
