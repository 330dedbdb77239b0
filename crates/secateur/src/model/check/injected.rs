//! One output that differs by 1e-3 is found by each way to run models alone, in each of the models that it compares.

use secateur_graph::{Binary, Dim, GraphBuilder, ModelMeta, Op, Tensor, Unary, ValueId, to_model};
use secateur_onnx::proto::{ModelProto, OperatorSetIdProto};
use secateur_onnx::write_apart;

use super::*;

const SHARE: f32 = 1e-3;
const NOT_FINITE: &str = "the model gives outputs that are not finite numbers";

/// A number that is computed from the shape of a value, and a constant once that is settled: 2.
fn computed(b: &mut GraphBuilder, name: &str, x: ValueId) -> ValueId {
    let op = Op::Shape {
        start: 1,
        end: Some(2),
    };
    let shape = b.node(format!("shape of {name}"), op, &[x]);
    let op = Op::Cast { to: Element::F32 };
    b.node(name, op, &[shape])
}

/// An output, and a second one of what is behind it; each is multiplied by a number of its own in the end.
fn outputs() -> ModelProto {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let [v, w] = [("v", [1.0, 0.5, -0.5, 1.0]), ("w", [0.7, 1.0, 1.0, -0.3])]
        .map(|(name, w)| b.constant(name, Tensor::f32([2, 2], w.to_vec()).unwrap()));
    let numbers = ["c0", "c1"].map(|name| computed(&mut b, name, x));
    let first = b.node("first", Op::MatMul, &[x, v]);
    let hidden = b.node("hidden", Op::Unary(Unary::Relu), &[first]);
    let second = b.node("second", Op::MatMul, &[hidden, w]);
    let times = Op::Binary(Binary::Mul);
    let first = b.node("first times", times.clone(), &[first, numbers[0]]);
    let second = b.node("second times", times, &[second, numbers[1]]);
    let third = b.node("third", Op::Unary(Unary::Neg), &[second]);
    b.output(first);
    b.output(third);
    to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap()
}

/// The same, where nobody understands what makes the last output.
fn mystery() -> ModelProto {
    let mut model = outputs();
    let nodes = &mut model.graph.get_or_insert_default().node;
    let third = nodes
        .iter_mut()
        .find(|n| n.name.as_deref() == Some("third"));
    let third = third.unwrap();
    third.op_type = Some("Mystery".into());
    third.domain = Some("custom".into());
    model.opset_import.push(OperatorSetIdProto {
        domain: Some("custom".into()),
        version: Some(1),
        ..OperatorSetIdProto::default()
    });
    model
}

fn file(model: ModelProto) -> ModelFile {
    let graph = from_model(&model).unwrap();
    let file = ModelFile::of("m".into(), model, graph, 0).unwrap();
    assert!(file.is_settled());
    file
}

/// The network with a constant multiplied.
fn times(graph: &Graph, name: &str, factor: f32) -> Graph {
    let mut graph = graph.clone();
    let id = graph.value_named(name).unwrap();
    let old = graph.constant(id).unwrap();
    let numbers = old.as_f32().unwrap().iter().map(|v| v * factor).collect();
    let tensor = Tensor::f32(old.shape().to_vec(), numbers).unwrap();
    graph.set_constant(id, tensor).unwrap();
    graph
}

/// The network with one of its outputs grown by a share.
fn grown(graph: &Graph, output: usize, share: f32) -> Graph {
    times(graph, ["c0", "c1"][output], 1.0 + share)
}

/// What something finds for a file, the masked network and what is written.
fn found_by(
    run: impl Fn(&Models<'_>) -> Result<Found>,
    file: &ModelFile,
    masked: &Graph,
    small: &Graph,
) -> Result<Found> {
    run(&Models {
        file,
        masked: &|| Ok(masked.clone()),
        is_masked: true,
        small: &write_apart(file.patched(small)?, LOCATION)?,
    })
}

/// Holds what runs a model to finding each difference by itself.
fn finds_each(run: impl Fn(&Models<'_>) -> Result<Found>, model: &ModelProto) {
    let file = file(model.clone());
    let own = &file.graph;
    let is = |difference: f64| (9e-4..1.1e-3).contains(&difference);
    let is_none = |difference: f64| difference < 1e-6;
    let found = found_by(&run, &file, own, own).unwrap();
    assert!(is_none(found.small) && is_none(found.settled.unwrap()));
    assert!(is_none(found.moved.unwrap()));
    for output in [0, 1] {
        let other = grown(own, output, SHARE);
        let found = found_by(&run, &file, own, &other).unwrap();
        assert!(is(found.small), "{output}: {}", found.small);
        assert!(is_none(found.settled.unwrap()) && is_none(found.moved.unwrap()));

        // Masked and small are the same, and not what the file had.
        let found = found_by(&run, &file, &other, &other).unwrap();
        assert!(is_none(found.small) && is_none(found.settled.unwrap()));
        assert!(is(found.moved.unwrap()), "{output}: {:?}", found.moved);

        let mut wrongly_settled = file.clone();
        wrongly_settled.graph = other;
        let found = found_by(&run, &wrongly_settled, own, own).unwrap();
        assert!(is_none(found.small), "{}", found.small);
        let settled = found.settled.unwrap();
        assert!(is(settled), "{output}: {settled}");
    }
    let error = |masked: &Graph, small: &Graph| {
        let found = found_by(&run, &file, masked, small);
        found.map(|found| found.small)
    };
    let endless = times(own, "c1", f32::NAN);
    let refused = error(&endless, &endless).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Verification);
    assert!(refused.to_string().starts_with(NOT_FINITE), "{refused}");
    // Only what was written is no number: that is a difference.
    assert!(error(own, &endless).unwrap().is_nan());
}

fn inputs(models: &Models<'_>) -> Vec<Array> {
    arrays(models.file.draw(0, 2))
}

#[test]
fn the_runtime_finds_each_difference() {
    let run = |models: &Models<'_>| {
        let drawn = models.file.draw(0, 2);
        run_on_runtime(models, &drawn)?
    };
    finds_each(run, &outputs());
}

#[test]
fn the_naive_evaluator_finds_each_difference() {
    let run = |models: &Models<'_>| Ok(naive(models, &inputs(models), 0, false)?.unwrap());
    finds_each(run, &outputs());
}

#[test]
fn the_naive_evaluator_finds_each_difference_in_pieces() {
    let run = |models: &Models<'_>| {
        let found = naive(models, &inputs(models), 0, false)?.unwrap();
        assert_eq!(found.cut_at, ["third"]);
        Ok(found)
    };
    finds_each(run, &mystery());
}

#[test]
fn the_engine_finds_each_difference() {
    let run = |models: &Models<'_>| Ok(engine(models, &inputs(models), 0)?.unwrap().found);
    finds_each(run, &outputs());
}

#[test]
fn the_tolerance_is_that_of_single_precision() {
    for model in [outputs(), mystery()] {
        let file = file(model);
        for output in [0, 1] {
            let checked = |share| {
                let small = grown(&file.graph, output, share);
                let models = Models {
                    file: &file,
                    masked: &|| Ok(file.graph.clone()),
                    is_masked: true,
                    small: &write_apart(file.patched(&small).unwrap(), LOCATION).unwrap(),
                };
                check(&models, 0)
            };
            let evidence = checked(5e-5).unwrap();
            let found = [evidence.runtime_difference, evidence.naive_difference];
            let found = found.iter().flatten();
            assert!(found.clone().count() > 0);
            assert!(found.clone().all(|d| (4e-5..6e-5).contains(d)));
            for share in [2e-4, SHARE] {
                let error = checked(share).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
            }
        }
    }
}

/// The second of two numbers, perhaps between much of the first that is added and taken away, in whatever order.
fn summed(weights: [f32; 4]) -> ModelProto {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let c = computed(&mut b, "c", x);
    let y = b.node("times", Op::Binary(Binary::Mul), &[x, c]);
    let spread = vec![1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    let spread = b.constant("spread", Tensor::f32([2, 4], spread).unwrap());
    let y = b.node("first", Op::MatMul, &[y, spread]);
    let w = b.constant("w", Tensor::f32([4, 1], weights.to_vec()).unwrap());
    let y = b.node("second", Op::MatMul, &[y, w]);
    b.output(y);
    to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap()
}

/// Of each model that the engine runs, a node is wrong in single precision, and right in the others.
#[test]
fn the_naive_evaluator_finds_the_engine_wrong_about_each_model_alone() {
    let (right, wrong) = ([0.0, 1.0, 0.0, 0.0], [32768.0, 1.0, -16384.0, -16384.0]);
    let sampled = |plain, masked, small| {
        let network = |weights| file(summed(weights)).graph;
        let mut file = file(summed(plain));
        file.graph = network(right);
        // Written by itself: the file would keep its own weights where its network did not change.
        let small = to_model(&network(small), &ModelMeta::default()).unwrap();
        let models = Models {
            file: &file,
            masked: &|| Ok(network(masked)),
            is_masked: true,
            small: &write_apart(small, LOCATION).unwrap(),
        };
        let held = engine(&models, &inputs(&models), 0).unwrap();
        held.unwrap().sampled
    };
    let none = sampled(right, right, right);
    assert!(none.difference < 1e-6, "{none:?}");
    for (which, found) in [
        ("file", sampled(wrong, right, right)),
        ("masked", sampled(right, wrong, right)),
        ("small", sampled(right, right, wrong)),
    ] {
        assert!(found.difference > 3e-4, "{which}: {found:?}");
        assert_eq!(found.node, "second", "{which}");
    }
}
