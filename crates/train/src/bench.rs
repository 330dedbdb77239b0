//! One training step at a time, for benches and nothing else: a run hides its steps, and the penalty's cost
//! is the difference between two of them.

use std::time::{Duration, Instant};

use secateur_engine::{Chain, Threads};
use secateur_graph::Graph;

use crate::penalised::Penalised;
use crate::step::StepRule;
use crate::strength::Lambda;
use crate::{Result, Rows, Settings, StrengthChoice};

/// When the proximal steps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// With the update, row by row, as in training.
    Fused,
    /// In a pass over the weights of its own, after the update.
    Separate,
}

/// A network that takes the same step again and again.
#[derive(Debug)]
pub struct Stepper {
    network: Chain,
    settings: Settings,
    penalised: Option<Penalised>,
    lambda: f64,
    batch: Rows,
    pass: Pass,
    step: usize,
    /// Time of the penalty outside the engine.
    apart: Duration,
}

impl Stepper {
    /// Steps of `graph` on all of `batch`, as a run with these settings takes them at its peak rate.
    ///
    /// # Errors
    /// If the settings make no sense or the network cannot be run.
    pub fn new(
        graph: &Graph,
        batch: Rows,
        settings: Settings,
        pass: Pass,
        threads: &Threads,
    ) -> Result<Self> {
        let settings = settings.checked()?;
        let slots = settings.optimizer.state_slots();
        let network = Chain::compile_on(graph, batch.len(), slots, threads.clone())?;
        let penalised = settings.penalty.map(|p| Penalised::new(p, &network));
        let strength = settings
            .penalty
            .map_or(StrengthChoice::Fixed(0.0), |p| p.strength);
        Ok(Self {
            lambda: Lambda::new(strength).value(|| (0.0, 0.0)),
            network,
            settings,
            penalised,
            batch,
            pass,
            step: 0,
            apart: Duration::ZERO,
        })
    }

    /// Takes a step.
    pub fn step(&mut self) {
        let (network, targets) = (&mut self.network, self.batch.targets());
        let rows = self.batch.len();
        let x = self.batch.features(0, rows).unwrap_or_default();
        let x = &x[..];
        network.forward_backward(x, rows, |range, outputs, gradient| {
            targets.loss_and_gradient(range, outputs, gradient)
        });
        let momentum = self.settings.optimizer.gradient_momentum();
        let rule = |penalised, network: &Chain| {
            let rate = self.settings.rate;
            StepRule::new(
                &self.settings,
                rate,
                self.step,
                penalised,
                self.lambda,
                network,
            )
        };
        let start = Instant::now();
        let full = rule(self.penalised.as_ref(), network);
        if self.penalised.is_some() {
            self.apart += start.elapsed();
        }
        match self.pass {
            Pass::Fused => {
                network.update(x, rows, momentum, |block| full.apply(block));
                full.finish(network);
            }
            Pass::Separate => {
                let bare = rule(None, network);
                network.update(x, rows, momentum, |block| bare.apply(block));
                network.pass(|mut block| full.apply_penalty_alone(&mut block));
            }
        }
        self.step += 1;
    }

    /// What a run would count as the penalty's time so far, in seconds.
    pub fn penalty_seconds(&self) -> f64 {
        self.network.phases().penalty + self.apart.as_secs_f64()
    }

    /// Share of the weights that are penalised, in [0, 1].
    pub fn penalised_share(&self) -> f64 {
        let share = |p: &Penalised| p.share(&self.network);
        self.penalised.as_ref().map_or(0.0, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use secateur_graph::Unary;
    use secateur_prox::{Compensation, GroupLasso, GroupWeights, Inputs, Members};

    use crate::{
        AdamMetric, ClassLoss, Criterion, Decay, Init, Mlp, Optimizer, Order, PenaltySettings,
        PenaltyStep, RemovalTime, Targets,
    };

    fn settings(optimizer: Optimizer, step: PenaltyStep) -> Settings {
        Settings {
            optimizer,
            rate: 0.01,
            decay: Decay::Constant,
            warm_up: 0,
            weight_decay: 0.0,
            epochs: 1,
            settle: 0,
            steps: None,
            batch: 20,
            order: Order::AsIs,
            seed: 0,
            threads: 1,
            penalty: Some(PenaltySettings {
                penalty: GroupLasso.into(),
                part: "fraction:0.5:last".parse().unwrap(),
                inputs: Inputs::LikeHidden,
                members: Members::Outgoing,
                weights: GroupWeights::InitialWidths,
                compensation: Compensation::Off,
                strength: StrengthChoice::Fixed(0.02),
                step,
                adam_metric: AdamMetric::Mean,
                removal: RemovalTime::End,
                floor: 1,
                round: 1,
                stages: 1,
                by: Criterion::Flap,
            }),
        }
    }

    fn stepper(settings: Settings, pass: Pass, threads: usize) -> Stepper {
        let mlp = Mlp {
            inputs: 30,
            hidden: vec![40],
            outputs: 3,
            activation: Unary::Relu,
            init: Init::Scaled,
        };
        let graph = mlp.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        let targets = Targets::Classes {
            labels: (0..20).map(|i| i % 3).collect(),
            weights: vec![1.0; 3],
            loss: ClassLoss::CrossEntropy,
        };
        let values = (0..600).map(|i| (i as f32 * 0.7).sin()).collect();
        let batch = Rows::new(values, 30, targets).unwrap();
        Stepper::new(
            &graph,
            batch,
            settings,
            pass,
            &Threads::new(threads).unwrap(),
        )
        .unwrap()
    }

    const OPTIMIZERS: [Optimizer; 3] = [
        Optimizer::Sgd {
            momentum: 0.9,
            nesterov: false,
        },
        Optimizer::Sgd {
            momentum: 0.9,
            nesterov: true,
        },
        Optimizer::Adam,
    ];

    #[test]
    fn fused_and_separate_steps_give_the_same_bits() {
        for optimizer in OPTIMIZERS {
            let weights = |pass, threads| {
                let mut s = stepper(settings(optimizer, PenaltyStep::Proximal), pass, threads);
                assert_eq!(s.penalised_share(), 0.5);
                (0..5).for_each(|_| s.step());
                let layers = s.network.layers().iter();
                layers.map(|l| l.weight().to_vec()).collect::<Vec<_>>()
            };
            let fused = weights(Pass::Fused, 1);
            assert_eq!(fused, weights(Pass::Separate, 1), "{optimizer:?}");
            assert_eq!(fused, weights(Pass::Separate, 2), "{optimizer:?}");
        }
    }

    #[test]
    fn a_penalty_is_timed_in_the_engine_wherever_it_is_taken() {
        for optimizer in OPTIMIZERS {
            let seconds = |settings: Settings, pass| {
                let mut s = stepper(settings, pass, 1);
                (0..5).for_each(|_| s.step());
                s.network.phases().penalty
            };
            let proximal = settings(optimizer, PenaltyStep::Proximal);
            assert!(seconds(proximal.clone(), Pass::Fused) > 0.0);
            assert!(seconds(proximal.clone(), Pass::Separate) > 0.0);
            assert!(seconds(settings(optimizer, PenaltyStep::Subgradient), Pass::Fused) > 0.0);
            let none = Settings {
                penalty: None,
                ..proximal
            };
            assert_eq!(seconds(none, Pass::Fused), 0.0);
        }
    }
}
