//! A model without the units that a choice drops, verified against the masked one.

use secateur_graph::{
    Cost, Cut, Graph, Keep, Shrunk, cost, from_model, mask, patch, settle, shrink,
};
use secateur_onnx::{Limits, read, write};

use super::check::{ModelEvidence, check};
use super::choose::first_not_a_number;
use super::{Choice, ModelFile};
use crate::{Error, ErrorKind, Result};

/// A smaller model that computes what the masked one does.
#[derive(Debug, Clone)]
pub struct SmallModel {
    bytes: Vec<u8>,
    keep: Keep,
    scores: Vec<Vec<f64>>,
    cuts: Vec<Cut>,
    cost: Cost,
    evidence: ModelEvidence,
}

impl SmallModel {
    /// The content of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
/// If the choice makes no sense, weights are not numbers, or the two models differ or cannot be run.
pub fn shrink_model(file: &ModelFile, choice: &Choice) -> Result<SmallModel> {
    if let Some(tensor) = first_not_a_number(&file.graph) {
        return Err(
            Error::new(ErrorKind::Input, "holds a weight that is not a number")
                .at(format!("{}: {tensor}", file.name))
                .hint("training has diverged: take an earlier state of the model"),
        );
    }
    let keep = choice.decide(&file.graph, &file.groups)?;
    let serialise = |graph: &Graph| -> Result<Vec<u8>> {
        let model = patch(&file.model, &file.graph, graph)?;
        write(&model).map_err(|e| unreadable(&e))
    };
    let original = || -> Result<Vec<u8>> {
        let model = patch(&file.model, &file.plain, &file.plain)?;
        write(&model).map_err(|e| unreadable(&e))
    };
    // Weights may be most of the memory there is: each network goes before the next one comes.
    let Shrunk { graph, cuts, .. } = shrink(&file.graph, &file.groups, &keep)?;
    // Where nothing goes, nothing is settled either.
    let bytes = match keep.is_all() {
        true => original()?,
        false => serialise(&graph)?,
    };
    drop(graph);
    let back = read(&bytes, &Limits::default()).map_err(|e| unreadable(&e))?;
    let back = settle(&from_model(&back)?)?;
    if file.is_settled() && !keep.is_all() {
        // The masked model has its shapes settled, too: that is held to the file as it came.
        let settled = serialise(&file.graph)?;
        check(
            (&file.graph, original()?),
            (&file.graph, &settled),
            None,
            choice.seed,
        )?;
    }
    let masked = mask(&file.graph, &file.groups, &keep)?;
    let masked_bytes = serialise(&masked)?;
    let unmasked = (!keep.is_all()).then(original).transpose()?;
    let evidence = check(
        (&masked, masked_bytes),
        (&back, &bytes),
        unmasked,
        choice.seed,
    )?;
    Ok(SmallModel {
        cost: cost(&back)?,
        bytes,
        keep,
        scores: choice.scores(&file.graph, &file.groups),
        cuts,
        evidence,
    })
}

fn unreadable(error: &secateur_onnx::Error) -> Error {
    Error::new(
        ErrorKind::Verification,
        format!("the file does not read back: {error}"),
    )
}
