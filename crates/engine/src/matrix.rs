//! Matrix products on slices: the safe face of the `gemm` crate.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

/// A matrix inside a slice of numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// All of `data` as a row-major matrix.
    ///
    /// # Panics
    /// If `data` does not hold exactly `rows * columns` numbers.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a {rows}x{columns} matrix");
        Self {
            data,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The number of columns.
    pub(crate) fn width(self) -> usize {
        self.columns
    }

    /// The slice that the matrix lies in.
    pub(crate) fn data(self) -> &'a [f32] {
        self.data
    }

    /// Rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// `count` rows from `first`.
    ///
    /// # Panics
    /// If there are not as many.
    pub(crate) fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows, "rows beyond the matrix");
        let start = (first * self.row_stride).min(self.data.len());
        Self {
            data: &self.data[start..],
            rows: count,
            ..self
        }
    }

    /// `count` columns from `first`.
    ///
    /// # Panics
    /// If there are not as many.
    pub(crate) fn columns(self, first: usize, count: usize) -> Self {
        self.transposed().rows(first, count).transposed()
    }

    fn is_inside(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
                < self.data.len()
    }
}

/// `c = keep * c + a * b` on the current thread; with `keep` 0 the old `c` is not read.
///
/// `c` is row-major.
///
/// # Panics
/// If the sizes do not fit together.
pub(crate) fn multiply(c: &mut [f32], keep: f32, a: View<'_>, b: View<'_>) {
    assert_eq!(c.len(), a.rows * b.columns, "size of the result");
    let width = b.columns;
    multiply_columns(&Target::new(c), width, 0..width, keep, a, b);
}

/// `c = a * b` in `parts` ranges of columns at once, on the threads of the current pool.
///
/// Worth it where `b` is large: ranges of rows would each bring all of `b` into order for the product.
///
/// # Panics
/// If the sizes do not fit together.
pub(crate) fn multiply_split(c: &mut [f32], a: View<'_>, b: View<'_>, parts: usize) {
    assert_eq!(c.len(), a.rows * b.columns, "size of the result");
    let width = b.columns;
    let target = Target::new(c);
    (0..parts).into_par_iter().with_max_len(1).for_each(|part| {
        let columns = width * part / parts..width * (part + 1) / parts;
        multiply_columns(&target, width, columns, 0.0, a, b);
    });
}

/// A slice that several threads write, each to columns of its own.
struct Target<'a> {
    start: *mut f32,
    len: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

#[expect(unsafe_code, reason = "threads write separate columns of one slice")]
// SAFETY: the pointer is only used by `multiply_columns`, whose callers hand every column to one thread.
unsafe impl Sync for Target<'_> {}

impl<'a> Target<'a> {
    fn new(c: &'a mut [f32]) -> Self {
        Self {
            start: c.as_mut_ptr(),
            len: c.len(),
            borrowed: PhantomData,
        }
    }
}

/// `c[.., columns] = keep * c[.., columns] + a * b[.., columns]` for a row-major `c` of `width` columns.
///
/// At any time no column is written by two callers: [`multiply`] has the only one, [`multiply_split`] makes
/// ranges that do not overlap.
#[expect(unsafe_code, reason = "the gemm crate takes pointers and strides")]
fn multiply_columns(
    c: &Target<'_>,
    width: usize,
    columns: Range<usize>,
    keep: f32,
    a: View<'_>,
    b: View<'_>,
) {
    let b = b.columns(columns.start, columns.len());
    if a.rows == 0 || b.columns == 0 {
        return;
    }
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert!(columns.end <= width, "columns beyond the result");
    assert_eq!(c.len, a.rows * width, "size of the result");
    assert!(a.is_inside() && b.is_inside(), "a view beyond its slice");
    // SAFETY: `gemm` reads the elements `i * row_stride + j * column_stride` of `a` and `b` for i and
    // j below their rows and columns, all inside the slices as `is_inside` has checked. It reads and
    // writes `i * width + j` of `c` for i below `a.rows` and j in `columns`, inside `c` as the assertions
    // above have checked. `c` stands for an exclusive borrow, and no other thread touches these columns,
    // so nothing aliases them. Strides fit `isize` because a slice has at most `isize::MAX` bytes.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.start.add(columns.start),
            1,
            width as isize,
            keep != 0.0,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            keep,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Small integers, so that every order of summation gives the same f32.
    fn integers(len: usize, seed: usize) -> Vec<f32> {
        (0..len)
            .map(|i| ((i * 7 + seed * 13) % 11) as f32 - 5.0)
            .collect()
    }

    proptest! {
        #[test]
        fn products_equal_the_definition(
            m in 0usize..40, n in 0usize..40, k in 0usize..40, first in 0usize..5, keep in 0u8..3, parts in 1usize..5,
            transposed in any::<[bool; 2]>(),
        ) {
            let keep = f32::from(keep);
            let a_data = integers((m + first) * k, 1);
            let b_data = integers(k * n, 2);
            let a = if transposed[0] {
                View::new(&a_data, k, m + first).transposed().rows(first, m)
            } else {
                View::new(&a_data, m + first, k).rows(first, m)
            };
            let b = if transposed[1] {
                View::new(&b_data, n, k).transposed()
            } else {
                View::new(&b_data, k, n)
            };
            let old = integers(m * n, 3);
            let mut c = old.clone();
            multiply(&mut c, keep, a, b);
            let mut split = old.clone();
            multiply_split(&mut split, a, b, parts);
            for i in 0..m {
                for j in 0..n {
                    let mut sum = 0.0;
                    for p in 0..k {
                        let x = if transposed[0] { a_data[p * (m + first) + first + i] } else { a_data[(first + i) * k + p] };
                        let y = if transposed[1] { b_data[j * k + p] } else { b_data[p * n + j] };
                        sum += x * y;
                    }
                    prop_assert_eq!(split[i * n + j], sum);
                    prop_assert_eq!(c[i * n + j], keep * old[i * n + j] + sum);
                }
            }
        }
    }
}
