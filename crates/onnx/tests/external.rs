//! Tensors whose data lie in another file: taken in, and refused where they are not what they should be.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::path::PathBuf;

use secateur_onnx::proto::tensor_proto::DataLocation;
use secateur_onnx::proto::{GraphProto, ModelProto, StringStringEntryProto, TensorProto};
use secateur_onnx::{
    Elements, ErrorKind, Limits, Parts, elements, f32_tensor, is_external, keep_inside, read,
    take_in_external, write, write_parts,
};

/// A folder of this test, empty at its start.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("model")).unwrap();
    path
}

/// Two numbers that lie at `entries` of another file.
fn model(entries: &[(&str, &str)]) -> ModelProto {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
        key: Some((*key).into()),
        value: Some((*value).into()),
        ..StringStringEntryProto::default()
    };
    let tensor = TensorProto {
        raw_data: None,
        data_location: Some(DataLocation::EXTERNAL),
        external_data: entries.iter().map(entry).collect(),
        ..f32_tensor("w", &[2], &[0.0; 2]).unwrap()
    };
    let graph = GraphProto {
        initializer: vec![tensor],
        ..GraphProto::default()
    };
    ModelProto {
        graph: graph.into(),
        ..ModelProto::default()
    }
}

#[test]
fn data_are_taken_in_from_their_place() {
    let folder = folder("external-place");
    let numbers = [1.5f32, -2.0, 7.0];
    let bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
    fs::write(folder.join("model/weights"), bytes).unwrap();
    let mut model = model(&[("location", "weights"), ("offset", "4"), ("length", "8")]);
    let taken = take_in_external(&mut model, folder.join("model"), &Limits::default()).unwrap();
    assert_eq!(taken, 8);
    let tensor = &model.graph.initializer[0];
    assert_eq!(elements(tensor).unwrap(), Elements::F32(vec![-2.0, 7.0]));
    assert!(!is_external(tensor));

    // Out again, under another name and without the bytes that nobody read.
    let parts = write_parts(model.clone(), "data").unwrap();
    assert_eq!(
        parts.data,
        numbers[1..]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<_>>()
    );
    let tensor = &read(&parts.model, &Limits::default())
        .unwrap()
        .graph
        .initializer[0];
    assert!(is_external(tensor));
    let entries = tensor.external_data.iter();
    let entries = entries.map(|e| (e.key.as_deref().unwrap(), e.value.as_deref().unwrap()));
    assert_eq!(
        entries.collect::<Vec<_>>(),
        [("location", "data"), ("offset", "0"), ("length", "8")]
    );
    let back = parts.read("data", &Limits::default()).unwrap();
    assert_eq!(write_parts(back, "data").unwrap(), parts);

    // Or not at all.
    keep_inside(&mut model);
    let bytes = write(&model).unwrap();
    assert_eq!(
        write_parts(model, "data").unwrap(),
        Parts {
            model: bytes,
            data: vec![]
        }
    );
}

#[test]
fn data_in_two_places_are_refused() {
    let folder = folder("external-twice");
    fs::write(folder.join("model/weights"), [0; 8]).unwrap();
    let mut twice = model(&[("location", "weights")]);
    twice.graph.get_or_insert_default().initializer[0].raw_data = Some(vec![0; 8]);
    let error = take_in_external(&mut twice, folder.join("model"), &Limits::default());
    assert_eq!(error.unwrap_err().message(), "holds its data twice");
}

#[test]
fn what_lies_elsewhere_or_is_cut_short_is_refused() {
    let folder = folder("external-refused");
    fs::write(folder.join("secret"), [0; 64]).unwrap();
    fs::write(folder.join("model/short"), [0; 7]).unwrap();
    fs::write(folder.join("model/whole"), [0; 64]).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.join("secret"), folder.join("model/link")).unwrap();
    let absolute = folder.join("secret").display().to_string();
    let link = if cfg!(unix) { "link" } else { "../secret" };
    let cases: [(&[(&str, &str)], ErrorKind); 10] = [
        (&[], ErrorKind::Malformed),
        (&[("location", "")], ErrorKind::Malformed),
        (&[("location", "../secret")], ErrorKind::Malformed),
        (&[("location", &absolute)], ErrorKind::Malformed),
        (&[("location", link)], ErrorKind::Malformed),
        (&[("location", "gone")], ErrorKind::Io),
        (&[("location", "short")], ErrorKind::Malformed),
        (
            &[("location", "whole"), ("offset", "60")],
            ErrorKind::Malformed,
        ),
        (
            &[("location", "whole"), ("length", "4")],
            ErrorKind::Malformed,
        ),
        (
            &[("location", "whole"), ("offset", "-1")],
            ErrorKind::Malformed,
        ),
    ];
    for (entries, kind) in cases {
        let mut model = model(entries);
        let before = model.clone();
        let error =
            take_in_external(&mut model, folder.join("model"), &Limits::default()).unwrap_err();
        assert_eq!(
            (error.kind(), error.place()),
            (kind, Some("tensor 'w'")),
            "{entries:?}: {error}"
        );
        assert_eq!(model, before);
    }
    let few = Limits {
        max_external_bytes: 7,
        ..Limits::default()
    };
    let error = take_in_external(
        &mut model(&[("location", "whole")]),
        folder.join("model"),
        &few,
    );
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Limit);
}
