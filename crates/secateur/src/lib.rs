//! Compress a neural network to the size that its data needs.
//!
//! [`compress`] carries out a whole run; [`RunFolder`] holds its results. What a run
//! may choose is a [`Config`]; what the choices mean for given data is a [`Plan`].
#![forbid(unsafe_code)]

mod assemble;
mod auto;
mod budget;
mod checkpoints;
mod choice;
mod choices;
pub mod compare;
mod compress;
mod config;
mod defaults;
mod error;
mod folder;
mod given_model;
mod history;
mod image_rows;
mod job;
pub mod latency;
mod layers;
mod load;
mod markdown;
mod measure;
mod memory;
mod model;
mod on_engine;
mod origin;
pub mod path;
mod plan;
mod prepare;
mod record;
mod report;
mod right_rows;
mod runtime;
mod spelt;
mod stages;
pub mod statistics;
mod verify;
mod whole_file;

pub use assemble::{Wrapping, assemble};
pub use auto::Try;
pub use budget::{Budget, BudgetReport, EngineTime, bytes_of};
pub use compress::{Outcome, Progress, Stage, compress, compress_in, compress_loaded};
pub use config::Config;
pub use error::{Error, ErrorKind, Result};
pub use folder::RunFolder;
pub use history::{EpochRecord, InputsRecord, Predictions, TargetPredictions};
pub use layers::{LayerReport, NormReport};
pub use load::load_data;
pub use markdown::Row;
pub use model::{
    Changed, Loss, ModelData, ModelEvidence, ModelFile, NewModel, OutputLoss, Quality, Repair,
    RepairBy, RepairEvidence, RepairInputs, Rounded, SmallModel, Start, new_model, quality_table,
    quality_to_json, shrink_model, shrink_model_on,
};
pub use origin::Origin;
pub use plan::{Decay, Plan};
pub use prepare::Prepared;
pub use record::RunRecord;
pub use report::{
    Arm, DataReport, FORMAT, Machine, RemovalReport, Report, SMALL, Seconds, WeightCount,
};
pub use right_rows::RightRows;
pub use runtime::Runtime;
pub use secateur_data::{EMBEDDED, InputOptions, Pixels};
pub use secateur_prune::repair::{Step, Untouched};
pub use secateur_prune::{Allocation, Choice, Criterion, Limit, Measured, Nearest, Needs};
pub use secateur_train::{Architecture, Ended, Epoch, Event, Flow, ImageSize, Score};
pub use verify::{Evidence, Verified};
