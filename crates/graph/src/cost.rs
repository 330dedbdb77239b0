//! How many parameters and multiply-accumulates does a network take?

use std::collections::HashSet;
use std::sync::Arc;

use crate::shapes::infer_shapes;
use crate::{Graph, NodeId, Result, ops};

/// What a network costs, as a whole and by node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point constants that nodes read, each counted once; standardisation constants are among
    /// them where the graph has such nodes.
    pub params: u64,
    /// Multiply-accumulates of matrix products for one row; element-wise arithmetic counts as none, an axis of unknown length as
    /// one position.
    pub macs: u64,
    /// The same by node, in evaluation order.
    pub nodes: Vec<NodeCost>,
}

/// What one node costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCost {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Floating-point constants that it is the first to read.
    pub params: u64,
    /// Multiply-accumulates for one row; `None` for an operation that is not understood, which then is
    /// missing from the sum.
    pub macs: Option<u64>,
}

/// Counts parameters, and multiply-accumulates at batch 1.
///
/// # Errors
/// If shapes do not fit together.
pub fn cost(graph: &Graph) -> Result<Cost> {
    let shaped = infer_shapes(graph)?;
    let mut counted = HashSet::new();
    let mut nodes = vec![];
    for id in shaped.node_ids() {
        let node = shaped.node(id);
        let constants = node.inputs.iter().flatten();
        let params = constants
            .filter_map(|&value| shaped.value(shaped.origin(value)).constant.as_ref())
            .filter(|tensor| tensor.is_float() && counted.insert(Arc::as_ptr(tensor)))
            .map(|tensor| tensor.len() as u64)
            .sum();
        nodes.push(NodeCost {
            node: id,
            name: node.name.clone(),
            params,
            macs: ops::macs(&shaped, node),
        });
    }
    Ok(Cost {
        params: sum(nodes.iter().map(|n| n.params)),
        macs: sum(nodes.iter().filter_map(|n| n.macs)),
        nodes,
    })
}

/// The sum, or the largest number there is: what is declared may be beyond all measure.
fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dim, GraphBuilder, Op, Opaque, Tensor};

    #[test]
    fn shared_constants_count_once_and_unknown_work_is_said_to_be_unknown() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(3), Dim::Fixed(2)]);
        let w = b.constant("w", Tensor::f32([2, 2], vec![0.0; 4]).unwrap());
        let once = b.node("once", Op::MatMul, &[x, w]);
        let twice = b.node("twice", Op::MatMul, &[once, w]);
        let mystery = Op::Opaque(Opaque {
            domain: String::new(),
            op_type: "Mystery".into(),
            opset: 17,
            message: vec![],
        });
        let y = b.node("y", mystery, &[twice]);
        b.output(y);
        let cost = cost(&b.build().unwrap()).unwrap();
        assert_eq!((cost.params, cost.macs), (4, 2 * 3 * 4));
        let macs: Vec<Option<u64>> = cost.nodes.iter().map(|n| n.macs).collect();
        assert_eq!(macs, [Some(12), Some(12), None]);
    }
}
