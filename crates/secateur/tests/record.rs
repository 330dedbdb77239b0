//! A run folder is read back as it was written, or refused with the reason.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use secateur::{Config, ErrorKind, Flow, RunFolder, RunRecord, compress};

fn finished(folder: &Path, data: &str) -> RunRecord {
    let config = Config {
        data: Some(data.into()),
        net: Some("12".into()),
        strength: Some("0.01".into()),
        part: Some("full".into()),
        epochs: Some(6),
        threads: Some(1),
        ..Config::default()
    };
    let outcome = compress(&config, None, &mut |_| Flow::Continue).unwrap();
    let run = RunFolder::create(folder, true).unwrap();
    run.finish(&outcome).unwrap();
    let record = RunRecord::read(folder).unwrap();
    assert_eq!(record.report, outcome.report);
    assert_eq!(record.config, outcome.plan.config);
    assert_eq!(record.predictions, outcome.predictions);
    record
}

#[test]
fn a_run_of_pictures_comes_back() {
    let parent = tempfile::tempdir().unwrap();
    let record = finished(&parent.path().join("run"), "digits");
    assert_eq!(record.epochs.len(), 6);
    assert!(record.epochs[5].validation_accuracy.unwrap() > 0.3);
    assert_eq!(record.inputs.image, Some([8, 8, 1]));
    assert_eq!(record.inputs.read.len(), record.report.after.units[0]);
    assert_eq!(record.inputs.norms.len(), record.inputs.read.len());
    let weights = &record.report.after.weights;
    assert!(weights.zero <= weights.small && weights.small <= weights.all);
    assert_eq!(weights.live_units.len(), 2);
    let layers = &record.report.layers;
    let names: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["inputs", "hidden layer 1"]);
    let units: Vec<usize> = layers.iter().map(|l| l.end.units).collect();
    assert_eq!(units, record.report.after.units);
    let ends: Vec<_> = layers.iter().map(|l| l.end).collect();
    assert_eq!(record.epochs[5].norms, ends);
}

#[test]
fn a_regression_comes_back_with_predictions_in_the_units_of_the_target() {
    let parent = tempfile::tempdir().unwrap();
    let record = finished(&parent.path().join("run"), "diabetes");
    let target = &record.predictions.unwrap().targets[0];
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
    let rmse = target.measured.iter().zip(&target.predicted);
    let rmse = mean(&rmse.map(|(m, p)| (m - p).powi(2)).collect::<Vec<_>>()).sqrt();
    assert!((f64::from(rmse) / record.report.after.test_score - 1.0).abs() < 1e-3);
    assert!((mean(&target.predicted) - mean(&target.measured)).abs() < 40.0);
}

#[test]
fn folders_that_cannot_be_read_are_refused_with_the_reason() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("run");
    let refusal = |folder: &Path| {
        let error = RunRecord::read(folder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.hint_text().is_some());
        error
            .to_string()
            .replace(&folder.display().to_string(), "run")
    };
    assert_eq!(refusal(&folder), "run: there is no such folder");

    finished(&folder, "digits");
    let report = std::fs::read_to_string(folder.join("report.json")).unwrap();
    let older = report.replacen("\"format\": 2,", "", 1);
    std::fs::write(folder.join("report.json"), older).unwrap();
    assert_eq!(
        refusal(&folder),
        "run: written by secateur 0.1.0 in format 1; this version reads format 2"
    );

    std::fs::write(folder.join("report.json"), &report[..report.len() / 2]).unwrap();
    assert!(refusal(&folder).starts_with("run/report.json: EOF while parsing"));

    std::fs::write(folder.join("report.json"), report).unwrap();
    std::fs::remove_file(folder.join("log.jsonl")).unwrap();
    assert!(refusal(&folder).starts_with("run/log.jsonl: No such file"));

    std::fs::write(folder.join("path.json"), "").unwrap();
    assert!(refusal(&folder).starts_with("run/log.jsonl: No such file"));
    std::fs::remove_file(folder.join("report.json")).unwrap();
    assert_eq!(
        refusal(&folder),
        "run: this is a path, which has a page of its own"
    );
}
