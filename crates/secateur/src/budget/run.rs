//! Trains within a budget: asks for what the trainer cannot count.

use secateur_graph::Graph;
use secateur_train::{Event, Flow, Question, Rows, Settings, Trained, fit, fit_within};

use super::Budget;
use crate::job::Job;
use crate::markdown::grouped;
use crate::{Error, ErrorKind, Result};

impl Job {
    /// The most that a budget allows, in bytes; `start` is the network that the run starts from.
    ///
    /// # Errors
    /// If the network cannot be written.
    pub(super) fn most_bytes(&self, most: secateur_prox::Amount, start: &Graph) -> Result<u64> {
        Ok(most.of(self.file_size(start)?))
    }

    /// Trains a network that keeps within the run's budget.
    ///
    /// # Errors
    /// As [`fit`]; if the budget is out of reach.
    pub(crate) fn fit_in_budget(
        &self,
        graph: Graph,
        (train, validation): (Rows, &Rows),
        settings: &Settings,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<Trained> {
        match self.plan.budget {
            None | Some(Budget::Counted(_)) => {
                Ok(fit(graph, train, validation, settings, observer)?)
            }
            Some(Budget::Bytes(most)) => {
                let most = self.most_bytes(most, &graph)? as f64;
                let mut ask = |candidate: &Graph| {
                    let bytes = self.largest_file(candidate);
                    Ok(bytes.map_err(|e| told(&e))? as f64)
                };
                let question = Question {
                    ask: &mut ask,
                    most,
                    near: 0.0,
                    words: |bytes| format!("{} bytes", grouped(bytes as u64)),
                };
                let question = Some(question);
                Ok(fit_within(
                    graph, train, validation, settings, question, observer,
                )?)
            }
        }
    }
}

/// What went wrong when the trainer asked, for it to hand back.
fn told(error: &Error) -> secateur_train::Error {
    let kind = match error.kind() {
        ErrorKind::Usage => secateur_train::ErrorKind::Settings,
        ErrorKind::Verification => secateur_train::ErrorKind::Verification,
        _ => secateur_train::ErrorKind::Data,
    };
    let told = secateur_train::Error::new(kind, error.to_string());
    match error.hint_text() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}
