//! What a cut took, given back by formula: inputs without labels are all it takes.

mod evidence;
mod feeds;
mod inputs;
mod lost;
mod memory;
mod metadata;
mod rounding;
mod runner;
mod told;
mod unlike;
mod verified;
mod whole;

use std::str::FromStr;
use std::time::Instant;

use secateur_graph::{Graph, Op, infer_shapes, kept_positions, shrink};
use secateur_onnx::write_parts;
use secateur_prune::repair::{
    Effort, MadeSpread, Outcome, Parts, Repaired, Repairer, Step, Untouched, re_estimated,
    reconstruction, variances,
};
use secateur_prune::{Criterion, Measured, Needs};

use super::files::LOCATION;
use super::{ModelFile, SmallModel};
use crate::{Error, ErrorKind, Result};

pub use evidence::RepairEvidence;
pub use inputs::RepairInputs;
pub use lost::{Changed, Loss, OutputLoss};
pub use rounding::Rounded;

use lost::{Outputs, further, losses};
use metadata::{REPAIR_PROPERTY, how_made, put_property};
use runner::OnRuntime;
use unlike::unlike;
use verified::verified;

/// What a network is called that nothing that was tried brought nearer.
const AS_CUT: &str = "nothing, as what was tried came no nearer";

/// How a model is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RepairBy {
    /// Weights by least squares, and what becomes of variances as the outputs say.
    #[default]
    Formula,
    /// Means and variances of batch normalizations, measured anew; weights stay.
    Statistics,
}

impl RepairBy {
    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Formula => "formula",
            Self::Statistics => "statistics",
        }
    }
}

impl FromStr for RepairBy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "formula" => Ok(Self::Formula),
            "statistics" => Ok(Self::Statistics),
            other => Err(Error::usage(format!("'{other}' is no way to repair"))
                .at("--repair-by")
                .hint("formula or statistics")),
        }
    }
}

impl ModelFile {
    /// Whether the model has running statistics, which are those of batch normalizations.
    ///
    /// # Errors
    /// If it has none.
    pub fn check_statistics(&self) -> Result<()> {
        let is_norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
        if self.graph.nodes().iter().any(|n| is_norm(&n.op)) {
            return Ok(());
        }
        let message = "has no BatchNormalization by running statistics, so that there are none to measure anew";
        Err(Error::new(ErrorKind::Input, message).at(&self.name).hint(
            "repair by formula instead (--repair DATA); where normalization was folded into layers, export the model without that (PyTorch: model.eval(), training=TrainingMode.PRESERVE)",
        ))
    }
}

/// What came of repairing a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// Inputs that were fitted on, chosen on, and tested on.
    pub(super) rows: [usize; 3],
    /// How, in words: which of the ways that were tried came nearest.
    pub(super) way: &'static str,
    /// What became of each reader, in their order.
    pub(super) readers: Vec<Repaired>,
    /// Readers that keep their weights.
    pub(super) untouched: Vec<Untouched>,
    /// Normalizations whose statistics were measured anew.
    pub(super) norms: usize,
    /// How far each output is from what it was.
    pub(super) outputs: Vec<OutputLoss>,
    /// What the user should know of the inputs.
    pub(super) notes: Vec<String>,
    /// What went in.
    pub(super) fed: Vec<String>,
    /// How the file was verified.
    pub(super) evidence: RepairEvidence,
    pub(super) seconds: f64,
}

impl Repair {
    /// How far each output is from what it was.
    pub fn outputs(&self) -> &[OutputLoss] {
        &self.outputs
    }

    /// What became of each reader, in their order.
    pub fn readers(&self) -> &[Repaired] {
        &self.readers
    }

    /// Readers that keep their weights.
    pub fn untouched(&self) -> &[Untouched] {
        &self.untouched
    }

    /// How, in words: which of the ways that were tried came nearest.
    pub fn way(&self) -> &'static str {
        self.way
    }

    /// How many inputs were fitted on, chosen on, and tested on.
    pub fn inputs(&self) -> [usize; 3] {
        self.rows
    }
}

/// A network that may be the repaired one.
struct Candidate {
    way: &'static str,
    graph: Graph,
    readers: Vec<Repaired>,
    norms: usize,
}

impl RepairInputs {
    /// What a criterion needs that takes inputs, but no targets.
    ///
    /// # Errors
    /// If the independent runtime cannot run the model, or an activation is not finite.
    pub fn measured_for(
        &self,
        by: Criterion,
        file: &ModelFile,
        tell: &dyn Fn(Step),
    ) -> Result<Measured> {
        let runner = OnRuntime::of(file, tell);
        let mut measured = Measured::default();
        let place = |e: secateur_prune::Error| Error::from(e).or_at(&file.name);
        match by.needs() {
            // Gradients take targets.
            Needs::Nothing | Needs::Gradients => {}
            Needs::Variances => {
                let found = variances(
                    &infer_shapes(&file.graph)?,
                    &file.groups,
                    &self.fit,
                    &runner,
                );
                measured.variances = Some(found.map_err(place)?);
            }
            Needs::Covariances => {
                let graph = infer_shapes(&file.graph)?;
                let found =
                    reconstruction(&graph, &file.groups, self.parts(), self.effort(), &runner);
                measured.reconstruction = Some(found.map_err(place)?);
            }
        }
        Ok(measured)
    }

    pub(super) fn effort(&self) -> Effort {
        Effort::usual(self.seed, self.memory)
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            fit: &self.fit,
            choose: &self.choose,
            test: &self.test,
        }
    }
}

impl SmallModel {
    /// Brings what reads fewer channels nearest to what it made in the model of `file`, one reader after the other, and verifies the file
    /// with the new weights. Of several ways to go about variances, that one is taken whose outputs are nearest on the part of the inputs
    /// that is chosen on.
    ///
    /// # Errors
    /// If the independent runtime cannot run the model, an activation is not finite, there is nothing to repair, or the result cannot be
    /// verified.
    pub fn repair(
        mut self,
        file: &ModelFile,
        inputs: &RepairInputs,
        by: RepairBy,
        tell: &dyn Fn(Step),
    ) -> Result<Self> {
        let runner = OnRuntime::of(file, tell);
        let start = Instant::now();
        let kept = kept_positions(&file.groups, self.keep());
        let small = infer_shapes(&shrink(&file.graph, &file.groups, self.keep())?.graph)?;
        let wide = infer_shapes(&file.graph)?;
        let place = |e: secateur_prune::Error| Error::from(e).or_at(&file.name);
        let anew =
            |graph: &Graph| re_estimated(graph, &inputs.fit, inputs.memory, &runner).map_err(place);
        let statistics = anew(&small)?;
        let statistics = (statistics.1 > 0).then_some(statistics);
        let mut untouched = vec![];
        let mut candidates = vec![];
        match by {
            RepairBy::Statistics => {
                if statistics.is_none() {
                    file.check_statistics()?;
                }
            }
            RepairBy::Formula => {
                let repairer = Repairer::new(
                    (&wide, &small),
                    &kept,
                    inputs.parts(),
                    inputs.effort(),
                    &runner,
                );
                let repairer = repairer.map_err(place)?;
                if !repairer.has_readers() {
                    return Err(nothing_to_repair(file, repairer.untouched()));
                }
                for (spread, way) in [
                    (MadeSpread::Keep, "formula"),
                    (MadeSpread::Match, "formula, variances matched"),
                ] {
                    let Outcome { graph, readers } = repairer.repaired(spread).map_err(place)?;
                    candidates.push(Candidate {
                        way,
                        graph,
                        readers,
                        norms: 0,
                    });
                }
                if let Some(first) = candidates.first().filter(|_| statistics.is_some()) {
                    let (graph, norms) = anew(&first.graph)?;
                    let readers = first.readers.clone();
                    candidates.push(Candidate {
                        way: "formula, then statistics",
                        graph,
                        readers,
                        norms,
                    });
                }
                candidates.push(Candidate {
                    way: AS_CUT,
                    graph: small.clone(),
                    readers: vec![],
                    norms: 0,
                });
                untouched = repairer.untouched().to_vec();
            }
        }
        if let Some((graph, norms)) = &statistics {
            candidates.push(Candidate {
                way: "statistics",
                graph: graph.clone(),
                readers: vec![],
                norms: *norms,
            });
        }
        let best = nearest(&runner, candidates, &wide, inputs)?;
        let test = Outputs::of(&runner, &wide, &inputs.test)?;
        let of_statistics = statistics.as_ref().map(|(graph, _)| graph);
        let outputs = losses(
            &runner,
            &test,
            [Some(&small), of_statistics, Some(&best.graph)],
            inputs,
        )?;
        let mut notes = inputs.notes.clone();
        notes.extend(of_statistics.and_then(|measured| unlike(&small, measured)));
        notes.extend(test.odd());
        notes.extend(further(&outputs));
        let mut model = file.patched(&best.graph)?;
        put_property(
            &mut model,
            REPAIR_PROPERTY,
            how_made(&self.choice, by, best.way, inputs, &outputs),
        );
        let parts = write_parts(model, LOCATION)?;
        let evidence = verified(file, &best.graph, &parts, inputs)?;
        self.parts = parts;
        self.repair = Some(Repair {
            rows: inputs.rows,
            way: best.way,
            readers: best.readers,
            untouched,
            norms: best.norms,
            outputs,
            notes,
            fed: inputs.fed.clone(),
            evidence,
            seconds: start.elapsed().as_secs_f64(),
        });
        Ok(self)
    }

    /// What came of repairing it, if that was asked for.
    pub fn repaired(&self) -> Option<&Repair> {
        self.repair.as_ref()
    }
}

/// The candidate whose outputs are nearest to those of `wide` on the part of the inputs that is chosen on.
fn nearest(
    runner: &OnRuntime<'_>,
    candidates: Vec<Candidate>,
    wide: &Graph,
    inputs: &RepairInputs,
) -> Result<Candidate> {
    let want = Outputs::of(runner, wide, &inputs.choose)?;
    let mut best: Option<(f64, Candidate)> = None;
    for candidate in candidates {
        let distance = want.distance(&Outputs::of(runner, &candidate.graph, &inputs.choose)?);
        if best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    let none = || Error::new(ErrorKind::Input, "there is nothing to repair");
    Ok(best.ok_or_else(none)?.1)
}

fn nothing_to_repair(file: &ModelFile, untouched: &[Untouched]) -> Error {
    let message = "has nothing that formulas repair: no product or convolution reads fewer channels than it did";
    let error = Error::new(ErrorKind::Input, message).at(&file.name);
    match untouched {
        [] => error.hint("leave out --repair"),
        [first, ..] => error.hint(format!(
            "'{}' keeps its weights, as {}; leave out --repair",
            first.node, first.why
        )),
    }
}
