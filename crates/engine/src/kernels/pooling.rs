//! Windows over places with their channels side by side.
//!
//! `taps` holds, for each output place, the offsets of the input places that it reads; a place has `pixel` numbers.

use multiversion::multiversion;

use super::blocks::by_block;

/// The largest of each window; NaN if one is, so that it is not lost.
pub(crate) fn largest(x: &[f32], taps: &[Vec<u32>], pixel: usize, y: &mut [f32]) {
    by_block!(pixel, B => largest_of::<B>(x, taps, pixel / B, y));
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn largest_of<const B: usize>(x: &[f32], taps: &[Vec<u32>], blocks: usize, y: &mut [f32]) {
    let (x, y) = (x.as_chunks::<B>().0, y.as_chunks_mut::<B>().0);
    for (taps, y) in taps.iter().zip(y.chunks_exact_mut(blocks)) {
        for (k, y) in y.iter_mut().enumerate() {
            let mut most = [f32::NEG_INFINITY; B];
            for &tap in taps {
                let x = x[tap as usize / B + k];
                // Written so that a NaN is taken and kept.
                most = std::array::from_fn(|c| {
                    let is_more = (x[c] > most[c]) | x[c].is_nan();
                    if is_more { x[c] } else { most[c] }
                });
            }
            *y = most;
        }
    }
}

/// Adds the gradient of each window to the first of its places that holds the result.
pub(crate) fn largest_back(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    taps: &[Vec<u32>],
    pixel: usize,
    dx: &mut [f32],
) {
    by_block!(pixel, B => largest_back_of::<B>(x, y, dy, taps, pixel / B, dx));
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn largest_back_of<const B: usize>(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    taps: &[Vec<u32>],
    blocks: usize,
    dx: &mut [f32],
) {
    let [x, y, dy] = [x, y, dy].map(|v| v.as_chunks::<B>().0);
    let dx = dx.as_chunks_mut::<B>().0;
    let outputs = y.chunks_exact(blocks).zip(dy.chunks_exact(blocks));
    for (taps, (y, dy)) in taps.iter().zip(outputs) {
        for (k, (y, dy)) in y.iter().zip(dy).enumerate() {
            let mut left = *dy;
            for &tap in taps {
                let at = tap as usize / B + k;
                let (x, before) = (x[at], dx[at]);
                let hit: [bool; B] = std::array::from_fn(|c| x[c] == y[c]);
                dx[at] = std::array::from_fn(|c| before[c] + if hit[c] { left[c] } else { 0.0 });
                left = std::array::from_fn(|c| if hit[c] { 0.0 } else { left[c] });
            }
        }
    }
}

/// The sum of each window times its share.
pub(crate) fn mean(x: &[f32], taps: &[Vec<u32>], shares: &[f32], pixel: usize, y: &mut [f32]) {
    by_block!(pixel, B => mean_of::<B>(x, taps, shares, pixel / B, y));
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn mean_of<const B: usize>(
    x: &[f32],
    taps: &[Vec<u32>],
    shares: &[f32],
    blocks: usize,
    y: &mut [f32],
) {
    let (x, y) = (x.as_chunks::<B>().0, y.as_chunks_mut::<B>().0);
    for ((taps, share), y) in taps.iter().zip(shares).zip(y.chunks_exact_mut(blocks)) {
        for (k, y) in y.iter_mut().enumerate() {
            let mut sum = [0.0; B];
            for &tap in taps {
                let x = x[tap as usize / B + k];
                sum = std::array::from_fn(|c| sum[c] + x[c]);
            }
            *y = sum.map(|v| v * share);
        }
    }
}

/// Adds to every place its share of the gradient of the windows that read it.
pub(crate) fn mean_back(
    dy: &[f32],
    taps: &[Vec<u32>],
    shares: &[f32],
    pixel: usize,
    dx: &mut [f32],
) {
    by_block!(pixel, B => mean_back_of::<B>(dy, taps, shares, pixel / B, dx));
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
fn mean_back_of<const B: usize>(
    dy: &[f32],
    taps: &[Vec<u32>],
    shares: &[f32],
    blocks: usize,
    dx: &mut [f32],
) {
    let (dy, dx) = (dy.as_chunks::<B>().0, dx.as_chunks_mut::<B>().0);
    for ((taps, share), dy) in taps.iter().zip(shares).zip(dy.chunks_exact(blocks)) {
        for (k, dy) in dy.iter().enumerate() {
            for &tap in taps {
                let into = &mut dx[tap as usize / B + k];
                let before = *into;
                *into = std::array::from_fn(|c| before[c] + share * dy[c]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_numbers_has_the_gradient() {
        let taps = vec![vec![0, 2, 4], vec![2, 4]];
        let x = [1.0, 5.0, 3.0, 5.0, 3.0, -1.0];
        let mut y = [0.0; 4];
        largest(&x, &taps, 2, &mut y);
        assert_eq!(y, [3.0, 5.0, 3.0, 5.0]);
        let mut dx = [0.0; 6];
        largest_back(&x, &y, &[1.0, 2.0, 4.0, 8.0], &taps, 2, &mut dx);
        assert_eq!(dx, [0.0, 2.0, 5.0, 8.0, 0.0, 0.0]);
        largest(&[f32::NAN, 1.0, 2.0, 1.0], &[vec![0, 2]], 2, &mut y[..2]);
        assert!(y[0].is_nan());
    }

    #[test]
    fn means_share_their_gradient() {
        let (taps, shares) = (vec![vec![0, 1], vec![1]], [0.5, 0.25]);
        let mut y = [0.0; 2];
        mean(&[2.0, 4.0], &taps, &shares, 1, &mut y);
        assert_eq!(y, [3.0, 1.0]);
        let mut dx = [1.0, 1.0];
        mean_back(&[2.0, 4.0], &taps, &shares, 1, &mut dx);
        assert_eq!(dx, [2.0, 3.0]);
    }
}
