//! Who makes a value, who reads it, and which value has a name: found once for a graph, at the first question.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::{Node, NodeId, Value, ValueId};

/// What a graph knows of itself. It follows from nodes and values, so graphs that differ only in it are equal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    // Shared, as copies of a graph have the same links until their nodes change.
    nodes: OnceLock<Arc<OfNodes>>,
    names: OnceLock<Arc<HashMap<String, ValueId>>>,
}

/// By the index of the value.
#[derive(Debug, Default)]
struct OfNodes {
    producer: Vec<Option<NodeId>>,
    readers: Vec<Vec<NodeId>>,
}

impl PartialEq for Links {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Links {
    /// The node that makes a value.
    pub(crate) fn producer(&self, nodes: &[Node], value: ValueId) -> Option<NodeId> {
        let links = self.of_nodes(nodes);
        links.producer.get(value.index()).copied().flatten()
    }

    /// The nodes that read a value, each once, in order.
    pub(crate) fn readers(&self, nodes: &[Node], value: ValueId) -> &[NodeId] {
        let readers = self.of_nodes(nodes).readers.get(value.index());
        readers.map_or(&[], Vec::as_slice)
    }

    /// The first value of that name.
    pub(crate) fn named(&self, values: &[Value], name: &str) -> Option<ValueId> {
        let names = self.names.get_or_init(|| {
            let mut names = HashMap::with_capacity(values.len());
            for (index, value) in values.iter().enumerate() {
                names
                    .entry(value.name.clone())
                    .or_insert(ValueId::at(index));
            }
            Arc::new(names)
        });
        names.get(name).copied()
    }

    /// Another value was added behind all others.
    pub(crate) fn add_value(&mut self, name: &str, id: ValueId) {
        if let Some(names) = self.names.get_mut() {
            Arc::make_mut(names).entry(name.into()).or_insert(id);
        }
    }

    /// Nodes changed.
    pub(crate) fn forget_nodes(&mut self) {
        self.nodes = OnceLock::new();
    }

    fn of_nodes(&self, nodes: &[Node]) -> &OfNodes {
        self.nodes.get_or_init(|| Arc::new(OfNodes::of(nodes)))
    }
}

impl OfNodes {
    fn of(nodes: &[Node]) -> Self {
        // Values that no node knows need no place.
        let known = nodes
            .iter()
            .flat_map(|n| n.inputs.iter().flatten().chain(&n.outputs));
        let count = known.map(|id| id.index() + 1).max().unwrap_or(0);
        let mut links = Self {
            producer: vec![None; count],
            readers: vec![vec![]; count],
        };
        for (index, node) in nodes.iter().enumerate() {
            let id = NodeId::at(index);
            for read in node.inputs.iter().flatten() {
                let readers = &mut links.readers[read.index()];
                // A node that reads a value twice is one reader.
                if readers.last() != Some(&id) {
                    readers.push(id);
                }
            }
            for made in &node.outputs {
                links.producer[made.index()].get_or_insert(id);
            }
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use crate::{Binary, Dim, GraphBuilder, NodeId, Op, Unary, Value};

    #[test]
    fn links_follow_the_nodes_and_names_the_values() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(2)]);
        let sum = b.node("sum", Op::Binary(Binary::Add), &[x, x]);
        let y = b.node("y", Op::Unary(Unary::Relu), &[sum]);
        b.output(y);
        let graph = b.build().unwrap();
        assert_eq!(graph.readers(x), [NodeId::at(0)]);
        assert_eq!(graph.readers(y), []);
        assert_eq!(graph.producer(sum), Some(NodeId::at(0)));
        assert_eq!(graph.producer(x), None);

        // A changed copy has other links, and the first keeps its own.
        let mut changed = graph.clone();
        changed.nodes_mut()[1].inputs[0] = Some(x);
        assert_eq!(changed.readers(x), [NodeId::at(0), NodeId::at(1)]);
        assert_eq!(changed.readers(sum), []);
        assert_eq!(graph.readers(sum), [NodeId::at(1)]);

        assert_eq!(graph.value_named("new"), None);
        let new = changed.push_value(Value {
            name: "new".into(),
            shape: None,
            element: None,
            known: None,
            entries: None,
            constant: None,
        });
        assert_eq!(changed.value_named("new"), Some(new));
        assert_eq!(changed.readers(new), []);
        assert_eq!(graph.value_named("new"), None);
    }

    #[test]
    fn graphs_are_equal_whether_or_not_they_were_asked() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(2)]);
        b.output(x);
        let (asked, fresh) = (b.build().unwrap(), {
            let mut b = GraphBuilder::new("g");
            let x = b.input("x", [Dim::Fixed(2)]);
            b.output(x);
            b.build().unwrap()
        });
        assert!(asked.producer(x).is_none() && asked.value_named("x") == Some(x));
        assert_eq!(asked, fresh);
    }
}
