//! The same network without the units that go, physically smaller.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::branches::without_branches;
use crate::channels::{input_axis, selection};
use crate::derived::pick_behind;
use crate::mask::mask;
use crate::ops::Sources;
use crate::reindex::{Cut, reindex};
use crate::shapes::infer_shapes;
use crate::{ChannelGroups, Dim, Element, Graph, Keep, Node, Op, Result, Tensor, Value, ValueId};

/// A smaller network, and how its constants came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The smaller network. Ids of values are those of the wider one; new values come after them.
    pub graph: Graph,
    /// What was cut from constants, so that what lies beside them (optimiser state) can be cut alike; weights that lost all
    /// positions along an axis are told, too, though the network has them no more.
    pub cuts: Vec<Cut>,
    /// Which features of inputs are still read, for inputs that lost some.
    pub inputs: Vec<InputCut>,
}

/// Which features of an input are still read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputCut {
    /// The input; it keeps its shape, and a `Gather` behind it selects.
    pub input: ValueId,
    /// The features that stay, as positions among those that were read before.
    pub kept: Vec<usize>,
}

/// Removes the units that `keep` drops from every tensor that holds them.
///
/// Inputs keep their shape: a `Gather` behind an input selects the features that stay, and the indices of
/// one that is already there are narrowed.
///
/// Of a group that was emptied, the whole branch goes, and its bias stays where the branch met others.
///
/// # Errors
/// If `keep` was made for other groups, or an axis that is needed would be left without positions.
pub fn shrink(graph: &Graph, groups: &ChannelGroups, keep: &Keep) -> Result<Shrunk> {
    keep.check(groups)?;
    let shaped = infer_shapes(graph)?;
    let sources = kept_positions(groups, keep);
    let pruned = without_branches(&shaped, &sources, || mask(&shaped, groups, keep))?;
    let (left, sources, gone) = match pruned {
        None => (&shaped, sources, vec![]),
        Some(ref pruned) => {
            let (left, gone) = divided(&shaped, pruned, sources);
            (pruned, left, gone)
        }
    };
    let mut picked = sources.clone();
    pick_behind(left, &mut picked);
    let (mut small, mut cuts) = reindex(left, picked)?;
    // What no node reads follows what was made of it.
    cuts.retain(|cut| sources.contains_key(&(cut.tensor, cut.axis)));
    cuts.extend(gone);
    let mut inputs = vec![];
    for &input in shaped.inputs() {
        let selected = selection(&shaped, input)?;
        let read = match &selected {
            Some((node, _)) => node.output()?,
            None => input,
        };
        // Positions, not units: where features are coupled with each other, one unit has several.
        let found = input_axis(&shaped, input).and_then(|axis| sources.get(&(read, axis)));
        let Some(kept) = found.filter(|_| small.value(read).shape != shaped.value(read).shape)
        else {
            continue;
        };
        if selected.is_none() {
            select(&mut small, &shaped, input, kept)?;
        }
        inputs.push(InputCut {
            input,
            kept: kept.clone(),
        });
    }
    Ok(Shrunk {
        // What was known of lengths was so before.
        graph: infer_shapes(&small)?,
        cuts,
        inputs,
    })
}

/// What is still picked once branches went, and the weights that went with them.
fn divided(shaped: &Graph, pruned: &Graph, sources: Sources) -> (Sources, Vec<Cut>) {
    let nodes = pruned.nodes().iter();
    let known = nodes.flat_map(|n| n.inputs.iter().flatten().chain(&n.outputs));
    let outside = pruned.inputs().iter().chain(pruned.outputs());
    let alive: HashSet<ValueId> = known.chain(outside).copied().collect();
    // Along axes on which what stands in for a branch does not vary, there is nothing to pick.
    let is_varied = |(value, axis): (ValueId, usize)| {
        let length = |graph: &Graph| graph.value(value).shape.as_ref()?.get(axis)?.fixed();
        length(pruned) == length(shaped)
    };
    let (left, gone): (Sources, Sources) = sources
        .into_iter()
        .filter(|(place, kept)| kept.is_empty() || is_varied(*place))
        .partition(|((value, _), _)| alive.contains(value));
    let gone = gone
        .into_iter()
        .filter(|((value, _), kept)| kept.is_empty() && shaped.constant(*value).is_some());
    let gone = gone.map(|((tensor, axis), kept)| Cut { tensor, axis, kept });
    (left, gone.collect())
}

/// The positions that stay along each axis of each value that holds units, in order, by value and axis.
pub fn kept_positions(
    groups: &ChannelGroups,
    keep: &Keep,
) -> BTreeMap<(ValueId, usize), Vec<usize>> {
    let mut sources = Sources::new();
    for (id, group) in groups.iter() {
        for (value, axis, unit_of) in group.axes() {
            sources
                .entry((value, axis))
                .or_insert_with(|| (0..unit_of.len()).collect())
                .retain(|&p| unit_of[p].is_none_or(|unit| keep.keeps(id, unit as usize)));
        }
    }
    sources
}

/// Puts a `Gather` behind an input, for all that read it.
fn select(small: &mut Graph, wide: &Graph, input: ValueId, kept: &[usize]) -> Result<()> {
    let Some(axis) = input_axis(wide, input) else {
        return Ok(());
    };
    let indices = Tensor::i64([kept.len()], kept.iter().map(|&k| k as i64).collect())?;
    let name = &wide.value(input).name;
    let indices = Value {
        name: small.unused_name(&format!("{name}.kept")),
        shape: Some(vec![Dim::Fixed(kept.len())]),
        element: Some(Element::I64),
        known: None,
        entries: None,
        constant: Some(Arc::new(indices)),
    };
    let selected = Value {
        name: small.unused_name(&format!("{name}.selected")),
        shape: small.value(input).shape.clone(),
        element: small.value(input).element,
        known: None,
        entries: None,
        constant: None,
    };
    // The narrowed shape belongs to what is selected; the input has the one that it had.
    small.shape_mut(input).clone_from(&wide.value(input).shape);
    let node_name = selected.name.clone();
    let indices = small.push_value(indices);
    let selected = small.push_value(selected);
    let nodes = small.nodes_mut();
    for node in nodes.iter_mut() {
        for read in node.inputs.iter_mut().filter(|i| **i == Some(input)) {
            *read = Some(selected);
        }
    }
    nodes.insert(
        0,
        Node {
            name: node_name,
            op: Op::Gather { axis: axis as i64 },
            inputs: vec![Some(input), Some(indices)],
            outputs: vec![selected],
        },
    );
    Ok(())
}
