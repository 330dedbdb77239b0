//! Running statistics of a model that lost units, measured anew.

use std::fmt;

use secateur_graph::{Keep, Op, shrink};
use secateur_onnx::write_parts;

use super::files::LOCATION;
use super::{ModelData, ModelFile, SmallModel};
use crate::markdown::grouped;
use crate::verify::Evidence;
use crate::{Error, ErrorKind, Result};

/// What came of measuring running statistics anew.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recalibration {
    /// Only units went that no weights read: what normalisations see is what it was.
    NotNeeded,
    /// Means and variances are those of the data.
    Measured {
        /// What the data set is called.
        data: String,
        /// Training rows that were measured.
        rows: usize,
        /// How many normalisations there are.
        nodes: usize,
        /// How the file was verified then.
        verified: Evidence,
    },
}

impl fmt::Display for Recalibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded => f.write_str(
                "not recalibrated: only units went that no weights read, so that no statistics changed",
            ),
            Self::Measured {
                data,
                rows,
                nodes,
                verified,
            } => {
                let plural = if *nodes == 1 { "" } else { "s" };
                let compared = match verified.naive_rows {
                    1 => "the first test row".to_owned(),
                    n => format!("the first {} test rows", grouped(n as u64)),
                };
                write!(
                    f,
                    "recalibrated: means and variances of {nodes} normalisation{plural} on {} training rows of {data}; the file \
                     as it reads back agrees on {compared}, on {} and on the f64 evaluator within {:.0e} (relative)",
                    grouped(*rows as u64),
                    verified.runtime,
                    verified.runtime_difference
                )
            }
        }
    }
}

impl ModelFile {
    /// Whether the model has running statistics, which are those of batch normalisations.
    ///
    /// # Errors
    /// If it has none.
    pub fn check_statistics(&self) -> Result<()> {
        let is_norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
        if self.graph.nodes().iter().any(|n| is_norm(&n.op)) {
            return Ok(());
        }
        let message = "has no BatchNormalization, so that there are no statistics to measure anew";
        Err(Error::new(ErrorKind::Input, message).at(&self.name).hint(
            "repair by formula instead (--repair DATA); where normalisation was folded into layers, export the model for training (PyTorch: training=TrainingMode.TRAINING)",
        ))
    }
}

impl SmallModel {
    /// Measures the statistics of all batch normalisations anew on the rows of `data`, as training would average them over batches
    /// with equal weights, and verifies the file with them: as it reads back, on the independent runtime and on the naive
    /// evaluator, on test rows. Weights stay. Nothing is done where units went that no weights read.
    ///
    /// # Errors
    /// If the model has no such nodes, cannot be trained, does not fit the data, or cannot be verified.
    pub fn recalibrate(mut self, file: &ModelFile, data: &ModelData) -> Result<Self> {
        file.check_statistics()?;
        if self.is_exact(file) {
            self.recalibration = Some(Recalibration::NotNeeded);
            return Ok(self);
        }
        let shrunk = shrink(&file.graph, &file.groups, self.keep())?.graph;
        let place = |e: Error| e.in_file(&file.name);
        let measured = data.measured(&shrunk).map_err(place)?;
        let graph = &measured.graph;
        let parts = write_parts(file.patched(graph)?, LOCATION)?;
        let core = data.core(graph);
        let verified = data.job.verified_file(parts, LOCATION, graph, &core);
        let (parts, evidence) = verified.map_err(place)?.into_parts();
        self.parts = parts;
        self.recalibration = Some(Recalibration::Measured {
            data: data.name().to_owned(),
            rows: measured.rows,
            nodes: measured.nodes,
            verified: evidence,
        });
        Ok(self)
    }

    /// What came of measuring statistics anew, if that was asked for.
    pub fn recalibration(&self) -> Option<&Recalibration> {
        self.recalibration.as_ref()
    }

    /// Whether only units went that no weights read.
    fn is_exact(&self, file: &ModelFile) -> bool {
        let unread = Keep::unread(&file.graph, &file.groups, 0);
        file.groups.iter().all(|(id, group)| {
            (0..group.units).all(|unit| self.keep().keeps(id, unit) || !unread.keeps(id, unit))
        })
    }
}

#[cfg(test)]
mod tests;
