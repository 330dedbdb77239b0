//! What a path leaves behind: its points with what was measured of each, serialised as `path.json`.

use serde::{Deserialize, Serialize};

use super::curve::{Spot, dominated, knee};
use super::quality_drop::{QualityDrop, nearest, smallest_within};
use crate::origin::GIVEN;
use crate::report::{DataReport, Machine};
use crate::verify::Evidence;
use crate::{Error, ErrorKind, Result};

/// What `path.json` means; raised when a reader of an older one would misread it.
pub const PATH_FORMAT: u32 = 1;

/// Everything a path measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathReport {
    /// [`PATH_FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Version of the program.
    pub secateur: String,
    /// First 16 hexadecimal digits of the SHA-256 of the complete config.
    pub config_hash: String,
    /// How the path ended.
    pub ended: PathEnd,
    /// The network that it started from: `chain` of dense layers, the name of one for images, or `given`.
    pub start: String,
    /// What was read.
    pub data: DataReport,
    /// What scores are: `accuracy` (share of rows) or `rmse` (in the target's units).
    pub metric: String,
    /// Cuts that were asked for.
    pub points_asked: usize,
    /// Share of the starting MACs that the last of them was to keep.
    pub least_share: f64,
    /// Lambda of every cut.
    pub strength: f64,
    /// The network that the path starts from, then those cut from it by falling MACs.
    pub points: Vec<PathPoint>,
    /// Name of the point where the curve of the validation rows bends, if it does.
    pub knee: Option<String>,
    /// The smallest network within the drop, if one was asked for.
    pub chosen: Option<Chosen>,
    /// What else should be known.
    pub notes: Vec<String>,
    /// Training time of all points.
    pub seconds: f64,
    /// What the path depended on beside the config.
    pub machine: Machine,
}

/// How a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathEnd {
    /// With all the points that were asked for.
    Complete,
    /// Where no layer could lose more units.
    OutOfReach,
    /// By the user.
    Interrupted,
    /// By a point that could not be trained or verified.
    Failed,
}

/// One network on the path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathPoint {
    /// Its folder: `point-00` is where the path starts; the others are numbered as they were trained.
    pub name: String,
    /// The point whose network it was cut from.
    pub from: Option<String>,
    /// The share of the starting MACs that it might keep.
    pub asked_share: f64,
    /// The share that it kept.
    pub share: f64,
    /// Multiply-accumulate operations a row.
    pub macs: u64,
    /// Weights and biases.
    pub params: u64,
    /// Size of the model file.
    pub bytes: u64,
    /// Input features read, then units of each hidden layer; of networks for images, the units of each group of channels.
    pub units: Vec<usize>,
    /// Accuracy or RMSE on the validation rows.
    pub validation_score: f64,
    /// The same on the test rows, which decide nothing.
    pub test_score: f64,
    /// Epochs it was trained for; 0 for a network that was given.
    pub epochs: usize,
    /// Training time.
    pub seconds: f64,
    /// Whether another point has no more MACs and no worse validation score.
    pub is_dominated: bool,
    /// How the written file was checked.
    pub verify: Evidence,
}

/// The network that a drop chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The drop as it was typed: `0.5pt` of accuracy, or `2%` of the error.
    pub drop: String,
    /// The worst validation score that is within it.
    pub limit: f64,
    /// Name of the smallest point within it; none if no point is.
    pub point: Option<String>,
    /// Name of the point with the best validation score, where none is within.
    pub nearest: Option<String>,
}

impl PathReport {
    /// Whether a larger score is better.
    pub fn higher_is_better(&self) -> bool {
        self.metric == "accuracy"
    }

    /// Whether the network at the start was trained already.
    pub fn starts_trained(&self) -> bool {
        self.start == GIVEN
    }

    /// The points as the trade-off sees them.
    pub fn spots(&self) -> Vec<Spot> {
        let spot = |p: &PathPoint| p.spot(self.higher_is_better());
        self.points.iter().map(spot).collect()
    }

    /// The point of that name.
    pub fn point(&self, name: &str) -> Option<&PathPoint> {
        self.points.iter().find(|p| p.name == name)
    }

    /// The content of `path.json`.
    ///
    /// # Errors
    /// Never in practice: every number has a place in JSON.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::new(ErrorKind::Environment, e.to_string()).at("path.json"))?;
        Ok(text + "\n")
    }

    /// Says of each point whether it is dominated, and names the knee and what the drop chooses; validation scores decide.
    pub(super) fn judge(&mut self, drop: Option<QualityDrop>) {
        let spots = self.spots();
        for (point, is_dominated) in self.points.iter_mut().zip(dominated(&spots)) {
            point.is_dominated = is_dominated;
        }
        let name = |i: usize| self.points[i].name.clone();
        self.knee = knee(&spots).map(name);
        self.chosen = drop.zip(spots.first()).map(|(drop, first)| {
            let within = smallest_within(&spots, drop);
            let limit = drop.limit(first.quality);
            Chosen {
                drop: drop.to_string(),
                limit: if self.higher_is_better() {
                    limit
                } else {
                    -limit
                },
                point: within.map(name),
                nearest: match within {
                    Some(_) => None,
                    None => nearest(&spots).map(name),
                },
            }
        });
    }
}

impl PathPoint {
    pub(super) fn spot(&self, higher_is_better: bool) -> Spot {
        Spot {
            macs: self.macs,
            quality: if higher_is_better {
                self.validation_score
            } else {
                -self.validation_score
            },
        }
    }
}
