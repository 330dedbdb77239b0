//! Recurrent layers as a file states them.

use secateur_graph::{Op, Opaque, Result};
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::{AttributeProto, NodeProto};
use secateur_onnx::write_node;

/// An `LSTM`, `GRU` or `RNN` of so many hidden units in a direction, with so many operands and one output, all steps.
///
/// # Errors
/// If its message cannot be written.
pub fn recurrent(op_type: &str, (hidden, direction): (usize, &str), operands: usize) -> Result<Op> {
    let direction = AttributeProto {
        name: Some("direction".into()),
        r#type: Some(AttributeType::STRING),
        s: Some(direction.into()),
        ..AttributeProto::default()
    };
    let hidden = AttributeProto {
        name: Some("hidden_size".into()),
        r#type: Some(AttributeType::INT),
        i: Some(hidden as i64),
        ..AttributeProto::default()
    };
    let message = NodeProto {
        op_type: Some(op_type.into()),
        input: (0..operands).map(|at| format!("operand{at}")).collect(),
        output: vec!["steps".into()],
        attribute: vec![direction, hidden],
        ..NodeProto::default()
    };
    Ok(Op::Opaque(Opaque {
        domain: String::new(),
        op_type: op_type.into(),
        opset: 17,
        message: write_node(&message)?,
    }))
}
