//! What a data set is: inputs, what to predict, and what a user should know about them.

use std::fmt;
use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::image::ImageShape;
use crate::standardise::{Scaling, Standardiser};

/// What is predicted of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One class of several.
    Classes {
        /// The class of each row, an index into `names`.
        labels: Vec<u32>,
        /// The name of each class as the file spells it: in the file's own order if it lists them, else sorted, numbers
        /// by value.
        names: Vec<String>,
    },
    /// One or several numbers.
    Values {
        /// The name of each predicted column.
        columns: Vec<String>,
        /// Rows x columns, in the target's own units.
        values: Vec<f32>,
    },
}

/// A table of inputs with its targets, checked: as many targets as rows, at least two classes or values that vary.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    name: String,
    features: Features,
    target: Target,
    feature_names: Vec<String>,
    shape: Vec<usize>,
    image: Option<ImageShape>,
    test_rows: Option<Range<usize>>,
    truth: Option<Vec<f32>>,
    notes: Vec<String>,
}

impl Dataset {
    /// A data set from tables made elsewhere; its columns are named `x1`, `x2`, ...
    ///
    /// # Errors
    /// Targets that do not fit the rows, a label beyond the class names, a target that is not finite; and
    /// [`ErrorKind::Degenerate`] where all rows have the same target.
    pub fn new(name: impl Into<String>, features: Features, target: Target) -> Result<Self> {
        check_target(&target, features.rows())?;
        Ok(Self {
            name: name.into(),
            feature_names: (1..=features.columns()).map(|c| format!("x{c}")).collect(),
            shape: vec![features.columns()],
            features,
            target,
            image: None,
            test_rows: None,
            truth: None,
            notes: Vec::new(),
        })
    }

    /// A short name for reports: the embedded set's, the folder's, or the file's without its extension.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The inputs.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// What is predicted.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.features.rows()
    }

    /// The width of the network's input.
    pub fn inputs(&self) -> usize {
        self.features.columns()
    }

    /// The width of the network's output: classes, or target columns.
    pub fn outputs(&self) -> usize {
        match &self.target {
            Target::Classes { names, .. } => names.len(),
            Target::Values { columns, .. } => columns.len(),
        }
    }

    /// The class of each row, where classes are predicted.
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.target {
            Target::Classes { labels, .. } => Some(labels),
            Target::Values { .. } => None,
        }
    }

    /// The name of each input column; a text column gives one name a value, `column=value`.
    pub fn feature_names(&self) -> &[String] {
        &self.feature_names
    }

    /// The sizes of a row's dimensions, whose product is [`Dataset::inputs`]: one for a table, channels, height and width
    /// for a picture, as many as a row of the array has where that comes from NumPy (steps and features of a sequence).
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The shape of a row, where rows are pictures.
    pub fn image(&self) -> Option<ImageShape> {
        self.image
    }

    /// The rows that came as a test set of their own (the `t10k` files of an IDX folder, say).
    pub fn test_rows(&self) -> Option<Range<usize>> {
        self.test_rows.clone()
    }

    /// The target of each row without its noise, rows x columns in the target's own units, where a set is
    /// [`drawn`](crate::drawn) from a formula; for reports and plots, as training must not see it.
    pub fn truth(&self) -> Option<&[f32]> {
        self.truth.as_deref()
    }

    /// What the reader inferred, expanded or found odd, one sentence each, to be shown to the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What suits the inputs unless the user says otherwise: [`Scaling::Unit`] for pictures, else [`Scaling::PerFeature`].
    pub fn default_scaling(&self) -> Scaling {
        match self.image {
            Some(_) => Scaling::Unit,
            None => Scaling::PerFeature,
        }
    }

    /// Copies standardised inputs; see [`Features::gather`]. Pictures come as `[rows][channels][height][width]`.
    ///
    /// # Panics
    /// As [`Features::gather`]; use [`Dataset::try_gather`] where rows may lie in files.
    pub fn gather(
        &self,
        rows: &[u32],
        columns: Option<&[u32]>,
        standardiser: &Standardiser,
        out: &mut [f32],
    ) {
        self.features.gather(rows, columns, standardiser, out);
    }

    /// As [`Dataset::gather`], also where rows lie in files.
    ///
    /// # Errors
    /// As [`Features::try_gather`].
    ///
    /// # Panics
    /// As [`Features::try_gather`].
    pub fn try_gather(
        &self,
        rows: &[u32],
        columns: Option<&[u32]>,
        standardiser: &Standardiser,
        out: &mut [f32],
    ) -> Result<()> {
        self.features.try_gather(rows, columns, standardiser, out)
    }

    /// Bytes that features and targets take in memory; those of pictures that lie in files are read when they are needed.
    pub fn bytes(&self) -> u64 {
        let features = match self.features.storage() {
            Storage::U8(cells) => cells.len(),
            Storage::F32(cells) => 4 * cells.len(),
            Storage::Files(_) => 0,
        };
        let targets = match &self.target {
            Target::Classes { labels, .. } => labels.len(),
            Target::Values { values, .. } => values.len(),
        };
        (features + 4 * targets) as u64
    }

    /// A hash of shapes, inputs and targets, names and truth left out: what a report says a run was trained on.
    ///
    /// Of pictures that lie in files it takes the bytes of these, not the pixels.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hasher = Sha256::new();
        hasher.update((self.rows() as u64).to_le_bytes());
        hasher.update((self.inputs() as u64).to_le_bytes());
        match self.features.storage() {
            Storage::U8(cells) => hasher.update(cells),
            Storage::F32(cells) => update_floats(&mut hasher, cells),
            Storage::Files(files) => files.digests().iter().for_each(|d| hasher.update(d)),
        }
        match &self.target {
            Target::Classes { labels, .. } => {
                labels.iter().for_each(|l| hasher.update(l.to_le_bytes()));
            }
            Target::Values { values, .. } => update_floats(&mut hasher, values),
        }
        Fingerprint(hasher.finalize().into())
    }

    pub(crate) fn with_feature_names(mut self, names: Vec<String>) -> Self {
        debug_assert_eq!(names.len(), self.inputs());
        self.feature_names = names;
        self
    }

    /// The same set, whose rows are pictures of channels one after another.
    ///
    /// # Panics
    /// If a row has not as many values as the picture.
    #[must_use]
    pub fn with_image(mut self, image: ImageShape) -> Self {
        assert_eq!(image.values(), self.inputs(), "values of a picture");
        self.shape = image.dimensions().to_vec();
        self.image = Some(image);
        self
    }

    pub(crate) fn with_shape(mut self, shape: Vec<usize>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), self.inputs());
        self.shape = shape;
        self
    }

    pub(crate) fn with_test_rows(mut self, rows: Range<usize>) -> Self {
        debug_assert!(rows.end <= self.rows());
        self.test_rows = Some(rows);
        self
    }

    pub(crate) fn with_truth(mut self, truth: Vec<f32>) -> Self {
        debug_assert_eq!(truth.len(), self.rows() * self.outputs());
        self.truth = Some(truth);
        self
    }

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }
}

/// A hash of a data set's content; `Display` writes it in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn update_floats(hasher: &mut Sha256, values: &[f32]) {
    values
        .iter()
        .for_each(|value| hasher.update(value.to_le_bytes()));
}

fn check_target(target: &Target, rows: usize) -> Result<()> {
    let degenerate = |message: String| Err(Error::new(ErrorKind::Degenerate, message));
    match target {
        Target::Classes { labels, names } => {
            same_rows(labels.len(), rows)?;
            if let Some(row) = labels.iter().position(|&l| l as usize >= names.len()) {
                return Err(Error::new(
                    ErrorKind::Value,
                    format!(
                        "row {} has label {} beyond the {} classes",
                        row + 1,
                        labels[row],
                        names.len()
                    ),
                ));
            }
            if labels.iter().all(|&label| label == labels[0]) {
                return degenerate(format!(
                    "all rows are of one class, `{}`",
                    names[labels[0] as usize]
                ));
            }
        }
        Target::Values { columns, values } => {
            let width = columns.len();
            if width == 0 {
                return Err(Error::new(ErrorKind::Usage, "no target column"));
            }
            same_rows(values.len(), rows * width)?;
            for (column, name) in columns.iter().enumerate() {
                let mut cells = values.iter().skip(column).step_by(width);
                if !cells.clone().all(|value| value.is_finite()) {
                    return Err(Error::new(ErrorKind::Value, "a target is not finite")
                        .in_column(name.as_str()));
                }
                if cells.all(|&value| value == values[column]) {
                    return degenerate(format!(
                        "the target `{name}` is {} in every row",
                        values[column]
                    ));
                }
            }
        }
    }
    Ok(())
}

fn same_rows(targets: usize, wanted: usize) -> Result<()> {
    if targets == wanted {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Malformed,
        format!("{targets} targets where {wanted} are needed"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_rows() -> Features {
        Features::new(Storage::U8(vec![1, 2, 3]), 1).unwrap()
    }

    fn classes(labels: &[u32]) -> Target {
        Target::Classes {
            labels: labels.to_vec(),
            names: vec!["a".into(), "b".into()],
        }
    }

    fn values(values: &[f32]) -> Target {
        Target::Values {
            columns: vec!["y".into()],
            values: values.to_vec(),
        }
    }

    #[test]
    fn targets_that_cannot_be_learnt_are_refused() {
        let error = |target| Dataset::new("t", three_rows(), target).unwrap_err();
        assert_eq!(error(classes(&[0, 1])).kind(), ErrorKind::Malformed);
        assert_eq!(
            error(classes(&[0, 1, 2])).to_string(),
            "row 3 has label 2 beyond the 2 classes"
        );
        assert_eq!(
            error(classes(&[1, 1, 1])).to_string(),
            "all rows are of one class, `b`"
        );
        assert_eq!(
            error(values(&[2.5, 2.5, 2.5])).kind(),
            ErrorKind::Degenerate
        );
        assert_eq!(
            error(values(&[2.5, f32::NAN, 1.0])).kind(),
            ErrorKind::Value
        );
    }

    #[test]
    fn the_fingerprint_tells_contents_apart_and_nothing_else() {
        let make =
            |name, labels: &[u32]| Dataset::new(name, three_rows(), classes(labels)).unwrap();
        let one = make("one", &[0, 1, 1]).fingerprint();
        assert_eq!(one, make("two", &[0, 1, 1]).fingerprint());
        assert_ne!(one, make("one", &[0, 1, 0]).fingerprint());
        assert_eq!(one.to_string().len(), 64);
    }
}
