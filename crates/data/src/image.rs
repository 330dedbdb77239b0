//! The shape of pictures, and the one order in which they are stored.

/// The picture that each row is, stored channel by channel, each from its top left: `[channels][height][width]`.
///
/// Every set uses this order, which is that of networks (NCHW), so that a gathered batch is their input as it stands.
/// Readers of files that keep the channels of a pixel together turn them round once, on loading; with one channel the
/// two orders are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Values a pixel.
    pub channels: usize,
}

impl ImageShape {
    /// The values of a picture.
    pub fn values(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The sizes of a picture's dimensions in the order of storage: channels, height, width.
    pub fn dimensions(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Turns pictures whose channels lie pixel by pixel (`[height][width][channels]`) into the order of storage.
    pub(crate) fn separate_channels<T: Copy>(&self, cells: &mut [T]) {
        if self.channels <= 1 || cells.is_empty() {
            return;
        }
        let mut row = cells[..self.values()].to_vec();
        let pixels = self.height * self.width;
        for picture in cells.chunks_exact_mut(self.values()) {
            row.copy_from_slice(picture);
            for (channel, plane) in picture.chunks_exact_mut(pixels).enumerate() {
                let values = row[channel..].iter().step_by(self.channels);
                (plane.iter_mut().zip(values)).for_each(|(to, &from)| *to = from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_taken_apart_picture_by_picture() {
        let shape = ImageShape {
            height: 1,
            width: 2,
            channels: 3,
        };
        let mut cells = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
        shape.separate_channels(&mut cells);
        assert_eq!(cells, [1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16]);
        assert_eq!((shape.values(), shape.dimensions()), (6, [3, 1, 2]));
    }

    #[test]
    fn one_channel_stays_as_it_is() {
        let shape = ImageShape {
            height: 2,
            width: 2,
            channels: 1,
        };
        let mut cells = [1, 2, 3, 4];
        shape.separate_channels(&mut cells);
        assert_eq!(cells, [1, 2, 3, 4]);
    }
}
