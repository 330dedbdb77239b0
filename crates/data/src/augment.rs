//! Small changes to training pictures that leave their class as it is, drawn anew in every epoch.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::dataset::Dataset;
use crate::error::{Error, ErrorKind, Result};
use crate::image::ImageShape;
use crate::standardise::Standardiser;

/// Set in the number of every stream that changes pictures; splits, shuffles and weights use small ones of the same seed.
const STREAMS: u64 = 1 << 63;

/// How training pictures are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Augment {
    /// Half of the pictures are mirrored, left to right.
    pub flip: bool,
    /// Pictures are moved by up to this many pixels each way: as if black were put around them, and a part of the old size
    /// cut out.
    pub crop_padding: usize,
}

impl Augment {
    /// Whether pictures stay as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The generator for the changes of one row in one epoch: the same whatever other rows are changed, in whichever
    /// order and on however many threads.
    ///
    /// # Panics
    /// For an epoch of 2^31 or later.
    pub fn generator(seed: u64, epoch: u64, row: u32) -> ChaCha8Rng {
        assert!(epoch < 1 << 31, "epoch {epoch}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(STREAMS | epoch << 32 | u64::from(row));
        rng
    }

    /// Writes a changed copy of the picture `from`, both `[channels][height][width]`, to `to`; `black` holds what stands
    /// for black in each channel.
    ///
    /// The same numbers are drawn whatever the settings, so that mirrored pictures stay the same where the padding differs.
    ///
    /// # Panics
    /// If `from`, `to` and `black` are not as long as `image` says.
    pub fn apply<T: Copy>(
        &self,
        image: ImageShape,
        from: &[T],
        black: &[T],
        rng: &mut ChaCha8Rng,
        to: &mut [T],
    ) {
        assert_eq!(from.len(), image.values(), "values of the picture");
        assert_eq!(to.len(), image.values(), "values of the changed picture");
        assert_eq!(black.len(), image.channels, "channels of black");
        let mirrored = rng.random::<bool>() && self.flip;
        // A fraction of the way rather than a draw from 0 to twice the padding, which might take more numbers for one
        // padding than for another.
        let places = 2 * self.crop_padding + 1;
        let mut place = || (rng.random::<f64>() * places as f64) as usize;
        let (top, left) = (place(), place());
        let pixels = (image.height * image.width).max(1);
        let planes = from.chunks_exact(pixels).zip(to.chunks_exact_mut(pixels));
        for ((from, to), &black) in planes.zip(black) {
            let rows = to.chunks_exact_mut(image.width.max(1));
            for (y, to) in rows.enumerate() {
                let source = (y + top).checked_sub(self.crop_padding);
                match source.filter(|&y| y < image.height) {
                    Some(y) => {
                        let from = &from[y * image.width..][..image.width];
                        shift(from, left, self.crop_padding, black, to);
                        if mirrored {
                            to.reverse();
                        }
                    }
                    None => to.fill(black),
                }
            }
        }
    }
}

/// Writes the part of `from` that starts at `left` once `padding` of `black` is before and behind it.
fn shift<T: Copy>(from: &[T], left: usize, padding: usize, black: T, to: &mut [T]) {
    let width = from.len();
    to.fill(black);
    match left.checked_sub(padding) {
        Some(left) if left < width => to[..width - left].copy_from_slice(&from[left..]),
        None if padding - left < width => {
            let right = padding - left;
            to[right..].copy_from_slice(&from[..width - right]);
        }
        _ => {}
    }
}

impl Dataset {
    /// Copies pictures changed by `augment`, then standardised: a training batch `[rows][channels][height][width]`.
    ///
    /// What is moved in is black, that is 0 before standardisation. Rows are changed in parallel; the result depends on
    /// `seed`, `epoch` and the rows alone.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] if rows are no pictures and would be changed; as
    /// [`Features::try_gather`](crate::Features::try_gather).
    ///
    /// # Panics
    /// As [`Features::try_gather`](crate::Features::try_gather); for an epoch of 2^31 or later.
    pub fn gather_augmented(
        &self,
        rows: &[u32],
        standardiser: &Standardiser,
        augment: &Augment,
        seed: u64,
        epoch: u64,
        out: &mut [f32],
    ) -> Result<()> {
        if augment.is_none() {
            return self.try_gather(rows, None, standardiser, out);
        }
        let Some(image) = self.image() else {
            return Err(Error::new(
                ErrorKind::Usage,
                "rows that are no pictures can be neither mirrored nor moved",
            ));
        };
        let black = vec![0.0; image.channels];
        self.features()
            .gather_changed(rows, standardiser, out, |at, from, to| {
                let mut rng = Augment::generator(seed, epoch, rows[at]);
                augment.apply(image, from, &black, &mut rng, to);
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Target;
    use crate::features::{Features, Storage};
    use crate::standardise::Scaling;

    const IMAGE: ImageShape = ImageShape {
        height: 3,
        width: 4,
        channels: 2,
    };

    fn picture() -> Vec<u8> {
        (1..=24).collect()
    }

    fn changed(augment: Augment, row: u32) -> Vec<u8> {
        let mut to = vec![99; 24];
        let mut rng = Augment::generator(7, 2, row);
        augment.apply(IMAGE, &picture(), &[0, 100], &mut rng, &mut to);
        to
    }

    #[test]
    fn half_of_the_pictures_are_mirrored() {
        let augment = Augment {
            flip: true,
            crop_padding: 0,
        };
        let mirrored: Vec<u8> = picture()
            .chunks(4)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        let count = (0..1000)
            .filter(|&row| {
                let to = changed(augment, row);
                assert!(to == mirrored || to == picture());
                to == mirrored
            })
            .count();
        assert!((430..570).contains(&count), "{count}");
    }

    #[test]
    fn pictures_move_to_every_place_and_black_comes_in() {
        let augment = Augment {
            flip: false,
            crop_padding: 2,
        };
        // The picture as seen from each place, pixel by pixel.
        let seen_from = |top: i32, left: i32| -> Vec<u8> {
            let pixel = |at: i32| {
                let (plane, y, x) = (at / 12, at / 4 % 3 + top - 2, at % 4 + left - 2);
                match (0..3).contains(&y) && (0..4).contains(&x) {
                    true => (plane * 12 + y * 4 + x + 1) as u8,
                    false => 100 * plane as u8,
                }
            };
            (0..24).map(pixel).collect()
        };
        let all: Vec<Vec<u8>> = (0..25).map(|at| seen_from(at / 5, at % 5)).collect();
        let mut places = std::collections::BTreeSet::new();
        for row in 0..1_000 {
            let to = changed(augment, row);
            places.insert(all.iter().position(|seen| *seen == to).unwrap());
        }
        assert_eq!(places.len(), 25);
    }

    #[test]
    fn padding_beyond_the_picture_leaves_black_at_worst() {
        let augment = Augment {
            flip: true,
            crop_padding: 50,
        };
        let black: Vec<u8> = [[0; 12], [100; 12]].concat();
        assert!((0..50).any(|row| changed(augment, row) == black));
    }

    #[test]
    fn batches_depend_on_seed_epoch_and_row_alone() {
        let cells: Vec<u8> = (0..240).collect();
        let features = Features::new(Storage::U8(cells), 24).unwrap();
        let target = Target::Classes {
            labels: (0..10).map(|row| row % 2).collect(),
            names: vec!["a".into(), "b".into()],
        };
        let flat = Dataset::new("t", features, target).unwrap();
        let set = flat.clone().with_image(IMAGE);
        let rows: Vec<u32> = (0..10).collect();
        let by = set.standardiser(&rows, Scaling::PerFeature).unwrap();
        let augment = Augment {
            flip: true,
            crop_padding: 1,
        };
        let batch = |rows: &[u32], seed, epoch, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut out = vec![f32::NAN; rows.len() * 24];
            pool.unwrap().install(|| {
                set.gather_augmented(rows, &by, &augment, seed, epoch, &mut out)
                    .unwrap();
            });
            out
        };
        let one = batch(&rows, 1, 0, 1);
        assert_eq!(one, batch(&rows, 1, 0, 4));
        assert_eq!(one[7 * 24..8 * 24], batch(&[7], 1, 0, 2));
        assert_ne!(one, batch(&rows, 2, 0, 1));
        assert_ne!(one, batch(&rows, 1, 1, 1));
        let mut plain = vec![0.0; 240];
        let none = Augment::default();
        set.gather_augmented(&rows, &by, &none, 1, 0, &mut plain)
            .unwrap();
        let mut wanted = vec![0.0; 240];
        set.gather(&rows, None, &by, &mut wanted);
        assert_eq!(plain, wanted);
        let error = flat
            .gather_augmented(&rows, &by, &augment, 1, 0, &mut plain)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}
