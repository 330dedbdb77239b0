//! The small sets that come with the program, so that its first command needs no download.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::image::ImageShape;
use crate::options::{LoadOptions, Task};
use crate::{drawn, table};

/// The names that [`load`](crate::load) knows without a file: two sets of real data, and those that are
/// [`drawn`](crate::drawn) from formulas.
pub const EMBEDDED: [&str; 7] = [
    "digits", "diabetes", "sine", "steps", "sinc", "ripple", "peaks",
];

/// The names as a message lists them.
pub(crate) fn names() -> String {
    format!("`{}`", EMBEDDED.join("`, `"))
}

/// 1,797 handwritten digits of 8 x 8 pixels from 0 to 16, the label last.
const DIGITS: &[u8] = include_bytes!("../embedded/digits.csv.gz");

/// 442 patients: ten measurements, and how far the disease went a year later.
const DIABETES: &[u8] = include_bytes!("../embedded/diabetes.csv");

/// Reads the embedded set `name`, if there is one. Its own target and task hold unless `options` say otherwise.
///
/// # Errors
/// A target that the set does not have.
pub(crate) fn read(name: &str, options: &LoadOptions) -> Option<Result<Dataset>> {
    match name {
        "digits" => Some(digits(options)),
        "diabetes" => Some(diabetes(options)),
        _ => drawn::read(name, options),
    }
}

fn digits(options: &LoadOptions) -> Result<Dataset> {
    let mut text = Vec::new();
    GzDecoder::new(DIGITS)
        .read_to_end(&mut text)
        .map_err(|_| Error::new(ErrorKind::Malformed, "the embedded digits are damaged"))?;
    let dataset = read_as(&text, "digits", Task::Classification, options)?;
    if options.target.is_some() {
        return Ok(dataset);
    }
    Ok(dataset.with_notes(Vec::new()).with_image(ImageShape {
        height: 8,
        width: 8,
        channels: 1,
    }))
}

fn diabetes(options: &LoadOptions) -> Result<Dataset> {
    let dataset = read_as(DIABETES, "diabetes", Task::Regression, options)?;
    Ok(match options.target {
        None => dataset.with_notes(Vec::new()),
        Some(_) => dataset,
    })
}

fn read_as(text: &[u8], name: &str, task: Task, options: &LoadOptions) -> Result<Dataset> {
    let task = options.task.or(options.target.is_none().then_some(task));
    let options = LoadOptions {
        task,
        header: None,
        ..options.clone()
    };
    table::read(text, name, &options).map_err(|error| error.in_file(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Target;

    #[test]
    fn digits_are_pictures_of_ten_classes() {
        let digits = read("digits", &LoadOptions::default()).unwrap().unwrap();
        assert_eq!(
            (digits.rows(), digits.inputs(), digits.outputs()),
            (1_797, 64, 10)
        );
        let Target::Classes { labels, names } = digits.target() else {
            panic!("digits are classes");
        };
        assert_eq!((names[0].as_str(), names[9].as_str()), ("0", "9"));
        assert_eq!(labels[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // First row of the file as scikit-learn ships it.
        let row: Vec<f32> = (0..8)
            .map(|column| digits.features().cell(0, column))
            .collect();
        assert_eq!(row, [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
        assert_eq!(
            digits.image().map(|image| image.height * image.width),
            Some(64)
        );
        assert!(digits.notes().is_empty());
    }

    #[test]
    fn diabetes_is_a_regression_of_ten_measurements() {
        let diabetes = read("diabetes", &LoadOptions::default()).unwrap().unwrap();
        assert_eq!(
            (diabetes.rows(), diabetes.inputs(), diabetes.outputs()),
            (442, 10, 1)
        );
        assert_eq!(diabetes.feature_names()[..3], ["age", "sex", "bmi"]);
        let Target::Values { values, .. } = diabetes.target() else {
            panic!("diabetes is a regression");
        };
        // The mean that Efron et al. (2004) and scikit-learn's documentation give.
        let mean = values.iter().sum::<f32>() / 442.0;
        assert!((mean - 152.13).abs() < 0.01, "{mean}");
    }

    #[test]
    fn another_target_may_be_asked_for() {
        let options = LoadOptions {
            target: Some(vec!["bmi".into()]),
            ..LoadOptions::default()
        };
        let set = read("diabetes", &options).unwrap().unwrap();
        assert_eq!(set.feature_names()[9], "progression");
        let options = LoadOptions {
            target: Some(vec!["weight".into()]),
            ..LoadOptions::default()
        };
        let error = read("diabetes", &options).unwrap().unwrap_err();
        assert_eq!(error.to_string(), "diabetes: no column `weight`");
    }
}
