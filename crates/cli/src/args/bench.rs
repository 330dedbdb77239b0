//! Flags of `secateur bench`.

use std::path::PathBuf;

use clap::Args;
use secateur::latency::Settings;
use secateur::{Error, Result};

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
    /// Lengths of an input's open axes, such as x=1x3x640x640; NAME= may be left out where the models have one input; once for each
    /// input. The first length is the batch where --batch does not say otherwise
    #[arg(long, value_name = "[NAME=]LENGTHS", help_heading = "Measurement")]
    pub(crate) shape: Vec<String>,
    /// Length of all other open axes of inputs, the batch apart
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
    /// What is measured; whether that makes sense is told by whoever measures. `rows` are those of the shapes that were typed.
    ///
    /// # Errors
    /// If the shapes have a batch that is not measured.
    pub(crate) fn settings(&self, rows: Option<usize>) -> Result<Settings> {
        if let Some(rows) = rows.filter(|n| !self.batch.is_empty() && !self.batch.contains(n)) {
            let asked: Vec<String> = self.batch.iter().map(ToString::to_string).collect();
            let asked = asked.join(",");
            return Err(
                Error::usage(format!("{rows} rows are given, and --batch {asked}"))
                    .at("--shape")
                    .hint("give the same batch, or leave out --batch"),
            );
        }
        let batches = match (self.batch.is_empty(), rows) {
            (true, Some(rows)) => vec![rows],
            (true, None) | (false, _) => self.batch.clone(),
        };
        Ok(Settings {
            batches,
            threads: self.threads.clone(),
            seconds: self.seconds,
            length: self.length,
            seed: self.seed,
        })
    }
}
