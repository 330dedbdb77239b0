//! Constants that a file makes of others by moving their elements, such as a kernel that a second layer reads transposed.
//!
//! They are constants like any other, but units that hold slices of one hold the same slices of the other: they are coupled
//! on the walk, and the constant behind them is cut alike, so that the file can go on computing one from the other.

use std::collections::BTreeMap;

use crate::channels::{Channels, Walk};
use crate::ops::{self, Sources};
use crate::settle::tensor_of;
use crate::{Array, Graph, Node, Op, Tensor, ValueId};

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
    pub(crate) fn origin(&self, id: ValueId) -> ValueId {
        let mut at = id;
        while let Some(before) = self.derived().get(&at).and_then(|node| node.input(0).ok()) {
            at = before;
        }
        at
    }

    /// Whether nodes read a constant in more than one form or place.
    fn is_shared(&self, id: ValueId) -> bool {
        let forms = self.derived().values();
        let forms = forms.filter(|node| node.input(0).ok() == Some(id)).count();
        forms + self.readers(id).len() > 1
    }

    /// What a constant that was made of another would be now; none where that cannot be computed.
    fn made_anew(&self, node: &Node) -> Option<Tensor> {
        let arrays: Option<Vec<Array>> = node
            .inputs
            .iter()
            .flatten()
            .map(|id| self.constant(*id).map(Array::from))
            .collect();
        let arrays = arrays?;
        let inputs: Vec<Option<&Array>> = arrays.iter().map(Some).collect();
        let made = ops::evaluate(node, &inputs).ok()?.pop()?;
        let element = self.constant(node.output().ok()?)?.element();
        tensor_of(element, &made)
    }

    /// The constants that still are what the nodes that made them make of others.
    pub(crate) fn still_derived(&self) -> Vec<ValueId> {
        let mut still = vec![];
        for (&id, node) in self.derived() {
            let before = node.input(0).ok();
            let follows =
                before.is_some_and(|b| !self.derived().contains_key(&b) || still.contains(&b));
            if follows && self.made_anew(node).as_ref() == self.constant(id) {
                still.push(id);
            }
        }
        still
    }
}

/// For labels along an axis of what a node makes of a constant: an axis of that constant, and the labels along it.
fn behind<L: Copy + PartialEq>(
    graph: &Graph,
    node: &Node,
    axis: usize,
    labels: &[L],
) -> Option<(ValueId, usize, Vec<L>)> {
    let before = node.input(0).ok()?;
    let shape = graph.constant(before)?.shape().to_vec();
    let made = graph.constant(node.output().ok()?)?.shape();
    let elements: usize = shape.iter().product();
    let places = Array::new(shape.clone(), (0..elements).map(|e| e as f64).collect()).ok()?;
    let moved = match &node.op {
        Op::Cast { .. } | Op::Identity => places,
        _ => {
            let others = node.inputs.iter().skip(1).flatten();
            let others: Option<Vec<Array>> = others
                .map(|id| graph.constant(*id).map(Array::from))
                .collect();
            let others = others?;
            let inputs: Vec<Option<&Array>> =
                std::iter::once(&places).chain(&others).map(Some).collect();
            ops::evaluate(node, &inputs).ok()?.pop()?
        }
    };
    let inner: usize = made.get(axis + 1..)?.iter().product();
    let length = *made.get(axis)?;
    if length != labels.len() || moved.values.len() != elements || elements == 0 {
        return None;
    }
    let mut found = vec![labels[0]; elements];
    for (element, &place) in moved.values.iter().enumerate() {
        found[place as usize] = labels[element / inner % length];
    }
    let along = |axis: usize| Some((before, axis, ops::along(&shape, &found, axis)?));
    (0..shape.len())
        .filter(|&axis| shape[axis] > 1)
        .find_map(along)
}

impl Walk<'_> {
    /// Units that hold slices of a constant hold those of what it was made of, which others may read, too.
    pub(crate) fn claim_behind(&mut self, tensor: ValueId, axis: usize, factors: &[Channels]) {
        let graph = self.graph();
        let Some(node) = graph.derived().get(&tensor) else {
            return;
        };
        let back = factors.iter().map(|channels| {
            let (before, axis, atoms) = behind(graph, node, axis, &channels.atoms)?;
            Some((before, Channels { axis, atoms }))
        });
        let back: Option<Vec<(ValueId, Channels)>> = back.collect();
        let back = back.filter(|all| all.iter().all(|(_, c)| c.axis == all[0].1.axis));
        let shared = graph.is_shared(node.input(0).unwrap_or(tensor));
        let Some((before, first)) = back.as_ref().and_then(|all| all.first()) else {
            if shared {
                self.freeze_factors(factors, "shares weights that are read in another form");
            }
            return;
        };
        let (before, axis) = (*before, first.axis);
        let own: Vec<Channels> = back.into_iter().flatten().map(|(_, c)| c).collect();
        if shared && !self.share(before, axis, &own) {
            self.freeze_factors(
                factors,
                "shares weights with channels that are grouped otherwise",
            );
        }
        self.claim_behind(before, axis, &own);
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
    // Those that were made later come first, as what is behind them may have been made, too.
    for (&id, node) in graph.derived().iter().rev() {
        let Some(rank) = graph.constant(id).map(|t| t.shape().len()) else {
            continue;
        };
        for axis in 0..rank {
            let picked = sources.get(&(id, axis)).cloned();
            let Some(picked) = picked.or_else(|| wanted.get(&(id, axis)).cloned().flatten()) else {
                continue;
            };
            let length = graph.constant(id).map_or(0, |t| t.shape()[axis]);
            let kept: Vec<bool> = (0..length).map(|p| picked.contains(&p)).collect();
            if let Some((before, axis, kept)) = behind(graph, node, axis, &kept) {
                let picked = (0..kept.len()).filter(|&p| kept[p]).collect();
                let entry = wanted.entry((before, axis)).or_insert(Some(picked));
                let again: Vec<usize> = (0..kept.len()).filter(|&p| kept[p]).collect();
                // Forms that lost different slices leave what they were made of whole.
                if entry.as_ref() != Some(&again) {
                    *entry = None;
                }
            }
        }
    }
    for (place, picked) in wanted {
        if let Some(picked) = picked {
            sources.entry(place).or_insert(picked);
        }
    }
}
