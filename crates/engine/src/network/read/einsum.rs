//! `Einsum` of two operands as a product of matrices: axes are moved together, multiplied, and moved apart.

use secateur_graph::{Einsum, Node};

use super::letters::Letters;
use super::operands::Met;
use super::products::Matrices;
use super::{New, Reader};
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::Source;
use crate::{Error, Result};

impl Reader<'_> {
    pub(super) fn einsum(&mut self, node: &Node, einsum: &Einsum) -> Result<()> {
        let refused = |why: &str| {
            Error::unsupported(format!(
                "Einsum by '{}' {why}, and cannot be trained",
                einsum.equation()
            ))
            .hint("products of two operands without repeated or lonely letters can")
        };
        let mut ids = vec![];
        let mut shapes = vec![];
        for &id in node.inputs.iter().flatten() {
            ids.push(id);
            shapes.push(self.shape(id)?);
        }
        let ranks: Vec<usize> = shapes.iter().map(Vec::len).collect();
        let Some(Letters { operands, made }) = Letters::of(einsum.equation(), &ranks) else {
            return Err(refused("does not fit its operands"));
        };
        let (&[a, b], [own_a, own_b]) = (&ids[..], &operands[..]) else {
            return Err(refused("has other than two operands"));
        };
        let length = |c: char| {
            let mut all = operands.iter().zip(&shapes).filter_map(|(own, shape)| {
                let axis = own.iter().position(|&o| o == c)?;
                Some(shape[axis])
            });
            let first = all.next()?;
            all.all(|n| n == first).then_some(first)
        };
        let every = own_a.iter().chain(own_b);
        if every.clone().any(|&c| length(c).is_none()) {
            return Err(refused("repeats an axis of length 1"));
        }
        if every.clone().any(|c| {
            let holders = operands.iter().filter(|own| own.contains(c)).count();
            holders == 1 && !made.contains(c)
        }) {
            return Err(refused("sums over a letter of one operand"));
        }
        let is_batch = |(&id, own): (&_, &Vec<char>)| {
            let first = own.first().filter(|&&c| length(c) == Some(1));
            self.at.contains_key(&id) && first.is_some_and(|c| !made.contains(c))
        };
        if ids.iter().zip(&operands).any(is_batch) {
            return Err(refused("sums over the batch"));
        }
        // Rows of either by letters of their own make a number for every pair of rows, while steps see one row at a time.
        let firsts = [own_a.first(), own_b.first()];
        let both_flow = ids.iter().all(|id| self.at.contains_key(id));
        let are_batches = firsts.iter().all(|c| c.and_then(|&c| length(c)) == Some(1));
        if both_flow && are_batches && firsts[0] != firsts[1] {
            return Err(refused("pairs the rows of the batch"));
        }
        let of = |own: &[char], in_other: bool, in_made: bool| -> Vec<char> {
            let other = if own == own_a.as_slice() {
                own_b
            } else {
                own_a
            };
            let mut letters = own.to_vec();
            letters.retain(|c| other.contains(c) == in_other && made.contains(c) == in_made);
            letters
        };
        let mut batch = of(own_a, true, true);
        let mut left = of(own_a, false, true);
        let mut right = of(own_b, false, true);
        let inner = of(own_a, true, false);
        // In the order in which they are wanted.
        for letters in [&mut batch, &mut left, &mut right] {
            letters.sort_by_key(|c| made.iter().position(|m| m == c));
        }
        let size = |letters: &[char]| -> Vec<usize> {
            letters.iter().filter_map(|&c| length(c)).collect()
        };
        let count = |letters: &[char]| size(letters).iter().product::<usize>();
        let first = self.turned(a, own_a, &[&batch[..], &left, &inner].concat(), &shapes[0])?;
        let second = self.turned(b, own_b, &[&batch[..], &inner, &right].concat(), &shapes[1])?;
        let matrices = Matrices::of(
            &[count(&batch), count(&left), count(&inner)],
            &[count(&batch), count(&inner), count(&right)],
            [false; 2],
        )?;
        let order = [batch, left, right].concat();
        let y = self.product([first, second], matrices, [false; 2], &size(&order))?;
        let y = self.turned_place(y, &order, &made);
        self.at.insert(node.output()?, y);
        Ok(())
    }

    /// An operand with its axes in another order.
    fn turned(
        &mut self,
        id: secateur_graph::ValueId,
        from: &[char],
        to: &[char],
        shape: &[usize],
    ) -> Result<Met> {
        let met = match self.at.get(&id) {
            Some(&place) => Met::Place(place),
            None => match self.is_weight(id) {
                true => Met::Constant(id),
                false => match self.unfolded(id)? {
                    Some(place) => Met::Place(place),
                    None => Met::Constant(id),
                },
            },
        };
        Ok(match met {
            Met::Place(place) => Met::Place(self.turned_place(place, from, to)),
            met if from == to => met,
            Met::Constant(id) if self.is_weight(id) => {
                let parameter = self.parameter(id, false)?;
                let from_layout = Layout::plain(shape);
                let layout = Layout::plain(&order(shape, from, to));
                let moves = turns(&from_layout, &layout, (from, to), Source::Parameter(0));
                let step = super::moves::moved(moves, &[], vec![parameter], layout.len, 0.0);
                Met::Place(self.add(New {
                    step,
                    x: vec![],
                    layout,
                    is_trained: true,
                }))
            }
            _ => {
                return Err(Error::unsupported("turns a constant that is no weight")
                    .hint("store the constant as 32-bit floats"));
            }
        })
    }

    fn turned_place(&mut self, place: usize, from: &[char], to: &[char]) -> usize {
        if from == to {
            return place;
        }
        let own = self.places[place].layout.clone();
        let layout = Layout::plain(&order(&own.shape, from, to));
        let moves = turns(&own, &layout, (from, to), Source::Input(0));
        let step: Step = super::moves::moved(moves, &[own.len], vec![], layout.len, 0.0);
        self.add(New {
            step,
            x: vec![place],
            layout,
            is_trained: false,
        })
    }
}

/// The lengths of axes in another order.
fn order(shape: &[usize], from: &[char], to: &[char]) -> Vec<usize> {
    let axis = |c: &char| from.iter().position(|o| o == c);
    to.iter().filter_map(axis).map(|a| shape[a]).collect()
}

/// Where each element moves.
fn turns(
    own: &Layout,
    layout: &Layout,
    (from, to): (&[char], &[char]),
    source: Source,
) -> Vec<(Source, usize, usize)> {
    let strides = order(&own.strides, from, to);
    let moves = (0..layout.elements()).map(|element| {
        let (mut rest, mut at) = (element, 0);
        for (&length, &stride) in layout.shape.iter().zip(&strides).rev() {
            at += rest % length * stride;
            rest /= length;
        }
        (source, at, layout.offset(element))
    });
    moves.collect()
}
