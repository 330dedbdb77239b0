//! What a part leaves whatever the strength: the least MACs at which its arm can be compared.

use secateur_prox::{LayerUnits, Part};

use super::cell::{Measured, Outcome};
use super::groups::Group;

/// Multiply-accumulate operations a row of a dense network, from its inputs, hidden units and outputs.
pub(super) fn macs(widths: &[usize]) -> u64 {
    widths.windows(2).map(|w| (w[0] * w[1]) as u64).sum()
}

/// MACs of the units that a part always spares, with one input and at least `least` units a layer.
///
/// `widths` are the inputs, hidden units and outputs that a run starts from.
pub(super) fn floor_macs(part: &Part, least: usize, widths: &[usize]) -> u64 {
    let last = widths.len().saturating_sub(1);
    let left = |(l, &width): (usize, &usize)| match l {
        0 => 1,
        l if l == last => width,
        l => part
            .floor(LayerUnits {
                hidden_index: l - 1,
                initial: width,
                current: width,
            })
            .max(least.clamp(1, width.max(1))),
    };
    macs(&widths.iter().enumerate().map(left).collect::<Vec<_>>())
}

/// The floor of a group of cells; none if it has no part or no cell tells of its network.
pub(super) fn of_group(group: &Group<'_>, least: usize) -> Option<u64> {
    let told = group.cells.iter().find_map(|cell| match &cell.result {
        Outcome::NotReachable { floor } => Some(*floor),
        _ => None,
    });
    told.or_else(|| {
        let part = group.arm.part()?;
        Some(floor_macs(
            &part,
            least,
            &widths_before(group.measured().first()?)?,
        ))
    })
}

/// Inputs, hidden units and outputs before a run; the outputs follow from the MACs.
fn widths_before(measured: &Measured) -> Option<Vec<usize>> {
    let mut widths = measured.units_before.clone();
    let last = *widths.last()? as u64;
    let outputs = measured.macs_before.checked_sub(macs(&widths))?;
    if last == 0 || !outputs.is_multiple_of(last) {
        return None;
    }
    widths.push(usize::try_from(outputs / last).ok()?);
    Some(widths)
}

#[cfg(test)]
mod tests {
    use super::super::testing::measured;
    use super::*;

    #[test]
    fn a_part_leaves_what_it_spares_and_one_of_everything_else() {
        let floor =
            |part: &str, least| floor_macs(&part.parse().unwrap(), least, &[64, 256, 128, 10]);
        assert_eq!(floor("full", 1), 1 + 1 + 10);
        assert_eq!(floor("full", 3), 3 + 3 * 3 + 3 * 10);
        assert_eq!(floor("spare-last:2", 1), 128 + 128 * 64 + 64 * 10);
        assert_eq!(floor("spare-last:8", 1), 32 + 32 * 16 + 16 * 10);
        // Ranked shares are taken of what is left.
        assert_eq!(floor("fraction:0.5:ranked", 1), 12);
        assert_eq!(floor("full", 1000), 256 + 256 * 128 + 128 * 10);
    }

    #[test]
    fn outputs_follow_from_the_macs() {
        let network = Measured {
            units_before: vec![64, 256, 128],
            macs_before: macs(&[64, 256, 128, 10]),
            ..measured()
        };
        assert_eq!(widths_before(&network), Some(vec![64, 256, 128, 10]));
        let odd = Measured {
            macs_before: network.macs_before + 1,
            ..network
        };
        assert_eq!(widths_before(&odd), None);
    }
}
