//! The numbers of a tensor that belong to each unit.

use secateur_graph::{Graph, Member};

/// Calls `work` with every unit that lies on the axis of a member and each stretch of its numbers; with none where the tensor is computed.
pub(super) fn each(graph: &Graph, member: &Member, mut work: impl FnMut(usize, &[f64])) {
    let Some(tensor) = graph.constant(member.tensor) else {
        return;
    };
    let inner: usize = tensor.shape()[member.axis + 1..].iter().product();
    let numbers = tensor.numbers();
    let slices = numbers.chunks_exact(inner.max(1));
    for (slice, unit) in slices.zip(member.unit_of.iter().cycle()) {
        if let Some(unit) = *unit {
            work(unit as usize, slice);
        }
    }
}
