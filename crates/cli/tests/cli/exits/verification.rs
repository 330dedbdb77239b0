//! 1: models whose verification fails in earnest, and runs that diverge with results.
//!
//! Units come in pairs that make the same, and what reads them takes the one from the other, up to numbers that are far smaller:
//! what is left hangs on the order of the sum, which nobody else's is.

use secateur_graph::{Dim, GraphBuilder, ModelMeta, Op, Tensor, Unary, to_model};
use secateur_onnx::write;
use secateur_testkit::Stream;
use serde_json::{Value, json};

use super::refused;
use crate::harness::Sandbox;

/// Two layers around a ReLU: widths, and the weights by input and output.
fn two_layers([inputs, hidden, outputs]: [usize; 3], first: Vec<f32>, second: Vec<f32>) -> Vec<u8> {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(inputs)]);
    let w = b.constant("w1", Tensor::f32([inputs, hidden], first).unwrap());
    let h = b.node("first", Op::MatMul, &[x, w]);
    let h = b.node("relu", Op::Unary(Unary::Relu), &[h]);
    let w = b.constant("w2", Tensor::f32([hidden, outputs], second).unwrap());
    let y = b.node("second", Op::MatMul, &[h, w]);
    b.output(y);
    let model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
    write(&model).unwrap()
}

/// Pairs of units of which the second stands as far behind the first as there are pairs; weights that cancel are up to `largest`.
fn cancelling([inputs, pairs, outputs]: [usize; 3], largest: f32) -> Vec<u8> {
    let mut stream = Stream::new(3);
    let mut drawn = |count: usize| -> Vec<f32> {
        let numbers = (0..count).map(|_| stream.unit() as f32);
        numbers.collect()
    };
    let rows = drawn(inputs * pairs);
    let first = rows.chunks(pairs).flat_map(|row| [row, row].concat());
    let large: Vec<f32> = drawn(pairs * outputs).iter().map(|w| largest * w).collect();
    let small = drawn(pairs * outputs);
    let taken = large.iter().zip(&small).map(|(large, small)| small - large);
    let second = large.iter().copied().chain(taken);
    two_layers(
        [inputs, 2 * pairs, outputs],
        first.collect(),
        second.collect(),
    )
}

#[test]
fn a_small_model_that_computes_something_else_is_not_written() {
    let sandbox = Sandbox::new();
    let gone: Vec<usize> = (0..350).chain(700..1050).collect();
    sandbox.file("units.json", json!({ "first": gone }).to_string());
    // Differences of some thousandths, and of as much as there is.
    for (name, largest) in [("a.onnx", 3e3), ("b.onnx", 1e8)] {
        // More than any block of a product, so that blocks begin elsewhere once half of the pairs are gone.
        sandbox.file(name, cancelling([4, 700, 3], largest));
        for flags in ["", "--json"] {
            let shrink = format!("shrink {name} --drop units.json -o small.onnx {flags}");
            let says = "error: the small model differs from the masked one by ";
            refused(&sandbox, &shrink, 1, says);
        }
    }
}

#[test]
fn outputs_that_are_no_numbers_verify_nothing() {
    let sandbox = Sandbox::new();
    // Their products are beyond f32.
    let weights = |count| (0..count).map(|i| if i % 3 == 0 { -1e30 } else { 1e30 });
    let model = two_layers([4, 6, 3], weights(24).collect(), weights(18).collect());
    sandbox.file("model.onnx", model);
    let shrink = "shrink model.onnx --keep 50% -o small.onnx";
    refused(
        &sandbox,
        shrink,
        1,
        "error: the model gives outputs that are not finite numbers",
    );
    let bench = "bench model.onnx --seconds 0.001";
    refused(
        &sandbox,
        bench,
        1,
        "error: model.onnx: gives outputs that are no finite numbers",
    );
}

#[test]
fn engines_that_disagree_have_no_latency() {
    let sandbox = Sandbox::new();
    sandbox.file("model.onnx", cancelling([64, 16, 10], 1e8));
    let says = "error: model.onnx: outputs of the engine and of rten";
    for flags in ["", "--json"] {
        refused(
            &sandbox,
            &format!("bench model.onnx --seconds 0.001 {flags}"),
            1,
            says,
        );
    }
}

#[test]
fn a_model_that_the_runtime_computes_otherwise_is_not_trained() {
    let sandbox = Sandbox::new();
    sandbox.file("model.onnx", cancelling([64, 16, 10], 1e8));
    let says = "error: model.onnx: the model as it is cannot be verified: outputs of rten";
    for command in ["compress", "path"] {
        let run =
            format!("{command} --model model.onnx --data digits --epochs 1 --threads 1 --out run");
        refused(&sandbox, &run, 1, says);
    }
}

/// Each step multiplies the weights by 1 - 0.01 x 220 = -1.2: the network at the start is still one, that of a cut soon is not.
#[test]
fn a_path_whose_cut_diverges_keeps_the_points_before_it() {
    let sandbox = Sandbox::new();
    let shown = sandbox.run(
        "path --data digits --net 16 --epochs 3 --learning-rate 0.01 --weight-decay 220 --schedule constant --points 3 \
         --strength 1e-6 --threads 1 --quiet --out run",
    );
    assert_eq!(shown.code, Some(1), "{shown}");
    assert!(shown.stderr.contains("error: epoch "), "{shown}");
    assert!(
        shown.stderr.contains(": the loss is not a finite number"),
        "{shown}"
    );
    let report: Value = serde_json::from_slice(&sandbox.read("run/path.json")).unwrap();
    assert_eq!(report["ended"], "failed");
    let points = report["points"].as_array().unwrap();
    assert!((1..4).contains(&points.len()), "{report}");
    for point in points {
        let name = point["name"].as_str().unwrap();
        let model = sandbox.read(&format!("run/{name}/small.onnx"));
        assert_eq!(point["bytes"].as_u64(), Some(model.len() as u64));
    }
}

#[test]
fn a_path_that_diverges_at_once_leaves_nothing() {
    let sandbox = Sandbox::new();
    let run =
        "path --data digits --net 16 --epochs 4 --learning-rate 1e30 --threads 1 --quiet --out run";
    refused(
        &sandbox,
        run,
        1,
        "error: epoch 1: the loss is not a finite number",
    );
}
