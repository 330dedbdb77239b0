//! Operators that move elements, take some of them or add some.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::{Inputs, Understood, axes, op_type, positive};
use super::resize::{RESIZE, resize};
use crate::{Bounds, Depth, DepthWay, Error, Op, Pad, PadMode, Result, Split, Squeeze};

/// The operation of a node, if it is one of them.
pub(super) fn of(node: &NodeProto, opset: i64, given: &Inputs<'_>) -> Result<Option<Understood>> {
    let a = Attributes(&node.attribute);
    let ranks = given.ranks;
    let understood: Understood = match op_type(node) {
        "Expand" => (Op::Expand, 2..=2, &[]),
        "Tile" => (Op::Tile, 2..=2, &[]),
        "Slice" => {
            let bounds = match (a.ints("starts")?, a.ints("ends")?) {
                (Some(starts), Some(ends)) => {
                    let all = (0..starts.len() as i64).collect();
                    let axes = a.ints("axes")?.map_or(all, <[i64]>::to_vec);
                    Some(Bounds {
                        starts: starts.to_vec(),
                        ends: ends.to_vec(),
                        axes,
                    })
                }
                _ => None,
            };
            let inputs = if bounds.is_some() { 1..=1 } else { 3..=5 };
            (Op::Slice { bounds }, inputs, &["starts", "ends", "axes"])
        }
        "Split" => {
            let axis = a.int("axis", 0)?;
            let parts = match (a.ints("split")?, node.input.get(1).map(String::as_str)) {
                (Some(parts), _) => parts.to_vec(),
                (None, None | Some("")) => vec![],
                (None, Some(_)) => match given.integers.get(1).copied().flatten() {
                    Some(parts) => parts.to_vec(),
                    None => return Ok(None),
                },
            };
            let parts: Option<Vec<usize>> =
                parts.iter().map(|&n| usize::try_from(n).ok()).collect();
            let Some(parts) = parts else {
                return Err(Error::invalid("Split into a part of negative length"));
            };
            let attributes = &["axis", "split", "num_outputs"];
            let attribute = a.has("split");
            let split = Split {
                axis,
                parts,
                attribute,
            };
            (Op::Split(split), 1..=2, attributes)
        }
        "DepthToSpace" | "SpaceToDepth" => {
            let block = positive(&a, "blocksize", 0)?;
            let way = match (op_type(node), a.text("mode", "DCR")?) {
                ("SpaceToDepth", _) => DepthWay::FromSpace,
                (_, "DCR") => DepthWay::OuterToSpace,
                (_, "CRD") => DepthWay::InnerToSpace,
                _ => return Ok(None),
            };
            (
                Op::Depth(Depth { block, way }),
                1..=1,
                &["blocksize", "mode"],
            )
        }
        "Pad" => {
            let value = a.float("value", 0.0)?;
            let mode = match a.text("mode", "constant")? {
                "constant" => PadMode::Constant(value),
                "reflect" => PadMode::Reflect,
                "edge" => PadMode::Edge,
                "wrap" => PadMode::Wrap,
                _ => return Ok(None),
            };
            let pads = a.ints("pads")?.map(<[i64]>::to_vec);
            let inputs = if pads.is_some() { 1..=1 } else { 2..=4 };
            (
                Op::Pad(Pad { mode, pads }),
                inputs,
                &["mode", "pads", "value"],
            )
        }
        "Resize" | "Upsample" => match resize(&a, node, opset)? {
            Some(resize) => (Op::Resize(resize), 1..=4, RESIZE),
            None => return Ok(None),
        },
        "Reshape" => {
            let allow_zero = a.int("allowzero", 0)? != 0;
            (Op::Reshape { allow_zero }, 2..=2, &["allowzero"])
        }
        "Transpose" => {
            let order: Option<Vec<usize>> = match (a.ints("perm")?, ranks.first()) {
                (Some(perm), _) => perm.iter().map(|&p| usize::try_from(p).ok()).collect(),
                (None, Some(Some(rank))) => Some((0..*rank).rev().collect()),
                (None, _) => return Ok(None),
            };
            let Some(order) = order else {
                return Err(Error::invalid("attribute 'perm' holds a negative axis"));
            };
            (Op::Transpose { order }, 1..=1, &["perm"])
        }
        "Squeeze" | "Unsqueeze" => {
            let Some(axes) = axes(&a, node, given)? else {
                return Ok(None);
            };
            let op = match op_type(node) {
                "Squeeze" => Op::Squeeze(Squeeze::Out(axes)),
                _ => Op::Squeeze(Squeeze::In(axes)),
            };
            (op, 1..=2, &["axes"])
        }
        "Concat" => {
            let axis = a.required_int("axis")?;
            (Op::Concat { axis }, 1..=usize::MAX, &["axis"])
        }
        "Flatten" => (
            Op::Flatten {
                axis: a.int("axis", 1)?,
            },
            1..=1,
            &["axis"],
        ),
        "Gather" => (
            Op::Gather {
                axis: a.int("axis", 0)?,
            },
            2..=2,
            &["axis"],
        ),
        _ => return Ok(None),
    };
    Ok(Some(understood))
}
