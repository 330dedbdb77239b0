//! A grid of cells, each filled by its number.

use plotters::element::Rectangle;

use super::canvas::{FINE, draw, fill};
use super::ink::Ink;

/// `inks` row by row, `across` in a row, as an `svg` element `width` pixels wide.
pub(crate) fn cells(width: i32, across: usize, inks: &[Ink]) -> String {
    let across = across.max(1);
    let down = inks.len().div_ceil(across);
    let side = (width * FINE / across as i32).max(1);
    let height = (side * down as i32 + FINE - 1) / FINE;
    draw(side * across as i32 / FINE, height, |area| {
        for (row, line) in inks.chunks(across).enumerate() {
            let mut from = 0;
            // Neighbours of one ink are one rectangle: smaller, and without seams.
            for run in line.chunk_by(|a, b| a == b) {
                let to = from + run.len();
                let corner = |x: usize, y: usize| (x as i32 * side, y as i32 * side);
                let corners = [corner(from, row), corner(to, row + 1)];
                area.draw(&Rectangle::new(corners, fill(run[0])))?;
                from = to;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_ink_are_one_rectangle() {
        let inks = [Ink::Absent, Ink::Absent, Ink::Step(1), Ink::Absent];
        let svg = cells(100, 2, &inks);
        assert_eq!(svg.matches("<rect").count(), 3, "{svg}");
        assert!(svg.contains("viewBox=\"0 0 400 400\""), "{svg}");
    }
}
