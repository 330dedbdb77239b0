//! Passes over places with their channels side by side: sums, scales and shifts of each channel.
//!
//! A value is `[places][pixel]`; vectors of channels have `pixel` numbers.

use multiversion::multiversion;

use super::blocks::by_block;
use super::pointwise;
use crate::Activation;

/// Adds, for each channel, the sum of `x - about` to `first` and that of its square to `second`.
pub(crate) fn moments(x: &[f32], about: &[f32], first: &mut [f64], second: &mut [f64]) {
    by_block!(about.len(), B => moments_of::<B>(x, about, first, second));
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn moments_of<const B: usize>(x: &[f32], about: &[f32], first: &mut [f64], second: &mut [f64]) {
    let (x, blocks) = (x.as_chunks::<B>().0, about.len() / B);
    for (k, about) in about.as_chunks::<B>().0.iter().enumerate() {
        let (mut sum, mut square) = ([0.0f32; B], [0.0f32; B]);
        for x in x[k..].iter().step_by(blocks) {
            for c in 0..B {
                let v = x[c] - about[c];
                sum[c] += v;
                square[c] += v * v;
            }
        }
        for c in 0..B {
            first[k * B + c] += f64::from(sum[c]);
            second[k * B + c] += f64::from(square[c]);
        }
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
        Activation::Relu => by_block!(a.len(), B => affine::<true, B>(a, c, x, residual, y)),
        other => {
            by_block!(a.len(), B => affine::<false, B>(a, c, x, residual, y));
            if other != Activation::Identity {
                pointwise::forward(other, y, &[], y.len());
            }
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn affine<const RELU: bool, const B: usize>(
    a: &[f32],
    c: &[f32],
    x: &[f32],
    residual: &[f32],
    y: &mut [f32],
) {
    let (blocks, places) = (a.len() / B, y.len() / a.len());
    let (x, r, y) = (
        x.as_chunks::<B>().0,
        residual.as_chunks::<B>().0,
        y.as_chunks_mut::<B>().0,
    );
    // In this order a NaN stays one.
    let end = |v: f32| if RELU && v < 0.0 { 0.0 } else { v };
    for (k, (a, c)) in a.as_chunks().0.iter().zip(c.as_chunks().0).enumerate() {
        let (a, c): (&[f32; B], &[f32; B]) = (a, c);
        let own = (k..places * blocks).step_by(blocks);
        match (x.is_empty(), r.is_empty()) {
            (true, true) => {
                for i in own {
                    let x = y[i];
                    y[i] = std::array::from_fn(|n| end(x[n] * a[n] + c[n]));
                }
            }
            (true, false) => {
                for (i, r) in own.zip(r[k..].iter().step_by(blocks)) {
                    let x = y[i];
                    y[i] = std::array::from_fn(|n| end(x[n] * a[n] + c[n] + r[n]));
                }
            }
            (false, true) => {
                for (i, x) in own.zip(x[k..].iter().step_by(blocks)) {
                    y[i] = std::array::from_fn(|n| end(x[n] * a[n] + c[n]));
                }
            }
            (false, false) => {
                let inputs = x[k..].iter().zip(&r[k..]).step_by(blocks);
                for (i, (x, r)) in own.zip(inputs) {
                    y[i] = std::array::from_fn(|n| end(x[n] * a[n] + c[n] + r[n]));
                }
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
        Activation::Relu => {
            by_block!(mean.len(), B => slopes::<true, B>(y, x, mean, dy, plain, along));
        }
        other => {
            pointwise::backward(other, y, dy);
            by_block!(mean.len(), B => slopes::<false, B>(y, x, mean, dy, plain, along));
        }
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn slopes<const RELU: bool, const B: usize>(
    y: &[f32],
    x: &[f32],
    mean: &[f32],
    dy: &mut [f32],
    plain: &mut [f64],
    along: &mut [f64],
) {
    let blocks = mean.len() / B;
    let (x, y, dy) = (
        x.as_chunks::<B>().0,
        y.as_chunks::<B>().0,
        dy.as_chunks_mut::<B>().0,
    );
    for (k, mean) in mean.as_chunks::<B>().0.iter().enumerate() {
        let (mut sum, mut product) = ([0.0f32; B], [0.0f32; B]);
        let mut add = |dy: &[f32; B], x: &[f32; B]| {
            for c in 0..B {
                sum[c] += dy[c];
                product[c] += dy[c] * (x[c] - mean[c]);
            }
        };
        let places = dy[k..].iter_mut().step_by(blocks);
        let places = places.zip(x[k..].iter().step_by(blocks));
        if RELU {
            for ((dy, x), y) in places.zip(y[k..].iter().step_by(blocks)) {
                // Both are loaded whole first, so that the choice is a mask and no jump.
                let (d, y) = (*dy, *y);
                *dy = std::array::from_fn(|c| if y[c] > 0.0 { d[c] } else { 0.0 });
                add(dy, x);
            }
        } else {
            for (dy, x) in places {
                add(dy, x);
            }
        }
        for c in 0..B {
            plain[k * B + c] += f64::from(sum[c]);
            along[k * B + c] += f64::from(product[c]);
        }
    }
}

/// `out (+)= f g + u x + w`, with `f`, `u` and `w` numbers for each channel; added to `out` if `add`.
pub(crate) fn combine([f, u, w]: [&[f32]; 3], g: &[f32], x: &[f32], out: &mut [f32], add: bool) {
    match add {
        true => by_block!(f.len(), B => combined::<true, B>([f, u, w], g, x, out)),
        false => by_block!(f.len(), B => combined::<false, B>([f, u, w], g, x, out)),
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn combined<const ADD: bool, const B: usize>(
    [f, u, w]: [&[f32]; 3],
    g: &[f32],
    x: &[f32],
    out: &mut [f32],
) {
    let blocks = f.len() / B;
    let (g, x, out) = (
        g.as_chunks::<B>().0,
        x.as_chunks::<B>().0,
        out.as_chunks_mut::<B>().0,
    );
    let factors = [f, u, w].map(|v| v.as_chunks::<B>().0);
    for k in 0..blocks {
        let [f, u, w] = factors.map(|v| &v[k]);
        let places = g[k..].iter().step_by(blocks);
        let places = places.zip(x[k..].iter().step_by(blocks));
        for (out, (g, x)) in out[k..].iter_mut().step_by(blocks).zip(places) {
            let before = if ADD { *out } else { [0.0; B] };
            *out = std::array::from_fn(|c| before[c] + (f[c] * g[c] + u[c] * x[c] + w[c]));
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
