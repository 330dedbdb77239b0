//! Limits hold exactly, whatever is counted, and what cannot be met is told before anything is trained.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{classes, group_lasso, network, settings};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::{Graph, cost};
use secateur_testkit::Stream;
use secateur_train::{
    Architecture, ClassLoss, Epoch, Error, ErrorKind, Event, Flow, ImageSize, Init, Question, Rows,
    Settings, Start, Targets, Trained, fit_within,
};

/// Six epochs under a penalty too weak to remove anything by itself, the ranking before the third of four that are penalised.
fn short(part: &str) -> Settings {
    let mut p = group_lasso(1e-6);
    p.part = part.parse().unwrap();
    let mut settings = settings(Some(p));
    (settings.epochs, settings.settle, settings.threads) = (6, 2, 1);
    settings
}

struct Told {
    notes: Vec<String>,
    epochs: Vec<Epoch>,
}

fn train(
    graph: &Graph,
    rows: &Rows,
    settings: &Settings,
    question: Option<Question<'_>>,
) -> (Result<Trained, Error>, Told) {
    let mut told = Told {
        notes: vec![],
        epochs: vec![],
    };
    let mut observer = |event: Event<'_>| {
        match event {
            Event::Note(text) => told.notes.push(text.to_owned()),
            Event::Epoch(epoch) => told.epochs.push(epoch.clone()),
            Event::Step { .. } | Event::Rest(_) => {}
        }
        Flow::Continue
    };
    let trained = fit_within(
        Start::Anew(graph.clone()),
        rows.clone(),
        rows,
        settings,
        question,
        &mut observer,
    );
    (trained, told)
}

fn macs(graph: &Graph) -> u64 {
    cost(graph).unwrap().macs
}

fn params(graph: &Graph) -> u64 {
    cost(graph).unwrap().params
}

/// Pictures of noise, brighter in the quarter that is the class.
fn pictures(count: usize) -> Rows {
    let mut stream = Stream::new(5);
    let mut values = vec![];
    let mut labels = vec![];
    for i in 0..count {
        labels.push((i % 4) as u32);
        for place in 0..16 * 16 {
            let quarter = (place / 128) * 2 + (place % 16) / 8;
            let bright = f32::from(u8::from(quarter == i % 4));
            values.push(bright + stream.unit() as f32 - 0.5);
        }
    }
    let targets = Targets::Classes {
        labels,
        weights: vec![1.0; 4],
        loss: ClassLoss::CrossEntropy,
    };
    let rows = Rows::new(values, 16 * 16, targets).unwrap();
    rows.with_shape(vec![1, 16, 16]).unwrap()
}

fn built(name: &str) -> Graph {
    let architecture: Architecture = name.parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let size = ImageSize::new(1, 16, 16);
    architecture
        .build(size, 4, 0.5, Init::Scaled, &mut rng)
        .unwrap()
}

/// The most that one unit of any layer costs, as nothing needs to lie further below its limit.
fn one_unit(widths: &[u64]) -> u64 {
    let around = |w: &[u64]| w[0] + w[2] + 1;
    widths.windows(3).map(around).max().unwrap()
}

#[test]
fn limits_of_chains_hold_to_the_last_unit() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    // 10 * 24 + 24 * 16 + 16 * 3 weights, 24 + 16 + 3 biases.
    assert_eq!((macs(&graph), params(&graph)), (672, 715));
    for (part, limit) in [
        ("budget:20%", 134),
        ("budget:macs=300", 300),
        ("budget:params=30%", 214),
        ("budget:params=301", 301),
    ] {
        let (trained, told) = train(&graph, &rows, &short(part), None);
        let trained = trained.unwrap();
        let of = |graph: &Graph| match part.contains("params") {
            true => params(graph),
            false => macs(graph),
        };
        let left = of(&trained.graph);
        assert!(
            left <= limit && left + one_unit(&[10, 24, 16, 3]) > limit,
            "{part}: {left}"
        );
        // Half-way, at once, and never back.
        let macs: Vec<u64> = told.epochs.iter().map(|e| e.macs).collect();
        assert_eq!(macs[1], 672, "{part}");
        assert!(
            macs[2] < 672 && macs[2..].is_sorted_by(|a, b| a >= b),
            "{part}: {macs:?}"
        );
        let asked = trained.removals.iter().filter(|r| r.asked);
        assert_eq!(asked.map(|r| r.epoch).collect::<Vec<_>>(), [3], "{part}");
        assert!(told.notes.is_empty(), "{:?}", told.notes);
    }
}

#[test]
fn limits_of_chains_hold_to_the_last_unit_in_stages() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let unit = one_unit(&[10, 24, 16, 3]);
    for (part, limit) in [("budget:20%", 134), ("budget:macs=300", 300)] {
        let mut settings = short(part);
        settings.penalty.as_mut().unwrap().stages = 3;
        let (trained, told) = train(&graph, &rows, &settings, None);
        let trained = trained.unwrap();
        // There is one epoch between the start and the last stage, so the first falls away.
        let asked = trained.removals.iter().filter(|r| r.asked);
        assert_eq!(asked.map(|r| r.epoch).collect::<Vec<_>>(), [2, 3], "{part}");
        let left: Vec<u64> = told.epochs.iter().map(|e| e.macs).collect();
        let between = (672.0 * limit as f64).sqrt().round() as u64;
        assert_eq!(left[0], 672, "{part}");
        for (left, limit) in [(left[1], between), (macs(&trained.graph), limit)] {
            assert!(left <= limit && left + unit > limit, "{part}: {left}");
        }
        assert!(left.is_sorted_by(|a, b| a >= b), "{part}: {left:?}");
    }
}

#[test]
fn limits_of_convolutions_hold_exactly() {
    let rows = pictures(64);
    for name in ["lenet5", "resnet20"] {
        let graph = built(name);
        for part in [
            "budget:40%",
            "budget:params=40%",
            "budget:macs=20001",
            "budget:params=9001",
        ] {
            if name == "resnet20" && part == "budget:macs=20001" {
                // Below its floor.
                continue;
            }
            let trained = train(&graph, &rows, &short(part), None).0.unwrap();
            let of = |graph: &Graph| match part.contains("params") {
                true => params(graph),
                false => macs(graph),
            };
            let (start, left) = (of(&graph), of(&trained.graph));
            let limit = match part.rsplit_once('=') {
                Some((_, count)) if !count.ends_with('%') => count.parse().unwrap(),
                _ => start * 2 / 5,
            };
            assert!(
                left <= limit && left * 10 > limit * 9,
                "{name} {part}: {left} of {limit}"
            );
        }
    }
}

/// What is left of the multiply-adds and of the parameters, as shares.
fn shares(before: &Graph, after: &Graph) -> [f64; 2] {
    let share = |of: fn(&Graph) -> u64| of(after) as f64 / of(before) as f64;
    [share(macs), share(params)]
}

#[test]
fn units_go_by_what_they_free_of_what_is_limited() {
    let (graph, rows) = (built("lenet5"), pictures(64));
    let left = |part: &str| {
        let trained = train(&graph, &rows, &short(part), None).0.unwrap();
        shares(&graph, &trained.graph)
    };
    // Most multiply-adds are of convolutions, most parameters of dense layers.
    let [macs_within_params, _] = left("budget:params=40%");
    let [_, params_within_macs] = left("budget:40%");
    assert!(
        macs_within_params > 0.6 && params_within_macs > 0.45,
        "{macs_within_params} {params_within_macs}"
    );
}

#[test]
fn the_nearest_that_is_told_can_be_met() {
    let rows = pictures(64);
    for (name, of) in [
        ("lenet5", "macs"),
        ("lenet5", "params"),
        ("resnet20", "macs"),
        ("mobilenet-small", "params"),
    ] {
        let graph = built(name);
        let part = |most: u64| format!("budget:{of}={most}");
        let error = train(&graph, &rows, &short(&part(1)), None).0.unwrap_err();
        let text = error.to_string();
        let (_, rest) = text.split_once("reached: ").unwrap();
        let nearest: u64 = rest.split_once(' ').unwrap().0.parse().unwrap();
        let trained = train(&graph, &rows, &short(&part(nearest)), None)
            .0
            .unwrap();
        let count = match of {
            "macs" => macs(&trained.graph),
            _ => params(&trained.graph),
        };
        assert_eq!(count, nearest, "{name} {of}");
        let below = train(&graph, &rows, &short(&part(nearest - 1)), None);
        assert_eq!(below.0.unwrap_err().kind(), ErrorKind::Limit);
    }
}

#[test]
fn a_limit_below_the_floor_is_told_with_the_nearest_before_anything_is_trained() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    for (part, message) in [
        // Of each layer, and of the inputs, one unit is left.
        (
            "budget:macs=4",
            "budget: 4 MACs a row cannot be reached: 5 are left when every layer keeps its least",
        ),
        (
            "budget:params=9",
            "budget: 9 parameters cannot be reached: 10 are left when every layer keeps its least",
        ),
    ] {
        let (trained, told) = train(&graph, &rows, &short(part), None);
        let error = trained.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        assert_eq!(error.to_string(), message);
        assert!(error.hint_text().is_some() && told.epochs.is_empty());
    }
    // What was told can be met.
    for part in ["budget:macs=5", "budget:params=10"] {
        let trained = train(&graph, &rows, &short(part), None).0.unwrap();
        assert_eq!(
            (macs(&trained.graph), params(&trained.graph)),
            (5, 10),
            "{part}"
        );
    }
    let mut floored = short("budget:macs=50");
    floored.penalty.as_mut().unwrap().floor = 5;
    let error = train(&graph, &rows, &floored, None).0.unwrap_err();
    // 5 * 5 + 5 * 5 + 5 * 3
    assert!(error.to_string().contains("65 are left"), "{error}");
}

#[test]
fn a_limit_that_is_met_already_removes_nothing_and_says_so() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let (trained, told) = train(&graph, &rows, &short("budget:macs=672"), None);
    assert!(trained.unwrap().removals.is_empty());
    let note = "the network is within its budget already (672 MACs a row, at most 672 MACs a row): nothing is removed to meet it";
    assert_eq!(told.notes, [note]);
}

fn seconds(answer: f64) -> String {
    format!("{answer:.2} s")
}

/// The run within a limit on an answer, and all that was asked about, by its MACs.
fn asked(
    answer: impl Fn(&Graph) -> f64 + Sync,
    (most, near): (f64, f64),
) -> (Result<Trained, Error>, Told, Vec<u64>) {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let mut about = vec![];
    let mut ask = |graph: &Graph| {
        about.push(macs(graph));
        Ok(answer(graph))
    };
    let question = Question {
        ask: &mut ask,
        most,
        aim: 1.0,
        near,
        words: seconds,
    };
    let (trained, told) = train(&graph, &rows, &short("budget:100%"), Some(question));
    (trained, told, about)
}

#[test]
fn the_largest_network_that_the_answer_allows_stays() {
    // An overhead, and a time for each multiply-add.
    let time = |graph: &Graph| 0.5 + macs(graph) as f64 / 100.0;
    let (trained, _, about) = asked(time, (3.0, 0.0));
    let left = macs(&trained.unwrap().graph);
    assert!(
        left <= 250 && left + one_unit(&[10, 24, 16, 3]) > 250,
        "{left}"
    );
    // The whole and the least before training, then the whole again and one for each halving.
    assert_eq!(about[..3], [672, 5, 672]);
    assert!(about.len() <= 3 + 10, "{about:?}");

    let (trained, _, fewer) = asked(time, (3.0, 0.05));
    let near = time(&trained.unwrap().graph);
    assert!((0.95 * 3.0..=3.0).contains(&near), "{near}");
    assert!(fewer.len() <= about.len(), "{fewer:?}");
}

#[test]
fn an_answer_in_steps_or_without_reason_ends_the_search() {
    let (trained, _, _) = asked(|g| f64::from(u8::from(macs(g) > 100)), (0.5, 0.0));
    let left = macs(&trained.unwrap().graph);
    assert!(left <= 100 && left > 50, "{left}");
    // Only the least will do.
    let (trained, _, _) = asked(|g| f64::from(u8::from(macs(g) > 5)), (0.5, 0.0));
    assert_eq!(macs(&trained.unwrap().graph), 5);
    let (trained, _, about) = asked(|_| f64::NAN, (1.0, 0.05));
    assert_eq!(trained.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(about, [672, 5]);
}

#[test]
fn an_answer_that_is_out_of_reach_is_told_with_the_nearest_before_anything_is_trained() {
    let (trained, told, about) = asked(|g| 1.0 + macs(g) as f64, (2.5, 0.05));
    let error = trained.unwrap_err();
    assert_eq!(
        error.to_string(),
        "budget: 2.50 s cannot be reached: it is 6.00 s when every layer keeps its least"
    );
    assert_eq!(about, [672, 5]);
    assert!(told.epochs.is_empty());
}

#[test]
fn an_answer_that_is_within_the_limit_removes_nothing_and_says_so() {
    let (trained, told, about) = asked(|_| 1.5, (1.5, 0.0));
    assert!(trained.unwrap().removals.is_empty());
    assert!(
        told.notes[0].contains("(1.50 s, at most 1.50 s)"),
        "{:?}",
        told.notes
    );
    assert_eq!(about, [672, 672]);
}

#[test]
fn a_question_goes_with_a_budget_and_its_errors_end_the_run() {
    let (graph, rows) = (network(&[24, 16], 3), classes(200, 1));
    let run = |part: &str| {
        let mut ask = |_: &Graph| Err(Error::settings("no clock"));
        let question = Question {
            ask: &mut ask,
            most: 1.0,
            aim: 1.0,
            near: 0.0,
            words: seconds,
        };
        train(&graph, &rows, &short(part), Some(question))
            .0
            .unwrap_err()
    };
    assert_eq!(run("budget:50%").to_string(), "no clock");
    assert!(run("full").to_string().contains("a part that is a budget"));
}
