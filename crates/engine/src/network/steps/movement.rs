//! Numbers in other places: whatever only moves, repeats or drops elements.
//!
//! What an operation moves is found by running it once on the positions of its inputs, so none needs a rule of its own;
//! layouts of inputs and output may differ.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work};
use crate::aligned::Aligned;

/// Where elements come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// An input of the step.
    Input(usize),
    /// A parameter, by its place among those of the step.
    Parameter(usize),
}

/// Elements that lie evenly at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) source: Source,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) count: usize,
    /// Numbers from one element to the next in the source and in the output.
    pub(crate) steps: [usize; 2],
}

/// Moves elements of a row.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) runs: Vec<Run>,
    /// Numbers of a row of each input.
    pub(crate) inputs: Vec<usize>,
    /// The parameters among the sources.
    pub(crate) parameters: Vec<usize>,
    /// Numbers of a row of the output.
    pub(crate) output: usize,
    /// What stands where nothing is moved to.
    pub(crate) fill: f32,
    /// Whether runs leave places of the output open.
    pub(crate) has_gaps: bool,
}

impl Move {
    /// Joins single moves `(source, from, to)`, in the order of `to`, to runs.
    pub(crate) fn runs(moves: &[(Source, usize, usize)]) -> Vec<Run> {
        let mut runs: Vec<Run> = vec![];
        for &(source, from, to) in moves {
            if let Some(run) = runs.last_mut()
                && run.source == source
                && run.takes(from, to)
            {
                continue;
            }
            runs.push(Run {
                source,
                from,
                to,
                count: 1,
                steps: [1, 1],
            });
        }
        runs
    }
}

impl Run {
    /// Whether the move continues the run, which then has it.
    fn takes(&mut self, from: usize, to: usize) -> bool {
        let steps = match self.count {
            1 if from >= self.from && to > self.to => [from - self.from, to - self.to],
            1 => return false,
            _ => self.steps,
        };
        let fits =
            from == self.from + self.count * steps[0] && to == self.to + self.count * steps[1];
        if fits {
            self.steps = steps;
            self.count += 1;
        }
        fits
    }

    fn copy(&self, from: &[f32], to: &mut [f32]) {
        match self.steps {
            [1, 1] => to[self.to..self.to + self.count]
                .copy_from_slice(&from[self.from..self.from + self.count]),
            [a, b] => {
                for i in 0..self.count {
                    to[self.to + i * b] = from[self.from + i * a];
                }
            }
        }
    }

    fn add_back(&self, from: &mut [f32], to: &[f32]) {
        match self.steps {
            [1, 1] => {
                let to = &to[self.to..self.to + self.count];
                for (from, to) in from[self.from..].iter_mut().zip(to) {
                    *from += to;
                }
            }
            [a, b] => {
                for i in 0..self.count {
                    from[self.from + i * a] += to[self.to + i * b];
                }
            }
        }
    }
}

impl Work for Move {
    fn parameters(&self) -> Vec<usize> {
        self.parameters.clone()
    }

    fn sums(&self) -> Sums {
        let needed = |k: usize| {
            let own = self
                .runs
                .iter()
                .filter(|r| r.source == Source::Parameter(k));
            own.map(|r| r.from + (r.count - 1) * r.steps[0] + 1)
                .max()
                .unwrap_or(0)
        };
        Sums {
            gradients: (0..self.parameters.len())
                .map(|k| Aligned::zeros(needed(k)))
                .collect(),
            channels: vec![],
        }
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        for (row, y) in y.chunks_exact_mut(self.output).enumerate() {
            if self.has_gaps {
                y.fill(self.fill);
            }
            for run in &self.runs {
                match run.source {
                    Source::Input(k) => run.copy(&x.get(k)[row * self.inputs[k]..], y),
                    Source::Parameter(k) => {
                        run.copy(&shared.parameters[self.parameters[k]].values, y);
                    }
                }
            }
        }
    }

    fn input_gradient(
        &self,
        k: usize,
        _: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        if !dx.add {
            dx.gradient.fill(0.0);
        }
        let rows = dx
            .gradient
            .chunks_exact_mut(self.inputs[k])
            .zip(dy.chunks_exact(self.output));
        for (dx, dy) in rows {
            for run in self.runs.iter().filter(|r| r.source == Source::Input(k)) {
                run.add_back(dx, dy);
            }
        }
    }

    fn parameter_gradient(
        &self,
        _: &dyn Inputs,
        dy: &[f32],
        sums: &mut Sums,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        for dy in dy.chunks_exact(self.output) {
            for run in &self.runs {
                if let Source::Parameter(k) = run.source {
                    run.add_back(&mut sums.gradients[k], dy);
                }
            }
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        for (k, &parameter) in self.parameters.iter().enumerate() {
            let parts = sums.iter().map(|s| &*s.gradients[k]);
            super::super::step::add_up(parts, &mut parameters[parameter].gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_join_to_runs() {
        let at = |from: usize, to: usize| (Source::Input(0), from, to);
        let runs = Move::runs(&[at(4, 0), at(5, 1), at(6, 2), at(0, 3), at(8, 4), at(16, 5)]);
        let shape: Vec<_> = runs
            .iter()
            .map(|r| (r.from, r.to, r.count, r.steps))
            .collect();
        assert_eq!(shape, [(4, 0, 3, [1, 1]), (0, 3, 3, [8, 1])]);
        let repeated = Move::runs(&[at(2, 0), at(2, 1), at(2, 2)]);
        assert_eq!((repeated.len(), repeated[0].steps), (1, [0, 1]));
    }

    #[test]
    fn back_adds_what_forward_copies() {
        let run = Run {
            source: Source::Input(0),
            from: 1,
            to: 2,
            count: 3,
            steps: [0, 2],
        };
        let mut y = [0.0; 7];
        run.copy(&[5.0, 6.0], &mut y);
        assert_eq!(y, [0.0, 0.0, 6.0, 0.0, 6.0, 0.0, 6.0]);
        let mut dx = [1.0, 1.0];
        run.add_back(&mut dx, &[9.0, 9.0, 1.0, 9.0, 2.0, 9.0, 3.0]);
        assert_eq!(dx, [1.0, 7.0]);
    }
}
