//! Every operator with units on every axis of every one of its inputs: what a list of operators by hand, with channels where
//! they usually lie, leaves out.
//!
//! A layer makes the units on the last axis of a matrix, `Reshape` and `Transpose` bring them to the axis, and behind the
//! operator stands what reads all of its axes or one of them. All lengths are known. `LSTM`, `GRU`, `RNN` and whatever else is
//! opaque are left out, as the naive evaluator cannot run them, and so are inputs that must be constant by their meaning.

mod applied;
mod around;
mod drawn;
mod elementwise;
mod fused;
mod layers;
mod movement;
mod rest;

use secateur_graph::{Binary, Element, Graph, Node, Op, Result, ValueId, evaluate};

use self::applied::{Applied, Operand};
pub use self::drawn::drawn_on_axis;
use crate::building::Building;
use crate::rows;

/// A network with units on one axis of an input of an operator.
#[derive(Debug, Clone)]
pub struct OnAxis {
    /// The operator in the format, the shapes of its inputs, where units lie and what reads them.
    pub name: String,
    /// The operator with its attributes.
    pub op: Op,
    /// The network.
    pub graph: Graph,
}

/// What an operand is in one of the networks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    Constant,
    /// Units of the first or second layer, on this axis.
    Units {
        layer: usize,
        axis: usize,
    },
    /// Products of a unit of the first layer and one of the second, each on an axis.
    Products([usize; 2]),
}

/// What stands behind the operator.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reader {
    /// The results themselves.
    Nothing,
    /// A dense layer on all numbers.
    Flat,
    /// A dense layer along one axis.
    Along(usize),
}

/// Every operator with units on every axis of every input.
///
/// # Errors
/// If an operator is not given what it takes.
pub fn on_axis() -> Result<Vec<OnAxis>> {
    let mut all = vec![];
    let applied = [
        layers::all()?,
        elementwise::all(),
        movement::all()?,
        rest::all()?,
        fused::all()?,
    ];
    for applied in applied.concat() {
        for given in applied.givens() {
            let bare = applied.network(&given, Reader::Nothing, &[])?;
            let lengths: Vec<Vec<usize>> = evaluate(&bare, &rows(&bare, 1, 1))
                .map_err(|e| e.at(applied.name(&given, Reader::Nothing)))?
                .into_iter()
                .map(|made| made.shape)
                .collect();
            let rank = lengths.iter().map(Vec::len).max().unwrap_or(0);
            let units = given.iter().map(|given| match given {
                Given::Constant => 0,
                Given::Units { .. } => 1,
                Given::Products(_) => 2,
            });
            let is_alone = units.sum::<usize>() == 1;
            // Of operands that meet there are many; of their readers along an axis each gets one in turn.
            let along = match is_alone {
                true => 0..rank,
                false => all.len() % rank.max(1)..rank.min(all.len() % rank.max(1) + 1),
            };
            for reader in std::iter::once(Reader::Flat).chain(along.map(Reader::Along)) {
                all.push(OnAxis {
                    name: applied.name(&given, reader),
                    op: applied.op.clone(),
                    graph: applied.network(&given, reader, &lengths)?,
                });
            }
        }
    }
    Ok(all)
}

impl Applied {
    fn name(&self, given: &[Given], reader: Reader) -> String {
        let operands = self.operands.iter().zip(given);
        let operands: Vec<String> = operands
            .map(|(operand, given)| match (operand, given) {
                (Operand::Drawn(_, shape), Given::Constant) => format!("{shape:?}"),
                (Operand::Drawn(_, shape), Given::Units { layer, axis }) => {
                    format!("{shape:?} with units of layer {layer} on axis {axis}")
                }
                (Operand::Drawn(_, shape), Given::Products(axes)) => {
                    format!("{shape:?} with units of two layers on axes {axes:?}")
                }
                (Operand::Fixed(tensor), _) => format!("{:?}", tensor.numbers()),
                (Operand::Missing, _) => "nothing".into(),
            })
            .collect();
        format!("{:?} of {}, {reader:?}", self.op, operands.join(", "))
    }

    /// One operand with units on one axis, two with the same ones or others, or all that line up.
    fn givens(&self) -> Vec<Vec<Given>> {
        let shape = |slot: usize| match &self.operands[slot] {
            Operand::Drawn(_, shape) => shape.as_slice(),
            Operand::Fixed(_) | Operand::Missing => &[],
        };
        let count = self.operands.len();
        let mut all: Vec<Vec<Given>> = vec![];
        for slot in 0..count {
            for axis in (0..shape(slot).len()).filter(|&axis| shape(slot)[axis] > 1) {
                let mut alone = vec![Given::Constant; count];
                alone[slot] = Given::Units { layer: 0, axis };
                all.push(alone.clone());
                for second in (axis + 1..shape(slot).len()).filter(|&a| shape(slot)[a] > 1) {
                    let mut both = vec![Given::Constant; count];
                    both[slot] = Given::Products([axis, second]);
                    all.push(both);
                }
                for other in (0..count).filter(|&other| other != slot) {
                    for (beside, &length) in shape(other).iter().enumerate() {
                        // Pairs of long axes come from either of the two.
                        let layers = match (length == shape(slot)[axis], other > slot) {
                            (true, true) => vec![0, 1],
                            (true, false) => vec![],
                            (false, later) => vec![1; usize::from(later || length == 1)],
                        };
                        for layer in layers {
                            let axis = beside;
                            let mut pair = alone.clone();
                            pair[other] = Given::Units { layer, axis };
                            all.push(pair);
                        }
                    }
                }
            }
        }
        if count > 2 {
            all.extend(self.lined_up());
        }
        all.dedup();
        all
    }

    /// All operands with units on the same axis, counted from the last; every second of another layer.
    fn lined_up(&self) -> Vec<Vec<Given>> {
        let place = |operand: &Operand, back: usize| match operand {
            Operand::Drawn(_, shape) => {
                let axis = shape.len().checked_sub(back)?;
                Some((axis, shape[axis]))
            }
            Operand::Fixed(_) | Operand::Missing => None,
        };
        let mut all = vec![];
        for back in 1..=4 {
            let places: Option<Vec<(usize, usize)>> =
                self.operands.iter().map(|o| place(o, back)).collect();
            let Some(places) = places else { continue };
            let most = places.iter().map(|&(_, length)| length).max();
            let given = places.iter().enumerate().map(|(slot, &(axis, length))| {
                let layer = if Some(length) == most { slot % 2 } else { 2 };
                Given::Units { layer, axis }
            });
            if most > Some(1) {
                all.push(given.collect());
            }
        }
        all
    }

    /// The network; `lengths` are those of the results.
    fn network(&self, given: &[Given], reader: Reader, lengths: &[Vec<usize>]) -> Result<Graph> {
        let mut b = Building::new("on an axis", 1);
        let mut layers = [None; 3];
        let mut inputs = vec![];
        for (operand, &given) in self.operands.iter().zip(given) {
            inputs.push(match (operand, given) {
                (Operand::Missing, _) => None,
                (Operand::Fixed(tensor), _) => Some(b.tensor(tensor.clone())),
                (Operand::Drawn(kind, shape), Given::Constant) => Some(b.number(*kind, shape)?),
                (Operand::Drawn(kind, shape), Given::Products(axes)) => {
                    let mut factors = vec![];
                    for (layer, [own, other]) in [axes, [axes[1], axes[0]]].into_iter().enumerate()
                    {
                        let mut shape = shape.clone();
                        shape[other] = 1;
                        factors.push(b.units(&mut layers[layer], &shape, own)?);
                    }
                    let product = b.node(Op::Binary(Binary::Mul), &factors);
                    Some(b.of_kind(*kind, product)?)
                }
                (Operand::Drawn(kind, shape), Given::Units { layer, axis }) => {
                    let made = b.units(&mut layers[layer], shape, axis)?;
                    Some(b.of_kind(*kind, made)?)
                }
            });
        }
        let name = "operator";
        let outputs: Vec<ValueId> = (0..self.outputs)
            .map(|output| b.builder.declare(format!("{name}:{output}"), None))
            .collect();
        b.builder.add_node(Node {
            name: name.into(),
            op: self.op.clone(),
            inputs,
            outputs: outputs.clone(),
        });
        for (output, made) in outputs.into_iter().enumerate() {
            let made = match self.element {
                None => made,
                Some(element) => {
                    b.builder.of_type(made, element);
                    let cast = b.node(Op::Cast { to: Element::F32 }, &[made]);
                    b.builder.of_type(cast, Element::F32);
                    cast
                }
            };
            let read = b.read(made, reader, lengths.get(output))?;
            b.builder.output(read);
        }
        b.builder.build()
    }
}
