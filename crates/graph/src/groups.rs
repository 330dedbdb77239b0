//! Which channels must live or die together, and which slices of which tensors are theirs?

use serde::{Deserialize, Serialize};

use crate::channels::Walk;
use crate::collect::collect;
use crate::shapes::infer_shapes;
use crate::{Graph, Result, Tensor, ValueId};

/// Names a group of one [`ChannelGroups`]. Shrinking keeps the order of groups, and so their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupId(u32);

impl GroupId {
    /// The position of the group in [`ChannelGroups::groups`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where the units of a group come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// They are the features of an input of the graph, or the ones a `Gather` on it selects.
    Input(ValueId),
    /// They are made by a layer, and exchangeable.
    Hidden,
}

/// What a slice of a tensor does for its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Makes the unit: incoming weights and bias.
    Produces,
    /// Contracts the unit: outgoing weights.
    Reads,
    /// Goes along with it: a scale or shift per channel.
    Carries,
}

/// An axis of a constant whose positions belong to units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The constant.
    pub tensor: ValueId,
    /// The axis whose positions are units.
    pub axis: usize,
    /// What the slices do.
    pub role: Role,
    /// For every position on the axis, the unit of this group that it belongs to, if any.
    pub unit_of: Vec<Option<u32>>,
}

/// An axis of an activation whose positions belong to units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The activation.
    pub value: ValueId,
    /// The axis whose positions are units.
    pub axis: usize,
    /// For every position on the axis, the unit of this group that it belongs to, if any.
    pub unit_of: Vec<Option<u32>>,
}

/// Why no unit of a group may be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// The node, tensor or output where the reason lies.
    pub node: String,
    /// What is true of the units, to be read after "it": "is an output of the graph".
    pub reason: String,
}

/// Units that have their tensors in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Where the units come from.
    pub kind: GroupKind,
    /// The input or the first node that makes the units.
    pub name: String,
    /// How many units there are.
    pub units: usize,
    /// Slices of constants.
    pub members: Vec<Member>,
    /// Activations that hold the units, in order.
    pub activations: Vec<Activation>,
    /// Whether products of activations sum over the units. Such a unit need not be read by weights; it is silenced where it
    /// is made.
    pub in_products: bool,
    /// Why no unit may go, if so.
    pub frozen: Option<Freeze>,
}

impl Group {
    /// Every axis that holds units, of constants and activations; one may come more than once.
    pub(crate) fn axes(&self) -> impl Iterator<Item = (ValueId, usize, &[Option<u32>])> {
        let members = self.members.iter();
        let members = members.map(|m| (m.tensor, m.axis, m.unit_of.as_slice()));
        let activations = self.activations.iter();
        members.chain(activations.map(|a| (a.value, a.axis, a.unit_of.as_slice())))
    }

    /// Whether units may go by choice: layers make them, and nothing freezes them.
    pub fn is_free(&self) -> bool {
        self.frozen.is_none() && self.kind == GroupKind::Hidden
    }

    /// How many scalars all reading slices of one unit hold (of the largest unit, where a `Gather` makes
    /// them differ).
    pub fn size(&self, graph: &Graph) -> usize {
        let mut sizes = vec![0; self.units];
        for member in self.members.iter().filter(|m| m.role == Role::Reads) {
            let elements = graph.constant(member.tensor).map_or(0, Tensor::len);
            let slice = elements / member.unit_of.len().max(1);
            for &unit in member.unit_of.iter().flatten() {
                sizes[unit as usize] += slice;
            }
        }
        sizes.into_iter().max().unwrap_or(0)
    }
}

/// All groups of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelGroups {
    groups: Vec<Group>,
    /// Names of the graph's values, for printing.
    pub(crate) names: Vec<String>,
}

impl ChannelGroups {
    /// Finds the groups of a graph.
    ///
    /// # Errors
    /// If shapes do not fit together.
    pub fn of(graph: &Graph) -> Result<Self> {
        let shaped = infer_shapes(graph)?;
        let walk = Walk::through(&shaped)?;
        Ok(Self {
            groups: collect(&shaped, walk),
            names: graph.values().iter().map(|v| v.name.clone()).collect(),
        })
    }

    /// Other groups for the same graph: what somebody knows better, or tests must find to be wrong.
    pub fn with_groups(self, groups: Vec<Group>) -> Self {
        Self { groups, ..self }
    }

    /// All groups: inputs first, then in the order in which their first units are made.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Ids of all groups, in order.
    pub fn ids(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..self.groups.len() as u32).map(GroupId)
    }

    /// Ids and groups, in order.
    pub fn iter(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.ids().zip(&self.groups)
    }

    /// The group of that id.
    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[id.index()]
    }

    /// The group called `name`.
    pub fn named(&self, name: &str) -> Option<GroupId> {
        self.iter().find(|(_, g)| g.name == name).map(|(id, _)| id)
    }
}
