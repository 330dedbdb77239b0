//! The run: epochs of steps, with removals, a budget and a last stretch without penalty.

mod budget;
mod removals;
mod rest;

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::Graph;

use self::budget::Budget;
use crate::checkpoint::Position;
use crate::collapse::collapse;
use crate::learner::{Learner, Step};
use crate::rows::Batches;
use crate::strength::Lambda;
use crate::unit_norms::LayerHead;
use crate::{
    Ended, Epoch, Error, ErrorKind, Event, Flow, LayerNorms, Question, Removal, Result, Rows,
    Schedule, Score, Seconds, Settings, StrengthChoice, Targets, Trained, UnitNorms,
};

pub use self::rest::{Rest, Start, resume};

/// Stream of random numbers for the order of rows; other streams draw weights and permutations.
const ORDER_STREAM: u64 = 2;

/// Trains `graph` on `train`, and tells `observer` how it goes.
///
/// Choices along the way look at `validation` alone. The model returned is that of the last epoch.
///
/// # Errors
/// If data and network do not fit, the network cannot be run, the loss is not a number in the first
/// epoch, or a removal changed the outputs.
pub fn fit(
    graph: Graph,
    train: Rows,
    validation: &Rows,
    settings: &Settings,
    observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
) -> Result<Trained> {
    let start = Start::Anew(graph);
    fit_within(start, train, validation, settings, None, observer)
}

/// [`fit`] from a network or a checkpoint, within a limit that only the caller can measure. Units go at once, together with those
/// of the run's budget.
///
/// # Errors
/// As [`fit`]; if the settings have no budget to go with the question, no network is within the limit, or the checkpoint is of
/// another run.
pub fn fit_within(
    start: Start,
    train: Rows,
    validation: &Rows,
    settings: &Settings,
    question: Option<Question<'_>>,
    observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
) -> Result<Trained> {
    let settings = settings.clone().checked()?;
    let run = match start {
        Start::Anew(graph) => Run::new(graph, train, settings)?,
        Start::Rest(checkpoint) => Run::resumed(*checkpoint, train, settings)?,
    };
    // On a worker from the start: otherwise every step hands its work over twice.
    let threads = run.learner.threads();
    threads.run(|| run.go(validation, question, observer))
}

/// The mini-batches of some rows, and room for their targets.
fn order_of(train: &Rows, settings: &Settings) -> (Batches, Targets) {
    let batches = Batches::new(train.len(), settings.batch, settings.order);
    (batches, train.targets().clone())
}

struct Run {
    settings: Settings,
    learner: Learner,
    lambda: Lambda,
    schedule: Schedule,
    batches: Batches,
    rng: ChaCha8Rng,
    position: Position,
    features: Vec<f32>,
    targets: Targets,
    budget: Option<Budget>,
    penalised_share: f64,
    top_lambda: f64,
    /// Time of the penalty outside the engine's update: of whole layers.
    penalty_seconds: f64,
    shrink_seconds: f64,
    score_seconds: f64,
    /// Forward passes of scores and removals, which are not training.
    other_forward: f64,
    removals: Vec<Removal>,
    epochs: Vec<Epoch>,
    /// Lengths of the units of penalised layers before the first step.
    initial_norms: Vec<UnitNorms>,
    /// The network of the last whole epoch.
    good: Option<Graph>,
    /// Time before the run was resumed.
    before: Seconds,
}

impl Run {
    fn new(graph: Graph, train: Rows, settings: Settings) -> Result<Self> {
        let order = order_of(&train, &settings);
        Self::around(Learner::new(graph, train, &settings)?, order, settings)
    }

    /// A run that has not begun, around a learner.
    fn around(
        learner: Learner,
        (batches, targets): (Batches, Targets),
        settings: Settings,
    ) -> Result<Self> {
        let schedule = Schedule {
            peak: settings.rate,
            decay: settings.decay,
            // A run may be meant to go on until it is stopped.
            warm_up: settings.warm_up.saturating_mul(batches.count()),
            steps: (settings.epochs.saturating_mul(batches.count()))
                .min(settings.steps.unwrap_or(usize::MAX)),
        };
        let strength = settings
            .penalty
            .map_or(StrengthChoice::Fixed(0.0), |p| p.strength);
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        rng.set_stream(ORDER_STREAM);
        Ok(Self {
            lambda: Lambda::new(strength),
            schedule,
            batches,
            rng,
            position: Position::default(),
            features: vec![],
            targets,
            budget: Budget::of(&settings, learner.graph())?,
            penalised_share: learner.share(),
            top_lambda: 0.0,
            penalty_seconds: 0.0,
            shrink_seconds: 0.0,
            score_seconds: 0.0,
            other_forward: 0.0,
            removals: vec![],
            epochs: vec![],
            initial_norms: learner.norms(),
            good: None,
            before: Seconds::default(),
            learner,
            settings,
        })
    }

    fn go(
        mut self,
        validation: &Rows,
        mut question: Option<Question<'_>>,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<Trained> {
        for note in self.learner.notes() {
            observer(Event::Note(note));
        }
        let begin = Instant::now();
        let mut ended = Ended::Complete;
        for number in self.position.epochs + 1..=self.settings.epochs {
            if self.position.steps == self.schedule.steps {
                break;
            }
            if self.position.batches == 0 {
                self.before_epoch(number, question.as_mut(), observer)?;
            }
            let (loss, flow) = self.epoch(number, observer)?;
            if !loss.is_finite() {
                let Some(last) = self.good.take() else {
                    return Err(diverged(number));
                };
                self.learner.set_graph(last);
                ended = Ended::Diverged { epoch: number };
                break;
            }
            if flow == Flow::Stop {
                // Before what only the end of an epoch brings.
                observer(Event::Rest(&self.rest(begin)));
            }
            self.after_epoch(number)?;
            let score = self.score(validation)?;
            self.learner.write_back()?;
            let penalised = self.penalised_epoch(number);
            let epoch = Epoch {
                number,
                of: self.settings.epochs,
                lambda: if penalised { self.lambda.last() } else { 0.0 },
                loss,
                units: self.learner.units(),
                norms: self.learner.norms(),
                macs: self.learner.macs()?,
                seconds: self.before.total + begin.elapsed().as_secs_f64(),
                validation: score,
            };
            let asked = observer(Event::Epoch(&epoch));
            self.epochs.push(epoch);
            if flow == Flow::Stop {
                ended = Ended::Interrupted { epoch: number };
                break;
            }
            self.good = Some(self.learner.graph().clone());
            self.position = Position {
                epochs: number,
                steps: self.position.steps,
                ..Position::default()
            };
            let kept = observer(Event::Rest(&self.rest(begin)));
            if [asked, kept].contains(&Flow::Stop) && number < self.settings.epochs {
                ended = Ended::Interrupted { epoch: number };
                break;
            }
        }
        let layers = self.layers();
        for layer in &layers {
            if let Some(collapse) = &layer.collapse {
                observer(Event::Note(&collapse.told(&layer.name)));
            }
        }
        let seconds = self.seconds(begin);
        Ok(Trained {
            graph: self.learner.into_graph(),
            epochs: self.epochs,
            removals: self.removals,
            layers,
            seconds,
            ended,
            lambda: self.top_lambda,
            penalised_share: self.penalised_share,
            steps: self.position.steps,
        })
    }

    fn rest(&self, begin: Instant) -> Rest<'_> {
        Rest {
            run: self,
            seconds: self.seconds(begin),
        }
    }

    /// Where the time of the whole run went so far.
    fn seconds(&self, begin: Instant) -> Seconds {
        let phases = self.learner.phases();
        let since = Seconds {
            total: begin.elapsed().as_secs_f64(),
            forward: phases.forward - self.other_forward,
            backward: phases.backward + phases.weight_gradient,
            update: phases.update,
            penalty: phases.penalty + self.penalty_seconds + self.learner.penalty_seconds(),
            shrink: self.shrink_seconds,
            score: self.score_seconds,
        };
        self.before + since
    }

    /// What became of the units of each penalised layer.
    fn layers(&self) -> Vec<LayerNorms> {
        let heads = self.learner.penalised_layers().into_iter();
        let layers = heads.zip(self.learner.held()).zip(&self.initial_norms);
        let layer = |(index, ((head, held), &start)): (usize, ((LayerHead, usize), &UnitNorms))| {
            let of_epoch = |epoch: &Epoch| epoch.norms[index];
            let epochs: Vec<UnitNorms> = self.epochs.iter().map(of_epoch).collect();
            LayerNorms {
                collapse: collapse(&start, &epochs, held, head.is_scale_free),
                name: head.name,
                is_scale_free: head.is_scale_free,
                end: epochs.last().copied().unwrap_or(start),
                start,
            }
        };
        layers.enumerate().map(layer).collect()
    }

    /// Whether the penalty acts in epoch `number`.
    fn penalised_epoch(&self, number: usize) -> bool {
        self.settings.penalty.is_some() && number <= self.settings.epochs - self.settings.settle
    }

    /// Steps of one epoch; the mean loss, NaN as soon as a step's loss is not finite.
    fn epoch(
        &mut self,
        number: usize,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<(f64, Flow)> {
        if self.position.batches == 0 {
            self.batches.shuffle(&mut self.rng);
        }
        for b in self.position.batches..self.batches.count() {
            if self.position.steps == self.schedule.steps {
                break;
            }
            let rows = self.batches.batch(b);
            let weight = rows.len() as f64;
            self.learner
                .rows()
                .gather(rows, number - 1, &mut self.features, &mut self.targets)?;
            let loss = self.train_step(self.penalised_epoch(number));
            if !loss.is_finite() {
                return Ok((f64::NAN, Flow::Continue));
            }
            self.position.loss += loss * weight;
            self.position.rows += weight;
            self.position.batches += 1;
            if self.penalised_epoch(number) {
                self.between_steps(number)?;
            }
            if self.position.steps.is_multiple_of(16) {
                let event = Event::Step {
                    done: self.position.steps,
                    of: self.schedule.steps,
                };
                if observer(event) == Flow::Stop {
                    return Ok((self.mean_loss(), Flow::Stop));
                }
            }
        }
        Ok((self.mean_loss(), Flow::Continue))
    }

    /// Mean loss of the rows of this epoch so far.
    fn mean_loss(&self) -> f64 {
        self.position.loss / self.position.rows
    }

    fn train_step(&mut self, penalised: bool) -> f64 {
        let done = self.learner.train_step(Step {
            settings: &self.settings,
            features: &self.features,
            targets: &self.targets,
            rate: self.schedule.rate(self.position.steps),
            number: self.position.steps,
            lambda: &mut self.lambda,
            is_penalised: penalised,
        });
        self.top_lambda = self.top_lambda.max(done.lambda);
        self.penalty_seconds += done.penalty_seconds;
        self.position.steps += 1;
        done.loss
    }

    fn forward_seconds(&self) -> f64 {
        self.learner.phases().forward
    }

    /// Scores rows; the time is kept apart from that of training.
    fn score(&mut self, rows: &Rows) -> Result<Score> {
        let start = Instant::now();
        let before = self.forward_seconds();
        let score = self.learner.score(rows)?;
        self.other_forward += self.forward_seconds() - before;
        self.score_seconds += start.elapsed().as_secs_f64();
        Ok(score)
    }
}

fn diverged(epoch: usize) -> Error {
    Error::new(ErrorKind::Diverged, "the loss is not a finite number")
        .at(format!("epoch {epoch}"))
        .hint("lower --learning-rate, or look for extreme values in the data")
}
