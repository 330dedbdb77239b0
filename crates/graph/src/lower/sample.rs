//! Operators that take numbers from places, or put them there.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::{Inputs, Understood, op_type, positive};
use crate::{Error, GridMode, GridPadding, GridSample, MaxUnpool, Op, Result, RoiAlign, Sample};

/// The first operator set in which the modes of `GridSample` are called as those of `Resize`.
const GRID_RENAMED: i64 = 20;
/// The first operator set in which `RoiAlign` counts from the middle of positions.
const ROI_BY_MIDDLES: i64 = 16;

/// The operation of a node, if it is one of them.
pub(super) fn of(node: &NodeProto, opset: i64, _given: &Inputs<'_>) -> Result<Option<Understood>> {
    let a = Attributes(&node.attribute);
    let understood: Understood = match op_type(node) {
        "GridSample" => {
            let old_names = opset < GRID_RENAMED;
            let default = if old_names { "bilinear" } else { "linear" };
            let mode = match a.text("mode", default)? {
                "linear" | "bilinear" => GridMode::Linear,
                "nearest" => GridMode::Nearest,
                "cubic" | "bicubic" => GridMode::Cubic,
                other => return Err(unknown("mode", other)),
            };
            let padding = match a.text("padding_mode", "zeros")? {
                "zeros" => GridPadding::Zeros,
                "border" => GridPadding::Border,
                "reflection" => GridPadding::Reflection,
                other => return Err(unknown("padding_mode", other)),
            };
            let grid = GridSample {
                mode,
                padding,
                align_corners: a.int("align_corners", 0)? != 0,
                old_names,
            };
            let attributes = &["align_corners", "mode", "padding_mode"];
            (Op::Sample(Sample::Grid(grid)), 2..=2, attributes)
        }
        "RoiAlign" => {
            let max = match a.text("mode", "avg")? {
                "avg" => false,
                "max" => true,
                other => return Err(unknown("mode", other)),
            };
            let name = "coordinate_transformation_mode";
            let half_pixel = match a.text(name, "half_pixel")? {
                _ if opset < ROI_BY_MIDDLES => false,
                "half_pixel" => true,
                "output_half_pixel" => false,
                other => return Err(unknown(name, other)),
            };
            let samples = a.int("sampling_ratio", 0)?;
            let roi = RoiAlign {
                max,
                half_pixel,
                cells: [
                    positive(&a, "output_height", 1)?,
                    positive(&a, "output_width", 1)?,
                ],
                samples: usize::try_from(samples).map_err(|_| {
                    Error::invalid(format!("attribute 'sampling_ratio' is {samples}"))
                })?,
                scale: a.float("spatial_scale", 1.0)?,
            };
            (Op::Sample(Sample::Roi(roi)), 3..=3, ROI)
        }
        "MaxUnpool" => {
            let kernel = a.kernel()?;
            let axes = kernel.len();
            let unpool = MaxUnpool {
                strides: a.lengths("strides", axes, 1)?,
                pads: a.lengths("pads", 2 * axes, 0)?,
                kernel,
            };
            let attributes = &["kernel_shape", "pads", "strides"];
            (Op::Sample(Sample::Unpool(unpool)), 2..=3, attributes)
        }
        _ => return Ok(None),
    };
    Ok(Some(understood))
}

fn unknown(name: &str, value: &str) -> Error {
    Error::invalid(format!("attribute '{name}' is '{value}', which is unknown"))
}

/// Whether a node is a `MaxPool` that tells where it found what it puts out, row by row.
pub(super) fn finds_places(node: &NodeProto) -> Result<bool> {
    let a = Attributes(&node.attribute);
    let is_pool = op_type(node) == "MaxPool" && node.output.len() == 2;
    Ok(is_pool && a.int("storage_order", 0)? == 0)
}

const ROI: &[&str] = &[
    "coordinate_transformation_mode",
    "mode",
    "output_height",
    "output_width",
    "sampling_ratio",
    "spatial_scale",
];
