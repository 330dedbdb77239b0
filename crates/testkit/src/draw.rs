//! Strategies of proptest that draw plans of networks; they shrink to fewer and plainer steps.

use proptest::collection::vec;
use proptest::prelude::*;
use secateur_graph::{Binary, Unary};

use crate::{Form, Plan, Step};

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Gemm),
        Just(Form::Transposed),
        Just(Form::MatMul),
        Just(Form::Unbiased)
    ]
}

fn binary() -> impl Strategy<Value = Binary> {
    prop_oneof![
        Just(Binary::Add),
        Just(Binary::Sub),
        Just(Binary::Mul),
        Just(Binary::Div)
    ]
}

fn linear_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (form(), 1..6usize).prop_map(|(f, w)| Step::Dense(f, w)),
        2 => Just(Step::Activate(Unary::Relu)),
        1 => Just(Step::Activate(Unary::LeakyRelu { alpha: 0.5 })),
        1 => binary().prop_map(Step::Constant),
        2 => form().prop_map(Step::Residual),
        1 => Just(Step::Reorder),
        1 => Just(Step::Ends),
        1 => Just(Step::Flatten),
        1 => Just(Step::Identity),
        1 => (form(), 1..4usize).prop_map(|(f, w)| Step::Head(f, w)),
    ]
}

fn plan(steps: impl Strategy<Value = Step>) -> impl Strategy<Value = Plan> {
    (1..5usize, vec(steps, 0..8), 1..4usize, 0..1000u64).prop_map(
        |(inputs, steps, outputs, seed)| Plan {
            inputs,
            steps,
            outputs,
            seed,
        },
    )
}

/// Networks whose sums are exact in double precision, in any order.
pub fn piecewise_linear() -> impl Strategy<Value = Plan> {
    plan(linear_step())
}

/// Networks with all operations that can be evaluated.
pub fn smooth() -> impl Strategy<Value = Plan> {
    plan(prop_oneof![
        6 => linear_step(),
        1 => Just(Step::Activate(Unary::Tanh)),
        1 => Just(Step::Activate(Unary::Sigmoid)),
        1 => Just(Step::Gate),
        1 => Just(Step::Softmax),
    ])
}
