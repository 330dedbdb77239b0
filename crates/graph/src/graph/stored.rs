//! A network as a program stores it for itself: with the places of all values and nodes, which a model file does not keep.
//!
//! What follows from the rest is left out and found again: links, and what is known of values from lengths alone.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::builder::check;
use super::{Dim, Graph, Node, Value, ValueId};
use crate::derived::Derived;
use crate::links::Links;
use crate::{Element, Error, Result, Tensor, infer_shapes};

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    name: Cow<'a, str>,
    nodes: Cow<'a, [Node]>,
    values: Vec<StoredValue<'a>>,
    inputs: Cow<'a, [ValueId]>,
    outputs: Cow<'a, [ValueId]>,
    pinned: Cow<'a, [(ValueId, Cow<'static, str>)]>,
    derived: Cow<'a, Derived>,
    /// Whether it knew what follows from lengths.
    is_inferred: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredValue<'a> {
    name: Cow<'a, str>,
    shape: Option<Cow<'a, [Dim]>>,
    element: Option<Element>,
    constant: Option<Cow<'a, Tensor>>,
}

impl<'a> Stored<'a> {
    fn of(graph: &'a Graph) -> Self {
        let value = |v: &'a Value| StoredValue {
            name: Cow::Borrowed(&v.name),
            shape: v.shape.as_deref().map(Cow::Borrowed),
            element: v.element,
            constant: v.constant.as_deref().map(Cow::Borrowed),
        };
        Self {
            name: Cow::Borrowed(&graph.name),
            nodes: Cow::Borrowed(&graph.nodes),
            values: graph.values.iter().map(value).collect(),
            inputs: Cow::Borrowed(&graph.inputs),
            outputs: Cow::Borrowed(&graph.outputs),
            pinned: Cow::Borrowed(&graph.pinned),
            derived: Cow::Borrowed(&graph.derived),
            is_inferred: graph.values.iter().any(|v| v.known.is_some()),
        }
    }

    /// The graph, whoever stored it.
    ///
    /// # Errors
    /// If it is none.
    fn graph(self) -> Result<Graph> {
        let value = |v: StoredValue<'_>| Value {
            name: v.name.into_owned(),
            shape: v.shape.map(Cow::into_owned),
            element: v.element,
            known: None,
            entries: None,
            constant: v.constant.map(|c| Arc::new(c.into_owned())),
        };
        let graph = Graph {
            name: self.name.into_owned(),
            nodes: self.nodes.into_owned(),
            values: self.values.into_iter().map(value).collect(),
            inputs: self.inputs.into_owned(),
            outputs: self.outputs.into_owned(),
            pinned: self.pinned.into_owned(),
            derived: self.derived.into_owned(),
            links: Links::default(),
        };
        has_its_values(&graph)?;
        check(&graph)?;
        let inferred = infer_shapes(&graph)?;
        Ok(if self.is_inferred { inferred } else { graph })
    }
}

/// Checks that all values that are named by their places exist, and that constants have their shapes.
fn has_its_values(graph: &Graph) -> Result<()> {
    let read = graph.nodes.iter().flat_map(|n| n.inputs.iter().flatten());
    let made = graph.nodes.iter().flat_map(|n| &n.outputs);
    let ends = graph.inputs.iter().chain(&graph.outputs);
    let pinned = graph.pinned.iter().map(|(value, _)| value);
    let derived = graph.derived.iter();
    let derived =
        derived.flat_map(|(id, n)| n.inputs.iter().flatten().chain(&n.outputs).chain([id]));
    let mut named = read.chain(made).chain(ends).chain(pinned).chain(derived);
    if let Some(missing) = named.find(|id| id.index() >= graph.values.len()) {
        let message = format!("names value {} of {}", missing.index(), graph.values.len());
        return Err(Error::invalid(message).at(&graph.name));
    }
    for value in &graph.values {
        let (Some(tensor), Some(shape)) = (&value.constant, &value.shape) else {
            continue;
        };
        let lengths: Option<Vec<usize>> = shape.iter().map(Dim::fixed).collect();
        if lengths.as_deref() != Some(tensor.shape()) {
            return Err(Error::invalid("is declared in another shape").at(&value.name));
        }
    }
    Ok(())
}

impl Serialize for Graph {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        Stored::of(self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Graph {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let stored = Stored::deserialize(from)?;
        stored.graph().map_err(D::Error::custom)
    }
}
