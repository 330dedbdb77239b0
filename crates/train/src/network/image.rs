//! How large are the images that a network takes?

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Lengths of one image, as `3x32x32`; a batch of them is `[batch, channels, height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageSize {
    /// 1 for grey images, 3 for colours.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageSize {
    /// So many channels, rows and columns.
    pub fn new(channels: usize, height: usize, width: usize) -> Self {
        Self {
            channels,
            height,
            width,
        }
    }

    /// Numbers of one image, or the largest there is.
    pub(super) fn numbers(self) -> usize {
        let places = self.height.saturating_mul(self.width);
        self.channels.saturating_mul(places)
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

impl FromStr for ImageSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let lengths: Option<Vec<usize>> = text.split('x').map(|part| part.parse().ok()).collect();
        match lengths.as_deref() {
            Some(&[channels, height, width]) if channels > 0 && height > 0 && width > 0 => {
                Ok(Self::new(channels, height, width))
            }
            _ => Err(
                Error::settings(format!("'{text}' is not the size of an image"))
                    .at("input")
                    .hint("give channels, rows and columns, each at least 1, such as 3x32x32"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        let size: ImageSize = "3x32x40".parse().unwrap();
        assert_eq!(size, ImageSize::new(3, 32, 40));
        assert_eq!(
            (size.to_string().as_str(), size.numbers()),
            ("3x32x40", 3840)
        );
        for wrong in [
            "",
            "3x32",
            "3x32x",
            "3x0x32",
            "0x1x1",
            "3x32x32x1",
            "-1x2x2",
            "3 x 2 x 2",
        ] {
            let error = wrong.parse::<ImageSize>().unwrap_err();
            assert_eq!(error.place(), Some("input"), "{wrong}");
        }
    }
}
