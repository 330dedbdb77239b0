//! Builds a network node by node.

use std::sync::Arc;

use super::{Dim, Graph, Node, Value, ValueId};
use crate::derived::Derived;
use crate::links::Links;
use crate::{Element, Error, Op, Result, Tensor};

/// Builds a [`Graph`] node by node, so that the order is right by construction.
#[derive(Debug, Clone)]
pub struct GraphBuilder {
    graph: Graph,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            graph: Graph {
                name: name.into(),
                nodes: vec![],
                values: vec![],
                inputs: vec![],
                outputs: vec![],
                pinned: vec![],
                derived: Derived::new(),
                links: Links::default(),
            },
        }
    }

    /// Adds a value that the caller provides.
    pub fn input(&mut self, name: impl Into<String>, shape: impl Into<Vec<Dim>>) -> ValueId {
        let id = self.graph.push_value(Value {
            name: name.into(),
            shape: Some(shape.into()),
            element: None,
            known: None,
            entries: None,
            constant: None,
        });
        self.graph.inputs.push(id);
        id
    }

    /// Adds a constant.
    pub fn constant(&mut self, name: impl Into<String>, tensor: Tensor) -> ValueId {
        let shape = tensor.shape().iter().map(|&d| Dim::Fixed(d)).collect();
        self.graph.push_value(Value {
            name: name.into(),
            shape: Some(shape),
            element: Some(tensor.element()),
            known: None,
            entries: None,
            constant: Some(Arc::new(tensor)),
        })
    }

    /// The shape of a value so far.
    pub(crate) fn shape(&self, value: ValueId) -> Option<&[Dim]> {
        self.graph.value(value).shape.as_deref()
    }

    /// The numbers of a value, if it is a constant.
    pub(crate) fn tensor(&self, value: ValueId) -> Option<&Tensor> {
        self.graph.constant(value)
    }

    /// Adds a node with one output, named after the node, and returns that output.
    pub fn node(&mut self, name: impl Into<String>, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = name.into();
        let output = self.declare(name.clone(), None);
        let inputs = inputs.iter().map(|&i| Some(i)).collect();
        self.add_node(Node {
            name,
            op,
            inputs,
            outputs: vec![output],
        });
        output
    }

    /// Declares a value that a later [`GraphBuilder::add_node`] makes.
    pub fn declare(&mut self, name: impl Into<String>, shape: Option<Vec<Dim>>) -> ValueId {
        self.graph.push_value(Value {
            name: name.into(),
            shape,
            element: None,
            known: None,
            entries: None,
            constant: None,
        })
    }

    /// States the type of the elements of a value.
    pub fn of_type(&mut self, value: ValueId, element: Element) {
        self.graph.values[value.index()].element = Some(element);
    }

    /// The lengths of a value must stay, for a reason that says what it is.
    pub(crate) fn pin(&mut self, value: ValueId, reason: &'static str) {
        self.graph.pinned.push((value, reason.into()));
    }

    /// Adds a node whose values were declared before.
    pub fn add_node(&mut self, node: Node) {
        self.graph.nodes_mut().push(node);
    }

    /// Marks a value as a result.
    pub fn output(&mut self, value: ValueId) {
        self.graph.outputs.push(value);
    }

    /// The finished graph.
    ///
    /// # Errors
    /// If names repeat, a value is made twice or read before it is made, or there is no output.
    pub fn build(self) -> Result<Graph> {
        check(&self.graph)?;
        Ok(self.graph)
    }
}

/// Checks that a graph is one: names are unique, and everything is made once and before it is read.
pub(super) fn check(graph: &Graph) -> Result<()> {
    let mut names = std::collections::HashSet::new();
    for value in &graph.values {
        if !names.insert(value.name.as_str()) {
            return Err(Error::invalid("two values have this name").at(&value.name));
        }
    }
    let mut ready: Vec<bool> = graph.values.iter().map(|v| v.constant.is_some()).collect();
    for input in &graph.inputs {
        ready[input.index()] = true;
    }
    for node in &graph.nodes {
        if let Some(early) = node.inputs.iter().flatten().find(|i| !ready[i.index()]) {
            let name = &graph.value(*early).name;
            return Err(Error::invalid(format!("reads '{name}' before it is made")).at(&node.name));
        }
        for made in &node.outputs {
            if std::mem::replace(&mut ready[made.index()], true) {
                let name = &graph.value(*made).name;
                return Err(Error::invalid(format!("makes '{name}' again")).at(&node.name));
            }
        }
    }
    match graph.outputs.iter().find(|o| !ready[o.index()]) {
        Some(missing) => {
            Err(Error::invalid("is an output that nothing makes").at(&graph.value(*missing).name))
        }
        None if graph.outputs.is_empty() => Err(Error::invalid("the graph has no output")),
        None => Ok(()),
    }
}
