//! Models of others from reading to writing: initializers that are inputs too, and what is known before anything is trained.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use secateur::latency::{Engine, Settings, measure};
use secateur::{
    Choice, Config, ErrorKind, Flow, ModelFile, Progress, SmallModel, compress, shrink_model,
};
use secateur_graph::{Binary, Dim, Graph, GraphBuilder, ModelMeta, Op, Tensor, Unary, to_model};
use secateur_onnx::proto::{ModelProto, SparseTensorProto, ValueInfoProto};
use secateur_onnx::{Limits, f32_tensor, i64_tensor, read, shape, write};
use secateur_testkit::mlp;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/given")
        .join(name)
}

/// Rows of 64 numbers, brought into another shape by whole numbers and back, and two layers.
fn reshaping() -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(64)]);
    let shape = b.constant("shape", Tensor::i64([3], vec![-1, 4, 16]).unwrap());
    let halves = b.node("halves", Op::Reshape { allow_zero: false }, &[x, shape]);
    let flat = b.node("flat", Op::Flatten { axis: 1 }, &[halves]);
    let weights = |rows: usize, columns: usize| {
        let numbers = (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 400.0);
        Tensor::f32([rows, columns], numbers.collect()).unwrap()
    };
    let first = b.constant("first", weights(64, 12));
    let bias = b.constant("bias", Tensor::f32([12], vec![0.1; 12]).unwrap());
    let second = b.constant("second", weights(12, 10));
    let made = b.node("made", Op::MatMul, &[flat, first]);
    let moved = b.node("moved", Op::Binary(Binary::Add), &[made, bias]);
    let hidden = b.node("hidden", Op::Unary(Unary::Relu), &[moved]);
    let y = b.node("y", Op::MatMul, &[hidden, second]);
    b.output(y);
    b.build().unwrap()
}

/// The file as one of the format's third version: all initializers are listed as inputs, one before the real one.
fn listed() -> ModelProto {
    let mut model = to_model(&reshaping(), &ModelMeta::default()).unwrap();
    model.ir_version = Some(3);
    let graph = model.graph.as_option_mut().unwrap();
    let info = |name: &str, tensor: &secateur_onnx::proto::TensorProto| {
        use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension::Value::DimValue};
        use secateur_onnx::proto::type_proto::{Tensor, Value};
        use secateur_onnx::proto::{TensorShapeProto, TypeProto};
        let dim = |&n: &i64| Dimension {
            value: Some(DimValue(n)),
            ..Dimension::default()
        };
        let declared = Tensor {
            elem_type: tensor.data_type,
            shape: TensorShapeProto {
                dim: tensor.dims.iter().map(dim).collect(),
                ..TensorShapeProto::default()
            }
            .into(),
            ..Tensor::default()
        };
        ValueInfoProto {
            name: Some(name.to_owned()),
            r#type: TypeProto {
                value: Some(Value::from(declared)),
                ..TypeProto::default()
            }
            .into(),
            ..ValueInfoProto::default()
        }
    };
    let tensors = graph.initializer.iter();
    let mut inputs: Vec<ValueInfoProto> = tensors
        .map(|t| info(t.name.as_deref().unwrap(), t))
        .collect();
    inputs.splice(1..1, graph.input.drain(..));
    graph.input = inputs;
    model
}

/// The same with a sparse initializer, listed too, that is added to the outputs.
fn listed_and_sparse() -> ModelProto {
    let mut model = listed();
    let graph = model.graph.as_option_mut().unwrap();
    let mut add = graph
        .node
        .iter()
        .find(|n| n.op_type.as_deref() == Some("Add"))
        .unwrap()
        .clone();
    let made = graph.output[0].name.clone().unwrap();
    let last = graph
        .node
        .iter_mut()
        .find(|n| n.output.contains(&made))
        .unwrap();
    last.output = vec!["before".into()];
    add.name = Some("shifted".into());
    add.input = vec!["before".into(), "shift".into()];
    add.output = vec![made];
    graph.node.push(add);
    graph.sparse_initializer.push(SparseTensorProto {
        values: f32_tensor("shift", &[2], &[1.0, -1.0]).unwrap().into(),
        indices: i64_tensor("", &[2], &[3, 7]).unwrap().into(),
        dims: vec![10],
        ..SparseTensorProto::default()
    });
    let mut info = graph.input[0].clone();
    info.name = Some("shift".into());
    info.r#type = graph
        .input
        .iter()
        .find(|i| i.name.as_deref() == Some("bias"))
        .unwrap()
        .r#type
        .clone();
    graph.input.push(info);
    model
}

/// A network that the engine trains and the independent runtime refuses.
fn refused() -> ModelProto {
    let graph = mlp(&[64, 8, 10], Unary::Mish, 1).unwrap();
    to_model(&graph, &ModelMeta::default()).unwrap()
}

/// `UPDATE_GIVEN=1` writes them anew.
#[test]
fn fixtures_are_as_they_were_made() {
    for (name, model) in [("listed.onnx", listed()), ("refused.onnx", refused())] {
        let bytes = write(&model).unwrap();
        if std::env::var_os("UPDATE_GIVEN").is_some() {
            std::fs::write(fixture(name), &bytes).unwrap();
        }
        assert!(std::fs::read(fixture(name)).unwrap() == bytes, "{name}");
    }
}

fn names(model: &ModelProto) -> Vec<&str> {
    let inputs = model.graph.input.iter();
    inputs.map(|i| i.name.as_deref().unwrap()).collect()
}

fn half(file: &ModelFile) -> SmallModel {
    shrink_model(file, &Choice::of("50%".parse().unwrap())).unwrap()
}

#[test]
fn initializers_that_are_inputs_are_shrunk_and_stay_listed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, model) in [("a", listed()), ("b", listed_and_sparse())] {
        let path = folder.path().join(name);
        std::fs::write(&path, write(&model).unwrap()).unwrap();
        let file = ModelFile::read(&path).unwrap();
        file.verify_beforehand(0).unwrap();
        let small = half(&file);
        assert!(
            small.evidence().runtime_difference.unwrap() < 1e-4,
            "{name}"
        );
        assert!(small.evidence().masking_moved.unwrap() > 1e-3, "{name}");
        let written = read(small.bytes(), &Limits::default()).unwrap();
        assert_eq!(names(&written), names(&model));
        let first = |t: &&secateur_onnx::proto::TensorProto| t.name.as_deref() == Some("first");
        let first = written.graph.initializer.iter().find(first).unwrap();
        assert_eq!(shape(first).unwrap(), [64, 6]);
        let all = Choice::of("100%".parse().unwrap());
        let same = shrink_model(&file, &all).unwrap();
        assert!(same.bytes() == std::fs::read(&path).unwrap(), "{name}");
    }
}

/// Weights are brought into their shape by a node, as some converters do: both of its inputs go, and what it made comes.
#[test]
fn the_list_follows_what_went_and_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = listed();
    let graph = model.graph.as_option_mut().unwrap();
    for tensor in &mut graph.initializer {
        if tensor.name.as_deref() == Some("second") {
            tensor.dims = vec![120];
        }
    }
    let node = |op: &str, inputs: [&str; 2], made: &str| secateur_onnx::proto::NodeProto {
        op_type: Some(op.into()),
        name: Some(made.to_owned()),
        input: inputs.map(str::to_owned).to_vec(),
        output: vec![made.to_owned()],
        ..Default::default()
    };
    let last = graph.node.last_mut().unwrap();
    last.input[1] = "shaped".into();
    graph
        .node
        .insert(0, node("Reshape", ["second", "form"], "shaped"));
    graph
        .initializer
        .push(i64_tensor("form", &[2], &[12, 10]).unwrap());
    let mut info = graph.input[0].clone();
    info.name = Some("form".into());
    graph.input.push(info);
    let path = folder.path().join("m.onnx");
    std::fs::write(&path, write(&model).unwrap()).unwrap();
    let file = ModelFile::read(&path).unwrap();
    let small = half(&file);
    assert!(small.evidence().runtime_difference.unwrap() < 1e-4);
    let written = read(small.bytes(), &Limits::default()).unwrap();
    let listed = names(&written);
    assert!(
        !listed.contains(&"second") && !listed.contains(&"form"),
        "{listed:?}"
    );
    // The third version of the format wants all of them listed.
    let held = written.graph.initializer.iter();
    let mut held = held.map(|t| t.name.as_deref().unwrap());
    assert!(held.all(|name| listed.contains(&name)), "{listed:?}");
    assert!(listed.contains(&"shaped") && listed.contains(&"x"));
}

#[test]
fn initializers_that_are_inputs_have_latencies_on_both_engines() {
    let file = ModelFile::read(&fixture("listed.onnx")).unwrap();
    let settings = Settings {
        batches: vec![1],
        seconds: 0.001,
        ..Settings::default()
    };
    let told = measure(&[file], &settings, &mut |_| {}).unwrap();
    for engine in Engine::ALL {
        let latency = told.latencies.iter().find(|l| l.engine == engine).unwrap();
        assert!(latency.measured.is_some(), "{latency:?}");
    }
}

/// A short run from a model, and how often it told of training.
fn trained(path: &Path) -> (secateur::Result<secateur::Outcome>, usize) {
    let config = Config {
        data: Some("digits".into()),
        model: Some(path.display().to_string()),
        epochs: Some(2),
        settle: Some(0),
        threads: Some(1),
        ..Config::default()
    };
    let mut told = 0;
    let outcome = compress(&config, None, &mut |progress| {
        told += usize::from(matches!(progress, Progress::Train { .. }));
        Flow::Continue
    });
    (outcome, told)
}

#[test]
fn initializers_that_are_inputs_are_trained_and_stay_listed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, model) in [("a", listed()), ("b", listed_and_sparse())] {
        let path = folder.path().join(name);
        std::fs::write(&path, write(&model).unwrap()).unwrap();
        let outcome = trained(&path).0.unwrap();
        let difference = outcome.report.verify.runtime_difference;
        assert!(
            difference > 1e-9 && difference < 1e-5,
            "{name}: {difference}"
        );
        let written = read(outcome.model.bytes(), &Limits::default()).unwrap();
        assert_eq!(names(&written), names(&model));
    }
}

#[test]
fn a_result_that_could_not_be_verified_is_not_trained() {
    let path = fixture("refused.onnx");
    let (outcome, told) = trained(&path);
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), told), (ErrorKind::Verification, 0));
    let text = error.to_string();
    assert!(
        text.contains("refused.onnx: the model as it is cannot be verified"),
        "{text}"
    );
    // The f64 evaluator alone is enough for what is not trained.
    let file = ModelFile::read(&path).unwrap();
    assert!(half(&file).evidence().runtime_refused.is_some());
}
