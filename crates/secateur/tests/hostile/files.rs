//! Bytes that are no model, and tensors that do not hold what they say.

use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::tensor_proto::DataLocation;
use secateur_onnx::proto::{
    AttributeProto, GraphProto, NodeProto, StringStringEntryProto, TensorProto,
};
use secateur_onnx::write;

use crate::Case;
use crate::base::{model, spoilt};

/// No model at all.
pub(crate) fn bytes() -> Vec<Case> {
    let whole = write(&model()).unwrap();
    let cut = |share: usize| whole[..whole.len() * share / 8].to_vec();
    // A graph field that claims 2^63 bytes.
    let mut claim = vec![0x3a];
    claim.extend([0xff; 8]);
    claim.push(0x7f);
    // The same, but with a length that no 64 bits hold.
    let mut endless = vec![0x3a];
    endless.extend([0xff; 16]);
    vec![
        ("empty", vec![]),
        ("cut-1-of-8", cut(1)),
        ("cut-4-of-8", cut(4)),
        ("cut-7-of-8", cut(7)),
        ("cut-last-byte", whole[..whole.len() - 1].to_vec()),
        ("text", b"This is no model, but a line of text.\n".to_vec()),
        (
            "png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0".to_vec(),
        ),
        ("claims-2-to-63-bytes", claim),
        ("endless-length", endless),
        ("deep-subgraphs", deep(60)),
        ("subgraph", deep(1)),
    ]
}

/// A node with a subgraph in which a node has a subgraph, and so on.
fn deep(levels: usize) -> Vec<u8> {
    let mut inner = GraphProto::default();
    for _ in 0..levels {
        let holder = NodeProto {
            op_type: Some("If".into()),
            attribute: vec![AttributeProto {
                name: Some("then_branch".into()),
                r#type: Some(AttributeType::GRAPH),
                g: inner.into(),
                ..AttributeProto::default()
            }],
            output: vec!["i".into()],
            ..NodeProto::default()
        };
        inner = GraphProto {
            node: vec![holder],
            ..GraphProto::default()
        };
    }
    spoilt(|g| g.node.extend(inner.node))
}

/// The first weights with another message.
fn weights(spoil: impl FnOnce(&mut TensorProto)) -> Vec<u8> {
    spoilt(|g| spoil(&mut g.initializer[0]))
}

/// Tensors that do not hold what they say.
pub(crate) fn tensors() -> Vec<Case> {
    let holding = |number: f32| {
        weights(|w| {
            let raw = w.raw_data.as_mut().unwrap();
            raw[4..8].copy_from_slice(&number.to_le_bytes());
        })
    };
    vec![
        (
            "dims-overflow",
            weights(|w| w.dims = vec![1 << 40, 1 << 40, 1, 1]),
        ),
        (
            "dims-overflow-in-bits",
            weights(|w| w.dims = vec![1 << 61, 1, 1, 1]),
        ),
        ("dims-negative", weights(|w| w.dims[0] = -4)),
        (
            "dims-zero",
            weights(|w| {
                w.dims[0] = 0;
                w.raw_data = Some(vec![]);
            }),
        ),
        (
            "data-too-short",
            weights(|w| w.raw_data.as_mut().unwrap().truncate(28)),
        ),
        (
            "data-too-long",
            weights(|w| w.raw_data.as_mut().unwrap().extend([0; 4])),
        ),
        (
            "data-no-multiple",
            weights(|w| w.raw_data.as_mut().unwrap().truncate(30)),
        ),
        ("data-missing", weights(|w| w.raw_data = None)),
        ("data-twice", weights(|w| w.float_data = vec![1.0; 8])),
        ("type-unknown", weights(|w| w.data_type = Some(999))),
        ("type-text", weights(|w| w.data_type = Some(8))),
        (
            "type-double",
            weights(|w| {
                w.data_type = Some(11);
                w.raw_data = Some(vec![0; 64]);
            }),
        ),
        ("nan-weights", holding(f32::NAN)),
        ("infinite-weights", holding(f32::INFINITY)),
    ]
}

fn kept_in(entries: &[(&str, &str)]) -> Vec<u8> {
    weights(|w| {
        w.raw_data = None;
        w.data_location = Some(DataLocation::EXTERNAL);
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
            key: Some(key.to_string()),
            value: Some(value.to_string()),
            ..StringStringEntryProto::default()
        };
        w.external_data = entries.iter().map(entry).collect();
    })
}

/// Data in other files. `external.bin` holds 40 bytes.
pub(crate) fn external() -> Vec<Case> {
    vec![
        ("external-missing", kept_in(&[("location", "gone.bin")])),
        (
            "external-outside",
            kept_in(&[("location", "../external.bin")]),
        ),
        (
            "external-absolute",
            kept_in(&[("location", "/etc/hostname")]),
        ),
        ("external-nowhere", kept_in(&[])),
        ("external-folder", kept_in(&[("location", ".")])),
        (
            "external-beyond-end",
            kept_in(&[("location", "external.bin"), ("offset", "16")]),
        ),
        (
            "external-offset-huge",
            kept_in(&[
                ("location", "external.bin"),
                ("offset", "18446744073709551615"),
            ]),
        ),
        (
            "external-offset-negative",
            kept_in(&[("location", "external.bin"), ("offset", "-8")]),
        ),
        (
            "external-length-wrong",
            kept_in(&[("location", "external.bin"), ("length", "8")]),
        ),
    ]
}
