//! Finds the strength at which a run ends with a given number of MACs.

/// A run ends near enough at a ratio of MACs within this of 1.
const NEAR: f64 = 0.05;
/// A run this far away is no match.
const FAR: f64 = 0.10;
/// Runs before the nearest is taken.
const MOST: usize = 7;
/// A strength is changed by at most this factor from one run to the next.
const LEAP: f64 = 10.0;

/// The search for one strength: MACs fall as lambda rises, roughly as a power of it.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    wanted: f64,
    /// Lambda and MACs of every run, in order.
    runs: Vec<(f64, f64)>,
}

impl Search {
    pub(crate) fn new(wanted: u64) -> Self {
        Self {
            wanted: (wanted as f64).max(1.0),
            runs: vec![],
        }
    }

    /// Notes what a run came to.
    pub(crate) fn note(&mut self, lambda: f64, macs: u64) {
        self.runs.push((lambda, (macs as f64).max(1.0)));
    }

    /// The lambda to try next; none once a run is near enough or there were enough of them.
    pub(crate) fn next(&self) -> Option<f64> {
        let &(last, macs) = self.runs.last()?;
        if self.runs.len() >= MOST || self.error(self.nearest()?) <= (1.0 + NEAR).ln() {
            return None;
        }
        // The mildest that left too little, and the strongest that left too much.
        let mut mild: Option<(f64, f64)> = None;
        let mut strong: Option<(f64, f64)> = None;
        for &(lambda, macs) in &self.runs {
            if macs > self.wanted && mild.is_none_or(|(l, _)| lambda > l) {
                mild = Some((lambda, macs));
            }
            if macs <= self.wanted && strong.is_none_or(|(l, _)| lambda < l) {
                strong = Some((lambda, macs));
            }
        }
        let next = match (mild, strong) {
            (Some((l0, m0)), Some((l1, m1))) if l0 < l1 => {
                let along = (m0 / self.wanted).ln() / (m0 / m1).ln();
                // Away from the ends, or a bracket that is wrong at one end is never left.
                (l0.ln() + along.clamp(0.1, 0.9) * (l1 / l0).ln()).exp()
            }
            // Not monotonic here: between the two all the same.
            (Some((l0, _)), Some((l1, _))) => (l0 * l1).sqrt(),
            _ => last * ((macs / self.wanted).powf(1.0 / self.power())).clamp(1.0 / LEAP, LEAP),
        };
        (next.is_finite() && next > 0.0).then_some(next)
    }

    /// By which power of lambda the MACs fell between the last two runs; 1 before there are two.
    fn power(&self) -> f64 {
        let [.., (l0, m0), (l1, m1)] = self.runs[..] else {
            return 1.0;
        };
        let power = (m0 / m1).ln() / (l1 / l0).ln();
        // Where nothing is removed yet, or everything at once, the slope tells nothing of the rest.
        if power.is_finite() {
            power.clamp(0.3, 2.0)
        } else {
            1.0
        }
    }

    /// The number of the run that came nearest.
    pub(crate) fn nearest(&self) -> Option<usize> {
        (0..self.runs.len()).min_by(|&a, &b| self.error(a).total_cmp(&self.error(b)))
    }

    /// Whether the nearest run is a match.
    pub(crate) fn has_match(&self) -> bool {
        self.nearest()
            .is_some_and(|i| self.error(i) <= (1.0 + FAR).ln())
    }

    fn error(&self, run: usize) -> f64 {
        (self.runs[run].1 / self.wanted).ln().abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the search on a made-up relation; the tries, and whether it found a match.
    fn search(wanted: u64, start: f64, macs: impl Fn(f64) -> f64) -> (usize, bool) {
        let mut search = Search::new(wanted);
        let mut lambda = Some(start);
        while let Some(l) = lambda {
            search.note(l, macs(l) as u64);
            lambda = search.next();
        }
        (search.runs.len(), search.has_match())
    }

    #[test]
    fn a_power_law_is_met_in_few_runs() {
        for power in [0.5, 1.0, 1.6] {
            for start in [1e-5, 1e-4, 1e-2] {
                let law = |l: f64| 1e5 * (l / 1e-4).powf(-power).min(4.0);
                let (runs, matched) = search(20_000, start, law);
                assert!(matched && runs <= 7, "{power} {start}: {runs}");
            }
        }
        let (runs, _) = search(20_000, 1e-4, |l| 1e5 * (l / 1e-4).powf(-1.0));
        assert_eq!(runs, 2);
    }

    #[test]
    fn what_cannot_be_reached_is_no_match() {
        let (runs, matched) = search(1_000, 1e-4, |_| 5_000.0);
        assert_eq!((runs, matched), (MOST, false));
    }
}
