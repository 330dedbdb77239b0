//! How many parameters and multiply-accumulates does a network take?

use std::collections::HashSet;

use crate::shapes::infer_shapes;
use crate::{Graph, NodeId, Result, Tensor, ops};

/// What a network costs, as a whole and by node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point constants that nodes read, each counted once; standardisation constants are among
    /// them where the graph has such nodes.
    pub params: u64,
    /// Multiply-accumulates of matrix products for one row; element-wise arithmetic counts as none.
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
            .filter(|&&value| counted.insert(value))
            .filter_map(|&value| shaped.constant(value).and_then(Tensor::as_f32))
            .map(|values| values.len() as u64)
            .sum();
        nodes.push(NodeCost {
            node: id,
            name: node.name.clone(),
            params,
            macs: ops::macs(&shaped, node),
        });
    }
    Ok(Cost {
        params: nodes.iter().map(|n| n.params).sum(),
        macs: nodes.iter().filter_map(|n| n.macs).sum(),
        nodes,
    })
}
