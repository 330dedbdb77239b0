//! Readers that lost some of what they read.

use std::collections::BTreeMap;

use secateur_graph::{Graph, Node, NodeId, ValueId};

use super::layout::Layout;
use super::narrowed::Narrowed;
use super::offset::Offset;
use super::view::View;

/// Positions that stay along an axis of a value, where some do not.
pub type Kept = BTreeMap<(ValueId, usize), Vec<usize>>;

/// A node that reads fewer channels than it did, through weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    /// What the node is called.
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) wide: Layout,
    pub(crate) narrow: Layout,
    /// How it looks at what it reads.
    pub(crate) view: View,
    pub(crate) weights: ValueId,
    /// Where means are made up for; without it, they are no better known than the rest.
    pub(crate) offset: Option<Offset>,
    /// What is read, and the axis of its channels.
    pub(crate) read: (ValueId, usize),
    /// How much of it was looked at together.
    pub(crate) width: usize,
    /// What is made, and the axis of its channels.
    pub(crate) made: (ValueId, usize),
    /// What of that is read still.
    pub(crate) inputs: Vec<usize>,
    /// Channels that are made still.
    pub(crate) outputs: Vec<usize>,
}

/// Why a reader keeps its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untouched {
    /// What the node is called.
    pub node: String,
    /// Why, to be read after "as".
    pub why: &'static str,
}

/// The readers of a network that lost some of what they read, in the order in which they are run, and those among them whose weights
/// stay. `wide` is the network before, with its shapes; values have the same ids in both.
pub(crate) fn sites(wide: &Graph, small: &Graph, kept: &Kept) -> (Vec<Site>, Vec<Untouched>) {
    let (mut sites, mut untouched) = (vec![], vec![]);
    for id in small.node_ids() {
        let node = small.node(id);
        let Some(before) = maker(wide, node) else {
            continue;
        };
        match site(wide, small, (before, id), kept) {
            Ok(Some(site)) => sites.push(site),
            Ok(None) => {}
            Err(why) => untouched.push(Untouched {
                node: node.name.clone(),
                why,
            }),
        }
    }
    (sites, untouched)
}

/// The node that made in the wide network what this one makes.
fn maker<'g>(wide: &'g Graph, node: &Node) -> Option<&'g Node> {
    let made = node.outputs.first()?;
    Some(wide.node(wide.producer(*made)?))
}

fn site(
    wide: &Graph,
    small: &Graph,
    (before, id): (&Node, NodeId),
    kept: &Kept,
) -> Result<Option<Site>, &'static str> {
    let now = small.node(id);
    for (at, weights, narrow) in Layout::all_of(small, now) {
        let (Some(tensor), Some(old)) = (small.constant(weights), wide.constant(weights)) else {
            continue;
        };
        let mut layouts = Layout::all_of(wide, before);
        let Some((_, _, layout)) = layouts.find(|(slot, ..)| *slot == at) else {
            continue;
        };
        let narrow = narrow.looking_as(&layout);
        let Some([(read, of_read), (made, of_made)]) = layout.ends(wide, now) else {
            return Err("the number of axes that it reads is not known");
        };
        let channels = |id: ValueId, axis: usize| -> Option<Vec<usize>> {
            match kept.get(&(id, axis)) {
                Some(kept) => Some(kept.clone()),
                None => Some((0..wide.value(id).shape.as_ref()?.get(axis)?.fixed()?).collect()),
            }
        };
        let length = |id: ValueId, axis: usize| wide.value(id).shape.as_ref()?.get(axis)?.fixed();
        let is_whole = kept
            .get(&(read, of_read))
            .is_none_or(|k| Some(k.len()) == length(read, of_read));
        if is_whole || layout.is_depthwise(old.shape()) {
            return Ok(None);
        }
        if small.readers(weights).len() > 1 {
            return Err("several nodes share its weights");
        }
        if !tensor.is_float() {
            return Err("its weights are no floating-point numbers");
        }
        let known = (
            channels(read, of_read),
            channels(made, of_made),
            length(read, of_read),
        );
        let (Some(inputs), Some(outputs), Some(width)) = known else {
            return Err("the number of its channels is not known");
        };
        let Some(inputs) = by_channel(&inputs, layout.fold) else {
            return Err("places of one channel went, and others stayed");
        };
        let each = layout.of_channel(old.shape());
        let inputs = inputs
            .into_iter()
            .flat_map(|c| c * each..(c + 1) * each)
            .collect();
        let width = width / layout.fold * each;
        let made = (made, of_made);
        let site = Site {
            name: now.name.clone(),
            node: id,
            view: View::of(before, &layout, old.shape()),
            wide: layout,
            narrow,
            weights,
            offset: Offset::of(small, (id, layout.bias), made, outputs.len()),
            read: (read, of_read),
            width,
            made,
            inputs,
            outputs,
        };
        let shapes = [old.shape(), tensor.shape()];
        return match site.narrowed(shapes).parts(&old.numbers()) {
            Some(_) => Ok(Some(site)),
            None => Err("its groups of channels were cut unlike"),
        };
    }
    Ok(None)
}

/// Channels, each of which has so many places in a row.
fn by_channel(places: &[usize], fold: usize) -> Option<Vec<usize>> {
    let mut found = vec![];
    for run in places.chunks(fold) {
        let first = run.first()? / fold;
        let is_whole =
            run.len() == fold && run.iter().copied().eq(first * fold..(first + 1) * fold);
        found.push(is_whole.then_some(first)?);
    }
    Some(found)
}

impl Site {
    /// The weights before and now, whose shapes are these.
    pub(crate) fn narrowed<'a>(&'a self, shapes: [&'a [usize]; 2]) -> Narrowed<'a> {
        Narrowed {
            wide: self.wide,
            narrow: self.narrow,
            shapes,
            inputs: &self.inputs,
            outputs: &self.outputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, Keep, Unary, infer_shapes, kept_positions, shrink};
    use secateur_testkit::mlp;

    use super::*;

    #[test]
    fn readers_of_what_went_are_found_with_their_channels() {
        let wide = infer_shapes(&mlp(&[3, 4, 4, 2], Unary::Relu, 1).unwrap()).unwrap();
        let groups = ChannelGroups::of(&wide).unwrap();
        let mut keep = Keep::all(&groups);
        keep.drop(groups.named("dense1").unwrap(), 1).unwrap();
        let small = shrink(&wide, &groups, &keep).unwrap().graph;
        let (found, untouched) = sites(&wide, &small, &kept_positions(&groups, &keep));
        assert_eq!(untouched, []);
        assert_eq!(found.len(), 1);
        let site = &found[0];
        assert_eq!(site.inputs, [0, 2, 3]);
        assert_eq!(site.outputs, [0, 1, 2, 3]);
        assert_eq!(wide.value(site.weights).name, "w2");
        assert_eq!(site.offset, Some(Offset::Added(site.node, 2)));
    }
}
