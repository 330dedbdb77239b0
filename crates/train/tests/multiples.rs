//! Layers that lose units are left with multiples, whatever units go for.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{classes, group_lasso, images, network, settings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::{ChannelGroups, Graph, cost};
use secateur_train::{
    Architecture, Error, ErrorKind, Flow, ImageSize, Init, PenaltySettings, Rows, Trained, fit,
};

fn train(graph: &Graph, rows: &Rows, penalty: PenaltySettings) -> Result<Trained, Error> {
    let mut settings = settings(Some(penalty));
    (settings.epochs, settings.settle, settings.threads) = (6, 2, 1);
    fit(graph.clone(), rows.clone(), rows, &settings, &mut |_| {
        Flow::Continue
    })
}

fn units(graph: &Graph) -> Vec<usize> {
    let groups = ChannelGroups::of(graph).unwrap();
    groups.iter().map(|(_, g)| g.units).collect()
}

/// That of what there was multiples are left, or all; and how many groups lost some.
fn check(before: &[usize], after: &[usize], round: usize) -> usize {
    assert_eq!(before.len(), after.len());
    let pairs = || before.iter().zip(after);
    for (had, left) in pairs() {
        assert!(
            had == left || left.is_multiple_of(round),
            "{before:?} -> {after:?}"
        );
    }
    pairs().filter(|(had, left)| had != left).count()
}

#[test]
fn budgets_leave_multiples_and_hold() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let size = ImageSize::new(1, 16, 16);
    let resnet = Architecture::ResNet20
        .build(size, 4, 0.5, Init::Scaled, &mut rng)
        .unwrap();
    // The most that may be missing to the limit: a multiple of the layer that costs most.
    for (graph, rows, round, near) in [
        (network(&[24, 16], 3), classes(200, 1), 5, 0.6),
        (resnet, images(64, size, 2), 4, 0.85),
    ] {
        for of in ["macs", "params"] {
            let mut penalty = group_lasso(1e-6);
            penalty.part = format!("budget:{of}=50%").parse().unwrap();
            penalty.round = round;
            let trained = train(&graph, &rows, penalty).unwrap();
            let lost = check(&units(&graph), &units(&trained.graph), round);
            let count = |graph: &Graph| match (of, cost(graph).unwrap()) {
                ("macs", cost) => cost.macs,
                (_, cost) => cost.params,
            };
            let share = count(&trained.graph) as f64 / count(&graph) as f64;
            assert!(
                lost > 1 && share <= 0.5 && share > 0.5 * near,
                "{of}: {share}"
            );
        }
    }
}

#[test]
fn dead_units_stay_until_a_multiple_of_them_is_dead() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let of = |round| PenaltySettings {
        round,
        ..group_lasso(0.5)
    };
    let single = train(&graph, &rows, of(1)).unwrap();
    let rounded = train(&graph, &rows, of(4)).unwrap();
    let (single, left) = (units(&single.graph), units(&rounded.graph));
    assert!(single.iter().any(|n| n % 4 != 0), "{single:?}");
    assert!(check(&units(&graph), &left, 4) > 0);
    assert!(rounded.removals.iter().all(|r| r.naive_difference <= 1e-5));
}

#[test]
fn a_limit_that_multiples_cannot_meet_is_told_with_the_nearest() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let of = |most: u64| PenaltySettings {
        part: format!("budget:macs={most}").parse().unwrap(),
        round: 8,
        ..group_lasso(1e-6)
    };
    let error = train(&graph, &rows, of(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    // 8 * 8 + 8 * 8 + 8 * 3
    assert!(error.to_string().contains("152 are left"), "{error}");
    assert!(error.hint_text().unwrap().contains("round"));
    let trained = train(&graph, &rows, of(152)).unwrap();
    assert_eq!(cost(&trained.graph).unwrap().macs, 152);
}
