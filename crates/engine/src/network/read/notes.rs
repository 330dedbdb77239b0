//! What has no derivative, and which parameters stay as they are for it.

use super::{Mode, Reader};
use crate::network::ParameterKind;

impl Reader<'_> {
    /// A sentence for each step without a derivative that keeps parameters from being trained: those that reach the output
    /// through such steps only.
    pub(super) fn told(&self) -> Vec<String> {
        if self.mode != Mode::Train {
            return vec![];
        }
        let mut is_trained = vec![false; self.parameters.len()];
        for planned in self.steps.iter().filter(|p| p.is_trained) {
            for parameter in planned.step.work().parameters() {
                is_trained[parameter] = true;
            }
        }
        let mut notes = vec![];
        for (step, name) in &self.notes {
            let mut before = self.before(*step);
            before.retain(|&p| !is_trained[p] && self.parameters[p].kind != ParameterKind::Running);
            let what = match before.len() {
                0 => continue,
                1 => "tensor before it stays as it is".to_owned(),
                count => format!("{count} tensors before it stay as they are"),
            };
            notes.push(format!("{name} has no derivative: the {what}"));
        }
        notes
    }

    /// The parameters of all steps that a step depends on.
    fn before(&self, step: usize) -> Vec<usize> {
        let mut is_read = vec![false; self.places.len()];
        self.steps[step].x.iter().for_each(|&p| is_read[p] = true);
        let mut parameters = vec![];
        for planned in self.steps[..step].iter().rev() {
            if is_read[planned.y] {
                planned.x.iter().for_each(|&p| is_read[p] = true);
                parameters.extend(planned.step.work().parameters());
            }
        }
        parameters.sort_unstable();
        parameters.dedup();
        parameters
    }
}
