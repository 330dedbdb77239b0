//! `Einsum`: products and sums by letters. What a letter means follows from who holds it and whether it is left.

use super::{dims, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::broadcast;
use crate::{Dim, Error, Graph, Node, Result, ValueId};

/// Attributes of [`Op::Einsum`](crate::Op::Einsum): an equation, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Einsum {
    /// The equation as it was written.
    equation: String,
    /// The letters of the axes of each operand.
    operands: Vec<Vec<char>>,
    /// The letters of the axes of the result.
    made: Vec<char>,
}

/// Axes that dots stand for have letters of their own from here on, counted from the last one.
const DOTS: u32 = 0xE000;

impl Einsum {
    /// Reads an equation for operands of so many axes; none where one has a letter twice, or the result has letters
    /// that no operand has.
    ///
    /// # Errors
    /// If the equation is malformed or has other numbers of operands or axes.
    pub fn of(equation: &str, ranks: &[usize]) -> Result<Option<Self>> {
        let fail = || {
            Error::invalid(format!(
                "Einsum by '{equation}' of values with {ranks:?} axes"
            ))
        };
        let plain: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = match plain.split_once("->") {
            Some((left, right)) => (left, Some(right)),
            None => (plain.as_str(), None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return Err(fail());
        }
        let operands: Option<Vec<Vec<char>>> = terms
            .iter()
            .zip(ranks)
            .map(|(term, &rank)| {
                let dots = match term.contains("...") {
                    true => rank.checked_sub(term.len() - 3)?,
                    false => 0,
                };
                letters(term, dots).filter(|l| l.len() == rank)
            })
            .collect();
        let operands = operands.ok_or_else(fail)?;
        let mut all: Vec<char> = operands.concat();
        all.sort_unstable();
        let dots: Vec<char> = {
            let mut dots: Vec<char> = all.iter().copied().filter(|&c| is_dot(c)).collect();
            dots.dedup();
            dots.reverse();
            dots
        };
        let made = match right {
            Some(right) => letters(right, dots.len()).ok_or_else(fail)?,
            // Letters that stand there once, in the order of the alphabet.
            None => {
                let once = |c: &&char| !is_dot(**c) && all.iter().filter(|o| o == c).count() == 1;
                let once: Vec<char> = all.iter().filter(once).copied().collect();
                [dots, once].concat()
            }
        };
        let is_plain = operands.iter().chain([&made]).all(|term| {
            let mut sorted = term.clone();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.len() == term.len()
        });
        let is_made = made.iter().all(|c| all.contains(c));
        Ok((is_plain && is_made).then(|| Self {
            equation: equation.to_owned(),
            operands,
            made,
        }))
    }

    /// The equation as it was written.
    pub fn equation(&self) -> &str {
        &self.equation
    }

    /// The number of axes of the result.
    pub(crate) fn rank(&self) -> usize {
        self.made.len()
    }

    /// All letters: those of the result first, each group in the order in which it is met.
    fn letters(&self) -> Vec<char> {
        let mut letters = self.made.clone();
        for &c in self.operands.iter().flatten() {
            if !letters.contains(&c) {
                letters.push(c);
            }
        }
        letters
    }

    /// The operands that hold a letter, and the axis that it is.
    fn holders(&self, letter: char) -> impl Iterator<Item = (usize, usize)> {
        let place = move |term: &Vec<char>| term.iter().position(|&c| c == letter);
        let operands = self.operands.iter().enumerate();
        operands.filter_map(move |(operand, term)| Some((operand, place(term)?)))
    }
}

fn is_dot(letter: char) -> bool {
    letter as u32 >= DOTS
}

/// The letters of a term, in which three dots stand for so many axes; none if it is malformed.
fn letters(term: &str, dots: usize) -> Option<Vec<char>> {
    let dot = |from_end: usize| char::from_u32(DOTS + from_end as u32);
    let dots: Option<Vec<char>> = (0..dots).rev().map(dot).collect();
    let (before, dots, behind) = match term.split_once("...") {
        Some((before, behind)) => (before, dots?, behind),
        None => (term, vec![], ""),
    };
    let own = before.chars().chain(behind.chars());
    let is_plain = own.clone().all(|c| c.is_ascii_alphabetic());
    is_plain.then(|| before.chars().chain(dots).chain(behind.chars()).collect())
}

/// The length of a letter, which operands agree on unless theirs is 1.
fn length(graph: &Graph, node: &Node, einsum: &Einsum, letter: char) -> Result<Option<Dim>> {
    let mut length = vec![Dim::Fixed(1)];
    for (operand, axis) in einsum.holders(letter) {
        let Some(shape) = input_shape(graph, node, operand)? else {
            return Ok(None);
        };
        let own = shape.get(axis).ok_or_else(|| {
            Error::invalid(format!(
                "Einsum by '{}' of values with other axes",
                einsum.equation
            ))
        })?;
        length = broadcast(&length, std::slice::from_ref(own))?;
    }
    Ok(length.pop())
}

pub(super) fn shape(graph: &Graph, node: &Node, einsum: &Einsum) -> Result<Option<Vec<Dim>>> {
    for letter in einsum.letters() {
        length(graph, node, einsum, letter)?;
    }
    let made = einsum.made.iter();
    made.map(|&letter| length(graph, node, einsum, letter))
        .collect()
}

/// Who holds a letter.
struct Held {
    /// Activations, with the axis that it is.
    activations: Vec<(ValueId, usize)>,
    /// Constants likewise, as far as they vary along it.
    constants: Vec<(ValueId, usize)>,
    /// Whether an activation has another length than the letter, and so is repeated.
    is_stretched: bool,
}

/// Letter by letter: what is left and held by activations passes, what only constants hold is produced; what is summed over is
/// read by the constants that hold it, and stays if there are none.
pub(super) fn channels(node: &Node, einsum: &Einsum, walk: &mut Walk<'_>) -> Result<()> {
    let made = node.output()?;
    let inputs: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    let known = inputs.iter().all(|&id| walk.rank(id).is_some());
    if !known || inputs.iter().all(|&id| walk.is_parameter(id)) {
        for id in inputs {
            walk.freeze(id, node, "is computed from constants, or of unknown shape");
        }
        return Ok(());
    }
    for letter in einsum.letters() {
        let whole = length(walk.graph(), node, einsum, letter)?.and_then(|d| d.fixed());
        let held = held(einsum, &inputs, letter, whole, walk);
        let left = einsum.made.iter().position(|&c| c == letter);
        match (left, held.activations.is_empty()) {
            (Some(axis), true) => {
                if let Some(length) = whole.filter(|_| !held.constants.is_empty()) {
                    let produced = walk.produce(made, axis, length);
                    for (tensor, axis) in held.constants {
                        walk.claim(tensor, axis, Role::Produces, &produced);
                    }
                }
            }
            (None, true) => {
                for (tensor, axis) in held.constants {
                    walk.pin(tensor, axis, node, "is summed over in a constant");
                }
            }
            (left, false) => {
                let passed = together(node, &held, left.is_none(), walk);
                let role = match left {
                    Some(_) => Role::Carries,
                    None => Role::Reads,
                };
                for &(tensor, axis) in &held.constants {
                    if passed.is_empty() {
                        let reason = "shares a constant along an axis whose channels are unknown";
                        walk.pin(tensor, axis, node, reason);
                    }
                    walk.claim(tensor, axis, role, &passed);
                }
                if let Some(axis) = left {
                    for channels in passed {
                        walk.carry(made, Channels { axis, ..channels });
                    }
                }
            }
        }
    }
    Ok(())
}

fn held(
    einsum: &Einsum,
    inputs: &[ValueId],
    letter: char,
    whole: Option<usize>,
    walk: &Walk<'_>,
) -> Held {
    let all = einsum
        .holders(letter)
        .map(|(operand, axis)| (inputs[operand], axis));
    let is_one = |&(id, axis): &(ValueId, usize)| walk.length(id, axis) == Some(1);
    let (constants, activations): (Vec<_>, Vec<_>) =
        all.partition(|(id, _)| walk.is_parameter(*id));
    Held {
        is_stretched: whole != Some(1) && activations.iter().any(is_one),
        constants: constants
            .into_iter()
            .filter(|c| whole == Some(1) || !is_one(c))
            .collect(),
        activations,
    }
}

/// Couples the channels of all activations that hold a letter. None where they do not line up, or nothing reads them although
/// they are summed over; then they are frozen.
fn together(node: &Node, held: &Held, is_summed: bool, walk: &mut Walk<'_>) -> Vec<Channels> {
    let all: Vec<Vec<Channels>> = held
        .activations
        .iter()
        .map(|&(id, axis)| walk.along(id, axis))
        .collect();
    let reason = match (is_summed, held.activations.len()) {
        (true, 1) if held.constants.is_empty() => "is mixed across channels by Einsum",
        (true, _) if held.constants.is_empty() => {
            "is summed over in a product of activations, which has no weights"
        }
        _ => "meets an activation whose channels do not line up with its own",
    };
    let is_unread = is_summed && held.constants.is_empty();
    let first = all[0].clone();
    let fits = !is_unread
        && !held.is_stretched
        && all.iter().all(|own| !own.is_empty())
        && all[1..].iter().all(|own| walk.couple_axes(&first, own));
    if fits {
        return first;
    }
    for (&(id, axis), own) in held.activations.iter().zip(&all) {
        if !own.is_empty() {
            walk.freeze_axis(id, axis, node, reason);
        }
    }
    vec![]
}

/// One for every combination of letters and every operand but the first.
pub(super) fn macs(graph: &Graph, node: &Node, einsum: &Einsum) -> Option<u64> {
    let mut places = einsum.operands.len() as u64 - 1;
    for letter in einsum.letters() {
        let length = length(graph, node, einsum, letter).ok()??;
        places = places.checked_mul(length.fixed().unwrap_or(1) as u64)?;
    }
    Some(places)
}

pub(super) fn evaluate(einsum: &Einsum, inputs: &[&Array]) -> Result<Array> {
    let letters = einsum.letters();
    let mut lengths = vec![];
    for &letter in &letters {
        let mut length = vec![Dim::Fixed(1)];
        for (operand, axis) in einsum.holders(letter) {
            let shape = inputs.get(operand).map(|x| dims(&x.shape));
            let own = shape.as_ref().and_then(|s| s.get(axis));
            let own = own.ok_or_else(|| Error::invalid("Einsum of values with other axes"))?;
            length = broadcast(&length, std::slice::from_ref(own))?;
        }
        lengths.push(length[0].fixed().unwrap_or(1));
    }
    let strides: Vec<Vec<usize>> = inputs
        .iter()
        .zip(&einsum.operands)
        .map(|(x, term)| strides(x, term, &letters))
        .collect();
    let (left, summed) = lengths.split_at(einsum.made.len());
    let mut values = Vec::with_capacity(left.iter().product());
    for place in super::window::indices(left) {
        let mut sum = 0.0;
        for inner in super::window::indices(summed) {
            let product = inputs.iter().zip(&strides).map(|(x, strides)| {
                let at = place.iter().chain(&inner).zip(strides);
                x.values[at.map(|(i, stride)| i * stride).sum::<usize>()]
            });
            sum += product.product::<f64>();
        }
        values.push(sum);
    }
    Array::new(left, values)
}

/// By how much each letter moves on in an operand: 0 where that lacks it or has one position.
fn strides(x: &Array, term: &[char], letters: &[char]) -> Vec<usize> {
    let stride = |letter: &char| {
        let axis = term.iter().position(|c| c == letter);
        axis.filter(|&axis| x.shape[axis] != 1)
            .map_or(0, |axis| x.shape[axis + 1..].iter().product())
    };
    letters.iter().map(stride).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelGroups, GraphBuilder, Op, Tensor};

    fn run(equation: &str, inputs: &[&Array]) -> Array {
        let ranks: Vec<usize> = inputs.iter().map(|x| x.shape.len()).collect();
        evaluate(&Einsum::of(equation, &ranks).unwrap().unwrap(), inputs).unwrap()
    }

    #[test]
    fn equations_are_read_with_dots_and_without_results() {
        let a = Array::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Array::new([2], vec![1.0, 10.0]).unwrap();
        assert_eq!(run("ij,j->i", &[&a, &b]).values, [21.0, 43.0]);
        assert_eq!(run("ij, j", &[&a, &b]).values, [21.0, 43.0]);
        assert_eq!(run("...j,j->...", &[&a, &b]).values, [21.0, 43.0]);
        assert_eq!(run("ba", &[&a]).values, [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(run("ij->", &[&a]).values, [10.0]);
        assert_eq!(run("i,j->ij", &[&b, &b]).values, [1.0, 10.0, 10.0, 100.0]);
        let row = Array::new([1, 2], vec![1.0, 10.0]).unwrap();
        assert_eq!(
            run("...i,...i->...i", &[&a, &row]).values,
            [1.0, 20.0, 3.0, 40.0]
        );
    }

    #[test]
    fn diagonals_are_not_understood_and_nonsense_is_refused() {
        assert_eq!(Einsum::of("ii->i", &[2]).unwrap(), None);
        assert_eq!(Einsum::of("i->k", &[1]).unwrap(), None);
        assert!(Einsum::of("ij,jk->ik", &[2]).is_err());
        assert!(Einsum::of("ij->i", &[3]).is_err());
        assert!(Einsum::of("i1->i", &[2]).is_err());
    }

    fn freezes(equation: &str, shapes: [&[usize]; 2], weights: bool) -> Vec<Option<String>> {
        let drawn = |shape: &[usize]| {
            let count = shape.iter().product();
            Tensor::f32(shape, vec![1.0; count]).unwrap()
        };
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(5), Dim::Fixed(2)]);
        let mut layer = |name: &str, width: usize| {
            let w = b.constant(format!("{name}.w"), drawn(&[2, width]));
            b.node(name, Op::MatMul, &[x, w])
        };
        let left = layer("left", shapes[0][0]);
        let right = match weights {
            true => b.constant("right", drawn(shapes[1])),
            false => layer("right", shapes[1][0]),
        };
        let ranks = [3, if weights { shapes[1].len() } else { 3 }];
        let einsum = Einsum::of(equation, &ranks).unwrap().unwrap();
        let made = b.node("made", Op::Einsum(einsum), &[left, right]);
        b.output(made);
        let groups = ChannelGroups::of(&b.build().unwrap()).unwrap();
        let named = |name: &str| {
            let group = groups.group(groups.named(name)?);
            group.frozen.as_ref().map(|f| f.reason.clone())
        };
        vec![named("left"), named("right"), named("made")]
    }

    #[test]
    fn letters_are_read_produced_coupled_or_frozen() {
        let output = Some("is an output of the graph".to_owned());
        let dense = freezes("btc,cd->btd", [&[4], &[4, 3]], true);
        assert_eq!(dense, [None, None, output.clone()]);
        let product = freezes("bic,bjc->bij", [&[4], &[4]], false);
        let unread =
            Some("is summed over in a product of activations, which has no weights".into());
        assert_eq!(product[0], unread);
        let gate = freezes("btc,btc->btc", [&[4], &[4]], false);
        assert_eq!(gate[0], output);
        let stretched = freezes("btc,cd->btd", [&[4], &[1, 3]], true);
        assert!(stretched[0].is_some());
    }
}
