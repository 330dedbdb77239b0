//! How raw values become what the network trains on, from the training rows alone.

use crate::dataset::Target;
use crate::features::{Features, Storage};

/// How inputs are scaled.
#[derive(Debug, Clone, PartialEq)]
pub enum Scaling {
    /// Each column to mean 0 and standard deviation 1; columns of different units become comparable.
    PerFeature,
    /// All columns divided by the largest magnitude among them, so that pixels lie in 0 to 1 (for full-range bytes, `x / 255`).
    Unit,
    /// Pixels from 0 to 1 to `(x - mean) / std`, with a mean and a deviation for each channel, or one for all.
    ///
    /// Bytes are divided by 255 to lie in 0 to 1, whatever the largest among them; floats are taken as they are. So the
    /// numbers that are published with networks and data sets can be given as they stand.
    PerChannel {
        /// What is subtracted.
        mean: Vec<f32>,
        /// What is divided by; above 0.
        std: Vec<f32>,
    },
    /// Values as they are.
    None,
}

/// The largest byte.
const WHITE: f32 = 255.0;

/// What a pixel of 1 is in the units of `features`.
pub(crate) fn full_pixel(features: &Features) -> f32 {
    match features.storage() {
        Storage::U8(_) | Storage::Files(_) => WHITE,
        Storage::F32(_) => 1.0,
    }
}

/// The map `(x - shift) / scale` of each input column.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardiser {
    shift: Vec<f32>,
    scale: Vec<f32>,
    fill: Vec<f32>,
}

impl Standardiser {
    /// Measures the columns of `features` over `rows`, which should be the training rows.
    ///
    /// A column that is constant over `rows` keeps scale 1, as does one whose deviation is below the normal range of
    /// `f32`. Missing cells do not count; where a column has no value at all in `rows`, its fill is 0.
    ///
    /// Pictures that lie in files are not measured for [`Scaling::Unit`], which divides by 255.
    ///
    /// # Panics
    /// If a row does not exist; if the channels of [`Scaling::PerChannel`] do not divide the columns; if rows lie in files
    /// and are to be scaled per feature. [`Dataset::standardiser`](crate::Dataset::standardiser) gives an error for the
    /// last two.
    pub fn fit(features: &Features, rows: &[u32], scaling: Scaling) -> Self {
        let columns = features.columns();
        let in_files = matches!(features.storage(), Storage::Files(_));
        match scaling {
            Scaling::PerChannel { mean, std } => {
                return Self::per_channel(columns, full_pixel(features), &mean, &std);
            }
            Scaling::None if in_files => return Self::identity(columns),
            Scaling::Unit if in_files => {
                return Self::per_channel(columns, WHITE, &[0.0], &[1.0]);
            }
            _ => {}
        }
        let moments = Moments::of(columns, rows, |row, column| features.cell(row, column));
        let fill: Vec<f32> = moments.mean.iter().map(|&mean| mean as f32).collect();
        match scaling {
            Scaling::None | Scaling::PerChannel { .. } => Self {
                fill,
                ..Self::identity(columns)
            },
            Scaling::Unit => {
                let largest = moments.largest;
                let scale = if largest.is_normal() { largest } else { 1.0 };
                Self {
                    shift: vec![0.0; columns],
                    scale: vec![scale; columns],
                    fill,
                }
            }
            Scaling::PerFeature => Self {
                shift: fill.clone(),
                scale: moments.deviation(),
                fill,
            },
        }
    }

    /// The map of columns that are channels one after another, by mean and deviation of pixels whose full value is `white`;
    /// a missing pixel takes the mean.
    fn per_channel(columns: usize, white: f32, mean: &[f32], std: &[f32]) -> Self {
        let spread = |of: &[f32]| -> Vec<f32> {
            let channels = of.len();
            assert!(
                channels > 0 && columns.is_multiple_of(channels),
                "{channels} channels of {columns} columns"
            );
            let column = |column| of[column / (columns / channels)] * white;
            (0..columns).map(column).collect()
        };
        Self {
            shift: spread(mean),
            scale: spread(std),
            fill: spread(mean),
        }
    }

    /// The map to mean 0 and deviation 1 from means and variances of each column.
    pub(crate) fn of_moments(mean: Vec<f64>, variance: Vec<f64>) -> Self {
        let moments = Moments {
            mean,
            variance,
            largest: 0.0,
        };
        let shift: Vec<f32> = moments.mean.iter().map(|&mean| mean as f32).collect();
        Self {
            scale: moments.deviation(),
            fill: shift.clone(),
            shift,
        }
    }

    /// The map that changes nothing, for `columns` columns without missing cells (those would become 0).
    pub fn identity(columns: usize) -> Self {
        Self {
            shift: vec![0.0; columns],
            scale: vec![1.0; columns],
            fill: vec![0.0; columns],
        }
    }

    /// The same treatment of missing cells without shift and scale: raw values, as the written model takes them.
    #[must_use]
    pub fn unscaled(&self) -> Self {
        Self {
            fill: self.fill.clone(),
            ..Self::identity(self.fill.len())
        }
    }

    /// The map of some columns, in the order given: what a network takes that lost the other inputs.
    ///
    /// # Panics
    /// If a column does not exist.
    #[must_use]
    pub fn pick(&self, columns: &[u32]) -> Self {
        let pick = |of: &[f32]| columns.iter().map(|&column| of[column as usize]).collect();
        Self {
            shift: pick(&self.shift),
            scale: pick(&self.scale),
            fill: pick(&self.fill),
        }
    }

    /// Puts the fill of its column wherever a row is NaN.
    pub(crate) fn fill_missing(&self, row: &mut [f32]) {
        for (cell, &fill) in row.iter_mut().zip(&self.fill) {
            if cell.is_nan() {
                *cell = fill;
            }
        }
    }

    /// Standardises one row in place.
    pub(crate) fn apply(&self, row: &mut [f32]) {
        for ((cell, shift), scale) in row.iter_mut().zip(&self.shift).zip(&self.scale) {
            *cell = (*cell - shift) / scale;
        }
    }

    /// What is subtracted from each column, in the column's units.
    pub fn shift(&self) -> &[f32] {
        &self.shift
    }

    /// What each column is divided by; never 0.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// What stands for a missing cell of each column, in the column's units.
    pub fn fill(&self) -> &[f32] {
        &self.fill
    }
}

/// The map `(y - shift) / scale` of each regression target, and its inverse.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetScaler {
    shift: Vec<f32>,
    scale: Vec<f32>,
}

impl TargetScaler {
    /// Mean and deviation of each target column over `rows`, which should be the training rows; `None` for classes.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn fit(target: &Target, rows: &[u32]) -> Option<Self> {
        let Target::Values { columns, values } = target else {
            return None;
        };
        let width = columns.len();
        let moments = Moments::of(width, rows, |row, column| values[row * width + column]);
        Some(Self {
            shift: moments.mean.iter().map(|&mean| mean as f32).collect(),
            scale: moments.deviation(),
        })
    }

    /// What leaves targets of `columns` columns as they are.
    pub fn identity(columns: usize) -> Self {
        Self {
            shift: vec![0.0; columns],
            scale: vec![1.0; columns],
        }
    }

    /// What is subtracted from each target, in its own units.
    pub fn shift(&self) -> &[f32] {
        &self.shift
    }

    /// What each target is divided by; never 0.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// Scales rows of targets in place.
    pub fn apply(&self, values: &mut [f32]) {
        for row in values.chunks_mut(self.shift.len()) {
            for ((value, shift), scale) in row.iter_mut().zip(&self.shift).zip(&self.scale) {
                *value = (*value - shift) / scale;
            }
        }
    }

    /// Takes rows of scaled targets back to their own units, in place.
    pub fn invert(&self, values: &mut [f32]) {
        for row in values.chunks_mut(self.shift.len()) {
            for ((value, shift), scale) in row.iter_mut().zip(&self.shift).zip(&self.scale) {
                *value = *value * scale + shift;
            }
        }
    }
}

/// Column statistics over some rows, NaN cells left out.
struct Moments {
    mean: Vec<f64>,
    variance: Vec<f64>,
    largest: f32,
}

impl Moments {
    /// Two passes in `f64`: the one-pass formula cancels where the mean is large beside the deviation.
    fn of(columns: usize, rows: &[u32], cell: impl Fn(usize, usize) -> f32) -> Self {
        let mut count = vec![0u32; columns];
        let mut mean = vec![0.0f64; columns];
        let mut variance = vec![0.0f64; columns];
        let mut largest = 0.0f32;
        for &row in rows {
            for column in 0..columns {
                let value = cell(row as usize, column);
                if !value.is_nan() {
                    count[column] += 1;
                    mean[column] += f64::from(value);
                    largest = largest.max(value.abs());
                }
            }
        }
        for (mean, &count) in mean.iter_mut().zip(&count) {
            *mean /= f64::from(count.max(1));
        }
        for &row in rows {
            for column in 0..columns {
                let value = cell(row as usize, column);
                if !value.is_nan() {
                    variance[column] += (f64::from(value) - mean[column]).powi(2);
                }
            }
        }
        for (variance, &count) in variance.iter_mut().zip(&count) {
            *variance /= f64::from(count.max(1));
        }
        Self {
            mean,
            variance,
            largest,
        }
    }

    /// Deviation of each column (dividing by n), 1 where it is constant.
    ///
    /// Equal values have exactly no deviation: an `f64` holds the sum of half a billion equal `f32` without rounding.
    fn deviation(&self) -> Vec<f32> {
        let deviations = self.variance.iter().map(|variance| variance.sqrt() as f32);
        let or_one = |deviation: f32| {
            if deviation.is_normal() {
                deviation
            } else {
                1.0
            }
        };
        deviations.map(or_one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Storage;

    fn table(cells: &[f32], columns: usize) -> Features {
        Features::new(Storage::F32(cells.to_vec()), columns).unwrap()
    }

    #[test]
    fn rows_outside_the_training_rows_do_not_count() {
        let features = table(&[1.0, 3.0, 1e9], 1);
        let by = Standardiser::fit(&features, &[0, 1], Scaling::PerFeature);
        assert_eq!((by.shift(), by.scale()), (&[2.0][..], &[1.0][..]));
        let unit = Standardiser::fit(&features, &[0, 1], Scaling::Unit);
        assert_eq!((unit.shift(), unit.scale()), (&[0.0][..], &[3.0][..]));
    }

    #[test]
    fn standardised_columns_have_mean_nought_and_deviation_one() {
        let rows: Vec<u32> = (0..100).collect();
        let cells: Vec<f32> = rows
            .iter()
            .flat_map(|&row| [1e6 + (row as f32 * 0.7).sin(), row as f32])
            .collect();
        let features = table(&cells, 2);
        let by = Standardiser::fit(&features, &rows, Scaling::PerFeature);
        let mut out = vec![0.0; 200];
        features.gather(&rows, None, &by, &mut out);
        for column in 0..2 {
            let values = || out.iter().skip(column).step_by(2).map(|&x| f64::from(x));
            let mean = values().sum::<f64>() / 100.0;
            let deviation = (values().map(|x| x * x).sum::<f64>() / 100.0).sqrt();
            // The mean of a column near 1e6 rounds to a multiple of 0.0625 in `f32`: half of that over a deviation of 0.7.
            assert!(mean.abs() < 0.05, "{mean}");
            assert!((deviation - 1.0).abs() < 0.01, "{deviation}");
        }
    }

    #[test]
    fn constant_columns_keep_scale_one() {
        // 0.1 is no exact sum of itself in `f32`, where the deviation would be tiny but not 0.
        let features = table(&[0.1; 7], 1);
        let by = Standardiser::fit(&features, &[0, 1, 2, 3, 4, 5, 6], Scaling::PerFeature);
        assert_eq!(by.scale(), [1.0]);
        let tiny = table(&[0.0, f32::from_bits(1)], 1);
        let by = Standardiser::fit(&tiny, &[0, 1], Scaling::PerFeature);
        assert_eq!(by.scale(), [1.0]);
    }

    #[test]
    fn targets_outside_the_training_rows_do_not_count() {
        let target = Target::Values {
            columns: vec!["a".into(), "b".into()],
            values: vec![1.0, -20.0, 1e9, -1e9, 3.0, 60.0],
        };
        let scaler = TargetScaler::fit(&target, &[0, 2]).unwrap();
        assert_eq!(scaler.shift(), [2.0, 20.0]);
        assert_eq!(scaler.scale(), [1.0, 40.0]);
    }

    #[test]
    fn targets_come_back_in_their_own_units() {
        let target = Target::Values {
            columns: vec!["a".into(), "b".into()],
            values: vec![1.0, -20.0, 3.0, 60.0],
        };
        let scaler = TargetScaler::fit(&target, &[0, 1]).unwrap();
        let mut values = [1.0, -20.0, 3.0, 60.0];
        scaler.apply(&mut values);
        assert_eq!(values, [-1.0, -1.0, 1.0, 1.0]);
        scaler.invert(&mut values);
        assert_eq!(values, [1.0, -20.0, 3.0, 60.0]);
    }
}
