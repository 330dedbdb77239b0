//! What a thing is drawn with; the style sheet says what colour that is.

use plotters::style::RGBColor;

/// Series that have a colour, a dash and a marker of their own.
pub(crate) const SERIES: usize = 8;
/// Steps of the scale from little to much.
pub(crate) const STEPS: usize = 7;

/// A role in a picture. Each has a placeholder colour, which `style.css` maps to a real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words and numbers.
    Text,
    /// Words that matter less, axes, error bars.
    Muted,
    /// Lines of the mesh.
    Grid,
    /// A stretch of the background.
    Band,
    /// A thing that is not there: pixels that are not read, units that are gone.
    Absent,
    /// Areas and markers of a series; counted modulo [`SERIES`].
    Fill(usize),
    /// Lines of a series, dashed in its own way.
    Line(usize),
    /// From 0, least, to [`STEPS`] - 1.
    Step(usize),
}

impl Ink {
    /// The placeholder.
    pub(super) fn colour(self) -> RGBColor {
        match self {
            Self::Text => RGBColor(1, 0, 0),
            Self::Muted => RGBColor(1, 0, 1),
            Self::Grid => RGBColor(1, 0, 2),
            Self::Band => RGBColor(1, 0, 3),
            Self::Absent => RGBColor(1, 0, 4),
            Self::Fill(series) => RGBColor(2, 0, (series % SERIES) as u8),
            Self::Line(series) => RGBColor(3, 0, (series % SERIES) as u8),
            Self::Step(step) => RGBColor(4, 0, step.min(STEPS - 1) as u8),
        }
    }

    /// The step of `value` on a scale that ends at `most`; `None` where it is no number.
    pub(crate) fn of_scale(value: f64, least: f64, most: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let share = match most > least {
            true => (value - least) / (most - least),
            false => 1.0,
        };
        Some(Self::Step((share * STEPS as f64).max(0.0) as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_colours_every_ink() {
        let style = include_str!("../style.css");
        let steps = (0..STEPS).map(Ink::Step);
        let plain = [Ink::Text, Ink::Absent, Ink::Band].into_iter();
        for ink in plain.chain((0..SERIES).map(Ink::Fill)).chain(steps) {
            let RGBColor(r, g, b) = ink.colour();
            let rule = format!("[fill=\"#{r:02X}{g:02X}{b:02X}\"]");
            assert!(style.contains(&rule), "{ink:?}: no rule for {rule}");
        }
        let lines = (0..SERIES).flat_map(|s| [Ink::Line(s), Ink::Fill(s)]);
        for ink in [Ink::Muted, Ink::Grid].into_iter().chain(lines) {
            let RGBColor(r, g, b) = ink.colour();
            let rule = format!("[stroke=\"#{r:02X}{g:02X}{b:02X}\"]");
            assert!(style.contains(&rule), "{ink:?}: no rule for {rule}");
        }
    }

    #[test]
    fn the_scale_covers_its_ends() {
        assert_eq!(Ink::of_scale(0.0, 0.0, 2.0), Some(Ink::Step(0)));
        assert_eq!(
            Ink::of_scale(2.0, 0.0, 2.0).map(Ink::colour),
            Some(Ink::Step(STEPS - 1).colour())
        );
        assert_eq!(Ink::of_scale(f64::NAN, 0.0, 2.0), None);
    }
}
