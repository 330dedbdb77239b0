//! `Attention` without a past.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::{Inputs, Understood, op_type, positive};
use crate::{Attention, Element, Error, Op, Result};

/// Inputs that are looked at: queries, keys, values and a mask.
const LOOKED_AT: usize = 4;

/// The operation of a node, if it is attention over nothing but what it reads now.
pub(super) fn of(node: &NodeProto, _opset: i64, given: &Inputs<'_>) -> Result<Option<Understood>> {
    let has_past = node.input.iter().skip(LOOKED_AT).any(|i| !i.is_empty());
    if op_type(node) != "Attention" || has_past {
        return Ok(None);
    }
    let a = Attributes(&node.attribute);
    let heads = match (a.has("q_num_heads"), a.has("kv_num_heads")) {
        (false, false) => None,
        _ => Some((
            positive(&a, "q_num_heads", 0)?,
            positive(&a, "kv_num_heads", 0)?,
        )),
    };
    let is_masked = node.input.get(3).is_some_and(|name| !name.is_empty());
    let truth_mask = match given.elements.get(3).copied().flatten() {
        Some(element) => element == Element::Bool,
        // Whether it is added or hides is not known.
        None if is_masked => return Ok(None),
        None => false,
    };
    let attention = Attention {
        heads,
        scale: match a.has("scale") {
            true => Some(a.float("scale", 0.0)?),
            false => None,
        },
        softcap: a.float("softcap", 0.0)?,
        causal: a.int("is_causal", 0)? != 0,
        reach: [
            reach(&a, "left_window_size")?,
            reach(&a, "right_window_size")?,
        ],
        truth_mask,
        softmax_precision: match a.has("softmax_precision") {
            true => Some(a.int("softmax_precision", 0)?),
            false => None,
        },
    };
    Ok(Some((Op::Attention(attention), 3..=7, ATTRIBUTES)))
}

fn reach(a: &Attributes<'_>, name: &str) -> Result<Option<usize>> {
    match a.int(name, -1)? {
        -1 => Ok(None),
        n => usize::try_from(n)
            .map(Some)
            .map_err(|_| Error::invalid(format!("attribute '{name}' is {n}, not -1 or more"))),
    }
}

const ATTRIBUTES: &[&str] = &[
    "is_causal",
    "kv_num_heads",
    "left_window_size",
    "q_num_heads",
    "qk_matmul_output_mode",
    "right_window_size",
    "scale",
    "softcap",
    "softmax_precision",
];
