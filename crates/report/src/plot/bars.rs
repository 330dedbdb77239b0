//! Bars that lie, each under its name, so that long names need no margin.

use plotters::chart::ChartBuilder;
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::canvas::{FINE, LETTERS, cut, draw, fill, letters, room, stroke};
use super::ink::Ink;

/// Pixels from one bar to the next: a line of letters, and the bar.
const PITCH: i32 = 46;
/// Pixels above, and below for the axis.
const ABOVE: i32 = 4;
const BELOW: i32 = 2 * LETTERS + 18;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    pub name: String,
    /// What stands at the other end of the line of its name: its number.
    pub value: String,
    /// Lengths from left to right.
    pub parts: Vec<(Ink, f64)>,
}

/// Bars as an `svg` element `width` pixels wide and as high as they need.
pub(crate) fn bars(width: i32, axis_name: &str, bars: &[Bar]) -> String {
    let long = |bar: &Bar| bar.parts.iter().map(|(_, length)| length).sum::<f64>();
    let lengths: Vec<f64> = bars.iter().map(long).collect();
    let x = Axis::from_zero(axis_name, &lengths);
    let height = bars.len() as i32 * PITCH + ABOVE + BELOW;
    draw(width, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE * FINE)
            .margin_bottom(2 * FINE)
            .margin_left(22 * FINE)
            .margin_right(24 * FINE)
            .x_label_area_size((BELOW - 2) * FINE)
            .build_cartesian_2d(x.clone(), Axis::rows(bars.len()))?;
        chart
            .configure_mesh()
            .axis_style(stroke(Ink::Grid, 10))
            .disable_y_mesh()
            .set_all_tick_mark_size(3 * FINE)
            .max_light_lines(0)
            .bold_line_style(stroke(Ink::Grid, 10))
            .label_style(letters(Ink::Muted))
            .axis_desc_style(letters(Ink::Muted))
            .x_desc(x.name.as_str())
            .draw()?;
        let plane = chart.plotting_area();
        for (row, bar) in bars.iter().enumerate() {
            let (_, top) = plane.map_coordinate(&(0.0, row as f64));
            let pixel = |at: f64| plane.map_coordinate(&(at, 0.0)).0;
            let line = top + (LETTERS / 2 + 5) * FINE;
            let value = letters(Ink::Text).pos(Pos::new(HPos::Right, VPos::Center));
            area.draw(&Text::new(bar.value.clone(), (pixel(x.to), line), value))?;
            let free = width - 46 - room(&bar.value) - 8;
            let name = letters(Ink::Text).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(cut(&bar.name, free), (pixel(0.0), line), name))?;
            let (above, below) = (top + (LETTERS + 9) * FINE, top + (PITCH - 4) * FINE);
            let mut from = 0.0;
            for (part, &(ink, length)) in bar.parts.iter().enumerate() {
                // A gap of one pixel between parts, so that colours are not all that parts them.
                let gap = if part > 0 { FINE } else { 0 };
                let (left, right) = (pixel(from) + gap, pixel(from + length));
                from += length;
                if right > left {
                    area.draw(&Rectangle::new([(left, above), (right, below)], fill(ink)))?;
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_parts_follow_each_other() {
        let bar = Bar {
            name: "a name that is much too long for a picture of this width, whatever it says"
                .into(),
            value: "3 s".into(),
            parts: vec![(Ink::Fill(0), 1.0), (Ink::Fill(1), 2.0)],
        };
        let svg = bars(440, "seconds", &[bar]);
        assert!(
            svg.contains("a name that is much") && svg.contains('…'),
            "{svg}"
        );
        let left = |ink: &str| {
            let rect = svg.split("<rect").find(|r| r.contains(ink)).unwrap();
            let x = rect.split('"').nth(1).unwrap();
            x.parse::<i32>().unwrap()
        };
        assert!(left("#020000") < left("#020001"));
    }

    #[test]
    fn nothing_to_show_is_drawn_all_the_same() {
        assert!(bars(440, "seconds", &[]).contains("seconds"));
    }
}
