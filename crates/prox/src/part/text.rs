//! How is a part written?

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use super::{Amount, Limit, Part, Quantity, Which, Widths};
use crate::{Error, Result, names};

const NAMES: [&str; 5] = ["full", "spare-last", "fraction", "every-second", "budget"];

/// Training steps between two rankings, when the text does not say.
const RANK_EVERY: NonZeroUsize = NonZeroUsize::new(100).expect("not 0");

impl FromStr for Part {
    type Err = Error;

    /// Reads `full`, `spare-last:8`, `spare-last:8:current`, `fraction:0.5`, `fraction:0.5:first` (or `last`,
    /// `random`, `ranked`, `ranked:100`), `every-second`, `budget:25%` (of the multiply-adds), `budget:params=50000`
    /// (as a [`Limit`] is written).
    fn from_str(text: &str) -> Result<Self> {
        let mut fields = text.split(':');
        let name = fields.next().unwrap_or_default();
        let fields: Vec<&str> = fields.collect();
        match (name, fields.as_slice()) {
            ("full", []) => Ok(Self::Full),
            ("every-second", []) => Ok(Self::EverySecond),
            ("spare-last", [beta]) => spare_last(beta, "initial"),
            ("spare-last", [beta, of]) => spare_last(beta, of),
            ("fraction", [share, which @ ..]) => Ok(Self::Fraction {
                share: share.parse()?,
                which: self::which(which)?,
            }),
            ("budget", [limit]) => Ok(Self::Budget {
                limit: match limit.contains('=') {
                    true => limit.parse()?,
                    false => Limit::macs(limit.parse()?),
                },
            }),
            _ if NAMES.contains(&name) => Err(malformed(name, text)),
            _ => Err(names::unknown("part", name, &NAMES)),
        }
    }
}

impl Part {
    /// The same as [`FromStr`]: `full`, `spare-last:8`, `spare-last:8:current`, `fraction:0.5`,
    /// `fraction:0.5:first` (or `last`, `random`, `ranked`, `ranked:100`), `every-second`, `budget:25%`,
    /// `budget:params=50000`.
    pub fn parse(text: &str) -> Result<Self> {
        text.parse()
    }
}

fn spare_last(beta: &str, of: &str) -> Result<Part> {
    let widths = [("initial", Widths::Initial), ("current", Widths::Current)];
    Ok(Part::SpareLast {
        beta: count("spare-last", beta)?,
        of: names::choose("width", of, &widths)?,
    })
}

fn which(fields: &[&str]) -> Result<Which> {
    match fields {
        [] => Ok(Which::First),
        ["ranked", every] => Ok(Which::Ranked {
            every: count("ranked", every)?,
        }),
        [name] => {
            let ranked = Which::Ranked { every: RANK_EVERY };
            let first = ("first", Which::First);
            let last = ("last", Which::Last);
            let random = ("random", Which::Random);
            names::choose("fraction", name, &[first, last, random, ("ranked", ranked)])
        }
        _ => Err(malformed("fraction", &fields.join(":"))),
    }
}

/// A whole number of at least 1.
fn count(place: &'static str, text: &str) -> Result<NonZeroUsize> {
    text.parse().map_err(|_| {
        Error::invalid(format!("\"{text}\" is not a whole number of at least 1"))
            .at(place)
            .hint("spare-last:8 spares one unit in 8; ranked:100 ranks every 100 steps")
    })
}

fn malformed(name: &str, text: &str) -> Error {
    let form = match name {
        "spare-last" => "spare-last:8 or spare-last:8:current",
        "fraction" => {
            "fraction:0.5, then nothing or :first, :last, :random, :ranked or :ranked:100"
        }
        "budget" => "budget:25%, budget:macs=2000000 or budget:params=10%",
        "full" => "full, without a parameter",
        _ => "every-second, without a parameter",
    };
    Error::invalid(format!("\"{text}\" is malformed"))
        .at("part")
        .hint(format!("write {form}"))
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::SpareLast {
                beta,
                of: Widths::Initial,
            } => write!(f, "spare-last:{beta}"),
            Self::SpareLast {
                beta,
                of: Widths::Current,
            } => write!(f, "spare-last:{beta}:current"),
            Self::Fraction { share, which } => match which {
                Which::First => write!(f, "fraction:{share}:first"),
                Which::Last => write!(f, "fraction:{share}:last"),
                Which::Random => write!(f, "fraction:{share}:random"),
                Which::Ranked { every } => write!(f, "fraction:{share}:ranked:{every}"),
            },
            Self::EverySecond => f.write_str("every-second"),
            // As it was written before there were others.
            Self::Budget {
                limit:
                    Limit {
                        of: Quantity::Macs,
                        most: most @ Amount::Share(_),
                    },
            } => write!(f, "budget:{most}"),
            Self::Budget { limit } => write!(f, "budget:{limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::any_part;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_part_survives_a_round_trip(part in any_part()) {
            prop_assert_eq!(part.to_string().parse(), Ok(part));
        }
    }

    #[test]
    fn the_documented_forms_are_read() {
        for text in [
            "full",
            "spare-last:8",
            "spare-last:8:current",
            "every-second",
            "budget:25%",
            "budget:macs=2000000",
            "budget:params=10%",
        ] {
            assert_eq!(Part::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Part::parse("fraction:0.5").unwrap().to_string(),
            "fraction:0.5:first"
        );
        assert_eq!(
            Part::parse("fraction:50%:ranked").unwrap().to_string(),
            "fraction:0.5:ranked:100"
        );
        assert_eq!(
            Part::parse("budget:macs=0.4").unwrap().to_string(),
            "budget:40%"
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_way_out() {
        let refused = [
            ("spare-last:0", "one unit in 8"),
            ("spare-last:-1", "one unit in 8"),
            ("spare-last", "spare-last:8:current"),
            ("spare-last:8:curent", "did you mean \"current\"?"),
            ("spare-lst:8", "did you mean \"spare-last\"?"),
            ("fraction:0.5:rnked", "did you mean \"ranked\"?"),
            ("fraction:0.5:ranked:0", "every 100 steps"),
            ("fraction:0.5:first:3", ":ranked:100"),
            ("full:3", "without a parameter"),
            ("budget:x", "25%"),
            ("budget", "budget:params=10%"),
            ("budget:bytes=100", "allowed: macs, params"),
            ("", "allowed: full, spare-last"),
        ];
        for (text, hint) in refused {
            let error = Part::parse(text).unwrap_err();
            assert!(
                error.hint_text().unwrap_or_default().contains(hint),
                "{text}: {error:?}"
            );
        }
        assert!(Part::parse("fraction:0").is_err());
        assert!(Part::parse("budget:120%").is_err());
    }
}
