//! The nodes that mix channels of groups.

use secateur_graph::{ChannelGroups, Graph, Node, ValueId};

use super::layout::Layout;
use super::view::View;

/// A node that reads units of groups through weights.
pub(crate) struct Through<'g> {
    pub(crate) node: &'g Node,
    pub(crate) layout: Layout,
    pub(crate) view: View,
    /// How much it looks at together.
    pub(crate) width: usize,
    pub(crate) weights: ValueId,
    pub(crate) read: (ValueId, usize),
    pub(crate) made: (ValueId, usize),
}

/// The nodes that mix channels of free groups.
pub(crate) fn readers<'g>(graph: &'g Graph, groups: &ChannelGroups) -> Vec<Through<'g>> {
    let holds = |end: (ValueId, usize)| {
        let mut free = groups.groups().iter().filter(|g| g.is_free());
        free.any(|g| g.activations.iter().any(|a| (a.value, a.axis) == end))
    };
    let nodes = graph.nodes().iter().flat_map(|node| {
        Layout::all_of(graph, node).filter_map(move |(_, weights, layout)| {
            let shape = graph.constant(weights)?.shape();
            let [read, made] = layout.ends(graph, node)?;
            (!layout.is_depthwise(shape)).then(|| Through {
                node,
                view: View::of(node, &layout, shape),
                width: layout.groups() * layout.sizes(shape).inputs,
                layout,
                weights,
                read,
                made,
            })
        })
    });
    nodes.filter(|through| holds(through.read)).collect()
}
