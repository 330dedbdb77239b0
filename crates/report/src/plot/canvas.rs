//! The surface that everything is drawn on, and the text that comes of it.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::{Color, FontFamily, RGBColor, ShapeStyle, TextStyle};

use super::ink::Ink;

/// Units of the drawing a pixel: the crate draws at whole units, which would show as steps in slanting lines.
pub(super) const FINE: i32 = 4;
/// Height of letters, in pixels; still readable where a page of 400 pixels shrinks a picture.
pub(super) const LETTERS: i32 = 14;
/// The crate divides sizes of fonts by this.
const FONT_SCALE: f64 = 1.24;
/// Room that a letter takes at most on average, in pixels.
const LETTER_WIDTH: f64 = 8.1;

/// Why something could not be drawn.
pub(super) type Failure = DrawingAreaErrorKind<std::io::Error>;
/// Where things are drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An `svg` element of `width` by `height` pixels.
pub(super) fn draw(
    width: i32,
    height: i32,
    paint: impl Fn(&Area<'_>) -> Result<(), Failure>,
) -> String {
    let size = ((width * FINE) as u32, (height * FINE) as u32);
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area).and_then(|()| area.present())
    };
    match drawn {
        Ok(()) => tidy(&svg, size, width),
        // Drawing into a string fails for no known input; the numbers below the picture are there in any case.
        Err(_) => format!(
            "<svg viewBox=\"0 0 {width} 20\" width=\"{width}\"><text x=\"0\" y=\"14\" font-size=\"13\" \
             fill=\"#010000\">This picture could not be drawn.</text></svg>"
        ),
    }
}

/// Leaves out what the page decides (size, font) and what says nothing.
fn tidy(svg: &str, (width, height): (u32, u32), pixels: i32) -> String {
    let drawn = font_size() / FONT_SCALE;
    let body = svg.split_once('>').map_or(svg, |(_, body)| body);
    let body = body
        .replace(" opacity=\"1\"", "")
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" stroke=\"none\"", "")
        .replace(" \"", "\"")
        .replace(&drawn.to_string(), &(LETTERS * FINE).to_string())
        .replace("\n</text>", "</text>")
        .replace(">\n", ">");
    format!("<svg viewBox=\"0 0 {width} {height}\" width=\"{pixels}\">{body}")
}

/// Letters of the size that pictures have.
pub(super) fn letters(ink: Ink) -> TextStyle<'static> {
    TextStyle {
        color: ink.colour().to_backend_color(),
        ..TextStyle::from((FontFamily::SansSerif, font_size()))
    }
}

/// What the crate has to be told for letters of [`LETTERS`].
fn font_size() -> f64 {
    f64::from(LETTERS * FINE) * FONT_SCALE
}

/// A line so many tenths of a pixel wide.
pub(super) fn stroke(ink: Ink, tenths: i32) -> ShapeStyle {
    let colour: RGBColor = ink.colour();
    ShapeStyle::from(&colour).stroke_width((tenths * FINE / 10).max(1) as u32)
}

/// An area.
pub(super) fn fill(ink: Ink) -> ShapeStyle {
    ShapeStyle::from(&ink.colour()).filled()
}

/// Pixels that a text takes at most.
pub(super) fn room(text: &str) -> i32 {
    (text.chars().count() as f64 * LETTER_WIDTH).ceil() as i32
}

/// The start of a text, as far as it fits into so many pixels; the whole of it is in the table of numbers.
pub(super) fn cut(text: &str, pixels: i32) -> String {
    let fits = (f64::from(pixels) / LETTER_WIDTH) as usize;
    match text.chars().count() > fits {
        true => text
            .chars()
            .take(fits.saturating_sub(1))
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}
