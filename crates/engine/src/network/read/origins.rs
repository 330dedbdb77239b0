//! Constants that are moved about before they are read: a class token that is repeated for every row, a table that is cut.
//!
//! Settling a graph computes such nodes away where they are small; what they read in the graph as it was given is trained.

use secateur_graph::{Node, Op, ValueId};

use super::Reader;
use crate::{Error, Result};

impl Reader<'_> {
    /// The constant that a value is a copy of, by the graph as it was given.
    pub(super) fn original(&self, mut id: ValueId) -> ValueId {
        while let Some(node) = self.origin.producer(id).map(|n| self.origin.node(n))
            && node.op == Op::Identity
            && let Ok(from) = node.input(0)
        {
            id = from;
        }
        id
    }

    /// Whether a value is a constant that can be trained: 32-bit floats of the graph as it was given.
    pub(super) fn is_weight(&self, id: ValueId) -> bool {
        let tensor = self.origin.constant(self.original(id));
        tensor.is_some_and(|t| t.as_f32().is_some())
    }

    /// The place of a value that only moves trained constants, which is planned now; none for any other value.
    ///
    /// # Errors
    /// If where it moves them is not known.
    pub(super) fn unfolded(&mut self, id: ValueId) -> Result<Option<usize>> {
        if let Some(&place) = self.at.get(&id) {
            return Ok(Some(place));
        }
        if !self.moves_weights(id) {
            return Ok(None);
        }
        let Some(node) = self.maker(id) else {
            return Ok(None);
        };
        for slot in data(&node) {
            if let Some(from) = node.inputs.get(slot).copied().flatten()
                && !self.is_weight(from)
            {
                self.unfolded(from)?;
            }
        }
        self.movement(&node)?;
        Ok(self.at.get(&id).copied())
    }

    /// Whether only constants that can be trained are moved to make a value, and no single numbers.
    fn moves_weights(&self, id: ValueId) -> bool {
        let Some(node) = self.maker(id) else {
            return false;
        };
        let is_data = |slot: usize| data(&node).contains(&slot);
        node.inputs.iter().enumerate().all(|(slot, id)| match *id {
            Some(id) if is_data(slot) => {
                let tensor = self.origin.constant(self.original(id));
                match tensor {
                    Some(tensor) => tensor.as_f32().is_some() && tensor.len() > 1,
                    None => self.moves_weights(id),
                }
            }
            Some(id) => self.array(id).is_some(),
            None => true,
        })
    }

    /// The node that makes a value, if it only moves elements: as it was settled, or else as it was given.
    fn maker(&self, id: ValueId) -> Option<Node> {
        let settled = self.graph.producer(id).map(|n| self.graph.node(n));
        let given = self.origin.producer(id).map(|n| self.origin.node(n));
        let node = settled.or(given)?;
        let moves = matches!(
            node.op,
            Op::Identity
                | Op::Flatten { .. }
                | Op::Reshape { .. }
                | Op::Squeeze(_)
                | Op::Transpose { .. }
                | Op::Concat { .. }
                | Op::Slice { .. }
                | Op::Split(_)
                | Op::Expand
                | Op::Tile
                | Op::Gather { .. }
        );
        moves.then(|| node.clone())
    }

    /// What is said of a constant that layers read and that is computed.
    pub(super) fn computed_weight(&self, id: ValueId) -> Error {
        Error::unsupported("is computed from other constants, and cannot be trained")
            .at(&self.graph.value(id).name)
            .hint("store what it comes to in the file, as exporters do that fold constants")
    }
}

/// The inputs of a node whose elements are moved.
fn data(node: &Node) -> std::ops::Range<usize> {
    match node.op {
        Op::Concat { .. } => 0..node.inputs.len(),
        _ => 0..1,
    }
}
