//! Functions of one number and their derivatives, for those that need the number itself.

use std::f32::consts::FRAC_1_SQRT_2;

use multiversion::multiversion;
use secateur_graph::Unary;

use super::exponential::{erf, exp, exp_m1, sigmoid, tanh};

/// `sqrt(2 / pi)`
const ROOT: f32 = 0.797_884_6;
/// `1 / sqrt(2 pi)`
const NORMAL: f32 = 0.398_942_3;
/// `2 / sqrt(pi)`
const ERF: f32 = std::f32::consts::FRAC_2_SQRT_PI;

/// Whether a function is computed here.
pub(crate) fn is_known(f: Unary) -> bool {
    !matches!(f, Unary::BitwiseNot)
}

/// Whether a function has a derivative that is not 0 almost everywhere.
pub(crate) fn has_slope(f: Unary) -> bool {
    !matches!(
        f,
        Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Sign
            | Unary::Not
            | Unary::IsNan
            | Unary::IsInf { .. }
            | Unary::BitwiseNot
    )
}

/// Calls `$work` for a function; those of common networks are told apart outside of the loop, so that it becomes vector code.
macro_rules! apart {
    ($f:expr, $each:ident => $work:expr) => {
        match $f {
            Unary::HardSwish => {
                let $each = Unary::HardSwish;
                $work
            }
            Unary::Gelu { tanh: false } => {
                let $each = Unary::Gelu { tanh: false };
                $work
            }
            Unary::Gelu { tanh: true } => {
                let $each = Unary::Gelu { tanh: true };
                $work
            }
            Unary::Erf => {
                let $each = Unary::Erf;
                $work
            }
            Unary::Exp => {
                let $each = Unary::Exp;
                $work
            }
            Unary::Sqrt => {
                let $each = Unary::Sqrt;
                $work
            }
            Unary::Swish { alpha } => {
                let $each = Unary::Swish { alpha };
                $work
            }
            $each => $work,
        }
    };
}

/// `y = f(x)`
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn forward(f: Unary, x: &[f32], y: &mut [f32]) {
    apart!(f, f => {
        for (y, x) in y.iter_mut().zip(x) {
            *y = value(f, *x);
        }
    });
}

/// `dx = dy f'(x)`, or added to `dx`.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn backward(f: Unary, x: &[f32], dy: &[f32], dx: &mut [f32], add: bool) {
    let pairs = dx.iter_mut().zip(x.iter().zip(dy));
    if add {
        apart!(f, f => {
            for (dx, (x, dy)) in pairs {
                *dx += dy * slope(f, *x);
            }
        });
    } else {
        apart!(f, f => {
            for (dx, (x, dy)) in pairs {
                *dx = dy * slope(f, *x);
            }
        });
    }
}

/// `x / 6 + 1 / 2` between 0 and 1; NaN stays NaN.
#[inline(always)]
fn share(x: f32) -> f32 {
    let s = x * (1.0 / 6.0) + 0.5;
    let s = if s < 0.0 { 0.0 } else { s };
    if s > 1.0 { 1.0 } else { s }
}

#[inline(always)]
fn softplus(x: f32) -> f32 {
    let above = if x < 0.0 { 0.0 } else { x };
    above + exp(-x.abs()).ln_1p()
}

#[inline(always)]
fn value(f: Unary, x: f32) -> f32 {
    match f {
        Unary::Relu => {
            if x < 0.0 {
                0.0
            } else {
                x
            }
        }
        Unary::LeakyRelu { alpha } => {
            if x < 0.0 {
                alpha * x
            } else {
                x
            }
        }
        Unary::Tanh => tanh(x),
        Unary::Sigmoid => sigmoid(x),
        Unary::Exp => exp(x),
        Unary::Sqrt => x.sqrt(),
        Unary::Abs => x.abs(),
        Unary::Neg => -x,
        Unary::Softplus => softplus(x),
        Unary::Elu { alpha } => {
            if x < 0.0 {
                alpha * exp_m1(x)
            } else {
                x
            }
        }
        Unary::HardSigmoid { alpha, beta } => {
            let y = alpha * x + beta;
            let y = if y < 0.0 { 0.0 } else { y };
            if y > 1.0 { 1.0 } else { y }
        }
        Unary::HardSwish => x * share(x),
        Unary::Erf => erf(x),
        Unary::Gelu { tanh: false } => 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2)),
        Unary::Gelu { tanh: true } => 0.5 * x * (1.0 + tanh(ROOT * (x + 0.044_715 * x * x * x))),
        Unary::Mish => x * tanh(softplus(x)),
        Unary::Reciprocal => 1.0 / x,
        Unary::Log => x.ln(),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Round => x.round_ties_even(),
        Unary::Sign => {
            if x == 0.0 || x.is_nan() {
                x
            } else {
                x.signum()
            }
        }
        Unary::Not => truth(x == 0.0),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tan => x.tan(),
        Unary::Asin => x.asin(),
        Unary::Acos => x.acos(),
        Unary::Atan => x.atan(),
        Unary::Sinh => x.sinh(),
        Unary::Cosh => x.cosh(),
        Unary::Asinh => x.asinh(),
        Unary::Acosh => x.acosh(),
        Unary::Atanh => x.atanh(),
        Unary::Softsign => x / (1.0 + x.abs()),
        Unary::Selu { alpha, gamma } => gamma * if x < 0.0 { alpha * exp_m1(x) } else { x },
        Unary::Celu { alpha } => {
            if x < 0.0 {
                alpha * exp_m1(x / alpha)
            } else {
                x
            }
        }
        Unary::ThresholdedRelu { alpha } => {
            if x <= alpha {
                0.0
            } else {
                x
            }
        }
        Unary::Shrink { bias, lambda } => {
            if x < -lambda {
                x + bias
            } else if x > lambda {
                x - bias
            } else if x.is_nan() {
                x
            } else {
                0.0
            }
        }
        Unary::Swish { alpha } => x * sigmoid(alpha * x),
        Unary::IsNan => truth(x.is_nan()),
        Unary::IsInf { negative, positive } => {
            truth(negative && x == f32::NEG_INFINITY || positive && x == f32::INFINITY)
        }
        Unary::BitwiseNot => -1.0 - x,
    }
}

fn truth(holds: bool) -> f32 {
    f32::from(u8::from(holds))
}

/// The derivative; at a corner that of one side.
#[inline(always)]
fn slope(f: Unary, x: f32) -> f32 {
    match f {
        Unary::Relu => truth(x > 0.0),
        Unary::LeakyRelu { alpha } => {
            if x < 0.0 {
                alpha
            } else {
                1.0
            }
        }
        Unary::Tanh => {
            let y = tanh(x);
            1.0 - y * y
        }
        Unary::Sigmoid => {
            let y = sigmoid(x);
            y * (1.0 - y)
        }
        Unary::Exp => exp(x),
        Unary::Sqrt => 0.5 / x.sqrt(),
        Unary::Abs => {
            if x == 0.0 {
                0.0
            } else {
                x.signum()
            }
        }
        Unary::Neg => -1.0,
        Unary::Softplus => sigmoid(x),
        Unary::Elu { alpha } => {
            if x < 0.0 {
                alpha * exp(x)
            } else {
                1.0
            }
        }
        Unary::HardSigmoid { alpha, beta } => {
            let y = alpha * x + beta;
            if y > 0.0 && y < 1.0 { alpha } else { 0.0 }
        }
        Unary::HardSwish => {
            let inner = x * (1.0 / 3.0) + 0.5;
            let inner = if x < -3.0 { 0.0 } else { inner };
            if x > 3.0 { 1.0 } else { inner }
        }
        Unary::Erf => ERF * exp(-x * x),
        Unary::Gelu { tanh: false } => {
            0.5 * (1.0 + erf(x * FRAC_1_SQRT_2)) + x * NORMAL * exp(-0.5 * x * x)
        }
        Unary::Gelu { tanh: true } => {
            let t = tanh(ROOT * (x + 0.044_715 * x * x * x));
            let inner = ROOT * (1.0 + 3.0 * 0.044_715 * x * x);
            0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner
        }
        Unary::Mish => {
            let t = tanh(softplus(x));
            t + x * (1.0 - t * t) * sigmoid(x)
        }
        Unary::Reciprocal => -1.0 / (x * x),
        Unary::Log => 1.0 / x,
        Unary::Sin => x.cos(),
        Unary::Cos => -x.sin(),
        Unary::Tan => {
            let y = x.tan();
            1.0 + y * y
        }
        Unary::Asin => 1.0 / (1.0 - x * x).sqrt(),
        Unary::Acos => -1.0 / (1.0 - x * x).sqrt(),
        Unary::Atan => 1.0 / (1.0 + x * x),
        Unary::Sinh => x.cosh(),
        Unary::Cosh => x.sinh(),
        Unary::Asinh => 1.0 / (x * x + 1.0).sqrt(),
        Unary::Acosh => 1.0 / (x * x - 1.0).sqrt(),
        Unary::Atanh => 1.0 / (1.0 - x * x),
        Unary::Softsign => {
            let size = 1.0 + x.abs();
            1.0 / (size * size)
        }
        Unary::Selu { alpha, gamma } => gamma * if x < 0.0 { alpha * exp(x) } else { 1.0 },
        Unary::Celu { alpha } => {
            if x < 0.0 {
                exp(x / alpha)
            } else {
                1.0
            }
        }
        Unary::ThresholdedRelu { alpha } => truth(x > alpha),
        Unary::Shrink { lambda, .. } => truth(x < -lambda || x > lambda),
        Unary::Swish { alpha } => {
            let s = sigmoid(alpha * x);
            s + alpha * x * s * (1.0 - s)
        }
        Unary::Floor
        | Unary::Ceil
        | Unary::Round
        | Unary::Sign
        | Unary::Not
        | Unary::IsNan
        | Unary::IsInf { .. }
        | Unary::BitwiseNot => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_stays_one_and_steps_are_flat() {
        for f in [
            Unary::HardSwish,
            Unary::Softplus,
            Unary::Mish,
            Unary::Gelu { tanh: false },
            Unary::Shrink {
                bias: 0.1,
                lambda: 0.5,
            },
        ] {
            let mut y = [0.0];
            forward(f, &[f32::NAN], &mut y);
            assert!(y[0].is_nan(), "{f:?}");
        }
        let mut dx = [1.0, 1.0];
        backward(Unary::Round, &[0.3, 0.7], &[1.0, 1.0], &mut dx, false);
        assert_eq!(dx, [0.0, 0.0]);
    }

    #[test]
    fn gradients_begin_or_add() {
        let mut dx = [5.0];
        backward(Unary::Neg, &[1.0], &[2.0], &mut dx, true);
        assert_eq!(dx, [3.0]);
        backward(Unary::Neg, &[1.0], &[2.0], &mut dx, false);
        assert_eq!(dx, [-2.0]);
    }
}
