//! Strategies of proptest that draw networks mixed of all operators; they shrink to fewer and plainer steps.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use secateur_graph::{
    Binary, DepthWay, Nearest, PadMode, PoolKind, ReduceKind, ResizeForm, ResizeMode, Unary,
    Variadic,
};

use crate::{Branch, Channelwise, Layout, Mixed, Mixing, Normal, Operator, Places, Tokens};

/// Steps after which sums are still exact in double precision, in any order.
fn exact() -> Vec<Operator> {
    let channelwise = [
        Channelwise::Activate(Unary::Relu),
        Channelwise::Activate(Unary::LeakyRelu { alpha: 0.5 }),
        Channelwise::Activate(Unary::Abs),
        Channelwise::Parameter(Binary::Add),
        Channelwise::Parameter(Binary::Mul),
        Channelwise::Parameter(Binary::Max),
        Channelwise::Position,
        Channelwise::Clip,
        Channelwise::PRelu,
        Channelwise::Where,
        Channelwise::Choose,
        Channelwise::Cast,
        Channelwise::Reorder,
        Channelwise::First,
        Channelwise::Twice,
        Channelwise::Filled,
        Channelwise::Unused,
    ];
    let branches = [
        Branch::Residual(Binary::Add),
        Branch::Residual(Binary::Min),
        Branch::Several(Variadic::Sum, 2),
        Branch::Several(Variadic::Min, 1),
        Branch::Several(Variadic::Max, 2),
        Branch::Beside(2),
        Branch::Parts,
        Branch::Earlier(Binary::Add),
        Branch::Shared,
        Branch::SecondInput(2),
    ];
    let places = [
        Places::Depthwise,
        Places::Grouped(2),
        Places::Transposed(3),
        Places::Pool(PoolKind::Max),
        Places::Pad(PadMode::Constant(0.0)),
        Places::Pad(PadMode::Reflect),
        Places::Pad(PadMode::Edge),
        Places::Crop,
        Places::Resize(
            ResizeMode::Nearest(Nearest::RoundPreferFloor),
            ResizeForm::Resize,
        ),
        Places::Resize(
            ResizeMode::Nearest(Nearest::Floor),
            ResizeForm::Scales { upsample: true },
        ),
        Places::Depth(DepthWay::FromSpace),
        Places::Depth(DepthWay::OuterToSpace),
        Places::Depth(DepthWay::InnerToSpace),
        Places::Shuffle,
    ];
    let tokens = [Tokens::ClassToken, Tokens::Position, Tokens::First];
    let layouts = [
        Layout::ToTokens { computed: true },
        Layout::ToTokens { computed: false },
        Layout::ToPlaces,
        Layout::More,
        Layout::Less,
    ];
    let channelwise = channelwise.into_iter().map(Operator::Channelwise);
    channelwise
        .chain(branches.into_iter().map(Operator::Branch))
        .chain(places.into_iter().map(Operator::Places))
        .chain(tokens.into_iter().map(Operator::Tokens))
        .chain(layouts.into_iter().map(Operator::Layout))
        .chain([Operator::Normal(Normal::Batch)])
        .collect()
}

/// Steps that are curved, divide or read channels without weights.
fn smooth() -> Vec<Operator> {
    let activations = [
        Unary::Tanh,
        Unary::Sigmoid,
        Unary::Gelu { tanh: true },
        Unary::HardSwish,
        Unary::Softplus,
        Unary::Swish { alpha: 1.0 },
        Unary::Elu { alpha: 1.0 },
    ];
    let branches = [
        Branch::Residual(Binary::Mul),
        Branch::Several(Variadic::Mean, 2),
        Branch::Halves,
        Branch::Earlier(Binary::Mul),
    ];
    let places = [
        Places::Pool(PoolKind::Average {
            count_padding: true,
        }),
        Places::Resize(ResizeMode::Linear, ResizeForm::Resize),
        Places::SqueezeExcite(2),
        Places::Expand,
    ];
    let normal = [
        Normal::Instance,
        Normal::Group,
        Normal::Layer { rms: false },
        Normal::Layer { rms: true },
        Normal::Apart { rms: false },
        Normal::Apart { rms: true },
        Normal::MeanVariance,
    ];
    let kinds = [
        ReduceKind::Mean,
        ReduceKind::Sum,
        ReduceKind::Max,
        ReduceKind::Min,
        ReduceKind::L1,
        ReduceKind::L2,
        ReduceKind::SumSquare,
        ReduceKind::LogSum,
        ReduceKind::LogSumExp,
    ];
    let mixing = [
        Mixing::Softmax,
        Mixing::LogSoftmax,
        Mixing::Lp,
        Mixing::Lrn,
        Mixing::CumSum,
    ];
    let mixing = mixing.into_iter().chain(kinds.map(Mixing::Reduce));
    let attention = [false, true].into_iter().flat_map(|fused| {
        [false, true].map(|by_letters| Tokens::Attention {
            dimension: 2,
            fused,
            by_letters,
            masked: fused == by_letters,
        })
    });
    let tokens = attention.chain([Tokens::Feedforward(3)]);
    let activations = activations.map(|unary| Operator::Channelwise(Channelwise::Activate(unary)));
    activations
        .into_iter()
        .chain(branches.into_iter().map(Operator::Branch))
        .chain(places.into_iter().map(Operator::Places))
        .chain(normal.into_iter().map(Operator::Normal))
        .chain(mixing.map(Operator::Mixing))
        .chain(tokens.map(Operator::Tokens))
        .collect()
}

/// Every step that is drawn.
pub fn operators() -> Vec<Operator> {
    let head = Operator::Branch(Branch::Head(2));
    [exact(), smooth(), vec![head]].concat()
}

fn networks(steps: impl Strategy<Value = Operator>) -> impl Strategy<Value = Mixed> {
    // Layers of their own widths, so that there is something to remove.
    let layer = (2..6usize).prop_map(|outer| Operator::Branch(Branch::Layer(outer)));
    let conv = (2..6usize).prop_map(|outer| Operator::Places(Places::Conv(outer)));
    let head = Just(Operator::Branch(Branch::Head(2)));
    let step = prop_oneof![4 => layer, 4 => conv, 1 => head, 14 => steps];
    (
        0..4usize,
        1..4usize,
        vec(step, 1..9),
        any::<bool>(),
        1..3usize,
        0..1000u64,
    )
        .prop_map(|(places, inputs, steps, flat, outputs, seed)| Mixed {
            places,
            inputs,
            steps,
            flat,
            outputs,
            seed,
        })
}

/// Networks whose sums are exact in double precision, in any order.
pub fn exact_mixed() -> impl Strategy<Value = Mixed> {
    networks(select(exact())).prop_map(|mixed| Mixed {
        // Means over places need not be exact.
        flat: true,
        ..mixed
    })
}

/// Networks of all operators.
pub fn mixed() -> impl Strategy<Value = Mixed> {
    networks(select([exact(), smooth()].concat()))
}

/// As many networks of all operators, the same ones every time.
pub fn drawn(count: usize) -> Vec<Mixed> {
    let mut runner = TestRunner::deterministic();
    let strategy = mixed();
    let trees = (0..count).filter_map(|_| strategy.new_tree(&mut runner).ok());
    trees.map(|tree| tree.current()).collect()
}
