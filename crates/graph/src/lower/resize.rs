//! `Resize`, `Upsample` and what fills a `ConstantOfShape`: attributes with many forms.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::op_type;
use super::value::{Constant, constant};
use crate::{Element, Index, Nearest, Resize, ResizeForm, ResizeMode, ResizePlaces, Result};

/// Attributes of `Resize` and `Upsample`.
pub(super) const RESIZE: &[&str] = &[
    "antialias",
    "axes",
    "coordinate_transformation_mode",
    "cubic_coeff_a",
    "exclude_outside",
    "extrapolation_value",
    "keep_aspect_ratio_policy",
    "mode",
    "nearest_mode",
    "scales",
];

/// What fills a `ConstantOfShape`, if it is a number that is known exactly.
pub(super) fn filling(a: &Attributes<'_>) -> Result<Option<Index>> {
    let Some(tensor) = a.tensor("value") else {
        let (value, element) = (0.0, Element::F32);
        return Ok(Some(Index::ConstantOfShape { value, element }));
    };
    let Constant::Known(tensor) = constant(tensor)? else {
        return Ok(None);
    };
    let element = tensor.element();
    Ok(match tensor.numbers()[..] {
        [value] if element.is_float() || value.abs() < 9e15 => {
            Some(Index::ConstantOfShape { value, element })
        }
        _ => None,
    })
}

/// The attributes of a `Resize` or `Upsample`, if they are of a form that is understood.
pub(super) fn resize(a: &Attributes<'_>, node: &NodeProto, opset: i64) -> Result<Option<Resize>> {
    let is_upsample = op_type(node) == "Upsample";
    if is_upsample && node.input.len() < 2 {
        // Scales as an attribute, which nothing writes any more.
        return Ok(None);
    }
    let form = match opset >= 11 && !is_upsample {
        true => ResizeForm::Resize,
        false => ResizeForm::Scales {
            upsample: is_upsample,
        },
    };
    let default = if form == ResizeForm::Resize {
        "half_pixel"
    } else {
        "asymmetric"
    };
    let places = match a.text("coordinate_transformation_mode", default)? {
        "half_pixel" => ResizePlaces::HalfPixel,
        "pytorch_half_pixel" => ResizePlaces::PytorchHalfPixel,
        "align_corners" => ResizePlaces::AlignCorners,
        "asymmetric" => ResizePlaces::Asymmetric,
        _ => ResizePlaces::Other,
    };
    let default = if form == ResizeForm::Resize {
        "round_prefer_floor"
    } else {
        "floor"
    };
    let nearest = match a.text("nearest_mode", default)? {
        "round_prefer_floor" => Some(Nearest::RoundPreferFloor),
        "round_prefer_ceil" => Some(Nearest::RoundPreferCeil),
        "floor" => Some(Nearest::Floor),
        "ceil" => Some(Nearest::Ceil),
        _ => None,
    };
    let plain = a.int("antialias", 0)? == 0
        && a.int("exclude_outside", 0)? == 0
        && a.text("keep_aspect_ratio_policy", "stretch")? == "stretch";
    let mode = match (a.text("mode", "nearest")?, nearest) {
        ("nearest", Some(nearest)) if plain => ResizeMode::Nearest(nearest),
        ("linear", _) if plain => ResizeMode::Linear,
        _ => ResizeMode::Other,
    };
    Ok(Some(Resize {
        form,
        mode,
        places,
        axes: a.ints("axes")?.map_or(vec![], <[i64]>::to_vec),
    }))
}
