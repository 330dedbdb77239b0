//! How far outputs are from each other.

/// The larger of two differences; NaN counts as the largest, whichever comes first.
pub(crate) fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// `max |a - b| / max(max |a|, 1e-6)`; NaN if anything is, infinite if the sizes differ.
pub(crate) fn relative<T: Copy + Into<f64>>(a: &[f64], b: &[T]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let scale = a.iter().fold(1e-6, |m: f64, v| m.max(v.abs()));
    a.iter()
        .zip(b)
        .fold(0.0, |m, (&a, &b)| worse(m, (a - b.into()).abs()))
        / scale
}

/// The largest relative difference of any output; infinite if one has another length or is not there.
pub(crate) fn furthest<T: Copy + Into<f64>>(want: &[Vec<T>], have: &[Vec<T>]) -> f64 {
    if want.len() != have.len() {
        return f64::INFINITY;
    }
    want.iter().zip(have).fold(0.0, |most, (want, have)| {
        let want: Vec<f64> = want.iter().map(|&v| v.into()).collect();
        worse(most, relative(&want, have))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_to_the_largest_output() {
        assert_eq!(relative(&[100.0, 1.0], &[100.0f32, 2.0]), 0.01);
        assert!(relative(&[1.0], &[f32::NAN]).is_nan());
        assert!(relative(&[1.0, 1.0], &[f32::NAN, 1.0]).is_nan());
        assert_eq!(relative::<f32>(&[1.0], &[]), f64::INFINITY);
    }

    #[test]
    fn outputs_that_are_missing_or_longer_are_infinitely_far() {
        assert_eq!(furthest::<f64>(&[vec![1.0]], &[]), f64::INFINITY);
        assert_eq!(furthest(&[vec![1.0]], &[vec![1.0, 2.0]]), f64::INFINITY);
        assert!(furthest(&[vec![1.0], vec![1.0]], &[vec![f64::NAN], vec![1.0]]).is_nan());
    }
}
