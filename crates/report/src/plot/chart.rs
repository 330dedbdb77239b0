//! Points and lines over two axes.

use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::canvas::{FINE, Failure, LETTERS, cut, draw, fill, letters, room, stroke};
use super::ink::Ink;
use super::key::marker;

/// One thing in a chart, drawn in the order given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Layer {
    /// The background between two values on the x axis.
    Band(f64, f64),
    /// The background between two values on the y axis, with a line in the middle.
    Level { from: f64, at: f64, to: f64 },
    /// A line through points, in their order.
    Line(usize, Vec<(f64, f64)>),
    /// Small dots.
    Dots(Ink, Vec<(f64, f64)>),
    /// Dots large enough to tell their inks apart.
    Blots(Vec<((f64, f64), Ink)>),
    /// A marker with its letter, and bars that reach so far in both directions of x and of y.
    Point {
        series: usize,
        at: (f64, f64),
        reach: (f64, f64),
    },
}

/// A chart as an `svg` element of `width` by `height` pixels.
pub(crate) fn chart((width, height): (i32, i32), x: &Axis, y: &Axis, layers: &[Layer]) -> String {
    draw(width, height, |area| {
        let widest = y.ticks.iter().map(|(_, label)| room(label)).max();
        let left = widest.unwrap_or_default() + 10;
        let mut chart = ChartBuilder::on(area)
            .margin_top((LETTERS + 17) * FINE)
            .margin_right(20 * FINE)
            .margin_left(2 * FINE)
            .margin_bottom(2 * FINE)
            .set_left_and_bottom_label_area_size(left * FINE)
            .x_label_area_size((2 * LETTERS + 16) * FINE)
            .build_cartesian_2d(x.clone(), y.clone())?;
        // Bands lie below the mesh.
        let whole = chart.plotting_area().clone();
        for layer in layers {
            match layer {
                Layer::Band(from, to) => {
                    if let (Some(from), Some(to)) = (x.place(*from), x.place(*to)) {
                        let corners = [(from, y.from), (to, y.to)];
                        whole.draw(&Rectangle::new(corners, fill(Ink::Band)))?;
                    }
                }
                Layer::Level { from, to, .. } => {
                    if let (Some(from), Some(to)) = (y.place(*from), y.place(*to)) {
                        let corners = [(x.from, from), (x.to, to)];
                        whole.draw(&Rectangle::new(corners, fill(Ink::Band)))?;
                    }
                }
                _ => {}
            }
        }
        chart
            .configure_mesh()
            .axis_style(stroke(Ink::Grid, 10))
            .set_all_tick_mark_size(3 * FINE)
            .light_line_style(fill(Ink::Grid).stroke_width(0))
            .max_light_lines(0)
            .bold_line_style(stroke(Ink::Grid, 10))
            .label_style(letters(Ink::Muted))
            .axis_desc_style(letters(Ink::Muted))
            .x_desc(cut(&x.name, width - left - 22))
            .draw()?;
        let name = letters(Ink::Muted).pos(Pos::new(HPos::Left, VPos::Top));
        area.draw(&Text::new(
            cut(&y.name, width - 8),
            (4 * FINE, 6 * FINE),
            name,
        ))?;
        for layer in layers {
            paint(layer, x, y, &whole, area)?;
        }
        Ok(())
    })
}

type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

fn paint(
    layer: &Layer,
    x: &Axis,
    y: &Axis,
    plane: &Plane<'_>,
    area: &super::canvas::Area<'_>,
) -> Result<(), Failure> {
    let place = |&(at_x, at_y): &(f64, f64)| Some((x.place(at_x)?, y.place(at_y)?));
    match layer {
        Layer::Band(..) => Ok(()),
        Layer::Level { at, .. } => {
            let Some(at) = y.place(*at) else {
                return Ok(());
            };
            let ends = vec![(x.from, at), (x.to, at)];
            plane.draw(&PathElement::new(ends, stroke(Ink::Muted, 15)))
        }
        Layer::Line(series, points) => {
            let points: Vec<_> = points.iter().filter_map(place).collect();
            plane.draw(&PathElement::new(points, stroke(Ink::Line(*series), 20)))
        }
        Layer::Dots(ink, points) => {
            for point in points.iter().filter_map(place) {
                plane.draw(&Circle::new(point, 5 * FINE / 2, fill(*ink)))?;
            }
            Ok(())
        }
        Layer::Blots(points) => {
            for (at, ink) in points {
                if let Some(at) = place(at) {
                    plane.draw(&Circle::new(at, 4 * FINE, fill(*ink)))?;
                }
            }
            Ok(())
        }
        Layer::Point { series, at, reach } => {
            let bars = [
                [(at.0 - reach.0, at.1), (at.0 + reach.0, at.1)],
                [(at.0, at.1 - reach.1), (at.0, at.1 + reach.1)],
            ];
            for ends in bars {
                let inside: Vec<_> = ends.iter().map(|end| within(*end, x, y)).collect();
                plane.draw(&PathElement::new(inside, stroke(Ink::Muted, 12)))?;
            }
            match place(at) {
                Some(at) => marker(area, plane.map_coordinate(&at), *series),
                None => Ok(()),
            }
        }
    }
}

/// The position nearest to a point that is on the axes, for bars that reach below zero on a logarithmic one.
fn within(point: (f64, f64), x: &Axis, y: &Axis) -> (f64, f64) {
    let inside = |axis: &Axis, value: f64| match axis.place(value) {
        Some(at) => at.clamp(axis.from, axis.to),
        None => axis.from,
    };
    (inside(x, point.0), inside(y, point.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_ticks_names_and_layers_and_no_address() {
        let x = Axis::counted("epoch", &[1.0, 3.0]);
        let y = Axis::around("loss", &[0.5, 2.0]);
        let line = Layer::Line(1, vec![(1.0, 2.0), (2.0, f64::NAN), (3.0, 0.5)]);
        let svg = chart((440, 280), &x, &y, &[Layer::Band(2.0, 3.0), line]);
        assert!(
            svg.starts_with("<svg viewBox=\"0 0 1760 1120\" width=\"440\">"),
            "{svg}"
        );
        for text in ["epoch", "loss", ">1.0<", ">3<"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
        let line = svg.split("stroke=\"#030001\"").nth(1).unwrap();
        let points = line.split('"').find(|part| part.contains(',')).unwrap();
        assert_eq!(points.split_whitespace().count(), 2, "{points}");
        assert!(!svg.contains("http") && svg.ends_with("</svg>"), "{svg}");
    }
}
