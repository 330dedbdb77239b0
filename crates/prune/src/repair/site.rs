//! Readers that lost some of what they read.

use std::collections::BTreeMap;

use secateur_graph::{Graph, Node, NodeId, Tensor, ValueId};

use super::layout::Layout;
use super::narrowed::Narrowed;
use super::offset::Offset;
use super::view::View;

/// Positions that stay along an axis of a value, where some do not.
pub type Kept = BTreeMap<(ValueId, usize), Vec<usize>>;

/// Weights that read fewer channels than they did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Site {
    /// What the node is called that is run first.
    pub(crate) name: String,
    pub(crate) weights: ValueId,
    pub(crate) wide: Layout,
    pub(crate) narrow: Layout,
    /// The node that is run first.
    pub(crate) first: Use,
    /// Those that read through the same weights later on.
    pub(crate) later: Vec<Use>,
    /// Where means are made up for, at each of these nodes; without it, they are no better known than the rest.
    pub(crate) offsets: Vec<Offset>,
    /// How much of what is read was looked at together.
    pub(crate) width: usize,
    /// The one value that is made, if it is one, and the axis of its channels. Otherwise its means follow from those of what is read.
    pub(crate) made: Option<(ValueId, usize)>,
    /// What of what is looked at is read still.
    pub(crate) inputs: Vec<usize>,
    /// Channels that are made still.
    pub(crate) outputs: Vec<usize>,
}

/// A node that reads through weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Use {
    pub(crate) node: NodeId,
    /// How it looks at what it reads.
    pub(crate) view: View,
    /// What is read, and the axis of its channels.
    pub(crate) read: (ValueId, usize),
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
    let (mut alone, mut untouched) = (vec![], vec![]);
    for id in small.node_ids() {
        let node = small.node(id);
        let Some(before) = maker(wide, node) else {
            continue;
        };
        match site(wide, small, (before, id), kept) {
            Ok(Some(site)) => alone.push(site),
            Ok(None) => {}
            Err(why) => untouched.push(Untouched {
                node: node.name.clone(),
                why,
            }),
        }
    }
    let mut sites = vec![];
    for site in &alone {
        let same: Vec<&Site> = alone.iter().filter(|s| s.weights == site.weights).collect();
        let is_all = same.len() == small.readers(site.weights).len();
        if !is_all || !same.iter().all(|other| other.reads_like(site)) {
            untouched.push(Untouched {
                node: site.name.clone(),
                why: "its weights are read in other ways, too",
            });
        } else if let [first, later @ ..] = &same[..]
            && first.first == site.first
        {
            sites.push(site.with(later, small));
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
        if !tensor.is_float() {
            return Err("its weights are no floating-point numbers");
        }
        let made = (!layout.is_hidden()).then_some((made, of_made));
        let outputs = match made {
            Some((made, axis)) => channels(made, axis),
            None => Some((0..layout.sizes(old.shape()).outputs).collect()),
        };
        let known = (channels(read, of_read), outputs, length(read, of_read));
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
        let offset = match made {
            Some(made) => Offset::of(small, (id, layout.bias), made, outputs.len()),
            None => Offset::of_gates(small, id, old.shape()),
        };
        let site = Site {
            name: now.name.clone(),
            weights,
            first: Use {
                node: id,
                view: View::of(before, &layout, old.shape()),
                read: (read, of_read),
            },
            later: vec![],
            wide: layout,
            narrow,
            offsets: offset.into_iter().collect(),
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

    /// The nodes that read through the weights, in the order in which they are run.
    pub(crate) fn uses(&self) -> impl Iterator<Item = &Use> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// What is read still of positions of the wide network.
    pub(crate) fn left<'a>(&'a self, wide: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let positions = wide.chunks_exact(self.width.max(1));
        positions.flat_map(|row| self.inputs.iter().map(|&c| row[c]))
    }

    /// Whether the matrix that another one reads through is the same.
    fn reads_like(&self, other: &Self) -> bool {
        let all = |site: &Self| {
            (
                site.wide,
                site.narrow,
                site.inputs.clone(),
                site.outputs.clone(),
            )
        };
        all(self) == all(other)
    }

    /// The same with others that read through its weights. They make several values, whose means are known of what is read where
    /// one number of the weights takes a channel to another.
    fn with(&self, others: &[&Self], graph: &Graph) -> Self {
        let mut site = self.clone();
        if others.is_empty() {
            return site;
        }
        site.later = others.iter().map(|other| other.first.clone()).collect();
        site.made = None;
        let offsets = others.iter().flat_map(|other| &other.offsets);
        site.offsets.extend(offsets);
        let shape = graph.constant(site.weights).map_or(&[][..], Tensor::shape);
        if site.offsets.len() < site.uses().count() || site.narrow.offsets(shape) > 1 {
            site.offsets.clear();
        }
        site
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
        assert_eq!(site.offsets, [Offset::Added(site.first.node, 2)]);
    }
}
