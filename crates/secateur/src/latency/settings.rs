//! At which batches and on how many threads models are measured, and for how long.

use super::Model;
use crate::{Error, ErrorKind, Result};

/// Batches where none are asked for.
const BATCHES: [usize; 2] = [1, 32];
/// More are asked for by mistake.
const MOST_THREADS: usize = 1024;
/// More rows or positions are asked for by mistake: one number for each would take a gibibyte.
const MOST_ROWS: usize = 1 << 28;

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Rows a call; if empty, 1 and 32, or the only batch that a model takes.
    pub batches: Vec<usize>,
    /// Threads of each engine.
    pub threads: Vec<usize>,
    /// Seconds for each batch on each number of threads, all models and engines together; a fifth is added to warm up.
    pub seconds: f64,
    /// Length of open axes of inputs, the batch apart.
    pub length: usize,
    /// Of the drawn inputs.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batches: vec![],
            threads: vec![1],
            seconds: 3.0,
            length: 64,
            seed: 0,
        }
    }
}

impl Settings {
    /// Whether all of it makes sense.
    ///
    /// # Errors
    /// Of usage, naming the flag.
    pub(super) fn check(&self) -> Result<()> {
        let counts = |flag: &str, what: &str, counts: &[usize], most: usize| {
            let wrong = counts.iter().find(|n| !(1..=most).contains(*n));
            wrong.map_or(Ok(()), |n| {
                Err(Error::usage(format!("{n} is no number of {what}"))
                    .at(flag)
                    .hint(format!("from 1 to {most}")))
            })
        };
        counts("--batch", "rows", &self.batches, MOST_ROWS)?;
        counts("--threads", "threads", &self.threads, MOST_THREADS)?;
        counts("--length", "positions", &[self.length], MOST_ROWS)?;
        if self.threads.is_empty() {
            return Err(Error::usage("names no number of threads")
                .at("--threads")
                .hint("1,2 measures on one thread, and then on two"));
        }
        if !(self.seconds > 0.0 && self.seconds.is_finite()) {
            return Err(Error::usage(format!("{} is no time", self.seconds))
                .at("--seconds")
                .hint("more than 0, such as 3; more time means more rounds"));
        }
        Ok(())
    }

    /// The batches to measure at: those asked for, or the usual ones.
    ///
    /// # Errors
    /// If a model takes one batch only, and that is not among them, or another model takes another one.
    pub(super) fn batches(&self, models: &[Model]) -> Result<Vec<usize>> {
        let fixed = |model: &Model| Some((model.name.clone(), model.fixed_batch?));
        let fixed: Vec<(String, usize)> = models.iter().filter_map(fixed).collect();
        let open = "export it with an open batch axis";
        if let Some((name, _)) = fixed.iter().find(|(_, own)| *own == 0) {
            return Err(Error::new(ErrorKind::Input, "takes batches of 0 rows only")
                .at(name)
                .hint(open));
        }
        if let Some((one, of_one)) = fixed.first()
            && let Some((other, of_other)) = fixed.iter().find(|(_, own)| own != of_one)
        {
            let message = format!("takes batches of {of_other} only, and {one} of {of_one} only");
            return Err(Error::usage(message).at(other).hint(format!(
                "models are compared at equal batches: {open}, or measure each alone"
            )));
        }
        let mut asked = match (self.batches.is_empty(), fixed.first()) {
            (true, Some((_, only))) => vec![*only],
            (true, None) => BATCHES.to_vec(),
            (false, _) => self.batches.clone(),
        };
        if let Some((name, only)) = fixed.iter().find(|(_, own)| !asked.contains(own)) {
            return Err(Error::usage(format!("takes batches of {only} only"))
                .at(name)
                .hint(format!("--batch {only}, or {open}")));
        }
        once(&mut asked);
        Ok(asked)
    }

    /// The numbers of threads to measure on.
    pub(super) fn threads(&self) -> Vec<usize> {
        let mut threads = self.threads.clone();
        once(&mut threads);
        threads
    }
}

/// Leaves of equal numbers the first.
fn once(numbers: &mut Vec<usize>) {
    let mut seen = vec![];
    numbers.retain(|n| {
        !seen.contains(n) && {
            seen.push(*n);
            true
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(fixed: &[Option<usize>]) -> Vec<Model> {
        let model = |(i, &fixed_batch): (usize, &Option<usize>)| Model {
            name: format!("m{i}"),
            macs: 0,
            params: 0,
            bytes: 0,
            fixed_batch,
        };
        fixed.iter().enumerate().map(model).collect()
    }

    fn batches(asked: &[usize], fixed: &[Option<usize>]) -> Result<Vec<usize>> {
        let settings = Settings {
            batches: asked.to_vec(),
            ..Settings::default()
        };
        settings.batches(&models(fixed))
    }

    #[test]
    fn batches_are_those_asked_for_the_only_one_or_the_usual_ones() {
        assert_eq!(batches(&[], &[None]).unwrap(), [1, 32]);
        assert_eq!(batches(&[], &[None, Some(4)]).unwrap(), [4]);
        assert_eq!(batches(&[8, 4, 8], &[None, Some(4)]).unwrap(), [8, 4]);
    }

    #[test]
    fn batches_that_a_model_does_not_take_are_refused() {
        let refused = |asked: &[usize], fixed: &[Option<usize>]| {
            let error = batches(asked, fixed).unwrap_err();
            assert!(error.hint_text().is_some());
            error.to_string()
        };
        assert_eq!(
            refused(&[1, 2], &[None, Some(4)]),
            "m1: takes batches of 4 only"
        );
        assert_eq!(
            refused(&[1, 4], &[Some(4), None, Some(1)]),
            "m2: takes batches of 1 only, and m0 of 4 only"
        );
        assert_eq!(refused(&[], &[Some(0)]), "m0: takes batches of 0 rows only");
    }

    #[test]
    fn settings_that_make_no_sense_name_their_flag() {
        let refused = |change: &dyn Fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().unwrap_err().to_string()
        };
        let no_rows = refused(&|s| s.batches = vec![1, 0]);
        assert_eq!(no_rows, "--batch: 0 is no number of rows");
        let many = refused(&|s| s.threads = vec![5000]);
        assert_eq!(many, "--threads: 5000 is no number of threads");
        assert!(refused(&|s| s.threads.clear()).starts_with("--threads: "));
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(refused(&|s| s.seconds = seconds).starts_with("--seconds: "));
        }
        assert!(refused(&|s| s.length = 0).starts_with("--length: "));
        Settings::default().check().unwrap();
    }
}
