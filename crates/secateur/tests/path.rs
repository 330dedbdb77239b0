//! Whole paths on the embedded data: points fall, all are verified, and drops choose what is within them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use secateur::path::{
    Leg, PathEnd, PathFolder, PathOptions, PathOutcome, PathProgress, dominated, knee, path,
};
use secateur::{Config, ErrorKind, Event, Flow, Runtime};

fn short(data: &str) -> Config {
    Config {
        data: Some(data.into()),
        net: Some("32-24".into()),
        strength: Some("0.001".into()),
        epochs: Some(15),
        threads: Some(1),
        ..Config::default()
    }
}

fn options(points: usize, to: &str, drop: Option<&str>) -> PathOptions {
    PathOptions::new(points, to, drop).unwrap()
}

fn walk(config: &Config, options: PathOptions) -> PathOutcome {
    path(config, &options, None, &mut |_| Flow::Continue).unwrap()
}

#[test]
fn points_fall_in_macs_and_every_one_is_a_verified_model() {
    let config = Config {
        epochs: Some(40),
        ..short("digits")
    };
    let outcome = walk(&config, options(4, "10%", None));
    let report = &outcome.report;
    assert_eq!(report.ended, PathEnd::Complete);
    assert_eq!((report.points.len(), outcome.models.len()), (5, 5));
    // 64 x 32 + 32 x 24 + 24 x 10
    assert_eq!(report.points[0].macs, 3056);
    assert!(report.points.windows(2).all(|p| p[0].macs > p[1].macs));
    for (i, (point, model)) in report.points.iter().zip(&outcome.models).enumerate() {
        assert_eq!(point.name, format!("point-{i:02}"));
        // Cut to what was asked for, and not much below.
        assert!(point.share <= point.asked_share, "{point:?}");
        assert!(point.share > 0.7 * point.asked_share, "{point:?}");
        assert!(point.validation_score > 0.5, "{point:?}");
        // Single precision is never to the last bit what double precision is.
        let verify = &point.verify;
        for difference in [verify.runtime_difference, verify.engine_difference] {
            assert!(difference > 1e-9 && difference < 1e-5, "{verify:?}");
        }
        assert_eq!(point.bytes, model.bytes().len() as u64);
        // All take the whole row, whatever they read of it.
        let outputs = Runtime::load(model.bytes()).unwrap().run(&[3.0; 64], 1);
        assert_eq!(outputs.unwrap()[0].len(), 10);
    }
    let before: Vec<Option<&str>> = report.points.iter().map(|p| p.from.as_deref()).collect();
    let wanted = [
        None,
        Some("point-00"),
        Some("point-01"),
        Some("point-02"),
        Some("point-03"),
    ];
    assert_eq!(before, wanted);
    // A fifth of the epochs each.
    assert!(report.points[1..].iter().all(|p| p.epochs == 8));
    assert!(report.points[2].validation_score > 0.85, "{report:?}");
    let beaten: Vec<bool> = report.points.iter().map(|p| p.is_dominated).collect();
    assert_eq!(beaten, dominated(&report.spots()));
    let name = knee(&report.spots()).map(|i| report.points[i].name.clone());
    assert_eq!((&report.knee, &report.chosen), (&name, &None));
}

#[test]
fn the_same_path_comes_out_again_from_its_config() {
    let options = options(2, "20%", None);
    let first = walk(&short("digits"), options);
    let text = first.config.to_toml().unwrap();
    let again = walk(&toml::from_str(&text).unwrap(), options);
    for (a, b) in first.models.iter().zip(&again.models) {
        assert_eq!(a.bytes(), b.bytes());
    }
    assert_eq!(first.report.config_hash, again.report.config_hash);
}

#[test]
fn a_drop_chooses_the_smallest_within_it_and_looks_between_points() {
    let outcome = walk(&short("digits"), options(3, "2%", Some("5pt")));
    let report = &outcome.report;
    let chosen = report.chosen.as_ref().unwrap();
    let point = report.point(chosen.point.as_deref().unwrap()).unwrap();
    let limit = report.points[0].validation_score - 0.05 - 1e-6;
    assert!((chosen.limit - limit).abs() < 1e-5);
    assert!(point.validation_score >= limit, "{point:?}");
    let smaller = report.points.iter().filter(|p| p.macs < point.macs);
    assert!(smaller.clone().all(|p| p.validation_score < limit));
    // Three points of the path, and some between them, cut from the last one within at that time.
    assert!(report.points.len() > 4, "{}", report.points.len());
    let between = report.points.iter().find(|p| p.name == "point-04").unwrap();
    let from = report.point(between.from.as_deref().unwrap()).unwrap();
    assert!(from.macs > between.macs && from.validation_score >= limit);
    assert!(report.points.windows(2).all(|p| p[0].macs >= p[1].macs));
}

#[test]
fn where_nothing_is_within_a_drop_the_nearest_is_named() {
    let config = Config {
        // At a fiftieth of its MACs a unit or two are left of it.
        net: Some("16".into()),
        ..short("digits")
    };
    let outcome = walk(&config, options(1, "2%", Some("0pt")));
    let chosen = outcome.report.chosen.unwrap();
    assert_eq!(chosen.point, None, "{chosen:?}");
    let nearest = outcome
        .report
        .points
        .iter()
        .find(|p| Some(&p.name) == chosen.nearest.as_ref());
    let best = outcome.report.points[1..]
        .iter()
        .map(|p| p.validation_score);
    assert_eq!(nearest.unwrap().validation_score, best.fold(0.0, f64::max));
}

#[test]
fn errors_are_within_a_share_of_the_error() {
    let outcome = walk(&short("diabetes"), options(3, "10%", Some("5%")));
    let report = &outcome.report;
    assert_eq!(report.metric, "rmse");
    let chosen = report.chosen.as_ref().unwrap();
    let name = chosen.point.as_ref().or(chosen.nearest.as_ref()).unwrap();
    let score = report.point(name).unwrap().validation_score;
    // The target's standard deviation is 77.
    assert!((20.0..100.0).contains(&score), "{score}");
    let limit = 1.05 * report.points[0].validation_score;
    assert!((chosen.limit - limit).abs() < 1e-3);
    assert_eq!(chosen.point.is_some(), score <= chosen.limit);
    let wrong = path(
        &short("diabetes"),
        &options(1, "10%", Some("1pt")),
        None,
        &mut |_| Flow::Continue,
    );
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn a_share_out_of_reach_ends_the_path_with_a_note() {
    let config = Config {
        floor: Some(12),
        inputs: Some("spared".into()),
        ..short("digits")
    };
    let report = walk(&config, options(4, "3%", None)).report;
    assert_eq!(report.ended, PathEnd::OutOfReach);
    assert!((2..5).contains(&report.points.len()), "{:?}", report.points);
    assert!(
        report.notes[0].contains("cannot be reached"),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_stopped_path_keeps_the_points_so_far() {
    let mut told = vec![];
    let stop = &mut |progress: PathProgress<'_>| match progress {
        PathProgress::Train {
            leg: Leg::Cut { number: 2, .. },
            event: Event::Epoch(_),
        } => Flow::Stop,
        PathProgress::Reached(point) => {
            told.push(point.name.clone());
            Flow::Continue
        }
        _ => Flow::Continue,
    };
    let outcome = path(&short("digits"), &options(4, "5%", Some("1pt")), None, stop).unwrap();
    assert_eq!(outcome.report.ended, PathEnd::Interrupted);
    assert_eq!(outcome.report.points.len(), 2);
    assert_eq!(told, ["point-00", "point-01"]);
    assert!(outcome.report.to_markdown().contains("interrupted"));
    let at_once = &mut |_: PathProgress<'_>| Flow::Stop;
    let outcome = path(&short("digits"), &options(4, "5%", None), None, at_once).unwrap();
    assert_eq!(outcome.report.points.len(), 1);
    assert_eq!(outcome.report.ended, PathEnd::Interrupted);
}

#[test]
fn a_given_model_is_the_first_point_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let whole = walk(&short("digits"), options(1, "50%", None));
    let file = folder.path().join("dense.onnx");
    std::fs::write(&file, whole.models[0].bytes()).unwrap();
    let config = Config {
        net: None,
        model: Some(file.display().to_string()),
        epochs: Some(10),
        ..short("digits")
    };
    let outcome = walk(&config, options(3, "20%", Some("5pt")));
    let report = &outcome.report;
    assert_eq!(
        (report.start.as_str(), report.points[0].epochs),
        ("given", 0)
    );
    let score = |report: &secateur::path::PathReport| report.points[0].validation_score;
    assert!((score(report) - score(&whole.report)).abs() < 0.01);
    assert_eq!(report.points[0].macs, whole.report.points[0].macs);
    assert!(report.points.windows(2).all(|p| p[0].macs > p[1].macs));
    assert!(report.points.last().unwrap().share <= 0.2);
}

#[test]
fn networks_for_images_are_cut_step_by_step() {
    let config = Config {
        net: Some("lenet5".into()),
        epochs: Some(1),
        batch: Some(64),
        // 8 x 8 pixels are too few for it.
        data: Some("images".into()),
        ..short("digits")
    };
    let folder = tempfile::tempdir().unwrap();
    images(&folder.path().join("images"));
    let outcome = path(
        &config,
        &options(2, "25%", None),
        Some(folder.path()),
        &mut |_| Flow::Continue,
    );
    let report = outcome.unwrap().report;
    assert_eq!((report.ended, report.points.len()), (PathEnd::Complete, 3));
    assert_eq!(report.start, "lenet5");
    assert!(report.points[2].share <= 0.25 && report.points[1].share <= 0.5);
}

/// 200 pictures of 16 x 16 pixels in two classes, as IDX files.
fn images(folder: &std::path::Path) {
    std::fs::create_dir_all(folder).unwrap();
    let count = 200u32;
    let mut pictures = vec![0, 0, 8, 3];
    let mut labels = vec![0, 0, 8, 1];
    for length in [count, 16, 16] {
        pictures.extend(length.to_be_bytes());
    }
    labels.extend(count.to_be_bytes());
    for i in 0..count {
        let class = i % 2;
        labels.push(class as u8);
        let pixel = |p: u32| ((p * 37 + i * 11) % 64 + 128 * u32::from(p / 128 == class)) as u8;
        pictures.extend((0..256).map(pixel));
    }
    std::fs::write(folder.join("train-images-idx3-ubyte"), pictures).unwrap();
    std::fs::write(folder.join("train-labels-idx1-ubyte"), labels).unwrap();
}

#[test]
fn the_folder_holds_every_point_and_the_chosen_one_on_top() {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("path");
    let folder = PathFolder::create(&target, false).unwrap();
    let outcome = walk(&short("digits"), options(2, "20%", Some("20pt")));
    folder.finish(&outcome, &[("path.html", "<html>")]).unwrap();
    for (point, model) in outcome.report.points.iter().zip(&outcome.models) {
        let written = std::fs::read(target.join(&point.name).join("small.onnx")).unwrap();
        assert_eq!(written, model.bytes());
    }
    let chosen = outcome.report.chosen.clone().unwrap().point.unwrap();
    let at = |name: &str| std::fs::read(target.join(name)).unwrap();
    assert_eq!(at("small.onnx"), at(&format!("{chosen}/small.onnx")));
    assert_eq!(at("path.html"), b"<html>");
    let read: secateur::path::PathReport = serde_json::from_slice(&at("path.json")).unwrap();
    assert_eq!(read.points.len(), outcome.report.points.len());
    assert_eq!(read.knee, outcome.report.knee);
    assert!(
        String::from_utf8(at("path.md"))
            .unwrap()
            .contains("| point-00 |")
    );
    // Nothing else is left, not even hidden.
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 1);
}
