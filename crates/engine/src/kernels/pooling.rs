//! Windows over places with their channels side by side.
//!
//! `taps` holds, for each output place, the offsets of the input places that it reads; a place has `pixel` numbers.

use multiversion::multiversion;

/// The largest of each window; NaN if one is, so that it is not lost.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn largest(x: &[f32], taps: &[Vec<u32>], pixel: usize, y: &mut [f32]) {
    for (taps, y) in taps.iter().zip(y.chunks_exact_mut(pixel)) {
        y.fill(f32::NEG_INFINITY);
        for &tap in taps {
            let x = &x[tap as usize..tap as usize + pixel];
            for c in 0..pixel {
                // Written so that a NaN is taken and kept.
                y[c] = if x[c] > y[c] || x[c].is_nan() {
                    x[c]
                } else {
                    y[c]
                };
            }
        }
    }
}

/// Adds the gradient of each window to the first of its places that holds the result.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn largest_back(
    x: &[f32],
    y: &[f32],
    dy: &[f32],
    taps: &[Vec<u32>],
    pixel: usize,
    dx: &mut [f32],
) {
    const BLOCK: usize = 16;
    for (place, taps) in taps.iter().enumerate() {
        for start in (0..pixel).step_by(BLOCK) {
            let width = BLOCK.min(pixel - start);
            let own = place * pixel + start..place * pixel + start + width;
            let y = &y[own.clone()];
            let mut left = [0.0f32; BLOCK];
            left[..width].copy_from_slice(&dy[own]);
            for &tap in taps {
                let at = tap as usize + start;
                let (x, dx) = (&x[at..at + width], &mut dx[at..at + width]);
                for c in 0..width {
                    let hit = x[c] == y[c];
                    dx[c] += if hit { left[c] } else { 0.0 };
                    left[c] = if hit { 0.0 } else { left[c] };
                }
            }
        }
    }
}

/// The sum of each window times its share.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn mean(x: &[f32], taps: &[Vec<u32>], shares: &[f32], pixel: usize, y: &mut [f32]) {
    for ((taps, share), y) in taps.iter().zip(shares).zip(y.chunks_exact_mut(pixel)) {
        y.fill(0.0);
        for &tap in taps {
            let x = &x[tap as usize..tap as usize + pixel];
            for c in 0..pixel {
                y[c] += x[c];
            }
        }
        y.iter_mut().for_each(|v| *v *= share);
    }
}

/// Adds to every place its share of the gradient of the windows that read it.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn mean_back(
    dy: &[f32],
    taps: &[Vec<u32>],
    shares: &[f32],
    pixel: usize,
    dx: &mut [f32],
) {
    for ((taps, share), dy) in taps.iter().zip(shares).zip(dy.chunks_exact(pixel)) {
        for &tap in taps {
            let dx = &mut dx[tap as usize..tap as usize + pixel];
            for c in 0..pixel {
                dx[c] += share * dy[c];
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
