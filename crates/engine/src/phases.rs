//! How long each part of training took.

use std::time::Duration;

/// Wall time by phase, summed over all steps since the network was compiled.
///
/// Where threads work on different phases at once, the wall time is divided in proportion to the time
/// that the threads spent in each.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phases {
    /// Seconds in layer outputs, activations included.
    pub forward: f64,
    /// Seconds in the loss and in activation gradients.
    pub backward: f64,
    /// Seconds in weight and bias gradients, momentum included where it is fused.
    pub weight_gradient: f64,
    /// Seconds in the caller's update, the penalty not included.
    pub update: f64,
    /// Seconds that the caller's update said to have spent on the penalty.
    pub penalty: f64,
}

impl Phases {
    /// The sum of all phases, in seconds.
    pub fn total(&self) -> f64 {
        self.forward + self.backward + self.weight_gradient + self.update + self.penalty
    }

    /// Adds `wall`, divided in proportion to `busy`, the time that all threads together spent.
    pub(crate) fn add(&mut self, wall: Duration, busy: &Phases) {
        let total = busy.total();
        if total > 0.0 {
            let share = wall.as_secs_f64() / total;
            self.forward += share * busy.forward;
            self.backward += share * busy.backward;
            self.weight_gradient += share * busy.weight_gradient;
            self.update += share * busy.update;
            self.penalty += share * busy.penalty;
        }
    }

    pub(crate) fn plus(self, other: Phases) -> Phases {
        Phases {
            forward: self.forward + other.forward,
            backward: self.backward + other.backward,
            weight_gradient: self.weight_gradient + other.weight_gradient,
            update: self.update + other.update,
            penalty: self.penalty + other.penalty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_divided_in_proportion() {
        let one = Phases {
            forward: 3.0,
            ..Phases::default()
        };
        let two = Phases {
            backward: 1.0,
            ..Phases::default()
        };
        let mut phases = Phases::default();
        phases.add(Duration::from_secs(2), &one.plus(two));
        assert_eq!((phases.forward, phases.backward), (1.5, 0.5));
        assert_eq!(phases.total(), 2.0);
        phases.add(Duration::from_secs(2), &Phases::default());
        assert_eq!(phases.total(), 2.0);
    }
}
