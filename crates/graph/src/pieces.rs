//! A network cut at the nodes that nobody here can run, so that what lies between them can be.

use std::collections::HashSet;

use crate::ops;
use crate::settle::drop_unread;
use crate::shapes::infer_shapes;
use crate::{Graph, Op, Result, ValueId};

/// What is left of a network if what its opaque nodes make is given from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    /// The network without the opaque nodes: what they make are inputs behind its own, what they read are outputs behind its
    /// own, as often as they are read, constants included.
    pub graph: Graph,
    /// The names of the opaque nodes, in order of evaluation.
    pub cut_at: Vec<String>,
}

/// Cuts a network at its opaque nodes, as far as its outputs depend on them.
///
/// There are no pieces where the shape of what such a node makes is not declared, as it could not be given; and where it is a
/// recurrent layer, as what that reads may lose features.
///
/// # Errors
/// If operands do not fit together.
pub fn pieces(graph: &Graph) -> Result<Option<Pieces>> {
    let mut cut = infer_shapes(graph)?;
    drop_unread(&mut cut);
    let (mut given, mut taken): (Vec<ValueId>, Vec<ValueId>) = (vec![], vec![]);
    let mut cut_at = vec![];
    for node in cut.nodes() {
        let Op::Opaque(opaque) = &node.op else {
            continue;
        };
        if ops::is_recurrent(opaque) {
            return Ok(None);
        }
        cut_at.push(node.name.clone());
        given.extend(&node.outputs);
        taken.extend(node.inputs.iter().flatten());
    }
    let nodes = cut.nodes().iter();
    let others: Vec<_> = nodes
        .filter(|node| !matches!(node.op, Op::Opaque(_)))
        .cloned()
        .collect();
    let read = others.iter().flat_map(|n| n.inputs.iter().flatten());
    let read: HashSet<&ValueId> = read.chain(cut.outputs()).chain(&taken).collect();
    given.retain(|id| read.contains(id));
    if given.iter().any(|id| cut.value(*id).shape.is_none()) {
        return Ok(None);
    }
    *cut.nodes_mut() = others;
    cut.open(&given, &taken);
    Ok(Some(Pieces { graph: cut, cut_at }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Dim, GraphBuilder, Opaque, Unary, evaluate};

    /// A ReLU, something unknown, another ReLU.
    fn network(declared: bool) -> Graph {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let before = b.node("before", Op::Unary(Unary::Relu), &[x]);
        let shape = declared.then(|| vec![Dim::batch(), Dim::Fixed(3)]);
        let made = b.declare("made", shape);
        let mystery = Op::Opaque(Opaque {
            domain: "other".into(),
            op_type: "Mystery".into(),
            opset: 1,
            message: vec![],
        });
        b.add_node(crate::Node {
            name: "mystery".into(),
            op: mystery,
            inputs: vec![Some(before)],
            outputs: vec![made],
        });
        let y = b.node("y", Op::Unary(Unary::Neg), &[made]);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn what_lies_around_an_unknown_node_can_be_run() {
        let graph = network(true);
        let x = Array::new([1, 2], vec![-1.0, 2.0]).unwrap();
        assert!(evaluate(&graph, std::slice::from_ref(&x)).is_err());
        let Pieces { graph, cut_at } = pieces(&graph).unwrap().unwrap();
        assert_eq!(cut_at, ["mystery"]);
        let made = Array::new([1, 3], vec![1.0, 2.0, 3.0]).unwrap();
        let found = evaluate(&graph, &[x, made]).unwrap();
        let values: Vec<_> = found.into_iter().map(|a| a.values).collect();
        assert_eq!(values, [vec![-1.0, -2.0, -3.0], vec![0.0, 2.0]]);
        assert_eq!(pieces(&network(false)).unwrap(), None);
    }
}
