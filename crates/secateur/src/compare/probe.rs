//! The first steps of a run: how long a step takes, and which strength the data suggest.

use std::sync::Arc;

use secateur_data::Dataset;
use secateur_prox::Part;
use secateur_train::{Event, Flow, StrengthChoice, fit};

use crate::job::Job;
use crate::prepare::Prepared;
use crate::{Config, Plan, Result};

/// Penalty over loss at the first step, where no strength is given: the mildest that `auto` tries.
const BALANCE: f64 = 0.25;

/// What the first steps of a run tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Probe {
    /// Lambda at which the penalty on *all* units is a quarter of the loss at the first step.
    pub(crate) lambda: f64,
    /// Of a whole run at the speed of its first steps, in seconds; units that go make it faster.
    pub(crate) seconds: f64,
}

/// Takes a few steps and forgets them.
pub(crate) fn probe(config: &Config, dataset: &Arc<Dataset>) -> Result<Probe> {
    let prepared = Prepared::new(Arc::clone(dataset), config)?;
    let plan = Plan::new(config, &prepared.dataset, prepared.split.train.len())?;
    let job = Job::new(plan, prepared)?;
    let mut settings = job.plan.settings.clone();
    if let Some(penalty) = &mut settings.penalty {
        penalty.strength = StrengthChoice::Balance(BALANCE);
        penalty.part = Part::Full;
    }
    let split = &job.prepared.split;
    let train = job.train_rows()?;
    let validation = job.rows(&split.validation)?;
    let mut steps_of = 0;
    let trained = fit(job.start()?, train, &validation, &settings, &mut |event| {
        if let Event::Step { of, .. } = event {
            steps_of = of;
        }
        Flow::Stop
    })?;
    let s = trained.seconds;
    let stepping = s.forward + s.backward + s.update + s.penalty;
    Ok(Probe {
        lambda: trained.lambda,
        seconds: stepping * steps_of.max(trained.steps) as f64 / trained.steps.max(1) as f64,
    })
}
