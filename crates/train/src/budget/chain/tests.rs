//! The order in which units of a chain go, by scores that are given.

use secateur_graph::Unary;
use secateur_testkit::mlp;

use super::*;

const SINGLE: Widths = Widths { floor: 1, round: 1 };

impl ChainUnits {
    /// The units of a chain with these scores and one output.
    pub(crate) fn of_scores(scores: &[Vec<f64>], of: Quantity, inputs_may_go: bool) -> Self {
        let mut widths: Vec<usize> = scores.iter().map(Vec::len).collect();
        widths.push(1);
        let graph = mlp(&widths, Unary::Relu, 1).unwrap();
        let ids: Vec<GroupId> = ChannelGroups::of(&graph)
            .unwrap()
            .iter()
            .map(|(id, _)| id)
            .collect();
        let layers = scores.iter().zip(ids);
        Self {
            of,
            layers: layers.map(|(s, id)| (Some(id), s.clone())).collect(),
            has_bias: vec![true; scores.len()],
            outputs: 1,
            inputs_may_go,
        }
    }
}

/// The units of each layer that go, and how many are left.
fn gone(units: &ChainUnits, limit: u64) -> (Vec<Vec<usize>>, Vec<usize>) {
    let order = units.order(limit, SINGLE);
    let of_layer = |group: Option<GroupId>| -> Vec<usize> {
        let gone = order.units[..order.guess].iter();
        gone.filter(|(g, _)| Some(*g) == group)
            .map(|(_, unit)| *unit)
            .collect()
    };
    let dropped: Vec<Vec<usize>> = units.layers.iter().map(|(g, _)| of_layer(*g)).collect();
    let layers = units.layers.iter().zip(&dropped);
    let left = layers.map(|((_, s), d)| s.len() - d.len()).collect();
    (dropped, left)
}

#[test]
fn the_worst_units_go_first() {
    let scores = vec![vec![5.0; 3], vec![3.0, 1.0, 4.0, 2.0]];
    // 3 * 4 + 4 = 16 MACs; each hidden unit frees 4.
    let macs = ChainUnits::of_scores(&scores, Quantity::Macs, false);
    assert_eq!(gone(&macs, 8).0, [vec![], vec![1, 3]]);
    // 12 + 4 weights and 4 + 1 biases; each hidden unit frees 5.
    let params = ChainUnits::of_scores(&scores, Quantity::Params, false);
    assert_eq!(gone(&params, 16).0, [vec![], vec![1]]);
    assert_eq!(gone(&params, 15).0, [vec![], vec![1, 3]]);
}

#[test]
fn greed_empties_no_layer() {
    // All but one of the last layer are next to useless.
    let mut last = vec![1e-6; 32];
    last[0] = 1.0;
    let scores = vec![vec![1.0; 8], vec![1.0; 64], last];
    let (_, units) = gone(&ChainUnits::of_scores(&scores, Quantity::Macs, true), 648);
    assert_eq!(units[2], 4, "{units:?}");
    assert!(units[0] * units[1] + units[1] * units[2] + units[2] <= 648);
}

#[test]
fn the_fewer_are_left_of_a_layer_the_more_each_is_worth() {
    // A unit of the last layer frees most, but of the one before it there are twice as many.
    let scores = vec![vec![1.0; 8], vec![1.0; 64], vec![1.0; 32]];
    let (_, units) = gone(&ChainUnits::of_scores(&scores, Quantity::Macs, true), 648);
    assert_eq!(units, [8, 15, 32]);
}

#[test]
fn inputs_stay_where_they_are_spared_and_all_else_may_go_down_to_the_floor() {
    let scores = vec![vec![0.0; 8], vec![1.0; 64], vec![1.0; 32]];
    let units = ChainUnits::of_scores(&scores, Quantity::Macs, false);
    assert_eq!(gone(&units, 648).1[0], 8);
    // Ten are left at the least, which even narrowing to eleven would not come to.
    for limit in [8, 10] {
        assert_eq!(gone(&units, limit).1, [8, 1, 1]);
    }
}

#[test]
fn limits_hold_to_the_last_unit_whatever_the_estimate() {
    let scores = vec![vec![1.0; 6], vec![1.0; 12], vec![1.0; 9]];
    let graph = mlp(&[6, 12, 9, 1], Unary::Relu, 1).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let read = graph.nodes().iter().filter_map(|n| n.input(1).ok());
    let ids: Vec<GroupId> = read.filter_map(|w| reading_group(&groups, w)).collect();
    // Too little, as biases are not counted, and too much, by outputs that are not there.
    for (has_bias, outputs) in [(false, 1), (true, 6)] {
        let mut units = ChainUnits::of_scores(&scores, Quantity::Params, false);
        units.has_bias = vec![has_bias; 3];
        units.outputs = outputs;
        for (layer, id) in units.layers.iter_mut().zip(&ids) {
            layer.0 = Some(*id);
        }
        let ranked = Ranked {
            graph: graph.clone(),
            groups: groups.clone(),
            of: Quantity::Params,
            widths: SINGLE,
            units: Units::Chain(units),
        };
        let whole = ranked.whole().unwrap().count;
        assert_eq!(whole, 6 * 12 + 12 * 9 + 9 + 12 + 9 + 1);
        for limit in 11..=whole {
            let count = ranked.candidate(limit).unwrap().count;
            // A unit of the first layer takes 6 + 9 + 1, one of the second up to 12 + 1 + 1.
            assert!(count <= limit && count + 16 > limit, "{count} of {limit}");
        }
    }
}

#[test]
fn multiples_hold_limits_and_leave_no_room_for_another() {
    let falling = |n: usize| (0..n).map(|i| 1.0 / (1 + i) as f64).collect::<Vec<_>>();
    let scores = [falling(13), falling(24), falling(18)];
    let graph = mlp(&[13, 24, 18, 1], Unary::Relu, 1).unwrap();
    for round in [4, 5, 8] {
        let ranked = Ranked {
            groups: ChannelGroups::of(&graph).unwrap(),
            graph: graph.clone(),
            of: Quantity::Macs,
            widths: Widths { floor: 1, round },
            units: Units::Chain(ChainUnits::of_scores(&scores, Quantity::Macs, true)),
        };
        let least = ranked.candidate(0).unwrap().count;
        for limit in least..=ranked.whole().unwrap().count {
            let found = ranked.candidate(limit).unwrap();
            assert!(found.count <= limit);
            let macs = |w: &[usize]| w.windows(2).map(|w| w[0] * w[1]).sum::<usize>() as u64;
            let mut left: Vec<usize> = ranked
                .groups
                .iter()
                .map(|(id, _)| found.keep.count(id))
                .collect();
            assert_eq!(macs(&left), found.count);
            for (layer, all) in [13, 24, 18].into_iter().enumerate() {
                let had = left[layer];
                assert!(
                    had == all || had.is_multiple_of(round),
                    "{left:?} at {limit}"
                );
                left[layer] = all.min(had + round);
                assert!(
                    had == all || macs(&left) > limit,
                    "{left:?} fits {limit}, too"
                );
                left[layer] = had;
            }
        }
    }
}

#[test]
fn what_is_kept_of_even_narrowing_gives_way_where_the_limit_is_out_of_reach_so() {
    let scores = vec![vec![0.0; 8], vec![1.0; 64], vec![1.0; 32]];
    let mut units = ChainUnits::of_scores(&scores, Quantity::Macs, false);
    units.layers[1].0 = None;
    // 8 * 64 stay; of the last layer, one in 18 would.
    assert_eq!(gone(&units, 512 + 2 * 65).1, [8, 64, 2]);
    assert_eq!(gone(&units, 512 + 65).1, [8, 64, 1]);
}

/// The layers of the units in the order in which they go.
fn layers(units: &ChainUnits, limit: u64, widths: Widths) -> Vec<usize> {
    let order = units.order(limit, widths).units.into_iter();
    let layer = |id: GroupId| units.layers.iter().position(|(g, _)| *g == Some(id));
    order.filter_map(|(id, _)| layer(id)).collect()
}

#[test]
fn layers_of_equal_units_take_turns() {
    // A unit frees one MAC, and one for each unit of the other layer.
    let scores = vec![vec![1.0], vec![1.0; 4], vec![1.0; 4]];
    let units = ChainUnits::of_scores(&scores, Quantity::Macs, false);
    assert_eq!(layers(&units, 0, SINGLE), [1, 2, 1, 2, 1, 2]);
}

#[test]
fn multiples_are_worth_what_all_their_units_free() {
    // The fifth unit of the first layer has a fifth of it and frees 9; four of the second have a half and free 24.
    let scores = vec![vec![1.0], vec![1.0; 5], vec![1.0; 8]];
    let units = ChainUnits::of_scores(&scores, Quantity::Macs, false);
    let fours = Widths { floor: 1, round: 4 };
    assert_eq!(layers(&units, 0, fours), [2, 2, 2, 2, 1]);
}

#[test]
fn inputs_that_are_worth_nothing_all_go_but_one() {
    let mut inputs = vec![1e-9; 32];
    inputs[3] = 1.0;
    let scores = vec![inputs, vec![1.0; 4]];
    let units = ChainUnits::of_scores(&scores, Quantity::Macs, true);
    // 8 of 32 * 4 + 4 MACs, for which hidden layers keep a sixteenth of their units.
    assert_eq!(gone(&units, 8).1, [1, 4]);
}

#[test]
fn a_unit_takes_what_makes_it_and_what_reads_it() {
    let scores = vec![vec![1.0; 3], vec![1.0; 4]];
    let freed = |of, has_bias: [bool; 2]| {
        let mut units = ChainUnits::of_scores(&scores, of, true);
        units.has_bias = has_bias.to_vec();
        [0, 1].map(|layer| units.freed(&[3, 4, 2], layer))
    };
    // An input has four weights; a hidden unit is made by three and read by two.
    assert_eq!(freed(Quantity::Macs, [true, true]), [4.0, 5.0]);
    assert_eq!(freed(Quantity::Params, [true, true]), [4.0, 6.0]);
    assert_eq!(freed(Quantity::Params, [false, true]), [4.0, 5.0]);
    assert_eq!(freed(Quantity::Params, [true, false]), [4.0, 6.0]);
}
