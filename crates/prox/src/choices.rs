//! Which weights make up a group, are input features penalised, and is sparing made up for?

use std::fmt;
use std::str::FromStr;

use crate::{Error, Part, Result, names};

/// Which weights of a unit its group holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Members {
    /// Those that read the unit.
    #[default]
    Outgoing,
    /// Those that produce it, with its bias.
    Incoming,
}

/// Whether input features are penalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inputs {
    /// No feature is removed: the choice for images.
    Spared,
    /// Features are selected: the choice for tables and flat pixels.
    Penalised,
    /// The part holds for features as if they were hidden units, which they are not: permuting them changes
    /// the function. As in the published script, and for comparing with it. A part that permutes units
    /// cannot be had; under `every-second` features count as a first layer, which is penalised.
    LikeHidden,
}

/// Whether the penalty is strengthened to make up for the units that a part spares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Compensation {
    /// The strength stays.
    #[default]
    Off,
    /// The strength is divided by the penalised share.
    On,
}

impl Compensation {
    /// The factor of the strength under a part: `beta / (beta - 1)` or `1 / F` when on, else 1. Also 1
    /// for parts that spare no fixed share of a layer, and for `beta = 1`, which penalises nothing.
    pub fn factor(self, part: &Part) -> f64 {
        match (self, part) {
            (Self::On, Part::SpareLast { beta, .. }) if beta.get() > 1 => {
                let beta = beta.get() as f64;
                beta / (beta - 1.0)
            }
            (Self::On, Part::Fraction { share, .. }) => 1.0 / share.get(),
            _ => 1.0,
        }
    }
}

macro_rules! named {
    ($type:ident, $what:literal, $($name:literal => $variant:ident),+) => {
        impl $type {
            const NAMES: &[(&'static str, Self)] = &[$(($name, Self::$variant)),+];

            /// Reads one of the names that [`Display`](fmt::Display) writes; the error lists them.
            pub fn parse(text: &str) -> Result<Self> {
                names::choose($what, text, Self::NAMES)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $name),+ })
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::parse(text)
            }
        }
    };
}
pub(crate) use named;

named!(Members, "members", "outgoing" => Outgoing, "incoming" => Incoming);
named!(Inputs, "inputs", "spared" => Spared, "penalised" => Penalised, "like-hidden" => LikeHidden);
named!(Compensation, "compensation", "off" => Off, "on" => On);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for members in [Members::Outgoing, Members::Incoming] {
            assert_eq!(members.to_string().parse(), Ok(members));
        }
        for inputs in [Inputs::Spared, Inputs::Penalised, Inputs::LikeHidden] {
            assert_eq!(inputs.to_string().parse(), Ok(inputs));
        }
        let error = Compensation::parse("yes").unwrap_err();
        assert_eq!(error.hint_text(), Some("allowed: off, on"));
    }

    #[test]
    fn compensation_divides_by_the_penalised_share() {
        let factor = |part: &str| Compensation::On.factor(&part.parse().unwrap());
        assert_eq!(factor("spare-last:8"), 8.0 / 7.0);
        assert_eq!(factor("spare-last:1"), 1.0);
        assert_eq!(factor("fraction:0.25:ranked"), 4.0);
        assert_eq!(factor("full"), 1.0);
        assert_eq!(
            Compensation::Off.factor(&"spare-last:2".parse().unwrap()),
            1.0
        );
    }
}
