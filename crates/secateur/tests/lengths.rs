//! Lengths of open axes: costs and what is drawn follow them, what is written does not.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use secateur::{Choice, ErrorKind, ModelFile, shrink_model};
use secateur_graph::{
    Conv, Dim, Graph, GraphBuilder, ModelMeta, Op, Padding, Reduce, ReduceAxes, ReduceKind, Tensor,
    Unary, Window, to_model,
};

/// Two convolutions, the second with a stride, on pictures of any size, their mean and a layer.
fn open_pictures() -> Graph {
    let mut b = GraphBuilder::new("g");
    let named = |name: &str| Dim::Named(name.into());
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3), named("h"), named("w")]);
    let weights = |shape: &[usize]| {
        let length: usize = shape.iter().product();
        let numbers = (0..length).map(|i| ((i * 29 % 97) as f32 - 48.0) / 300.0);
        Tensor::f32(shape.to_vec(), numbers.collect()).unwrap()
    };
    let conv = |stride: usize| {
        Op::Conv(Conv {
            window: Window {
                strides: vec![stride; 2],
                dilations: vec![1; 2],
                padding: Padding::By {
                    before: vec![1; 2],
                    behind: vec![1; 2],
                },
                ceil: false,
            },
            conv_groups: 1,
        })
    };
    let w1 = b.constant("w1", weights(&[8, 3, 3, 3]));
    let w2 = b.constant("w2", weights(&[16, 8, 3, 3]));
    let w3 = b.constant("w3", weights(&[16, 10]));
    let first = b.node("first", conv(1), &[x, w1]);
    let first = b.node("relu1", Op::Unary(Unary::Relu), &[first]);
    let second = b.node("second", conv(2), &[first, w2]);
    let second = b.node("relu2", Op::Unary(Unary::Relu), &[second]);
    let pooled = b.node(
        "pooled",
        Op::Reduce(Reduce {
            kind: ReduceKind::Mean,
            axes: ReduceAxes::Spatial,
            keep: true,
        }),
        &[second],
    );
    let flat = b.node("flat", Op::Flatten { axis: 1 }, &[pooled]);
    let y = b.node("y", Op::MatMul, &[flat, w3]);
    b.output(y);
    b.build().unwrap()
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/given/open.onnx")
}

fn read() -> ModelFile {
    ModelFile::read(&fixture()).unwrap()
}

/// `UPDATE_GIVEN=1` writes it anew.
#[test]
fn the_fixture_is_as_it_was_made() {
    let model = to_model(&open_pictures(), &ModelMeta::default()).unwrap();
    let bytes = secateur_onnx::write(&model).unwrap();
    if std::env::var_os("UPDATE_GIVEN").is_some() {
        std::fs::write(fixture(), &bytes).unwrap();
    }
    assert!(std::fs::read(fixture()).unwrap() == bytes);
}

fn at(file: &ModelFile, shape: &str) -> ModelFile {
    let mut file = file.clone();
    file.at_shapes(&[shape.to_owned()], None).unwrap();
    file
}

/// Output channels, input channels and nine places of the kernel for each place of the output.
fn formula(h: u64, w: u64) -> u64 {
    8 * 3 * 9 * h * w + 16 * 8 * 9 * h.div_ceil(2) * w.div_ceil(2) + 16 * 10
}

#[test]
fn convolutions_cost_what_the_formula_says() {
    let file = read();
    assert_eq!(file.cost().macs, formula(1, 1));
    for (shape, h, w) in [
        ("x=1x3x40x24", 40, 24),
        ("1x3x17x64", 17, 64),
        ("x=4x3x40x24", 40, 24),
    ] {
        let sized = at(&file, shape);
        assert_eq!(sized.cost().macs, formula(h, w), "{shape}");
        assert_eq!(sized.cost().params, file.cost().params);
    }
    let mut long = file.clone();
    long.at_shapes(&[], Some(12)).unwrap();
    assert_eq!(long.cost().macs, formula(12, 12));
    assert!(
        file.headline()
            .last()
            .unwrap()
            .ends_with("give them lengths, such as --shape x=1x3x224x224")
    );
    let told = at(&file, "1x3x40x24").headline();
    assert!(
        told.last().unwrap().ends_with("at x [1, 3, 40, 24]"),
        "{told:?}"
    );
}

#[test]
fn the_file_is_the_same_and_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = read();
    let half = Choice::of("50%".parse().unwrap());
    let open = shrink_model(&file, &half).unwrap();
    let sized = shrink_model(&at(&file, "1x3x40x24"), &half).unwrap();
    assert!(open.bytes() == sized.bytes());
    assert_eq!(
        sized.cost().macs,
        4 * 3 * 9 * 40 * 24 + 8 * 4 * 9 * 20 * 12 + 8 * 10
    );
    assert!(sized.evidence().runtime_difference.unwrap() < 1e-4);
    // It is verified at that size, and so moves by another amount.
    assert_ne!(
        open.evidence().masking_moved,
        sized.evidence().masking_moved
    );
    let path = folder.path().join("small.onnx");
    std::fs::write(&path, sized.bytes()).unwrap();
    let again = ModelFile::read(&path).unwrap();
    assert_eq!(again.headline()[0], "input x [batch, 3, h, w]");
    assert!(shrink_model(&at(&again, "2x3x11x13"), &half).is_ok());
}

/// At one place a picture most of the work lies in the last layer, at many in the first ones.
#[test]
fn a_share_of_the_macs_is_one_of_those_at_the_size() {
    let file = read();
    let sized = at(&file, "1x3x64x64");
    let share = |file: &ModelFile| {
        let small = shrink_model(file, &Choice::of("macs=40%".parse().unwrap())).unwrap();
        small.cost().macs as f64 / file.cost().macs as f64
    };
    for file in [&file, &sized] {
        let left = share(file);
        assert!(left <= 0.4 && left > 0.3, "{left}");
    }
}

#[test]
fn shapes_that_do_not_fit_say_why() {
    let mut file = read();
    let mut refused = |shapes: &[&str]| {
        let shapes: Vec<String> = shapes.iter().map(ToString::to_string).collect();
        let error = file.at_shapes(&shapes, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.hint_text().is_some());
        error.to_string()
    };
    assert_eq!(
        refused(&["x=1x4x40x24"]),
        "--shape: axis 1 of 'x' has the fixed length 3, not 4"
    );
    assert_eq!(refused(&["z=1x3x4x4"]), "--shape: there is no input 'z'");
    assert_eq!(
        refused(&["1x3x4"]),
        "--shape: 'x' has 4 axes, and 3 lengths are given"
    );
    assert_eq!(refused(&["1x3x4x0"]), "--shape: '1x3x4x0' is no shape");
    assert_eq!(refused(&["x=axb"]), "--shape: 'axb' is no shape");
    assert_eq!(
        refused(&["1x3x4x4", "x=1x3x5x5"]),
        "--shape: 'x' has two shapes"
    );
    assert!(refused(&["1x3x99999x99999"]).contains("numbers, which is more than is run here"));
}
