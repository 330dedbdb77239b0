//! How much memory a repair takes, and what of it is left for activations.

use secateur_graph::{Graph, at_lengths};
use secateur_prune::repair::held_bytes;

use super::inputs::RepairInputs;
use crate::memory::machine_memory;
use crate::model::ModelFile;
use crate::report::resident_memory;
use crate::{Error, ErrorKind, Result};

/// Bytes of activations that are held at once, where nothing else is said.
pub(super) const MEMORY: u64 = 8 << 30;
/// How often the weights are there at once: those of the file, of the networks that may be the repaired one, as the file is written, and
/// as runtime and evaluator hold them.
const COPIES: u64 = 8;

impl RepairInputs {
    /// The same, repaired on with no more than `memory` bytes for the process; without it, activations take half of the machine's at most.
    ///
    /// # Errors
    /// If that is not enough, whatever is made anew, or the inputs do not fit the model.
    pub fn within(mut self, file: &ModelFile, memory: Option<u64>) -> Result<Self> {
        let Some(memory) = memory else {
            self.memory = machine_memory().map_or(MEMORY, |all| MEMORY.min(all / 2));
            return Ok(self);
        };
        let all = [&self.fit, &self.choose, &self.test];
        let batches = all.iter().map(|batches| batches.len()).sum();
        let first = self.fit.first().into_iter().flatten();
        let shapes: Vec<Vec<usize>> = first.map(|x| x.shape.clone()).collect();
        let graph =
            at_lengths(file.graph(), &shapes).map_err(|e| Error::from(e).or_at(&file.name))?;
        let held = held_bytes(&graph, &file.groups, self.effort(), batches);
        let needed = needed(resident_memory(), weight_bytes(file.graph()), held);
        let Some(left) = memory.checked_sub(needed) else {
            let message = format!(
                "repairing takes about {} MB at least",
                needed.div_ceil(1_000_000)
            );
            return Err(Error::new(ErrorKind::OutOfReach, message)
                .at("--memory")
                .hint("allow more memory, or take fewer inputs: --rows 200"));
        };
        self.memory = left;
        Ok(self)
    }
}

fn weight_bytes(graph: &Graph) -> u64 {
    let constants = graph.values().iter().filter_map(|v| v.constant.as_deref());
    constants.map(|tensor| 4 * tensor.len() as u64).sum()
}

/// The bytes that a process takes that holds so many now, weights of so many, and what a repair holds.
fn needed(resident: u64, weights: u64, held: u64) -> u64 {
    resident + COPIES * weights + held
}

#[cfg(test)]
mod tests {
    use secateur_graph::Unary;
    use secateur_testkit::mlp;

    use super::*;

    #[test]
    fn what_is_needed_is_what_is_held_now_and_what_comes() {
        assert_eq!(needed(1000, 10, 1), 1000 + 8 * 10 + 1);
        // Three weights and a bias to each of four units, five to each of two.
        let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
        assert_eq!(weight_bytes(&graph), 4 * (16 + 10));
    }
}
