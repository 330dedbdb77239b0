//! What latencies were measured on, and what else went on there.

use serde::{Deserialize, Serialize};

/// Above this load average for each thread of the machine, others take a part of it that shows.
const HIGH_LOAD: f64 = 0.25;

/// The machine, as it was before the first call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Threads that it runs at once.
    pub threads: usize,
    /// Widest instruction set that the engine uses.
    pub instruction_set: String,
    /// Processes that wanted to run, in the mean of the minute before; none where the system does not tell.
    pub load: Option<f64>,
}

impl Machine {
    pub(super) fn now() -> Self {
        let told = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            instruction_set: secateur_engine::instruction_set().to_owned(),
            load: told.as_deref().and_then(first_number),
        }
    }

    /// What makes latencies measured on `threads` threads doubtful, a sentence each.
    pub(super) fn warnings(&self, threads: &[usize]) -> Vec<String> {
        let mut warnings = vec![];
        let own = self.threads;
        if let Some(load) = self.load.filter(|load| *load > HIGH_LOAD * own as f64) {
            warnings.push(format!(
                "the load average was {load:.2} on {own} threads: others were at work, so that calls took longer and spread more"
            ));
        }
        if let Some(most) = threads.iter().filter(|n| **n > own).max() {
            warnings.push(format!(
                "{most} threads share the {own} that the machine runs at once"
            ));
        }
        warnings
    }
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_high_load_and_too_many_threads_are_warned_of() {
        let machine = |load| Machine {
            threads: 4,
            instruction_set: String::new(),
            load,
        };
        let warned = |load, threads: &[usize]| machine(load).warnings(threads).join("; ");
        assert_eq!(warned(None, &[1, 4]), "");
        assert_eq!(warned(Some(1.0), &[1]), "");
        assert!(warned(Some(1.5), &[1]).starts_with("the load average was 1.50 on 4 threads"));
        assert_eq!(
            warned(None, &[1, 8, 5]),
            "8 threads share the 4 that the machine runs at once"
        );
    }

    #[test]
    fn the_load_is_the_first_number_that_the_system_tells() {
        assert_eq!(first_number("0.52 0.41 0.30 1/313 4242\n"), Some(0.52));
        assert_eq!(first_number(""), None);
        assert!(Machine::now().threads > 0);
    }
}
