//! Bias and activation in one pass, activation derivatives, and other passes over a layer's rows.

use multiversion::multiversion;

use super::exponential;
use crate::Activation;

/// Replaces each row `r` of `values` by `f(r + bias)`; an empty `bias` stands for zeros.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn forward(f: Activation, values: &mut [f32], bias: &[f32], width: usize) {
    forward_portable(f, values, bias, width);
}

/// Multiplies `gradients` by the derivative of `f` at the place where it gave `results`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn backward(f: Activation, results: &[f32], gradients: &mut [f32]) {
    backward_portable(f, results, gradients);
}

/// Adds the column sums of `rows` to `sums`, in row order.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn add_column_sums(rows: &[f32], sums: &mut [f32]) {
    for row in rows.chunks_exact(sums.len().max(1)) {
        for (s, r) in sums.iter_mut().zip(row) {
            *s += r;
        }
    }
}

/// Turns `from`, of `rows` rows, into its transpose.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn transpose(from: &[f32], rows: usize, to: &mut [f32]) {
    const TILE: usize = 16;
    let columns = from.len().checked_div(rows).unwrap_or(0);
    for top in (0..rows).step_by(TILE) {
        let bottom = rows.min(top + TILE);
        for left in (0..columns).step_by(TILE) {
            for j in left..columns.min(left + TILE) {
                for i in top..bottom {
                    to[j * rows + i] = from[i * columns + j];
                }
            }
        }
    }
}

#[inline(always)]
fn forward_portable(f: Activation, values: &mut [f32], bias: &[f32], width: usize) {
    match f {
        Activation::Identity if bias.is_empty() => {}
        Activation::Identity => per_row(values, bias, width, |x| x),
        Activation::Relu => per_row(
            values,
            bias,
            width,
            // In this order a NaN stays one.
            #[inline(always)]
            |x| if x < 0.0 { 0.0 } else { x },
        ),
        Activation::LeakyRelu { alpha } => per_row(
            values,
            bias,
            width,
            #[inline(always)]
            |x| if x > 0.0 { x } else { alpha * x },
        ),
        Activation::Clip { min, max } => per_row(
            values,
            bias,
            width,
            // In this order a NaN stays one.
            #[inline(always)]
            |x| {
                let low = if x < min { min } else { x };
                if low > max { max } else { low }
            },
        ),
        Activation::Tanh => per_row(values, bias, width, exponential::tanh),
        Activation::Sigmoid => per_row(values, bias, width, exponential::sigmoid),
        Activation::Elu { alpha } => per_row(
            values,
            bias,
            width,
            #[inline(always)]
            |x| {
                let below = alpha * exponential::exp_m1(x);
                if x < 0.0 { below } else { x }
            },
        ),
        Activation::HardSigmoid { alpha, beta } => per_row(
            values,
            bias,
            width,
            // In this order a NaN stays one.
            #[inline(always)]
            |x| {
                let y = alpha * x + beta;
                let y = if y < 0.0 { 0.0 } else { y };
                if y > 1.0 { 1.0 } else { y }
            },
        ),
    }
}

#[inline(always)]
fn backward_portable(f: Activation, results: &[f32], gradients: &mut [f32]) {
    let pairs = gradients.iter_mut().zip(results);
    match f {
        Activation::Identity => {}
        Activation::Relu => {
            for (g, y) in pairs {
                *g = if *y > 0.0 { *g } else { 0.0 };
            }
        }
        Activation::LeakyRelu { alpha } => {
            for (g, y) in pairs {
                *g = if *y > 0.0 { *g } else { alpha * *g };
            }
        }
        Activation::Clip { min, max } => {
            for (g, y) in pairs {
                *g = if *y > min && *y < max { *g } else { 0.0 };
            }
        }
        Activation::Tanh => {
            for (g, y) in pairs {
                *g *= 1.0 - y * y;
            }
        }
        Activation::Sigmoid => {
            for (g, y) in pairs {
                *g *= y * (1.0 - y);
            }
        }
        Activation::Elu { alpha } => {
            for (g, y) in pairs {
                *g *= if *y < 0.0 { *y + alpha } else { 1.0 };
            }
        }
        Activation::HardSigmoid { alpha, .. } => {
            for (g, y) in pairs {
                *g *= if *y > 0.0 && *y < 1.0 { alpha } else { 0.0 };
            }
        }
    }
}

#[inline(always)]
fn per_row(values: &mut [f32], bias: &[f32], width: usize, f: impl Fn(f32) -> f32) {
    if bias.is_empty() {
        for v in values {
            *v = f(*v);
        }
    } else {
        for row in values.chunks_exact_mut(width) {
            for (v, b) in row.iter_mut().zip(bias) {
                *v = f(*v + b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[multiversion(targets("x86_64+avx2+fma"))]
    fn forward_avx2(f: Activation, values: &mut [f32], bias: &[f32], width: usize) {
        forward_portable(f, values, bias, width);
    }

    #[multiversion(targets("x86_64+avx2+fma"))]
    fn backward_avx2(f: Activation, results: &[f32], gradients: &mut [f32]) {
        backward_portable(f, results, gradients);
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|n| n.to_bits()).collect()
    }

    #[test]
    fn a_nan_goes_through_every_activation() {
        for f in [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu { alpha: 0.1 },
            Activation::Tanh,
            Activation::Sigmoid,
        ] {
            let mut values = [1.0, f32::NAN];
            forward(f, &mut values, &[0.0, 0.0], 2);
            assert!(!values[0].is_nan() && values[1].is_nan());
        }
    }

    proptest! {
        #[test]
        fn every_path_gives_the_same_bits(
            width in 1usize..70,
            numbers in prop::collection::vec(-9.0f32..9.0, 0..600),
            with_bias in any::<bool>(),
        ) {
            let rows = numbers.len() / width;
            let x = &numbers[..rows * width];
            let bias: Vec<f32> = (0..width).map(|i| i as f32 / 7.0 - 3.0).collect();
            let bias = if with_bias { &bias[..] } else { &[] };
            for f in [
                Activation::Identity,
                Activation::Relu,
                Activation::LeakyRelu { alpha: 0.1 },
                Activation::Tanh,
                Activation::Sigmoid,
                Activation::Elu { alpha: 0.7 },
                Activation::HardSigmoid {
                    alpha: 0.2,
                    beta: 0.5,
                },
            ] {
                let [mut portable, mut avx2, mut best] = [0; 3].map(|_| x.to_vec());
                forward_portable(f, &mut portable, bias, width);
                forward_avx2(f, &mut avx2, bias, width);
                forward(f, &mut best, bias, width);
                prop_assert_eq!(bits(&portable), bits(&avx2));
                prop_assert_eq!(bits(&portable), bits(&best));
                let results = portable;
                let [mut portable, mut avx2, mut best] = [0; 3].map(|_| x.to_vec());
                backward_portable(f, &results, &mut portable);
                backward_avx2(f, &results, &mut avx2);
                backward(f, &results, &mut best);
                prop_assert_eq!(bits(&portable), bits(&avx2));
                prop_assert_eq!(bits(&portable), bits(&best));
            }
        }
    }

    #[test]
    fn transposing_twice_changes_nothing_and_once_moves_rows_to_columns() {
        for (rows, columns) in [(1, 1), (3, 40), (17, 33), (32, 16), (5, 0)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            transpose(&from, rows, &mut to);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(to[j * rows + i], from[i * columns + j]);
                }
            }
        }
    }
}
