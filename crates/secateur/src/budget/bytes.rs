//! How large can the file of a network still become?

use secateur_engine::Chain;
use secateur_graph::{Dim, Graph, Op};

use crate::Result;
use crate::job::Job;

/// Bytes of a node that selects inputs, but for its list of them: names, and what says where they begin.
const SELECTION: u64 = 256;
/// Bytes of a place in that list.
const PLACE: u64 = 8;
/// Bytes of a weight.
const WEIGHT: u64 = 4;

impl Job {
    /// Bytes of the file that a network would be written as, or any that comes of it as more of its units die.
    ///
    /// A file shrinks with every unit but for one case: where the first input goes, the file lists all that stay.
    ///
    /// # Errors
    /// If the network cannot be written.
    pub(crate) fn largest_file(&self, core: &Graph) -> Result<u64> {
        Ok(self.file_size(core)? + selection_to_come(core))
    }
}

/// What the file grows by at most when its first input goes, in bytes: the list of the others, less the weights of that input.
fn selection_to_come(core: &Graph) -> u64 {
    let is_selected = |input| {
        let mut readers = core.readers(input).iter();
        readers.any(|&id| matches!(core.node(id).op, Op::Gather { axis: 1 }))
    };
    let input = core.inputs().first().copied();
    let Some(input) = input.filter(|&i| !is_selected(i)) else {
        return 0;
    };
    // Only chains lose inputs.
    if Chain::compile(core, 1, 0, 1).is_err() {
        return 0;
    }
    let width = core.value(input).shape.as_deref().unwrap_or_default();
    let inputs = width.get(1).and_then(Dim::fixed).unwrap_or(0) as u64;
    // Weights of one input: those that its first reader has, by outputs.
    let outputs = core.readers(input).first().map_or(0, |&id| {
        let weights = core.node(id).inputs.iter().flatten();
        let sizes = weights.filter_map(|&w| Some(core.constant(w)?.len() as u64));
        sizes.max().unwrap_or(0) / inputs.max(1)
    });
    (PLACE * inputs.saturating_sub(1) + SELECTION).saturating_sub(WEIGHT * outputs)
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ChannelGroups, GroupKind, Keep, ModelMeta, Unary, shrink};
    use secateur_testkit::mlp;

    use super::*;
    use crate::verify::serialise;

    #[test]
    fn what_is_to_come_is_the_list_less_the_weights_of_an_input() {
        for (widths, bytes) in [
            ([20, 3, 2], 8 * 19 + 256 - 4 * 3),
            ([20, 90, 2], 8 * 19 + 256 - 4 * 90),
            ([300, 2, 2], 8 * 299 + 256 - 4 * 2),
            ([20, 200, 2], 0),
        ] {
            let graph = mlp(&widths, Unary::Relu, 1).unwrap();
            assert_eq!(selection_to_come(&graph), bytes, "{widths:?}");
        }
    }

    #[test]
    fn a_file_that_loses_inputs_is_never_larger_than_foreseen() {
        for widths in [[20, 3, 2], [20, 90, 2], [300, 2, 2]] {
            let graph = mlp(&widths, Unary::Relu, 1).unwrap();
            let size =
                |graph: &Graph| serialise(graph, &ModelMeta::default()).unwrap().len() as u64;
            let foreseen = size(&graph) + selection_to_come(&graph);
            let groups = ChannelGroups::of(&graph).unwrap();
            let input = groups
                .iter()
                .find(|(_, g)| matches!(g.kind, GroupKind::Input(_)));
            let (id, _) = input.unwrap();
            let mut keep = Keep::all(&groups);
            let mut largest = 0;
            for unit in 0..widths[0] - 1 {
                keep.drop(id, unit).unwrap();
                let small = shrink(&graph, &groups, &keep).unwrap().graph;
                assert_eq!(selection_to_come(&small), 0);
                largest = largest.max(size(&small));
            }
            assert!(largest <= foreseen, "{widths:?}: {largest} of {foreseen}");
            // Narrow layers grow, so that there is something to foresee.
            assert_eq!(largest > size(&graph), widths[1] < 90, "{widths:?}");
        }
    }
}
