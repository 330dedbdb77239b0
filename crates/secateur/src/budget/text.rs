//! How is a budget written?

use std::fmt;
use std::str::FromStr;

use secateur_prox::{Limit, Quantity};

use super::Budget;
use super::units::{size, size_text, time, time_text};
use crate::choice::unknown;
use crate::{Error, Result};

/// Where a budget is typed.
pub(crate) const PLACE: &str = "--budget";
/// What there are limits on, and how each is written.
const FORMS: [(&str, &str); 5] = [
    ("macs", "macs=25% or macs=2000000"),
    ("params", "params=10% or params=50000"),
    (
        "bytes",
        "bytes=20%, bytes=100KB, bytes=100KiB or bytes=100000",
    ),
    ("latency", "latency=2ms, latency=500us or latency=1s"),
    ("drop", "drop=0.5pt or drop=2%"),
];

impl FromStr for Budget {
    type Err = Error;

    /// Reads `macs=25%`, `macs=2000000`, `params=10%`, `params=50000`, `bytes=20%`, `bytes=100KB`, `latency=2ms`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, most) = text.split_once('=').unwrap_or((text, ""));
        let counted = |of: Quantity| {
            let most = most.parse().map_err(|_| malformed(name, most));
            Ok(Self::Counted(Limit { of, most: most? }))
        };
        match name {
            "macs" => counted(Quantity::Macs),
            "params" => counted(Quantity::Params),
            "bytes" => Ok(Self::Bytes(
                size(most).ok_or_else(|| malformed(name, most))?,
            )),
            "latency" => {
                let time = time(most).ok_or_else(|| malformed(name, most));
                Ok(Self::Latency(time?))
            }
            "drop" => Err(
                Error::usage("a drop is met by a path of several runs, not by one run")
                    .at(PLACE)
                    .hint("use `secateur path --drop`"),
            ),
            _ => Err(no_such(name)),
        }
    }
}

/// The error for a limit on something that none is set on; its hint names all forms.
fn no_such(name: &str) -> Error {
    let names = FORMS.map(|(name, _)| name);
    let forms = FORMS.map(|(_, form)| form).join(", ");
    let nearest = unknown(PLACE, name, &names);
    let hint = nearest.hint_text().unwrap_or_default();
    let guess = hint.split_inclusive("? ").next();
    let guess = guess.filter(|g| g.ends_with("? ")).unwrap_or_default();
    Error::usage(format!("there is no budget of '{name}'"))
        .at(PLACE)
        .hint(format!("{guess}write {forms}"))
}

fn malformed(name: &str, most: &str) -> Error {
    let form = FORMS.iter().find(|(own, _)| *own == name);
    Error::usage(format!("'{most}' is no amount"))
        .at(PLACE)
        .hint(format!("write {}", form.map_or("", |(_, form)| form)))
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(limit) => limit.fmt(f),
            Self::Bytes(most) => write!(f, "bytes={}", size_text(*most)),
            Self::Latency(most) => write!(f, "latency={}", time_text(*most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use secateur_prox::{Amount, Share};

    use super::*;
    use crate::ErrorKind;

    fn any_budget() -> impl Strategy<Value = Budget> {
        let amount = || {
            prop_oneof![
                (1e-6..=1.0f64).prop_map(|s| Amount::Share(Share::new(s).unwrap())),
                (1u64..).prop_map(Amount::Count),
            ]
        };
        let of = prop_oneof![Just(Quantity::Macs), Just(Quantity::Params)];
        prop_oneof![
            (of, amount()).prop_map(|(of, most)| Budget::Counted(Limit { of, most })),
            amount().prop_map(Budget::Bytes),
            (1u64..1 << 52).prop_map(|ns| Budget::Latency(Duration::from_nanos(ns))),
            (1u64..2000, 0u32..4)
                .prop_map(|(n, k)| Budget::Latency(Duration::from_nanos(n * 1000u64.pow(k)))),
            // Round numbers, which are written with a unit.
            (1u64..2000, 0u32..4)
                .prop_map(|(n, k)| Budget::Bytes(Amount::Count(n * 1000u64.pow(k)))),
            (1u64..2000, 0u32..4).prop_map(|(n, k)| Budget::Bytes(Amount::Count(n << (10 * k)))),
        ]
    }

    proptest! {
        #[test]
        fn every_budget_survives_a_round_trip(budget in any_budget()) {
            prop_assert_eq!(budget.to_string().parse(), Ok(budget));
        }

        #[test]
        fn no_text_is_more_than_refused(text in "(macs|params|bytes|latency)?=?[a-zA-Z%.0-9]{0,12}") {
            if let Err(error) = text.parse::<Budget>() {
                prop_assert_eq!(error.kind(), ErrorKind::Usage);
            }
        }
    }

    #[test]
    fn the_documented_forms_are_read_and_written() {
        for text in [
            "macs=25%",
            "macs=2000000",
            "params=10%",
            "params=50000",
            "bytes=20%",
            "bytes=100KB",
            "bytes=100KiB",
            "latency=2ms",
            "latency=500us",
        ] {
            assert_eq!(text.parse::<Budget>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_forms_that_exist() {
        for (text, hint) in [
            ("mac=25%", "did you mean `macs`? write macs=25% or"),
            ("25%", "write macs=25% or macs=2000000, params=10%"),
            ("drop=1%", "use `secateur path --drop`"),
            ("macs", "write macs=25% or macs=2000000"),
            ("params=0", "write params=10% or params=50000"),
            ("params=120%", "write params=10% or params=50000"),
            ("bytes=1kb", "write bytes=20%, bytes=100KB"),
            (
                "latency=2",
                "write latency=2ms, latency=500us or latency=1s",
            ),
            ("macs=-1", "write macs=25% or macs=2000000"),
        ] {
            let error = text.parse::<Budget>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            let told = error.hint_text().unwrap_or_default();
            assert!(told.starts_with(hint), "{text}: {told}");
        }
    }
}
