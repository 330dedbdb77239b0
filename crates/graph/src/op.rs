//! The operations a network is made of: a closed set, so that the compiler leads whoever adds one.

/// An operation with its attributes; names and defaults follow the ONNX operators of the same name.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `y = alpha * op(a) * op(b) + beta * c`, two-dimensional.
    Gemm(Gemm),
    /// Matrix product.
    MatMul,
    /// Element-wise binary arithmetic with broadcasting.
    Binary(Binary),
    /// Element-wise function of one value.
    Unary(Unary),
    /// `exp(x) / sum exp(x)` along an axis (negative counts from the end).
    Softmax {
        /// The axis that sums to one.
        axis: i64,
    },
    /// Folds the axes before and from `axis` into one each.
    Flatten {
        /// First axis of the second fold.
        axis: i64,
    },
    /// Picks constant indices along an axis.
    Gather {
        /// The axis that is indexed.
        axis: i64,
    },
    /// The value itself.
    Identity,
    /// Anything else: carried through unchanged, and freezing the channels that it touches.
    Opaque(Opaque),
}

/// Attributes of [`Op::Gemm`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f32,
    /// Factor of the added constant.
    pub beta: f32,
    /// Whether the first operand is transposed.
    pub trans_a: bool,
    /// Whether the second operand is transposed; `false` means weights are `[in, out]`.
    pub trans_b: bool,
}

impl Default for Gemm {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            beta: 1.0,
            trans_a: false,
            trans_b: false,
        }
    }
}

/// Element-wise binary arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
}

/// Element-wise functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    /// `max(x, 0)`
    Relu,
    /// `x` above zero, `alpha * x` below.
    LeakyRelu {
        /// Slope below zero.
        alpha: f32,
    },
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
}

/// An operator that is not understood, kept so that it can be written back.
#[derive(Debug, Clone, PartialEq)]
pub struct Opaque {
    /// Operator domain; empty for the standard one.
    pub domain: String,
    /// Operator name.
    pub op_type: String,
    /// The node's message in bytes, as it was read.
    pub message: Vec<u8>,
}

impl Op {
    /// The name of the operator in ONNX.
    pub fn onnx_name(&self) -> &str {
        match self {
            Op::Gemm(_) => "Gemm",
            Op::MatMul => "MatMul",
            Op::Binary(Binary::Add) => "Add",
            Op::Binary(Binary::Sub) => "Sub",
            Op::Binary(Binary::Mul) => "Mul",
            Op::Binary(Binary::Div) => "Div",
            Op::Unary(Unary::Relu) => "Relu",
            Op::Unary(Unary::LeakyRelu { .. }) => "LeakyRelu",
            Op::Unary(Unary::Tanh) => "Tanh",
            Op::Unary(Unary::Sigmoid) => "Sigmoid",
            Op::Softmax { .. } => "Softmax",
            Op::Flatten { .. } => "Flatten",
            Op::Gather { .. } => "Gather",
            Op::Identity => "Identity",
            Op::Opaque(opaque) => &opaque.op_type,
        }
    }
}
