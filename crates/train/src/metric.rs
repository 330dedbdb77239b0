//! The mean of the metric in which Adam moves some weights.

use secateur_engine::kernels::update as kernels;

/// Mean over some weights of `d = (sqrt(v) + eps) / rate`, with `v` their corrected second moments.
#[inline(always)]
pub(crate) fn mean_metric(second: &[f32], adam: &kernels::Adam) -> f64 {
    let scale = 1.0 / f64::from(adam.corrections().1).sqrt();
    let mean = sum_of_roots(second) / second.len().max(1) as f64;
    (mean * scale + f64::from(adam.epsilon)) / f64::from(adam.rate)
}

/// Many short sums side by side, which the compiler turns into vector code; each is short enough for
/// single precision.
#[inline(always)]
fn sum_of_roots(values: &[f32]) -> f64 {
    const LANES: usize = 32;
    let mut sum = 0.0;
    for block in values.chunks(64 * LANES) {
        let mut lanes = [0.0f32; LANES];
        let rows = block.chunks_exact(LANES);
        for v in rows.remainder() {
            sum += f64::from(v.sqrt());
        }
        for row in rows {
            for (lane, v) in lanes.iter_mut().zip(row) {
                *lane += v.sqrt();
            }
        }
        sum += lanes.iter().map(|&lane| f64::from(lane)).sum::<f64>();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_is_the_mean_of_corrected_roots_and_epsilon_for_the_rate() {
        let adam = kernels::Adam {
            rate: 0.5,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            step: 1,
        };
        // Corrected by 1 - 0.999: 4 and 16.
        let metric = mean_metric(&[0.004, 0.016], &adam);
        assert!((metric - 6.0).abs() < 1e-4, "{metric}");
        for second in [&[0.0; 5][..], &[]] {
            let metric = mean_metric(second, &adam);
            assert!((metric - 2e-8).abs() < 1e-14, "{metric}");
        }
    }

    #[test]
    fn roots_sum_to_what_they_sum_to_in_double_precision() {
        for count in [0, 1, 31, 32, 33, 2048, 5000] {
            let values: Vec<f32> = (0..count).map(|i| (i % 97) as f32 * 1e-3).collect();
            let want: f64 = values.iter().map(|&v| f64::from(v).sqrt()).sum();
            // 64 additions in single precision lose at most 64 half units in the last place.
            assert!(
                (sum_of_roots(&values) - want).abs() <= 4e-6 * want,
                "{count}"
            );
        }
        assert!(sum_of_roots(&[f32::NAN; 40]).is_nan());
    }
}
