//! How narrow must a network be to cost no more than another one?

use super::{Architecture, ImageSize};
use crate::Result;

/// Halvings of the interval that holds the factor: widths of up to a thousand differ by more between two roundings.
const HALVINGS: usize = 24;

/// The width factor, at most 1, under which the network costs as nearly `macs` multiply-accumulates as it can: the uniformly
/// narrowed control of a network of so many. Of two that are as near, the smaller one.
///
/// # Errors
/// As for [`Architecture::build`].
pub fn narrowed(
    architecture: Architecture,
    input: ImageSize,
    classes: usize,
    macs: u64,
) -> Result<f64> {
    let cost = |factor| Ok::<_, crate::Error>(architecture.cost(input, classes, factor)?.macs);
    if cost(1.0)? <= macs {
        return Ok(1.0);
    }
    // Widths and so MACs never fall as the factor grows; they stay below or at the target up to one factor, which is
    // between these two. Near 0, every width is 1.
    let (mut below, mut above) = (f64::EPSILON, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(below, above);
        match cost(middle)? <= macs {
            true => below = middle,
            false => above = middle,
        }
    }
    let (low, high) = (cost(below)?, cost(above)?);
    Ok(match low.abs_diff(macs) <= high.abs_diff(macs) {
        true => below,
        false => above,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_factor_comes_nearer() {
        for architecture in [Architecture::LeNet5, Architecture::MobileNetSmall] {
            let input = architecture.usual_input();
            let cost = |factor| architecture.cost(input, 10, factor).unwrap().macs;
            for share in [0.9, 0.3, 0.05] {
                let macs = (cost(1.0) as f64 * share) as u64;
                let found = cost(narrowed(architecture, input, 10, macs).unwrap());
                let all = (1..=500).map(|i| cost(f64::from(i) / 500.0));
                let nearest = all.min_by_key(|m| m.abs_diff(macs)).unwrap();
                assert!(
                    found.abs_diff(macs) <= nearest.abs_diff(macs),
                    "{found} {nearest}"
                );
            }
        }
    }

    #[test]
    fn targets_out_of_reach_give_the_whole_or_the_narrowest() {
        let (lenet, input) = (Architecture::LeNet300, ImageSize::new(1, 28, 28));
        let at = |macs| narrowed(lenet, input, 10, macs).unwrap();
        assert_eq!(at(u64::MAX), 1.0);
        // 784 inputs, 1, 1, 10 outputs.
        assert_eq!(lenet.cost(input, 10, at(0)).unwrap().macs, 784 + 1 + 10);
    }
}
