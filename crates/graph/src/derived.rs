//! Constants that a file makes of others by moving their elements, such as a kernel that a second layer reads transposed.
//!
//! They are constants like any other, but units that hold slices of one hold the same slices of the other: they are coupled
//! on the walk, and the constant behind them is cut alike, so that the file can go on computing one from the other.

use std::collections::BTreeMap;

use crate::channels::{Channels, Walk};
use crate::ops::{self, Sources};
use crate::settle::tensor_of;
use crate::{Array, Graph, Node, Op, ValueId};

/// How each constant that was computed ahead from another was made.
pub(crate) type Derived = BTreeMap<ValueId, Node>;

/// Whether a node only moves the elements of its first input, or writes them in another type.
pub(crate) fn only_moves(op: &Op) -> bool {
    matches!(
        op,
        Op::Identity
            | Op::Cast { .. }
            | Op::Transpose { .. }
            | Op::Reshape { .. }
            | Op::Flatten { .. }
            | Op::Squeeze(_)
    )
}

impl Graph {
    /// The constant that a constant was made of, over all steps; itself, if it was not.
    pub fn origin(&self, id: ValueId) -> ValueId {
        let steps = self.steps(id);
        let first = steps.first().and_then(|node| node.input(0).ok());
        first.unwrap_or(id)
    }

    /// The nodes that made a constant of another, in order.
    fn steps(&self, id: ValueId) -> Vec<&Node> {
        let mut steps = vec![];
        let mut at = Some(id);
        while let Some(node) = at.and_then(|at| self.derived().get(&at)) {
            steps.push(node);
            at = node.input(0).ok();
        }
        steps.reverse();
        steps
    }

    /// What comes of numbers in place of the constant at the beginning; types are left aside.
    fn moved(&self, id: ValueId, numbers: Array) -> Option<Array> {
        let mut moved = numbers;
        for node in self.steps(id) {
            if matches!(node.op, Op::Cast { .. } | Op::Identity) {
                continue;
            }
            let others = node.inputs.iter().skip(1).flatten();
            let others = others.map(|id| self.constant(*id).map(Array::from));
            let others = others.collect::<Option<Vec<Array>>>()?;
            let inputs: Vec<_> = std::iter::once(&moved).chain(&others).map(Some).collect();
            moved = ops::evaluate(node, &inputs).ok()?.pop()?;
        }
        Some(moved)
    }

    /// Whether nodes read a constant in more than one form or place.
    fn is_shared(&self, origin: ValueId) -> bool {
        let forms = self
            .derived()
            .keys()
            .filter(|&&id| self.origin(id) == origin);
        let readers = forms.map(|&id| self.readers(id).len()).sum::<usize>();
        readers + self.readers(origin).len() > 1
    }

    /// The constants that still are what the nodes that made them make of others.
    pub(crate) fn still_derived(&self) -> Vec<ValueId> {
        let is_still = |&&id: &&ValueId| {
            let before = self.constant(self.origin(id)).map(Array::from);
            let made = before.and_then(|numbers| self.moved(id, numbers));
            let own = self.constant(id);
            let made = made
                .zip(own)
                .and_then(|(a, own)| tensor_of(own.element(), &a));
            made.as_ref() == own
        };
        self.derived().keys().filter(is_still).copied().collect()
    }
}

/// An axis of a constant as it lies in another that it was made of.
struct Behind {
    tensor: ValueId,
    axis: usize,
    /// For every position there, the one that it came to.
    to: Vec<usize>,
}

impl Behind {
    /// For an axis of a constant; none where its positions lie along no one axis of what it was made of.
    fn of(graph: &Graph, id: ValueId, axis: usize) -> Option<Self> {
        let tensor = graph.origin(id);
        let shape = graph.constant(tensor)?.shape().to_vec();
        let made = graph.constant(id)?.shape();
        let elements: usize = shape.iter().product();
        let places = Array::new(shape.clone(), (0..elements).map(|e| e as f64).collect()).ok()?;
        let moved = graph.moved(id, places)?;
        let inner: usize = made.get(axis + 1..)?.iter().product();
        let length = *made.get(axis)?;
        if moved.values.len() != elements {
            return None;
        }
        let mut to = vec![0; elements];
        for (element, &place) in moved.values.iter().enumerate() {
            to[place as usize] = element / inner % length;
        }
        let along = |axis: usize| {
            let to = ops::along(&shape, &to, axis)?;
            Some(Self { tensor, axis, to })
        };
        (0..shape.len())
            .filter(|&axis| shape[axis] > 1)
            .find_map(along)
    }
}

impl Walk<'_> {
    /// Units that hold slices of a constant hold those of what it was made of, which others may read, too.
    pub(crate) fn claim_behind(&mut self, tensor: ValueId, axis: usize, factors: &[Channels]) {
        let graph = self.graph();
        // Of a single position, nothing can go.
        let is_single = factors.iter().any(|channels| channels.atoms.len() < 2);
        if is_single
            || !graph.derived().contains_key(&tensor)
            || !graph.is_shared(graph.origin(tensor))
        {
            return;
        }
        let Some(behind) = Behind::of(graph, tensor, axis) else {
            self.freeze_factors(factors, "shares weights that are read in another form");
            return;
        };
        let axis = behind.axis;
        let own = factors.iter().map(|channels| Channels {
            axis,
            atoms: behind.to.iter().map(|&p| channels.atoms[p]).collect(),
        });
        let own: Vec<Channels> = own.collect();
        for channels in &own {
            let atoms = channels.atoms.clone();
            self.behind.push((behind.tensor, axis, atoms));
        }
        if !self.share(behind.tensor, axis, &own) {
            self.freeze_factors(
                factors,
                "shares weights with channels that are grouped otherwise",
            );
        }
    }

    /// Where an axis of a constant lies in what it and others were made of; all of that, if no axis is named.
    pub(crate) fn place_behind(
        &self,
        tensor: ValueId,
        axis: Option<usize>,
    ) -> Option<(ValueId, Option<usize>)> {
        let graph = self.graph();
        let origin = graph.origin(tensor);
        if origin == tensor || !graph.is_shared(origin) {
            return None;
        }
        let behind = axis.and_then(|axis| Behind::of(graph, tensor, axis));
        Some((origin, behind.map(|behind| behind.axis)))
    }

    fn freeze_factors(&mut self, factors: &[Channels], reason: &str) {
        for channels in factors {
            self.freeze_here(&channels.atoms, reason);
        }
    }
}

/// Adds what is picked of constants that no node reads, but those that were made of them.
pub(crate) fn pick_behind(graph: &Graph, sources: &mut Sources) {
    let mut wanted: BTreeMap<(ValueId, usize), Option<Vec<usize>>> = BTreeMap::new();
    for &id in graph.derived().keys() {
        for axis in 0..graph.constant(id).map_or(0, |t| t.shape().len()) {
            let Some(picked) = sources.get(&(id, axis)) else {
                continue;
            };
            let behind = Behind::of(graph, id, axis);
            // What nodes read as it is has slices of its own that go.
            let Some(behind) = behind.filter(|b| graph.readers(b.tensor).is_empty()) else {
                continue;
            };
            let kept = (0..behind.to.len()).filter(|&p| picked.contains(&behind.to[p]));
            let kept: Vec<usize> = kept.collect();
            let entry = wanted
                .entry((behind.tensor, behind.axis))
                .or_insert_with(|| Some(kept.clone()));
            // Forms that lost different slices leave what they were made of whole.
            if entry.as_ref() != Some(&kept) {
                *entry = None;
            }
        }
    }
    for (place, picked) in wanted {
        if let Some(picked) = picked {
            sources.entry(place).or_insert(picked);
        }
    }
}
