//! `Einsum`: products and sums by letters. What a letter means follows from who holds it and whether it is left.

use super::{dims, input_shape};
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::shapes::broadcast;
use crate::{Dim, Error, Graph, Node, Result, ValueId};

/// Attributes of [`Op::Einsum`](crate::Op::Einsum).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Einsum {
    /// The equation as it was written.
    equation: String,
    /// What it says of each operand, in plain letters and three dots.
    operands: Vec<String>,
    /// What it says of the result, if it does.
    made: Option<String>,
}

/// The letters of all axes.
struct Letters {
    operands: Vec<Vec<char>>,
    made: Vec<char>,
}

/// Axes that dots stand for have letters of their own from here on, counted from the last one.
const DOTS: u32 = 0xE000;

impl Einsum {
    /// Reads an equation; none where an operand has a letter twice, or the result has letters that no operand has.
    ///
    /// # Errors
    /// If the equation is malformed or has another number of operands.
    pub fn of(equation: &str, operands: usize) -> Result<Option<Self>> {
        let plain: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, made) = match plain.split_once("->") {
            Some((left, made)) => (left, Some(made.to_owned())),
            None => (plain.as_str(), None),
        };
        let einsum = Self {
            equation: equation.to_owned(),
            operands: left.split(',').map(str::to_owned).collect(),
            made,
        };
        let terms = || einsum.operands.iter().chain(&einsum.made);
        if einsum.operands.len() != operands || !terms().all(|term| letters(term, 0).is_some()) {
            return Err(einsum.misfit("so many operands"));
        }
        let is_plain = terms().all(|term| {
            let mut own: Vec<char> = term.chars().filter(char::is_ascii_alphabetic).collect();
            let count = own.len();
            own.sort_unstable();
            own.dedup();
            own.len() == count
        });
        let is_made = |c: char| einsum.operands.iter().any(|term| term.contains(c));
        let is_made = einsum.made.iter().all(|made| made.chars().all(is_made));
        Ok((is_plain && is_made).then_some(einsum))
    }

    /// The equation as it was written.
    pub fn equation(&self) -> &str {
        &self.equation
    }

    /// The number of axes of the result, where it does not depend on those of operands.
    pub(crate) fn rank(&self) -> Option<usize> {
        let made = self.made.as_ref().filter(|made| !made.contains('.'))?;
        Some(made.len())
    }

    fn misfit(&self, of: &str) -> Error {
        Error::invalid(format!("Einsum by '{}' of {of}", self.equation))
    }

    /// The letters of operands with so many axes.
    fn letters(&self, ranks: &[usize]) -> Result<Letters> {
        let term = |(term, &rank): (&String, &usize)| {
            let dots = match term.contains("...") {
                true => rank.checked_sub(term.len() - 3)?,
                false => 0,
            };
            letters(term, dots).filter(|l| l.len() == rank)
        };
        let operands: Option<Vec<Vec<char>>> = self.operands.iter().zip(ranks).map(term).collect();
        let operands = operands
            .filter(|all| all.len() == self.operands.len())
            .ok_or_else(|| self.misfit(&format!("values with {ranks:?} axes")))?;
        let mut all: Vec<char> = operands.concat();
        all.sort_unstable();
        let once = |c: &&char| !is_dot(**c) && all.iter().filter(|o| o == c).count() == 1;
        let once: Vec<char> = all.iter().filter(once).copied().collect();
        let mut dots: Vec<char> = all.iter().copied().filter(|&c| is_dot(c)).collect();
        dots.dedup();
        dots.reverse();
        let made = match &self.made {
            Some(made) => letters(made, dots.len()).unwrap_or_default(),
            // Letters that stand there once, in the order of the alphabet.
            None => [dots, once].concat(),
        };
        Ok(Letters { operands, made })
    }

    /// The letters for the inputs of a node, if their numbers of axes are known.
    fn letters_at(&self, graph: &Graph, node: &Node) -> Result<Option<Letters>> {
        let mut ranks = vec![];
        for slot in 0..node.inputs.len() {
            match input_shape(graph, node, slot)? {
                Some(shape) => ranks.push(shape.len()),
                None => return Ok(None),
            }
        }
        self.letters(&ranks).map(Some)
    }
}

impl Letters {
    /// Every letter once: those of the result first, then in the order in which they are met.
    fn all(&self) -> Vec<char> {
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

    /// The length of a letter, which operands agree on unless theirs is 1.
    fn length<'d>(&self, letter: char, shape: impl Fn(usize) -> &'d [Dim]) -> Result<Dim> {
        let mut length = vec![Dim::Fixed(1)];
        for (operand, axis) in self.holders(letter) {
            length = broadcast(&length, &shape(operand)[axis..=axis])?;
        }
        Ok(length.swap_remove(0))
    }

    /// The same for the inputs of a node, whose shapes are known.
    fn length_at(&self, graph: &Graph, node: &Node, letter: char) -> Result<Dim> {
        let shape = |operand: usize| {
            let id = node.inputs.get(operand).copied().flatten();
            let shape = id.and_then(|id| graph.value(id).shape.as_deref());
            shape.unwrap_or_default()
        };
        self.length(letter, shape)
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

pub(super) fn shape(graph: &Graph, node: &Node, einsum: &Einsum) -> Result<Option<Vec<Dim>>> {
    let Some(letters) = einsum.letters_at(graph, node)? else {
        return Ok(None);
    };
    let lengths = letters.all().into_iter();
    let lengths: Result<Vec<Dim>> = lengths
        .map(|letter| letters.length_at(graph, node, letter))
        .collect();
    let mut made = lengths?;
    made.truncate(letters.made.len());
    Ok(Some(made))
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
/// read by the constants that hold it, or, as in any product of activations, by nothing.
pub(super) fn channels(node: &Node, einsum: &Einsum, walk: &mut Walk<'_>) -> Result<()> {
    let made = node.output()?;
    let inputs: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    let letters = einsum.letters_at(walk.graph(), node)?;
    let is_constant = inputs.iter().all(|&id| walk.is_parameter(id));
    let Some(letters) = letters.filter(|_| !is_constant) else {
        for id in inputs {
            walk.freeze(id, node, "is computed from constants, or of unknown shape");
        }
        return Ok(());
    };
    for letter in letters.all() {
        let whole = letters.length_at(walk.graph(), node, letter)?.fixed();
        let held = held(&letters, &inputs, letter, whole, walk);
        let left = letters.made.iter().position(|&c| c == letter);
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
    letters: &Letters,
    inputs: &[ValueId],
    letter: char,
    whole: Option<usize>,
    walk: &Walk<'_>,
) -> Held {
    let all = letters
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

/// Couples the channels of all activations that hold a letter, for the constants that hold it and for what is made. None where
/// there is neither, or channels do not line up; these are frozen.
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
    let is_read = !is_unread || all.len() > 1;
    let fits = is_read
        && !held.is_stretched
        && all.iter().all(|own| !own.is_empty())
        && all[1..].iter().all(|own| walk.couple_axes(&first, own));
    if fits && is_unread {
        walk.sum_over(&first, node, reason);
        return vec![];
    }
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
    let letters = einsum.letters_at(graph, node).ok()??;
    for letter in letters.all() {
        let length = letters.length_at(graph, node, letter).ok()?;
        places = places.checked_mul(length.fixed().unwrap_or(1) as u64)?;
    }
    Some(places)
}

pub(super) fn evaluate(einsum: &Einsum, inputs: &[&Array]) -> Result<Array> {
    let shapes: Vec<Vec<Dim>> = inputs.iter().map(|x| dims(&x.shape)).collect();
    let ranks: Vec<usize> = shapes.iter().map(Vec::len).collect();
    let terms = einsum.letters(&ranks)?;
    let letters = terms.all();
    let mut lengths = vec![];
    for &letter in &letters {
        let length = terms.length(letter, |operand| shapes[operand].as_slice())?;
        lengths.push(length.fixed().unwrap_or(1));
    }
    let strides: Vec<Vec<usize>> = inputs
        .iter()
        .zip(&terms.operands)
        .map(|(x, term)| strides(x, term, &letters))
        .collect();
    let (left, summed) = lengths.split_at(terms.made.len());
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
        let einsum = Einsum::of(equation, inputs.len()).unwrap().unwrap();
        evaluate(&einsum, inputs).unwrap()
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
        assert_eq!(Einsum::of("ii->i", 1).unwrap(), None);
        assert_eq!(Einsum::of("i->k", 1).unwrap(), None);
        assert!(Einsum::of("ij,jk->ik", 1).is_err());
        assert!(Einsum::of("i1->i", 1).is_err());
        let sum = Einsum::of("ij->i", 1).unwrap().unwrap();
        let vector = Array::new([2], vec![1.0, 2.0]).unwrap();
        assert!(evaluate(&sum, &[&vector]).is_err());
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
        let einsum = Einsum::of(equation, 2).unwrap().unwrap();
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
        // Silenced where they are made.
        let product = freezes("bic,bjc->bij", [&[4], &[4]], false);
        assert_eq!(product[0], None);
        let mixed = freezes("bic,bjd->bij", [&[4], &[4]], false);
        assert_eq!(mixed[0], Some("is mixed across channels by Einsum".into()));
        let gate = freezes("btc,btc->btc", [&[4], &[4]], false);
        assert_eq!(gate[0], output);
        let stretched = freezes("btc,cd->btd", [&[4], &[1, 3]], true);
        assert!(stretched[0].is_some());
    }
}
