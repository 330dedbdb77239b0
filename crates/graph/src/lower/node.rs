//! Which operation is a node's message?

use secateur_onnx::proto::{AttributeProto, NodeProto, attribute_proto::AttributeType};

use super::CONVERT;
use crate::raise::{OLDEST_WRITTEN_OPSET, is_standard};
use crate::{Binary, Error, Gemm, Op, Result, Unary};

/// What to call a node in messages: its name, else its first output, else its place in the file.
pub(super) fn label(node: &NodeProto, index: usize) -> String {
    let first_output = node
        .output
        .iter()
        .map(String::as_str)
        .find(|o| !o.is_empty());
    match node.name.as_deref() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => first_output.map_or_else(|| format!("node {index}"), str::to_owned),
    }
}

/// Whether the operator is one of the standard domain.
pub(super) fn standard(node: &NodeProto) -> bool {
    is_standard(node.domain.as_deref().unwrap_or_default())
}

/// The understood operation of a node, whose inputs have the given numbers of axes, or `None`.
pub(super) fn understood(
    node: &NodeProto,
    opset: i64,
    ranks: &[Option<usize>],
) -> Result<Option<Op>> {
    if !standard(node) {
        return Ok(None);
    }
    let a = Attributes(&node.attribute);
    let (op, inputs, attributes): (Op, _, &[&str]) = match op_type(node) {
        "Gemm" => {
            let gemm = Gemm {
                alpha: a.float("alpha", 1.0)?,
                beta: a.float("beta", 1.0)?,
                trans_a: a.int("transA", 0)? != 0,
                trans_b: a.int("transB", 0)? != 0,
            };
            (
                Op::Gemm(gemm),
                2..=3,
                &["alpha", "beta", "transA", "transB"],
            )
        }
        "MatMul" => (Op::MatMul, 2..=2, &[]),
        "Add" => (Op::Binary(Binary::Add), 2..=2, &[]),
        "Sub" => (Op::Binary(Binary::Sub), 2..=2, &[]),
        "Mul" => (Op::Binary(Binary::Mul), 2..=2, &[]),
        "Div" => (Op::Binary(Binary::Div), 2..=2, &[]),
        "Relu" => (Op::Unary(Unary::Relu), 1..=1, &[]),
        "LeakyRelu" => {
            let alpha = a.float("alpha", 0.01)?;
            (Op::Unary(Unary::LeakyRelu { alpha }), 1..=1, &["alpha"])
        }
        "Tanh" => (Op::Unary(Unary::Tanh), 1..=1, &[]),
        "Sigmoid" => (Op::Unary(Unary::Sigmoid), 1..=1, &[]),
        "Softmax" => (softmax(&a, opset, ranks)?, 1..=1, &["axis"]),
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
        "Identity" => (Op::Identity, 1..=1, &[]),
        _ => return Ok(None),
    };
    let given = node.input.len();
    if !inputs.contains(&given) || node.input[..*inputs.start()].iter().any(String::is_empty) {
        let (least, most) = inputs.into_inner();
        let message = format!("{} takes {least} to {most} inputs", op.onnx_name());
        return Err(Error::invalid(message));
    }
    if node.output.len() != 1 || node.output[0].is_empty() {
        return Err(Error::invalid(format!(
            "{} makes one output",
            op.onnx_name()
        )));
    }
    a.only(attributes)?;
    Ok(Some(op))
}

/// Before operator set 13, Softmax folds all axes from `axis` on into one, by default from the
/// second; that is the present Softmax where `axis` is the last.
fn softmax(a: &Attributes<'_>, opset: i64, ranks: &[Option<usize>]) -> Result<Op> {
    if opset >= 13 {
        return Ok(Op::Softmax {
            axis: a.int("axis", -1)?,
        });
    }
    let axis = a.int("axis", 1)?;
    let last = ranks.first().copied().flatten().map(|rank| rank as i64 - 1);
    if axis == -1 || Some(axis) == last {
        return Ok(Op::Softmax { axis });
    }
    let message = format!("Softmax of operator set {opset} may sum over several axes");
    Err(Error::unsupported(message).hint(CONVERT))
}

/// Checks that a node can be carried unread: everything it means is in its message and inputs.
pub(super) fn check_opaque(node: &NodeProto, opset: i64) -> Result<()> {
    let op_type = op_type(node);
    if standard(node) && opset < OLDEST_WRITTEN_OPSET && op_type != "Constant" {
        let message = format!("{op_type} of operator set {opset} cannot be written back");
        return Err(Error::unsupported(message).hint(CONVERT));
    }
    for attribute in &node.attribute {
        if attribute.g.is_set() || !attribute.graphs.is_empty() {
            // Its nodes read values by name, past the node's inputs.
            return Err(Error::unsupported(format!("{op_type} holds a subgraph")));
        }
        for tensor in attribute
            .t
            .as_option()
            .into_iter()
            .chain(&attribute.tensors)
        {
            if secateur_onnx::is_external(tensor) {
                let message = format!("{op_type} keeps data in another file");
                return Err(Error::unsupported(message).hint(
                    "save the model with its weights inside, for example with onnx.save_model",
                ));
            }
        }
    }
    Ok(())
}

/// The number of axes of the output, where those of the inputs tell.
pub(super) fn rank(op: &Op, inputs: &[Option<usize>]) -> Option<usize> {
    let input = |index: usize| inputs.get(index).copied().flatten();
    match op {
        Op::Gemm(_) | Op::Flatten { .. } => Some(2),
        Op::Unary(_) | Op::Softmax { .. } | Op::Identity => input(0),
        Op::Binary(_) => Some(input(0)?.max(input(1)?)),
        Op::MatMul => {
            Some(input(0)?.max(input(1)?)).filter(|_| input(0) >= Some(2) && input(1) >= Some(2))
        }
        Op::Gather { .. } => (input(0)? + input(1)?).checked_sub(1),
        Op::Opaque(_) => None,
    }
}

pub(super) fn op_type(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or_default()
}

/// The attributes of a node, by name.
struct Attributes<'a>(&'a [AttributeProto]);

impl<'a> Attributes<'a> {
    fn find(&self, name: &str) -> Option<&'a AttributeProto> {
        self.0.iter().find(|a| a.name.as_deref() == Some(name))
    }

    fn float(&self, name: &str, default: f32) -> Result<f32> {
        match self.find(name) {
            None => Ok(default),
            Some(a) => {
                a.f.filter(|_| a.r#type == Some(AttributeType::FLOAT))
                    .ok_or_else(|| Error::invalid(format!("attribute '{name}' is no float")))
            }
        }
    }

    fn int(&self, name: &str, default: i64) -> Result<i64> {
        match self.find(name) {
            None => Ok(default),
            Some(a) => {
                a.i.filter(|_| a.r#type == Some(AttributeType::INT))
                    .ok_or_else(|| Error::invalid(format!("attribute '{name}' is no integer")))
            }
        }
    }

    /// Refuses attributes of any other name: the operator would mean something else with them.
    fn only(&self, names: &[&str]) -> Result<()> {
        let name = |a: &'a AttributeProto| a.name.as_deref().unwrap_or_default();
        match self.0.iter().map(name).find(|n| !names.contains(n)) {
            Some(other) => Err(Error::invalid(format!(
                "has the unknown attribute '{other}'"
            ))),
            None => Ok(()),
        }
    }
}
