//! `GridSample`: numbers between positions, at places that are counted from -1 to 1.

use serde::{Deserialize, Serialize};

use super::{channel_by_channel, freeze_places};
use crate::channels::Walk;
use crate::eval::Array;
use crate::ops::{input_shape, window};
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of `GridSample`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridSample {
    /// How numbers between positions come about.
    pub mode: GridMode,
    /// What lies beyond the borders.
    pub padding: GridPadding,
    /// Whether -1 and 1 are the middles of the outermost positions, and not their outer borders.
    pub align_corners: bool,
    /// Whether modes have the names that they had before operator set 20.
    pub old_names: bool,
}

/// How numbers between positions come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GridMode {
    /// Linear between two positions of each axis.
    Linear,
    /// The nearest position, of two the even one.
    Nearest,
    /// Cubic between four positions of each axis.
    Cubic,
}

/// What lies beyond the borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GridPadding {
    /// Zeros.
    Zeros,
    /// The outermost numbers.
    Border,
    /// The numbers within, mirrored.
    Reflection,
}

impl GridSample {
    /// The names of mode and padding.
    pub(crate) fn names(self) -> [&'static str; 2] {
        let mode = match (self.mode, self.old_names) {
            (GridMode::Linear, false) => "linear",
            (GridMode::Linear, true) => "bilinear",
            (GridMode::Cubic, false) => "cubic",
            (GridMode::Cubic, true) => "bicubic",
            (GridMode::Nearest, _) => "nearest",
        };
        let padding = match self.padding {
            GridPadding::Zeros => "zeros",
            GridPadding::Border => "border",
            GridPadding::Reflection => "reflection",
        };
        [mode, padding]
    }
}

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(grid)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?) else {
        return Ok(None);
    };
    let ([rows, channels, spatial @ ..], [_, places @ .., last]) = (x, grid) else {
        return Err(misfit(x.len(), grid.len()));
    };
    let fits = last.fixed().is_none_or(|n| n == spatial.len());
    if places.len() != spatial.len() || spatial.is_empty() || !fits {
        return Err(misfit(x.len(), grid.len()));
    }
    let mut shape = vec![rows.clone(), channels.clone()];
    shape.extend_from_slice(places);
    Ok(Some(shape))
}

fn misfit(x: usize, grid: usize) -> Error {
    Error::invalid(format!(
        "GridSample of a value with {x} axes by a grid with {grid}"
    ))
    .hint(
        "a grid has as many axes as what it samples, and in the last a place for each spatial one",
    )
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (x, grid) = (node.input(0)?, node.input(1)?);
    let (rows, own) = (walk.along(x, 0), walk.along(grid, 0));
    if !rows.is_empty() && !own.is_empty() && walk.couple_axes(&rows, &own).is_some() {
        for channels in rows {
            walk.carry(node.output()?, channels);
        }
        for channels in walk.channels(grid).to_vec() {
            if channels.axis > 0 {
                walk.freeze_axis(
                    grid,
                    channels.axis,
                    node,
                    "says where GridSample takes numbers from",
                );
            }
        }
    } else {
        walk.freeze_axis(x, 0, node, "is a row of GridSample, and not of its grid");
        freeze_places(node, walk, grid);
    }
    channel_by_channel(node, walk)
}

pub(super) fn evaluate(sample: GridSample, inputs: &[Option<&Array>]) -> Result<Array> {
    let (Some(Some(x)), Some(Some(grid))) = (inputs.first(), inputs.get(1)) else {
        return Err(Error::invalid("GridSample has no input or no grid"));
    };
    let ([rows, channels, spatial @ ..], [of_grid, places @ .., last]) =
        (x.shape.as_slice(), grid.shape.as_slice())
    else {
        return Err(misfit(x.shape.len(), grid.shape.len()));
    };
    if of_grid != rows || *last != spatial.len() || places.len() != spatial.len() {
        return Err(misfit(x.shape.len(), grid.shape.len()));
    }
    let area: usize = spatial.iter().product();
    let each: usize = places.iter().product();
    let shape = [&[*rows, *channels], places].concat();
    if area == 0 {
        return Array::new(shape, vec![0.0; rows * channels * each]);
    }
    let mut values = vec![0.0; rows * channels * each];
    for (at, place) in grid.values.chunks_exact((*last).max(1)).enumerate() {
        let (row, place_at) = (at / each, at % each);
        // The last axis comes first in a grid.
        let axes = spatial.iter().zip(place.iter().rev());
        let taps: Vec<Vec<Tap>> = axes.map(|(&n, &p)| sample.taps(n, p)).collect();
        let mixture = mixture(&taps, spatial);
        for channel in 0..*channels {
            let image = &x.values[(row * channels + channel) * area..][..area];
            let parts = mixture.iter().map(|&(from, weight)| match from {
                Some(from) => image[from] * weight,
                // Not a number where the weight is none.
                None => 0.0 * weight,
            });
            values[(row * channels + channel) * each + place_at] =
                parts.fold(0.0, |sum, v| sum + v);
        }
    }
    Array::new(shape, values)
}

/// A position, none beyond borders of zeros, and its weight.
type Tap = (Option<usize>, f64);

/// All combinations of the taps of each axis.
fn mixture(taps: &[Vec<Tap>], spatial: &[usize]) -> Vec<Tap> {
    let counts: Vec<usize> = taps.iter().map(Vec::len).collect();
    let combined = |index: Vec<usize>| {
        let mut from = Some(0);
        let mut weight = 1.0;
        for (axis, &i) in index.iter().enumerate() {
            let (position, share) = taps[axis][i];
            from = from.zip(position).map(|(at, p)| at * spatial[axis] + p);
            weight *= share;
        }
        (from, weight)
    };
    window::indices(&counts).map(combined).collect()
}

impl GridSample {
    /// Which of `length` positions a place along an axis takes its number from.
    fn taps(self, length: usize, place: f64) -> Vec<Tap> {
        let count = length as f64;
        let mut at = match self.align_corners {
            true => (place + 1.0) / 2.0 * (count - 1.0),
            false => ((place + 1.0) * count - 1.0) / 2.0,
        };
        if self.mode == GridMode::Nearest {
            at = at.round_ties_even();
        }
        let (low, high) = self.borders(count);
        if at < low || at > high {
            at = match self.padding {
                GridPadding::Zeros => at,
                // Four positions are each taken from the border where they lie behind it, as runtimes do.
                GridPadding::Border if self.mode == GridMode::Cubic => at,
                GridPadding::Border => at.clamp(0.0, count - 1.0),
                GridPadding::Reflection => reflected(at, low, high),
            };
        }
        if !at.is_finite() {
            return vec![(None, f64::NAN)];
        }
        let first = at.floor();
        let part = at - first;
        let weights = match self.mode {
            GridMode::Nearest => vec![(0.0, 1.0)],
            GridMode::Linear => vec![(0.0, 1.0 - part), (1.0, part)],
            GridMode::Cubic => cubic(part).to_vec(),
        };
        let tap = |(step, weight): (f64, f64)| (self.position(first + step, count), weight);
        weights.into_iter().map(tap).collect()
    }

    fn borders(self, count: f64) -> (f64, f64) {
        match self.align_corners {
            true => (0.0, count - 1.0),
            false => (-0.5, count - 0.5),
        }
    }

    /// The position within the borders that stands for a whole number.
    fn position(self, at: f64, count: f64) -> Option<usize> {
        let inside = match self.padding {
            GridPadding::Zeros => (0.0..count).contains(&at).then_some(at)?,
            GridPadding::Border => at,
            GridPadding::Reflection => {
                let (low, high) = self.borders(count);
                reflected(at, low, high).trunc()
            }
        };
        Some(inside.clamp(0.0, count - 1.0) as usize)
    }
}

/// Mirrored at the borders until it lies between them.
fn reflected(at: f64, low: f64, high: f64) -> f64 {
    let range = high - low;
    if range <= 0.0 {
        return low.max(0.0);
    }
    let beyond = match at {
        at if at < low => low - at,
        at if at > high => at - high,
        at => return at,
    };
    let times = (beyond / range).trunc();
    let rest = beyond - times * range;
    // Beyond which border it lies, and how often it went there and back.
    match (at < low) == (times % 2.0 == 0.0) {
        true => low + rest,
        false => high - rest,
    }
}

/// Positions from the one before, and their weights, after Keys with -0.75.
fn cubic(part: f64) -> [(f64, f64); 4] {
    const A: f64 = -0.75;
    let near = |t: f64| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
    let far = |t: f64| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
    [
        (-1.0, far(part + 1.0)),
        (0.0, near(part)),
        (1.0, near(1.0 - part)),
        (2.0, far(2.0 - part)),
    ]
}
