//! Flags of `secateur bench`.

use std::path::PathBuf;

use clap::Args;
use secateur::latency::Settings;

/// Flags of `secateur bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchFlags {
    /// ONNX files; ratios are to the first
    #[arg(required = true, value_name = "MODEL")]
    pub(crate) models: Vec<PathBuf>,
    /// Rows a call [default: 1,32, or the only batch that a model takes]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        help_heading = "Measurement"
    )]
    batch: Vec<usize>,
    /// Threads of each engine
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "LIST",
        default_value = "1",
        help_heading = "Measurement"
    )]
    threads: Vec<usize>,
    /// How long each batch is measured on each number of threads, all models and engines together; at
    /// least 5 rounds are made
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Settings::default().seconds,
        allow_negative_numbers = true,
        help_heading = "Measurement"
    )]
    seconds: f64,
    /// Length of open axes of inputs, the batch apart
    #[arg(
        long,
        value_name = "POSITIONS",
        default_value_t = Settings::default().length,
        help_heading = "Measurement"
    )]
    length: usize,
    /// Of the drawn inputs
    #[arg(long, default_value_t = 0, help_heading = "Measurement")]
    seed: u64,
    /// Print everything as JSON
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

impl BenchFlags {
    /// What is measured; whether that makes sense is told by whoever measures.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            batches: self.batch.clone(),
            threads: self.threads.clone(),
            seconds: self.seconds,
            length: self.length,
            seed: self.seed,
        }
    }
}
