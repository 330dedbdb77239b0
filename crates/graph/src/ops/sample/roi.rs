//! `RoiAlign`: the cells of regions of an image, each from samples between its positions.

use serde::{Deserialize, Serialize};

use super::{channel_by_channel, freeze_places};
use crate::channels::Walk;
use crate::eval::Array;
use crate::ops::{input_shape, pool};
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of `RoiAlign`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoiAlign {
    /// Whether a cell is the largest of its samples, and not their mean.
    pub max: bool,
    /// Whether regions count from the middle of the first position, not from its corner.
    pub half_pixel: bool,
    /// Cells of a region, by height and width.
    pub cells: [usize; 2],
    /// Samples along each side of a cell; 0 for as many as it has positions.
    pub samples: usize,
    /// What regions are scaled by.
    pub scale: f32,
}

/// A cell with more samples along a side is refused.
const MOST_SAMPLES: f64 = 4096.0;

pub(super) fn shape(graph: &Graph, node: &Node, roi: &RoiAlign) -> Result<Option<Vec<Dim>>> {
    let (Some(x), Some(regions)) = (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?)
    else {
        return Ok(None);
    };
    let ([_, channels, _, _], [count, sides]) = (x, regions) else {
        return Err(misfit());
    };
    if sides.fixed().is_some_and(|n| n != 4) {
        return Err(misfit());
    }
    let [height, width] = roi.cells.map(Dim::Fixed);
    Ok(Some(vec![count.clone(), channels.clone(), height, width]))
}

fn misfit() -> Error {
    Error::invalid("RoiAlign takes images of four axes, and regions of four numbers each")
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    walk.freeze_axis(
        node.input(0)?,
        0,
        node,
        "is a row that RoiAlign picks by its number",
    );
    for slot in 1..3 {
        freeze_places(node, walk, node.input(slot)?);
    }
    channel_by_channel(node, walk)
}

pub(super) fn evaluate(roi: &RoiAlign, inputs: &[Option<&Array>]) -> Result<Array> {
    let (Some(Some(x)), Some(Some(regions)), Some(Some(rows))) =
        (inputs.first(), inputs.get(1), inputs.get(2))
    else {
        return Err(Error::invalid("RoiAlign lacks an input"));
    };
    let &[images, channels, height, width] = x.shape.as_slice() else {
        return Err(misfit());
    };
    let count = rows.values.len();
    if regions.shape != [count, 4] || height == 0 || width == 0 {
        return Err(misfit());
    }
    let [down, across] = roi.cells;
    let mut values = vec![0.0; count * channels * down * across];
    for (at, region) in regions.values.chunks_exact(4).enumerate() {
        let row = rows.values[at];
        if !(0.0..images as f64).contains(&row) {
            return Err(Error::invalid(format!(
                "RoiAlign reads row {row} of {images}"
            )));
        }
        let [left, top, right, bottom] = [0, 1, 2, 3].map(|i| {
            let offset = if roi.half_pixel { 0.5 } else { 0.0 };
            single(single(region[i] * f64::from(roi.scale)) - offset)
        });
        let vertical = Side::of(roi, (top, bottom), down)?;
        let horizontal = Side::of(roi, (left, right), across)?;
        for cell in 0..down * across {
            let ys = vertical.samples(cell / across);
            let xs = horizontal.samples(cell % across);
            let samples = ys.iter().flat_map(|&y| xs.iter().map(move |&x| (y, x)));
            let corners: Vec<[(usize, f64); 4]> = samples
                .map(|(y, x)| corners((y, height), (x, width)))
                .collect();
            for channel in 0..channels {
                let area = height * width;
                let image = &x.values[(row as usize * channels + channel) * area..][..area];
                let at = ((at * channels + channel) * down * across) + cell;
                values[at] = roi.of_cell(image, &corners);
            }
        }
    }
    Array::new([count, channels, down, across], values)
}

impl RoiAlign {
    fn of_cell(&self, image: &[f64], samples: &[[(usize, f64); 4]]) -> f64 {
        let parts = |corners: &[(usize, f64); 4]| corners.map(|(at, weight)| weight * image[at]);
        if self.max {
            let each = samples.iter().flat_map(parts);
            let largest = each.reduce(pool::largest);
            return largest.unwrap_or(0.0);
        }
        let sums = samples
            .iter()
            .map(|s| parts(s).iter().fold(0.0, |sum, v| sum + v));
        sums.fold(0.0, |sum, v| sum + v) / samples.len().max(1) as f64
    }
}

/// Rounded as in runtimes: the number of samples jumps from one place to the next.
fn single(place: f64) -> f64 {
    f64::from(place as f32)
}

/// One side of a region.
struct Side {
    start: f64,
    cell: f64,
    samples: usize,
}

impl Side {
    fn of(roi: &RoiAlign, (start, end): (f64, f64), cells: usize) -> Result<Self> {
        let mut length = single(end - start);
        if !roi.half_pixel {
            length = length.max(1.0);
        }
        let cell = single(length / cells as f64);
        let samples = match roi.samples {
            0 => cell.ceil(),
            samples => samples as f64,
        };
        if samples > MOST_SAMPLES {
            let what = format!("RoiAlign with {samples} samples along a side of a cell");
            return Err(Error::unsupported(what).hint("up to 4096 are handled"));
        }
        Ok(Self {
            start,
            cell,
            samples: samples.max(0.0) as usize,
        })
    }

    fn samples(&self, cell: usize) -> Vec<f64> {
        let first = self.start + cell as f64 * self.cell;
        let step = self.cell / self.samples as f64;
        let sample = |i: usize| first + (i as f64 + 0.5) * step;
        (0..self.samples).map(sample).collect()
    }
}

/// The four positions round a sample with their weights, which are 0 far outside.
fn corners((y, height): (f64, usize), (x, width): (f64, usize)) -> [(usize, f64); 4] {
    let is_outside = |at: f64, length: usize| at < -1.0 || at > length as f64;
    if is_outside(y, height) || is_outside(x, width) {
        return [(0, 0.0); 4];
    }
    let pair = |at: f64, length: usize| {
        if at.is_nan() {
            return ((0, 0), f64::NAN);
        }
        let at = at.max(0.0);
        let low = at as usize;
        match low + 1 >= length {
            true => ((length - 1, length - 1), 0.0),
            false => ((low, low + 1), at - low as f64),
        }
    };
    let ((top, bottom), down) = pair(y, height);
    let ((left, right), across) = pair(x, width);
    [
        (top * width + left, (1.0 - down) * (1.0 - across)),
        (top * width + right, (1.0 - down) * across),
        (bottom * width + left, down * (1.0 - across)),
        (bottom * width + right, down * across),
    ]
}
