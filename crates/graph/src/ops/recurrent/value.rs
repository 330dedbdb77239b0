//! What recurrent layers come to, in double precision, where nothing unusual is asked of them.

use secateur_onnx::proto::NodeProto;
use secateur_onnx::{Limits, read_node};

use super::Opaque;
use crate::eval::Array;
use crate::{Error, Result};

/// Operands.
const READ: usize = 0;
const WEIGHTS: usize = 1;
const OF_STATE: usize = 2;
const BIAS: usize = 3;
const LENGTHS: usize = 4;
const STATE: usize = 5;
const CELL: usize = 6;
const PEEPHOLES: usize = 7;

/// All steps, and the last ones of each state.
///
/// # Errors
/// If operands do not fit together, or something is asked for that is not understood.
pub(in crate::ops) fn evaluate(opaque: &Opaque, inputs: &[Option<&Array>]) -> Result<Vec<Array>> {
    let layer = Layer::of(opaque)?;
    let input = |slot: usize| inputs.get(slot).copied().flatten();
    if input(LENGTHS).is_some() || input(PEEPHOLES).is_some() {
        return Err(not_understood("lengths of rows, or peepholes"));
    }
    let (Some(x), Some(w), Some(r)) = (input(READ), input(WEIGHTS), input(OF_STATE)) else {
        return Err(Error::invalid("a recurrent layer lacks operands"));
    };
    let (&[steps, rows, features], &[.., hidden]) = (&x.shape[..], &r.shape[..]) else {
        return Err(Error::invalid(
            "a recurrent layer reads steps, rows and features",
        ));
    };
    let (directions, stacked) = (layer.backwards.len(), layer.kind.gates() * hidden);
    let state = [directions, rows, hidden];
    let fits = |slot: usize, shape: &[usize]| input(slot).is_none_or(|a| a.shape == shape);
    if !(fits(WEIGHTS, &[directions, stacked, features])
        && fits(OF_STATE, &[directions, stacked, hidden])
        && fits(BIAS, &[directions, 2 * stacked])
        && fits(STATE, &state)
        && fits(CELL, &state))
    {
        return Err(Error::invalid(
            "operands of a recurrent layer do not fit together",
        ));
    }
    let of_state = |slot: usize, at: usize| match input(slot) {
        Some(first) => first.values[at..at + hidden].to_vec(),
        None => vec![0.0; hidden],
    };
    let mut all = vec![0.0; steps * directions * rows * hidden];
    let (mut last, mut cells) = (vec![], vec![]);
    for (direction, &backwards) in layer.backwards.iter().enumerate() {
        let of = |half: usize| Half {
            weights: [w, r][half],
            direction,
            bias: input(BIAS).map(|b| &b.values[(2 * direction + half) * stacked..][..stacked]),
        };
        let each = layer.kind.activations();
        let activations = &layer.activations[direction * each..][..each];
        for row in 0..rows {
            let at = (direction * rows + row) * hidden;
            let (mut h, mut c) = (of_state(STATE, at), of_state(CELL, at));
            for turn in 0..steps {
                let step = if backwards { steps - 1 - turn } else { turn };
                let x = &x.values[(step * rows + row) * features..][..features];
                let read = of(0).of(x);
                (h, c) = layer.kind.step(activations, &read, &of(1), (&h, &c));
                let to = ((step * directions + direction) * rows + row) * hidden;
                all[to..to + hidden].copy_from_slice(&h);
            }
            last.extend(h);
            cells.extend(c);
        }
    }
    Ok(vec![
        Array::new([steps, directions, rows, hidden], all)?,
        Array::new(state, last)?,
        Array::new(state, cells)?,
    ])
}

fn not_understood(what: &str) -> Error {
    Error::unsupported(format!("a recurrent layer with {what} is not understood"))
}

/// The weights of one direction for what is read or for the state.
struct Half<'a> {
    weights: &'a Array,
    direction: usize,
    bias: Option<&'a [f64]>,
}

impl Half<'_> {
    /// What goes into all gates.
    fn of(&self, x: &[f64]) -> Vec<f64> {
        let stacked = self.weights.shape[1];
        let rows = (0..stacked).map(|gate| {
            let start = (self.direction * stacked + gate) * x.len();
            let pairs = x.iter().zip(&self.weights.values[start..]);
            let sum = pairs.fold(0.0, |sum, (x, w)| sum + x * w);
            sum + self.bias.map_or(0.0, |bias| bias[gate])
        });
        rows.collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Input, output, forget and cell.
    Lstm,
    /// Update, reset and hidden; whether the state goes through its weights before it is reset.
    Gru {
        linear_first: bool,
    },
    Rnn,
}

type Activation = fn(f64) -> f64;

impl Kind {
    fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
            Self::Rnn => 1,
        }
    }

    /// How many activations a direction has.
    fn activations(self) -> usize {
        match self {
            Self::Lstm => 3,
            Self::Gru { .. } => 2,
            Self::Rnn => 1,
        }
    }

    /// Those that it has if none are named.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Self::Lstm => &["Sigmoid", "Tanh", "Tanh"],
            Self::Gru { .. } => &["Sigmoid", "Tanh"],
            Self::Rnn => &["Tanh"],
        }
    }

    /// The next state and cell.
    fn step(
        self,
        activations: &[Activation],
        read: &[f64],
        own: &Half<'_>,
        (h, c): (&[f64], &[f64]),
    ) -> (Vec<f64>, Vec<f64>) {
        let hidden = h.len();
        let first = activations[0];
        let kept = own.of(h);
        let gate = |gate: usize, unit: usize| {
            let at = gate * hidden + unit;
            read[at] + kept[at]
        };
        let units = 0..hidden;
        match self {
            Self::Rnn => (units.map(|u| first(gate(0, u))).collect(), c.to_vec()),
            Self::Lstm => {
                let cell = |u: usize| {
                    first(gate(2, u)) * c[u] + first(gate(0, u)) * activations[1](gate(3, u))
                };
                let cells: Vec<f64> = units.map(cell).collect();
                let out = |(u, &c): (usize, &f64)| first(gate(1, u)) * activations[2](c);
                (cells.iter().enumerate().map(out).collect(), cells)
            }
            Self::Gru { linear_first } => {
                let reset = units.clone().map(|u| first(gate(1, u)));
                let reset: Vec<f64> = reset.collect();
                let of_reset = match linear_first {
                    true => vec![],
                    false => own.of(&reset.iter().zip(h).map(|(r, h)| r * h).collect::<Vec<_>>()),
                };
                let next = |u: usize| {
                    let at = 2 * hidden + u;
                    let state = match linear_first {
                        true => reset[u] * kept[at],
                        false => of_reset[at],
                    };
                    let update = first(gate(0, u));
                    (1.0 - update) * activations[1](read[at] + state) + update * h[u]
                };
                (units.map(next).collect(), c.to_vec())
            }
        }
    }
}

/// What the attributes say.
struct Layer {
    kind: Kind,
    /// Whether each direction begins at the last step.
    backwards: Vec<bool>,
    activations: Vec<Activation>,
}

impl Layer {
    fn of(opaque: &Opaque) -> Result<Self> {
        let message = read_node(&opaque.message, &Limits::default())?;
        let number = |name: &str| attribute(&message, name).and_then(|a| a.i).unwrap_or(0);
        let kind = match opaque.op_type.as_str() {
            "LSTM" => Kind::Lstm,
            "GRU" => Kind::Gru {
                linear_first: number("linear_before_reset") != 0,
            },
            _ => Kind::Rnn,
        };
        if attribute(&message, "clip").is_some() || number("input_forget") != 0 {
            return Err(not_understood("clip or input_forget"));
        }
        let direction = attribute(&message, "direction").and_then(|a| a.s.as_deref());
        let backwards = match direction {
            None | Some(b"forward") => vec![false],
            Some(b"reverse") => vec![true],
            Some(_) => vec![false, true],
        };
        let named = attribute(&message, "activations").map_or(&[][..], |a| &a.strings);
        let named: Vec<&[u8]> = match named {
            [] => {
                let usual = kind.usual().iter().map(|name| name.as_bytes());
                usual
                    .cycle()
                    .take(backwards.len() * kind.activations())
                    .collect()
            }
            named => named.iter().map(AsRef::as_ref).collect(),
        };
        if named.len() != backwards.len() * kind.activations() {
            return Err(Error::invalid(
                "a recurrent layer has too few or too many activations",
            ));
        }
        let activation = |name: &&[u8]| -> Result<Activation> {
            match *name {
                b"Sigmoid" => Ok(|x| 1.0 / (1.0 + (-x).exp())),
                b"Tanh" => Ok(f64::tanh),
                b"Relu" => Ok(|x| x.max(0.0)),
                _ => Err(not_understood("other activations")),
            }
        };
        Ok(Self {
            kind,
            activations: named.iter().map(activation).collect::<Result<_>>()?,
            backwards,
        })
    }
}

fn attribute<'m>(
    message: &'m NodeProto,
    name: &str,
) -> Option<&'m secateur_onnx::proto::AttributeProto> {
    let mut all = message.attribute.iter();
    all.find(|a| a.name.as_deref() == Some(name))
}

#[cfg(test)]
mod tests;
