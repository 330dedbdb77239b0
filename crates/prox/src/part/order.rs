//! Which permutation brings the units of a layer into canonical order?
//!
//! Orders are lists of old positions: `order[new] = old`. Permuting the units of a layer, with
//! everything that produces, reads or carries them, leaves the network's function unchanged.

use super::{Part, Which};

impl Part {
    /// The order that puts the units of least norm where the part penalises, so that the largest are
    /// spared: for a ranked part at every ranking, for the others once, when training starts from a
    /// trained network. Equal norms keep their order; a NaN counts as the largest, so that a diverged
    /// unit is never taken for one to remove.
    pub fn order_by_norm(&self, norms: &[f64]) -> Vec<usize> {
        let mut order = by_norm(norms);
        if let Self::Fraction {
            which: Which::Last, ..
        } = self
        {
            order.reverse();
        }
        order
    }
}

/// Positions by growing norm, equal ones in their order, NaN last.
pub fn by_norm(norms: &[f64]) -> Vec<usize> {
    let magnitude = |i: &usize| norms[*i].abs();
    let mut order: Vec<usize> = (0..norms.len()).collect();
    order.sort_by(|a, b| magnitude(a).total_cmp(&magnitude(b)));
    order
}

/// Positions by growing key: a random order when the keys are drawn from the caller's seed, one for each
/// unit.
pub fn by_keys(keys: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|&i| keys[i]);
    order
}

#[cfg(test)]
mod tests {
    use super::super::LayerUnits;
    use super::super::tests::any_part;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_penalised_units_have_the_least_norms(
            part in any_part(), norms in prop::collection::vec(0.0..3.0f64, 1..60),
        ) {
            let order = part.order_by_norm(&norms);
            let mut seen = order.clone();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..norms.len()).collect::<Vec<_>>());
            let n = norms.len();
            let range = part.penalised(LayerUnits { hidden_index: 0, initial: n, current: n });
            let (mut penalised, mut spared) = (0.0f64, f64::INFINITY);
            for (new, &old) in order.iter().enumerate() {
                if range.contains(&new) {
                    penalised = penalised.max(norms[old]);
                } else {
                    spared = spared.min(norms[old]);
                }
            }
            prop_assert!(penalised <= spared);
        }
    }

    #[test]
    fn ties_keep_their_order_and_nan_is_spared() {
        assert_eq!(
            by_norm(&[2.0, f64::NAN, 1.0, 2.0, -f64::NAN]),
            [2, 0, 3, 1, 4]
        );
        assert_eq!(by_keys(&[7, 3, 7, 1]), [3, 1, 0, 2]);
    }
}
