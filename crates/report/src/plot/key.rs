//! How a series is told apart from its neighbours: by colour, and by dash, marker or letter.

use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Area, FINE, Failure, draw, fill, letters, room, stroke};
use super::ink::Ink;

/// What stands beside a name in a legend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    /// The line of a series.
    Line(usize),
    /// A level that others are held against.
    Level,
    /// The marker of a series, with its letter.
    Point(usize),
    /// A dot of an ink.
    Dot(Ink),
    /// An area of an ink.
    Area(Ink),
}

/// The letter of a series in pictures where lines of names would run into each other: A to Z, then A2 and so on.
pub(crate) fn letter(series: usize) -> String {
    let first = char::from(b'A' + (series % 26) as u8);
    match series / 26 {
        0 => first.to_string(),
        round => format!("{first}{}", round + 1),
    }
}

/// The mark as a small picture; the name beside it says what it means.
pub(crate) fn key(mark: &Mark) -> String {
    let middle = 8 * FINE;
    let height = if matches!(mark, Mark::Point(_)) {
        24
    } else {
        16
    };
    let width = match mark {
        Mark::Point(series) => 20 + room(&letter(*series)),
        Mark::Line(_) | Mark::Level => 32,
        Mark::Dot(_) | Mark::Area(_) => 16,
    };
    draw(width, height, |area| match mark {
        Mark::Line(series) => area.draw(&PathElement::new(
            vec![(0, middle), (width * FINE, middle)],
            stroke(Ink::Line(*series), 25),
        )),
        Mark::Level => {
            let corners = [(0, 2 * FINE), (width * FINE, 14 * FINE)];
            area.draw(&Rectangle::new(corners, fill(Ink::Band)))?;
            let ends = vec![(0, middle), (width * FINE, middle)];
            area.draw(&PathElement::new(ends, stroke(Ink::Muted, 15)))
        }
        Mark::Point(series) => marker(area, (middle, 15 * FINE), *series),
        Mark::Dot(ink) => area.draw(&Circle::new((middle, middle), 4 * FINE, fill(*ink))),
        Mark::Area(ink) => {
            let corners = [(FINE, 2 * FINE), (15 * FINE, 14 * FINE)];
            area.draw(&Rectangle::new(corners, fill(*ink)))
        }
    })
}

/// The marker of a series with its letter, at a pixel of `area`.
pub(super) fn marker(area: &Area<'_>, at: (i32, i32), series: usize) -> Result<(), Failure> {
    let style = fill(Ink::Fill(series));
    let around = |corners: &[(i32, i32)]| {
        let corners = corners
            .iter()
            .map(|(x, y)| (at.0 + x * FINE, at.1 + y * FINE));
        Polygon::new(corners.collect::<Vec<_>>(), style)
    };
    match series % 5 {
        0 => area.draw(&Circle::new(at, 5 * FINE, style))?,
        1 => area.draw(&around(&[(-5, -5), (5, -5), (5, 5), (-5, 5)]))?,
        2 => area.draw(&around(&[(0, -6), (6, 5), (-6, 5)]))?,
        3 => area.draw(&around(&[(0, -7), (7, 0), (0, 7), (-7, 0)]))?,
        _ => area.draw(&around(&[(0, 6), (6, -5), (-6, -5)]))?,
    }
    // Above the bars that reach from the marker.
    let beside = (at.0 + 7 * FINE, at.1 - 9 * FINE);
    let style = letters(Ink::Text).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(letter(series), beside, style))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_never_repeat() {
        assert_eq!((letter(0), letter(25)), ("A".into(), "Z".into()));
        assert_eq!((letter(26), letter(52)), ("A2".into(), "A3".into()));
    }

    #[test]
    fn marks_differ_by_more_than_colour() {
        let point = |series| key(&Mark::Point(series)).replace("#0200", "");
        assert!(point(0).contains("circle") && !point(1).contains("circle"));
        assert_ne!(point(1), point(2));
        assert!(point(1).contains(">B</text>"));
    }
}
