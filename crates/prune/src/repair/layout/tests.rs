//! Weights of each operator as matrices.

use secateur_graph::{Conv, ConvTranspose, Gemm, Opaque, Window};
use secateur_testkit::recurrent;

use super::*;

fn node(op: Op) -> Node {
    Node {
        name: "n".into(),
        op,
        inputs: vec![],
        outputs: vec![],
    }
}

fn numbers(shape: &[usize]) -> Vec<f64> {
    (0..shape.iter().product()).map(|n| n as f64).collect()
}

#[test]
fn matrices_go_from_what_is_read_to_what_is_made() {
    let [left, right] = [0, 1].map(|at| Layout::of(&node(Op::MatMul), at, 2).unwrap());
    let gemm = |trans_b| {
        let op = Op::Gemm(Gemm {
            trans_b,
            ..Gemm::default()
        });
        Layout::of(&node(op), 1, 2).unwrap()
    };
    // Two inputs, three outputs.
    for (layout, shape, first) in [
        (right, [2, 3], [0.0, 3.0]),
        (gemm(false), [2, 3], [0.0, 3.0]),
        (gemm(true), [3, 2], [0.0, 1.0]),
        (left, [3, 2], [0.0, 1.0]),
    ] {
        let found = &layout.matrices(&shape, &numbers(&shape))[0];
        assert_eq!((found.nrows(), found.ncols()), (3, 2));
        assert_eq!([found[(0, 0)], found[(0, 1)]], first, "{layout:?}");
    }
    assert_eq!((left.read, left.channels.of(3)), (1, Some(1)));
    assert_eq!((right.read, right.channels.of(3)), (0, Some(2)));
}

#[test]
fn windows_have_a_row_for_every_offset_and_groups_a_matrix_each() {
    let conv = Layout::of(
        &node(Op::Conv(Conv {
            window: Window::plain(1),
            conv_groups: 2,
        })),
        1,
        3,
    );
    let transposed = Layout::of(
        &node(Op::ConvTranspose(ConvTranspose {
            window: Window::plain(1),
            conv_groups: 2,
            output_padding: vec![0],
        })),
        1,
        3,
    );
    // Four inputs and six outputs in two groups, windows of five.
    for (layout, shape) in [(conv, [6, 2, 5]), (transposed, [4, 3, 5])] {
        let layout = layout.unwrap();
        let all = numbers(&shape);
        let found = layout.matrices(&shape, &all);
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|m| (m.nrows(), m.ncols()) == (15, 2)));
        // Output 2 at offset 4 by input 1, of the second group.
        let wanted = match shape[0] {
            6 => (5 * 2 + 1) * 5 + 4,
            _ => (3 * 3 + 2) * 5 + 4,
        };
        assert_eq!(found[1][(14, 1)], f64::from(wanted));
        let mut back = vec![0.0; all.len()];
        layout.put(&shape, &found, &mut back);
        assert_eq!(back, all);
        assert!(!layout.is_depthwise(&shape));
        assert_eq!(layout.channels.of(3), Some(1));
    }
    assert!(conv.unwrap().is_depthwise(&[2, 1, 5]));
}

#[test]
fn all_gates_of_all_directions_of_a_recurrent_layer_are_rows() {
    let layout = Layout::of(
        &node(recurrent("GRU", (2, "bidirectional"), 3).unwrap()),
        1,
        3,
    )
    .unwrap();
    // Two directions, gates and units of them six, five features.
    let shape = [2, 6, 5];
    let all = numbers(&shape);
    let found = layout.matrices(&shape, &all);
    assert_eq!((found[0].nrows(), found[0].ncols()), (12, 5));
    assert_eq!(found[0][(7, 3)], 38.0);
    let mut back = vec![0.0; all.len()];
    layout.put(&shape, &found, &mut back);
    assert_eq!(back, all);
    assert!(layout.is_hidden() && layout.channels.of(3) == Some(2));
    let gemm = Layout::of(&node(Op::Gemm(Gemm::default())), 1, 2).unwrap();
    assert!(!gemm.is_hidden());
}

#[test]
fn what_mixes_no_channels_has_no_layout() {
    let scaled = Op::Gemm(Gemm {
        alpha: 2.0,
        ..Gemm::default()
    });
    assert_eq!(Layout::of(&node(scaled), 1, 2), None);
    assert_eq!(Layout::of(&node(Op::MatMul), 1, 3), None);
    assert_eq!(Layout::of(&node(Op::Flatten { axis: 1 }), 1, 2), None);
    let unknown = Op::Opaque(Opaque {
        domain: "other".into(),
        op_type: "LSTM".into(),
        opset: 17,
        message: vec![],
    });
    assert_eq!(Layout::of(&node(unknown), 1, 3), None);
    let of_state = node(recurrent("LSTM", (2, "forward"), 3).unwrap());
    assert_eq!(Layout::of(&of_state, 1, 2), None);
}
