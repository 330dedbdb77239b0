//! The whole report as text, and what holds of reports on several runs.
//!
//! `fixture/` holds two folders that `compress` wrote (their models left out). When records change their form, run
//! their `config.toml` again; when what is said changes, write the snapshot anew with `INSTA_UPDATE=always`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use secateur::{LayerReport, NormReport, RunRecord};
use secateur_report::{Comparison, Point, Table, TradeOff, Verdict, markdown, page};

fn fixture(name: &str) -> RunRecord {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixture")
        .join(name);
    RunRecord::read(&folder).unwrap()
}

/// The same run with another seed, in a folder of its own.
fn again(run: &RunRecord, seed: u64) -> RunRecord {
    let mut run = run.clone();
    run.folder.set_file_name(format!("seed{seed}"));
    run.config.seed = Some(seed);
    run
}

#[test]
fn the_markdown_says_all_that_the_page_says() {
    let point = |arm: &str, macs: f64, score: f64| Point {
        arm: arm.into(),
        macs,
        macs_sd: macs / 10.0,
        score,
        score_sd: 0.25,
    };
    let comparison = Comparison {
        title: "Two penalties on digits".into(),
        notes: vec!["Five seeds an arm.".into()],
        verdicts: vec![Verdict {
            claim: "The penalty removes units".into(),
            words: "holds".into(),
        }],
        tables: vec![Table {
            title: "Scores".into(),
            note: Some("Mean ± standard deviation.".into()),
            header: vec!["arm".into(), "accuracy (%)".into()],
            rows: vec![vec!["group lasso".into(), "97.1 ± 0.3".into()]],
        }],
        trade_offs: vec![TradeOff {
            title: "digits".into(),
            score_name: "test accuracy (%)".into(),
            higher_is_better: true,
            points: vec![point("group lasso", 500.0, 97.1), point("l1", 900.0, 96.0)],
            dense: Some((98.0, 0.2)),
        }],
        ..Comparison::default()
    };
    let runs = [fixture("digits"), fixture("diabetes")];
    insta::assert_snapshot!(markdown(&runs, Some(&comparison)));
}

#[test]
fn runs_on_different_data_are_never_in_one_table() {
    let (digits, diabetes) = (fixture("digits"), fixture("diabetes"));
    let runs = [
        digits.clone(),
        diabetes.clone(),
        again(&digits, 7),
        again(&diabetes, 8),
    ];
    let text = markdown(&runs, None);
    assert!(text.contains("2 different data sets"), "{text}");
    let tables: Vec<&str> = text
        .split("\n\n")
        .filter(|part| part.starts_with("| "))
        .collect();
    let both = |table: &&str| table.contains("| digits |") && table.contains("| diabetes |");
    assert_eq!(tables.iter().filter(|t| both(t)).count(), 0);
    let of = |names: [&str; 2]| {
        let row = |table: &&str, name| table.contains(&format!("\n| {name} |"));
        tables
            .iter()
            .filter(|t| names.iter().all(|name| row(t, name)))
            .count()
    };
    assert_eq!(
        (of(["digits", "seed7"]), of(["diabetes", "seed8"])),
        (1, 1),
        "{text}"
    );
    assert_eq!(of(["digits", "diabetes"]), 0);

    let same_name = {
        let mut other = again(&digits, 9);
        other.report.data.fingerprint = "another".into();
        markdown(&[digits, other], None)
    };
    assert!(same_name.contains("# digits (8a704a63)\n"), "{same_name}");
    assert!(same_name.contains("# digits (another)\n"), "{same_name}");
}

#[test]
fn seeds_are_one_arm_with_a_spread_and_strengths_are_two() {
    let run = fixture("digits");
    let mut better = again(&run, 7);
    better.report.after.test_score += 0.02;
    let mut weak = again(&run, 8);
    weak.config.strength = Some("0.001".into());
    let text = markdown(&[run.clone(), better.clone()], None);
    assert!(text.contains("these runs 73.70 ± 1.4 at 148"), "{text}");
    let text = markdown(&[run, better, weak], None);
    assert!(
        text.contains("strength 0.01 73.70") && text.contains("strength 0.001 72.70"),
        "{text}"
    );
}

#[test]
fn norms_by_layer_are_a_table_and_layers_that_shrank_as_a_whole_are_told_first() {
    let mut run = fixture("digits");
    assert!(!markdown(std::slice::from_ref(&run), None).contains("Norms of units"));
    let norms = |units, rms| NormReport {
        units,
        weights: 9,
        rms,
        largest: rms,
        smallest: rms,
    };
    let layer = |name: &str, scale_free, end| LayerReport {
        name: name.into(),
        scale_free,
        start: norms(16, 1.0),
        end,
        collapse: None,
    };
    run.report.layers = vec![
        LayerReport {
            collapse: Some("the penalty shrinks all units of conv1 alike".into()),
            ..layer("conv1", true, norms(16, 0.002))
        },
        layer("conv2", false, norms(3, 0.5)),
    ];
    for text in [
        markdown(std::slice::from_ref(&run), None),
        run.report.to_markdown(),
    ] {
        let told = text.find("- The penalty shrinks all units of conv1 alike.\n");
        let table = text.find("| conv1 | yes | 16 ");
        assert!(told.unwrap() < table.unwrap(), "{text}");
        assert!(text.contains("| conv2 | no | 16 "), "{text}");
    }
    let page = page("t", &[run], None);
    assert!(page.contains("Norms of units by layer") && page.contains("conv1 alike."));
}

#[test]
fn details_of_many_runs_are_folded_and_of_few_are_not() {
    let run = fixture("digits");
    let runs: Vec<RunRecord> = (0..5).map(|seed| again(&run, seed)).collect();
    let folded = |runs: &[RunRecord]| {
        page("t", runs, None)
            .matches("<details class=\"run\"")
            .count()
    };
    assert_eq!((folded(&runs[..4]), folded(&runs)), (0, 5));
}

#[test]
fn a_run_that_was_stopped_at_once_still_has_a_page() {
    let mut run = fixture("digits");
    run.epochs.clear();
    run.inputs.read.clear();
    run.inputs.norms.clear();
    run.report.ended = "interrupted".into();
    let page = page("t", &[run], None);
    assert!(page.contains("No epoch was finished.") && page.contains("cut short (interrupted)"));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}
