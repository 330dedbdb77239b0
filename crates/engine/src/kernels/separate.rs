//! A pass over rows by itself: for what is not fused with the update.

use multiversion::multiversion;

/// Calls `work` with each row's index and numbers.
///
/// On closures see [`crate::kernels`].
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub fn rows<F>(numbers: &mut [f32], width: usize, work: F)
where
    F: Fn(usize, &mut [f32]),
{
    for (i, row) in numbers.chunks_exact_mut(width).enumerate() {
        work(i, row);
    }
}

/// Calls `work` with each row's index, numbers, and the numbers `beside` them.
///
/// On closures see [`crate::kernels`].
///
/// # Panics
/// If the slices differ in length.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub fn rows_beside<F>(numbers: &mut [f32], beside: &[f32], width: usize, work: F)
where
    F: Fn(usize, &mut [f32], &[f32]),
{
    assert_eq!(numbers.len(), beside.len(), "numbers and those beside");
    let beside = beside.chunks_exact(width);
    for (i, (row, beside)) in numbers.chunks_exact_mut(width).zip(beside).enumerate() {
        work(i, row, beside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_visited_with_its_place() {
        let mut numbers = [1.0f32; 6];
        rows(&mut numbers, 2, |i, row| row[1] += i as f32);
        assert_eq!(numbers, [1., 1., 1., 2., 1., 3.]);
        rows_beside(
            &mut numbers,
            &[0., 0., 0., 1., 0., 2.],
            2,
            |i, row, beside| {
                row[1] -= beside[1];
                row[0] += i as f32;
            },
        );
        assert_eq!(numbers, [1., 1., 2., 1., 3., 1.]);
    }
}
