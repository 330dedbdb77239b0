//! How pixels become the numbers that a network was trained on.

use crate::error::{Error, ErrorKind, Result};

/// `(pixel * top / 255 - mean) / std`, of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// What the largest pixel becomes before mean and standard deviation.
    pub top: f32,
    /// Of all channels, or of each.
    pub mean: Vec<f32>,
    /// Of all channels, or of each; none is 0.
    pub std: Vec<f32>,
}

impl Default for Pixels {
    /// From 0 to 1.
    fn default() -> Self {
        Self {
            top: 1.0,
            mean: vec![0.0],
            std: vec![1.0],
        }
    }
}

impl Pixels {
    /// The same where numbers are no pixels: mean and standard deviation alone.
    pub(crate) fn of_numbers(&self) -> Self {
        Self {
            top: 255.0,
            ..self.clone()
        }
    }

    /// The same for bytes of which `largest` is white, as data sets are read for training; bytes that stay as they are do.
    pub(crate) fn of_bytes_up_to(&self, largest: f32) -> Self {
        let top = match self.top == 255.0 || largest == 0.0 {
            true => self.top,
            false => self.top * 255.0 / largest,
        };
        Self {
            top,
            ..self.clone()
        }
    }

    /// Whether numbers stay as they are.
    fn is_nothing(&self) -> bool {
        self.top == 255.0
            && self.mean.iter().all(|&m| m == 0.0)
            && self.std.iter().all(|&s| s == 1.0)
    }

    /// Scales numbers whose channels lie `inner` apart.
    ///
    /// # Errors
    /// If there are as many channels as neither mean nor standard deviation are for.
    pub(crate) fn scale(&self, values: &mut [f32], channels: usize, inner: usize) -> Result<()> {
        if self.is_nothing() {
            return Ok(());
        }
        for (flag, of) in [("--mean", &self.mean), ("--std", &self.std)] {
            if of.len() != 1 && of.len() != channels {
                let message = format!(
                    "{flag} has {} numbers, and there are {channels} channels",
                    of.len()
                );
                return Err(Error::new(ErrorKind::Usage, message)
                    .hint("give one for all channels, or one for each"));
            }
        }
        let of = |all: &[f32], channel: usize| all[channel % all.len()];
        for (at, block) in values.chunks_mut(inner.max(1)).enumerate() {
            let channel = at % channels.max(1);
            let (mean, std) = (of(&self.mean, channel), of(&self.std, channel));
            block
                .iter_mut()
                .for_each(|v| *v = (*v * self.top / 255.0 - mean) / std);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_scaled_by_channel() {
        let pixels = Pixels {
            top: 1.0,
            mean: vec![0.2, 0.4],
            std: vec![0.5],
        };
        let mut values = [0.0, 255.0, 0.0, 255.0];
        pixels.scale(&mut values, 2, 2).unwrap();
        assert_eq!(values, [-0.4, 1.6, -0.8, 1.2]);
        let mut apart = [0.0, 0.0, 255.0, 255.0];
        pixels.scale(&mut apart, 2, 1).unwrap();
        assert_eq!(apart, [-0.4, -0.8, 1.6, 1.2]);
        let raw = Pixels {
            top: 255.0,
            ..Pixels::default()
        };
        let mut values = [3.0, 200.0];
        raw.scale(&mut values, 1, 2).unwrap();
        assert_eq!(values, [3.0, 200.0]);
        // White of digits is 16.
        let mut values = [0.0, 16.0];
        let digits = Pixels::default().of_bytes_up_to(16.0);
        digits.scale(&mut values, 1, 2).unwrap();
        assert_eq!(values, [0.0, 1.0]);
        assert_eq!(raw.of_bytes_up_to(16.0), raw);
        assert_eq!(pixels.of_bytes_up_to(255.0), pixels);
        assert_eq!(pixels.of_bytes_up_to(0.0), pixels);
        let error = pixels.scale(&mut [0.0; 3], 3, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--mean has 2 numbers, and there are 3 channels"
        );
    }
}
