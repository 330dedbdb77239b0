//! The `secateur` command.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod grid_progress;
mod interrupt;
mod limit;
mod output;
mod progress;
mod quiet;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    quiet::runtime();
    let paint = output::Paint::new(cli.color);
    let done = match cli.command {
        Command::Compress(flags) => commands::compress::run(*flags, paint),
        Command::Path(flags) => commands::path::run(&flags, paint),
        Command::Compare(flags) => commands::compare::run(&flags, paint),
        Command::Structure(flags) => commands::structure::run(&flags, paint),
        Command::Report(flags) => commands::report::run(&flags),
        Command::New(flags) => commands::new::run(&flags),
        Command::Inspect(flags) => commands::model::inspect(&flags),
        Command::Shrink(flags) => commands::model::shrink(&flags),
        Command::Bench(flags) => commands::bench::run(&flags, paint),
    };
    match done {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            output::error(&error, paint);
            ExitCode::from(error.kind().exit_code())
        }
    }
}
