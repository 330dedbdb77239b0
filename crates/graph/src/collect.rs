//! Numbers the groups and units that a walk has found, and sorts members, activations and reasons under them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::channels::{Atom, Claim, Walk};
use crate::groups::{Activation, Freeze, Group, GroupKind, Member, Role};
use crate::zeros::broken_by;
use crate::{Graph, NodeId, ValueId};

/// Numbers groups and their units, and sorts what the walk found under them.
pub(crate) fn collect(graph: &Graph, mut walk: Walk<'_>) -> Vec<Group> {
    let places = Places::of(&mut walk);
    let mut groups: Vec<Group> = places
        .units
        .iter()
        .map(|&units| Group {
            kind: GroupKind::Hidden,
            name: String::new(),
            units,
            members: vec![],
            activations: vec![],
            in_products: false,
            frozen: None,
        })
        .collect();
    for &(atom, kind) in &walk.kinds {
        if let GroupKind::Input(input) = kind {
            let group = &mut groups[places.of[atom.0].0];
            group.name.clone_from(&graph.value(input).name);
            group.kind = kind;
        }
    }
    // Positions of one axis that belong to two units of a group, such as those of a matrix times itself turned, in one row.
    let mut twice = vec![];
    for value in graph.value_ids() {
        for channels in walk.channels(value) {
            for (index, unit_of) in places.split(&channels.atoms) {
                let group = &mut groups[index];
                if group.name.is_empty() {
                    let producer = graph.producer(value).map(|n| &graph.node(n).name);
                    let name = producer.unwrap_or(&graph.value(value).name);
                    group.name.clone_from(name);
                }
                let activation = Activation {
                    value,
                    axis: channels.axis,
                    unit_of,
                };
                let is_there = |a: &&Activation| (a.value, a.axis) == (value, channels.axis);
                let before = group.activations.iter().rev().find(is_there);
                if before.is_some_and(|before| *before != activation) {
                    twice.push((index, value));
                }
                group.activations.push(activation);
            }
        }
    }
    tell_apart(&mut groups);
    let holders = hold(&mut groups, &walk.claims, &places);
    let freeze = |group: &mut Group, why: &Freeze| {
        group.frozen.get_or_insert_with(|| why.clone());
    };
    for (index, value) in twice {
        let why = Freeze {
            node: graph.value(value).name.clone(),
            reason: "lies twice on one axis".into(),
        };
        freeze(&mut groups[index], &why);
    }
    for (atoms, why) in &walk.frozen {
        for (index, _) in places.split(atoms) {
            freeze(&mut groups[index], why);
        }
    }
    for pin in &walk.pins {
        let is_pinned = |axis: usize| pin.axis.is_none_or(|pinned| pinned == axis);
        let behind = walk.behind.iter();
        for (_, _, atoms) in behind.filter(|(t, axis, _)| *t == pin.tensor && is_pinned(*axis)) {
            for (index, _) in places.split(atoms) {
                freeze(&mut groups[index], &pin.freeze);
            }
        }
        for &(index, at) in holders.get(&pin.tensor).into_iter().flatten() {
            let group = &mut groups[index];
            if is_pinned(group.members[at].axis) {
                freeze(group, &pin.freeze);
            }
        }
    }
    for (atoms, why) in &walk.summed {
        for (index, _) in places.split(atoms) {
            let group = &mut groups[index];
            let is_known = std::mem::replace(&mut group.in_products, true);
            if is_known || group.frozen.is_some() {
                continue;
            }
            if let Some(by) = broken_by(graph, group) {
                let reason = format!(
                    "{}, and is not zero behind {by} where it is made of zeros",
                    why.reason
                );
                group.frozen = Some(Freeze {
                    reason,
                    ..why.clone()
                });
            }
        }
    }
    for (index, tensor) in ties(&walk.claims, &places) {
        let why = Freeze {
            node: graph.value(tensor).name.clone(),
            reason: "shares elements of a tensor with another unit".into(),
        };
        freeze(&mut groups[index], &why);
    }
    groups
}

/// Groups that hold slices of a tensor, with the places among their members.
type Holders = HashMap<ValueId, Vec<(usize, usize)>>;

/// Gives groups their members, each once, and tells where those of a tensor are.
fn hold(groups: &mut [Group], claims: &[Claim], places: &Places) -> Holders {
    let mut holders = Holders::new();
    for claim in claims {
        for (index, unit_of) in places.split(&claim.atoms) {
            let member = Member {
                tensor: claim.tensor,
                axis: claim.axis,
                role: claim.role,
                unit_of,
            };
            let members = &mut groups[index].members;
            let held = holders.entry(claim.tensor).or_default();
            if !held
                .iter()
                .any(|&(i, at)| i == index && members[at] == member)
            {
                held.push((index, members.len()));
                members.push(member);
            }
        }
    }
    holders
}

/// Numbers the factors of an axis, which are named after the same node.
fn tell_apart(groups: &mut [Group]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for group in groups {
        let count = seen.entry(group.name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            group.name += &format!("#{count}");
        }
    }
}

/// Groups that one node reads a tensor for along an axis while another node reads it along other axes, with the tensor: an
/// element is then read for two units in two places. (Units that claim the same slices were made the same ones on the walk,
/// and one node may read along several axes, such as heads and their dimensions.)
fn ties(claims: &[Claim], places: &Places) -> Vec<(usize, ValueId)> {
    let mut axes: BTreeMap<(ValueId, Option<NodeId>), BTreeSet<usize>> = BTreeMap::new();
    let reads = || claims.iter().filter(|claim| claim.role == Role::Reads);
    for claim in reads() {
        axes.entry((claim.tensor, claim.node))
            .or_default()
            .insert(claim.axis);
    }
    let mut by_tensor: BTreeMap<ValueId, BTreeSet<&BTreeSet<usize>>> = BTreeMap::new();
    for ((tensor, _), read) in &axes {
        by_tensor.entry(*tensor).or_default().insert(read);
    }
    let mut tied = vec![];
    for claim in reads().filter(|claim| by_tensor[&claim.tensor].len() > 1) {
        for atom in &claim.atoms {
            tied.push((places.of[atom.0].0, claim.tensor));
        }
    }
    tied.dedup();
    tied
}

/// The group and unit of every atom.
struct Places {
    of: Vec<(usize, u32)>,
    units: Vec<usize>,
}

impl Places {
    fn of(walk: &mut Walk<'_>) -> Self {
        let atoms = walk.units.len();
        // Units that meet nothing but a constant are those of a branch alone, and others than those that meet a second
        // branch: the two kinds cannot take each other's place.
        let filled: HashSet<usize> = walk.filled.iter().map(|&a| walk.units.root(a)).collect();
        // By the root of a set, which is its first atom.
        let mut group_at: [Vec<Option<usize>>; 2] = [vec![None; atoms], vec![None; atoms]];
        let mut unit_at: Vec<Option<u32>> = vec![None; atoms];
        let mut units: Vec<usize> = vec![];
        let mut of = Vec::with_capacity(atoms);
        for atom in (0..atoms).map(Atom) {
            let unit_root = walk.units.root(atom);
            let kind = usize::from(filled.contains(&unit_root));
            let group = *group_at[kind][walk.groups.root(atom)].get_or_insert_with(|| {
                units.push(0);
                units.len() - 1
            });
            let unit = *unit_at[unit_root].get_or_insert_with(|| {
                units[group] += 1;
                units[group] as u32 - 1
            });
            of.push((group, unit));
        }
        Self { of, units }
    }

    /// The index map of each group that has a part in `atoms`.
    fn split(&self, atoms: &[Atom]) -> BTreeMap<usize, Vec<Option<u32>>> {
        let mut maps = BTreeMap::new();
        for (position, atom) in atoms.iter().enumerate() {
            let (group, unit) = self.of[atom.0];
            let map = maps.entry(group).or_insert_with(|| vec![None; atoms.len()]);
            map[position] = Some(unit);
        }
        maps
    }
}
