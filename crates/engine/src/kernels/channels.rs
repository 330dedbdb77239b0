//! Passes over places with their channels side by side: sums, scales and shifts of each channel.
//!
//! A value is `[places][pixel]`; vectors of channels have `pixel` numbers.

use multiversion::multiversion;

use super::pointwise;
use crate::Activation;

/// Channels that are taken together, so that their sums stay in registers.
const BLOCK: usize = 16;

/// Adds, for each channel, the sum of `x - about` to `first` and that of its square to `second`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn moments(x: &[f32], about: &[f32], first: &mut [f64], second: &mut [f64]) {
    let pixel = about.len();
    let mut start = 0;
    while start < pixel {
        let width = BLOCK.min(pixel - start);
        let (mut sum, mut square) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        if width == BLOCK {
            let mut mean = [0.0; BLOCK];
            mean.copy_from_slice(&about[start..start + BLOCK]);
            for place in x.chunks_exact(pixel) {
                let place = &place[start..start + BLOCK];
                for c in 0..BLOCK {
                    let v = place[c] - mean[c];
                    sum[c] += v;
                    square[c] += v * v;
                }
            }
        } else {
            for place in x.chunks_exact(pixel) {
                for c in 0..width {
                    let v = place[start + c] - about[start + c];
                    sum[c] += v;
                    square[c] += v * v;
                }
            }
        }
        for c in 0..width {
            first[start + c] += f64::from(sum[c]);
            second[start + c] += f64::from(square[c]);
        }
        start += width;
    }
}

/// `y = f(a x + c + r)`; an empty `residual` stands for zeros, and an empty `x` for `y` itself.
pub(crate) fn normalise(
    function: Activation,
    [a, c]: [&[f32]; 2],
    x: &[f32],
    residual: &[f32],
    y: &mut [f32],
) {
    match function {
        Activation::Relu => affine::<true>(a, c, x, residual, y),
        Activation::Identity => affine::<false>(a, c, x, residual, y),
        other => {
            affine::<false>(a, c, x, residual, y);
            pointwise::forward(other, y, &[], y.len());
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn affine<const RELU: bool>(a: &[f32], c: &[f32], x: &[f32], residual: &[f32], y: &mut [f32]) {
    let pixel = a.len();
    // In this order a NaN stays one.
    let end = |v: f32| if RELU && v < 0.0 { 0.0 } else { v };
    if x.is_empty() {
        for (p, y) in y.chunks_exact_mut(pixel).enumerate() {
            let r = residual.get(p * pixel..(p + 1) * pixel).unwrap_or_default();
            for k in 0..pixel {
                y[k] = end(y[k] * a[k] + c[k] + r.get(k).copied().unwrap_or(0.0));
            }
        }
    } else if residual.is_empty() {
        for (y, x) in y.chunks_exact_mut(pixel).zip(x.chunks_exact(pixel)) {
            for k in 0..pixel {
                y[k] = end(x[k] * a[k] + c[k]);
            }
        }
    } else {
        let places = x.chunks_exact(pixel).zip(residual.chunks_exact(pixel));
        for (y, (x, r)) in y.chunks_exact_mut(pixel).zip(places) {
            for k in 0..pixel {
                y[k] = end(x[k] * a[k] + c[k] + r[k]);
            }
        }
    }
}

/// Takes `dy` through the function, and adds for each channel the sum of it to `plain` and that of it times `x - mean` to
/// `along`.
pub(crate) fn normalise_backward(
    function: Activation,
    y: &[f32],
    x: &[f32],
    mean: &[f32],
    dy: &mut [f32],
    plain: &mut [f64],
    along: &mut [f64],
) {
    match function {
        Activation::Relu => slopes::<true>(y, x, mean, dy, plain, along),
        other => {
            pointwise::backward(other, y, dy);
            slopes::<false>(y, x, mean, dy, plain, along);
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn slopes<const RELU: bool>(
    y: &[f32],
    x: &[f32],
    mean: &[f32],
    dy: &mut [f32],
    plain: &mut [f64],
    along: &mut [f64],
) {
    let pixel = mean.len();
    let mut start = 0;
    while start < pixel {
        let width = BLOCK.min(pixel - start);
        let (mut sum, mut product) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        let places = dy
            .chunks_exact_mut(pixel)
            .zip(x.chunks_exact(pixel))
            .enumerate();
        if width == BLOCK {
            let mut about = [0.0; BLOCK];
            about.copy_from_slice(&mean[start..start + BLOCK]);
            for (p, (dy, x)) in places {
                let (dy, x) = (&mut dy[start..start + BLOCK], &x[start..start + BLOCK]);
                if RELU {
                    let y = &y[p * pixel + start..p * pixel + start + BLOCK];
                    for c in 0..BLOCK {
                        dy[c] = if y[c] > 0.0 { dy[c] } else { 0.0 };
                    }
                }
                for c in 0..BLOCK {
                    sum[c] += dy[c];
                    product[c] += dy[c] * (x[c] - about[c]);
                }
            }
        } else {
            for (p, (dy, x)) in places {
                for c in 0..width {
                    let at = start + c;
                    if RELU && y[p * pixel + at] <= 0.0 {
                        dy[at] = 0.0;
                    }
                    sum[c] += dy[at];
                    product[c] += dy[at] * (x[at] - mean[at]);
                }
            }
        }
        for c in 0..width {
            plain[start + c] += f64::from(sum[c]);
            along[start + c] += f64::from(product[c]);
        }
        start += width;
    }
}

/// `out (+)= f g + u x + w`, with `f`, `u` and `w` numbers for each channel; added to `out` if `add`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn combine([f, u, w]: [&[f32]; 3], g: &[f32], x: &[f32], out: &mut [f32], add: bool) {
    let pixel = f.len();
    let places = g.chunks_exact(pixel).zip(x.chunks_exact(pixel));
    for (out, (g, x)) in out.chunks_exact_mut(pixel).zip(places) {
        if add {
            for k in 0..pixel {
                out[k] += f[k] * g[k] + u[k] * x[k] + w[k];
            }
        } else {
            for k in 0..pixel {
                out[k] = f[k] * g[k] + u[k] * x[k] + w[k];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(len: usize, salt: usize) -> Vec<f32> {
        let number = |i: usize| ((i * 37 + salt * 11) % 23) as f32 - 11.0;
        (0..len).map(number).collect()
    }

    #[test]
    fn moments_are_those_of_the_definition() {
        for pixel in [1, 7, 16, 35] {
            let (x, about) = (drawn(pixel * 9, 1), drawn(pixel, 2));
            let (mut first, mut second) = (vec![1.0; pixel], vec![2.0; pixel]);
            moments(&x, &about, &mut first, &mut second);
            for c in 0..pixel {
                let values = || {
                    x.iter()
                        .skip(c)
                        .step_by(pixel)
                        .map(|v| f64::from(v - about[c]))
                };
                assert_eq!(first[c], 1.0 + values().sum::<f64>());
                assert_eq!(second[c], 2.0 + values().map(|v| v * v).sum::<f64>());
            }
        }
    }

    #[test]
    fn normalising_and_back() {
        for pixel in [3, 16, 20] {
            let len = pixel * 5;
            let (x, r, a, c) = (
                drawn(len, 1),
                drawn(len, 2),
                drawn(pixel, 3),
                drawn(pixel, 4),
            );
            let value = |i: usize, r: f32| a[i % pixel] * x[i] + c[i % pixel] + r;
            let mut y = vec![0.0; len];
            normalise(Activation::Relu, [&a, &c], &x, &r, &mut y);
            assert!((0..len).all(|i| y[i] == value(i, r[i]).max(0.0)));
            let mut plain = vec![0.0; len];
            normalise(Activation::Identity, [&a, &c], &x, &[], &mut plain);
            let mut own = x.clone();
            normalise(Activation::Identity, [&a, &c], &[], &[], &mut own);
            assert_eq!(plain, own);

            let mut dy = drawn(len, 5);
            let want: Vec<f32> = (0..len)
                .map(|i| if y[i] > 0.0 { dy[i] } else { 0.0 })
                .collect();
            let (mut sum, mut along) = (vec![0.0; pixel], vec![0.0; pixel]);
            normalise_backward(Activation::Relu, &y, &x, &a, &mut dy, &mut sum, &mut along);
            assert_eq!(dy, want);
            for k in 0..pixel {
                let own = (0..len).skip(k).step_by(pixel);
                assert_eq!(sum[k], own.clone().map(|i| f64::from(dy[i])).sum::<f64>());
                assert_eq!(
                    along[k],
                    own.map(|i| f64::from(dy[i] * (x[i] - a[k]))).sum::<f64>()
                );
            }
            let mut out = r.clone();
            combine([&a, &c, &a], &dy, &x, &mut out, true);
            let at = |i: usize| a[i % pixel] * dy[i] + c[i % pixel] * x[i] + a[i % pixel];
            assert!((0..len).all(|i| out[i] == r[i] + at(i)));
        }
    }
}
