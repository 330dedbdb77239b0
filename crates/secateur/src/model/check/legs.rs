//! What runs a model finds a difference without the others, and evidence is the same whatever ran.

use secateur_graph::{
    Binary, Conv, Dim, GraphBuilder, ModelMeta, Op, Tensor, Unary, ValueId, Window, mask, shrink,
    to_model,
};
use secateur_onnx::{write_apart, write_parts};
use secateur_testkit::{Stream, mlp};

use super::*;
use crate::Choice;

fn file(graph: &Graph) -> ModelFile {
    let model = to_model(graph, &ModelMeta::default()).unwrap();
    ModelFile::of("m".into(), model, graph.clone(), 0).unwrap()
}

/// A network that grows behind an input of volumes, which the independent runtime has no convolutions for.
struct Volumes {
    b: GraphBuilder,
    stream: Stream,
    x: ValueId,
}

impl Volumes {
    fn new(channels: usize) -> Self {
        let mut b = GraphBuilder::new("volumes");
        let places = [Dim::Fixed(1), Dim::Fixed(2), Dim::Fixed(2)];
        let mut dims = vec![Dim::batch(), Dim::Fixed(channels)];
        dims.extend(places);
        let x = b.input("x", dims);
        Self {
            b,
            stream: Stream::new(7),
            x,
        }
    }

    fn conv(&mut self, name: &str, x: ValueId, shape: [usize; 2], weights: &[f32]) -> ValueId {
        let tensor = Tensor::f32([shape[0], shape[1], 1, 1, 1], weights.to_vec()).unwrap();
        let w = self.b.constant(format!("{name}.w"), tensor);
        let conv = Conv {
            window: Window::plain(3),
            conv_groups: 1,
        };
        self.b.node(name, Op::Conv(conv), &[x, w])
    }

    fn drawn(&mut self, name: &str, x: ValueId, shape: [usize; 2]) -> ValueId {
        let count = shape[0] * shape[1];
        let weights: Vec<f32> = (0..count).map(|_| self.stream.unit() as f32).collect();
        self.conv(name, x, shape, &weights)
    }

    fn build(mut self, y: ValueId) -> Graph {
        self.b.output(y);
        self.b.build().unwrap()
    }
}

fn two_layers() -> Graph {
    let mut net = Volumes::new(2);
    let y = net.drawn("a", net.x, [4, 2]);
    let y = net.b.node("relu", Op::Unary(Unary::Relu), &[y]);
    let y = net.drawn("b", y, [3, 4]);
    net.build(y)
}

/// Adds numbers and takes them away again, to each of `width` places, which leaves what the precision of the sum does.
fn added(b: &mut GraphBuilder, y: ValueId, width: usize, numbers: &[f32]) -> ValueId {
    let mut y = y;
    for (i, &number) in numbers.iter().enumerate() {
        let c = Tensor::f32([width], vec![number; width]).unwrap();
        let c = b.constant(format!("n{i}"), c);
        y = b.node(format!("add{i}"), Op::Binary(Binary::Add), &[y, c]);
    }
    y
}

fn product(numbers: &[f32]) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let w = Tensor::f32([2, 2], vec![1.0, 0.5, -0.5, 1.0]).unwrap();
    let w = b.constant("w", w);
    let y = b.node("y", Op::MatMul, &[x, w]);
    let y = added(&mut b, y, 2, numbers);
    b.output(y);
    b.build().unwrap()
}

/// The file beside another one that is taken for its small model.
fn beside(graph: &Graph, small: &Graph, naive_macs: u64) -> Result<ModelEvidence> {
    let model = to_model(small, &ModelMeta::default()).unwrap();
    let models = Models {
        file: &file(graph),
        masked: &|| Ok(graph.clone()),
        is_masked: true,
        small: &write_apart(model, LOCATION).unwrap(),
    };
    check_within(&models, 0, naive_macs)
}

fn fails(found: Result<ModelEvidence>, which: &str) {
    let error = found.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification);
    let text = error.to_string();
    assert!(text.starts_with(which), "{text}");
    let by = text.split(" by ").nth(1).unwrap();
    let by: f64 = by.split(' ').next().unwrap().parse().unwrap();
    assert!((3e-4..3e-3).contains(&by), "{text}");
    assert!(error.hint_text().is_some());
}

/// In single precision, half of a step of 2^-8 is lost, of outputs about 1.
const LOST: [f32; 2] = [32768.0, -32768.0];

#[test]
fn the_runtime_alone_sees_a_difference_of_single_precision() {
    let (graph, small) = (product(&[]), product(&LOST));
    fails(
        beside(&graph, &small, NAIVE_MACS),
        "the small model differs from the masked one",
    );
    // Without it there is none.
    let inputs = arrays(file(&graph).draw(0, 2));
    let model = to_model(&small, &ModelMeta::default()).unwrap();
    let models = Models {
        file: &file(&graph),
        masked: &|| Ok(graph.clone()),
        is_masked: true,
        small: &write_apart(model, LOCATION).unwrap(),
    };
    let found = naive(&models, &inputs, 0, true).unwrap().unwrap();
    assert!(found.small < 1e-9, "{}", found.small);
}

#[test]
fn the_naive_evaluator_alone_sees_a_difference_that_single_precision_loses() {
    // Steps of 1/4, which 2e-3 rarely crosses.
    let wide = 2_097_152.0;
    let (graph, small) = (product(&[wide, -wide]), product(&[2e-3, wide, -wide]));
    fails(
        beside(&graph, &small, NAIVE_MACS),
        "the small model differs from the masked one",
    );
    // Without it there is none: the runtime alone finds both equal.
    let runtime = beside(&graph, &small, 0).unwrap();
    assert_eq!(runtime.runtime_difference, Some(0.0));
    assert_eq!(runtime.naive_difference, None);
}

#[test]
fn the_engine_alone_sees_a_difference_where_the_runtime_refuses() {
    let volumes = |numbers: &[f32]| {
        let mut net = Volumes::new(2);
        let y = net.drawn("a", net.x, [3, 2]);
        let y = added(&mut net.b, y, 2, numbers);
        net.build(y)
    };
    let (graph, small) = (volumes(&[]), volumes(&LOST));
    fails(
        beside(&graph, &small, 0),
        "the small model differs from the masked one",
    );
    // Without it there is none: the evaluator finds both equal.
    let naive = beside(&graph, &small, NAIVE_MACS).unwrap();
    assert!(naive.naive_difference.unwrap() < 1e-9, "{naive:?}");
}

#[test]
fn the_naive_evaluator_alone_sees_that_the_engine_is_wrong() {
    let mut net = Volumes::new(2);
    let first = net.conv("first", net.x, [3, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    // What the first and the last channel have in common is taken away, and a part of the other with it.
    let y = net.conv("second", first, [1, 3], &[LOST[0], 1.0, LOST[1]]);
    let graph = net.build(y);
    fails(
        beside(&graph, &graph, 0),
        "the engine at 'second' differs from the f64 evaluator",
    );
    let naive = beside(&graph, &graph, NAIVE_MACS).unwrap();
    assert_eq!(naive.naive_difference, Some(0.0));
}

/// Half of the units of a model, verified.
fn halved(graph: &Graph, naive_macs: u64) -> ModelEvidence {
    let file = file(graph);
    let choice = Choice::of("50%".parse().unwrap());
    let keep = choice.decide(&file.graph, &file.groups).unwrap();
    let small = shrink(&file.graph, &file.groups, &keep).unwrap().graph;
    let small = file.patched(&small).unwrap();
    let models = Models {
        file: &file,
        masked: &|| Ok(mask(&file.graph, &file.groups, &keep)?),
        is_masked: true,
        small: &write_parts(small, LOCATION).unwrap(),
    };
    check_within(&models, 0, naive_macs).unwrap()
}

#[test]
fn evidence_has_the_same_fields_on_every_route() {
    let dense = mlp(&[3, 8, 2], Unary::Relu, 1).unwrap();
    let volumes = two_layers();
    let routes = [
        (halved(&dense, NAIVE_MACS), [true, true, false]),
        (halved(&dense, 0), [true, false, false]),
        (halved(&volumes, NAIVE_MACS), [false, true, false]),
        (halved(&volumes, 0), [false, false, true]),
    ];
    let mut keys: Vec<Vec<String>> = vec![];
    for (evidence, ran) in &routes {
        let found = [
            evidence.runtime_difference,
            evidence.naive_difference,
            evidence.engine_difference,
        ];
        assert_eq!(&found.map(|f| f.is_some()), ran, "{evidence:?}");
        assert!(found.iter().flatten().all(|d| *d < 1e-6), "{evidence:?}");
        assert_eq!(evidence.engine_sampled.is_some(), ran[2]);
        assert_eq!(evidence.runtime_refused.is_none(), ran[0]);
        assert!(evidence.masking_moved.unwrap() > 0.01, "{evidence:?}");
        let json = serde_json::to_value(evidence).unwrap();
        keys.push(json.as_object().unwrap().keys().cloned().collect());
    }
    assert!(keys.iter().all(|own| *own == keys[0]), "{keys:?}");
    // What moved is the same, whoever found it.
    let moved = |route: usize| routes[route].0.masking_moved.unwrap();
    assert!((moved(2) - moved(3)).abs() < 1e-5);
}
