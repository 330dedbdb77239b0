//! Tensor messages give their numbers whichever field holds them, and say so when they do not fit.

use secateur_onnx::proto::TensorProto;
use secateur_onnx::proto::tensor_proto::DataType;
use secateur_onnx::{
    Elements, ErrorKind, Limits, elements, f32_tensor, i64_tensor, is_external, raw_tensor, read,
    shape,
};

const EVERYTHING: &[u8] = include_bytes!("fixtures/everything.onnx");

#[test]
fn each_field_of_the_official_file_gives_its_numbers() {
    let model = read(EVERYTHING, &Limits::default()).unwrap();
    let raw = |data_type, bytes: &[u8]| Elements::Raw {
        data_type,
        bytes: bytes.to_vec(),
    };
    let c64 = [1f32.to_le_bytes(), 2f32.to_le_bytes()].concat();
    let expected = [
        ("f32", Elements::F32(vec![1.5, -0.0, f32::INFINITY, 1e-45])),
        ("f32_raw", Elements::F32(vec![1.5])),
        ("i64", Elements::I64(vec![-1, 0, 1 << 62])),
        (
            "i32",
            raw(DataType::INT32, &[255, 255, 255, 255, 7, 0, 0, 0]),
        ),
        ("i8", raw(DataType::INT8, &[128, 255, 127])),
        ("u8", raw(DataType::UINT8, &[0, 255])),
        ("f16", raw(DataType::FLOAT16, &[0x00, 0x3C, 0x00, 0xBC])),
        ("u4", raw(DataType::UINT4, &[0x21, 0x03])),
        ("f64", raw(DataType::DOUBLE, &0.1f64.to_le_bytes())),
        ("c64", raw(DataType::COMPLEX64, &c64)),
        ("u32", raw(DataType::UINT32, &[255; 4])),
        ("u64", raw(DataType::UINT64, &[255; 8])),
        ("empty", Elements::F32(vec![])),
        ("scalar", Elements::F32(vec![1.0])),
    ];
    let named = |name: &str| {
        let mut tensors = model.graph.initializer.iter();
        tensors.find(|t| t.name.as_deref() == Some(name)).unwrap()
    };
    for (name, numbers) in expected {
        assert_eq!(elements(named(name)).unwrap(), numbers, "{name}");
    }
    assert_eq!(shape(named("f32")).unwrap(), [2, 2]);
    assert!(is_external(named("external")));
    for name in ["text", "external"] {
        let error = elements(named(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.place(), Some(format!("tensor '{name}'").as_str()));
    }
}

#[test]
fn built_tensors_give_back_their_numbers() {
    let t = f32_tensor("w", &[2, 1], &[1.0, -2.5]).unwrap();
    assert_eq!(
        t.raw_data.as_deref(),
        Some(&[0, 0, 128, 63, 0, 0, 32, 192][..])
    );
    assert_eq!(elements(&t).unwrap(), Elements::F32(vec![1.0, -2.5]));
    assert_eq!(shape(&t).unwrap(), [2, 1]);
    let t = i64_tensor("i", &[], &[-3]).unwrap();
    assert_eq!(elements(&t).unwrap(), Elements::I64(vec![-3]));
    let t = raw_tensor("u4", &[3], DataType::UINT4, vec![0x21, 0x03]).unwrap();
    assert!(matches!(elements(&t).unwrap(), Elements::Raw { .. }));
}

#[test]
fn floats_of_six_bits_are_read_from_raw_data_alone() {
    let tensor = |count: i64, int32_data: Vec<i32>| TensorProto {
        dims: vec![count],
        data_type: Some(DataType::FLOAT6E2M3 as i32),
        name: Some("t".into()),
        int32_data,
        ..TensorProto::default()
    };
    let error = elements(&tensor(4, vec![1, 2, 3])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("6-bit floats"), "{error}");
    assert!(elements(&tensor(0, vec![])).is_ok());
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_allocated() {
    let tensor = |dims: &[i64], data_type: DataType| TensorProto {
        dims: dims.to_vec(),
        data_type: Some(data_type as i32),
        name: Some("t".into()),
        ..TensorProto::default()
    };
    let cases = [
        tensor(&[2], DataType::FLOAT),
        tensor(&[-1], DataType::FLOAT),
        tensor(&[i64::MAX, i64::MAX], DataType::FLOAT),
        tensor(&[i64::MAX / 2, 2], DataType::DOUBLE),
        tensor(&[1 << 40], DataType::UINT8),
        TensorProto {
            raw_data: Some(vec![0; 7]),
            ..tensor(&[2], DataType::FLOAT)
        },
        TensorProto {
            raw_data: Some(vec![0; 4]),
            float_data: vec![0.0],
            ..tensor(&[1], DataType::FLOAT)
        },
        TensorProto {
            int64_data: vec![1],
            ..tensor(&[1], DataType::FLOAT)
        },
        TensorProto {
            int32_data: vec![256],
            ..tensor(&[1], DataType::UINT8)
        },
        TensorProto {
            int32_data: vec![-129],
            ..tensor(&[1], DataType::INT8)
        },
        TensorProto {
            uint64_data: vec![1 << 32],
            ..tensor(&[1], DataType::UINT32)
        },
    ];
    for (index, case) in cases.iter().enumerate() {
        let error = elements(case).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "case {index}: {error}");
        assert_eq!(error.place(), Some("tensor 't'"), "case {index}");
    }
    assert!(f32_tensor("w", &[3], &[1.0; 2]).is_err());
    assert!(f32_tensor("w", &[usize::MAX, 2], &[]).is_err());
    assert!(raw_tensor("w", &[1], DataType::STRING, vec![]).is_err());

    let unknown = TensorProto {
        data_type: Some(1234),
        ..TensorProto::default()
    };
    assert_eq!(
        elements(&unknown).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}
