//! Axes: what is on them, how far they go, where the ticks are.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::number::short;

/// More than this many times from least to most, and an axis of positive numbers is logarithmic.
const WIDE: f64 = 10.0;

/// One axis. Positions on it are values, or their logarithms to base 10.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// What is on it, with its unit.
    pub name: String,
    /// Ends, as positions.
    pub from: f64,
    pub to: f64,
    pub log: bool,
    /// Positions with what is written there.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From a little below the least to a little above the most value.
    pub(crate) fn around(name: &str, values: &[f64]) -> Self {
        let (least, most) = ends(values);
        let margin = 0.04 * widened(least, most);
        Self::linear(name, least - margin, most + margin)
    }

    /// From 0 to a little above the most value, which is positive.
    pub(crate) fn from_zero(name: &str, values: &[f64]) -> Self {
        let most = ends(values).1.max(0.0);
        Self::linear(name, 0.0, if most > 0.0 { 1.05 * most } else { 1.0 })
    }

    /// Logarithmic where the values are positive and differ widely, else around them.
    pub(crate) fn fitting(name: &str, values: &[f64]) -> Self {
        let (least, most) = ends(values);
        if least <= 0.0 || most / least <= WIDE {
            return Self::around(name, values);
        }
        Self::logarithmic(name, values)
    }

    /// Logarithmic, from a little below the least to a little above the most value; what is not positive has no place on it.
    pub(crate) fn logarithmic(name: &str, values: &[f64]) -> Self {
        let positive: Vec<f64> = values.iter().copied().filter(|&v| v > 0.0).collect();
        let (least, most) = ends(&positive);
        // Without any value the axis is that of 1 to 10.
        let (from, to) = match positive.is_empty() {
            true => (0.0, 1.0),
            false => (least.log10(), most.log10()),
        };
        let margin = match to > from {
            true => 0.04 * (to - from),
            false => 0.5,
        };
        let (from, to) = (from - margin, to + margin);
        Self {
            name: format!("{name}, logarithmic"),
            from,
            to,
            log: true,
            ticks: powers(from, to),
        }
    }

    /// Whole numbers such as epochs, from the least to the most value.
    pub(crate) fn counted(name: &str, values: &[f64]) -> Self {
        let (least, most) = ends(values);
        let mut axis = Self::linear(name, least, least + widened(least, most));
        axis.ticks.retain(|(at, _)| at.fract() == 0.0);
        for (at, label) in &mut axis.ticks {
            *label = short(*at);
        }
        axis
    }

    /// Places 1 to `count`, with room on both sides.
    pub(crate) fn places(name: &str, count: usize) -> Self {
        let mut axis = Self::linear(name, 0.5, count.max(1) as f64 + 0.5);
        axis.ticks = (1..=count).map(|i| (i as f64, i.to_string())).collect();
        axis
    }

    /// So many rows below each other, the first on top, without ticks.
    pub(super) fn rows(count: usize) -> Self {
        Self {
            name: String::new(),
            from: count.max(1) as f64,
            to: 0.0,
            log: false,
            ticks: vec![],
        }
    }

    fn linear(name: &str, from: f64, to: f64) -> Self {
        Self {
            name: name.to_owned(),
            from,
            to,
            log: false,
            ticks: round_numbers(from, to),
        }
    }

    /// The position of a value; `None` for what has none.
    pub(crate) fn place(&self, value: f64) -> Option<f64> {
        let at = if self.log { value.log10() } else { value };
        at.is_finite().then_some(at)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (at - self.from) / (self.to - self.from);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => vec![],
            false => self.ticks.iter().map(|(at, _)| *at).collect(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, at: &f64) -> String {
        let found = self.ticks.iter().find(|(tick, _)| tick == at);
        found.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

fn ends(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), v| {
        (l.min(v), m.max(v))
    });
    if least > most {
        (0.0, 1.0)
    } else {
        (least, most)
    }
}

/// The distance between the ends, or one that can be drawn where they are equal.
fn widened(least: f64, most: f64) -> f64 {
    match most > least {
        true => most - least,
        false => least.abs().max(1.0),
    }
}

/// Three to eight multiples of 1, 2 or 5 times a power of ten.
fn round_numbers(from: f64, to: f64) -> Vec<(f64, String)> {
    let rough = (to - from) / 5.0;
    let power = 10f64.powi(rough.log10().floor() as i32);
    let step = power
        * match rough / power {
            ..1.4 => 1.0,
            ..3.0 => 2.0,
            ..7.0 => 5.0,
            _ => 10.0,
        };
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    (first..=last)
        .map(|k| {
            let exact = format!("{:.decimals$}", k as f64 * step);
            let value = exact.parse().unwrap_or(k as f64 * step);
            (value, label(value, decimals))
        })
        .collect()
}

fn label(value: f64, decimals: usize) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e7.. => format!("{} M", short(value / 1e6)),
        1e3.. => short(value),
        _ => format!("{value:.decimals$}"),
    }
}

/// Powers of ten and, where these are few, twice and five times as much.
fn powers(from: f64, to: f64) -> Vec<(f64, String)> {
    let factors: &[f64] = match to - from {
        ..1.7 => &[1.0, 2.0, 5.0],
        ..3.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let decades = from.floor() as i32..=to.ceil() as i32;
    decades
        .flat_map(|decade| factors.iter().map(move |f| f * 10f64.powi(decade)))
        .map(|value| (value.log10(), tick(value)))
        .filter(|(at, _)| (from..=to).contains(at))
        .collect()
}

fn tick(value: f64) -> String {
    match value {
        ..1e-3 => format!("{value:.0e}"),
        1e7.. => format!("{} M", short(value / 1e6)),
        _ => short(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_and_lie_on_the_axis() {
        let axis = Axis::around("accuracy (%)", &[91.2, 97.9]);
        assert_eq!(labels(&axis), ["92", "94", "96", "98"]);
        let axis = Axis::around("RMSE", &[0.123, 0.131]);
        assert_eq!(labels(&axis), ["0.124", "0.126", "0.128", "0.130"]);
        let axis = Axis::from_zero("units", &[784.0]);
        assert_eq!(labels(&axis), ["0", "200", "400", "600", "800"]);
    }

    #[test]
    fn wide_ranges_are_logarithmic_and_narrow_ones_are_not() {
        let axis = Axis::fitting("MACs", &[20_000.0, 470_000.0]);
        assert_eq!(
            labels(&axis),
            ["20,000", "50,000", "100,000", "200,000", "500,000"]
        );
        assert_eq!(axis.place(1e5), Some(5.0));
        assert_eq!(axis.place(0.0), None);
        assert!(!Axis::fitting("MACs", &[2.0, 19.0]).log);
        assert!(!Axis::fitting("MACs", &[0.0, 19.0]).log);
    }

    #[test]
    fn a_logarithmic_axis_is_so_however_near_its_values_are() {
        let axis = Axis::logarithmic("MACs", &[200.0, 500.0, 0.0]);
        assert!(axis.log && axis.name.ends_with("logarithmic"));
        assert_eq!(labels(&axis), ["200", "500"]);
        for values in [&[][..], &[7.0]] {
            let axis = Axis::logarithmic("MACs", values);
            assert!(axis.from < axis.to && !axis.ticks.is_empty(), "{axis:?}");
        }
    }

    #[test]
    fn epochs_are_whole_even_where_there_is_one() {
        assert_eq!(
            labels(&Axis::counted("epoch", &[1.0, 3.0])),
            ["1", "2", "3"]
        );
        assert_eq!(labels(&Axis::counted("epoch", &[1.0])), ["1", "2"]);
        assert_eq!(Axis::around("nothing", &[]).from, -0.04);
    }
}
