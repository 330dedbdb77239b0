//! Constants of a graph: what is computed of them once and for all, and which of them are trained.

use secateur_graph::{Array, Node, ValueId, evaluate_node};

use super::Reader;
use crate::Result;
use crate::network::Parameter;

impl Reader<'_> {
    /// Whether a node reads nothing that depends on the input.
    pub(super) fn is_constant(&self, node: &Node) -> bool {
        node.inputs
            .iter()
            .flatten()
            .all(|id| !self.at.contains_key(id))
    }

    /// Computes a node of constants once and for all; what it makes is not trained.
    pub(super) fn compute(&mut self, node: &Node) -> Result<()> {
        let inputs: Vec<Option<Array>> = node
            .inputs
            .iter()
            .map(|id| id.and_then(|id| self.array(id)))
            .collect();
        let inputs: Vec<Option<&Array>> = inputs.iter().map(Option::as_ref).collect();
        let made = evaluate_node(node, &inputs)?;
        self.computed.extend(node.outputs.iter().copied().zip(made));
        Ok(())
    }

    /// The numbers of a constant, or of what was computed from constants.
    pub(super) fn array(&self, id: ValueId) -> Option<Array> {
        let constant = self.graph.constant(id).map(Array::from);
        constant.or_else(|| self.computed.get(&id).cloned())
    }

    /// The parameter that holds a constant, if it holds one: 32-bit floats.
    pub(super) fn parameter(&mut self, id: ValueId, is_running: bool) -> Result<usize> {
        let id = self.original(id);
        if let Some(known) = self.parameters.iter().position(|p| p.id == id) {
            return Ok(known);
        }
        if self.origin.constant(id).is_none() && self.array(id).is_some() {
            return Err(self.computed_weight(id));
        }
        self.parameters
            .push(Parameter::new(self.origin, id, self.slots, is_running)?);
        Ok(self.parameters.len() - 1)
    }

    /// The parameter at an input of a node.
    pub(super) fn parameter_at(&mut self, node: &Node, slot: usize) -> Result<usize> {
        let id = node.input(slot)?;
        self.parameter(id, false)
    }

    /// The parameter at an optional input of a node.
    pub(super) fn optional_at(&mut self, node: &Node, slot: usize) -> Result<Option<usize>> {
        let id = node.inputs.get(slot).copied().flatten();
        id.map(|id| self.parameter(id, false)).transpose()
    }
}
