//! What shrinking does not touch comes back as it was, wherever in the file it is.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use secateur::{Choice, Limit, ModelFile, SmallModel, shrink_model};
use secateur_graph::{ModelMeta, to_model};
use secateur_onnx::proto::{
    DeviceConfigurationProto, GraphProto, ModelProto, NodeDeviceConfigurationProto,
    SparseTensorProto, StringStringEntryProto,
};
use secateur_onnx::{
    Limits, i64_tensor, keep_inside, read, read_file, take_in_external, write, write_apart,
};
use secateur_prox::Share;
use secateur_testkit::{Block, Images, model_files};

/// Holds tensors and nodes with fields that no schema knows.
const EVERYTHING: &[u8] = include_bytes!("../../onnx/tests/fixtures/everything.onnx");

fn of(share: f64) -> Choice {
    Choice::of(Limit::Units(Share::new(share).unwrap()))
}

/// Two convolutions and two dense layers.
fn drawn() -> ModelProto {
    let blocks = [
        Block::Conv(8, 3, true),
        Block::BatchNorm,
        Block::Conv(6, 3, true),
    ];
    let plan = Images {
        inputs: 3,
        blocks: blocks.to_vec(),
        flat: true,
        outputs: 4,
        seed: 5,
    };
    to_model(&plan.build().unwrap(), &ModelMeta::default()).unwrap()
}

fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.get_or_insert_default()
}

/// A model as a user's file, and what is left of it.
fn shrunk(folder: &Path, model: &ModelProto, share: f64) -> SmallModel {
    let path = folder.join("model.onnx");
    std::fs::write(&path, write(model).unwrap()).unwrap();
    shrink_model(&ModelFile::read(&path).unwrap(), &of(share)).unwrap()
}

#[test]
fn files_come_back_byte_by_byte_if_all_is_kept() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    let mut files = model_files(&own).unwrap();
    if let Some(data) = std::env::var_os("SECATEUR_DATA") {
        files.extend(model_files(&Path::new(&data).join("onnx-models")).unwrap());
    }
    let limits = Limits::default();
    let mut kept = 0;
    for path in files {
        let before = std::fs::read(&path).unwrap();
        let model = read(&before, &limits).unwrap();
        assert!(write(&model).unwrap() == before, "{}", path.display());
        let file = ModelFile::read(&path).unwrap();
        // Some can be read and not be run here.
        let Ok(small) = shrink_model(&file, &of(1.0)) else {
            continue;
        };
        kept += 1;
        if small.data().is_empty() {
            assert!(small.bytes() == before, "{}", path.display());
            continue;
        }
        // Under its own name the model is the same but for where in the other file its data are.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join(path.file_name().unwrap());
        small.write(&copy).unwrap();
        let inside = |path: &Path| {
            let mut model = read_file(path, &limits).unwrap();
            take_in_external(&mut model, path.parent().unwrap(), &limits).unwrap();
            keep_inside(&mut model);
            model
        };
        assert!(inside(&copy) == inside(&path), "{}", path.display());
    }
    assert!(kept >= 32, "{kept}");
}

fn entry(key: &str) -> StringStringEntryProto {
    StringStringEntryProto {
        key: Some(key.into()),
        value: Some(format!("of {key}")),
        ..StringStringEntryProto::default()
    }
}

/// Says something at every place where that is possible, also in fields that no schema knows.
fn adorned() -> ModelProto {
    let odd = read(EVERYTHING, &Limits::default()).unwrap();
    let mut model = ModelProto {
        doc_string: Some("a model".into()),
        model_version: Some(7),
        domain: Some("com.example".into()),
        metadata_props: vec![entry("model")],
        configuration: vec![DeviceConfigurationProto {
            name: Some("two".into()),
            num_devices: Some(2),
            ..DeviceConfigurationProto::default()
        }],
        graph: Default::default(),
        ir_version: Some(11),
        opset_import: vec![],
        ..odd.clone()
    };
    let plain = drawn();
    model.training_info.clear();
    model.functions = odd.functions.clone();
    model.opset_import = odd.opset_import.clone();
    let mut own = plain.graph.as_option().unwrap().clone();
    own.doc_string = Some("a graph".into());
    own.metadata_props = vec![entry("graph")];
    for (index, node) in own.node.iter_mut().enumerate() {
        let template = odd.graph.node[0].clone();
        *node = secateur_onnx::proto::NodeProto {
            doc_string: Some(format!("node {index}")),
            overload: Some(String::new()),
            metadata_props: vec![entry(&format!("node {index}"))],
            device_configurations: vec![NodeDeviceConfigurationProto {
                configuration_id: Some("two".into()),
                ..NodeDeviceConfigurationProto::default()
            }],
            name: node.name.clone(),
            op_type: node.op_type.clone(),
            domain: None,
            input: node.input.clone(),
            output: node.output.clone(),
            attribute: node.attribute.clone(),
            ..template
        };
        for attribute in &mut node.attribute {
            attribute.doc_string = Some("an attribute".into());
        }
    }
    for (index, tensor) in own.initializer.iter_mut().enumerate() {
        let template = odd.graph.initializer[0].clone();
        *tensor = secateur_onnx::proto::TensorProto {
            doc_string: Some(format!("tensor {index}")),
            metadata_props: vec![entry(&format!("tensor {index}"))],
            dims: tensor.dims.clone(),
            data_type: tensor.data_type,
            name: tensor.name.clone(),
            raw_data: tensor.raw_data.clone(),
            float_data: vec![],
            ..template
        };
    }
    for info in own.input.iter_mut().chain(&mut own.output) {
        info.doc_string = Some("a value".into());
        info.metadata_props = vec![entry("value")];
        let r#type = info.r#type.as_option_mut().unwrap();
        r#type.denotation = Some("TENSOR".into());
    }
    model.graph = own.into();
    model
}

/// A message without what shrinking may change.
fn but_for_sizes(model: &ModelProto) -> ModelProto {
    let mut model = model.clone();
    for tensor in &mut graph(&mut model).initializer {
        tensor.dims.clear();
        tensor.raw_data = None;
    }
    model
}

#[test]
fn what_is_said_at_any_place_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let model = adorned();
    let small = shrunk(folder.path(), &model, 0.5);
    let back = read(small.bytes(), &Limits::default()).unwrap();
    assert!(small.cuts().len() > 5);
    assert_eq!(but_for_sizes(&back), but_for_sizes(&model));
    // Debug forms, by which equality is told above, leave unknown fields out.
    let odd = b"from a newer schema";
    let count = |bytes: &[u8]| bytes.windows(odd.len()).filter(|w| w == odd).count();
    let wanted = 1 + model.graph.node.len() + model.graph.initializer.len();
    assert_eq!(
        (count(&write(&model).unwrap()), count(small.bytes())),
        (wanted, wanted)
    );
}

#[test]
fn sparse_tensors_are_verified_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = drawn();
    let last = graph(&mut model).initializer.len() - 2;
    let mut values = graph(&mut model).initializer.remove(last);
    let dims = std::mem::take(&mut values.dims);
    assert_eq!(dims.len(), 2);
    let count: i64 = dims.iter().product();
    values.dims = vec![count];
    let indices: Vec<i64> = (0..count).collect();
    let sparse = SparseTensorProto {
        values: values.into(),
        indices: i64_tensor("", &[count as usize], &indices).unwrap().into(),
        dims,
        ..SparseTensorProto::default()
    };
    graph(&mut model).sparse_initializer = vec![sparse.clone()];
    let small = shrunk(folder.path(), &model, 0.5);
    assert!(small.evidence().runtime_difference.unwrap() < 1e-4);
    assert!(!small.cuts().is_empty());
    let back = read(small.bytes(), &Limits::default()).unwrap();
    assert_eq!(back.graph.sparse_initializer, [sparse]);
    assert!(
        back.graph
            .initializer
            .iter()
            .all(|t| t.name != model.graph.sparse_initializer[0].values.name)
    );
}

/// Tensors that are read by nodes of a subgraph or a function are looked up in the other file, too.
#[test]
fn data_of_functions_are_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = adorned();
    let long = graph(&mut model).initializer.clone();
    let constant = secateur_onnx::proto::AttributeProto {
        name: Some("value".into()),
        tensors: long,
        ..Default::default()
    };
    model.functions[0].node[0].attribute.push(constant);
    let parts = write_apart(model, "weights").unwrap();
    std::fs::write(folder.path().join("weights"), &parts.data).unwrap();
    std::fs::write(folder.path().join("model.onnx"), &parts.model).unwrap();
    let file = ModelFile::read(&folder.path().join("model.onnx")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let out = elsewhere.path().join("small.onnx");
    shrink_model(&file, &of(0.5)).unwrap().write(&out).unwrap();
    let limits = Limits::default();
    let functions = |path: &Path| {
        let mut model = read_file(path, &limits).unwrap();
        take_in_external(&mut model, path.parent().unwrap(), &limits).unwrap();
        keep_inside(&mut model);
        model.functions
    };
    assert_eq!(
        functions(&out),
        functions(&folder.path().join("model.onnx"))
    );
}
