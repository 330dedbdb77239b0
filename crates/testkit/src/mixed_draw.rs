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

use crate::{
    Alias, Branch, Channelwise, Choice, Constants, Layout, Mixed, Mixing, Normal, Operator, Places,
    Single, Tokens,
};

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
        Places::Multiplied(2),
        Places::Multiplied(3),
        Places::MultipliedBack(2),
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
    let sides = [false, true];
    let constants = sides
        .into_iter()
        .flat_map(|channels| sides.map(|before| Constants::Beside { channels, before }));
    let constants = constants.chain([
        Constants::Shortcut(1, 1),
        Constants::Shortcut(0, 2),
        Constants::Heads(3),
        Constants::Heads(4),
        Constants::Left,
        Constants::Packed,
    ]);
    let singles = sides.map(|left| {
        let binary = Binary::Add;
        Single::Gate { binary, left }
    });
    let several = [Variadic::Sum, Variadic::Max, Variadic::Min];
    let several = several
        .into_iter()
        .zip(0..)
        .map(|(v, at)| Single::Several(v, at));
    let singles = singles
        .into_iter()
        .chain(several)
        .chain([0, 1, 2].map(Single::Where));
    let choices = [
        Choice::Guard,
        Choice::First,
        Choice::Second,
        Choice::Neither,
        Choice::Both,
        Choice::Layers,
    ];
    let aliases = [
        Alias::Identity,
        Alias::Transpose,
        Alias::Turned,
        Alias::Reshape,
        Alias::Cast,
    ];
    let channelwise = channelwise.into_iter().map(Operator::Channelwise);
    channelwise
        .chain(branches.into_iter().map(Operator::Branch))
        .chain(places.into_iter().map(Operator::Places))
        .chain(tokens.into_iter().map(Operator::Tokens))
        .chain(layouts.into_iter().map(Operator::Layout))
        .chain(constants.map(Operator::Constants))
        .chain(singles.map(Operator::Single))
        .chain(choices.map(Operator::Choice))
        .chain(aliases.map(Operator::Alias))
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
        Normal::Runs { computed: false },
        Normal::Runs { computed: true },
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
    let packed = [2, 3].into_iter().flat_map(|parts| {
        [false, true].map(|sliced| Tokens::Packed {
            parts,
            sliced,
            masked: sliced == (parts == 2),
        })
    });
    let tokens = attention
        .chain(packed)
        .chain([Tokens::Letters { dimension: 3 }, Tokens::Feedforward(3)]);
    let gates = [false, true].map(|left| {
        let binary = Binary::Mul;
        Single::Gate { binary, left }
    });
    let singles = gates.into_iter().chain([Single::Input]);
    let activations = activations.map(|unary| Operator::Channelwise(Channelwise::Activate(unary)));
    activations
        .into_iter()
        .chain(branches.into_iter().map(Operator::Branch))
        .chain(places.into_iter().map(Operator::Places))
        .chain(normal.into_iter().map(Operator::Normal))
        .chain(mixing.map(Operator::Mixing))
        .chain(singles.map(Operator::Single))
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
        // Blocks of places need two axes.
        select(vec![0, 1, 2, 2, 3]),
        1..4usize,
        prop_oneof![3 => Just(None), 1 => Just(Some(1)), 1 => Just(Some(2))],
        vec(step, 1..9),
        any::<bool>(),
        1..3usize,
        0..1000u64,
    )
        .prop_map(|(places, inputs, rows, steps, flat, outputs, seed)| Mixed {
            places,
            inputs,
            rows,
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
