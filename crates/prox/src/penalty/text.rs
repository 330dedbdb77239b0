//! How is a penalty written?

use std::fmt;
use std::str::FromStr;

use crate::{
    Cges, Error, GroupLogSum, GroupMcp, GroupScad, Penalty, Result, SparseGroupLasso, names,
};

impl Penalty {
    /// The parameter that follows the name after a colon, if the penalty has one.
    fn parameter(&self) -> Option<f64> {
        match self {
            Self::SparseGroupLasso(p) => Some(p.alpha()),
            Self::Cges(p) => (!p.is_by_depth()).then(|| p.mu()),
            Self::GroupMcp(p) => Some(p.gamma()),
            Self::GroupScad(p) => Some(p.a()),
            Self::GroupLogSum(p) => Some(p.epsilon()),
            Self::L1(_)
            | Self::SquaredL2(_)
            | Self::GroupLasso(_)
            | Self::Exclusive(_)
            | Self::GroupL0(_) => None,
        }
    }

    /// The same penalty with another parameter.
    fn with_parameter(self, value: f64) -> Result<Self> {
        Ok(match self {
            Self::SparseGroupLasso(_) => SparseGroupLasso::new(value)?.into(),
            Self::Cges(_) => Cges::new(value)?.into(),
            Self::GroupMcp(_) => GroupMcp::new(value)?.into(),
            Self::GroupScad(_) => GroupScad::new(value)?.into(),
            Self::GroupLogSum(_) => GroupLogSum::new(value)?.into(),
            Self::L1(_)
            | Self::SquaredL2(_)
            | Self::GroupLasso(_)
            | Self::Exclusive(_)
            | Self::GroupL0(_) => {
                let message = format!("{} takes no parameter", self.name());
                return Err(Error::invalid(message).at("penalty"));
            }
        })
    }

    /// Reads `name` or `name:parameter`, such as `group-lasso` or `sparse-group-lasso:0.1` (alpha), `cges:0.5`
    /// (mu; by depth without it), `group-mcp:3` (gamma), `group-scad:3.7` (a), `group-log-sum:0.1` (epsilon).
    pub fn parse(text: &str) -> Result<Self> {
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let penalty = names::choose("penalty", name, &Self::all().map(|p| (p.name(), p)))?;
        let Some(parameter) = parameter else {
            return Ok(penalty);
        };
        let value = parameter.parse().map_err(|_| {
            Error::invalid(format!("\"{parameter}\" after \"{name}:\" is no number")).at("penalty")
        })?;
        penalty.with_parameter(value)
    }
}

impl fmt::Display for Penalty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter() {
            Some(value) => write!(f, "{}:{value}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl FromStr for Penalty {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters_survive_a_round_trip() {
        for penalty in Penalty::all() {
            assert_eq!(penalty.to_string().parse(), Ok(penalty));
            assert_eq!(Penalty::parse(penalty.name()), Ok(penalty));
        }
        let half = Penalty::from(SparseGroupLasso::new(0.5).unwrap());
        assert_eq!(Penalty::parse("sparse-group-lasso:0.5"), Ok(half));
        assert_eq!(half.to_string(), "sparse-group-lasso:0.5");
        assert_eq!(
            Penalty::parse("cges:0.5")
                .unwrap()
                .at_depth(0, 3)
                .to_string(),
            "cges:0.5"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_way_out() {
        let error = Penalty::parse("group-laso").unwrap_err();
        assert!(
            error
                .hint_text()
                .unwrap()
                .contains("did you mean \"group-lasso\"?"),
            "{error:?}"
        );
        for bad in [
            "",
            "group-mcp:",
            "group-mcp:x",
            "group-mcp:0",
            "l1:2",
            "cges:NaN",
        ] {
            assert!(Penalty::parse(bad).is_err(), "{bad}");
        }
    }
}
