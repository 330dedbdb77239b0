//! Shapes that do not fit together.

use secateur_onnx::i64_tensor;
use secateur_onnx::proto::{AttributeProto, NodeProto, TensorProto};

use crate::Case;
use crate::base::{at_end, int, ints, node, spoilt, tensor, with_node};

fn list(name: &str, values: &[i64]) -> TensorProto {
    i64_tensor(name, &[values.len()], values).unwrap()
}

/// All of them.
pub(crate) fn shapes() -> Vec<Case> {
    let reshape = |shape: &[i64]| {
        at_end(
            node("Reshape", "reshape", &["e", "to"], ""),
            vec![list("to", shape)],
        )
    };
    let with = |op: &str, inputs: &[&str], attributes: Vec<AttributeProto>, extra| {
        let spoiler = NodeProto {
            attribute: attributes,
            ..node(op, "spoiler", inputs, "")
        };
        with_node(spoiler, extra)
    };
    vec![
        (
            "conv-weights-do-not-fit",
            spoilt(|g| g.initializer[0] = tensor("w", &[4, 5, 1, 1])),
        ),
        (
            "conv-weights-of-other-rank",
            spoilt(|g| g.initializer[0] = tensor("w", &[4, 2])),
        ),
        (
            "conv-bias-does-not-fit",
            spoilt(|g| g.initializer[1] = tensor("b", &[3])),
        ),
        (
            "conv-kernel-beyond-image",
            spoilt(|g| g.initializer[0] = tensor("w", &[4, 2, 5, 5])),
        ),
        (
            "norm-of-wrong-lengths",
            spoilt(|g| g.initializer[3] = tensor("shift", &[7])),
        ),
        (
            "norm-of-a-matrix",
            spoilt(|g| g.initializer[3] = tensor("shift", &[2, 2])),
        ),
        ("reshape-impossible", reshape(&[1, 5, 7])),
        ("reshape-to-less-than-nothing", reshape(&[1, -3, 4])),
        ("reshape-two-open", reshape(&[-1, 3, 2, -1])),
        ("reshape-copies-beyond-end", reshape(&[1, 3, 2, 2, 0])),
        ("reshape-huge", reshape(&[i64::MAX, i64::MAX, 4])),
        (
            "tile-huge",
            at_end(
                node("Tile", "tile", &["e", "times"], ""),
                vec![list("times", &[i64::MAX; 4])],
            ),
        ),
        (
            "pad-huge",
            at_end(
                node("Pad", "pad", &["e", "by"], ""),
                vec![list("by", &[i64::MAX; 8])],
            ),
        ),
        (
            "pad-by-less-than-nothing",
            at_end(
                node("Pad", "pad", &["e", "by"], ""),
                vec![list("by", &[i64::MIN; 8])],
            ),
        ),
        (
            "transposed-huge",
            with(
                "ConvTranspose",
                &["x", "up"],
                vec![ints("strides", &[i64::MAX; 2]), int("group", i64::MAX)],
                vec![tensor("up", &[2, 3, 2, 2])],
            ),
        ),
        (
            "gather-out-of-range",
            with(
                "Gather",
                &["r", "at"],
                vec![int("axis", 1)],
                vec![list("at", &[0, 1, 2, 9])],
            ),
        ),
        (
            "gather-before-start",
            with(
                "Gather",
                &["r", "at"],
                vec![int("axis", 1)],
                vec![list("at", &[0, 1, 2, i64::MIN])],
            ),
        ),
        (
            "gather-wrong-axis",
            with(
                "Gather",
                &["r", "at"],
                vec![int("axis", 7)],
                vec![list("at", &[0])],
            ),
        ),
        (
            "gather-by-floats",
            with(
                "Gather",
                &["r", "at"],
                vec![int("axis", 1)],
                vec![tensor("at", &[4])],
            ),
        ),
        (
            "concat-of-one-wrong-axis",
            with("Concat", &["r"], vec![int("axis", 4)], vec![]),
        ),
        (
            "concat-lowest-axis",
            with("Concat", &["r"], vec![int("axis", i64::MIN)], vec![]),
        ),
        (
            "concat-of-none",
            with("Concat", &[], vec![int("axis", 1)], vec![]),
        ),
        (
            "concat-without-axis",
            with("Concat", &["r"], vec![], vec![]),
        ),
        (
            "concat-does-not-fit",
            with(
                "Concat",
                &["r", "at"],
                vec![int("axis", 1)],
                vec![tensor("at", &[1, 4, 3, 3])],
            ),
        ),
        (
            "transpose-no-order",
            with(
                "Transpose",
                &["r"],
                vec![ints("perm", &[0, 1, 1, 3])],
                vec![],
            ),
        ),
        (
            "transpose-beyond-rank",
            with(
                "Transpose",
                &["r"],
                vec![ints("perm", &[0, 1, 2, 9])],
                vec![],
            ),
        ),
        (
            "flatten-wrong-axis",
            at_end(
                NodeProto {
                    attribute: vec![int("axis", 9)],
                    ..node("Flatten", "spoiler", &["e"], "")
                },
                vec![],
            ),
        ),
        (
            "softmax-wrong-axis",
            with("Softmax", &["r"], vec![int("axis", 9)], vec![]),
        ),
        (
            "reduce-wrong-axis",
            with("ReduceMean", &["r"], vec![ints("axes", &[9])], vec![]),
        ),
        (
            "reduce-axis-twice",
            with("ReduceMean", &["r"], vec![ints("axes", &[2, 2])], vec![]),
        ),
        (
            "squeeze-a-long-axis",
            at_end(
                node("Squeeze", "spoiler", &["e", "at"], ""),
                vec![list("at", &[1])],
            ),
        ),
        (
            "squeeze-wrong-axis",
            at_end(
                node("Squeeze", "spoiler", &["e", "at"], ""),
                vec![list("at", &[9])],
            ),
        ),
        (
            "unsqueeze-axis-twice",
            at_end(
                node("Unsqueeze", "spoiler", &["e", "at"], ""),
                vec![list("at", &[0, 0])],
            ),
        ),
        (
            "add-does-not-broadcast",
            with("Add", &["r", "at"], vec![], vec![tensor("at", &[3])]),
        ),
        (
            "matmul-does-not-fit",
            with("MatMul", &["r", "at"], vec![], vec![tensor("at", &[3, 5])]),
        ),
        (
            "gemm-of-images",
            at_end(
                node("Gemm", "spoiler", &["e", "at"], ""),
                vec![tensor("at", &[3, 5])],
            ),
        ),
        (
            "prelu-does-not-broadcast",
            with("PRelu", &["r", "at"], vec![], vec![tensor("at", &[3])]),
        ),
        (
            "clip-of-lists",
            with("Clip", &["r", "at"], vec![], vec![tensor("at", &[3])]),
        ),
    ]
}
