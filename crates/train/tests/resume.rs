//! A run that rested ends with the bits of one that did not.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod common;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_graph::Graph;
use secateur_prox::{Inputs, Members, Part};
use secateur_testkit::Stream;
use secateur_train::{
    AdamMetric, Architecture, Checkpoint, Ended, ErrorKind, Event, Flow, ImageSize, Init,
    Optimizer, Order, PenaltySettings, RemovalTime, Rows, Settings, StrengthChoice, Trained, fit,
    resume,
};

use crate::common::{classes, group_lasso, images, network};

struct Problem {
    graph: Graph,
    train: Rows,
    validation: Rows,
    settings: Settings,
}

fn table(settings: &Settings) -> Problem {
    Problem {
        graph: network(&[24, 16], 3),
        train: classes(400, 1),
        validation: classes(100, 2),
        settings: Settings {
            epochs: 12,
            settle: if settings.penalty.is_some() { 3 } else { 0 },
            ..settings.clone()
        },
    }
}

fn pictures(name: &str, part: &str, optimizer: Optimizer) -> Problem {
    let size = ImageSize::new(3, 8, 8);
    let architecture: Architecture = name.parse().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let graph = architecture.build(size, 4, 0.5, Init::Scaled, &mut rng);
    let penalty = PenaltySettings {
        part: part.parse().unwrap(),
        inputs: Inputs::Spared,
        strength: StrengthChoice::Balance(5.0),
        ..group_lasso(0.0)
    };
    Problem {
        graph: graph.unwrap(),
        train: images(160, size, 1),
        validation: images(64, size, 2),
        settings: Settings {
            optimizer,
            epochs: 6,
            settle: 2,
            batch: 32,
            ..common::settings(Some(penalty))
        },
    }
}

/// What is kept on disk and read again.
fn stored(checkpoint: &Checkpoint) -> Checkpoint {
    postcard::from_bytes(&postcard::to_allocvec(checkpoint).unwrap()).unwrap()
}

impl Problem {
    /// The whole run, with what could be kept behind every epoch.
    fn whole(&self) -> (Trained, Vec<Checkpoint>) {
        let mut kept = vec![];
        let trained = fit(
            self.graph.clone(),
            self.train.clone(),
            &self.validation,
            &self.settings,
            &mut |event| {
                if let Event::Rest(rest) = event {
                    kept.push(rest.checkpoint().unwrap());
                }
                Flow::Continue
            },
        );
        (trained.unwrap(), kept)
    }

    /// A run that is stopped at the first look behind `steps` steps, with what is kept then.
    fn stopped(&self, steps: usize) -> (Trained, Checkpoint) {
        let mut kept = None;
        let mut observer = |event: Event<'_>| {
            match event {
                Event::Rest(rest) => kept = Some(rest.checkpoint().unwrap()),
                Event::Step { done, .. } if done >= steps => return Flow::Stop,
                _ => {}
            }
            Flow::Continue
        };
        let trained = fit(
            self.graph.clone(),
            self.train.clone(),
            &self.validation,
            &self.settings,
            &mut observer,
        );
        (trained.unwrap(), kept.unwrap())
    }

    fn resumed(&self, checkpoint: &Checkpoint) -> secateur_train::Result<Trained> {
        let (train, settings) = (self.train.clone(), &self.settings);
        resume(
            stored(checkpoint),
            train,
            &self.validation,
            settings,
            &mut |_| Flow::Continue,
        )
    }

    fn check(&self, name: &str) {
        let (whole, kept) = self.whole();
        assert_eq!(kept.len(), self.settings.epochs, "{name}");
        for checkpoint in &kept {
            let epochs = checkpoint.epochs();
            alike(
                &self.resumed(checkpoint).unwrap(),
                &whole,
                &format!("{name}, from epoch {epochs}"),
            );
        }
    }
}

/// Everything but times.
fn alike(resumed: &Trained, whole: &Trained, name: &str) {
    assert!(resumed.graph == whole.graph, "{name}: other bits");
    assert_eq!(resumed.ended, Ended::Complete, "{name}");
    assert_eq!(resumed.removals, whole.removals, "{name}");
    assert_eq!(resumed.layers, whole.layers, "{name}");
    assert_eq!(resumed.steps, whole.steps, "{name}");
    assert_eq!(resumed.lambda.to_bits(), whole.lambda.to_bits(), "{name}");
    let share = |t: &Trained| t.penalised_share.to_bits();
    assert_eq!(share(resumed), share(whole), "{name}");
    assert_eq!(resumed.epochs.len(), whole.epochs.len(), "{name}");
    for (r, w) in resumed.epochs.iter().zip(&whole.epochs) {
        let w = secateur_train::Epoch {
            seconds: r.seconds,
            ..w.clone()
        };
        assert_eq!(*r, w, "{name}");
    }
}

#[test]
fn chains_go_on_from_every_epoch() {
    let base = || common::settings(Some(group_lasso(0.02)));
    let with = |change: &dyn Fn(&mut PenaltySettings)| {
        let mut penalty = group_lasso(0.02);
        change(&mut penalty);
        common::settings(Some(penalty))
    };
    let part = |text: &'static str| with(&|p| p.part = text.parse::<Part>().unwrap());
    let nesterov = Optimizer::Sgd {
        momentum: 0.9,
        nesterov: true,
    };
    let problems = [
        ("dense", common::settings(None)),
        ("momentum", base()),
        (
            "nesterov",
            Settings {
                optimizer: nesterov,
                ..base()
            },
        ),
        (
            "adam",
            Settings {
                optimizer: Optimizer::Adam,
                rate: 3e-3,
                ..base()
            },
        ),
        (
            "adamw in its metric",
            Settings {
                optimizer: Optimizer::AdamW,
                rate: 3e-3,
                weight_decay: 0.1,
                ..with(&|p| p.adam_metric = AdamMetric::Exact)
            },
        ),
        (
            "balanced",
            with(&|p| p.strength = StrengthChoice::Balance(0.5)),
        ),
        ("by steps", with(&|p| p.removal = RemovalTime::Steps(7))),
        (
            "incoming",
            with(&|p| (p.members, p.inputs) = (Members::Incoming, Inputs::Spared)),
        ),
        (
            "in order",
            Settings {
                order: Order::AsIs,
                batch: 33,
                ..base()
            },
        ),
        (
            "with a last short epoch",
            Settings {
                steps: Some(180),
                ..base()
            },
        ),
        ("budget", part("budget:20%")),
        ("last spared", part("spare-last:4")),
        ("drawn", part("fraction:0.5:random")),
        ("ranked", part("fraction:0.5:ranked:5")),
    ];
    for (name, settings) in problems {
        let problem = table(&settings);
        if problem.settings.steps.is_none() {
            problem.check(name);
        } else {
            let (whole, kept) = problem.whole();
            for checkpoint in &kept {
                alike(&problem.resumed(checkpoint).unwrap(), &whole, name);
            }
        }
    }
}

#[test]
fn networks_go_on_from_every_epoch() {
    let sgd = Optimizer::Sgd {
        momentum: 0.9,
        nesterov: false,
    };
    pictures("resnet20", "budget:40%", sgd).check("resnet20");
    pictures("mobilenet-small", "fraction:0.5:random", Optimizer::Adam).check("mobilenet-small");
    pictures("vgg-small", "spare-last:4", sgd).check("vgg-small");
}

#[test]
fn runs_go_on_from_within_an_epoch() {
    // Removals, the loss of the epoch and the network to fall back to must not know of the rest.
    let problem = table(&common::settings(Some(group_lasso(0.02))));
    let (whole, _) = problem.whole();
    assert!(!whole.removals.is_empty());
    for steps in [16, 32, 48, 80, 112] {
        let (stopped, kept) = problem.stopped(steps);
        assert!(matches!(stopped.ended, Ended::Interrupted { .. }));
        alike(
            &problem.resumed(&kept).unwrap(),
            &whole,
            &format!("{steps} steps"),
        );
    }
}

#[test]
fn checkpoints_of_other_runs_are_refused() {
    let problem = table(&common::settings(Some(group_lasso(0.02))));
    let (_, kept) = problem.whole();
    let other = |change: &dyn Fn(&mut Settings)| {
        let mut problem = table(&problem.settings);
        change(&mut problem.settings);
        problem.resumed(&kept[6]).unwrap_err().kind()
    };
    assert_eq!(other(&|s| s.epochs = 5), ErrorKind::Checkpoint);
    assert_eq!(
        other(&|s| (s.penalty, s.settle) = (None, 0)),
        ErrorKind::Checkpoint
    );
    assert_eq!(
        other(&|s| s.optimizer = Optimizer::Adam),
        ErrorKind::Checkpoint
    );
    assert_eq!(other(&|s| s.batch = 400), ErrorKind::Checkpoint);
    let others = pictures("resnet20", "full", Optimizer::Adam);
    assert_eq!(
        others.resumed(&kept[6]).unwrap_err().kind(),
        ErrorKind::Data
    );
}

#[test]
fn changed_checkpoints_are_refused_or_run() {
    let mut stream = Stream::new(5);
    let problems = [
        table(&common::settings(Some(group_lasso(0.05)))),
        Problem {
            train: images(40, ImageSize::new(3, 8, 8), 1),
            validation: images(8, ImageSize::new(3, 8, 8), 2),
            ..pictures("vgg-small", "budget:60%", Optimizer::Adam)
        },
    ];
    for mut problem in problems {
        problem.settings.threads = 1;
        let (_, kept) = problem.whole();
        let kept = &kept[kept.len() - 2];
        let bytes = postcard::to_allocvec(kept).unwrap();
        let (mut refused, mut ran) = (0, 0);
        for _ in 0..300 {
            let mut changed = bytes.clone();
            // Numbers of weights fill most of it; what says how things hang together lies at the start.
            let end = if stream.below(2) == 0 {
                1500
            } else {
                bytes.len()
            };
            let place = stream.below(end.min(bytes.len()));
            changed[place] = match stream.below(3) {
                0 => changed[place] ^ (1 << stream.below(8)),
                1 => stream.below(256) as u8,
                _ => changed[place].wrapping_add(1),
            };
            let read = postcard::from_bytes::<Checkpoint>(&changed);
            let done = read.ok().map(|checkpoint| problem.resumed(&checkpoint));
            match done {
                Some(Ok(_)) => ran += 1,
                Some(Err(_)) | None => refused += 1,
            }
        }
        assert!(refused > 20 && ran > 20, "{refused} refused, {ran} ran");
    }
}
