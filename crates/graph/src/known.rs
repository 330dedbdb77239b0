//! Which elements of a value follow from the lengths of axes alone?
//!
//! Exported graphs compute shapes, masks and indices in nodes: `Shape`, `Gather`, `Concat`, `Where` and the like.
//! No rule of its own is stated for any of them. Every value that depends on nothing but constants and lengths is
//! evaluated in several *worlds*, which give different lengths to the axes whose length is unknown. An element that is
//! the same in all worlds is a number; one that is everywhere the length of the same axis is that length.

mod room;
mod stand_ins;

use std::sync::Arc;

use self::room::Room;
use self::stand_ins::{StandIns, WORLDS};
use crate::eval::Array;
use crate::{Dim, Graph, Node, Op, ops};

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

impl Entry {
    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let name = match self {
            Self::Length(name) => name.len(),
            Self::Number(_) | Self::Other => 0,
        };
        size_of::<Self>() + name
    }
}

impl Known {
    /// Its shape, if that is the same in all worlds.
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Self::Same(array) => Some(array.shape.iter().map(|&n| Dim::Fixed(n)).collect()),
            Self::Each(_) => None,
        }
    }

    /// The numbers that it has in the world where these are most.
    fn most(&self) -> usize {
        let arrays = match self {
            Self::Same(array) => std::slice::from_ref(array),
            Self::Each(arrays) => arrays,
        };
        arrays.iter().map(|a| a.values.len()).max().unwrap_or(0)
    }

    fn in_world(&self, world: usize) -> &Arc<Array> {
        match self {
            Self::Same(array) => array,
            Self::Each(arrays) => &arrays[world],
        }
    }
}

/// The worlds of one network.
#[derive(Debug)]
pub(crate) struct Worlds {
    lengths: StandIns,
    room: Room,
}

impl Worlds {
    pub(crate) fn of(graph: &Graph) -> Self {
        Self {
            lengths: StandIns::default(),
            room: Room::of(graph),
        }
    }

    fn length(&mut self, dim: &Dim, world: usize) -> usize {
        match dim {
            Dim::Fixed(length) => *length,
            Dim::Named(name) => self.lengths.length(name, world),
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
        let lengths = node.inputs.iter().flatten().map(|&id| {
            let value = graph.value(id);
            let constant = value.constant.as_ref().map(|t| t.len());
            constant.or(value.known.as_ref().map(Known::most))
        });
        let read = lengths.flatten().fold(0, usize::saturating_add);
        if !self.room.may_read(read) {
            return None;
        }
        let macs = steps(graph, node)?;
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
        // How long windows take in a world with other lengths is not counted.
        if !is_same && has_windows(&node.op) {
            return None;
        }
        let mut made: Vec<Vec<Arc<Array>>> = vec![vec![]; node.outputs.len()];
        for world in 0..if is_same { 1 } else { WORLDS } {
            let most = if is_same { LARGE } else { SMALL };
            let fits = self
                .elements(graph, node, world)
                .is_some_and(|n| n <= most && self.room.may_make(n, macs));
            if !fits && !ops::makes_little(node) {
                return None;
            }
            let given: Vec<Option<&Array>> = inputs
                .iter()
                .map(|known| known.as_ref().map(|k| k.in_world(world).as_ref()))
                .collect();
            let arrays = ops::evaluate(node, &given).ok()?;
            let elements = arrays.iter().map(|a| a.values.len()).sum();
            if !self.room.take(read, elements, macs) {
                return None;
            }
            for (all, array) in made.iter_mut().zip(arrays) {
                all.push(Arc::new(array));
            }
        }
        made.into_iter().map(joined).collect()
    }

    /// How many numbers a node makes in a world, if that is known and can be counted.
    fn elements(&mut self, graph: &Graph, node: &Node, world: usize) -> Option<usize> {
        node.outputs.iter().try_fold(0usize, |sum, &id| {
            let shape = self.shape(graph.value(id).shape.as_deref()?, world);
            let elements = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
            sum.checked_add(elements)
        })
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
    pub(crate) fn entries(&self, known: &Known) -> Option<Vec<Entry>> {
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
            let name = self.lengths.name(&found);
            name.map_or(Entry::Other, |name| Entry::Length(name.into()))
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

/// Whether an operation may take long however little comes out.
fn has_windows(op: &Op) -> bool {
    matches!(op, Op::Pool(_) | Op::Conv(_) | Op::ConvTranspose(_))
}

/// Multiply-accumulates, and elements of windows; none where they cannot be counted.
fn steps(graph: &Graph, node: &Node) -> Option<u64> {
    match &node.op {
        Op::Sample(sample) if ops::samples_long(sample) => None,
        Op::Pool(pool) => {
            let made = graph.value(node.output().ok()?).shape.as_deref()?;
            let made = made.iter().map(Dim::fixed);
            let mut lengths = made.chain(pool.kernel.iter().map(|&k| Some(k)));
            lengths.try_fold(1u64, |n, length| n.checked_mul(length? as u64))
        }
        Op::Conv(_) | Op::ConvTranspose(_) => ops::macs(graph, node),
        _ => Some(ops::macs(graph, node).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_over_constants_are_computed_unless_they_take_long() {
        let known = |kernel: usize, length: usize| {
            let mut b = crate::GraphBuilder::new("g");
            let ones = crate::Tensor::f32([1, 1, length], vec![1.0; length]).unwrap();
            let x = b.constant("x", ones);
            let pool = Op::Pool(crate::Pool {
                kind: crate::PoolKind::Max,
                kernel: vec![kernel],
                window: crate::Window::plain(1),
            });
            let y = b.node("y", pool, &[x]);
            b.output(y);
            let shaped = crate::infer_shapes(&b.build().unwrap()).unwrap();
            shaped.value(y).known.is_some()
        };
        assert!(known(2, 4));
        assert!(!known(20_000, 40_000));
    }

    #[test]
    fn elements_are_numbers_lengths_or_neither() {
        let relu = Op::Unary(crate::Unary::Relu);
        let mut b = crate::GraphBuilder::new("g");
        let x = b.input("x", []);
        let y = b.node("y", relu, &[x]);
        b.output(y);
        let mut worlds = Worlds::of(&b.build().unwrap());
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
