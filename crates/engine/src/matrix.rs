//! Matrix products on slices: the safe face of the `gemm` crate.

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

    fn is_row_major(&self) -> bool {
        self.column_stride == 1
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
    /// Beyond about this many columns the packed right operand no longer stays in the cache.
    const PANEL: usize = 512;
    let width = b.columns;
    assert_eq!(c.len(), a.rows * width, "size of the result");
    if a.rows == 0 || width < 2 * PANEL || !b.is_row_major() {
        return multiply_strided(c, width, keep, a, b);
    }
    let mut first = 0;
    while first < width {
        let count = PANEL.min(width - first);
        multiply_strided(&mut c[first..], width, keep, a, b.columns(first, count));
        first += count;
    }
}

/// `c[i * stride + j] = keep * c[i * stride + j] + (a * b)[i, j]`.
#[expect(unsafe_code, reason = "the gemm crate takes pointers and strides")]
fn multiply_strided(c: &mut [f32], stride: usize, keep: f32, a: View<'_>, b: View<'_>) {
    if a.rows == 0 || b.columns == 0 {
        return;
    }
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert!(b.columns <= stride, "rows of the result overlap");
    assert!(
        (a.rows - 1) * stride + b.columns <= c.len(),
        "a result beyond its slice"
    );
    assert!(a.is_inside() && b.is_inside(), "a view beyond its slice");
    // SAFETY: `gemm` reads the elements `i * row_stride + j * column_stride` of `a` and `b` for i and
    // j below their rows and columns, all inside the slices as `is_inside` has checked; it writes
    // `i * stride + j` of `c` for i below `a.rows` and j below `b.columns`, inside `c` as the assertion
    // above has checked. `c` is borrowed exclusively, so nothing aliases it. Strides fit `isize`
    // because a slice has at most `isize::MAX` bytes.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            stride as isize,
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
            m in 0usize..40, n in 0usize..40, k in 0usize..40, first in 0usize..5, keep in 0u8..3,
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
            for i in 0..m {
                for j in 0..n {
                    let mut sum = keep * old[i * n + j];
                    for p in 0..k {
                        let x = if transposed[0] { a_data[p * (m + first) + first + i] } else { a_data[(first + i) * k + p] };
                        let y = if transposed[1] { b_data[j * k + p] } else { b_data[p * n + j] };
                        sum += x * y;
                    }
                    prop_assert_eq!(c[i * n + j], sum);
                }
            }
        }
    }
}
