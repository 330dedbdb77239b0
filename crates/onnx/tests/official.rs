//! The official file with fields taken away, repeated and added at any level comes back byte by byte.
//!
//! The messages are walked as bytes, by a table of which fields are messages: what the library makes of a field cannot
//! hide that it loses it.

use proptest::prelude::*;
use secateur_onnx::{Limits, read, write};

/// Made by the official serialiser, with nearly every field that there is; `fixtures/make.py` says how.
const EVERYTHING: &[u8] = include_bytes!("fixtures/everything.onnx");

/// Messages by their names, with the numbers of the fields that are messages.
const SCHEMA: [(&str, &[(u64, &str)]); 21] = [
    (
        "Model",
        &[
            (7, "Graph"),
            (8, "OperatorSet"),
            (14, "Entry"),
            (20, "Training"),
            (25, "Function"),
            (26, "Device"),
        ],
    ),
    (
        "Graph",
        &[
            (1, "Node"),
            (5, "Tensor"),
            (11, "Value"),
            (12, "Value"),
            (13, "Value"),
            (14, "Annotation"),
            (15, "Sparse"),
            (16, "Entry"),
        ],
    ),
    (
        "Node",
        &[(5, "Attribute"), (9, "Entry"), (10, "NodeDevice")],
    ),
    (
        "Attribute",
        &[
            (5, "Tensor"),
            (6, "Graph"),
            (10, "Tensor"),
            (11, "Graph"),
            (14, "Type"),
            (22, "Sparse"),
        ],
    ),
    ("Tensor", &[(13, "Entry"), (16, "Entry")]),
    ("Sparse", &[(1, "Tensor"), (2, "Tensor")]),
    ("Value", &[(2, "Type"), (4, "Entry")]),
    (
        "Type",
        &[
            (1, "TensorType"),
            (4, "SequenceType"),
            (5, "MapType"),
            (8, "TensorType"),
            (9, "SequenceType"),
        ],
    ),
    ("TensorType", &[(2, "Shape")]),
    ("Shape", &[(1, "Dimension")]),
    ("SequenceType", &[(1, "Type")]),
    ("MapType", &[(2, "Type")]),
    ("Annotation", &[(2, "Entry")]),
    (
        "Training",
        &[(1, "Graph"), (2, "Graph"), (3, "Entry"), (4, "Entry")],
    ),
    (
        "Function",
        &[
            (7, "Node"),
            (9, "OperatorSet"),
            (11, "Attribute"),
            (12, "Value"),
            (14, "Entry"),
        ],
    ),
    ("NodeDevice", &[(2, "Sharding")]),
    ("Sharding", &[(3, "Entry"), (4, "ShardedDimension")]),
    ("ShardedDimension", &[(2, "SimpleSharding")]),
    ("OperatorSet", &[]),
    ("Entry", &[]),
    ("Device", &[]),
];

/// One field of a message, as the bytes that it takes, and the message inside if it is one.
struct Field {
    number: u64,
    head: Vec<u8>,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn parse(name: &str, mut bytes: &[u8]) -> Vec<Field> {
    let known = SCHEMA.iter().find(|(own, _)| *own == name);
    let messages = known.map_or(&[][..], |(_, messages)| messages);
    let mut fields = vec![];
    while !bytes.is_empty() {
        let start = bytes;
        let tag = varint(&mut bytes);
        let head = start[..start.len() - bytes.len()].to_vec();
        let before = bytes;
        let length = match tag & 7 {
            0 => {
                varint(&mut bytes);
                before.len() - bytes.len()
            }
            1 => 8,
            5 => 4,
            _ => varint(&mut bytes) as usize,
        };
        let inside = match tag & 7 {
            2 => &bytes[..length],
            _ => &before[..length],
        };
        bytes = match tag & 7 {
            0 => bytes,
            _ => &bytes[length..],
        };
        let number = tag >> 3;
        let message = messages
            .iter()
            .find(|(own, _)| *own == number && tag & 7 == 2);
        let content = match message {
            Some((_, message)) => Content::Message(parse(message, inside)),
            None => Content::Bytes(inside.to_vec()),
        };
        fields.push(Field {
            number,
            head,
            content,
        });
    }
    fields
}

fn serialise(fields: &[Field], out: &mut Vec<u8>) {
    for field in fields {
        out.extend(&field.head);
        let is_delimited = field.head[0] & 7 == 2;
        let bytes = match &field.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Message(inner) => {
                let mut bytes = vec![];
                serialise(inner, &mut bytes);
                bytes
            }
        };
        if is_delimited {
            put_varint(bytes.len() as u64, out);
        }
        out.extend(bytes);
    }
}

/// Goes over all messages; `draw` tells what is done at each field and at the end of each message.
fn change(fields: &mut Vec<Field>, draw: &mut impl FnMut() -> u8) {
    // A message that is there is there once, so only what no schema knows is added.
    fields.retain(|_| !draw().is_multiple_of(8));
    for field in fields.iter_mut() {
        if let Content::Message(inner) = &mut field.content {
            change(inner, draw);
        }
    }
    if draw().is_multiple_of(4) {
        // 2000 and above, so that they come behind those of the file itself.
        let kind = [0, 1, 2, 5][draw() as usize % 4];
        let content = match kind {
            0 => vec![draw() & 0x7f],
            1 => vec![draw(); 8],
            5 => vec![draw(); 4],
            _ => vec![draw(); draw() as usize % 5],
        };
        let mut head = vec![];
        let number = 2000;
        put_varint(number << 3 | kind, &mut head);
        fields.push(Field {
            number,
            head,
            content: Content::Bytes(content),
        });
    }
}

#[test]
fn the_table_is_that_of_the_file() {
    let fields = parse("Model", EVERYTHING);
    assert!(fields.iter().any(|f| f.number == 1000));
    let mut bytes = vec![];
    serialise(&fields, &mut bytes);
    assert!(bytes == EVERYTHING);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fields_that_are_missing_and_unknown_ones_come_back(
        drawn in prop::collection::vec(any::<u8>(), 64..2048),
    ) {
        let mut fields = parse("Model", EVERYTHING);
        let mut drawn = drawn.iter().cycle();
        change(&mut fields, &mut || *drawn.next().expect("endless"));
        let mut bytes = vec![];
        serialise(&fields, &mut bytes);
        let model = read(&bytes, &Limits::default()).expect("fields are well formed");
        let written = write(&model).expect("it is short");
        prop_assert!(written == bytes);
        prop_assert_eq!(read(&written, &Limits::default()).expect("it was written"), model);
    }
}
