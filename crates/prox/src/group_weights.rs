//! How much does each group's norm weigh?

use std::fmt;
use std::str::FromStr;

use crate::choices::named;
use crate::{Error, Result, names};

/// The group weights `c_g`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum GroupWeights {
    /// Square root of the size at the start, as published (Yuan & Lin 2006).
    InitialWidths,
    /// Square root of the size now: compressed best, but changes the penalty while training.
    #[default]
    CurrentWidths,
    /// 1 for every group.
    One,
    /// The MACs that removing the group frees now, scaled so that the weights sum to what the square
    /// roots of the current sizes do.
    Macs,
}

/// What the weight of one group is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSize {
    /// Scalars in the group before the first removal.
    pub initial: usize,
    /// Scalars in the group now.
    pub current: usize,
    /// Multiply-accumulates that removing the group frees now.
    pub macs: u64,
}

impl GroupWeights {
    /// The weight of every group of the network, in the same order. Groups of which none frees a MAC are
    /// weighed by their current sizes.
    pub fn weights(self, groups: &[GroupSize]) -> Vec<f64> {
        let root = |size: usize| (size as f64).sqrt();
        match self {
            Self::InitialWidths => groups.iter().map(|g| root(g.initial)).collect(),
            Self::CurrentWidths => groups.iter().map(|g| root(g.current)).collect(),
            Self::One => vec![1.0; groups.len()],
            Self::Macs => {
                let roots: f64 = groups.iter().map(|g| root(g.current)).sum();
                let macs: f64 = groups.iter().map(|g| g.macs as f64).sum();
                if macs == 0.0 {
                    return Self::CurrentWidths.weights(groups);
                }
                groups
                    .iter()
                    .map(|g| g.macs as f64 * (roots / macs))
                    .collect()
            }
        }
    }
}

named!(GroupWeights, "group weights",
    "initial-widths" => InitialWidths, "current-widths" => CurrentWidths, "one" => One, "macs" => Macs);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn weights_by_macs_are_proportional_and_sum_to_those_by_size(
            sizes in prop::collection::vec((1usize..500, 1u64..1_000_000), 1..20),
        ) {
            let size = |&(current, macs)| GroupSize { initial: 500, current, macs };
            let groups: Vec<_> = sizes.iter().map(size).collect();
            let by_macs = GroupWeights::Macs.weights(&groups);
            let sum: f64 = by_macs.iter().sum();
            let expected: f64 = GroupWeights::CurrentWidths.weights(&groups).iter().sum();
            prop_assert!((sum - expected).abs() <= 1e-12 * expected);
            for (weight, group) in by_macs.iter().zip(&groups) {
                let expected = by_macs[0] * group.macs as f64 / groups[0].macs as f64;
                prop_assert!((weight - expected).abs() <= 1e-12 * expected);
            }
        }
    }

    #[test]
    fn sizes_are_those_that_the_name_says() {
        let groups = [GroupSize {
            initial: 16,
            current: 9,
            macs: 0,
        }];
        let weights = |name: &str| name.parse::<GroupWeights>().unwrap().weights(&groups);
        assert_eq!(weights("initial-widths"), [4.0]);
        assert_eq!(weights("current-widths"), [3.0]);
        assert_eq!(weights("one"), [1.0]);
        assert_eq!(weights("macs"), [3.0]);
    }
}
