//! Whole runs on the embedded data: what comes out, and that it comes out the same again.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use secateur::{Config, Ended, Event, Flow, Outcome, Progress, Runtime, compress};

fn short(data: &str) -> Config {
    Config {
        data: Some(data.into()),
        net: Some("48-32".into()),
        strength: Some("0.002".into()),
        epochs: Some(12),
        threads: Some(1),
        ..Config::default()
    }
}

fn run(config: &Config) -> Outcome {
    compress(config, None, &mut |_| Flow::Continue).unwrap()
}

#[test]
fn digits_come_out_smaller_and_verified() {
    let config = Config {
        baseline: Some(true),
        control: Some("narrow".into()),
        softmax: Some(true),
        ..short("digits")
    };
    let outcome = run(&config);
    let report = &outcome.report;
    assert!(
        report.after.test_score > 0.85,
        "{}",
        report.after.test_score
    );
    assert!(report.after.macs * 4 <= report.before.macs);
    assert!(report.after.bytes < report.before.bytes);
    // Single precision is never to the last bit what double precision is: no difference would be none that was measured.
    let verify = &report.verify;
    for difference in [verify.runtime_difference, verify.engine_difference] {
        assert!(difference > 1e-9 && difference < 1e-5, "{verify:?}");
    }
    assert_eq!(verify.tolerance, 1e-4);
    assert!(!report.removals.is_empty());
    let dense = report.dense.as_ref().unwrap();
    assert_eq!(dense.macs, report.before.macs);
    let narrow = report.narrow.as_ref().unwrap();
    assert!(narrow.macs.abs_diff(report.after.macs) * 10 < report.after.macs);
    assert_eq!(narrow.units[0], 64);
    // The file alone is enough to classify.
    let outputs = Runtime::load(outcome.model.bytes())
        .unwrap()
        .run(&[3.0; 128], 2)
        .unwrap();
    assert_eq!((outputs[0].len(), outputs[1].len()), (20, 20));
    assert!((outputs[1][..10].iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_regression_reports_errors_in_the_units_of_its_target() {
    let report = run(&short("diabetes")).report;
    assert_eq!(report.metric, "rmse");
    // Predicting the mean gives about 77, a linear model about 54.
    assert!(
        (45.0..80.0).contains(&report.after.test_score),
        "{}",
        report.after.test_score
    );
    assert_eq!(report.after.rmse_by_column.len(), 1);
}

#[test]
fn the_complete_config_gives_the_same_bytes_again() {
    let first = run(&short("digits"));
    let text = first.plan.config.to_toml().unwrap();
    let again = run(&toml::from_str(&text).unwrap());
    assert_eq!(first.model.bytes(), again.model.bytes());
    assert_eq!(first.report.config_hash, again.report.config_hash);
}

#[test]
fn auto_tries_mild_strengths_first_and_counts_their_time() {
    let config = Config {
        strength: None,
        ..short("digits")
    };
    let report = run(&config).report;
    assert!(!report.tries.is_empty());
    assert!(
        report
            .tries
            .windows(2)
            .all(|t| t[0].strength < t[1].strength)
    );
    let sum: f64 = report.tries.iter().map(|t| t.seconds).sum();
    assert!((report.seconds.search - sum).abs() < 1e-9);
}

#[test]
fn a_stopped_run_is_reported_as_such_and_still_verified() {
    let stop = &mut |progress: Progress<'_>| match progress {
        Progress::Train {
            event: Event::Epoch(e),
            ..
        } if e.number >= 2 => Flow::Stop,
        _ => Flow::Continue,
    };
    let outcome = compress(&short("digits"), None, stop).unwrap();
    assert_eq!(outcome.trained.ended, Ended::Interrupted { epoch: 2 });
    assert_eq!(outcome.report.ended, "interrupted");
    assert!(outcome.report.to_markdown().contains("cut short"));
}

#[test]
fn a_model_that_a_run_wrote_starts_as_good_as_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    for data in ["digits", "diabetes"] {
        let first = run(&short(data));
        let path = folder.path().join("small.onnx");
        std::fs::write(&path, first.model.bytes()).unwrap();
        let config = Config {
            net: None,
            model: Some(path.display().to_string()),
            penalty: Some("none".into()),
            epochs: Some(2),
            strength: None,
            ..short(data)
        };
        let second = run(&config).report;
        let (ended, began) = (first.report.after.test_score, second.before.test_score);
        assert!(
            (ended - began).abs() < 1e-4 * ended,
            "{data}: {ended} {began}"
        );
        let after = second.after.test_score;
        // More training does not make it forget: numbers are learnt in their own units.
        assert!((after / ended).ln().abs() < 0.1, "{data}: {ended} {after}");
    }
}
