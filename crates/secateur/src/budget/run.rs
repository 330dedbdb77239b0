//! Trains within a budget: asks for what the trainer cannot count.

use secateur_graph::Graph;
use secateur_train::{Event, Flow, Question, Rows, Settings, Start, Trained, fit_within};

use super::Budget;
use crate::job::Job;
use crate::markdown::grouped;
use crate::{Error, ErrorKind, Result};

/// What is told how training goes.
pub(super) type Observer<'a> = &'a mut (dyn FnMut(Event<'_>) -> Flow + Send);

impl Job {
    /// Trains a network that keeps within the run's budget, from `graph` or from where the run rested after it started there.
    ///
    /// # Errors
    /// As [`fit_within`]; if the budget is out of reach.
    pub(crate) fn fit_in_budget(
        &self,
        graph: &Graph,
        start: Start,
        (train, validation): (Rows, &Rows),
        settings: &Settings,
        observer: Observer<'_>,
    ) -> Result<Trained> {
        match self.plan.budget {
            None | Some(Budget::Counted(_)) => Ok(fit_within(
                start, train, validation, settings, None, observer,
            )?),
            Some(Budget::Latency(most)) => {
                let rows = (train, validation);
                self.fit_in_time(
                    graph,
                    start,
                    rows,
                    settings,
                    (most, &self.watch()),
                    observer,
                )
            }
            Some(Budget::Bytes(most)) => {
                let most = most.of(self.file_size(graph)?) as f64;
                let mut ask = |candidate: &Graph| {
                    let bytes = self.largest_file(candidate);
                    Ok(bytes.map_err(|e| told(&e))? as f64)
                };
                let question = Question {
                    ask: &mut ask,
                    most,
                    aim: 1.0,
                    near: 0.0,
                    words: |bytes| format!("{} bytes", grouped(bytes as u64)),
                };
                let question = Some(question);
                Ok(fit_within(
                    start, train, validation, settings, question, observer,
                )?)
            }
        }
    }
}

/// What went wrong when the trainer asked, for it to hand back.
pub(super) fn told(error: &Error) -> secateur_train::Error {
    let kind = match error.kind() {
        ErrorKind::Usage => secateur_train::ErrorKind::Settings,
        ErrorKind::Verification => secateur_train::ErrorKind::Verification,
        ErrorKind::OutOfReach => secateur_train::ErrorKind::Limit,
        _ => secateur_train::ErrorKind::Data,
    };
    let told = secateur_train::Error::new(kind, error.to_string());
    match error.hint_text() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_keeps_its_kind_and_its_hint() {
        use secateur_train::ErrorKind as Told;
        for (kind, wanted) in [
            (ErrorKind::Usage, Told::Settings),
            (ErrorKind::Verification, Told::Verification),
            (ErrorKind::OutOfReach, Told::Limit),
            (ErrorKind::Input, Told::Data),
        ] {
            let error = Error::new(kind, "it does not fit").at("net.onnx");
            let plain = told(&error);
            assert_eq!(plain.kind(), wanted);
            assert_eq!(plain.hint_text(), None);
            let text = plain.to_string();
            assert!(
                text.contains("net.onnx") && text.contains("it does not fit"),
                "{text}"
            );
            let hinted = told(&error.hint("a larger limit"));
            assert_eq!(hinted.hint_text(), Some("a larger limit"));
        }
    }
}
