//! What a data set holds: `cargo run -p secateur-data --example describe -- digits`, or a file or folder.

#![expect(clippy::print_stdout, reason = "an example talks to its user")]

use secateur_data::{Error, LoadOptions, Scaling, SplitOptions, Target, load, split};

fn main() -> Result<(), Error> {
    let spec = std::env::args().nth(1).unwrap_or_else(|| "digits".into());
    let options = LoadOptions {
        data_dir: std::env::var_os("SECATEUR_DATA").map(Into::into),
        ..LoadOptions::default()
    };
    let dataset = load(&spec, &options)?;
    let parts = split(&dataset, 1, &SplitOptions::default())?;
    let scaling = dataset.default_scaling();
    let standardiser = dataset.standardiser(&parts.train, scaling)?;

    println!(
        "{}: {} rows of shape {:?}",
        dataset.name(),
        dataset.rows(),
        dataset.shape()
    );
    match dataset.target() {
        Target::Classes { names, .. } => println!("classes: {}", names.join(", ")),
        Target::Values { columns, .. } => println!("numbers: {}", columns.join(", ")),
    }
    println!(
        "{} training, {} validation and {} test rows",
        parts.train.len(),
        parts.validation.len(),
        parts.test.len()
    );
    let (shift, scale) = (standardiser.shift()[0], standardiser.scale()[0]);
    println!("the first input becomes (x - {shift}) / {scale}");
    if dataset.image().is_some()
        && let Scaling::PerChannel { mean, std } =
            Scaling::measure_channels(&dataset, &parts.train)?
    {
        println!("channels have means {mean:?} and deviations {std:?}");
    }
    for note in dataset.notes().iter().chain(&parts.notes) {
        println!("note: {note}");
    }
    println!("sha256 {}", dataset.fingerprint());
    Ok(())
}
