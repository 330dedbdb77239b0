//! What the network is: values, the nodes that make them, and constants.

mod builder;
mod segment;
mod stored;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::derived::Derived;
use crate::known::{Entry, Known};
use crate::links::Links;
use crate::{Element, Error, Op, Result, Tensor};

pub use self::builder::GraphBuilder;

/// Names a value of one [`Graph`]; stays valid in graphs derived from it by masking or shrinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValueId(u32);

/// Names a node of one [`Graph`]: its place in evaluation order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl ValueId {
    pub(crate) fn at(index: usize) -> Self {
        Self(index as u32)
    }

    /// The position of the value in [`Graph::values`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl NodeId {
    pub(crate) fn at(index: usize) -> Self {
        Self(index as u32)
    }

    /// The position of the node in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The length of one axis of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dim {
    /// Known.
    Fixed(usize),
    /// Known by name only, for example the batch.
    Named(String),
}

impl Dim {
    /// The axis along which rows are stacked.
    pub fn batch() -> Self {
        Dim::Named("batch".into())
    }

    /// The length, if it is known.
    pub fn fixed(&self) -> Option<usize> {
        match self {
            Dim::Fixed(length) => Some(*length),
            Dim::Named(_) => None,
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Fixed(length) => write!(f, "{length}"),
            Dim::Named(name) => f.write_str(name),
        }
    }
}

/// A tensor that flows through the network, or a constant of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Unique within the graph.
    pub name: String,
    /// The length along each axis, if known.
    pub shape: Option<Vec<Dim>>,
    /// The type of its elements, where a file states it; 32-bit floats where nothing does.
    pub element: Option<Element>,
    /// What it is whatever goes in, where shapes were inferred and it follows from lengths alone.
    pub(crate) known: Option<Known>,
    /// What is known of each of its few elements.
    pub(crate) entries: Option<Vec<Entry>>,
    /// The numbers, if this is a constant; shared, so that copies of a graph are cheap.
    pub constant: Option<Arc<Tensor>>,
}

/// One operation: which values it reads and makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique within the graph, for messages.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// Values read; `None` where an optional input is left out.
    pub inputs: Vec<Option<ValueId>>,
    /// Values made.
    pub outputs: Vec<ValueId>,
}

impl Node {
    /// The value at input `index`.
    ///
    /// # Errors
    /// If the node has no such input.
    pub fn input(&self, index: usize) -> Result<ValueId> {
        self.inputs.get(index).copied().flatten().ok_or_else(|| {
            Error::invalid(format!("{} has no input {index}", self.op.onnx_name())).at(&self.name)
        })
    }

    /// The first value made.
    ///
    /// # Errors
    /// If the node makes none.
    pub fn output(&self) -> Result<ValueId> {
        self.outputs.first().copied().ok_or_else(|| {
            Error::invalid(format!("{} has no output", self.op.onnx_name())).at(&self.name)
        })
    }
}

/// A network: nodes in an order in which they can be evaluated.
///
/// Graphs are built by [`GraphBuilder`] and otherwise replaced, not changed; only constants may be
/// set, by the trainer that owns the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    name: String,
    nodes: Vec<Node>,
    values: Vec<Value>,
    inputs: Vec<ValueId>,
    outputs: Vec<ValueId>,
    /// Values whose lengths must stay, and why.
    pinned: Vec<(ValueId, Cow<'static, str>)>,
    /// How constants were made that were computed ahead by moving the elements of others.
    derived: Derived,
    links: Links,
}

impl Graph {
    /// The graph's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All nodes, each after the nodes whose values it reads.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All values, indexed by [`ValueId::index`]; some may no longer be read.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of that name, index and shape.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.index()]
    }

    /// The values that the caller provides.
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// The values that the caller receives.
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// Values whose lengths must stay though no node says so, and why.
    pub(crate) fn pinned(&self) -> &[(ValueId, Cow<'static, str>)] {
        &self.pinned
    }

    /// How constants were made that are others with their elements moved.
    pub(crate) fn derived(&self) -> &Derived {
        &self.derived
    }

    /// A constant is what a node makes of another.
    pub(crate) fn derive(&mut self, id: ValueId, node: Node) {
        self.derived.insert(id, node);
    }

    /// The constant behind a value, if it is one.
    pub fn constant(&self, id: ValueId) -> Option<&Tensor> {
        self.values[id.index()].constant.as_deref()
    }

    /// The numbers of a value that is the same whatever goes in: a constant, or what is computed from lengths that are known.
    pub(crate) fn numbers(&self, id: ValueId) -> Option<Vec<f64>> {
        let value = self.value(id);
        match (&value.constant, &value.known) {
            (Some(tensor), _) => Some(tensor.numbers()),
            (None, Some(Known::Same(array))) => Some(array.values.clone()),
            (None, _) => None,
        }
    }

    /// The value called `name`.
    pub fn value_named(&self, name: &str) -> Option<ValueId> {
        self.links.named(&self.values, name)
    }

    /// Ids of all values, in order.
    pub fn value_ids(&self) -> impl Iterator<Item = ValueId> + use<> {
        (0..self.values.len() as u32).map(ValueId)
    }

    /// Ids of all nodes, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The node of that id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The node that makes a value; `None` for inputs and constants.
    pub fn producer(&self, id: ValueId) -> Option<NodeId> {
        self.links.producer(&self.nodes, id)
    }

    /// The nodes that read a value, each once, in order.
    pub fn readers(&self, id: ValueId) -> &[NodeId] {
        self.links.readers(&self.nodes, id)
    }

    /// Replaces the numbers of a constant by others of the same shape.
    ///
    /// # Errors
    /// If the value is not a constant or the shape differs.
    pub fn set_constant(&mut self, id: ValueId, tensor: Tensor) -> Result<()> {
        let value = &mut self.values[id.index()];
        match &value.constant {
            Some(old) if old.shape() == tensor.shape() => {
                value.constant = Some(Arc::new(tensor));
                Ok(())
            }
            Some(old) => Err(Error::invalid(format!(
                "cannot replace shape {:?} by {:?}",
                old.shape(),
                tensor.shape()
            ))
            .at(&value.name)),
            None => Err(Error::invalid("is not a constant").at(&value.name)),
        }
    }

    /// Gives a node a constant of its own at an input: in place of the one that it reads there, which others go on reading, or where it
    /// read nothing.
    ///
    /// # Errors
    /// If it reads something there that is no constant.
    pub fn give_constant(&mut self, node: NodeId, slot: usize, tensor: Tensor) -> Result<ValueId> {
        let old = self.node(node).inputs.get(slot).copied().flatten();
        let name = match old {
            Some(id) if self.constant(id).is_none() => {
                return Err(Error::invalid("is not a constant").at(&self.value(id).name));
            }
            Some(id) => {
                let is_own = self.readers(id) == [node] && !self.outputs.contains(&id);
                let is_same = self.constant(id).map(Tensor::shape) == Some(tensor.shape());
                if is_own && is_same {
                    self.set_constant(id, tensor)?;
                    return Ok(id);
                }
                self.value(id).name.clone()
            }
            None => format!("{}.{slot}", self.node(node).name),
        };
        let id = self.push_value(Value {
            name: self.unused_name(&name),
            shape: Some(tensor.shape().iter().map(|&n| Dim::Fixed(n)).collect()),
            element: Some(tensor.element()),
            constant: Some(Arc::new(tensor)),
            known: None,
            entries: None,
        });
        let inputs = &mut self.nodes_mut()[node.index()].inputs;
        if inputs.len() <= slot {
            inputs.resize(slot + 1, None);
        }
        inputs[slot] = Some(id);
        Ok(id)
    }

    /// `wanted`, or the first numbered variant of it that no value is called.
    pub(crate) fn unused_name(&self, wanted: &str) -> String {
        let variants = (2u32..).map(|n| format!("{wanted}.{n}"));
        std::iter::once(wanted.to_string())
            .chain(variants)
            .find(|name| self.value_named(name).is_none())
            .unwrap_or_default()
    }

    /// The same network with other outputs: nodes that these do not need stay, and compute for nobody.
    #[must_use]
    pub fn with_outputs(&self, outputs: Vec<ValueId>) -> Self {
        Self {
            outputs,
            ..self.clone()
        }
    }

    /// The same graph, given these values by the caller besides its inputs; constants among them lose their numbers.
    pub fn with_inputs(&self, given: &[ValueId]) -> Self {
        let mut graph = self.clone();
        for id in given {
            graph.values[id.index()].constant = None;
        }
        graph.inputs.extend(given);
        graph
    }

    /// These are given by the caller, too, and those received.
    pub(crate) fn open(&mut self, given: &[ValueId], taken: &[ValueId]) {
        self.inputs.extend(given);
        self.outputs.extend(taken);
    }

    pub(crate) fn push_value(&mut self, value: Value) -> ValueId {
        let id = ValueId::at(self.values.len());
        self.links.add_value(&value.name, id);
        self.values.push(value);
        id
    }

    /// The nodes for changing: links between them are found anew.
    pub(crate) fn nodes_mut(&mut self) -> &mut Vec<Node> {
        self.links.forget_nodes();
        &mut self.nodes
    }

    /// A value, for changing all but its name.
    pub(crate) fn value_mut(&mut self, id: ValueId) -> &mut Value {
        &mut self.values[id.index()]
    }

    /// The shape of a value, for changing.
    pub(crate) fn shape_mut(&mut self, id: ValueId) -> &mut Option<Vec<Dim>> {
        &mut self.values[id.index()].shape
    }

    /// Makes a value a constant, of whatever shape.
    pub(crate) fn replace_constant(&mut self, id: ValueId, tensor: Tensor) {
        let value = &mut self.values[id.index()];
        value.shape = Some(tensor.shape().iter().map(|&n| Dim::Fixed(n)).collect());
        value.element = Some(tensor.element());
        (value.known, value.entries) = (None, None);
        value.constant = Some(Arc::new(tensor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unary;

    #[test]
    fn order_names_and_outputs_are_checked() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let y = b.node("y", Op::Unary(Unary::Relu), &[x]);
        b.output(y);
        let graph = b.build().unwrap();
        assert_eq!(graph.readers(x), [NodeId(0)]);
        assert_eq!(graph.producer(y), Some(NodeId(0)));

        let mut b = GraphBuilder::new("twice");
        b.input("x", []);
        b.input("x", []);
        assert_eq!(b.build().unwrap_err().place(), Some("x"));

        let mut b = GraphBuilder::new("early");
        let late = b.declare("late", None);
        b.node("y", Op::Identity, &[late]);
        assert_eq!(
            b.build().unwrap_err().to_string(),
            "y: reads 'late' before it is made"
        );

        assert!(GraphBuilder::new("empty").build().is_err());
    }

    /// A constant that others read, or that is given out, stays what it is; one of a node's own is changed where it lies.
    #[test]
    fn a_constant_of_a_nodes_own_leaves_others_theirs() {
        let numbers = |first: f32| Tensor::f32([2, 2], vec![first; 4]).unwrap();
        let net = |is_shared: bool, is_output: bool| {
            let mut b = GraphBuilder::new("net");
            let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
            let w = b.constant("w", numbers(1.0));
            let mut y = b.node("first", Op::MatMul, &[x, w]);
            if is_shared {
                y = b.node("second", Op::MatMul, &[y, w]);
            }
            b.output(y);
            if is_output {
                b.output(w);
            }
            (b.build().unwrap(), w)
        };
        for (is_shared, is_output) in [(false, false), (true, false), (false, true)] {
            let (mut graph, w) = net(is_shared, is_output);
            let first = graph.node_ids().next().unwrap();
            let given = graph.give_constant(first, 1, numbers(2.0)).unwrap();
            assert_eq!(given == w, !is_shared && !is_output);
            assert_eq!(graph.constant(given), Some(&numbers(2.0)));
            assert_eq!(graph.node(first).inputs[1], Some(given));
            if given != w {
                assert_eq!(graph.constant(w), Some(&numbers(1.0)));
            }
            // Of another shape it is another one in any case; a missing one is made.
            let wide = Tensor::f32([2, 3], vec![0.0; 6]).unwrap();
            assert_ne!(graph.give_constant(first, 1, wide).unwrap(), given);
            let made = graph.give_constant(first, 3, numbers(3.0)).unwrap();
            assert_eq!(graph.node(first).inputs[2..], [None, Some(made)]);
            assert!(graph.give_constant(first, 0, numbers(3.0)).is_err());
        }
    }
}
