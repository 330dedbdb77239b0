//! Is this the gradient of that? Finite differences against a claimed gradient, in double precision.

/// The slope of `value` at `point` along `direction` by central differences, and what `gradient` claims.
///
/// The step is 1e-5 relative to the point's largest coordinate, which balances truncation (h^2) and
/// rounding (1e-16 / h) at about 1e-10. Keep `point` away from kinks.
pub fn directional(
    value: impl Fn(&[f64]) -> f64,
    gradient: &[f64],
    point: &[f64],
    direction: &[f64],
) -> (f64, f64) {
    let largest = point.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    let step = 1e-5 * largest;
    let at = |t: f64| value(&moved(point, direction, t));
    let differences = (at(step) - at(-step)) / (2.0 * step);
    (differences, dot(gradient, direction))
}

/// The order at which `|value(x + h d) - value(x) - h <gradient, d>|` falls with h: 2 for the gradient of a
/// curved function, 1 for anything else. `None` where the remainder vanishes (below 1e-12 of the value).
///
/// Fitted by least squares on logarithms over h = 2^-4 ... 2^-12.
pub fn taylor_slope(
    value: impl Fn(&[f64]) -> f64,
    gradient: &[f64],
    point: &[f64],
    direction: &[f64],
) -> Option<f64> {
    let start = value(point);
    let slope = dot(gradient, direction);
    let mut logs = vec![];
    for power in 4..=12 {
        let h = f64::powi(0.5, power);
        let remainder = (value(&moved(point, direction, h)) - start - h * slope).abs();
        if remainder <= 1e-12 * start.abs().max(1.0) {
            continue;
        }
        logs.push((h.ln(), remainder.ln()));
    }
    if logs.len() < 3 {
        return None;
    }
    let count = logs.len() as f64;
    let mean_h = logs.iter().map(|l| l.0).sum::<f64>() / count;
    let mean_r = logs.iter().map(|l| l.1).sum::<f64>() / count;
    let covariance: f64 = logs.iter().map(|l| (l.0 - mean_h) * (l.1 - mean_r)).sum();
    let variance: f64 = logs.iter().map(|l| (l.0 - mean_h).powi(2)).sum();
    Some(covariance / variance)
}

fn moved(point: &[f64], direction: &[f64], t: f64) -> Vec<f64> {
    point
        .iter()
        .zip(direction)
        .map(|(x, d)| x + t * d)
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curved(x: &[f64]) -> f64 {
        x[0].powi(3) + (x[0] * x[1]).sin()
    }

    fn right(x: &[f64]) -> [f64; 2] {
        let c = (x[0] * x[1]).cos();
        [3.0 * x[0] * x[0] + x[1] * c, x[0] * c]
    }

    const POINT: [f64; 2] = [0.7, -1.3];
    const DIRECTION: [f64; 2] = [0.6, 0.8];

    #[test]
    fn the_gradient_passes() {
        let gradient = right(&POINT);
        let (by_differences, claimed) = directional(curved, &gradient, &POINT, &DIRECTION);
        assert!((by_differences - claimed).abs() < 1e-8);
        let slope = taylor_slope(curved, &gradient, &POINT, &DIRECTION).unwrap();
        assert!((1.9..2.1).contains(&slope), "{slope}");
    }

    #[test]
    fn a_wrong_gradient_fails() {
        let mut gradient = right(&POINT);
        gradient[1] += 0.01;
        let (by_differences, claimed) = directional(curved, &gradient, &POINT, &DIRECTION);
        assert!((by_differences - claimed).abs() > 1e-3);
        let slope = taylor_slope(curved, &gradient, &POINT, &DIRECTION).unwrap();
        assert!(slope < 1.9, "{slope}");
    }

    #[test]
    fn a_straight_function_has_no_remainder() {
        let straight = |x: &[f64]| 2.0 * x[0] - x[1];
        assert_eq!(
            taylor_slope(straight, &[2.0, -1.0], &POINT, &DIRECTION),
            None
        );
        assert!(taylor_slope(straight, &[2.0, 1.0], &POINT, &DIRECTION).is_some());
    }
}
