//! Units that nothing stands in the way of may go: a step that freezes without need would let every other law hold.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Binary, ChannelGroups, DepthWay, ErrorKind, Graph, Group, ReduceKind, Unary, evaluate,
    infer_shapes, mask, settle, shrink,
};
use secateur_testkit::{
    Alias, Branch, Channelwise, Choice, Constants, Layout, Mixed, Mixing, Normal, Operator, Places,
    Single, Tokens, bits, change, operators, rows, some_keep,
};

/// Channels of the layer before the step, and of the one behind it.
const WIDTH: usize = 6;
const BEHIND: usize = 5;

/// A layer, the steps and another layer.
fn network(places: usize, steps: &[Operator], seed: u64) -> Graph {
    let layer = |width| vec![Operator::Branch(Branch::Layer(width))];
    let plan = Mixed {
        places,
        inputs: 2,
        // As many as there are, or always two.
        rows: (seed > 1).then_some(2),
        steps: [layer(WIDTH), steps.to_vec(), layer(BEHIND)].concat(),
        flat: false,
        outputs: 1,
        seed,
    };
    settle(&plan.build().unwrap()).unwrap()
}

/// What a step must leave free, by the number of units of each group of several, beside the layer behind it. More may be free.
fn least(step: &Operator) -> Vec<usize> {
    match step {
        Operator::Channelwise(step) => match step {
            Channelwise::Activate(_)
            | Channelwise::Parameter(_)
            | Channelwise::Position
            | Channelwise::Clip
            | Channelwise::PRelu
            | Channelwise::Where
            | Channelwise::Choose
            | Channelwise::Cast
            | Channelwise::Reorder
            | Channelwise::First
            | Channelwise::Twice
            | Channelwise::Filled
            | Channelwise::Unused => vec![WIDTH],
        },
        Operator::Branch(step) => match *step {
            Branch::Layer(outer) => vec![WIDTH, outer],
            Branch::Beside(outer) => vec![WIDTH, outer],
            // Both halves of a unit go together.
            Branch::Halves => vec![WIDTH, WIDTH],
            // Those that are added, and one beside them.
            Branch::Parts => vec![WIDTH, WIDTH + 1],
            Branch::Residual(_)
            | Branch::Several(..)
            | Branch::Earlier(_)
            | Branch::Shared
            | Branch::SecondInput(_)
            | Branch::Head(_) => vec![WIDTH],
        },
        Operator::Places(step) => match *step {
            Places::Conv(outer) | Places::Transposed(outer) => vec![WIDTH, outer],
            // Channels of each of two groups; the groups stay.
            Places::Grouped(outer) => vec![WIDTH / 2, outer],
            // Halves, and channels of a half.
            Places::Shuffle => vec![2, WIDTH / 2],
            Places::SqueezeExcite(inner) => vec![WIDTH, inner],
            Places::Depth(DepthWay::FromSpace) => vec![WIDTH],
            Places::Depth(DepthWay::OuterToSpace | DepthWay::InnerToSpace) => vec![WIDTH, WIDTH],
            Places::Depthwise
            | Places::Multiplied(_)
            | Places::MultipliedBack(_)
            | Places::Pool(_)
            | Places::Pad(_)
            | Places::Crop
            | Places::Resize(..)
            | Places::Expand => vec![WIDTH],
        },
        Operator::Tokens(step) => match *step {
            // Heads, what queries and keys have in common, and values.
            Tokens::Attention {
                dimension,
                fused: false,
                ..
            }
            | Tokens::Letters { dimension } => vec![WIDTH, 2, dimension, dimension],
            // Made by one layer, values may have the dimensions of queries.
            Tokens::Attention { dimension, .. } => vec![WIDTH, 2, dimension],
            Tokens::Packed { .. } => vec![WIDTH, 2, 2],
            Tokens::Feedforward(inner) => vec![WIDTH, inner],
            Tokens::ClassToken | Tokens::Position | Tokens::First => vec![WIDTH],
        },
        Operator::Normal(step) => match *step {
            Normal::Batch | Normal::Instance | Normal::MeanVariance => vec![WIDTH],
            // Whole runs of channels.
            Normal::Group | Normal::Runs { .. } => vec![2],
            Normal::Layer { .. } | Normal::Apart { .. } => vec![],
        },
        Operator::Mixing(step) => match step {
            Mixing::Softmax
            | Mixing::LogSoftmax
            | Mixing::Lp
            | Mixing::Lrn
            | Mixing::Reduce(_)
            | Mixing::CumSum => vec![],
        },
        Operator::Layout(step) => match step {
            Layout::ToTokens { .. } | Layout::ToPlaces | Layout::More | Layout::Less => {
                vec![WIDTH]
            }
        },
        Operator::Constants(step) => match *step {
            Constants::Beside { .. } | Constants::Packed => vec![WIDTH],
            // Under the zeros lie channels of the layer alone.
            Constants::Shortcut(before, behind) => vec![WIDTH, before + behind],
            // Heads, and what each reads and makes.
            Constants::Heads(_) => vec![2, WIDTH / 2, 3],
            Constants::Left => vec![WIDTH, 3],
        },
        Operator::Single(step) => match step {
            Single::Gate { .. } | Single::Several(..) | Single::Where(_) | Single::Input => {
                vec![WIDTH]
            }
        },
        Operator::Choice(step) => match step {
            Choice::Guard
            | Choice::First
            | Choice::Second
            | Choice::Neither
            | Choice::Both
            | Choice::Layers => vec![WIDTH],
        },
        Operator::Alias(step) => match step {
            Alias::Identity | Alias::Transpose | Alias::Cast => vec![WIDTH, WIDTH],
            // Weights that are read in another shape may stay.
            Alias::Reshape => vec![WIDTH],
            // So may those of which an element is read for two units.
            Alias::Turned => vec![],
        },
    }
}

/// Units of groups of several that may go.
fn free(groups: &ChannelGroups) -> Vec<usize> {
    let free = groups
        .groups()
        .iter()
        .filter(|g| g.is_free() && g.units > 1);
    free.map(|g| g.units).collect()
}

/// Those of `wanted` that are not among `found`.
fn missing(mut found: Vec<usize>, wanted: Vec<usize>) -> Vec<usize> {
    let mut missing = wanted;
    missing.retain(|units| match found.iter().position(|f| f == units) {
        Some(at) => {
            found.swap_remove(at);
            false
        }
        None => true,
    });
    missing
}

fn frozen(group: &Group) -> Option<String> {
    let freeze = group.frozen.as_ref()?;
    Some(format!(
        "{} ({}): {} at {}",
        group.name, group.units, freeze.reason, freeze.node
    ))
}

/// What was added by a step, alone.
fn steps(step: &Operator) -> Vec<Operator> {
    match step {
        // There must be something of the same shape.
        Operator::Branch(Branch::Earlier(_)) => {
            vec![
                Operator::Branch(Branch::Residual(Binary::Add)),
                step.clone(),
            ]
        }
        _ => vec![step.clone()],
    }
}

#[test]
fn every_step_leaves_free_what_nothing_stands_in_the_way_of() {
    let mut wrong = vec![];
    for step in operators() {
        let mut applies = false;
        let mut fails = vec![];
        for (places, seed) in (0..4).flat_map(|places| [1, 2, 3].map(|seed| (places, seed))) {
            let graph = network(places, &steps(&step), seed);
            if graph.nodes().len() == network(places, &[], seed).nodes().len() {
                continue;
            }
            applies = true;
            let groups = ChannelGroups::of(&graph).unwrap();
            let wanted = [least(&step), vec![BEHIND]].concat();
            let missing = missing(free(&groups), wanted);
            if !missing.is_empty() {
                let groups = groups.groups().iter();
                let frozen: Vec<String> = groups.filter_map(frozen).collect();
                fails.push(format!(
                    "{places} axes, seed {seed}: {missing:?} of {frozen:?}"
                ));
            }
        }
        assert!(applies, "{step:?} never applies");
        if let Some(first) = fails.first() {
            wrong.push(format!("{step:?} ({} networks), {first}", fails.len()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is free may go: the laws hold around each step by itself, in all of its forms.
#[test]
fn laws_hold_around_every_step() {
    for step in operators() {
        let mut compared = 0;
        for (places, seed) in (0..4).flat_map(|places| [1, 2, 3].map(|seed| (places, seed))) {
            let graph = network(places, &steps(&step), seed);
            let groups = ChannelGroups::of(&graph).unwrap();
            let change = change(&graph, &groups, seed).unwrap();
            assert!(
                change < 1e-9,
                "{step:?}, {places} axes, seed {seed}: {change}"
            );
            let inputs = rows(&graph, 2, seed);
            for other in 0..3 {
                let keep = some_keep(&groups, seed + 10 * other);
                let masked = mask(&graph, &groups, &keep).unwrap();
                let small = match shrink(&graph, &groups, &keep) {
                    Ok(small) => small.graph,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Keep, "{step:?}: {error}");
                        continue;
                    }
                };
                let (want, have) = (evaluate(&masked, &inputs), evaluate(&small, &inputs));
                let same = bits(&want.unwrap()) == bits(&have.unwrap());
                assert!(same, "{step:?}, {places} axes, seed {seed}");
                compared += usize::from(!keep.is_all());
            }
        }
        assert!(compared >= 6, "{step:?}: {compared}");
    }
}

/// What is read without weights stays: the table above holds no number because of that, and not for want of one.
#[test]
fn what_is_mixed_is_not_free() {
    let mixing = [
        Operator::Mixing(Mixing::Softmax),
        Operator::Mixing(Mixing::Reduce(ReduceKind::Max)),
        Operator::Normal(Normal::Apart { rms: false }),
    ];
    for step in mixing {
        let groups = ChannelGroups::of(&network(2, &[step], 1)).unwrap();
        assert_eq!(free(&groups), [BEHIND]);
    }
    let relu = Operator::Channelwise(Channelwise::Activate(Unary::Relu));
    let graph = network(2, &[relu], 1);
    let shaped = infer_shapes(&graph).unwrap();
    assert_eq!(free(&ChannelGroups::of(&shaped).unwrap()), [WIDTH, BEHIND]);
}
