//! How far a repaired file may be from its network.

use crate::model::check::TOLERANCE;
use crate::runtime::NAME;
use crate::{Error, ErrorKind, Result};

/// How a repaired file was verified, on inputs that nothing was fitted or chosen on: the file as it reads back on the independent runtime,
/// against its network on what shares nothing with that.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct RepairEvidence {
    /// Name and version of the runtime.
    pub runtime: &'static str,
    /// Largest relative difference of any output from the naive f64 evaluator, where that can run the model in short time.
    pub naive_difference: Option<f64>,
    /// The same from the engine of this program, where the evaluator would take long.
    pub engine_difference: Option<f64>,
    /// Largest relative difference of the engine from the evaluator, node by node at sampled places.
    pub engine_sampled: Option<f64>,
    /// Largest relative difference of the given model on the same, where the repaired one differs by more than 1e-4: rounding may be all.
    pub given_difference: Option<f64>,
    /// Differences above this fail: 1e-4, or four times that of the given model, up to 5e-4.
    pub tolerance: f64,
}

/// How much more than the given model the repaired one may differ between runtimes by rounding alone.
const AS_GIVEN: f64 = 4.0;
/// What is never accepted, however much the given model differs.
const MOST: f64 = 5.0 * TOLERANCE;

impl RepairEvidence {
    /// Each difference with what it is from, and what it may be.
    pub(super) fn legs(&self) -> impl Iterator<Item = (f64, &'static str, f64)> {
        let sampled = "the f64 evaluator, by the engine";
        let all = [
            (self.naive_difference, "the f64 evaluator", self.tolerance),
            (self.engine_difference, "the engine", self.tolerance),
            // Node by node nothing adds up.
            (self.engine_sampled, sampled, TOLERANCE),
        ];
        all.into_iter()
            .filter_map(|(difference, of, most)| Some((difference?, of, most)))
    }

    /// Whether there is a difference, and all of them are within what they may be.
    pub(super) fn is_held(&self) -> bool {
        self.legs().next().is_some() && self.legs().all(|(found, _, most)| found <= most)
    }

    /// The same, held to what is found of the given model too.
    pub(super) fn beside(self, given: &Self) -> Self {
        let found = given.naive_difference.or(given.engine_difference);
        let most = found.map_or(TOLERANCE, |found| AS_GIVEN * found);
        Self {
            given_difference: found,
            // No number is above none.
            tolerance: if most > TOLERANCE {
                most.min(MOST)
            } else {
                TOLERANCE
            },
            ..self
        }
    }

    /// The same, if every difference is within what it may be and there is one.
    pub(super) fn held(self) -> Result<Self> {
        if self.is_held() {
            return Ok(self);
        }
        let Some((difference, of, most)) = self.far() else {
            return Err(unverifiable());
        };
        let given = self.given_difference;
        let given = given.map_or_else(String::new, |d| format!("; the given model by {d:.2e}"));
        Err(Error::new(
            ErrorKind::Verification,
            format!("the repaired file differs from its network on {of} by {difference:.2e} (relative), more than {most:.0e}{given}"),
        )
        .hint(match self.given_difference {
            Some(given) if given > TOLERANCE => {
                "nothing was written; the model makes so much of rounding that what is made of it cannot be verified: without --repair it may be cut nevertheless"
            }
            _ => "nothing was written; this is a defect: please report it with the model",
        }))
    }

    /// Nothing, if what is made of the given model, whose evidence this is, can be verified.
    pub(super) fn held_as_given(self) -> Result<()> {
        let most = Self {
            tolerance: MOST,
            ..self
        };
        if most.is_held() {
            return Ok(());
        }
        let Some((difference, of, most)) = most.far() else {
            return Err(unverifiable());
        };
        let message = format!(
            "the model as it is gives other numbers on {of} than on {NAME}, by {difference:.2e} (relative), more than {most:.0e}, so that nothing that is made of it \
             can be verified"
        );
        Err(Error::new(ErrorKind::Verification, message).hint(
            "it makes much of rounding, or takes whole numbers beyond 32 bits; without --repair it may be cut nevertheless",
        ))
    }

    /// The first difference that is above what it may be.
    fn far(&self) -> Option<(f64, &'static str, f64)> {
        self.legs()
            .find(|(found, _, most)| found.is_nan() || found > most)
    }
}

fn unverifiable() -> Error {
    let message = "nothing but the independent runtime can run the model, so that a repaired one cannot be verified";
    Error::new(ErrorKind::Verification, message).hint("leave out --repair")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leg_refuses_alone() {
        let with = |naive, engine, sampled| RepairEvidence {
            runtime: NAME,
            naive_difference: naive,
            engine_difference: engine,
            engine_sampled: sampled,
            given_difference: None,
            tolerance: TOLERANCE,
        };
        let (good, bad) = (Some(1e-6), Some(1e-3));
        with(good, None, None).held().unwrap();
        with(None, good, good).held().unwrap();
        for (naive, engine, sampled) in [
            (bad, None, None),
            (None, bad, good),
            (None, good, bad),
            (Some(f64::NAN), None, None),
            (None, None, None),
        ] {
            let evidence = with(naive, engine, sampled);
            let error = evidence.clone().held().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification);
            // Whatever is found of the given model.
            for given in [
                None,
                Some(1e-5),
                Some(1.0),
                Some(f64::NAN),
                Some(f64::INFINITY),
            ] {
                let beside = evidence.clone().beside(&with(given, None, None));
                assert!(beside.held().is_err(), "{given:?}");
            }
        }
        // What rounding does to the given model it may do to the repaired one.
        for (found, given, is_held) in [
            (1.4e-4, 1.2e-4, true),
            (4.7e-4, 1.2e-4, true),
            (4.9e-4, 1.2e-4, false),
            (1.4e-4, 3e-5, false),
            (4.9e-4, 2e-4, true),
            (5.1e-4, 2e-4, false),
        ] {
            let given = [with(Some(given), None, None), with(None, Some(given), good)];
            for given in given {
                let held = with(None, Some(found), good).beside(&given).held();
                assert_eq!(held.is_ok(), is_held, "{found} {given:?}");
            }
        }
        // The given model alone: what nothing that is made of it could keep to is told before.
        for (given, is_held) in [
            (with(Some(4.9e-4), None, None), true),
            (with(None, Some(4.9e-4), good), true),
            (with(Some(5.1e-4), None, None), false),
            (with(None, Some(5.1e-4), good), false),
            (with(None, good, Some(1.1e-4)), false),
            (with(Some(f64::NAN), None, None), false),
            (with(None, None, None), false),
        ] {
            let held = given.clone().held_as_given();
            assert_eq!(held.is_ok(), is_held, "{given:?}");
        }
        // What is no defect is not called one.
        for (given, is_defect) in [(9e-5, true), (1.1e-4, false)] {
            let far = with(Some(6e-4), None, None).beside(&with(Some(given), None, None));
            let error = far.held().unwrap_err();
            assert_eq!(
                error.hint_text().unwrap().contains("defect"),
                is_defect,
                "{given}"
            );
        }
        // Node by node it does nothing.
        let bad = with(None, good, Some(1.4e-4)).beside(&with(Some(1.2e-4), None, None));
        assert!(bad.held().is_err());
    }
}
