//! The end of reading: which gradients are wanted, and where everything lies.

use secateur_graph::ValueId;

use super::{Mode, Reader};
use crate::network::buffers::{Kept, assign};
use crate::network::plan::{Plan, segments};
use crate::network::step::Step;
use crate::{Error, Result};

impl Reader<'_> {
    /// Decides which gradients are wanted, and where everything lies. Where values are kept, the way back may be gone again.
    pub(super) fn finish(
        mut self,
        (inputs, outputs): (Vec<usize>, Vec<usize>),
        taps: &[ValueId],
        keeps: bool,
    ) -> Result<Plan> {
        if self.steps.is_empty() {
            return Err(Error::invalid("the network has no layer").hint("add a layer with weights"));
        }
        let trains = self.mode == Mode::Train;
        // Whether a place has a gradient, and whether some of it is there already.
        let mut begun = vec![false; self.places.len()];
        outputs.iter().for_each(|&output| begun[output] = true);
        for s in (0..self.steps.len()).rev().filter(|_| trains) {
            let planned = &mut self.steps[s];
            if !begun[planned.y] {
                // Nothing comes back to it; statistics are measured all the same.
                planned.is_trained &= matches!(planned.step, Step::Statistics(_));
                continue;
            }
            for k in 0..planned.x.len() {
                let x = planned.x[k];
                let waits = matches!(planned.step, Step::Normalise(_)) && k == 0;
                let differs = planned.step.work().differentiates(k);
                if self.places[x].is_trained && differs && !waits {
                    planned.gradients[k] = Some(std::mem::replace(&mut begun[x], true));
                }
            }
        }
        let notes = self.told();
        let count = self.steps.len();
        let forward = segments(&self.steps, 0..count, |s| trains && s.meets_forward());
        let backward = match trains {
            true => segments(&self.steps, (0..count).rev(), Step::meets_backward),
            false => vec![],
        };
        let taps = taps.iter().filter_map(|id| Some((*id, *self.at.get(id)?)));
        let taps: Vec<(ValueId, usize)> = taps.collect();
        let tapped: Vec<usize> = taps.iter().map(|(_, place)| *place).collect();
        let kept = Kept {
            inputs: &inputs,
            outputs: &outputs,
            taps: &tapped,
            values: keeps,
        };
        let buffers = assign(&self.steps, &mut self.places, kept, &forward, &backward);
        let scratch = self.steps.iter().map(|p| p.step.work().scratch()).max();
        Ok(Plan {
            steps: self.steps,
            places: self.places,
            buffers,
            states: self.states,
            forward,
            backward,
            at: self.at,
            inputs,
            outputs,
            taps,
            scratch: scratch.unwrap_or(0),
            notes,
        })
    }
}
