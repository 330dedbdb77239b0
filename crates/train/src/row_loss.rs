//! The losses of one row of logits, with their gradients, in either precision.

/// Floats that losses are written for: `f32` to train, `f64` to check gradients.
pub trait Scalar: Copy + PartialOrd + Send + Sync {
    /// The nearest value of this type.
    fn of(value: f64) -> Self;
    /// The value as `f64`.
    fn wide(self) -> f64;
}

impl Scalar for f32 {
    #[inline]
    fn of(value: f64) -> Self {
        value as f32
    }
    #[inline]
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    #[inline]
    fn of(value: f64) -> Self {
        value
    }
    #[inline]
    fn wide(self) -> f64 {
        self
    }
}

/// `-log softmax(row)[label]`, and its gradient times `weight`.
pub(crate) fn cross_entropy_row<T: Scalar>(
    row: &[T],
    label: usize,
    weight: f64,
    into: &mut [T],
) -> f64 {
    let (top, sum) = exponentials(row, into);
    let scale = weight / sum;
    for (j, out) in into.iter_mut().enumerate() {
        let hit = if j == label { weight } else { 0.0 };
        *out = T::of(out.wide() * scale - hit);
    }
    sum.ln() + top - row[label].wide()
}

/// `-log softmax(softmax(row))[label]`, and its gradient times `weight`.
///
/// With p the inner and q the outer softmax, the derivative by p is `g = q - hit`, and that by the row is
/// `p (g - <p, g>)`.
pub(crate) fn double_softmax_row<T: Scalar>(
    row: &[T],
    label: usize,
    weight: f64,
    into: &mut [T],
) -> f64 {
    let sum = exponentials(row, into).1;
    let (mut outer, mut along) = (0.0, 0.0);
    for p in into.iter_mut() {
        *p = T::of(p.wide() / sum);
        let e = p.exp_wide();
        outer += e;
        along += p.wide() * e;
    }
    let hit = into[label].wide();
    let mean = along / outer - hit;
    for (j, out) in into.iter_mut().enumerate() {
        let slope = out.exp_wide() / outer - if j == label { 1.0 } else { 0.0 };
        *out = T::of(weight * out.wide() * (slope - mean));
    }
    outer.ln() - hit
}

/// Puts `exp(v - top)` of every number into `into`; returns the largest number, `top`, and their sum.
///
/// The largest is subtracted so that no exponential overflows.
fn exponentials<T: Scalar>(row: &[T], into: &mut [T]) -> (f64, f64) {
    let mut top = f64::NEG_INFINITY;
    for &v in row {
        if v.wide() > top {
            top = v.wide();
        }
    }
    let mut sum = 0.0;
    for (&v, out) in row.iter().zip(into.iter_mut()) {
        let e = T::of(v.wide() - top).exp_wide();
        *out = T::of(e);
        sum += e;
    }
    (top, sum)
}

/// The exponential in the precision of the type: in single precision it is several times cheaper, and as
/// exact as what it is taken of.
trait ExpWide: Scalar {
    fn exp_wide(self) -> f64;
}

impl<T: Scalar> ExpWide for T {
    #[inline]
    fn exp_wide(self) -> f64 {
        if size_of::<T>() == 4 {
            f64::from((self.wide() as f32).exp())
        } else {
            self.wide().exp()
        }
    }
}
