//! `Einsum`: products and sums by letters. What a letter means follows from who holds it and whether it is left.

mod equation;

pub use self::equation::Einsum;
use self::equation::Letters;

use super::dims;
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::groups::Role;
use crate::{Dim, Graph, Node, Result, ValueId};

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
    let is_known = all.iter().all(|own| !own.is_empty());
    if is_read && !held.is_stretched && is_known {
        let mut passed = Some(first);
        for own in &all[1..] {
            passed = passed.and_then(|passed| walk.couple_axes(&passed, own));
        }
        match passed {
            Some(summed) if is_unread => {
                walk.sum_over(&summed, node, reason);
                return vec![];
            }
            Some(passed) => return passed,
            None => {}
        }
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
    let letters = einsum.letters_at(graph, node).ok()??;
    let mut places = (letters.operands.len() as u64).saturating_sub(1);
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
