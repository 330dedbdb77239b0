//! `LSTM`, `GRU` and `RNN`: carried unread but for what they read their input with.

mod value;

use secateur_onnx::{Limits, read_node};

pub(super) use self::value::evaluate;
use super::{Opaque, input_shape};
use crate::channels::Walk;
use crate::groups::Role;
use crate::{Dim, Graph, Node, Result};

/// The axis of features of the input, whose axes are steps, rows and features.
const FEATURES: usize = 2;

/// Whether a node is a recurrent layer over steps, rows and features in that order. Its operand 1 holds the weights of what it reads,
/// `[directions, gates * hidden, features]`; operand 3, if there is one, the biases of these and then of the state, along the last axis.
pub fn is_recurrent(opaque: &Opaque) -> bool {
    if !opaque.domain.is_empty() || !matches!(opaque.op_type.as_str(), "LSTM" | "GRU" | "RNN") {
        return false;
    }
    let Ok(message) = read_node(&opaque.message, &Limits::default()) else {
        return false;
    };
    let layout = message
        .attribute
        .iter()
        .find(|a| a.name.as_deref() == Some("layout"));
    layout.is_none_or(|a| a.i.unwrap_or_default() == 0)
}

/// All steps, and the last ones of each state.
pub(super) fn shapes(graph: &Graph, node: &Node) -> Result<Vec<Option<Vec<Dim>>>> {
    let unknown = vec![None; node.outputs.len()];
    let (Some([steps, rows, _]), Some([directions, _, hidden])) =
        (input_shape(graph, node, 0)?, input_shape(graph, node, 2)?)
    else {
        return Ok(unknown);
    };
    let [steps, rows, directions, hidden] = [steps, rows, directions, hidden].map(Clone::clone);
    let last = vec![directions.clone(), rows.clone(), hidden.clone()];
    let all = vec![steps, directions, rows, hidden];
    let shape = |output: usize| {
        Some(if output == 0 {
            all.clone()
        } else {
            last.clone()
        })
    };
    Ok((0..node.outputs.len()).map(shape).collect())
}

/// Features are read by the weights of the input, `[directions, gates * hidden, features]`; all else stays.
pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let (x, weights) = (node.input(0)?, node.input(1)?);
    let read = walk.along(x, FEATURES);
    let reason = format!("is read by {}, whose inside stays", node.op.onnx_name());
    if walk.is_parameter(weights) && !walk.is_parameter(x) && !read.is_empty() {
        walk.claim(weights, FEATURES, Role::Reads, &read);
    } else {
        walk.freeze(x, node, &reason);
        walk.freeze(weights, node, &reason);
    }
    for axis in 0..FEATURES {
        walk.freeze_axis(x, axis, node, &reason);
    }
    for &value in node.inputs.iter().skip(2).flatten() {
        walk.freeze(value, node, &reason);
    }
    Ok(())
}

/// Every step multiplies with the weights of the input and of the state.
pub(super) fn macs(graph: &Graph, node: &Node) -> Option<u64> {
    let size = |slot: usize| -> Option<u64> {
        let shape = input_shape(graph, node, slot).ok()??;
        shape.iter().map(|d| d.fixed().map(|n| n as u64)).product()
    };
    // As everywhere, a length that is unknown counts once.
    let steps = input_shape(graph, node, 0)
        .ok()??
        .first()?
        .fixed()
        .unwrap_or(1) as u64;
    steps.checked_mul(size(1)?.checked_add(size(2)?)?)
}

#[cfg(test)]
mod tests {
    use secateur_onnx::proto::{AttributeProto, NodeProto};

    use super::*;
    use crate::{ChannelGroups, GraphBuilder, Op, Tensor, cost};

    fn lstm(layout: Option<i64>) -> Opaque {
        let attribute = |layout| AttributeProto {
            name: Some("layout".into()),
            i: Some(layout),
            ..AttributeProto::default()
        };
        let message = NodeProto {
            op_type: Some("LSTM".into()),
            attribute: layout.map(attribute).into_iter().collect(),
            ..NodeProto::default()
        };
        Opaque {
            domain: String::new(),
            op_type: "LSTM".into(),
            opset: 17,
            message: secateur_onnx::write_node(&message).unwrap(),
        }
    }

    #[test]
    fn features_that_a_recurrent_layer_reads_can_go() {
        let zeros =
            |shape: &[usize]| Tensor::f32(shape, vec![0.0; shape.iter().product()]).unwrap();
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(5), Dim::Fixed(1), Dim::Fixed(3)]);
        let w = b.constant("w", zeros(&[3, 6]));
        let h = b.node("h", Op::MatMul, &[x, w]);
        let (wx, wh) = (
            b.constant("wx", zeros(&[1, 8, 6])),
            b.constant("wh", zeros(&[1, 8, 2])),
        );
        let y = b.node("y", Op::Opaque(lstm(None)), &[h, wx, wh]);
        b.output(y);
        let graph = b.build().unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let hidden = groups.group(groups.named("h").unwrap());
        assert_eq!(hidden.frozen, None);
        let reads = hidden
            .members
            .iter()
            .find(|m| m.role == Role::Reads)
            .unwrap();
        assert_eq!((reads.tensor, reads.axis), (wx, FEATURES));
        assert_eq!(cost(&graph).unwrap().macs, 5 * (3 * 6 + 8 * 6 + 8 * 2));
    }

    #[test]
    fn rows_before_steps_are_not_understood() {
        assert!(is_recurrent(&lstm(None)) && is_recurrent(&lstm(Some(0))));
        assert!(!is_recurrent(&lstm(Some(1))));
    }
}
