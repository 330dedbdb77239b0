//! Element-wise operators without attributes, by their names.

use crate::{Binary, Op, Unary};

/// The operation of that name, if it is one of them.
pub(super) fn of(op_type: &str) -> Option<Op> {
    let unary = match op_type {
        "Relu" => Some(Unary::Relu),
        "Tanh" => Some(Unary::Tanh),
        "Sigmoid" => Some(Unary::Sigmoid),
        "Exp" => Some(Unary::Exp),
        "Sqrt" => Some(Unary::Sqrt),
        "Abs" => Some(Unary::Abs),
        "Neg" => Some(Unary::Neg),
        "Softplus" => Some(Unary::Softplus),
        "HardSwish" => Some(Unary::HardSwish),
        "Erf" => Some(Unary::Erf),
        "Mish" => Some(Unary::Mish),
        "Reciprocal" => Some(Unary::Reciprocal),
        "Log" => Some(Unary::Log),
        "Floor" => Some(Unary::Floor),
        "Ceil" => Some(Unary::Ceil),
        "Round" => Some(Unary::Round),
        "Sign" => Some(Unary::Sign),
        "Not" => Some(Unary::Not),
        "Sin" => Some(Unary::Sin),
        "Cos" => Some(Unary::Cos),
        "Tan" => Some(Unary::Tan),
        "Asin" => Some(Unary::Asin),
        "Acos" => Some(Unary::Acos),
        "Atan" => Some(Unary::Atan),
        "Sinh" => Some(Unary::Sinh),
        "Cosh" => Some(Unary::Cosh),
        "Asinh" => Some(Unary::Asinh),
        "Acosh" => Some(Unary::Acosh),
        "Atanh" => Some(Unary::Atanh),
        "Softsign" => Some(Unary::Softsign),
        "IsNaN" => Some(Unary::IsNan),
        _ => None,
    };
    let binary = match op_type {
        "Add" => Some(Binary::Add),
        "Sub" => Some(Binary::Sub),
        "Mul" => Some(Binary::Mul),
        "Pow" => Some(Binary::Pow),
        "Equal" => Some(Binary::Equal),
        "Less" => Some(Binary::Less),
        "LessOrEqual" => Some(Binary::LessOrEqual),
        "Greater" => Some(Binary::Greater),
        "GreaterOrEqual" => Some(Binary::GreaterOrEqual),
        "And" => Some(Binary::And),
        "Or" => Some(Binary::Or),
        "Xor" => Some(Binary::Xor),
        "BitwiseAnd" => Some(Binary::BitwiseAnd),
        "BitwiseOr" => Some(Binary::BitwiseOr),
        "BitwiseXor" => Some(Binary::BitwiseXor),
        _ => None,
    };
    unary.map(Op::Unary).or(binary.map(Op::Binary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_format() {
        for name in ["Relu", "Erf", "Not", "Add", "Pow", "GreaterOrEqual"] {
            assert_eq!(
                of(name).map(|op| op.onnx_name().to_owned()),
                Some(name.to_owned())
            );
        }
        assert_eq!(of("Gelu"), None);
    }
}
