//! Which steps go back from some seeds.

use super::plan::{Plan, Planned};

/// The steps of a way back that begins at some outputs and taps, and ends at others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Back {
    /// What it was found for: outputs that are seeded, places at which it stops.
    of: Option<(Vec<bool>, Vec<usize>)>,
    /// By step: whether it goes back, and for each input whether its gradient is wanted and added to what is there.
    steps: Vec<(bool, Vec<Option<bool>>)>,
    /// By place, whether a gradient comes there.
    reached: Vec<bool>,
}

impl Back {
    /// Finds the way, unless it is the one that was found last.
    pub(super) fn find(&mut self, plan: &Plan, seeded: &[bool], stops: &[usize]) {
        let is_same = |(own, ends): &(Vec<bool>, Vec<usize>)| own == seeded && ends == stops;
        if self.of.as_ref().is_some_and(is_same) {
            return;
        }
        let mut reached = vec![false; plan.places.len()];
        for (&output, _) in plan.outputs.iter().zip(seeded).filter(|(_, s)| **s) {
            reached[output] = true;
        }
        let mut steps = vec![(false, vec![]); plan.steps.len()];
        for (planned, own) in plan.steps.iter().zip(&mut steps).rev() {
            let goes = reached[planned.y] && !stops.contains(&planned.y);
            let wanted = planned.x.iter().zip(&planned.gradients);
            let gradients = wanted.map(|(&x, wanted)| {
                (goes && wanted.is_some()).then(|| std::mem::replace(&mut reached[x], true))
            });
            *own = (goes, gradients.collect());
        }
        self.of = Some((seeded.to_vec(), stops.to_vec()));
        self.steps = steps;
        self.reached = reached;
    }

    /// Whether a gradient came to a place.
    pub(super) fn is_reached(&self, place: usize) -> bool {
        self.reached.get(place).copied().unwrap_or(false)
    }

    /// For each input of a step whether its gradient is wanted and added to what is there; none where the step does not go back.
    pub(super) fn step(&self, s: usize, planned: &Planned) -> Option<&[Option<bool>]> {
        let (goes, gradients) = self.steps.get(s)?;
        let is_needed = planned.is_trained || gradients.iter().any(Option::is_some);
        (*goes && is_needed).then_some(gradients)
    }
}
