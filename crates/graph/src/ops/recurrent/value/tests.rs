//! Recurrent layers beside ONNX Runtime, which computed what is wanted in 32 bits.

use secateur_onnx::proto::AttributeProto;
use secateur_onnx::write_node;

use super::*;

const STEPS: usize = 3;
const ROWS: usize = 2;
const FEATURES: usize = 3;
const HIDDEN: usize = 2;

fn layer(op_type: &str, attributes: Vec<AttributeProto>) -> Opaque {
    let message = NodeProto {
        attribute: attributes,
        ..NodeProto::default()
    };
    Opaque {
        domain: String::new(),
        op_type: op_type.into(),
        opset: 17,
        message: write_node(&message).unwrap(),
    }
}

fn direction(name: &str) -> AttributeProto {
    AttributeProto {
        name: Some("direction".into()),
        s: Some(name.into()),
        ..AttributeProto::default()
    }
}

fn activations(names: &[&str]) -> AttributeProto {
    AttributeProto {
        name: Some("activations".into()),
        strings: names.iter().map(|&name| name.into()).collect(),
        ..AttributeProto::default()
    }
}

fn number(name: &str) -> AttributeProto {
    AttributeProto {
        name: Some(name.into()),
        i: Some(1),
        ..AttributeProto::default()
    }
}

/// Eighths that repeat every thirteen.
fn eighths(shape: &[usize], by: usize) -> Array {
    let number = |at: usize| ((at * by % 13) as f64 - 6.0) / 8.0;
    let count = shape.iter().product::<usize>();
    Array::new(shape, (0..count).map(number).collect()).unwrap()
}

/// All operands up to the first cell, which of them there are, for so many gates and directions.
fn operands(gates: usize, directions: usize, bias: bool, states: bool) -> Vec<Option<Array>> {
    let (stacked, state) = (gates * HIDDEN, [directions, ROWS, HIDDEN]);
    vec![
        Some(eighths(&[STEPS, ROWS, FEATURES], 5)),
        Some(eighths(&[directions, stacked, FEATURES], 7)),
        Some(eighths(&[directions, stacked, HIDDEN], 3)),
        bias.then(|| eighths(&[directions, 2 * stacked], 4)),
        None,
        states.then(|| eighths(&state, 2)),
        (states && gates == 4).then(|| eighths(&state, 6)),
    ]
}

fn made(layer: &Opaque, operands: &[Option<Array>]) -> Result<Vec<Array>> {
    let operands: Vec<Option<&Array>> = operands.iter().map(Option::as_ref).collect();
    evaluate(layer, &operands)
}

fn holds(layer: &Opaque, operands: &[Option<Array>], wanted: &[&[f64]]) {
    let made = made(layer, operands).unwrap();
    assert_eq!(made[0].shape.len(), 4);
    for (found, wanted) in made.iter().zip(wanted) {
        assert_eq!(found.values.len(), wanted.len());
        for (found, wanted) in found.values.iter().zip(*wanted) {
            assert!((found - wanted).abs() < 2e-6, "{found} {wanted}");
        }
    }
}

#[test]
fn an_lstm_has_four_gates_and_a_cell() {
    holds(
        &layer("LSTM", vec![direction("bidirectional")]),
        &operands(4, 2, true, true),
        &[
            &[
                -0.058992, 0.025917, 0.166689, -0.050876, 0.025703, -0.237705, 0.015464, -0.194907,
                -0.084607, 0.041753, 0.118044, 0.014063, 0.01959, -0.146548, -0.027512, -0.077516,
                0.015252, -0.254533, 0.085936, -0.292762, 0.215266, -0.299457, 0.070846, -0.140338,
            ],
            &[
                0.015252, -0.254533, 0.085936, -0.292762, 0.025703, -0.237705, 0.015464, -0.194907,
            ],
            &[
                0.052696, -0.386853, 0.276977, -0.414083, 0.071322, -0.426272, 0.045557, -0.311689,
            ],
        ],
    );
    holds(
        &layer("LSTM", vec![]),
        &operands(4, 1, false, false),
        &[
            &[
                0.004566, 0.011602, 0.034559, 0.031802, -0.189631, 0.051007, -0.121515, 0.077419,
                -0.037986, -0.099477, 0.001428, -0.100354,
            ],
            &[-0.037986, -0.099477, 0.001428, -0.100354],
            &[-0.107982, -0.183553, 0.004027, -0.162435],
        ],
    );
    holds(
        &layer(
            "LSTM",
            vec![
                direction("reverse"),
                activations(&["Sigmoid", "Relu", "Tanh"]),
            ],
        ),
        &operands(4, 1, true, false),
        &[
            &[
                0.080695, 0.011275, 0.076306, 0.018056, 0.042204, 0.022162, 0.035273, 0.042416,
                0.058091, 0.0, 0.053195, 0.0,
            ],
            &[0.080695, 0.011275, 0.076306, 0.018056],
            &[0.187591, 0.017801, 0.182043, 0.025661],
        ],
    );
}

#[test]
fn a_gru_resets_its_state_before_or_behind_its_weights() {
    holds(
        &layer("GRU", vec![direction("bidirectional")]),
        &operands(3, 2, true, true),
        &[
            &[
                -0.731686, 0.016, -0.524281, 0.001284, 0.684568, -0.701842, 0.778608, -0.687554,
                -0.781571, 0.451653, -0.67189, 0.304205, 0.643431, -0.618851, 0.777108, -0.733788,
                -0.730699, 0.106127, -0.696281, -0.082613, 0.452214, -0.329207, 0.719266,
                -0.570639,
            ],
            &[
                -0.730699, 0.106127, -0.696281, -0.082613, 0.684568, -0.701842, 0.778608, -0.687554,
            ],
        ],
    );
    holds(
        &layer(
            "GRU",
            vec![direction("reverse"), number("linear_before_reset")],
        ),
        &operands(3, 1, true, false),
        &[
            &[
                -0.459727, 0.338577, -0.566917, 0.152287, -0.327003, 0.392939, -0.440994, 0.234861,
                -0.064498, -0.147903, -0.16827, -0.259866,
            ],
            &[-0.459727, 0.338577, -0.566917, 0.152287],
        ],
    );
}

#[test]
fn a_plain_layer_has_one_gate_and_an_activation_for_each_direction() {
    holds(
        &layer(
            "RNN",
            vec![
                direction("bidirectional"),
                activations(&["Relu", "Sigmoid"]),
            ],
        ),
        &operands(1, 2, false, true),
        &[
            &[
                0.984375, 0.0, 0.109375, 0.09375, 0.591515, 0.483924, 0.581725, 0.564861, 0.0, 0.0,
                0.195312, 0.0, 0.608156, 0.359272, 0.640873, 0.426589, 0.0, 0.390625, 0.0,
                0.421875, 0.377541, 0.562177, 0.600188, 0.55447,
            ],
            &[
                0.0, 0.390625, 0.0, 0.421875, 0.591515, 0.483924, 0.581725, 0.564861,
            ],
        ],
    );
    holds(
        &layer("RNN", vec![direction("forward")]),
        &operands(1, 1, false, false),
        &[
            &[
                0.230176, 0.062419, -0.077966, 0.093476, 0.404453, -0.430873, 0.323831, -0.395304,
                -0.331834, 0.225125, -0.544309, 0.267005,
            ],
            &[-0.331834, 0.225125, -0.544309, 0.267005],
        ],
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    let plain = operands(4, 1, true, true);
    let refused = |attributes: Vec<AttributeProto>, operands: &[Option<Array>]| {
        made(&layer("LSTM", attributes), operands)
            .unwrap_err()
            .to_string()
    };
    made(&layer("LSTM", vec![]), &plain).unwrap();
    let unknown = "a recurrent layer with other activations is not understood";
    let elu = activations(&["Sigmoid", "Elu", "Tanh"]);
    assert_eq!(refused(vec![elu], &plain), unknown);
    let few = "a recurrent layer has too few or too many activations";
    assert_eq!(refused(vec![activations(&["Tanh"])], &plain), few);
    let clipped = "a recurrent layer with clip or input_forget is not understood";
    for name in ["clip", "input_forget"] {
        assert_eq!(refused(vec![number(name)], &plain), clipped);
    }
    let lengths = "a recurrent layer with lengths of rows, or peepholes is not understood";
    let with = |slot: usize, array: Array| {
        let mut operands = plain.clone();
        operands.resize(8, None);
        operands[slot] = Some(array);
        operands
    };
    for slot in [LENGTHS, PEEPHOLES] {
        assert_eq!(refused(vec![], &with(slot, eighths(&[ROWS], 1))), lengths);
    }
    let unfit = "operands of a recurrent layer do not fit together";
    for (slot, shape) in [
        (WEIGHTS, &[1, 8, 4][..]),
        (OF_STATE, &[1, 6, 2]),
        (BIAS, &[1, 8]),
        (STATE, &[1, 1, 2]),
        (CELL, &[2, 2, 2]),
    ] {
        assert_eq!(refused(vec![], &with(slot, eighths(shape, 1))), unfit);
    }
    let flat = with(READ, eighths(&[STEPS, FEATURES], 1));
    assert_eq!(
        refused(vec![], &flat),
        "a recurrent layer reads steps, rows and features"
    );
    assert_eq!(refused(vec![], &[]), "a recurrent layer lacks operands");
}
