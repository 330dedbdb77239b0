//! Whole runs within a budget, on embedded data.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use secateur::{
    Config, Criterion, Error, ErrorKind, Flow, Outcome, Plan, Prepared, Report, compress,
};

/// A run in which nothing but the ranking removes much; convolutions take a while.
fn short(net: &str) -> Config {
    Config {
        data: Some("digits".into()),
        net: Some(net.into()),
        strength: Some("1e-6".into()),
        epochs: Some(if net.starts_with("resnet") { 2 } else { 4 }),
        threads: Some(1),
        ..Config::default()
    }
}

fn within(net: &str, budget: &str) -> Result<Outcome, Error> {
    let config = Config {
        budget: Some(budget.into()),
        ..short(net)
    };
    compress(&config, None, &mut |_| Flow::Continue)
}

#[test]
fn counts_and_shares_hold_exactly_in_chains_and_in_convolutions() {
    for (net, budget) in [
        ("32-16", "macs=25%"),
        ("32-16", "macs=1000"),
        ("32-16", "params=30%"),
        ("32-16", "params=801"),
        ("resnet20", "macs=60%"),
        ("resnet20", "params=100001"),
    ] {
        let outcome = within(net, budget).unwrap();
        let report = &outcome.report;
        let told = report.budget.as_ref().unwrap();
        let [start, left] = [&report.before, &report.after].map(|arm| match budget.as_bytes()[0] {
            b'm' => arm.macs,
            _ => arm.params,
        });
        let (_, amount) = budget.split_once('=').unwrap();
        let most = match amount.strip_suffix('%') {
            Some(percent) => start * percent.parse::<u64>().unwrap() / 100,
            None => amount.parse().unwrap(),
        };
        assert!(left <= most, "{net} {budget}: {left} of {most}");
        assert!(left * 100 >= most * 94, "{net} {budget}: {left} of {most}");
        assert!(told.is_met && told.asked == budget);
        assert_eq!(
            [told.most, told.start, told.reached],
            [most as f64, start as f64, left as f64]
        );
        let line = format!("Budget: {}.", told.sentence());
        assert!(report.to_markdown().contains(&line), "{line}");
    }
}

#[test]
fn files_fit_to_the_last_unit() {
    for (net, budget, most) in [
        ("32-16", "bytes=6KB", 6_000),
        ("32-16", "bytes=4KiB", 4_096),
        ("32-16", "bytes=50%", 0),
        ("resnet20", "bytes=60%", 0),
    ] {
        let outcome = within(net, budget).unwrap();
        let report = &outcome.report;
        let told = report.budget.as_ref().unwrap();
        let most = match most {
            0 => report.before.bytes * budget[6..8].parse::<u64>().unwrap() / 100,
            most => most,
        };
        let left = (outcome.model.bytes().len() + outcome.model.data().len()) as u64;
        assert!(left <= most, "{net} {budget}: {left} of {most}");
        // What one more unit would take, and what an input that dies later may.
        assert!(left * 100 >= most * 85, "{net} {budget}: {left} of {most}");
        assert_eq!(left, report.after.bytes);
        assert_eq!(
            [told.most, told.start, told.reached],
            [most as f64, report.before.bytes as f64, left as f64]
        );
        assert!(told.is_met && told.sentence().contains("bytes"));
    }
    let error = within("32-16", "bytes=1KB").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    let text = error.to_string();
    assert!(
        text.starts_with("budget: 1,000 bytes cannot be reached: it is 1,"),
        "{text}"
    );
}

#[test]
fn a_model_that_was_given_fits_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("given.onnx");
    std::fs::write(&path, within("24", "macs=100%").unwrap().model.bytes()).unwrap();
    let config = Config {
        net: None,
        model: Some(path.display().to_string()),
        budget: Some("bytes=60%".into()),
        ..short("")
    };
    let outcome = compress(&config, None, &mut |_| Flow::Continue).unwrap();
    let before = std::fs::metadata(&path).unwrap().len();
    let left = outcome.model.bytes().len() as u64;
    assert!(
        left <= before * 6 / 10 && left * 100 > before * 50,
        "{left} of {before}"
    );
    assert_eq!(outcome.report.budget.unwrap().start, before as f64);
}

#[test]
fn the_budget_part_is_a_budget_of_macs() {
    let by_part = Config {
        part: Some("budget:40%".into()),
        ..short("32-16")
    };
    let by_part = compress(&by_part, None, &mut |_| Flow::Continue).unwrap();
    let by_budget = within("32-16", "macs=40%").unwrap();
    assert_eq!(by_part.trained.graph, by_budget.trained.graph);
    assert_eq!(by_part.report.budget, by_budget.report.budget);
}

#[test]
fn a_limit_out_of_reach_is_told_with_the_nearest() {
    let error = within("32-16", "params=13").unwrap_err();
    assert_eq!(
        (error.kind(), error.kind().exit_code()),
        (ErrorKind::OutOfReach, 5)
    );
    assert_eq!(
        error.to_string(),
        "budget: 13 parameters cannot be reached: 24 are left when every layer keeps its least"
    );
    assert!(error.hint_text().is_some());
}

#[test]
fn a_written_config_with_a_budget_means_the_same_again() {
    let outcome = within("32-16", "params=0.5").unwrap();
    let written: Config = toml_of(&outcome.plan);
    assert_eq!(written.budget.as_deref(), Some("params=0.5"));
    assert_eq!(written.part, None);
    let again = compress(&written, None, &mut |_| Flow::Continue).unwrap();
    assert!(again.model.bytes() == outcome.model.bytes());
}

fn toml_of(plan: &Plan) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, plan.config.to_toml().unwrap()).unwrap();
    Config::read(&path).unwrap()
}

#[test]
fn a_budget_stands_in_place_of_a_part() {
    let refused = |part: Option<&str>, penalty: Option<&str>| {
        let config = Config {
            budget: Some("macs=25%".into()),
            part: part.map(str::to_owned),
            penalty: penalty.map(str::to_owned),
            ..short("8")
        };
        let dataset = secateur::load_data(&config, None).unwrap();
        let prepared = Prepared::new(dataset, &config).unwrap();
        Plan::new(&config, &prepared.dataset, prepared.split.train.len())
    };
    for (part, penalty) in [
        (Some("full"), None),
        (Some("spare-last:8"), None),
        (None, Some("none")),
        (None, Some("l2")),
    ] {
        let error = refused(part, penalty).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{part:?} {penalty:?}");
        assert!(error.hint_text().is_some());
    }
    // A budget of a config file, beside one that is typed.
    assert!(refused(Some("budget:40%"), None).is_ok());
}

#[test]
fn reports_of_older_versions_have_no_budget() {
    let outcome = within("8", "macs=50%").unwrap();
    let text = outcome.report.to_json().unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["budget"]["asked"], "macs=50%");
    assert!(json["budget"]["is_met"].as_bool().unwrap());
    json.as_object_mut().unwrap().remove("budget");
    let old: Report = serde_json::from_value(json).unwrap();
    assert_eq!(old.budget, None);
    assert!(!old.to_markdown().contains("Budget"));
}

fn planned(change: impl Fn(&mut Config)) -> Result<Plan, Error> {
    let mut config = short("8");
    change(&mut config);
    let dataset = secateur::load_data(&config, None).unwrap();
    let prepared = Prepared::new(dataset, &config).unwrap();
    Plan::new(&config, &prepared.dataset, prepared.split.train.len())
}

#[test]
fn a_budget_ranks_by_flap_unless_told_otherwise_and_a_config_says_so() {
    let by = |by: Option<&str>, part: &str| {
        let plan = planned(|config| {
            config.by = by.map(str::to_owned);
            config.part = Some(part.into());
        });
        let plan = plan.unwrap();
        (plan.config.by, plan.settings.penalty.unwrap().by)
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(by(None, "budget:25%"), (named("flap"), Criterion::Flap));
    assert_eq!(by(None, "full"), (None, Criterion::Flap));
    for name in ["flap", "taylor", "l2", "random", "reconstruction"] {
        let wanted = (named(name), name.parse().unwrap());
        assert_eq!(by(Some(name), "budget:params=1000"), wanted);
    }
    let bare = planned(|config| {
        config.penalty = Some("none".into());
        config.part = Some("budget:25%".into());
    });
    assert_eq!(bare.unwrap().config.by, None);
    let of_budget = planned(|config| {
        config.budget = Some("bytes=20%".into());
        config.by = named("l1");
    });
    assert_eq!(of_budget.unwrap().config.by, named("l1"));
}

#[test]
fn a_criterion_without_a_budget_is_refused() {
    for (part, penalty) in [
        (Some("full"), None),
        (Some("spare-last:8"), None),
        (None, Some("none")),
        (None, Some("l2")),
    ] {
        let refused = planned(|config| {
            config.part = part.map(str::to_owned);
            config.penalty = penalty.map(str::to_owned);
            config.by = Some("taylor".into());
        });
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        let told = "--by: without a budget no units are ranked, by taylor or otherwise";
        assert_eq!(error.to_string(), told);
        assert!(error.hint_text().unwrap().contains("--budget macs=50%"));
    }
    let unknown = planned(|config| config.by = Some("l3".into())).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Usage);
    assert_eq!(unknown.to_string(), "--by: 'l3' is no criterion");
}
