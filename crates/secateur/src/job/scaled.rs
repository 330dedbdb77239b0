//! Hidden widths of a dense network of a given cost.

/// How finely the factor of all widths is looked for.
const STEPS: u32 = 2000;

/// The hidden widths of a network between so many inputs and outputs, scaled alike by a factor of at most 1, so that its
/// multiply-accumulates per sample come as near to `macs` as they can.
pub(super) fn scaled_to(macs: u64, hidden: &[usize], [inputs, outputs]: [usize; 2]) -> Vec<usize> {
    let scaled = |factor: f64| -> Vec<usize> {
        let width = |&w: &usize| ((w as f64 * factor).round() as usize).max(1);
        hidden.iter().map(width).collect()
    };
    let cost = |hidden: &[usize]| {
        let widths = [&[inputs], hidden, &[outputs]].concat();
        widths.windows(2).map(|w| (w[0] * w[1]) as u64).sum::<u64>()
    };
    (1..=STEPS)
        .map(|step| scaled(f64::from(step) / f64::from(STEPS)))
        .min_by_key(|hidden| cost(hidden).abs_diff(macs))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_keep_their_proportions_and_come_nearest_to_the_cost() {
        for (macs, hidden) in [
            // 10 * 20 + 20 * 10 + 10 * 5, and everything that is asked for above.
            (450, [20, 10]),
            (9999, [20, 10]),
            // 118; 132 for 8 and 4, 106 for 7 and 3.
            (120, [7, 4]),
            // 16; one unit of each is the least.
            (16, [1, 1]),
            (0, [1, 1]),
        ] {
            assert_eq!(scaled_to(macs, &[20, 10], [10, 5]), hidden, "{macs}");
        }
        assert_eq!(scaled_to(7, &[], [10, 5]), [0; 0]);
    }
}
