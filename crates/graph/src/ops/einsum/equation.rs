//! Equations of `Einsum`: which letters stand for which axes.

use serde::{Deserialize, Serialize};

use crate::ops::input_shape;
use crate::shapes::broadcast;
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of [`Op::Einsum`](crate::Op::Einsum).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Einsum {
    /// The equation as it was written.
    equation: String,
    /// What it says of each operand, in plain letters and three dots.
    operands: Vec<String>,
    /// What it says of the result, if it does.
    made: Option<String>,
}

/// The letters of all axes.
pub(super) struct Letters {
    pub(super) operands: Vec<Vec<char>>,
    pub(super) made: Vec<char>,
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
    pub(super) fn letters(&self, ranks: &[usize]) -> Result<Letters> {
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
    pub(super) fn letters_at(&self, graph: &Graph, node: &Node) -> Result<Option<Letters>> {
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
    pub(super) fn all(&self) -> Vec<char> {
        let mut letters = self.made.clone();
        for &c in self.operands.iter().flatten() {
            if !letters.contains(&c) {
                letters.push(c);
            }
        }
        letters
    }

    /// The operands that hold a letter, and the axis that it is.
    pub(super) fn holders(&self, letter: char) -> impl Iterator<Item = (usize, usize)> {
        let place = move |term: &Vec<char>| term.iter().position(|&c| c == letter);
        let operands = self.operands.iter().enumerate();
        operands.filter_map(move |(operand, term)| Some((operand, place(term)?)))
    }

    /// The length of a letter, which operands agree on unless theirs is 1.
    pub(super) fn length<'d>(
        &self,
        letter: char,
        shape: impl Fn(usize) -> &'d [Dim],
    ) -> Result<Dim> {
        let mut length = vec![Dim::Fixed(1)];
        for (operand, axis) in self.holders(letter) {
            length = broadcast(&length, &shape(operand)[axis..=axis])?;
        }
        Ok(length.swap_remove(0))
    }

    /// The same for the inputs of a node, whose shapes are known.
    pub(super) fn length_at(&self, graph: &Graph, node: &Node, letter: char) -> Result<Dim> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagonals_are_not_understood_and_nonsense_is_refused() {
        assert_eq!(Einsum::of("ii->i", 1).unwrap(), None);
        assert_eq!(Einsum::of("i->k", 1).unwrap(), None);
        assert!(Einsum::of("ij,jk->ik", 1).is_err());
        assert!(Einsum::of("i1->i", 1).is_err());
        let sum = Einsum::of("ij->i", 1).unwrap().unwrap();
        assert!(sum.letters(&[1]).is_err() && sum.letters(&[2]).is_ok());
    }
}
