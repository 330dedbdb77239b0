//! Positions of activations, drawn by a seed, with all channels of each.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The numbers of an activation for some inputs, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// Lengths of its axes; the first is that of the inputs.
    pub shape: Vec<usize>,
    /// The numbers, the last axis fastest.
    pub values: Vec<f32>,
}

/// Positions of an activation, the same for networks of other widths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Positions(Vec<usize>);

impl Positions {
    /// At most `most` of `all` positions, each once, in their order; all where there are no more.
    pub(crate) fn drawn(all: usize, most: usize, seed: u64) -> Self {
        if all <= most {
            return Self((0..all).collect());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // Each is taken with the chance that leaves enough for those that are still wanted.
        let (mut found, mut wanted) = (vec![], most);
        for position in 0..all {
            let left = (all - position) as u64;
            if rng.next_u64() % left < wanted as u64 {
                found.push(position);
                wanted -= 1;
            }
        }
        Self(found)
    }

    /// Their numbers, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Activation {
    /// Positions that have all channels, which lie on an axis, each with `fold` places in a row: places of all inputs.
    pub(crate) fn positions(&self, channels: usize, fold: usize) -> usize {
        let lengths = self.shape.iter().enumerate();
        let others = lengths.filter(|(axis, _)| *axis != channels);
        fold * others.map(|(_, &n)| n).product::<usize>()
    }

    /// All channels at each of the positions: one position after the other.
    pub(crate) fn at(&self, channels: usize, fold: usize, positions: &Positions) -> Vec<f32> {
        let length = self.shape[channels] / fold;
        let inner: usize = fold * self.shape[channels + 1..].iter().product::<usize>();
        let mut found = Vec::with_capacity(positions.len() * length);
        for &position in &positions.0 {
            let (outer, place) = (position / inner.max(1), position % inner.max(1));
            let start = outer * length * inner + place;
            found.extend((0..length).map(|c| self.values[start + c * inner]));
        }
        found
    }

    /// What is left of it if these positions of an axis are.
    pub(crate) fn selected(&self, axis: usize, positions: &[usize]) -> Self {
        let inner: usize = self.shape[axis + 1..].iter().product();
        let blocks = self.values.chunks_exact((self.shape[axis] * inner).max(1));
        let of_block = |block: &[f32]| -> Vec<f32> {
            let left = positions.iter().map(|p| &block[p * inner..][..inner]);
            left.flatten().copied().collect()
        };
        let mut shape = self.shape.clone();
        shape[axis] = positions.len();
        Self {
            shape,
            values: blocks.flat_map(of_block).collect(),
        }
    }

    /// All numbers as positions of one channel.
    pub(crate) fn flat(&self) -> Self {
        Self {
            shape: vec![self.values.len(), 1],
            values: self.values.clone(),
        }
    }

    /// The sum of each channel over all positions.
    fn sums(&self, channels: usize) -> Vec<f64> {
        let length = self.shape[channels];
        let inner: usize = self.shape[channels + 1..].iter().product();
        let mut sums = vec![0.0; length];
        for (at, block) in self.values.chunks_exact(inner.max(1)).enumerate() {
            sums[at % length] += block.iter().map(|&v| f64::from(v)).sum::<f64>();
        }
        sums
    }

    /// Multiplies each channel by a number and adds another.
    pub(crate) fn shift(&mut self, channels: usize, by: &[(f64, f64)]) {
        let inner: usize = self.shape[channels + 1..].iter().product();
        for (at, block) in self.values.chunks_exact_mut(inner.max(1)).enumerate() {
            let (scale, gap) = by[at % by.len()];
            let moved = |v: f32| (scale * f64::from(v) + gap) as f32;
            block.iter_mut().for_each(|v| *v = moved(*v));
        }
    }
}

/// Means and variances, a number for each channel.
pub(crate) type ByChannel = (Vec<f64>, Vec<f64>);

/// Mean and variance of each channel over all positions of some activations: what was seen before moves by what comes (Chan et al. 1979).
#[derive(Debug, Clone, Default)]
pub(crate) struct Spread {
    count: f64,
    means: Vec<f64>,
    /// Sums of squared distances from the means.
    squares: Vec<f64>,
}

impl Spread {
    /// Adds positions.
    pub(crate) fn add(&mut self, value: &Activation, channels: usize) {
        let count = value.positions(channels, 1) as f64;
        if count == 0.0 {
            return;
        }
        let means: Vec<f64> = value.sums(channels).iter().map(|sum| sum / count).collect();
        let inner: usize = value.shape[channels + 1..].iter().product();
        let mut squares = vec![0.0; means.len()];
        for (at, block) in value.values.chunks_exact(inner.max(1)).enumerate() {
            let channel = at % means.len();
            let from = |v: &f32| (f64::from(*v) - means[channel]).powi(2);
            squares[channel] += block.iter().map(from).sum::<f64>();
        }
        self.means.resize(means.len(), 0.0);
        self.squares.resize(means.len(), 0.0);
        let all = self.count + count;
        for (channel, (mean, squares)) in means.into_iter().zip(squares).enumerate() {
            let gap = mean - self.means[channel];
            self.means[channel] += gap * count / all;
            self.squares[channel] += squares + gap * gap * self.count * count / all;
        }
        self.count = all;
    }

    /// Means, and variances as those of all there is.
    pub(crate) fn of(self) -> ByChannel {
        let variances = self.squares.iter().map(|s| s / self.count.max(1.0));
        let variances = variances.collect();
        (self.means, variances)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(shape: &[usize]) -> Activation {
        Activation {
            shape: shape.to_vec(),
            values: (0..shape.iter().product()).map(|n| n as f32).collect(),
        }
    }

    #[test]
    fn channels_of_a_position_lie_wherever_their_axis_does() {
        let x = counted(&[2, 3, 4]);
        let all = |axis| Positions::drawn(x.positions(axis, 1), 100, 0);
        // Of the second input, the third place.
        let at = x.at(1, 1, &all(1));
        assert_eq!(at[3 * 6..][..3], [14.0, 18.0, 22.0]);
        let at = x.at(2, 1, &all(2));
        assert_eq!(at, x.values);
        assert_eq!((x.positions(1, 1), x.positions(2, 1)), (8, 6));
        // Two channels of two places each lie flat.
        let flat = counted(&[2, 4]);
        let all = Positions::drawn(flat.positions(1, 2), 100, 0);
        assert_eq!(
            flat.at(1, 2, &all),
            [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]
        );
    }

    #[test]
    fn selected_positions_keep_all_other_axes() {
        let x = counted(&[2, 3, 2]).selected(1, &[0, 2]);
        assert_eq!(x.shape, [2, 2, 2]);
        assert_eq!(x.values, [0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 10.0, 11.0]);
    }

    #[test]
    fn positions_are_drawn_once_each_and_alike_for_other_widths() {
        let drawn = Positions::drawn(1000, 50, 7);
        assert_eq!(drawn.len(), 50);
        assert!(drawn.0.windows(2).all(|p| p[0] < p[1]) && drawn.0[49] < 1000);
        assert_eq!(Positions::drawn(1000, 50, 7), drawn);
        assert_ne!(Positions::drawn(1000, 50, 8), drawn);
        assert_eq!(Positions::drawn(5, 5, 1).0, [0, 1, 2, 3, 4]);
        // No place is preferred.
        let sum: usize = (0..200)
            .map(|s| Positions::drawn(100, 10, s).0.iter().sum::<usize>())
            .sum();
        let mean = sum as f64 / 2000.0;
        assert!((mean - 49.5).abs() < 2.0, "{mean}");
    }

    #[test]
    fn spreads_are_those_of_all_positions_however_they_come() {
        let whole = counted(&[4, 3, 2]);
        let parts: Vec<Activation> = [0..1, 1..4]
            .map(|rows: std::ops::Range<usize>| Activation {
                shape: vec![rows.len(), 3, 2],
                values: whole.values[6 * rows.start..6 * rows.end].to_vec(),
            })
            .to_vec();
        let of = |all: &[Activation]| {
            let mut spread = Spread::default();
            all.iter().for_each(|value| spread.add(value, 1));
            spread.of()
        };
        // Of the first channel: 0, 1, 6, 7, 12, 13, 18 and 19.
        let (means, variances) = of(&parts);
        assert_eq!(means, [9.5, 11.5, 13.5]);
        variances
            .iter()
            .for_each(|v| assert!((v - 45.25).abs() < 1e-9, "{v}"));
        assert_eq!(of(&[whole]).0, means);
    }

    #[test]
    fn means_and_shifts_are_those_of_a_channel() {
        let mut x = counted(&[2, 3, 2]);
        let spread = |x: &Activation| {
            let mut spread = Spread::default();
            spread.add(x, 1);
            spread.of()
        };
        // 2, 3, 8 and 9 of the second one.
        assert_eq!(spread(&x).0, [3.5, 5.5, 7.5]);
        x.shift(1, &[(1.0, 1.0), (2.0, -5.5), (1.0, 0.0)]);
        // 0, 1, 6 and 7 become 1, 2, 7 and 8; 2, 3, 8 and 9 become -1.5, 0.5, 10.5 and 12.5.
        let (means, _) = spread(&x);
        assert_eq!(means, [4.5, 5.5, 7.5]);
        assert_eq!(x.values[8], 10.5);
    }
}
