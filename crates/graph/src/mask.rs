//! The same network without the units that go, at the same shape: what a shrunk network is compared with.

use crate::{ChannelGroups, Data, Graph, Keep, Member, Result, Role, Tensor, ValueId};

/// Sets exactly the reading slices of dropped units to 0.0, and all slices of units that products of activations sum over.
///
/// # Errors
/// If `keep` was made for other groups.
pub fn mask(graph: &Graph, groups: &ChannelGroups, keep: &Keep) -> Result<Graph> {
    keep.check(groups)?;
    let mut masked = graph.clone();
    for (id, group) in groups.iter() {
        let silenced = |member: &&Member| group.in_products || member.role == Role::Reads;
        for member in group.members.iter().filter(silenced) {
            let dropped = |position: usize| {
                member.unit_of[position].is_some_and(|unit| !keep.keeps(id, unit as usize))
            };
            if (0..member.unit_of.len()).any(dropped) {
                zero(&mut masked, member.tensor, member.axis, dropped)?;
            }
        }
    }
    Ok(masked)
}

/// Sets slices of a constant along an axis to 0.0.
pub(crate) fn zero(
    graph: &mut Graph,
    tensor: ValueId,
    axis: usize,
    dropped: impl Fn(usize) -> bool,
) -> Result<()> {
    match graph.constant(tensor).map(|t| t.zeroed(axis, dropped)) {
        Some(zeroed) => graph.set_constant(tensor, zeroed),
        None => Ok(()),
    }
}

impl Tensor {
    /// A copy with the slices at `positions` of an axis set to 0.0; whole numbers stay as they are.
    pub(crate) fn zeroed(&self, axis: usize, dropped: impl Fn(usize) -> bool) -> Self {
        let mut copy = self.clone();
        let length = self.shape()[axis];
        let inner: usize = self.shape()[axis + 1..].iter().product();
        match &mut copy.data {
            Data::F32(values) => clear(values, inner, length, dropped),
            // Bytes that are all 0 are the number 0.0 in every type of floats.
            Data::Raw(element, bytes) if element.is_float() => {
                clear(bytes, inner * element.width(), length, dropped);
            }
            Data::I64(_) | Data::Raw(..) => {}
        }
        copy
    }
}

fn clear<T: Default + Clone>(
    all: &mut [T],
    inner: usize,
    length: usize,
    dropped: impl Fn(usize) -> bool,
) {
    for (slice, values) in all.chunks_exact_mut(inner.max(1)).enumerate() {
        if dropped(slice % length) {
            values.fill(T::default());
        }
    }
}
