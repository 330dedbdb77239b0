//! Pictures as SVG; the only place that knows the plotting crate.
//!
//! Colours are placeholders that the page's style sheet replaces, so that one picture serves light, dark and
//! printed pages. Text has no font of its own. Names of series are not drawn but go into a legend of the page,
//! where long ones wrap.

mod axis;
mod bars;
mod canvas;
mod cells;
mod chart;
mod ink;
mod key;

pub(crate) use axis::Axis;
pub(crate) use bars::{Bar, bars};
pub(crate) use cells::cells;
pub(crate) use chart::{Layer, chart};
pub(crate) use ink::{Ink, SERIES, STEPS};
pub(crate) use key::{Mark, key, letter};

#[cfg(test)]
mod pictures;
