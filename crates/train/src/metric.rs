//! The mean of the metric in which Adam moves some weights.

use rayon::prelude::*;
use secateur_engine::kernels::update as kernels;

/// [`mean_metric`] of a whole layer, by all threads of the current pool; any number of them gives the same bits.
pub(crate) fn mean_metric_of_layer(second: &[f32], adam: &kernels::Adam) -> f64 {
    let blocks = second.par_chunks(BLOCK).with_min_len(8);
    let sums: Vec<f64> = blocks.map(sum_of_roots).collect();
    mean_of(sums.iter().sum(), second.len(), adam)
}

/// Mean over some weights of `d = (sqrt(v) + eps) / rate`, with `v` their corrected second moments.
#[inline(always)]
pub(crate) fn mean_metric(second: &[f32], adam: &kernels::Adam) -> f64 {
    mean_of(sum_of_roots(second), second.len(), adam)
}

#[inline(always)]
fn mean_of(roots: f64, count: usize, adam: &kernels::Adam) -> f64 {
    let scale = 1.0 / f64::from(adam.corrections().1).sqrt();
    let mean = roots / count.max(1) as f64;
    (mean * scale + f64::from(adam.epsilon)) / f64::from(adam.rate)
}

/// Sums side by side.
const LANES: usize = 32;

/// Numbers that are added up in single precision.
const BLOCK: usize = 64 * LANES;

/// Many short sums side by side, which the compiler turns into vector code; each is short enough for
/// single precision.
#[inline(always)]
fn sum_of_roots(values: &[f32]) -> f64 {
    let mut sum = 0.0;
    for block in values.chunks(BLOCK) {
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

    #[test]
    fn the_mean_of_a_layer_is_that_of_its_weights_on_any_number_of_threads() {
        let second: Vec<f32> = (0..50_000).map(|i| (i % 97) as f32 * 1e-3).collect();
        let adam = kernels::Adam {
            rate: 0.1,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
            step: 3,
        };
        let on = |threads: usize| {
            let pool = secateur_engine::Threads::new(threads).unwrap();
            pool.run(|| mean_metric_of_layer(&second, &adam))
        };
        assert_eq!(on(1).to_bits(), on(3).to_bits());
        let want = mean_metric(&second, &adam);
        assert!((on(1) - want).abs() <= 1e-6 * want);
    }
}
