//! Shares of the MACs: whatever the units are like, what stays comes near them, or it is told what can be had.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use secateur::{Choice, ErrorKind, Limit, ModelFile, Start, new_model, shrink_model};
use secateur_prox::Share;

fn within(share: f64, round: usize) -> Choice {
    Choice {
        round,
        ..Choice::of(Limit::Counted(secateur_prox::Limit::macs(
            Share::new(share).unwrap(),
        )))
    }
}

fn fixture(name: &str) -> ModelFile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    ModelFile::read(&folder.join(format!("{name}.onnx"))).unwrap()
}

/// The share of the MACs that stays, or the share that cannot be had less of; and the nearest that is told.
fn left(file: &ModelFile, choice: &Choice) -> (f64, Option<secateur::Nearest>) {
    let small = shrink_model(file, choice).unwrap();
    let left = small.cost().macs as f64 / file.cost().macs as f64;
    (left, small.nearest().copied())
}

#[test]
fn half_of_the_macs_is_half_of_them_or_the_nearest_is_told() {
    let mut coarse = vec![];
    for name in [
        "dense.ts",
        "depthwise.ts",
        "detector.ts",
        "grouped.ts",
        "plain.ts",
        "residual.ts",
        "shuffle.ts",
        "squeeze_excite.ts",
        "transformer_qkv.ts",
        "transformer_scale.ts",
        "two_inputs.ts",
        "unet.ts",
        "windowed.ts",
    ] {
        let (left, nearest) = left(&fixture(name), &within(0.5, 1));
        assert!(
            left <= 0.5 && (left < 0.48) == nearest.is_some(),
            "{name}: {left}"
        );
        if let Some(nearest) = nearest {
            assert_eq!(nearest.below, left, "{name}");
            coarse.push(format!("{name}: {nearest}"));
        }
    }
    insta::assert_snapshot!(coarse.join("\n"), @r"
    grouped.ts: 46.7 % of the MACs stay where 50.0 % may: whole units go, and the nearest shares found are 46.7 % and 51.4 %
    squeeze_excite.ts: 47.6 % of the MACs stay where 50.0 % may: whole units go, and the nearest shares found are 47.6 % and 50.8 %
    ");
}

/// Layers of one size lose half of their units together, which leaves a quarter of most MACs.
#[test]
fn multiples_of_eight_come_near_or_the_nearest_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (name, width) in [
        ("resnet20", 1.0),
        ("mobilenet-small", 0.5),
        ("vgg-small", 0.25),
    ] {
        let start = Start {
            width,
            ..Start::named(name).unwrap()
        };
        let path = folder.path().join(name);
        std::fs::write(&path, new_model(&start).unwrap().bytes()).unwrap();
        let file = ModelFile::read(&path).unwrap();
        let (left, nearest) = left(&file, &within(0.5, 8));
        assert!(left <= 0.5, "{name}: {left}");
        match nearest {
            None => assert!(left >= 0.48, "{name}: {left}"),
            Some(nearest) => {
                assert!(left < 0.48 && nearest.below == left, "{name}: {nearest:?}");
                assert!(nearest.above.unwrap() > 0.5, "{name}: {nearest:?}");
                assert!(
                    nearest.to_string().contains("the nearest shares found"),
                    "{nearest}"
                );
            }
        }
    }
}

#[test]
fn what_no_choice_leaves_is_told_with_the_least() {
    let error = shrink_model(&fixture("unet.ts"), &within(0.5, 8)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    assert_eq!(error.kind().exit_code(), 5);
    let told = error.to_string();
    assert!(
        told.contains("no choice leaves less than 418304 MACs (87.1 %)"),
        "{told}"
    );
}
