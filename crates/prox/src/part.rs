//! Which units of a layer are penalised, and which are spared?
//!
//! The units of a hidden layer may be permuted freely, so a part need not be a mask: in canonical order
//! the penalised units of a layer are one contiguous range and the spared ones lie at one end of it.
//! [`Part::penalised`] gives the range, [`order`] the permutations that bring units into that order.

mod limit;
pub mod order;
mod share;
mod text;

use std::num::NonZeroUsize;
use std::ops::Range;

pub use limit::{Amount, Limit, Quantity};
pub use share::Share;

/// The penalised part of a network's groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// All units of all hidden layers.
    Full,
    /// All but the last `floor(width / beta)` units of every layer; `beta = 1` spares all.
    SpareLast {
        /// The spared share is `1 / beta`.
        beta: NonZeroUsize,
        /// The width that `beta` divides.
        of: Widths,
    },
    /// The share of the units of every layer, rounded up.
    Fraction {
        /// The penalised share.
        share: Share,
        /// Which units those are.
        which: Which,
    },
    /// All units of the first, third, fifth ... hidden layer, none of the others.
    EverySecond,
    /// All units, mildly, until rankings over the whole network leave the units that fit the budget.
    Budget {
        /// How much the network may keep.
        limit: Limit,
    },
}

/// The width of a layer that a share is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Widths {
    /// Before the first removal, as published.
    Initial,
    /// Now, re-derived after every removal.
    Current,
}

/// Which units a fraction penalises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// Those before the spared ones.
    First,
    /// Those after the spared ones.
    Last,
    /// A draw, once, that the caller makes: see [`order::by_keys`]. Comes first in canonical order.
    Random,
    /// Those of least norm, ranked anew among the units that are left. Comes first in canonical order.
    Ranked {
        /// Training steps between two rankings.
        every: NonZeroUsize,
    },
}

/// The units of one hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerUnits {
    /// 0 for the first hidden layer.
    pub hidden_index: usize,
    /// Units before the first removal.
    pub initial: usize,
    /// Units now.
    pub current: usize,
}

impl Part {
    /// How many of the layer's current units are spared, if none of them was lost since the start.
    pub fn spared(&self, layer: LayerUnits) -> usize {
        let LayerUnits {
            initial, current, ..
        } = layer;
        let spared = match *self {
            Self::Full | Self::Budget { .. } => 0,
            Self::SpareLast {
                beta,
                of: Widths::Initial,
            } => initial / beta,
            Self::SpareLast {
                beta,
                of: Widths::Current,
            } => current / beta,
            Self::Fraction {
                share,
                which: Which::Ranked { .. },
            } => current - share.of(current),
            Self::Fraction { share, .. } => initial - share.of(initial),
            Self::EverySecond if layer.hidden_index.is_multiple_of(2) => 0,
            Self::EverySecond => current,
        };
        spared.min(current)
    }

    /// The penalised units among `0..layer.current` in canonical order: one range, beside which the
    /// spared units lie at the end (at the start for `fraction:F:last`).
    pub fn penalised(&self, layer: LayerUnits) -> Range<usize> {
        self.penalised_beside(layer, self.spared(layer))
    }

    /// The penalised units when `spared` of the layer's current units are spared: for callers that
    /// lose spared units too, as folding units without input does.
    pub fn penalised_beside(&self, layer: LayerUnits, spared: usize) -> Range<usize> {
        let spared = spared.min(layer.current);
        match self {
            Self::Fraction {
                which: Which::Last, ..
            } => spared..layer.current,
            _ => 0..layer.current - spared,
        }
    }

    /// How many units of the layer the penalty can never remove, whatever its strength: the spared set
    /// where that is fixed, 0 where it is derived anew from what is left.
    pub fn floor(&self, layer: LayerUnits) -> usize {
        let start = LayerUnits {
            current: layer.initial,
            ..layer
        };
        match *self {
            Self::SpareLast {
                beta,
                of: Widths::Current,
            } if beta.get() > 1 => 0,
            Self::Fraction {
                which: Which::Ranked { .. },
                ..
            } => 0,
            _ => self.spared(start),
        }
    }

    /// Whether the caller must draw the canonical order at the start ([`order::by_keys`]).
    pub fn is_drawn(&self) -> bool {
        matches!(
            self,
            Self::Fraction {
                which: Which::Random,
                ..
            }
        )
    }

    /// Training steps between two rankings by norm ([`order::by_norm`]), if the part ranks.
    pub fn rank_every(&self) -> Option<NonZeroUsize> {
        match *self {
            Self::Fraction {
                which: Which::Ranked { every },
                ..
            } => Some(every),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn any_part() -> impl Strategy<Value = Part> {
        let share = || (1e-3..=1.0f64).prop_map(|s| Share::new(s).unwrap());
        let beta = || (1usize..20).prop_map(|b| NonZeroUsize::new(b).unwrap());
        let which = prop_oneof![
            Just(Which::First),
            Just(Which::Last),
            Just(Which::Random),
            beta().prop_map(|every| Which::Ranked { every }),
        ];
        let widths = prop_oneof![Just(Widths::Initial), Just(Widths::Current)];
        let quantity = prop_oneof![Just(Quantity::Macs), Just(Quantity::Params)];
        let amount = prop_oneof![
            share().prop_map(Amount::Share),
            (1u64..).prop_map(Amount::Count),
        ];
        prop_oneof![
            Just(Part::Full),
            (beta(), widths).prop_map(|(beta, of)| Part::SpareLast { beta, of }),
            (share(), which).prop_map(|(share, which)| Part::Fraction { share, which }),
            Just(Part::EverySecond),
            (quantity, amount).prop_map(|(of, most)| Part::Budget {
                limit: Limit { of, most },
            }),
        ]
    }

    fn layer(hidden_index: usize, initial: usize, current: usize) -> LayerUnits {
        LayerUnits {
            hidden_index,
            initial,
            current,
        }
    }

    proptest! {
        #[test]
        fn penalised_and_spared_units_make_up_the_layer(
            part in any_part(), index in 0usize..4, initial in 1usize..600, cut in 0usize..600,
        ) {
            let units = layer(index, initial, initial.saturating_sub(cut));
            let range = part.penalised(units);
            prop_assert!(range.start <= range.end && range.end <= units.current);
            prop_assert_eq!(range.len() + part.spared(units), units.current);
            // Spared units lie at one end.
            prop_assert!(range.start == 0 || range.end == units.current);
        }

        #[test]
        fn the_floor_holds_and_is_reached_for_any_sequence_of_removals(
            part in any_part(), index in 0usize..4, initial in 1usize..300,
            shares in prop::collection::vec(0.0..1.0f64, 12),
        ) {
            let mut units = layer(index, initial, initial);
            let floor = part.floor(units);
            for share in shares {
                let dying = (part.penalised(units).len() as f64 * share).ceil() as usize;
                units.current -= dying.min(part.penalised(units).len());
                prop_assert!(units.current >= floor, "{} < {floor}", units.current);
            }
            while !part.penalised(units).is_empty() {
                units.current -= part.penalised(units).len();
            }
            prop_assert_eq!(units.current, floor);
        }

        #[test]
        fn spare_last_spares_the_same_units_until_nothing_else_is_left(
            beta in 1usize..20, initial in 1usize..600, current in 0usize..600,
        ) {
            let beta = NonZeroUsize::new(beta).unwrap();
            let part = Part::SpareLast { beta, of: Widths::Initial };
            let current = current.min(initial);
            prop_assert_eq!(part.spared(layer(0, initial, current)), (initial / beta).min(current));
        }
    }

    #[test]
    fn the_published_part_of_the_published_network() {
        let part = Part::SpareLast {
            beta: NonZeroUsize::new(8).unwrap(),
            of: Widths::Initial,
        };
        let ranges = [400, 300, 100].map(|n| part.penalised(layer(0, n, n)));
        assert_eq!(ranges, [0..350, 0..263, 0..88]);
        assert_eq!(part.penalised(layer(0, 300, 100)), 0..63);
        assert_eq!(part.penalised_beside(layer(0, 300, 100), 5), 0..95);
    }

    #[test]
    fn every_second_layer_starts_with_the_first() {
        let penalised = [0, 1, 2, 3].map(|i| Part::EverySecond.penalised(layer(i, 5, 5)).len());
        assert_eq!(penalised, [5, 0, 5, 0]);
    }

    #[test]
    fn the_last_fraction_spares_the_front() {
        let part = |which| Part::Fraction {
            share: Share::new(0.9).unwrap(),
            which,
        };
        assert_eq!(part(Which::First).penalised(layer(0, 10, 10)), 0..9);
        assert_eq!(part(Which::Last).penalised(layer(0, 10, 10)), 1..10);
        assert_eq!(part(Which::Last).penalised(layer(0, 10, 4)), 1..4);
    }
}
