//! Which units stay? The decision that [`mask()`](crate::mask()) and [`shrink()`](crate::shrink()) carry out.

use crate::groups::{Freeze, Group, GroupKind};
use crate::{ChannelGroups, Error, ErrorKind, Graph, GroupId, Result, Role};

/// One decision for every unit of every group; at least one unit stays in each but those that were [emptied](Keep::empty).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    groups: Vec<Decision>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    name: String,
    is_input: bool,
    frozen: Option<Freeze>,
    kept: Vec<bool>,
}

impl Keep {
    /// Keeps everything.
    pub fn all(groups: &ChannelGroups) -> Self {
        let decision = |group: &Group| Decision {
            name: group.name.clone(),
            is_input: group.kind != GroupKind::Hidden,
            frozen: group.frozen.clone(),
            kept: vec![true; group.units],
        };
        Self {
            groups: groups.groups().iter().map(decision).collect(),
        }
    }

    /// Drops the units whose reading slices are all exactly 0.0, so that removal changes nothing of the
    /// function. Of a group, at least `floor` units stay (and one, if `floor` is 0), the first ones where too
    /// few are read; and one wherever an axis would be left without positions.
    pub fn unread(graph: &Graph, groups: &ChannelGroups, floor: usize) -> Self {
        let mut keep = Self::all(groups);
        for (decision, group) in keep.groups.iter_mut().zip(groups.groups()) {
            // Products read units without weights.
            if group.frozen.is_none() && !group.in_products {
                decision.kept = read_units(graph, group);
                fill(&mut decision.kept, group, floor.max(1));
            }
        }
        keep
    }

    /// Decides that a unit goes.
    ///
    /// # Errors
    /// If the group is frozen (the message gives the reason), the unit does not exist, or it is the last.
    pub fn drop(&mut self, group: GroupId, unit: usize) -> Result<()> {
        let Some(decision) = self.groups.get_mut(group.index()) else {
            return Err(Error::new(ErrorKind::Keep, "there is no such group"));
        };
        let fail = |message: String| Err(Error::new(ErrorKind::Keep, message).at(&decision.name));
        if let Some(freeze) = &decision.frozen {
            return fail(format!("cannot lose units, as it {freeze}"));
        }
        match decision.kept.get(unit) {
            None => fail(format!("has no unit {unit}, only {}", decision.kept.len())),
            Some(true) if decision.kept.iter().filter(|&&k| k).count() == 1 => {
                fail(format!("would lose its last unit, {unit}"))
            }
            Some(_) => {
                decision.kept[unit] = false;
                Ok(())
            }
        }
    }

    /// Decides that all units of a group go, and with them the branch that they are. Shrinking then fails where no other
    /// branch stands beside it.
    ///
    /// # Errors
    /// If the group is frozen (the message gives the reason), or holds the features of an input.
    pub fn empty(&mut self, group: GroupId) -> Result<()> {
        let Some(decision) = self.groups.get_mut(group.index()) else {
            return Err(Error::new(ErrorKind::Keep, "there is no such group"));
        };
        let why = match &decision.frozen {
            Some(freeze) => freeze.to_string(),
            None if decision.is_input => "holds the features of an input".into(),
            None => {
                decision.kept.fill(false);
                return Ok(());
            }
        };
        Err(Error::new(
            ErrorKind::Keep,
            format!("cannot lose all units, as it {why}"),
        )
        .at(&decision.name))
    }

    /// Whether a unit can go without an axis, of a constant or an activation, losing all that it holds of the group.
    pub fn can_drop(&self, groups: &ChannelGroups, group: GroupId, unit: usize) -> bool {
        let kept = &self.groups[group.index()].kept;
        groups.group(group).axes().all(|(_, _, unit_of)| {
            let mut units = unit_of.iter().flatten().map(|&u| u as usize);
            !units.clone().any(|u| u == unit) || units.any(|u| u != unit && kept[u])
        })
    }

    /// Decides that all units of a group stay after all.
    pub fn restore(&mut self, group: GroupId) {
        self.groups[group.index()].kept.fill(true);
    }

    /// Decides that a unit stays after all.
    pub fn take_back(&mut self, group: GroupId, unit: usize) {
        self.groups[group.index()].kept[unit] = true;
    }

    /// Takes back units of each group, the first ones, until a multiple of `multiple` stay, or all that there are.
    pub fn round_up(&mut self, multiple: usize) {
        for decision in &mut self.groups {
            let kept = decision.kept.iter().filter(|&&k| k).count();
            let missing = kept.next_multiple_of(multiple.max(1)) - kept;
            let dropped = decision.kept.iter_mut().filter(|k| !**k);
            dropped.take(missing).for_each(|k| *k = true);
        }
    }

    /// The units of a group that stay, in order.
    pub fn kept(&self, group: GroupId) -> Vec<usize> {
        let kept = &self.groups[group.index()].kept;
        (0..kept.len()).filter(|&unit| kept[unit]).collect()
    }

    /// Whether a unit stays.
    pub fn keeps(&self, group: GroupId, unit: usize) -> bool {
        self.groups[group.index()].kept[unit]
    }

    /// How many units of a group stay.
    pub fn count(&self, group: GroupId) -> usize {
        let kept = &self.groups[group.index()].kept;
        kept.iter().filter(|&&k| k).count()
    }

    /// Whether nothing goes.
    pub fn is_all(&self) -> bool {
        self.groups.iter().all(|g| g.kept.iter().all(|&k| k))
    }

    /// Checks that the decision was made for these groups.
    pub(crate) fn check(&self, groups: &ChannelGroups) -> Result<()> {
        let own = self.groups.iter().map(|g| (&g.name, g.kept.len()));
        if own.eq(groups.groups().iter().map(|g| (&g.name, g.units))) {
            Ok(())
        } else {
            let message = "the decision was made for other groups than these";
            Err(Error::new(ErrorKind::Keep, message)
                .hint("make the Keep from the same ChannelGroups"))
        }
    }
}

/// Whether each unit has a reading element other than 0.0.
fn read_units(graph: &Graph, group: &Group) -> Vec<bool> {
    let mut read = vec![false; group.units];
    for member in group.members.iter().filter(|m| m.role == Role::Reads) {
        let Some(tensor) = graph.constant(member.tensor) else {
            continue;
        };
        let Some(values) = tensor.as_f32() else {
            // Of another type: nobody looks whether they are 0.
            let units = member.unit_of.iter().flatten();
            units.for_each(|&unit| read[unit as usize] = true);
            continue;
        };
        let inner: usize = tensor.shape()[member.axis + 1..].iter().product();
        let slices = values.chunks_exact(inner.max(1));
        for (slice, unit) in slices.zip(member.unit_of.iter().cycle()) {
            if let Some(unit) = *unit
                && slice.iter().any(|&w| w != 0.0)
            {
                read[unit as usize] = true;
            }
        }
    }
    read
}

/// Takes back units until `floor` stay, and until no axis loses all positions that the group has on it.
fn fill(kept: &mut [bool], group: &Group, floor: usize) {
    let mut missing = floor.saturating_sub(kept.iter().filter(|&&k| k).count());
    for unit in kept.iter_mut().filter(|k| !**k) {
        if missing == 0 {
            break;
        }
        *unit = true;
        missing -= 1;
    }
    let members = group.members.iter().map(|m| &m.unit_of);
    for unit_of in members.chain(group.activations.iter().map(|a| &a.unit_of)) {
        let mut units = unit_of.iter().flatten().map(|&u| u as usize);
        if let Some(first) = units.next()
            && !kept[first]
            && !units.any(|u| kept[u])
        {
            kept[first] = true;
        }
    }
}
