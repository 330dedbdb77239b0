//! Groups in words, for people and for snapshots.

use std::fmt;

use crate::groups::{ChannelGroups, Freeze, Group, GroupKind, Role};

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at '{}')", self.reason, self.node)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::Produces => "produces",
            Role::Reads => "reads",
            Role::Carries => "carries",
        })
    }
}

impl fmt::Display for ChannelGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in self.groups() {
            self.write(group, f)?;
        }
        Ok(())
    }
}

impl ChannelGroups {
    fn write(&self, group: &Group, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match group.kind {
            GroupKind::Input(_) => "input",
            GroupKind::Hidden => "hidden",
        };
        let plural = if group.units == 1 { "" } else { "s" };
        write!(f, "{kind} {}: {} unit{plural}", group.name, group.units)?;
        if let Some(freeze) = &group.frozen {
            write!(f, ", frozen as it {freeze}")?;
        }
        writeln!(f)?;
        for member in &group.members {
            let (tensor, axis) = (&self.names[member.tensor.index()], member.axis);
            write!(f, "  {:8} {tensor} axis {axis}", member.role)?;
            writeln!(f, "{}", index_map(&member.unit_of))?;
        }
        for held in &group.activations {
            let (value, axis) = (&self.names[held.value.index()], held.axis);
            write!(f, "  flows in {value} axis {axis}")?;
            writeln!(f, "{}", index_map(&held.unit_of))?;
        }
        Ok(())
    }
}

/// The units at each position, unless they simply count up.
fn index_map(unit_of: &[Option<u32>]) -> String {
    let counts_up = unit_of
        .iter()
        .enumerate()
        .all(|(p, u)| *u == Some(p as u32));
    if counts_up {
        return String::new();
    }
    let unit = |u: &Option<u32>| u.map_or("-".into(), |u| u.to_string());
    let units: Vec<String> = unit_of.iter().map(unit).collect();
    format!(" [{}]", units.join(" "))
}
