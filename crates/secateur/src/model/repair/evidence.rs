//! How far a repaired file may be from its network.

use super::rounding::Rounded;
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
    /// Rows that the differences leave out, as rounding alone moves the network by more than 1e-4 there.
    pub rounded: Option<Rounded>,
    /// Differences above this fail.
    pub tolerance: f64,
}

impl RepairEvidence {
    /// Each difference with what it is from.
    pub(super) fn legs(&self) -> impl Iterator<Item = (f64, &'static str)> {
        let all = [
            (self.naive_difference, "the f64 evaluator"),
            (self.engine_difference, "the engine"),
            (self.engine_sampled, "the f64 evaluator, by the engine"),
        ];
        all.into_iter()
            .filter_map(|(difference, of)| Some((difference?, of)))
    }

    /// Whether there is a difference, and all of them are within what they may be.
    pub(super) fn is_held(&self) -> bool {
        self.far().is_ok_and(|far| far.is_none())
    }

    /// The same, if every difference is within what it may be and there is one.
    pub(super) fn held(self) -> Result<Self> {
        match self.far()? {
            None => Ok(self),
            Some(far) => Err(Error::new(
                ErrorKind::Verification,
                format!("the repaired file differs from its network on {far}"),
            )
            .hint("nothing was written; where rounding does not explain it, this is a defect: please report it with the model")),
        }
    }

    /// Nothing, if what is made of the given model, whose evidence this is, can be verified.
    pub(super) fn held_as_given(self) -> Result<()> {
        match self.far()? {
            None => Ok(()),
            Some(far) => Err(Error::new(
                ErrorKind::Verification,
                format!(
                    "the model as it is gives other numbers on {NAME} than on {far}, so that nothing that is made of it can be verified"
                ),
            )
            .hint("it makes much of rounding, or takes whole numbers beyond 32 bits; without --repair it may be cut nevertheless")),
        }
    }

    /// The first difference that is above what it may be, in words; an error if there is none at all.
    fn far(&self) -> Result<Option<String>> {
        if self.legs().next().is_none() {
            let message = "nothing but the independent runtime can run the model, so that a repaired one cannot be verified";
            return Err(Error::new(ErrorKind::Verification, message).hint("leave out --repair"));
        }
        let most = self.tolerance;
        let far = self
            .legs()
            .find(|(found, _)| found.is_nan() || *found > most);
        Ok(far.map(|(found, of)| format!("{of} by {found:.2e} (relative), more than {most:.0e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::TOLERANCE;

    #[test]
    fn every_leg_refuses_alone() {
        let with = |naive, engine, sampled| RepairEvidence {
            runtime: NAME,
            naive_difference: naive,
            engine_difference: engine,
            engine_sampled: sampled,
            rounded: None,
            tolerance: TOLERANCE,
        };
        let (good, bad) = (Some(1e-6), Some(1e-3));
        for evidence in [with(good, None, None), with(None, good, good)] {
            assert!(evidence.is_held());
            evidence.clone().held().unwrap();
            evidence.held_as_given().unwrap();
        }
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
            let error = evidence.held_as_given().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Verification);
        }
        assert!(!with(None, None, None).is_held());
        let given = with(None, bad, good).held_as_given().unwrap_err();
        assert!(
            given.to_string().starts_with("the model as it is"),
            "{given}"
        );
    }
}
