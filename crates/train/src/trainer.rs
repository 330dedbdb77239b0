//! The run: epochs of steps, with removals, a budget and a last stretch without penalty.

use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_engine::{Chain, Dense};
use secateur_graph::{Graph, cost};
use secateur_prox::Part;

use crate::budget::surplus;
use crate::evaluate::{SCORE_ROWS, score_on};
use crate::order::{random_order, rank_by_norm};
use crate::penalised::Penalised;
use crate::removal::{Body, Due};
use crate::rows::Batches;
use crate::step::StepRule;
use crate::strength::Lambda;
use crate::{
    Ended, Epoch, Error, ErrorKind, Event, Flow, PenaltyStep, Removal, RemovalTime, Result, Rows,
    Schedule, Score, Seconds, Settings, StrengthChoice, Targets, Trained,
};

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
    let settings = settings.clone().checked()?;
    let run = Run::new(graph, train, settings)?;
    // On a worker from the start: otherwise every step hands its work over twice.
    let threads = run.body.network.threads().clone();
    threads.run(|| run.go(validation, observer))
}

struct Run {
    settings: Settings,
    body: Body,
    lambda: Lambda,
    schedule: Schedule,
    batches: Batches,
    rng: ChaCha8Rng,
    step: usize,
    features: Vec<f32>,
    targets: Targets,
    initial_macs: u64,
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
}

impl Run {
    fn new(graph: Graph, train: Rows, settings: Settings) -> Result<Self> {
        let batches = Batches::new(train.len(), settings.batch, settings.order);
        let capacity = settings.batch.max(SCORE_ROWS);
        let slots = settings.optimizer.state_slots();
        let mut network = Chain::compile(&graph, capacity, slots, settings.threads)?;
        if network.inputs() != train.columns() || network.outputs() != train.targets().outputs() {
            return Err(Error::new(
                ErrorKind::Data,
                format!(
                    "the network maps {} features to {} outputs, the rows have {} and {}",
                    network.inputs(),
                    network.outputs(),
                    train.columns(),
                    train.targets().outputs()
                ),
            ));
        }
        let mut graph = graph;
        if let Some(p) = &settings.penalty
            && p.part.is_drawn()
        {
            graph = random_order(&graph, settings.seed)?;
            network.read(&graph)?;
        }
        let penalised = settings.penalty.map(|p| Penalised::new(p, &network));
        let schedule = Schedule {
            peak: settings.rate,
            decay: settings.decay,
            warm_up: settings.warm_up * batches.count(),
            steps: (settings.epochs * batches.count()).min(settings.steps.unwrap_or(usize::MAX)),
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
            step: 0,
            features: vec![],
            targets: train.targets().clone(),
            initial_macs: cost(&graph)?.macs,
            penalised_share: penalised.as_ref().map_or(0.0, |p| p.share(&network)),
            top_lambda: 0.0,
            penalty_seconds: 0.0,
            shrink_seconds: 0.0,
            score_seconds: 0.0,
            other_forward: 0.0,
            removals: vec![],
            epochs: vec![],
            body: Body {
                graph,
                network,
                rows: train,
                penalised,
            },
            settings,
        })
    }

    fn go(
        mut self,
        validation: &Rows,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<Trained> {
        let begin = Instant::now();
        let mut ended = Ended::Complete;
        let mut good: Option<Graph> = None;
        for number in 1..=self.settings.epochs {
            if self.step == self.schedule.steps {
                break;
            }
            self.before_epoch(number)?;
            let (loss, flow) = self.epoch(number, observer)?;
            if !loss.is_finite() {
                let Some(last) = good.take() else {
                    return Err(diverged(number));
                };
                self.body.graph = last;
                ended = Ended::Diverged { epoch: number };
                break;
            }
            self.after_epoch(number)?;
            let score = self.score(validation);
            self.body.network.write_back(&mut self.body.graph)?;
            let penalised = self.penalised_epoch(number);
            let epoch = Epoch {
                number,
                of: self.settings.epochs,
                lambda: if penalised { self.lambda.last() } else { 0.0 },
                loss,
                units: self
                    .body
                    .network
                    .layers()
                    .iter()
                    .map(Dense::inputs)
                    .collect(),
                macs: self.macs(),
                seconds: begin.elapsed().as_secs_f64(),
                validation: score,
            };
            let asked = observer(Event::Epoch(&epoch));
            self.epochs.push(epoch);
            good = Some(self.body.graph.clone());
            if flow == Flow::Stop || (asked == Flow::Stop && number < self.settings.epochs) {
                ended = Ended::Interrupted { epoch: number };
                break;
            }
        }
        let phases = self.body.network.phases();
        let seconds = Seconds {
            total: begin.elapsed().as_secs_f64(),
            forward: phases.forward - self.other_forward,
            backward: phases.backward + phases.weight_gradient,
            update: phases.update,
            penalty: phases.penalty + self.penalty_seconds,
            shrink: self.shrink_seconds,
            score: self.score_seconds,
        };
        Ok(Trained {
            graph: self.body.graph,
            epochs: self.epochs,
            removals: self.removals,
            seconds,
            ended,
            lambda: self.top_lambda,
            penalised_share: self.penalised_share,
            steps: self.step,
        })
    }

    /// Whether the penalty acts in epoch `number`.
    fn penalised_epoch(&self, number: usize) -> bool {
        self.body.penalised.is_some() && number <= self.settings.epochs - self.settings.settle
    }

    /// Steps of one epoch; the mean loss, NaN as soon as a step's loss is not finite.
    fn epoch(
        &mut self,
        number: usize,
        observer: &mut (dyn FnMut(Event<'_>) -> Flow + Send),
    ) -> Result<(f64, Flow)> {
        self.batches.shuffle(&mut self.rng);
        let count = self.batches.count();
        let (mut sum, mut seen) = (0.0, 0.0);
        for b in 0..count {
            if self.step == self.schedule.steps {
                break;
            }
            let rows = self.batches.batch(b);
            let weight = rows.len() as f64;
            self.body
                .rows
                .gather(rows, &mut self.features, &mut self.targets);
            let loss = self.train_step(self.penalised_epoch(number));
            if !loss.is_finite() {
                return Ok((f64::NAN, Flow::Continue));
            }
            sum += loss * weight;
            seen += weight;
            if self.penalised_epoch(number) {
                self.between_steps(number)?;
            }
            if self.step.is_multiple_of(16) {
                let event = Event::Step {
                    done: self.step,
                    of: self.schedule.steps,
                };
                if observer(event) == Flow::Stop {
                    return Ok((sum / seen, Flow::Stop));
                }
            }
        }
        Ok((sum / seen, Flow::Continue))
    }

    /// Removals and rankings that are due by the number of steps.
    fn between_steps(&mut self, epoch: usize) -> Result<()> {
        let Some(p) = self.settings.penalty else {
            return Ok(());
        };
        if let RemovalTime::Steps(every) = p.removal
            && p.step == PenaltyStep::Proximal
            && self.step.is_multiple_of(every)
        {
            self.remove(epoch, false)?;
        }
        if let (Some(every), Some(penalised)) = (p.part.rank_every(), &self.body.penalised)
            && self.step.is_multiple_of(every.get())
        {
            let start = Instant::now();
            rank_by_norm(&mut self.body.graph, &mut self.body.network, penalised)?;
            self.shrink_seconds += start.elapsed().as_secs_f64();
        }
        Ok(())
    }

    fn train_step(&mut self, penalised: bool) -> f64 {
        let rows = self.targets.rows();
        let network = &mut self.body.network;
        let targets = &self.targets;
        let loss = network.forward_backward(&self.features, rows, |range, outputs, gradient| {
            targets.loss_and_gradient(range, outputs, gradient)
        });
        let lambda = match &self.body.penalised {
            Some(p) if penalised => self.lambda.value(|| (loss, p.value(network))),
            _ => 0.0,
        };
        self.top_lambda = self.top_lambda.max(lambda);
        let is_penalised = lambda > 0.0;
        let start = Instant::now();
        let rule = StepRule::new(
            &self.settings,
            self.schedule.rate(self.step),
            self.step,
            self.body.penalised.as_ref().filter(|_| is_penalised),
            lambda,
            network,
        );
        let mut apart = start.elapsed();
        let momentum = self.settings.optimizer.gradient_momentum();
        network.update(&self.features, rows, momentum, |block| rule.apply(block));
        let start = Instant::now();
        rule.finish(network);
        apart += start.elapsed();
        if is_penalised {
            self.penalty_seconds += apart.as_secs_f64();
        }
        self.step += 1;
        loss
    }

    /// Takes the surplus of a budget away, half-way through the penalised epochs.
    fn before_epoch(&mut self, number: usize) -> Result<()> {
        let Some(p) = self.settings.penalty else {
            return Ok(());
        };
        if !self.penalised_epoch(number) {
            return Ok(());
        }
        let Part::Budget { macs_share } = p.part else {
            return Ok(());
        };
        let half = (self.settings.epochs - self.settings.settle) / 2;
        if number == half + 1 {
            let (start, before) = (Instant::now(), self.forward_seconds());
            let limit = (macs_share.get() * self.initial_macs as f64) as u64;
            let keep = surplus(&mut self.body, limit, p.floor)?;
            let removal = self.body.remove_asked(&keep, number)?;
            self.removals.extend(removal);
            self.shrink_seconds += start.elapsed().as_secs_f64();
            self.other_forward += self.forward_seconds() - before;
        }
        Ok(())
    }

    fn after_epoch(&mut self, number: usize) -> Result<()> {
        let Some(p) = self.settings.penalty else {
            return Ok(());
        };
        let last = number == self.settings.epochs - self.settings.settle;
        if p.step == PenaltyStep::Proximal
            && self.penalised_epoch(number)
            && (last || p.removal == RemovalTime::Epoch)
        {
            self.remove(number, last)?;
        }
        Ok(())
    }

    fn forward_seconds(&self) -> f64 {
        self.body.network.phases().forward
    }

    fn remove(&mut self, epoch: usize, last: bool) -> Result<()> {
        let (start, before) = (Instant::now(), self.forward_seconds());
        let floor = self.settings.penalty.map_or(1, |p| p.floor);
        let removal = self.body.remove_dead(Due { epoch, floor, last })?;
        self.removals.extend(removal);
        self.shrink_seconds += start.elapsed().as_secs_f64();
        self.other_forward += self.forward_seconds() - before;
        Ok(())
    }

    /// Scores rows; the time is kept apart from that of training.
    fn score(&mut self, rows: &Rows) -> Score {
        let start = Instant::now();
        let before = self.forward_seconds();
        let score = score_on(&mut self.body.network, rows);
        self.other_forward += self.forward_seconds() - before;
        self.score_seconds += start.elapsed().as_secs_f64();
        score
    }

    fn macs(&self) -> u64 {
        self.body
            .network
            .layers()
            .iter()
            .map(|d| (d.inputs() * d.outputs()) as u64)
            .sum()
    }
}

fn diverged(epoch: usize) -> Error {
    Error::new(ErrorKind::Diverged, "the loss is not a finite number")
        .at(format!("epoch {epoch}"))
        .hint("lower --learning-rate, or look for extreme values in the data")
}
