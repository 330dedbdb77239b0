//! A model without the units that a choice drops, verified against the masked one.

use secateur_graph::{Cost, Cut, Keep, Shrunk, cost, mask, shrink};
use secateur_onnx::{Parts, write_parts};

use super::check::{ModelEvidence, Models, check};
use super::choose::first_not_a_number;
use super::files::{Beside, LOCATION};
use super::{Choice, ModelFile};
use crate::{Error, ErrorKind, Result};

/// A smaller model that computes what the masked one does.
#[derive(Debug, Clone)]
pub struct SmallModel {
    pub(super) parts: Parts,
    /// What lies beside the model that it was made of.
    pub(super) beside: Beside,
    keep: Keep,
    scores: Vec<Vec<f64>>,
    cuts: Vec<Cut>,
    cost: Cost,
    evidence: ModelEvidence,
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

    /// Which units stayed.
    pub fn keep(&self) -> &Keep {
        &self.keep
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

    /// How it was verified.
    pub fn evidence(&self) -> &ModelEvidence {
        &self.evidence
    }
}

/// Removes units from a model, reads the result back, and compares it with the masked model on drawn inputs.
///
/// # Errors
/// If the choice makes no sense, weights are not numbers, training information names what would change, or the two
/// models differ or cannot be run.
pub fn shrink_model(file: &ModelFile, choice: &Choice) -> Result<SmallModel> {
    if let Some(tensor) = first_not_a_number(&file.graph) {
        return Err(
            Error::new(ErrorKind::Input, "holds a weight that is not a number")
                .at(format!("{}: {tensor}", file.name))
                .hint("training has diverged: take an earlier state of the model"),
        );
    }
    let scores = choice.scores(&file.graph, &file.groups);
    let keep = choice.decide_by(&scores, &file.graph, &file.groups)?;
    let (parts, cuts) = cut(file, &keep)?;
    let masked = || Ok(mask(&file.graph, &file.groups, &keep)?);
    let models = Models {
        file,
        masked: &masked,
        is_masked: !keep.is_all(),
        small: &parts,
    };
    let cost = cost(&models.small_graph()?)?;
    let evidence = check(&models, choice.seed)?;
    Ok(SmallModel {
        parts,
        beside: file.beside.clone(),
        keep,
        scores,
        cuts,
        cost,
        evidence,
    })
}

/// The model without what goes, as bytes. Weights may be most of the memory there is: each network goes before the
/// next one comes.
fn cut(file: &ModelFile, keep: &Keep) -> Result<(Parts, Vec<Cut>)> {
    let Shrunk { graph, cuts, .. } = shrink(&file.graph, &file.groups, keep)?;
    let model = match keep.is_all() {
        // Where nothing goes, nothing is settled either.
        true => file.patched(&file.plain, &file.plain)?,
        false => file.patched(&file.graph, &graph)?,
    };
    drop(graph);
    Ok((write_parts(model, LOCATION)?, cuts))
}
