//! What a limit, a ranking and the patterns of a choice come to, unit by unit.

use secateur_graph::{Binary, Data, Dim, Element, GraphBuilder, GroupId, Node, Op, Split, Unary};
use secateur_prox::Share;
use secateur_testkit::mlp;

use super::*;

fn share(share: f64) -> Share {
    Share::new(share).unwrap()
}

/// This share of the units.
fn units(units: f64) -> Limit {
    Limit::Units(share(units))
}

/// This share of the MACs.
fn macs(macs: f64) -> Limit {
    Limit::Counted(secateur_prox::Limit::macs(share(macs)))
}

/// All groups ranked together.
fn global(limit: Limit) -> Choice {
    Choice {
        allocation: Allocation::Global,
        ..Choice::of(limit)
    }
}

#[test]
fn counts_are_rounded_up_and_never_above_what_there_is() {
    let choice = |min, round| Choice {
        min,
        round,
        ..Choice::of(units(1.0))
    };
    assert_eq!(choice(1, 1).count(0.5, 7), 4);
    assert_eq!(choice(1, 8).count(0.5, 20), 16);
    assert_eq!(choice(1, 8).count(0.5, 10), 8);
    assert_eq!(choice(1, 8).count(0.9, 10), 10);
    assert_eq!(choice(3, 1).count(0.01, 2), 2);
    assert_eq!(choice(0, 1).count(0.01, 2), 1);
    assert_eq!(choice(usize::MAX, 7).count(0.5, 20), 20);
    assert_eq!(choice(1, usize::MAX).count(0.5, 20), 20);
}

/// Groups that may lose units, but for the features of inputs.
fn free(groups: &ChannelGroups) -> impl Iterator<Item = (GroupId, &Group)> {
    let hidden = groups.iter();
    hidden.filter(|(_, g)| g.is_free() && g.kind == GroupKind::Hidden)
}

/// How many units of each of them stay.
fn left(choice: &Choice, graph: &Graph) -> Result<Vec<usize>> {
    let groups = ChannelGroups::of(graph)?;
    let keep = choice.decide(graph, &groups)?;
    let hidden = free(&groups);
    Ok(hidden.map(|(id, _)| keep.count(id)).collect())
}

/// Units that stay, by scores of the two hidden groups.
fn by_scores(choice: &Choice, graph: &Graph, scores: [&[f64]; 2]) -> Result<Vec<Vec<usize>>> {
    let groups = ChannelGroups::of(graph)?;
    let mut hidden = scores.iter();
    let all: Vec<Vec<f64>> = groups
        .groups()
        .iter()
        .map(|g| match g.is_free() && g.kind == GroupKind::Hidden {
            true => hidden.next().unwrap().to_vec(),
            false => vec![1.0; g.units],
        })
        .collect();
    let keep = choice.decide_by(&all, graph, &groups, &|g| cost(g))?.keep;
    Ok(free(&groups).map(|(id, _)| keep.kept(id)).collect())
}

fn refused<T: std::fmt::Debug>(found: Result<T>, kind: ErrorKind, words: &str) {
    let error = found.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.hint_text().is_some(), "{error}");
}

/// 10 inputs, 20 and 8 hidden units, 5 outputs: 200 + 160 + 40 MACs.
fn layers() -> Graph {
    mlp(&[10, 20, 8, 5], Unary::Relu, 1).unwrap()
}

#[test]
fn a_share_of_each_group_stays() {
    let of = |limit| left(&Choice::of(limit), &layers());
    assert_eq!(of(units(0.5)).unwrap(), [10, 4]);
    assert_eq!(of(units(0.01)).unwrap(), [1, 1]);
}

#[test]
fn those_of_most_score_stay() {
    let graph = mlp(&[2, 4, 4, 2], Unary::Relu, 1).unwrap();
    let scores: [&[f64]; 2] = [&[3.0, 1.0, 4.0, 2.0], &[0.1, 0.4, 0.2, 0.3]];
    let half = by_scores(&Choice::of(units(0.5)), &graph, scores).unwrap();
    assert_eq!(half, [vec![0, 2], vec![1, 3]]);
}

#[test]
fn all_stays_if_that_was_asked_for_and_is_an_error_if_not() {
    let graph = layers();
    let whole = |choice| assert_eq!(left(&choice, &graph).unwrap(), [20, 8]);
    for limit in [units(1.0), macs(1.0), Limit::AllBut(BTreeMap::new())] {
        whole(Choice::of(limit.clone()));
        whole(global(limit));
    }
    let refuse = |choice: &Choice, words: &str| {
        refused(left(choice, &graph), ErrorKind::OutOfReach, words);
    };
    let most = Choice::of(units(0.97));
    refuse(
        &most,
        "2 groups, as each has so few units that the share, rounded up, is all of them",
    );
    let half = Choice::of(units(0.5));
    for (min, round) in [(20, 1), (1, 32)] {
        let whole = Choice {
            min,
            round,
            ..half.clone()
        };
        refuse(
            &whole,
            "2 groups, as each keeps all its units by --min or --round",
        );
        let within = Choice {
            limit: macs(0.5),
            ..whole
        };
        refuse(
            &within,
            "2 groups, as each keeps all its units by --min or --round",
        );
    }
    let some = Choice {
        min: 8,
        only: Some(Regex::new("dense2").unwrap()),
        ..half
    };
    refuse(&some, "1 group, as it is spared by --only or --except");
    refuse(
        &some,
        "1 group, as it keeps all its units by --min or --round",
    );
}

#[test]
fn a_share_of_the_macs_is_filled_to_the_last_unit() {
    let graph = mlp(&[10, 20, 5], Unary::Relu, 1).unwrap();
    // A unit takes 15 of 300.
    for (share, units) in [(0.5, 10), (0.54, 10), (0.55, 11), (0.05, 1), (0.99, 19)] {
        let choice = Choice::of(macs(share));
        assert_eq!(left(&choice, &graph).unwrap(), [units], "{share}");
    }
    refused(
        left(&Choice::of(macs(0.02)), &graph),
        ErrorKind::OutOfReach,
        "no choice leaves less than 15 MACs (5.0 %), and 6 are asked for",
    );
}

/// Who asks for 70 of them may mean 70 % of them.
#[test]
fn a_count_that_could_be_a_share_is_told() {
    let graph = mlp(&[100, 20, 50], Unary::Relu, 1).unwrap();
    for (count, is_told) in [(1, true), (70, true), (100, true), (101, false)] {
        let limit = secateur_prox::Limit {
            of: Quantity::Macs,
            most: Amount::Count(count),
        };
        let error = left(&Choice::of(Limit::Counted(limit)), &graph).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfReach, "{error}");
        let hint = error.hint_text().unwrap();
        assert_eq!(
            hint == format!("{count} is a count; a share is {count}%"),
            is_told,
            "{hint}"
        );
    }
    let error = left(&Choice::of(macs(0.02)), &graph).unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("frozen groups"),
        "{error}"
    );
}

/// Two layers whose sum is read by a third one, which the output reads.
fn sum_of_two() -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(4)]);
    let layer = |b: &mut GraphBuilder, name: &str, x| {
        let w = Tensor::f32([4, 4], vec![0.5; 16]).unwrap();
        let w = b.constant(format!("{name}.w"), w);
        b.node(name, Op::MatMul, &[x, w])
    };
    let [one, two] = ["one", "two"].map(|name| layer(&mut b, name, x));
    let sum = b.node("sum", Op::Binary(Binary::Add), &[one, two]);
    let three = layer(&mut b, "three", sum);
    let relu = b.node("relu", Op::Unary(Unary::Relu), &[three]);
    let y = layer(&mut b, "four", relu);
    b.output(y);
    b.build().unwrap()
}

#[test]
fn patterns_are_held_to_groups_and_to_the_nodes_that_make_them() {
    let graph = sum_of_two();
    let only = |pattern: &str| Choice {
        only: Some(Regex::new(pattern).unwrap()),
        ..Choice::of(units(0.5))
    };
    let except = |pattern: &str| Choice {
        except: Some(Regex::new(pattern).unwrap()),
        ..Choice::of(units(0.5))
    };
    let groups = ChannelGroups::of(&graph).unwrap();
    let names: Vec<&str> = free(&groups).map(|(_, g)| g.name.as_str()).collect();
    assert_eq!(names, ["one", "three"]);
    // The first group is made by two nodes and called as the first; `three` and `four` read.
    for (pattern, left_of_only, left_of_except) in [
        ("^one$", [2, 4], [4, 2]),
        ("^two$", [2, 4], [4, 2]),
        ("^three$", [4, 2], [2, 4]),
        ("^t", [2, 2], [4, 4]),
    ] {
        assert_eq!(
            left(&only(pattern), &graph).unwrap(),
            left_of_only,
            "{pattern}"
        );
        match left_of_except {
            [4, 4] => refused(
                left(&except(pattern), &graph),
                ErrorKind::OutOfReach,
                "2 groups, as each is spared by --only or --except",
            ),
            some => assert_eq!(left(&except(pattern), &graph).unwrap(), some, "{pattern}"),
        }
    }
    let both = Choice {
        only: Some(Regex::new("t|one").unwrap()),
        ..except("^three$")
    };
    assert_eq!(left(&both, &graph).unwrap(), [2, 4]);
    // The output's units cannot go, so that it is spared already; nodes that make none are nobody's, and nothing else is called so.
    assert_eq!(left(&except("^four$"), &graph).unwrap(), [2, 2]);
    for (choice, words) in [
        (
            only("^four$"),
            "--only: '^four$' matches no group that can lose units",
        ),
        (
            only("nowhere"),
            "--only: 'nowhere' matches no group that can lose units",
        ),
        (except("^relu$"), "--except: '^relu$' matches no group"),
        (except("nowhere"), "--except: 'nowhere' matches no group"),
    ] {
        refused(left(&choice, &graph), ErrorKind::Choice, words);
    }
}

#[test]
fn scores_are_norms_of_what_reads_a_unit() {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
    let constant = |b: &mut GraphBuilder, name: &str, shape: [usize; 2], v: &[f32]| {
        b.constant(name, Tensor::f32(shape, v.to_vec()).unwrap())
    };
    let first = constant(&mut b, "first", [1, 3], &[1.0, 1.0, 1.0]);
    let second = constant(&mut b, "second", [3, 2], &[3.0, -4.0, 0.5, 0.0, -6.0, 8.0]);
    let h = b.node("h", Op::MatMul, &[x, first]);
    let h = b.node("relu", Op::Unary(Unary::Relu), &[h]);
    let y = b.node("y", Op::MatMul, &[h, second]);
    b.output(y);
    let graph = b.build().unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let at = groups.groups().iter().position(|g| g.units == 3).unwrap();
    let scores = |by: Criterion, seed| {
        let all = by.scores(&graph, &groups, &Measured::default(), seed);
        all.map(|all| all[at].clone())
    };
    assert_eq!(scores(Criterion::L1, 0).unwrap(), [7.0, 0.5, 14.0]);
    assert_eq!(scores(Criterion::L2, 0).unwrap(), [5.0, 0.5, 10.0]);
    refused(
        scores(Criterion::Taylor, 0),
        ErrorKind::Choice,
        "taylor scores are measured on data",
    );
    let drawn = |seed| scores(Criterion::Random, seed).unwrap();
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
}

#[test]
fn units_without_a_score_are_told() {
    let graph = mlp(&[2, 4, 4, 2], Unary::Relu, 1).unwrap();
    let none: [&[f64]; 2] = [&[1.0; 4], &[1.0, f64::NAN, 1.0, 1.0]];
    let half = Choice::of(units(0.5));
    refused(
        by_scores(&half, &graph, none),
        ErrorKind::Choice,
        "have no score",
    );
    // Not those of a group that stays whole.
    let first = Choice {
        only: Some(Regex::new("^dense1$").unwrap()),
        ..half
    };
    let kept = by_scores(&first, &graph, none).unwrap();
    assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), [2, 4]);
}

/// Two layers of four units that are read side by side, if they are.
fn two_branches(are_beside: bool) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(4)]);
    let weights = |b: &mut GraphBuilder, name: &str| {
        b.constant(name, Tensor::f32([4, 4], vec![0.5; 16]).unwrap())
    };
    let layer = |b: &mut GraphBuilder, name: &str, x| {
        let w = weights(b, &format!("{name}.w"));
        let h = b.node(name, Op::MatMul, &[x, w]);
        b.node(format!("{name}.relu"), Op::Unary(Unary::Relu), &[h])
    };
    let first = layer(&mut b, "first", x);
    let second = layer(&mut b, "second", if are_beside { x } else { first });
    let read = b.constant("read.w", Tensor::f32([4, 4], vec![0.5; 16]).unwrap());
    let also = b.constant("also.w", Tensor::f32([4, 4], vec![0.5; 16]).unwrap());
    let y = b.node("read", Op::MatMul, &[second, read]);
    let y = match are_beside {
        true => {
            let z = b.node("also", Op::MatMul, &[first, also]);
            b.node("sum", Op::Binary(Binary::Add), &[y, z])
        }
        false => y,
    };
    b.output(y);
    b.build().unwrap()
}

#[test]
fn only_a_branch_that_others_stand_beside_may_go_as_a_whole() {
    // One unit of eight, which is worth most of its group.
    let scores: [&[f64]; 2] = [&[9.0, 1.0, 1.0, 1.0], &[1.0, 1.0, 1.0, 1.0]];
    let of = |min, are_beside| {
        let choice = Choice {
            min,
            ..global(units(0.125))
        };
        by_scores(&choice, &two_branches(are_beside), scores).unwrap()
    };
    assert_eq!(of(0, true), [vec![0], vec![]]);
    // The best of what the network cannot do without stays: of equal ones, the last.
    assert_eq!(of(0, false), [vec![0], vec![3]]);
    assert_eq!(of(1, true), [vec![0], vec![3]]);
}

#[test]
fn dropped_units_are_those_that_are_named() {
    let graph = layers();
    let groups = ChannelGroups::of(&graph).unwrap();
    let kept = |of: &str, units: &[usize]| {
        let dropped = BTreeMap::from([(of.to_owned(), units.to_vec())]);
        let keep = Choice::of(Limit::AllBut(dropped)).decide(&graph, &groups)?;
        Ok(free(&groups)
            .map(|(id, _)| keep.kept(id))
            .collect::<Vec<_>>())
    };
    let all = |n: usize| (0..n).collect::<Vec<_>>();
    assert_eq!(
        kept("dense2", &[0, 3, 7]).unwrap(),
        [all(20), vec![1, 2, 4, 5, 6]]
    );
    assert_eq!(
        kept("dense2", &[1, 2, 3, 4, 5, 6, 7]).unwrap(),
        [all(20), vec![0]]
    );
    for (of, units, words) in [
        ("nowhere", &[0][..], "there is no group 'nowhere'"),
        ("x", &[0][..], "'x' is an input, and its features stay"),
        ("dense2", &[8][..], "8"),
    ] {
        refused(kept(of, units), ErrorKind::Choice, words);
    }
}

#[test]
fn weights_that_are_no_numbers_are_found() {
    let mut graph = layers();
    assert_eq!(first_not_a_number(&graph), None);
    let id = graph.value_named("w2").unwrap();
    let mut numbers = vec![1.0; 160];
    for odd in [f32::INFINITY, f32::NAN] {
        numbers[159] = odd;
        let tensor = Tensor::f32([20, 8], numbers.clone()).unwrap();
        graph.set_constant(id, tensor).unwrap();
        assert_eq!(first_not_a_number(&graph), odd.is_nan().then_some("w2"));
    }
    let mut halves = graph.clone();
    for (bits, is_number) in [(0x3c00_u16, true), (0x7c00, true), (0x7e00, false)] {
        let bytes = bits.to_le_bytes().repeat(160);
        let tensor = Tensor::new([20, 8], Data::Raw(Element::F16, bytes)).unwrap();
        halves.set_constant(id, tensor).unwrap();
        assert_eq!(first_not_a_number(&halves).is_none(), is_number, "{bits:x}");
    }
}

/// Two units, each of which is read by itself.
fn single_file() -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    let weights = |b: &mut GraphBuilder, name: &str, shape: [usize; 2]| {
        let numbers = vec![0.5; shape.iter().product()];
        b.constant(name, Tensor::f32(shape, numbers).unwrap())
    };
    let w = weights(&mut b, "w", [3, 2]);
    let h = b.node("h", Op::MatMul, &[x, w]);
    let halves = ["left", "right"].map(|name| b.declare(name, None));
    b.add_node(Node {
        name: "split".to_owned(),
        op: Op::Split(Split {
            axis: 1,
            parts: vec![1, 1],
            attribute: true,
        }),
        inputs: vec![Some(h)],
        outputs: halves.to_vec(),
    });
    let parts = halves.map(|half| {
        let name = format!("w{}", half.index());
        let w = weights(&mut b, &name, [1, 2]);
        b.node(format!("read {name}"), Op::MatMul, &[half, w])
    });
    let y = b.node("sum", Op::Binary(Binary::Add), &parts);
    b.output(y);
    b.build().unwrap()
}

#[test]
fn a_unit_without_which_a_tensor_had_no_channel_stays() {
    let graph = single_file();
    let words = "1 group, as it would leave a tensor without channels if it lost any unit";
    let half = [units(0.5), macs(0.5)];
    for choice in half
        .into_iter()
        .flat_map(|l| [Choice::of(l.clone()), global(l)])
    {
        refused(left(&choice, &graph), ErrorKind::OutOfReach, words);
    }
    let dropped = BTreeMap::from([("h".to_owned(), vec![1])]);
    refused(
        left(&Choice::of(Limit::AllBut(dropped)), &graph),
        ErrorKind::Choice,
        "without unit 1, a tensor of 'h' would have no channel left",
    );
}

#[test]
fn parameters_are_limited_as_macs_are_and_counts_as_shares() {
    // A unit takes 10 weights, a bias and 5 weights of 325 parameters; 5 biases stay.
    let graph = mlp(&[10, 20, 5], Unary::Relu, 1).unwrap();
    let of = |text: &str| left(&Choice::of(Limit::Counted(text.parse().unwrap())), &graph);
    for (limit, units) in [
        ("params=100%", 20),
        ("params=325", 20),
        ("params=324", 19),
        ("params=165", 10),
        ("params=164", 9),
        ("params=50%", 9),
        ("macs=150", 10),
        ("macs=149", 9),
        ("macs=1000", 20),
    ] {
        assert_eq!(of(limit).unwrap(), [units], "{limit}");
    }
    refused(
        of("params=20"),
        ErrorKind::OutOfReach,
        "--params: no choice leaves less than 21 parameters (6.5 %), and 20 are asked for",
    );
}

#[test]
fn units_ranked_together_fill_a_limit_as_well() {
    let graph = mlp(&[10, 8, 8, 5], Unary::Relu, 1).unwrap();
    let scores: [&[f64]; 2] = [&[9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0], &[1.0; 8]];
    let choice = |allocation| Choice {
        allocation,
        ..Choice::of(macs(0.5))
    };
    let of = |allocation| {
        let kept = by_scores(&choice(allocation), &graph, scores).unwrap();
        [kept[0].len(), kept[1].len()]
    };
    let [even, global] = [Allocation::Even, Allocation::Global].map(of);
    assert_ne!(even, global);
    // The group of equal units goes before units that are above the mean of theirs.
    assert!(global[0] > global[1], "{global:?}");
}
