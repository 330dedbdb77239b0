//! A model without the units that a choice drops, verified against the masked one.

use secateur_graph::{Cost, Cut, Graph, Keep, Shrunk, mask, shrink};
use secateur_onnx::{Parts, write_parts};
use secateur_prune::{Choice, Measured, Nearest, Selection, first_not_a_number};

use super::ModelFile;
use super::check::{ModelEvidence, Models, check, read_back};
use super::files::{Beside, LOCATION};
use super::repair::Repair;
use crate::{Error, ErrorKind, Result};

/// A smaller model that computes what the masked one does.
#[derive(Debug, Clone)]
pub struct SmallModel {
    pub(super) parts: Parts,
    /// What lies beside the model that it was made of.
    pub(super) beside: Beside,
    keep: Keep,
    nearest: Option<Nearest>,
    scores: Vec<Vec<f64>>,
    cuts: Vec<Cut>,
    cost: Cost,
    evidence: ModelEvidence,
    /// By which its units were chosen.
    pub(super) choice: Choice,
    pub(super) repair: Option<Repair>,
}

impl SmallModel {
    /// The content of its own file. [`SmallModel::write`] writes it with what it keeps beside it.
    pub fn bytes(&self) -> &[u8] {
        &self.parts.model
    }

    /// The data of the tensors that keep theirs in another file, as the model did that it was made of; empty if none
    /// does.
    pub fn data(&self) -> &[u8] {
        &self.parts.data
    }

    /// Bytes of all that is written: its own file, and that with the data.
    pub fn whole_bytes(&self) -> u64 {
        (self.parts.model.len() + self.parts.data.len()) as u64
    }

    /// By which its units were chosen.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Which units stayed.
    pub fn keep(&self) -> &Keep {
        &self.keep
    }

    /// What a limit on MACs came to, where much less stays than was asked for.
    pub fn nearest(&self) -> Option<&Nearest> {
        self.nearest.as_ref()
    }

    /// What every unit of every group was worth.
    pub fn scores(&self) -> &[Vec<f64>] {
        &self.scores
    }

    /// Which positions of which constants stayed.
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// What it costs.
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// How it was verified, before anything was measured anew.
    pub fn evidence(&self) -> &ModelEvidence {
        &self.evidence
    }

    /// Whether only units went that no weights read, so that there is nothing to repair.
    pub fn is_exact(&self, file: &ModelFile) -> bool {
        let unread = Keep::unread(&file.graph, &file.groups, 0);
        file.groups.iter().all(|(id, group)| {
            (0..group.units).all(|unit| self.keep.keeps(id, unit) || !unread.keeps(id, unit))
        })
    }

    /// The network of the file, as it reads back.
    ///
    /// # Errors
    /// If it does not.
    pub fn graph(&self) -> Result<Graph> {
        read_back(&self.parts)
    }
}

/// Removes units from a model by its weights, reads the result back, and compares it with the masked model on drawn inputs.
///
/// # Errors
/// As [`shrink_model_on`].
pub fn shrink_model(file: &ModelFile, choice: &Choice) -> Result<SmallModel> {
    shrink_model_on(file, choice, &Measured::default())
}

/// The same by a criterion that needs what was measured: see [`ModelData::measured_for`](super::ModelData::measured_for).
///
/// # Errors
/// If the choice makes no sense or no unit goes by it though some should, weights are not numbers, something was not measured, training
/// information names what would change, or the two models differ or cannot be run.
pub fn shrink_model_on(
    file: &ModelFile,
    choice: &Choice,
    measured: &Measured,
) -> Result<SmallModel> {
    check_weights(file)?;
    let scores = choice
        .by
        .scores(&file.graph, &file.groups, measured, choice.seed)?;
    let costs = |graph: &Graph| file.cost_of(graph);
    let selected = choice.decide_by(&scores, &file.graph, &file.groups, &costs);
    let Selection { keep, nearest } =
        selected.map_err(Error::from).map_err(|e| match e.kind() {
            ErrorKind::OutOfReach => e.or_at(&file.name),
            _ => e,
        })?;
    let (parts, cuts) = cut(file, &keep)?;
    let masked = || Ok(mask(&file.graph, &file.groups, &keep)?);
    let models = Models {
        file,
        masked: &masked,
        is_masked: !keep.is_all(),
        small: &parts,
    };
    let cost = file.cost_of(&models.small_graph()?)?;
    let evidence = check(&models, choice.seed)?;
    Ok(SmallModel {
        parts,
        beside: file.beside.clone(),
        keep,
        nearest,
        scores,
        cuts,
        cost,
        evidence,
        choice: choice.clone(),
        repair: None,
    })
}

fn check_weights(file: &ModelFile) -> Result<()> {
    match first_not_a_number(&file.graph) {
        None => Ok(()),
        Some(tensor) => Err(
            Error::new(ErrorKind::Input, "holds a weight that is not a number")
                .at(format!("{}: {tensor}", file.name))
                .hint("training has diverged: take an earlier state of the model"),
        ),
    }
}

/// The model without what goes, as bytes. Weights may be most of the memory there is: each network goes before the
/// next one comes.
fn cut(file: &ModelFile, keep: &Keep) -> Result<(Parts, Vec<Cut>)> {
    let Shrunk { graph, cuts, .. } = shrink(&file.graph, &file.groups, keep)?;
    let model = match keep.is_all() {
        // Where nothing goes, nothing is settled either.
        true => file.as_it_came()?,
        false => file.patched(&graph)?,
    };
    drop(graph);
    Ok((write_parts(model, LOCATION)?, cuts))
}
