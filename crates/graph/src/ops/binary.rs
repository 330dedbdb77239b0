//! `Add`, `Sub`, `Mul`, `Div` and other element-wise functions of two operands.

use serde::{Deserialize, Serialize};

use super::{broadcast, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::{Dim, Graph, Node, Op, Result, ValueId, shapes};

/// Element-wise binary arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a / b` of whole numbers, towards 0.
    Quotient,
    /// `a` to the power of `b`.
    Pow,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// The rest of `a / b`, with the sign of `b`, or with that of `a`.
    Mod {
        /// Whether it has the sign of `a`.
        float: bool,
    },
    /// Whether they are equal.
    Equal,
    /// Whether `a < b`.
    Less,
    /// Whether `a <= b`.
    LessOrEqual,
    /// Whether `a > b`.
    Greater,
    /// Whether `a >= b`.
    GreaterOrEqual,
    /// Whether both are true.
    And,
    /// Whether one is true.
    Or,
    /// Whether exactly one is true.
    Xor,
    /// The bits that are set in both whole numbers.
    BitwiseAnd,
    /// Those that are set in one of them.
    BitwiseOr,
    /// Those that are set in exactly one.
    BitwiseXor,
}

impl Binary {
    /// The result for one pair of numbers.
    pub(crate) fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Quotient => (a / b).trunc(),
            Binary::Pow => a.powf(b),
            Binary::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Min => a.min(b),
            Binary::Max if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Max => a.max(b),
            Binary::Mod { float: true } => a % b,
            Binary::Mod { float: false } => a - b * (a / b).floor(),
            Binary::Equal => truth(a == b),
            Binary::Less => truth(a < b),
            Binary::LessOrEqual => truth(a <= b),
            Binary::Greater => truth(a > b),
            Binary::GreaterOrEqual => truth(a >= b),
            Binary::And => truth(a != 0.0 && b != 0.0),
            Binary::Or => truth(a != 0.0 || b != 0.0),
            Binary::Xor => truth((a != 0.0) != (b != 0.0)),
            Binary::BitwiseAnd => (a as i64 & b as i64) as f64,
            Binary::BitwiseOr => (a as i64 | b as i64) as f64,
            Binary::BitwiseXor => (a as i64 ^ b as i64) as f64,
        }
    }

    /// Whether the result is true or false, whatever the operands are.
    pub(crate) fn is_truth(self) -> bool {
        match self {
            Binary::Add
            | Binary::Sub
            | Binary::Mul
            | Binary::Div
            | Binary::Quotient
            | Binary::Pow
            | Binary::Min
            | Binary::Max
            | Binary::Mod { .. }
            | Binary::BitwiseAnd
            | Binary::BitwiseOr
            | Binary::BitwiseXor => false,
            Binary::Equal
            | Binary::Less
            | Binary::LessOrEqual
            | Binary::Greater
            | Binary::GreaterOrEqual
            | Binary::And
            | Binary::Or
            | Binary::Xor => true,
        }
    }

    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div | Binary::Quotient => "Div",
            Binary::Pow => "Pow",
            Binary::Min => "Min",
            Binary::Max => "Max",
            Binary::Mod { .. } => "Mod",
            Binary::Equal => "Equal",
            Binary::Less => "Less",
            Binary::LessOrEqual => "LessOrEqual",
            Binary::Greater => "Greater",
            Binary::GreaterOrEqual => "GreaterOrEqual",
            Binary::And => "And",
            Binary::Or => "Or",
            Binary::Xor => "Xor",
            Binary::BitwiseAnd => "BitwiseAnd",
            Binary::BitwiseOr => "BitwiseOr",
            Binary::BitwiseXor => "BitwiseXor",
        }
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// The shape that arrays broadcast to.
pub(super) fn common_shape(arrays: &[&Array]) -> Result<Vec<usize>> {
    let mut common: Vec<Dim> = vec![];
    for array in arrays {
        let own: Vec<Dim> = array.shape.iter().map(|&n| Dim::Fixed(n)).collect();
        common = shapes::broadcast(&common, &own)?;
    }
    Ok(common.iter().filter_map(Dim::fixed).collect())
}

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    match (input_shape(graph, node, 0)?, input_shape(graph, node, 1)?) {
        (Some(a), Some(b)) => shapes::broadcast(a, b).map(Some),
        _ => Ok(None),
    }
}

/// Behind a product with weights, a constant that is added is its bias.
pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let operands = [node.input(0)?, node.input(1)?];
    let is_product = |id: &ValueId| walk.producer(*id).is_some_and(|n| n.op == Op::MatMul);
    let is_bias = node.op == Op::Binary(Binary::Add) && operands.iter().any(is_product);
    let role = if is_bias {
        Role::Produces
    } else {
        Role::Carries
    };
    broadcast::channels(node, &operands, role, walk)
}

impl Binary {
    pub(super) fn evaluate(self, a: &Array, b: &Array) -> Result<Array> {
        let shape = common_shape(&[a, b])?;
        let (a, b) = (a.broadcast_to(&shape)?, b.broadcast_to(&shape)?);
        let pairs = a.values.iter().zip(&b.values);
        let values = pairs.map(|(&a, &b)| self.apply(a, b)).collect();
        Ok(Array { shape, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_broadcast_over_rows() {
        let a = Array::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Array::new([2], vec![1.0, 2.0]).unwrap();
        let values = |op: Binary| op.evaluate(&a, &b).unwrap().values;
        assert_eq!(values(Binary::Add), [2.0, 4.0, 4.0, 6.0]);
        assert_eq!(values(Binary::Sub), [0.0, 0.0, 2.0, 2.0]);
        assert_eq!(values(Binary::Mul), [1.0, 4.0, 3.0, 8.0]);
        assert_eq!(values(Binary::Div), [1.0, 1.0, 3.0, 2.0]);
        assert_eq!(values(Binary::Quotient), [1.0, 1.0, 3.0, 2.0]);
        assert_eq!(values(Binary::Less), [0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn quotients_and_rests_have_the_signs_of_the_format() {
        assert_eq!(Binary::Quotient.apply(-7.0, 2.0), -3.0);
        assert_eq!(Binary::Mod { float: false }.apply(-7.0, 3.0), 2.0);
        assert_eq!(Binary::Mod { float: true }.apply(-7.0, 3.0), -1.0);
        assert_eq!(Binary::Pow.apply(2.0, 3.0), 8.0);
        assert_eq!(Binary::Xor.apply(1.0, 5.0), 0.0);
        assert_eq!(Binary::BitwiseAnd.apply(-2.0, 7.0), 6.0);
        assert_eq!(Binary::BitwiseOr.apply(4.0, 1.0), 5.0);
        assert_eq!(Binary::BitwiseXor.apply(5.0, 1.0), 4.0);
        assert!(Binary::Max.apply(f64::NAN, 1.0).is_nan());
    }
}
