//! Laws on drawn values that say how often they could be looked at.

use std::cell::Cell;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Draws `cases` values and runs `law` on each. It answers whether it looked at the value: a draw may be one that the law says
/// nothing of, such as a choice that a network cannot do with.
///
/// # Panics
/// If the law fails, with the simplest value that was found; and if less than the share `least` of all values was looked at, as
/// a law that is silent on its values shows nothing.
#[track_caller]
pub fn law<S: Strategy>(
    cases: u32,
    least: f64,
    values: &S,
    law: impl Fn(S::Value) -> Result<bool, TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let (looked, drawn) = (Cell::new(0u32), Cell::new(0u32));
    let found = TestRunner::new(config).run(values, |value| {
        drawn.set(drawn.get() + 1);
        if law(value)? {
            looked.set(looked.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = found {
        panic!("{error}");
    }
    let (looked, drawn) = (looked.get(), drawn.get());
    assert!(
        f64::from(looked) >= least * f64::from(drawn) && drawn > 0,
        "looked at {looked} of {drawn} values only, less than a share of {least}"
    );
}

#[cfg(test)]
mod tests {
    use proptest::prop_assert;

    use super::*;

    #[test]
    fn half_of_the_numbers_are_even() {
        law(200, 0.3, &(0..1000u32), |n| Ok(n % 2 == 0));
    }

    #[test]
    #[should_panic(expected = "looked at 0 of 50 values only")]
    fn a_law_that_looks_at_nothing_fails() {
        law(50, 0.1, &(0..1000u32), |_| Ok(false));
    }

    #[test]
    #[should_panic(expected = "minimal failing input: 10")]
    fn a_law_that_is_wrong_fails_with_the_simplest_value() {
        law(500, 0.0, &(0..1000u32), |n| {
            prop_assert!(n < 10);
            Ok(true)
        });
    }
}
