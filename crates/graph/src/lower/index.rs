//! Operators that count, compare or choose positions.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::elementwise::data_type;
use super::node::{Inputs, Understood, op_type};
use super::resize::filling;
use crate::{Error, Index, Merge, Op, Result};

/// The operation of a node, if it is one of them.
pub(super) fn of(node: &NodeProto, opset: i64, _given: &Inputs<'_>) -> Result<Option<Understood>> {
    let a = Attributes(&node.attribute);
    let understood: Understood = match op_type(node) {
        "Shape" => {
            let end = a.has("end").then(|| a.int("end", 0)).transpose()?;
            let start = a.int("start", 0)?;
            (Op::Shape { start, end }, 1..=1, &["start", "end"])
        }
        "Size" => (Op::Index(Index::Size), 1..=1, &[]),
        "Range" => (Op::Index(Index::Range), 3..=3, &["stash_type"]),
        "NonZero" => (Op::Index(Index::NonZero), 1..=1, &[]),
        "GatherND" => {
            let Ok(rows) = usize::try_from(a.int("batch_dims", 0)?) else {
                return Err(Error::invalid("attribute 'batch_dims' is negative"));
            };
            (Op::Index(Index::GatherNd { rows }), 2..=2, &["batch_dims"])
        }
        "GatherElements" => {
            let axis = a.int("axis", 0)?;
            (Op::Index(Index::GatherElements { axis }), 2..=2, &["axis"])
        }
        "ScatterND" | "ScatterElements" => {
            let Some(merge) = Merge::named(a.text("reduction", "none")?) else {
                return Ok(None);
            };
            let axis = a.int("axis", 0)?;
            let index = match op_type(node) {
                "ScatterND" => Index::ScatterNd { merge },
                _ => Index::ScatterElements { axis, merge },
            };
            (Op::Index(index), 3..=3, &["axis", "reduction"])
        }
        "Compress" => {
            let axis = a.has("axis").then(|| a.int("axis", 0)).transpose()?;
            (Op::Index(Index::Compress { axis }), 2..=2, &["axis"])
        }
        "OneHot" => {
            let axis = a.int("axis", -1)?;
            (Op::Index(Index::OneHot { axis }), 3..=3, &["axis"])
        }
        "EyeLike" => {
            let to = match a.has("dtype") {
                true => match data_type(&a, "dtype")? {
                    Some(to) => Some(to),
                    None => return Ok(None),
                },
                false => None,
            };
            let right = a.int("k", 0)?;
            (
                Op::Index(Index::EyeLike { right, to }),
                1..=1,
                &["dtype", "k"],
            )
        }
        "ArgMax" | "ArgMin" => {
            let index = Index::Arg {
                largest: op_type(node) == "ArgMax",
                axis: a.int("axis", 0)?,
                keep: a.int("keepdims", 1)? != 0,
                last: a.int("select_last_index", 0)? != 0,
            };
            let attributes = &["axis", "keepdims", "select_last_index"];
            (Op::Index(index), 1..=1, attributes)
        }
        // Older ones have the number as an attribute; unsorted ones have no order that could be known.
        "TopK" if opset >= 10 && a.int("sorted", 1)? != 0 && both(node) => {
            let (axis, largest) = (a.int("axis", -1)?, a.int("largest", 1)? != 0);
            let index = Index::TopK { largest, axis };
            (Op::Index(index), 2..=2, &["axis", "largest", "sorted"])
        }
        "CumSum" => {
            let (exclusive, reverse) = (a.int("exclusive", 0)? != 0, a.int("reverse", 0)? != 0);
            let index = Index::CumSum { exclusive, reverse };
            (Op::Index(index), 2..=2, &["exclusive", "reverse"])
        }
        "Trilu" => {
            let upper = a.int("upper", 1)? != 0;
            (Op::Index(Index::Trilu { upper }), 1..=2, &["upper"])
        }
        "ConstantOfShape" => {
            let Some(index) = filling(&a)? else {
                return Ok(None);
            };
            (Op::Index(index), 1..=1, &["value"])
        }
        _ => return Ok(None),
    };
    Ok(Some(understood))
}

/// Whether a node makes two outputs, both of which have names.
fn both(node: &NodeProto) -> bool {
    node.output.len() == 2 && node.output.iter().all(|name| !name.is_empty())
}
