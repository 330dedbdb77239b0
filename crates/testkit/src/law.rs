//! Laws on drawn values that say how often they could be looked at.

use std::cell::Cell;

use proptest::prop_assert_eq;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use secateur_graph::{ChannelGroups, ErrorKind, Graph, Keep, evaluate, mask, shrink};

use crate::{bits, rows};

/// Whether a law looked at a value, or why it does not hold of it.
pub type Looked = Result<bool, TestCaseError>;

/// Draws `cases` values and runs `law` on each. It answers whether it looked at the value: a draw may be one that the law says
/// nothing of, such as a choice that a network cannot do with.
///
/// # Panics
/// If the law fails, with the simplest value that was found; and if less than the share `least` of all values was looked at, as
/// a law that is silent on its values shows nothing.
#[track_caller]
pub fn law<S: Strategy>(cases: u32, least: f64, values: &S, law: impl Fn(S::Value) -> Looked) {
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

/// What a network is without the units that a decision drops; none where it leaves an axis without positions.
///
/// # Errors
/// If it cannot be cut for another reason.
pub fn cut(
    graph: &Graph,
    groups: &ChannelGroups,
    keep: &Keep,
) -> Result<Option<Graph>, TestCaseError> {
    match shrink(graph, groups, keep) {
        Ok(small) => Ok(Some(small.graph)),
        Err(error) => {
            prop_assert_eq!(error.kind(), ErrorKind::Keep, "{}", error);
            Ok(None)
        }
    }
}

/// A masked and a cut network compute the same, to the bit, on drawn rows. Nothing is looked at where the cut leaves an axis without
/// positions, or drops no unit.
///
/// # Errors
/// If they do not, or one of them cannot be made or run.
pub fn masked_equals_cut(graph: &Graph, groups: &ChannelGroups, keep: &Keep, seed: u64) -> Looked {
    let fail = |error: secateur_graph::Error| TestCaseError::fail(error.to_string());
    let inputs = rows(graph, 2, seed);
    let masked = mask(graph, groups, keep).and_then(|masked| evaluate(&masked, &inputs));
    let masked = masked.map_err(fail)?;
    let Some(small) = cut(graph, groups, keep)? else {
        return Ok(false);
    };
    let have = evaluate(&small, &inputs).map_err(fail)?;
    prop_assert_eq!(bits(&masked), bits(&have));
    Ok(!keep.is_all())
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
