//! Mean and deviation of pixels, for each channel or for each column of pictures that lie in files.

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};
use crate::pictures::ImageFiles;
use crate::standardise::{Scaling, Standardiser, full_pixel};

/// Pictures that are decoded at once.
const BLOCK: usize = 64;

impl Scaling {
    /// Mean and deviation of each channel over the pixels of `rows`, which should be the training rows, as
    /// [`Scaling::PerChannel`].
    ///
    /// A channel whose pixels are all equal gets deviation 1. The numbers of threads and of pictures in memory make no
    /// difference: bytes are summed as whole numbers.
    ///
    /// # Errors
    /// Rows that are no pictures; files that cannot be read any more.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn measure_channels(dataset: &Dataset, rows: &[u32]) -> Result<Self> {
        let Some(image) = dataset.image() else {
            return Err(no_pictures());
        };
        let features = dataset.features();
        let channels = image.channels;
        let moments: Vec<(f64, f64)> = match features.storage() {
            Storage::F32(cells) => (0..channels)
                .map(|channel| {
                    let pixels = image.height * image.width;
                    of_floats(cells, image.values(), channel * pixels, pixels, rows)
                })
                .collect(),
            _ => ByteSums::of(features, rows)?.moments(channels),
        };
        let white = f64::from(full_pixel(features));
        let deviation = |variance: f64| match variance.sqrt() / white {
            deviation if (deviation as f32).is_normal() => deviation as f32,
            _ => 1.0,
        };
        Ok(Self::PerChannel {
            mean: moments
                .iter()
                .map(|&(mean, _)| (mean / white) as f32)
                .collect(),
            std: moments
                .iter()
                .map(|&(_, variance)| deviation(variance))
                .collect(),
        })
    }

    /// Whether the numbers of [`Scaling::PerChannel`] fit the data.
    fn check(&self, dataset: &Dataset) -> Result<()> {
        let Self::PerChannel { mean, std } = self else {
            return Ok(());
        };
        let channels = dataset.image().ok_or_else(no_pictures)?.channels;
        for (what, given) in [("means", mean), ("deviations", std)] {
            if given.len() != 1 && given.len() != channels {
                let message = format!("{} {what} for pictures of {channels} channels", given.len());
                return Err(
                    Error::new(ErrorKind::Usage, message).hint("give one number, or one a channel")
                );
            }
        }
        let fits = mean.iter().all(|mean| mean.is_finite())
            && std.iter().all(|std| std.is_normal() && *std > 0.0);
        match fits {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Usage,
                "means must be finite and deviations above 0",
            )),
        }
    }
}

impl Dataset {
    /// Measures the inputs over `rows`, which should be the training rows; see [`Standardiser::fit`].
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where numbers a channel do not fit the pictures; files that cannot be read any more.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn standardiser(&self, rows: &[u32], scaling: Scaling) -> Result<Standardiser> {
        scaling.check(self)?;
        let in_files = matches!(self.features().storage(), Storage::Files(_));
        if !in_files || scaling != Scaling::PerFeature {
            return Ok(Standardiser::fit(self.features(), rows, scaling));
        }
        let moments = ByteSums::of(self.features(), rows)?.moments(self.inputs());
        let (mean, variance) = moments.into_iter().unzip();
        Ok(Standardiser::of_moments(mean, variance))
    }
}

fn no_pictures() -> Error {
    Error::new(
        ErrorKind::Usage,
        "rows that are no pictures have no channels",
    )
    .hint("scale each column by itself")
}

/// Sums over rows of bytes, by column.
struct ByteSums {
    rows: u64,
    sum: Vec<u64>,
    square: Vec<u64>,
}

impl ByteSums {
    /// The sums over `rows`, none of which may be floats.
    fn of(features: &Features, rows: &[u32]) -> Result<Self> {
        let columns = features.columns();
        let mut sums = Self {
            rows: 0,
            sum: vec![0; columns],
            square: vec![0; columns],
        };
        match features.storage() {
            Storage::U8(cells) => {
                rows.iter()
                    .for_each(|&row| sums.add(&cells[row as usize * columns..][..columns]));
            }
            Storage::Files(files) => sums.add_files(files, rows)?,
            Storage::F32(_) => {}
        }
        Ok(sums)
    }

    fn add_files(&mut self, files: &ImageFiles, rows: &[u32]) -> Result<()> {
        let columns = self.sum.len();
        let mut pixels = vec![0; BLOCK.min(rows.len()) * columns];
        for block in rows.chunks(BLOCK) {
            let pixels = &mut pixels[..block.len() * columns];
            files.read_rows(block, columns, pixels, |_, from, to| {
                to.copy_from_slice(from);
            })?;
            pixels.chunks_exact(columns).for_each(|row| self.add(row));
        }
        Ok(())
    }

    fn add(&mut self, row: &[u8]) {
        self.rows += 1;
        for ((sum, square), &byte) in self.sum.iter_mut().zip(&mut self.square).zip(row) {
            let byte = u64::from(byte);
            *sum += byte;
            *square += byte * byte;
        }
    }

    /// Mean and variance of each of `groups` equal runs of columns; nothing is rounded before the last division.
    fn moments(&self, groups: usize) -> Vec<(f64, f64)> {
        let size = self.sum.len() / groups;
        let total = |of: &[u64]| of.iter().map(|&sum| u128::from(sum)).sum::<u128>();
        let of_group = |group: usize| {
            let columns = group * size..(group + 1) * size;
            let (sum, square) = (
                total(&self.sum[columns.clone()]),
                total(&self.square[columns]),
            );
            let count = (u128::from(self.rows) * size as u128).max(1);
            let variance = count * square - sum * sum;
            let count = count as f64;
            (sum as f64 / count, variance as f64 / (count * count))
        };
        (0..groups).map(of_group).collect()
    }
}

/// Mean and variance of some columns over `rows`, NaN left out, in two passes as for [`Standardiser::fit`].
fn of_floats(
    cells: &[f32],
    width: usize,
    first: usize,
    columns: usize,
    rows: &[u32],
) -> (f64, f64) {
    let values = || {
        let row = |&row: &u32| &cells[row as usize * width + first..][..columns];
        let all = rows.iter().flat_map(row).filter(|cell| !cell.is_nan());
        all.map(|&cell| f64::from(cell))
    };
    let count = values().count().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Target;
    use crate::image::ImageShape;

    /// Two rows of two channels of 1 x 2.
    fn set(storage: Storage) -> Dataset {
        let target = Target::Classes {
            labels: vec![0, 1],
            names: vec!["a".into(), "b".into()],
        };
        let features = Features::new(storage, 4).unwrap();
        Dataset::new("t", features, target)
            .unwrap()
            .with_image(ImageShape {
                height: 1,
                width: 2,
                channels: 2,
            })
    }

    #[test]
    fn channels_are_measured_alike_in_bytes_and_floats() {
        let bytes = [0u8, 255, 51, 51, 255, 0, 51, 51];
        let floats: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let wanted = Scaling::PerChannel {
            mean: vec![0.5, 0.2],
            std: vec![0.5, 1.0],
        };
        for storage in [Storage::U8(bytes.to_vec()), Storage::F32(floats)] {
            let set = set(storage);
            let measured = Scaling::measure_channels(&set, &[0, 1]).unwrap();
            let Scaling::PerChannel { mean, std } = &measured else {
                panic!("{measured:?}");
            };
            assert_eq!((mean.len(), std), (2, &vec![0.5, 1.0]));
            let by = set.standardiser(&[0, 1], wanted.clone()).unwrap();
            let mut out = [0.0; 4];
            set.gather(&[1], None, &by, &mut out);
            assert_eq!(
                out.map(|value| (value * 1e6).round() / 1e6),
                [1.0, -1.0, 0.0, 0.0]
            );
        }
    }

    #[test]
    fn only_the_given_rows_count() {
        let bytes = Storage::U8(vec![0, 0, 0, 0, 255, 255, 255, 255]);
        let floats = Storage::F32(vec![0.5, 0.5, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0]);
        for storage in [bytes, floats] {
            let set = set(storage);
            let measured = Scaling::measure_channels(&set, &[1]).unwrap();
            let wanted = Scaling::PerChannel {
                mean: vec![1.0; 2],
                std: vec![1.0; 2],
            };
            assert_eq!(measured, wanted);
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let set = set(Storage::U8(vec![0, 1, 2, 3, 4, 5, 6, 7]));
        let with = |mean: &[f32], std: &[f32]| {
            let (mean, std) = (mean.to_vec(), std.to_vec());
            set.standardiser(&[0, 1], Scaling::PerChannel { mean, std })
        };
        let by = with(&[0.5], &[0.25, 0.5]).unwrap();
        assert_eq!(
            (by.shift()[3], by.scale()[1], by.scale()[2]),
            (127.5, 63.75, 127.5)
        );
        let error = with(&[0.1, 0.2, 0.3], &[1.0]).unwrap_err();
        assert_eq!(error.to_string(), "3 means for pictures of 2 channels");
        for std in [0.0, -1.0, f32::NAN] {
            assert_eq!(with(&[0.5], &[std]).unwrap_err().kind(), ErrorKind::Usage);
        }
    }
}
