//! Numbers that lie side by side and are normalised together: softmax, and standardisation by mean and variance.

use multiversion::multiversion;

use super::exponential::exp;

/// Partial sums, so that they become vectors.
const LANES: usize = 16;

/// The sum of `f` over what lies at the same place in slices of one length.
#[inline(always)]
fn sum<const N: usize>(of: [&[f32]; N], f: impl Fn([f32; N]) -> f32) -> f32 {
    let mut parts = [0.0f32; LANES];
    let divided = of.map(<[f32]>::as_chunks::<LANES>);
    let whole = divided.map(|(whole, _)| whole);
    let rest = divided.map(|(_, rest)| rest);
    for chunk in 0..whole.map(<[_]>::len).into_iter().min().unwrap_or(0) {
        let own: [&[f32; LANES]; N] = std::array::from_fn(|n| &whole[n][chunk]);
        for lane in 0..LANES {
            parts[lane] += f(std::array::from_fn(|n| own[n][lane]));
        }
    }
    for i in 0..rest.map(<[f32]>::len).into_iter().min().unwrap_or(0) {
        parts[i] += f(std::array::from_fn(|n| rest[n][i]));
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            parts[i] += parts[i + width];
        }
    }
    parts[0]
}

/// Turns a line into its softmax, or the logarithm of that.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn softmax(line: &mut [f32], logarithm: bool) {
    // One for each lane, as sums are.
    let mut parts = [f32::MIN; LANES];
    let (whole, rest) = line.as_chunks::<LANES>();
    for chunk in whole {
        for lane in 0..LANES {
            parts[lane] = if chunk[lane] > parts[lane] {
                chunk[lane]
            } else {
                parts[lane]
            };
        }
    }
    let highest = rest.iter().chain(&parts).copied().fold(f32::MIN, f32::max);
    if logarithm {
        let total = sum(
            [&*line],
            #[inline(always)]
            |[v]| exp(v - highest),
        );
        let taken = highest + total.ln();
        line.iter_mut().for_each(|v| *v -= taken);
    } else {
        line.iter_mut().for_each(
            #[inline(always)]
            |v| *v = exp(*v - highest),
        );
        let share = 1.0 / sum([&*line], |[v]| v);
        line.iter_mut().for_each(|v| *v *= share);
    }
}

/// The gradient of a line's input from its result `y`; written to `dx`, or added.
///
/// `y (dy - sum dy y)` for softmax, `dy - e^y sum dy` for its logarithm.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn softmax_back(y: &[f32], dy: &[f32], dx: &mut [f32], logarithm: bool, add: bool) {
    let keep = |old: f32| if add { old } else { 0.0 };
    let pairs = y.iter().zip(dy);
    if logarithm {
        let total = sum([dy], |[dy]| dy);
        for (dx, (y, dy)) in dx.iter_mut().zip(pairs) {
            *dx = keep(*dx) + (dy - exp(*y) * total);
        }
    } else {
        let total = sum([y, dy], |[y, dy]| y * dy);
        for (dx, (y, dy)) in dx.iter_mut().zip(pairs) {
            *dx = keep(*dx) + y * (dy - total);
        }
    }
}

/// The mean of a line, and the mean square of what is left without it; without `centre` the mean is taken for 0.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn moments(line: &[f32], centre: bool) -> (f32, f32) {
    let count = line.len().max(1) as f32;
    let mean = match centre {
        true => sum([line], |[v]| v) / count,
        false => 0.0,
    };
    let squares = sum([line], |[v]| (v - mean) * (v - mean));
    (mean, squares / count)
}

/// `y = (x - mean) inverse a + c`, where `a` and `c` are one number for all or one for each, and an empty `c` is 0.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn standardise(
    x: &[f32],
    (mean, inverse): (f32, f32),
    a: &[f32],
    c: &[f32],
    y: &mut [f32],
) {
    let pairs = y.iter_mut().zip(x);
    match (a, c) {
        (&[a], &[]) => pairs.for_each(|(y, x)| *y = (x - mean) * inverse * a),
        (&[a], &[c]) => pairs.for_each(|(y, x)| *y = (x - mean) * inverse * a + c),
        (a, &[]) => pairs
            .zip(a)
            .for_each(|((y, x), a)| *y = (x - mean) * inverse * a),
        (a, c) => pairs
            .zip(a.iter().zip(c))
            .for_each(|((y, x), (a, c))| *y = (x - mean) * inverse * a + c),
    }
}

/// The sums of `a dy`, and of that times the standardised `x`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn slopes(x: &[f32], (mean, inverse): (f32, f32), a: &[f32], dy: &[f32]) -> (f32, f32) {
    match a {
        &[a] => (
            a * sum([dy], |[dy]| dy),
            a * sum([x, dy], |[x, dy]| dy * ((x - mean) * inverse)),
        ),
        a => (
            sum([dy, a], |[dy, a]| dy * a),
            sum([x, dy, a], |[x, dy, a]| dy * a * ((x - mean) * inverse)),
        ),
    }
}

/// `dx = inverse (a dy - plain - along xhat)`, with `xhat` the standardised `x`; written to `dx`, or added.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn standardise_back(
    x: &[f32],
    (mean, inverse): (f32, f32),
    a: &[f32],
    dy: &[f32],
    (plain, along): (f32, f32),
    dx: &mut [f32],
    add: bool,
) {
    let keep = |old: f32| if add { old } else { 0.0 };
    let pairs = dx.iter_mut().zip(x.iter().zip(dy));
    let back = |old: f32, x: f32, dy: f32, a: f32| {
        keep(old) + inverse * (a * dy - plain - along * ((x - mean) * inverse))
    };
    match a {
        &[a] => pairs.for_each(|(dx, (x, dy))| *dx = back(*dx, *x, *dy, a)),
        a => pairs
            .zip(a)
            .for_each(|((dx, (x, dy)), a)| *dx = back(*dx, *x, *dy, *a)),
    }
}

/// Adds the gradients of `a` and `c`; those that are one number for all get the sum. An empty `dc` is left out.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn scale_gradient(
    x: &[f32],
    (mean, inverse): (f32, f32),
    dy: &[f32],
    da: &mut [f32],
    dc: &mut [f32],
) {
    let pairs = x.iter().zip(dy);
    match da {
        [da] => *da += sum([x, dy], |[x, dy]| dy * ((x - mean) * inverse)),
        da => da
            .iter_mut()
            .zip(pairs)
            .for_each(|(da, (x, dy))| *da += dy * ((x - mean) * inverse)),
    }
    match dc {
        [] => {}
        [dc] => *dc += sum([dy], |[dy]| dy),
        dc => dc.iter_mut().zip(dy).for_each(|(dc, dy)| *dc += dy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(len: usize, salt: usize) -> Vec<f32> {
        let number = |i: usize| ((i * 37 + salt * 11) % 23) as f32 / 7.0 - 1.5;
        (0..len).map(number).collect()
    }

    #[test]
    fn shares_sum_to_one_and_logarithms_are_theirs() {
        for len in [1, 5, 16, 37] {
            let x = drawn(len, len);
            let (mut shares, mut logarithms) = (x.clone(), x.clone());
            softmax(&mut shares, false);
            softmax(&mut logarithms, true);
            let total: f64 = x.iter().map(|v| f64::from(*v).exp()).sum();
            for i in 0..len {
                let want = f64::from(x[i]).exp() / total;
                assert!((f64::from(shares[i]) - want).abs() < 1e-6);
                assert!((f64::from(logarithms[i]) - want.ln()).abs() < 1e-5);
            }
        }
        let mut line = [f32::NEG_INFINITY, 3.0, 1e4];
        softmax(&mut line, false);
        assert!(line[0] < 1e-30 && line[2] == 1.0);
    }

    #[test]
    fn one_number_for_all_is_many_equal_ones() {
        let (x, dy) = (drawn(37, 1), drawn(37, 2));
        let at = {
            let (mean, variance) = moments(&x, true);
            (mean, 1.0 / variance.sqrt())
        };
        let (a, c) = (vec![0.7; 37], vec![0.2; 37]);
        let (mut one, mut many) = (vec![0.0; 37], vec![0.0; 37]);
        standardise(&x, at, &a[..1], &c[..1], &mut one);
        standardise(&x, at, &a, &c, &mut many);
        assert_eq!(one, many);
        let total: f32 = one.iter().sum();
        assert!((total / 37.0 - 0.2).abs() < 1e-6);
        let (first, second) = (slopes(&x, at, &a[..1], &dy), slopes(&x, at, &a, &dy));
        assert!((first.0 - second.0).abs() < 1e-5 && (first.1 - second.1).abs() < 1e-5);
    }
}
