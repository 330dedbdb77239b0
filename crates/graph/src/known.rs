//! Which elements of a value follow from the lengths of axes alone?
//!
//! Exported graphs compute shapes, masks and indices in nodes: `Shape`, `Gather`, `Concat`, `Where` and the like.
//! No rule of its own is stated for any of them. Every value that depends on nothing but constants and lengths is
//! evaluated in several *worlds*, which give different lengths to the axes whose length is unknown. An element that is
//! the same in all worlds is a number; one that is everywhere the length of the same axis is that length.

use std::collections::HashMap;
use std::sync::Arc;

use crate::eval::Array;
use crate::{Dim, Graph, Node, ops};

/// How many worlds there are: the first has a single row of everything.
const WORLDS: usize = 4;
/// Values with more elements are not followed through worlds that differ.
const SMALL: usize = 1 << 16;
/// Of values with more elements, none is looked at by itself.
const FEW: usize = 64;
/// Constants with more elements are not computed ahead.
const LARGE: usize = 1 << 25;

/// A value that depends on constants and lengths alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known {
    /// The same in all worlds.
    Same(Arc<Array>),
    /// One for each world.
    Each(Vec<Arc<Array>>),
}

/// What is known of one element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// A number.
    Number(f64),
    /// The length of the axes of that name.
    Length(String),
    /// It depends on lengths in another way.
    Other,
}

impl Known {
    /// Its shape, if that is the same in all worlds.
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Self::Same(array) => Some(array.shape.iter().map(|&n| Dim::Fixed(n)).collect()),
            Self::Each(_) => None,
        }
    }

    fn in_world(&self, world: usize) -> &Arc<Array> {
        match self {
            Self::Same(array) => array,
            Self::Each(arrays) => &arrays[world],
        }
    }
}

/// The lengths of axes of unknown length in each world, by name.
#[derive(Debug, Default)]
pub(crate) struct Worlds {
    names: HashMap<String, usize>,
}

impl Worlds {
    fn length(&mut self, dim: &Dim, world: usize) -> usize {
        match dim {
            Dim::Fixed(length) => *length,
            Dim::Named(name) => {
                let next = self.names.len();
                let index = *self.names.entry(name.clone()).or_insert(next);
                stand_in(index, world)
            }
        }
    }

    fn shape(&mut self, shape: &[Dim], world: usize) -> Vec<usize> {
        shape.iter().map(|dim| self.length(dim, world)).collect()
    }

    /// What a node makes, if it follows from what is known of its inputs. The shapes of its outputs, as far as they are
    /// known, stand in `graph`.
    pub(crate) fn of_node(&mut self, graph: &Graph, node: &Node) -> Option<Vec<Known>> {
        if let crate::Op::Shape { .. } = node.op {
            return self.of_shape(graph, node);
        }
        let follows = |id: &crate::ValueId| {
            let value = graph.value(*id);
            value.known.is_some() || value.constant.as_ref().is_some_and(|t| t.len() <= LARGE)
        };
        if !node.inputs.iter().flatten().all(follows) {
            return None;
        }
        let mut inputs: Vec<Option<Known>> = vec![];
        for input in &node.inputs {
            let Some(id) = *input else {
                inputs.push(None);
                continue;
            };
            let value = graph.value(id);
            let known = match &value.constant {
                Some(tensor) => Some(Known::Same(Arc::new(Array::from(tensor.as_ref())))),
                None => value.known.clone(),
            };
            inputs.push(Some(known?));
        }
        let is_same = inputs.iter().flatten().all(|k| matches!(k, Known::Same(_)));
        let mut made: Vec<Vec<Arc<Array>>> = vec![vec![]; node.outputs.len()];
        for world in 0..if is_same { 1 } else { WORLDS } {
            let most = if is_same { LARGE } else { SMALL };
            let fits = node.outputs.iter().all(|&id| {
                let shape = graph.value(id).shape.as_deref();
                shape.is_some_and(|s| self.shape(s, world).iter().product::<usize>() <= most)
            });
            if !fits && !ops::makes_little(node) {
                return None;
            }
            let given: Vec<Option<&Array>> = inputs
                .iter()
                .map(|known| known.as_ref().map(|k| k.in_world(world).as_ref()))
                .collect();
            for (all, array) in made.iter_mut().zip(ops::evaluate(node, &given).ok()?) {
                all.push(Arc::new(array));
            }
        }
        made.into_iter().map(joined).collect()
    }

    fn of_shape(&mut self, graph: &Graph, node: &Node) -> Option<Vec<Known>> {
        let shape = graph.value(node.input(0).ok()?).shape.as_deref()?;
        let arrays = (0..WORLDS).map(|world| {
            let lengths = self.shape(shape, world);
            let numbers = lengths.iter().map(|&n| n as f64).collect();
            let whole = Array::new([lengths.len()], numbers).ok()?;
            ops::part_of_shape(node, &whole).map(Arc::new)
        });
        Some(vec![joined(arrays.collect::<Option<Vec<_>>>()?)?])
    }

    /// What is known of the elements of a value in row-major order; none unless its shape is the same in all worlds.
    pub(crate) fn entries(&mut self, known: &Known) -> Option<Vec<Entry>> {
        let arrays: Vec<&Arc<Array>> = (0..WORLDS).map(|world| known.in_world(world)).collect();
        let differ = arrays.iter().any(|a| a.shape != arrays[0].shape);
        if differ || arrays[0].values.len() > FEW {
            return None;
        }
        let entry = |element: usize| {
            let found: Vec<f64> = arrays.iter().map(|a| a.values[element]).collect();
            if found.iter().all(|v| *v == found[0]) {
                return Entry::Number(found[0]);
            }
            let is_length = |index: usize| {
                let mut worlds = found.iter().enumerate();
                worlds.all(|(world, &v)| v == stand_in(index, world) as f64)
            };
            let mut names = self.names.iter();
            let name = names.find(|(_, index)| is_length(**index));
            name.map_or(Entry::Other, |(name, _)| Entry::Length(name.clone()))
        };
        Some((0..arrays[0].values.len()).map(entry).collect())
    }
}

/// One array if all are equal.
fn joined(mut arrays: Vec<Arc<Array>>) -> Option<Known> {
    let first = arrays.first()?.clone();
    // NaN is no number that anything may be decided by.
    Some(match arrays.iter().all(|a| **a == *first) {
        true => Known::Same(arrays.swap_remove(0)),
        false if arrays.len() == WORLDS => Known::Each(arrays),
        false => return None,
    })
}

/// The length in a world of the axis that came as number `index`: primes, so that none is another's multiple.
fn stand_in(index: usize, world: usize) -> usize {
    let above = match world {
        0 => return 1,
        1 => 1,
        2 => 500,
        _ => 3000,
    };
    let is_prime = |n: &usize| {
        (2..)
            .take_while(|d| d * d <= *n)
            .all(|d| !n.is_multiple_of(d))
    };
    (above + 1..).filter(is_prime).nth(index).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_differ_between_worlds_and_names() {
        assert_eq!([0, 1, 2, 3].map(|w| stand_in(0, w)), [1, 2, 503, 3001]);
        assert_eq!([0, 1, 2, 3].map(|w| stand_in(1, w)), [1, 3, 509, 3011]);
    }

    #[test]
    fn elements_are_numbers_lengths_or_neither() {
        let mut worlds = Worlds::default();
        let shape = [Dim::batch(), Dim::Fixed(3), Dim::Named("n".into())];
        let arrays = (0..WORLDS).map(|world| {
            let l = worlds.shape(&shape, world);
            let values = [l[0], l[1], l[2], l[0] * l[2]].map(|n| n as f64);
            Arc::new(Array::new([4], values.to_vec()).unwrap())
        });
        let known = joined(arrays.collect()).unwrap();
        let length = |name: &str| Entry::Length(name.into());
        let want = [
            length("batch"),
            Entry::Number(3.0),
            length("n"),
            Entry::Other,
        ];
        assert_eq!(worlds.entries(&known).unwrap(), want);
    }
}
