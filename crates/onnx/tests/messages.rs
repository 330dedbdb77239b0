//! Any model that can be built can be written and read back.

use proptest::prelude::*;
use secateur_onnx::proto::attribute_proto::AttributeType;
use secateur_onnx::proto::tensor_shape_proto::{Dimension, dimension};
use secateur_onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};
use secateur_onnx::{ErrorKind, Limits, read, write};

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(".{0,8}")
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..9)
}

/// Floats that are equal to themselves, so that whole messages can be compared.
fn float() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("a number", |x| !x.is_nan())
}

fn few<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

fn entry() -> impl Strategy<Value = StringStringEntryProto> {
    (text(), text()).prop_map(|(key, value)| StringStringEntryProto {
        key,
        value,
        ..StringStringEntryProto::default()
    })
}

fn tensor() -> impl Strategy<Value = TensorProto> {
    let fields = (
        few(any::<i64>()),
        few(float()),
        few(any::<i32>()),
        few(any::<u64>()),
    );
    let rest = (
        prop::option::of(any::<i32>()),
        prop::option::of(bytes()),
        few(bytes()),
        text(),
    );
    (fields, rest, few(entry())).prop_map(|(fields, rest, external_data)| {
        let (dims, float_data, int32_data, uint64_data) = fields;
        let (data_type, raw_data, string_data, name) = rest;
        TensorProto {
            int64_data: dims.clone(),
            dims,
            float_data,
            int32_data,
            uint64_data,
            data_type,
            raw_data,
            string_data,
            name,
            external_data,
            ..TensorProto::default()
        }
    })
}

fn value() -> impl Strategy<Value = ValueInfoProto> {
    let length = prop_oneof![
        Just(None),
        any::<i64>().prop_map(|n| Some(dimension::Value::DimValue(n))),
        ".{0,4}".prop_map(|n| Some(dimension::Value::DimParam(n))),
    ];
    let dim = (length, text()).prop_map(|(value, denotation)| Dimension {
        value,
        denotation,
        ..Dimension::default()
    });
    let shape = prop::option::of(few(dim).prop_map(|dim| TensorShapeProto {
        dim,
        ..TensorShapeProto::default()
    }));
    let tensor =
        (prop::option::of(any::<i32>()), shape).prop_map(|(elem_type, shape)| type_proto::Tensor {
            elem_type,
            shape: shape.into(),
            ..type_proto::Tensor::default()
        });
    let r#type = prop::option::of(prop::option::of(tensor).prop_map(|tensor| TypeProto {
        value: tensor.map(Into::into),
        ..TypeProto::default()
    }));
    (text(), r#type, text()).prop_map(|(name, r#type, doc_string)| ValueInfoProto {
        name,
        r#type: r#type.into(),
        doc_string,
        ..ValueInfoProto::default()
    })
}

fn attribute(graph: impl Strategy<Value = GraphProto>) -> impl Strategy<Value = AttributeProto> {
    let kinds = [
        AttributeType::UNDEFINED,
        AttributeType::FLOAT,
        AttributeType::TYPE_PROTOS,
    ];
    let single = (
        prop::option::of(prop::sample::select(kinds.to_vec())),
        prop::option::of(float()),
        prop::option::of(any::<i64>()),
        prop::option::of(bytes()),
        prop::option::of(tensor()),
        prop::option::of(graph),
    );
    (
        text(),
        single,
        few(float()),
        few(any::<i64>()),
        few(bytes()),
    )
        .prop_map(
            |(name, (r#type, f, i, s, t, g), floats, ints, strings)| AttributeProto {
                name,
                r#type,
                f,
                i,
                s,
                t: t.into(),
                g: g.into(),
                floats,
                ints,
                strings,
                ..AttributeProto::default()
            },
        )
}

fn graph() -> impl Strategy<Value = GraphProto> {
    let leaf = text().prop_map(|name| GraphProto {
        name,
        ..GraphProto::default()
    });
    leaf.prop_recursive(2, 8, 3, |inner| {
        let node = (
            few(".{0,3}"),
            few(".{0,3}"),
            text(),
            text(),
            few(attribute(inner)),
        )
            .prop_map(|(input, output, op_type, domain, attribute)| NodeProto {
                input,
                output,
                op_type,
                domain,
                attribute,
                ..NodeProto::default()
            });
        (text(), few(node), few(tensor()), few(value()), few(value())).prop_map(
            |(name, node, initializer, input, output)| GraphProto {
                name,
                node,
                initializer,
                input,
                output,
                ..GraphProto::default()
            },
        )
    })
}

fn model() -> impl Strategy<Value = ModelProto> {
    let import =
        (text(), prop::option::of(any::<i64>())).prop_map(|(domain, version)| OperatorSetIdProto {
            domain,
            version,
            ..OperatorSetIdProto::default()
        });
    let graph = prop::option::of(graph());
    (
        prop::option::of(any::<i64>()),
        graph,
        few(import),
        few(entry()),
        text(),
    )
        .prop_map(
            |(ir_version, graph, opset_import, metadata_props, doc_string)| ModelProto {
                ir_version,
                graph: graph.into(),
                opset_import,
                metadata_props,
                doc_string,
                ..ModelProto::default()
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(model in model()) {
        let bytes = write(&model).unwrap();
        let back = read(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(&back, &model);
        prop_assert_eq!(write(&back).unwrap(), bytes);
    }
}

/// A graph in a node of a graph, and so on.
fn nested(depth: usize) -> ModelProto {
    let mut graph = GraphProto::default();
    for _ in 0..depth {
        let attribute = AttributeProto {
            g: graph.into(),
            ..AttributeProto::default()
        };
        let node = NodeProto {
            attribute: vec![attribute],
            ..NodeProto::default()
        };
        graph = GraphProto {
            node: vec![node],
            ..GraphProto::default()
        };
    }
    ModelProto {
        graph: graph.into(),
        ..ModelProto::default()
    }
}

#[test]
fn limits_hold() {
    let default = Limits::default();
    let kind = |bytes: &[u8], limits| read(bytes, &limits).unwrap_err().kind();
    let deep = write(&nested(1000)).unwrap();
    assert_eq!(kind(&deep, default), ErrorKind::Limit);
    assert_eq!(
        read(&write(&nested(30)).unwrap(), &default).unwrap(),
        nested(30)
    );

    let small = write(&nested(1)).unwrap();
    let exactly = Limits {
        max_bytes: small.len(),
        ..default
    };
    assert!(read(&small, &exactly).is_ok());
    let shorter = Limits {
        max_bytes: small.len() - 1,
        ..default
    };
    assert_eq!(kind(&small, shorter), ErrorKind::Limit);

    // Field 7 (graph) of two bytes per empty node: 0x0A 0x00, a thousand times.
    let mut nodes = vec![0x3A, 0xD0, 0x0F];
    nodes.extend([0x0A, 0x00].repeat(1000));
    assert_eq!(read(&nodes, &default).unwrap().graph.node.len(), 1000);
    let slots = Limits {
        max_slot_bytes: 10_000,
        ..default
    };
    assert_eq!(kind(&nodes, slots), ErrorKind::Limit);

    // Field 1000 as a varint, twice.
    let unknown = [0xC0, 0x3E, 1, 0xC0, 0x3E, 2];
    assert!(read(&unknown, &default).is_ok());
    let none = Limits {
        max_unknown_fields: 1,
        ..default
    };
    assert_eq!(kind(&unknown, none), ErrorKind::Limit);
}
