//! Normalisation of each row by its own numbers: over the last axes, the places of a channel, or runs of channels.

use super::super::Parameter;
use super::super::step::{Inputs, Into, Shared, State, Sums, Work, add_up};
use crate::aligned::Aligned;
use crate::kernels::lines;

/// `y = (x - mean) / sqrt(variance + epsilon) * scale + shift` over runs of numbers that lie side by side.
///
/// With `g = scale dy` and `h` the normalised number, `dx = (g - mean g - h mean(g h)) / deviation`; where nothing is
/// centred the middle term is missing (Ba, Kiros, Hinton, 2016, "Layer Normalization").
#[derive(Debug, Clone)]
pub(crate) struct Standardise {
    /// How many numbers are normalised together.
    pub(crate) run: usize,
    /// Whether the mean is taken off.
    pub(crate) centred: bool,
    pub(crate) epsilon: f32,
    pub(crate) scale: usize,
    pub(crate) shift: Option<usize>,
    /// Element `e` has number `e / inner % count` of scale and shift.
    pub(crate) inner: usize,
    pub(crate) count: usize,
}

/// Elements with consecutive numbers of scale and shift, or all with the same one.
struct Piece {
    /// Where they begin.
    from: usize,
    len: usize,
    /// The first number of scale and shift, and how many they are.
    at: usize,
    numbers: usize,
}

impl Piece {
    fn of<'n>(&self, numbers: &'n [f32]) -> &'n [f32] {
        &numbers[self.from..self.from + self.len]
    }

    fn scales<'n>(&self, numbers: &'n [f32]) -> &'n [f32] {
        match numbers {
            [] => &[],
            numbers => &numbers[self.at..self.at + self.numbers],
        }
    }
}

impl Standardise {
    /// The pieces of the run that begins at element `start`.
    fn pieces(&self, start: usize) -> impl Iterator<Item = Piece> {
        let mut from = start;
        let end = start + self.run;
        std::iter::from_fn(move || {
            let left = end - from;
            let at = from / self.inner % self.count;
            let len = match self.inner {
                1 => left.min(self.count - at),
                inner => left.min(inner - from % inner),
            };
            let numbers = if self.inner == 1 { len } else { 1 };
            let piece = Piece {
                from,
                len,
                at,
                numbers,
            };
            from += len;
            (len > 0).then_some(piece)
        })
    }

    /// Mean and one over the deviation.
    fn moments(&self, run: &[f32]) -> (f32, f32) {
        let (mean, variance) = lines::moments(run, self.centred);
        (mean, 1.0 / (variance + self.epsilon).sqrt())
    }

    fn shift<'p>(&self, parameters: &'p [Parameter]) -> &'p [f32] {
        self.shift.map_or(&[], |p| &parameters[p].values)
    }
}

impl Work for Standardise {
    fn needs_input(&self, _k: usize) -> bool {
        true
    }

    fn parameters(&self) -> Vec<usize> {
        [Some(self.scale), self.shift]
            .into_iter()
            .flatten()
            .collect()
    }

    fn sums(&self) -> Sums {
        let shift = self.shift.map_or(0, |_| self.count);
        Sums {
            gradients: vec![Aligned::zeros(self.count), Aligned::zeros(shift)],
            channels: vec![],
        }
    }

    fn forward(
        &self,
        x: &dyn Inputs,
        y: &mut [f32],
        _: &mut Sums,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let x = x.get(0);
        let scale = &shared.parameters[self.scale].values;
        let shift = self.shift(shared.parameters);
        for start in (0..x.len()).step_by(self.run) {
            let at = self.moments(&x[start..start + self.run]);
            for piece in self.pieces(start) {
                let y = &mut y[piece.from..piece.from + piece.len];
                lines::standardise(piece.of(x), at, piece.scales(scale), piece.scales(shift), y);
            }
        }
    }

    fn input_gradient(
        &self,
        _: usize,
        x: &dyn Inputs,
        _: &[f32],
        dy: &[f32],
        dx: Into<'_>,
        _: &mut [f32],
        shared: Shared<'_>,
    ) {
        let x = x.get(0);
        let scale = &shared.parameters[self.scale].values;
        for start in (0..x.len()).step_by(self.run) {
            let at = self.moments(&x[start..start + self.run]);
            let (mut plain, mut along) = (0.0, 0.0);
            for piece in self.pieces(start) {
                let sums = lines::slopes(piece.of(x), at, piece.scales(scale), piece.of(dy));
                plain += sums.0;
                along += sums.1;
            }
            let share = 1.0 / self.run as f32;
            let means = (
                if self.centred { plain * share } else { 0.0 },
                along * share,
            );
            for piece in self.pieces(start) {
                let dx_own = &mut dx.gradient[piece.from..piece.from + piece.len];
                let scale = piece.scales(scale);
                lines::standardise_back(
                    piece.of(x),
                    at,
                    scale,
                    piece.of(dy),
                    means,
                    dx_own,
                    dx.add,
                );
            }
        }
    }

    fn parameter_gradient(
        &self,
        x: &dyn Inputs,
        dy: &[f32],
        sums: &mut Sums,
        _: &mut [f32],
        _: Shared<'_>,
    ) {
        let x = x.get(0);
        let [scale, shift] = &mut sums.gradients[..] else {
            return;
        };
        for start in (0..x.len()).step_by(self.run) {
            let at = self.moments(&x[start..start + self.run]);
            for piece in self.pieces(start) {
                let own = piece.at..piece.at + piece.numbers;
                let shift = shift.get_mut(own.clone()).unwrap_or(&mut []);
                lines::scale_gradient(piece.of(x), at, piece.of(dy), &mut scale[own], shift);
            }
        }
    }

    fn finish(&self, sums: &[&Sums], _: usize, _: &State, parameters: &mut [Parameter]) {
        for (which, parameter) in self.parameters().into_iter().enumerate() {
            let parts = sums.iter().map(|s| &s.gradients[which][..]);
            add_up(parts, &mut parameters[parameter].gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_where_scales_are_the_same_or_follow_each_other() {
        let mut norm = Standardise {
            run: 6,
            centred: true,
            epsilon: 0.0,
            scale: 0,
            shift: None,
            inner: 3,
            count: 4,
        };
        let found = |norm: &Standardise, start| -> Vec<_> {
            let pieces = norm.pieces(start);
            pieces.map(|p| (p.from, p.len, p.at, p.numbers)).collect()
        };
        assert_eq!(found(&norm, 6), [(6, 3, 2, 1), (9, 3, 3, 1)]);
        norm.inner = 1;
        assert_eq!(found(&norm, 6), [(6, 2, 2, 2), (8, 4, 0, 4)]);
    }
}
