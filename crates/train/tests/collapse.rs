//! A penalty that is far too strong shrinks layers as a whole: none is emptied, and it is told by name.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use secateur_graph::{
    Conv, Dim, Gemm, Graph, GraphBuilder, Op, Padding, Tensor, Unary, ValueId, Window,
};
use secateur_prox::{GroupL0, Inputs, Members, Penalty, SquaredL2};
use secateur_testkit::Stream;
use secateur_train::{
    ClassLoss, Collapse, Event, Flow, Optimizer, PenaltySettings, Rows, Settings, Targets, Trained,
    fit,
};

const SIDE: usize = 6;
const CHANNELS: usize = 6;

/// Pictures of one channel; one of four quarters is bright, and that is the class.
fn pictures(count: usize, seed: u64) -> Rows {
    let mut stream = Stream::new(seed);
    let (mut values, mut labels) = (vec![], vec![]);
    for _ in 0..count {
        let class = stream.below(4);
        for place in 0..SIDE * SIDE {
            let quarter = place / SIDE / (SIDE / 2) * 2 + place % SIDE / (SIDE / 2);
            let bright = f64::from(u8::from(quarter == class));
            values.push((bright + 0.5 * stream.unit()) as f32);
        }
        labels.push(class as u32);
    }
    let targets = Targets::Classes {
        labels,
        weights: vec![1.0; 4],
        loss: ClassLoss::CrossEntropy,
    };
    let rows = Rows::new(values, SIDE * SIDE, targets).unwrap();
    rows.with_shape(vec![1, SIDE, SIDE]).unwrap()
}

/// Three convolutions, each normalised and rectified, and a dense layer behind the last.
fn network() -> Graph {
    let mut stream = Stream::new(7);
    let mut b = GraphBuilder::new("normalised");
    let side = || Dim::Fixed(SIDE);
    let mut x = b.input("image", [Dim::batch(), Dim::Fixed(1), side(), side()]);
    let mut drawn = |b: &mut GraphBuilder, name: String, shape: Vec<usize>, reach: f64| {
        let count: usize = shape.iter().product();
        let numbers = (0..count).map(|_| (reach * (2.0 * stream.unit() - 1.0)) as f32);
        b.constant(name, Tensor::f32(shape, numbers.collect()).unwrap())
    };
    for (number, channels) in [(1, 1), (2, CHANNELS), (3, CHANNELS)] {
        let shape = vec![CHANNELS, channels, 3, 3];
        let reach = (6.0 / (9 * channels) as f64).sqrt();
        let filters = drawn(&mut b, format!("conv{number}.weight"), shape, reach);
        let mut window = Window::plain(2);
        window.padding = Padding::SameUpper;
        let conv = Conv {
            window,
            conv_groups: 1,
        };
        x = b.node(format!("conv{number}"), Op::Conv(conv), &[x, filters]);
        let parameters = [
            ("scale", 1.0),
            ("shift", 0.0),
            ("mean", 0.0),
            ("variance", 1.0),
        ]
        .map(|(name, value)| {
            let name = format!("norm{number}.{name}");
            b.constant(
                name,
                Tensor::f32([CHANNELS], vec![value; CHANNELS]).unwrap(),
            )
        });
        let op = Op::BatchNorm {
            epsilon: 1e-5,
            momentum: 0.9,
        };
        let inputs: Vec<ValueId> = std::iter::once(x).chain(parameters).collect();
        x = b.node(format!("norm{number}"), op, &inputs);
        x = b.node(format!("relu{number}"), Op::Unary(Unary::Relu), &[x]);
    }
    x = b.node("flat", Op::Flatten { axis: 1 }, &[x]);
    let features = CHANNELS * SIDE * SIDE;
    let weight = drawn(&mut b, "dense.weight".into(), vec![features, 4], 0.1);
    let bias = b.constant("dense.bias", Tensor::f32([4], vec![0.0; 4]).unwrap());
    let y = b.node("dense", Op::Gemm(Gemm::default()), &[x, weight, bias]);
    b.output(y);
    b.build().unwrap()
}

const SGD: Optimizer = Optimizer::Sgd {
    momentum: 0.9,
    nesterov: false,
};

fn settings(penalty: Penalty, strength: f64, optimizer: Optimizer) -> Settings {
    let penalty = PenaltySettings {
        penalty,
        inputs: Inputs::Spared,
        ..common::group_lasso(strength)
    };
    Settings {
        optimizer,
        rate: match optimizer {
            Optimizer::Sgd { .. } => 0.05,
            Optimizer::Adam | Optimizer::AdamW => 3e-3,
        },
        epochs: 6,
        settle: 1,
        batch: 32,
        seed: 1,
        threads: 1,
        ..common::settings(Some(penalty))
    }
}

/// A run and what it told.
fn told(settings: &Settings) -> (Trained, Vec<String>) {
    let mut notes = vec![];
    let observer = &mut |event: Event<'_>| {
        if let Event::Note(text) = event {
            notes.push(text.to_owned());
        }
        Flow::Continue
    };
    let (train, validation) = (pictures(256, 1), pictures(128, 2));
    let trained = fit(network(), train, &validation, settings, observer).unwrap();
    (trained, notes)
}

/// Far beyond what any loss answers for.
const ABSURD: f64 = 1e6;

#[test]
fn no_penalty_empties_a_layer_and_layers_that_shrink_as_a_whole_are_told_by_name() {
    for penalty in Penalty::all() {
        for optimizer in [SGD, Optimizer::Adam] {
            for members in [Members::Outgoing, Members::Incoming] {
                let mut settings = settings(penalty, ABSURD, optimizer);
                settings.penalty.as_mut().unwrap().members = members;
                let (trained, notes) = told(&settings);
                let run = format!("{} {optimizer:?} {members:?}: {notes:#?}", penalty.name());
                assert!(trained.is_complete(), "{run}");
                for epoch in &trained.epochs {
                    assert!(epoch.loss.is_finite(), "{run}");
                    assert!(epoch.units.iter().all(|&units| units >= 1), "{run}");
                }
                for layer in ["conv1", "conv2"] {
                    let names = |note: &&String| note.contains(&format!(" {layer}"));
                    assert_eq!(notes.iter().filter(names).count(), 1, "{layer}, {run}");
                }
                let collapsed = trained.layers.iter().filter(|l| l.collapse.is_some());
                assert_eq!(collapsed.count(), notes.len(), "{run}");
            }
        }
    }
}

#[test]
fn a_penalty_that_removes_no_units_shrinks_them_alike() {
    let (trained, notes) = told(&settings(Penalty::SquaredL2(SquaredL2), 100.0, SGD));
    let [first, second, last] = trained.layers.as_slice() else {
        panic!("{:?}", trained.layers);
    };
    for layer in [first, second] {
        assert!(layer.is_scale_free);
        assert!(
            matches!(layer.collapse, Some(Collapse::Shrunk { .. })),
            "{layer:?}"
        );
    }
    // Nothing undoes what the dense layer behind it loses.
    assert!(!last.is_scale_free && last.collapse.is_none(), "{last:?}");
    assert!(notes[0].contains("all units of conv1 alike"), "{notes:?}");
}

#[test]
fn a_mild_strength_is_told_nothing_of_and_norms_are_those_of_the_network() {
    for penalty in Penalty::all() {
        for optimizer in [SGD, Optimizer::Adam] {
            let (trained, notes) = told(&settings(penalty, 1e-3, optimizer));
            assert!(notes.is_empty(), "{}: {notes:?}", penalty.name());
            let names: Vec<&str> = trained.layers.iter().map(|l| l.name.as_str()).collect();
            assert_eq!(names, ["conv1", "conv2", "conv3"]);
            for (index, layer) in trained.layers.iter().enumerate() {
                assert_eq!((layer.start.units, layer.collapse), (CHANNELS, None));
                let last = trained.epochs.last().unwrap();
                assert_eq!(layer.end, last.norms[index]);
                assert_eq!(layer.end.units, last.units[index]);
            }
            let filters = trained.graph.value_named("conv2.weight").unwrap();
            let filters = trained.graph.constant(filters).and_then(Tensor::as_f32);
            let squares: f64 = filters.unwrap().iter().map(|&w| f64::from(w).powi(2)).sum();
            let end = &trained.layers[0].end;
            assert!((end.rms.powi(2) * end.units as f64 / squares - 1.0).abs() < 1e-6);
            assert!(end.smallest <= end.rms && end.rms <= end.largest);
        }
    }
}

#[test]
fn a_run_without_a_penalty_has_no_penalised_layers() {
    let dense = Settings {
        penalty: None,
        settle: 0,
        ..settings(Penalty::GroupL0(GroupL0), 0.0, SGD)
    };
    let (trained, notes) = told(&dense);
    assert!(trained.layers.is_empty() && notes.is_empty());
    assert!(trained.epochs.iter().all(|e| e.norms.is_empty()));
}
