//! When does a penalty shrink a layer as a whole, and not choose among its units?

use serde::{Deserialize, Serialize};

use crate::UnitNorms;

/// What the largest unit of a scale-free layer keeps at least, of the length of the start, where the penalty chooses.
///
/// A normalisation divides by the length of the weights in front of it, so that gradients grow as lengths fall: a step turns
/// weights of a fiftieth of the length 2500 times as far, which is no training of them any more. The place of the line is
/// a choice: of runs of the small network of `tests/collapse.rs` (one seed; each penalty, seven strengths, two optimisers;
/// those with an emptied layer apart) all learnt whose least share was 0.022 or more, none of 0.011 or less, and none lay between.
const LEAST_SHARE: f64 = 0.02;

/// How a layer shrank as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Collapse {
    /// Even the largest unit lost nearly all of its length, in front of a normalisation that undoes it.
    Shrunk {
        /// The epoch in which units were shortest, from 1.
        epoch: usize,
        /// The largest unit's root mean square weight in it, as a share of that of all units at the start.
        share: f64,
    },
    /// A step set all units to zero at once; where that is prevented, the strongest stayed as it was.
    Emptied {
        /// In so many steps that the strongest was kept; 0 where all units were zero behind an epoch.
        steps: usize,
    },
}

/// Whether a layer shrank as a whole, by the norms of its units at the start and after each epoch.
///
/// `held` steps would have left no unit. A layer that keeps one unit of some length is none of it, however small the others
/// are: then the penalty chooses. Without a normalisation behind it lost length is lost output, which the loss answers for.
pub(crate) fn collapse(
    start: &UnitNorms,
    epochs: &[UnitNorms],
    held: usize,
    is_scale_free: bool,
) -> Option<Collapse> {
    let is_empty = start.largest > 0.0 && epochs.iter().any(|e| e.largest == 0.0);
    if held > 0 || is_empty {
        return Some(Collapse::Emptied { steps: held });
    }
    let shares = epochs.iter().map(|e| e.share_of(start));
    let (index, share) = shares.enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    (is_scale_free && share < LEAST_SHARE).then_some(Collapse::Shrunk {
        epoch: index + 1,
        share,
    })
}

impl Collapse {
    /// What is to be said of the layer called `name`, and what can be done.
    pub fn told(&self, name: &str) -> String {
        let what = match self {
            Self::Shrunk { epoch, share } => format!(
                "the penalty shrinks all units of {name} alike: in epoch {epoch} even the largest had {:.2} % of the length of \
                 the start, which the normalisation behind undoes",
                100.0 * share
            ),
            Self::Emptied { steps: 0 } => {
                format!("the penalty emptied {name}: all its units fell to zero")
            }
            Self::Emptied { steps } => format!(
                "the penalty would have emptied {name}: in {steps} steps all its units fell to zero at once, and the strongest \
                 was kept"
            ),
        };
        format!("{what}; lower the strength, or rank units with --part budget:50%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(norms: &[f64]) -> UnitNorms {
        UnitNorms::of(norms, 9)
    }

    #[test]
    fn units_that_shrink_alike_are_told_and_units_that_differ_are_not() {
        let start = norms(&[1.0, 1.0, 1.0]);
        let alike = [norms(&[0.5; 3]), norms(&[0.004; 3]), norms(&[0.2; 3])];
        let found = collapse(&start, &alike, 0, true).unwrap();
        assert!(
            matches!(found, Collapse::Shrunk { epoch: 2, share } if (share - 0.004).abs() < 1e-12)
        );
        let chosen = [norms(&[0.3, 1e-9, 1e-9])];
        assert_eq!(collapse(&start, &chosen, 0, true), None);
        // Where nothing undoes it, short weights are a choice of the loss.
        assert_eq!(collapse(&start, &alike, 0, false), None);
        assert_eq!(collapse(&start, &[], 0, true), None);
    }

    #[test]
    fn the_share_at_which_it_is_told_is_a_fiftieth() {
        let start = norms(&[2.0, 2.0]);
        let at = |share: f64| collapse(&start, &[norms(&[2.0 * share, 0.0])], 0, true);
        assert!(at(0.0199).is_some() && at(0.0201).is_none());
    }

    #[test]
    fn layers_that_would_be_empty_are_told_with_a_normalisation_or_without() {
        let start = norms(&[1.0, 1.0]);
        for is_scale_free in [false, true] {
            let held = collapse(&start, &[norms(&[1.0])], 3, is_scale_free);
            assert_eq!(held, Some(Collapse::Emptied { steps: 3 }));
            // Weights may grow again once the penalty is over.
            let epochs = [norms(&[0.0]), norms(&[0.1])];
            let empty = collapse(&start, &epochs, 0, is_scale_free);
            assert_eq!(empty, Some(Collapse::Emptied { steps: 0 }));
        }
        // Weights that start from zero were not emptied by anybody.
        let zero = norms(&[0.0]);
        assert_eq!(collapse(&zero, &[zero], 0, false), None);
    }

    #[test]
    fn it_is_told_by_the_name_of_the_layer_and_with_a_way_out() {
        let told = Collapse::Shrunk {
            epoch: 2,
            share: 0.004,
        }
        .told("conv1");
        assert_eq!(
            told,
            "the penalty shrinks all units of conv1 alike: in epoch 2 even the largest had 0.40 % of the length of the \
             start, which the normalisation behind undoes; lower the strength, or rank units with --part budget:50%"
        );
        let told = Collapse::Emptied { steps: 3 }.told("conv1");
        assert!(
            told.starts_with("the penalty would have emptied conv1: in 3 steps "),
            "{told}"
        );
        let told = Collapse::Emptied { steps: 0 }.told("conv1");
        assert!(told.starts_with("the penalty emptied conv1: all"), "{told}");
    }
}
