//! Models of others: every file that is there is read, told of, shrunk to half and verified.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use secateur::{Choice, ErrorKind, Limit, ModelFile, SmallModel, shrink_model};
use secateur_graph::{GroupKind, Member, ModelMeta, Role, Unary, to_model};
use secateur_onnx::proto::tensor_shape_proto::Dimension;
use secateur_onnx::proto::tensor_shape_proto::dimension::Value::{DimParam, DimValue};
use secateur_onnx::proto::type_proto::{Tensor, Value};
use secateur_onnx::proto::{
    NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
};
use secateur_prox::Share;
use secateur_testkit::{Block, Images, larger_data, mlp};

fn half() -> Choice {
    Choice::of("50%".parse().unwrap())
}

/// Three channels, and any number of rows and columns.
fn value_of_open_images() -> ValueInfoProto {
    let open = |name: &str| Dimension {
        value: Some(DimParam(name.into())),
        ..Dimension::default()
    };
    let channels = Dimension {
        value: Some(DimValue(3)),
        ..Dimension::default()
    };
    let tensor = Tensor {
        elem_type: Some(1),
        shape: TensorShapeProto {
            dim: vec![open("batch"), channels, open("height"), open("width")],
            ..TensorShapeProto::default()
        }
        .into(),
        ..Tensor::default()
    };
    ValueInfoProto {
        name: Some("x".into()),
        r#type: TypeProto {
            value: Some(Value::from(tensor)),
            ..TypeProto::default()
        }
        .into(),
        ..ValueInfoProto::default()
    }
}

/// Writes a drawn network and reads it as a user's model.
fn drawn(folder: &Path, blocks: &[Block]) -> ModelFile {
    let plan = Images {
        inputs: 3,
        blocks: blocks.to_vec(),
        flat: true,
        outputs: 4,
        seed: 5,
    };
    let model = to_model(&plan.build().unwrap(), &ModelMeta::default()).unwrap();
    let path = folder.join("drawn.onnx");
    std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
    ModelFile::read(&path).unwrap()
}

#[test]
fn half_of_a_network_is_verified_on_two_runtimes() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = [
        Block::Conv(8, 3, true),
        Block::BatchNorm,
        Block::Residual,
        Block::Dense(4),
        Block::Depthwise,
        Block::SqueezeExcite(4),
        Block::Shuffle,
        Block::MaxPool,
    ];
    let file = drawn(folder.path(), &blocks);
    let small = shrink_model(&file, &half()).unwrap();
    assert!(
        small.cost().macs * 2 < file.cost().macs,
        "{:?}",
        small.cost()
    );
    assert!(small.evidence().runtime_difference.unwrap() < 1e-4);
    assert_eq!(small.evidence().naive_difference, Some(0.0));
    // What is written is read again, and can be shrunk again.
    let path = folder.path().join("small.onnx");
    std::fs::write(&path, small.bytes()).unwrap();
    let again = ModelFile::read(&path).unwrap();
    assert_eq!(again.cost().macs, small.cost().macs);
    assert!(shrink_model(&again, &half()).unwrap().cost().macs < again.cost().macs);
}

/// A node that nothing here runs: the model is cut at it, if what it makes can be drawn.
#[test]
fn what_lies_around_an_unknown_node_is_verified_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let graph = mlp(&[4, 8, 6, 8, 2], Unary::Relu, 1).unwrap();
    let mut model = to_model(&graph, &ModelMeta::default()).unwrap();
    let whole = folder.path().join("whole.onnx");
    std::fs::write(&whole, secateur_onnx::write(&model).unwrap()).unwrap();
    let network = model.graph.as_option_mut().unwrap();
    let second = |node: &&mut NodeProto| node.op_type.as_deref() == Some("Relu");
    let at = network.node.iter_mut().filter(second).nth(1).unwrap();
    let made = std::mem::replace(&mut at.output[0], "before".into());
    network.node.push(NodeProto {
        op_type: Some("Mystery".into()),
        domain: Some("custom".into()),
        name: Some("mystery".into()),
        input: vec!["before".into()],
        output: vec![made.clone()],
        ..NodeProto::default()
    });
    // As a file lists them: after what it reads, before what reads it.
    let mystery = network.node.pop().unwrap();
    let place = network
        .node
        .iter()
        .position(|n| n.input.contains(&made))
        .unwrap();
    network.node.insert(place, mystery);
    let mut declared = network.output[0].clone();
    declared.name = Some(made);
    if let Some(Value::TensorType(tensor)) = declared.r#type.get_or_insert_default().value.as_mut()
    {
        tensor.shape.get_or_insert_default().dim[1].value = Some(DimValue(6));
    }
    let undeclared = model.clone();
    model
        .graph
        .get_or_insert_default()
        .value_info
        .push(declared);
    // Between two such nodes nothing tells a shape.
    let mut unknown = undeclared.clone();
    let nodes = &mut unknown.graph.as_option_mut().unwrap().node;
    let place = nodes
        .iter()
        .position(|n| n.op_type.as_deref() == Some("Mystery"))
        .unwrap();
    let mut second = nodes[place].clone();
    second.name = Some("second".into());
    second.input = vec!["between".into()];
    nodes[place].output = vec!["between".into()];
    nodes.insert(place + 1, second);
    for (mut model, is_known) in [(model, true), (undeclared, true), (unknown, false)] {
        model.opset_import.push(OperatorSetIdProto {
            domain: Some("custom".into()),
            version: Some(1),
            ..OperatorSetIdProto::default()
        });
        let path = folder.path().join("m.onnx");
        std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
        let file = ModelFile::read(&path).unwrap();
        match (shrink_model(&file, &half()), is_known) {
            (Ok(small), true) => {
                let evidence = small.evidence();
                assert_eq!(evidence.cut_at, ["mystery"]);
                assert_eq!(evidence.naive_difference, Some(0.0));
                assert!(evidence.masking_moved.unwrap() > 0.01, "{evidence:?}");
                // The same fields as where all of the model was run.
                let plain = ModelFile::read(&whole).unwrap();
                let whole = shrink_model(&plain, &half()).unwrap();
                let keys = |small: &SmallModel| -> Vec<String> {
                    let json = serde_json::to_value(small.evidence()).unwrap();
                    json.as_object().unwrap().keys().cloned().collect()
                };
                assert_eq!(keys(&small), keys(&whole));
                assert!(small.verified().contains("in pieces around 'mystery'"));
                // The first and the last layer lost half of their units, the two that touch the node none.
                let macs = file.cost().macs - small.cost().macs;
                assert_eq!(macs, 4 * 4 + 4 * 6 + 6 * 4 + 4 * 2);
            }
            (Err(error), false) => {
                let told = error.to_string();
                assert!(told.contains("nothing here can run this model"), "{told}");
            }
            (found, _) => panic!("{is_known}: {:?}", found.map(|s| s.evidence().clone())),
        }
    }
}

/// Images of any size: what the kernel needs is found by trying.
#[test]
fn open_axes_are_drawn_as_long_as_the_network_needs() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Images {
        inputs: 3,
        blocks: vec![
            Block::Conv(8, 5, true),
            Block::MaxPool,
            Block::Conv(4, 5, true),
            Block::MaxPool,
        ],
        flat: false,
        outputs: 4,
        seed: 5,
    };
    let mut model = to_model(&plan.build().unwrap(), &ModelMeta::default()).unwrap();
    let network = model.graph.as_option_mut().unwrap();
    network.input[0] = value_of_open_images();
    // No borders are added, so that 2 by 2 places are too few.
    for attribute in network.node.iter_mut().flat_map(|n| &mut n.attribute) {
        if attribute.name.as_deref() == Some("pads") {
            attribute.ints.fill(0);
        }
    }
    let path = folder.path().join("open.onnx");
    std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
    let file = ModelFile::read(&path).unwrap();
    assert!(
        file.headline()
            .join(" ")
            .contains("open axes count as one position")
    );
    let small = shrink_model(&file, &half()).unwrap();
    assert!(
        small.evidence().runtime_difference.is_some(),
        "{:?}",
        small.evidence()
    );
    assert!(
        3 * small.cost().macs < 2 * file.cost().macs,
        "{}",
        small.cost().macs
    );
}

#[test]
fn keeping_all_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = drawn(folder.path(), &[Block::Conv(4, 3, true), Block::Grouped(3)]);
    let choice = Choice {
        limit: "100%".parse().unwrap(),
        ..half()
    };
    let small = shrink_model(&file, &choice).unwrap();
    assert_eq!(
        small.bytes(),
        std::fs::read(folder.path().join("drawn.onnx")).unwrap()
    );
    assert!(small.cuts().is_empty());
}

#[test]
fn a_share_of_the_macs_is_met_as_nearly_as_units_allow() {
    let folder = tempfile::tempdir().unwrap();
    let file = drawn(
        folder.path(),
        &[Block::Conv(16, 3, true), Block::Conv(16, 3, false)],
    );
    let within = |share| Choice {
        limit: Limit::Counted(secateur_prox::Limit::macs(Share::new(share).unwrap())),
        ..half()
    };
    let whole = file.cost().macs as f64;
    for share in [0.2, 0.5, 0.8] {
        let small = shrink_model(&file, &within(share)).unwrap();
        let left = small.cost().macs as f64 / whole;
        assert!(left <= share && left > share - 0.06, "{left} of {share}");
        assert_eq!(
            small.nearest().is_some(),
            left < share - 0.02,
            "{left} of {share}"
        );
    }
    let error = shrink_model(&file, &within(1e-4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    assert!(
        error
            .to_string()
            .starts_with("--macs: no choice leaves less than"),
        "{error}"
    );
}

#[test]
fn named_units_go_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = drawn(folder.path(), &[Block::Conv(4, 3, true)]);
    let name = &file.groups().groups()[1].name;
    let dropping = |name: &str, units: &[usize]| Choice {
        limit: Limit::AllBut([(name.to_owned(), units.to_vec())].into()),
        ..half()
    };
    let small = shrink_model(&file, &dropping(name, &[0, 2])).unwrap();
    let id = file.groups().named(name).unwrap();
    assert_eq!(small.keep().kept(id), [1, 3]);
    for (name, units) in [
        ("nowhere", vec![0]),
        (name, vec![9]),
        (name, vec![0, 1, 2, 3]),
    ] {
        assert!(
            shrink_model(&file, &dropping(name, &units)).is_err(),
            "{name} {units:?}"
        );
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_of_usage() {
    let folder = tempfile::tempdir().unwrap();
    let file = drawn(folder.path(), &[Block::Conv(4, 3, true)]);
    let only = Some(regex::Regex::new("nowhere").unwrap());
    let error = shrink_model(&file, &Choice { only, ..half() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let except = Some(regex::Regex::new("conv").unwrap());
    let error = shrink_model(&file, &Choice { except, ..half() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    assert!(
        error.to_string().ends_with("no unit can be removed: 1 group, as it is an output of the graph; 1 group, as it is spared by --only or --except"),
        "{error}"
    );
}

/// A group is called after the first node that makes it; a pattern for another one means it, too.
#[test]
fn a_pattern_may_name_any_node_that_makes_a_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = drawn(folder.path(), &[Block::Conv(4, 3, true), Block::Residual]);
    let groups = file.groups().groups().iter();
    let inner = groups.filter(|g| g.kind == GroupKind::Hidden && g.frozen.is_none());
    let [group] = &inner.collect::<Vec<_>>()[..] else {
        panic!("{}", file.groups());
    };
    let graph = file.graph();
    let makes = |member: &&Member| member.role == Role::Produces;
    let makers = group.members.iter().filter(makes);
    let names = makers
        .flat_map(|m| graph.readers(m.tensor))
        .map(|&id| graph.node(id).name.clone());
    let other = names
        .into_iter()
        .find(|name| !group.name.contains(name.as_str()))
        .unwrap();
    let except = Some(regex::Regex::new(&format!("^{other}$")).unwrap());
    let error = shrink_model(&file, &Choice { except, ..half() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfReach);
    assert!(!shrink_model(&file, &half()).unwrap().keep().is_all());
}

#[test]
fn real_models_are_halved() {
    // Its twin with committed models is `half_of_each_is_verified_and_what_stays_is_told`.
    let Some(data) = larger_data() else { return };
    let models = data.join("onnx-models");
    let mut told = String::new();
    for name in [
        "burn/mnist.onnx",
        "rten/mnist.onnx",
        "rten/mnist-external/mnist.onnx",
        "wonnx/opt-mnist.onnx",
        "ultraface/version-slim-320_simplified.onnx",
        "ultraface/version-RFB-320.onnx",
        "tract/byte_sb_bidi_lstm.onnx",
        "tract/qlstm_3-2-3_T3_S1.onnx",
    ] {
        let file = ModelFile::read(&models.join(name)).unwrap();
        let small = match shrink_model(&file, &half()) {
            Ok(small) => small,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::OutOfReach, "{error}");
                let error = error.to_string();
                let folder = format!("{}/", models.display());
                told += &format!("{}\n", error.replace(&folder, ""));
                continue;
            }
        };
        told += &format!(
            "{name}: {} of {} MACs, {} of {} params\n",
            small.cost().macs,
            file.cost().macs,
            small.cost().params,
            file.cost().params
        );
        let frozen = file.groups().groups().iter().filter(|g| g.frozen.is_some());
        for group in frozen {
            told += &format!(
                "  {} stays, as it {}\n",
                group.name,
                group.frozen.as_ref().unwrap()
            );
        }
    }
    insta::assert_snapshot!(told);
}
