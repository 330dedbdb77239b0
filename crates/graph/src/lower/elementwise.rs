//! Element-wise operators that have attributes, or operands of any number.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::{Inputs, Understood, op_type};
use crate::{Binary, Element, Op, Result, Unary, Variadic};

/// Functions that runtimes have beside the standard ones: the same under another name.
pub(super) fn of_runtimes(node: &NodeProto) -> Result<Option<Understood>> {
    if node.domain.as_deref() != Some("com.microsoft") {
        return Ok(None);
    }
    let a = Attributes(&node.attribute);
    let understood: Understood = match (op_type(node), node.input.len()) {
        ("Gelu", 1) => (Op::Unary(Unary::Gelu { tanh: false }), 1..=1, &[]),
        ("FastGelu", 1) => (Op::Unary(Unary::Gelu { tanh: true }), 1..=1, &[]),
        ("QuickGelu", 1) => {
            let alpha = a.float("alpha", 1.702)?;
            (Op::Unary(Unary::Swish { alpha }), 1..=1, &["alpha"])
        }
        _ => return Ok(None),
    };
    Ok(Some(understood))
}

/// The operation of a node, if it is one of them.
pub(super) fn of(node: &NodeProto, _opset: i64, given: &Inputs<'_>) -> Result<Option<Understood>> {
    let a = Attributes(&node.attribute);
    let understood: Understood = match op_type(node) {
        "Div" => {
            let whole = given.elements.iter().flatten().any(|e| !e.is_float());
            let op = if whole { Binary::Quotient } else { Binary::Div };
            (Op::Binary(op), 2..=2, &[])
        }
        "LeakyRelu" => {
            let alpha = a.float("alpha", 0.01)?;
            (Op::Unary(Unary::LeakyRelu { alpha }), 1..=1, &["alpha"])
        }
        "Elu" => {
            let alpha = a.float("alpha", 1.0)?;
            (Op::Unary(Unary::Elu { alpha }), 1..=1, &["alpha"])
        }
        "HardSigmoid" => {
            let (alpha, beta) = (a.float("alpha", 0.2)?, a.float("beta", 0.5)?);
            let op = Op::Unary(Unary::HardSigmoid { alpha, beta });
            (op, 1..=1, &["alpha", "beta"])
        }
        "Selu" => {
            let alpha = a.float("alpha", SELU_ALPHA)?;
            let gamma = a.float("gamma", SELU_GAMMA)?;
            let op = Op::Unary(Unary::Selu { alpha, gamma });
            (op, 1..=1, &["alpha", "gamma"])
        }
        "Celu" | "ThresholdedRelu" | "Swish" => {
            let alpha = a.float("alpha", 1.0)?;
            let unary = match op_type(node) {
                "Celu" => Unary::Celu { alpha },
                "Swish" => Unary::Swish { alpha },
                _ => Unary::ThresholdedRelu { alpha },
            };
            (Op::Unary(unary), 1..=1, &["alpha"])
        }
        "Shrink" => {
            let (bias, lambda) = (a.float("bias", 0.0)?, a.float("lambd", 0.5)?);
            let op = Op::Unary(Unary::Shrink { bias, lambda });
            (op, 1..=1, &["bias", "lambd"])
        }
        "IsInf" => {
            let negative = a.int("detect_negative", 1)? != 0;
            let positive = a.int("detect_positive", 1)? != 0;
            let op = Op::Unary(Unary::IsInf { negative, positive });
            (op, 1..=1, &["detect_negative", "detect_positive"])
        }
        // Of unsigned numbers it depends on how many bits they have.
        "BitwiseNot" if is_signed(given.elements) => (Op::Unary(Unary::BitwiseNot), 1..=1, &[]),
        "Gelu" => {
            let tanh = a.text("approximate", "none")? == "tanh";
            (Op::Unary(Unary::Gelu { tanh }), 1..=1, &["approximate"])
        }
        "Min" if node.input.len() == 2 => (Op::Binary(Binary::Min), 2..=2, &[]),
        "Max" if node.input.len() == 2 => (Op::Binary(Binary::Max), 2..=2, &[]),
        "Sum" | "Mean" | "Min" | "Max" => {
            let variadic = match op_type(node) {
                "Sum" => Variadic::Sum,
                "Mean" => Variadic::Mean,
                "Min" => Variadic::Min,
                _ => Variadic::Max,
            };
            let count = node.input.len().max(1);
            (Op::Variadic(variadic), count..=count, &[])
        }
        "Mod" => {
            let float = a.int("fmod", 0)? != 0;
            (Op::Binary(Binary::Mod { float }), 2..=2, &["fmod"])
        }
        "Where" => (Op::Where, 3..=3, &[]),
        "PRelu" => (Op::PRelu, 2..=2, &[]),
        "Clip" => {
            let (min, max) = (
                a.float("min", f32::NEG_INFINITY)?,
                a.float("max", f32::INFINITY)?,
            );
            (Op::Clip { min, max }, 1..=3, &["min", "max"])
        }
        "Cast" => {
            let Some(to) = data_type(&a, "to")? else {
                return Ok(None);
            };
            (Op::Cast { to }, 1..=1, &["to", "saturate", "round_mode"])
        }
        _ => return Ok(None),
    };
    Ok(Some(understood))
}

/// What `Selu` scales with, where a node does not say.
#[expect(
    clippy::excessive_precision,
    reason = "the numbers are those of the format"
)]
const SELU_ALPHA: f32 = 1.67326319217681884765625;
#[expect(
    clippy::excessive_precision,
    reason = "the numbers are those of the format"
)]
const SELU_GAMMA: f32 = 1.05070102214813232421875;

fn is_signed(elements: &[Option<Element>]) -> bool {
    use Element::{I8, I16, I32, I64};
    matches!(elements, [Some(I8 | I16 | I32 | I64)])
}

/// The type of elements that an attribute names, if there can be elements of it.
pub(super) fn data_type(a: &Attributes<'_>, name: &str) -> Result<Option<Element>> {
    let code = i32::try_from(a.int(name, 0)?).unwrap_or_default();
    Ok(secateur_onnx::data_type(code).and_then(Element::of))
}
