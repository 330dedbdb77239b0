//! How the numbers of one row of a value lie in memory.

/// Where each element of a value lies, for one row of a batch.
///
/// Values with places (heights and widths) lie place by place with their channels side by side, and channels padded to
/// whole vectors, so that kernels never meet an odd count; everything else lies as ONNX counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Lengths of the axes for one row, the batch axis among them.
    pub(crate) shape: Vec<usize>,
    /// Numbers from one position to the next along each axis.
    pub(crate) strides: Vec<usize>,
    /// Numbers that a row takes, padding included.
    pub(crate) len: usize,
    is_image: bool,
}

impl Layout {
    /// Row-major, without padding.
    pub(crate) fn plain(shape: &[usize]) -> Self {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        Self {
            shape: shape.to_vec(),
            strides,
            len: shape.iter().product(),
            is_image: false,
        }
    }

    /// Place by place, channels (axis 1) innermost and padded to a multiple of `lanes`.
    ///
    /// # Panics
    /// If there are fewer than three axes.
    pub(crate) fn image(shape: &[usize], lanes: usize) -> Self {
        assert!(
            shape.len() >= 3,
            "an image has a batch, channels and places"
        );
        let pixel = shape[1].next_multiple_of(lanes);
        let mut strides = vec![pixel; shape.len()];
        for axis in (3..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let len = strides[2] * shape[2] * shape[0];
        strides[1] = 1;
        strides[0] = strides[2] * shape[2];
        Self {
            shape: shape.to_vec(),
            strides,
            len,
            is_image: true,
        }
    }

    /// Whether channels lie innermost.
    pub(crate) fn is_image(&self) -> bool {
        self.is_image
    }

    /// Channels (axis 1); 1 if there is no such axis.
    pub(crate) fn channels(&self) -> usize {
        self.shape.get(1).copied().unwrap_or(1)
    }

    /// Height and width, the last two axes of places; a missing height is 1.
    pub(crate) fn size(&self) -> [usize; 2] {
        match self.shape[..] {
            [_, _, .., height, width] => [height, width],
            [_, _, width] => [1, width],
            _ => [1, 1],
        }
    }

    /// Lengths of all axes of places; a missing height is 1.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        match self.shape[..] {
            [_, _, _, _, ..] => self.shape[2..].to_vec(),
            _ => self.size().to_vec(),
        }
    }

    /// The elements of a row that lies so, as ONNX counts them, behind what is there.
    pub(crate) fn gather(&self, row: &[f32], into: &mut Vec<f32>) {
        if !self.is_image {
            return into.extend_from_slice(row);
        }
        let (channels, pixel) = (self.channels(), self.pixel());
        // Whole images: the batch may have several entries in a row.
        for image in row.chunks_exact(self.strides[0].max(1)) {
            for channel in 0..channels {
                into.extend(image.iter().skip(channel).step_by(pixel));
            }
        }
    }

    /// Numbers from one place to the next: the channels with their padding.
    pub(crate) fn pixel(&self) -> usize {
        match self.is_image {
            true => self.strides.last().copied().unwrap_or(1),
            false => self.channels(),
        }
    }

    /// Where the element lies that ONNX counts as number `element`.
    pub(crate) fn offset(&self, mut element: usize) -> usize {
        let mut offset = 0;
        for (&length, &stride) in self.shape.iter().zip(&self.strides).rev() {
            offset += element % length * stride;
            element /= length;
        }
        offset
    }

    /// How many elements a row has, padding not counted.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_images_lie_side_by_side() {
        let image = Layout::image(&[1, 3, 2, 5], 8);
        assert_eq!((image.len, image.pixel(), image.size()), (80, 8, [2, 5]));
        // Channel 2 at row 1, column 4.
        assert_eq!(image.offset(2 * 10 + 5 + 4), 9 * 8 + 2);
        assert_eq!(Layout::image(&[1, 3, 7], 1).strides, [21, 1, 3]);
        let deep = Layout::image(&[1, 3, 4, 2, 5], 8);
        assert_eq!(
            (deep.size(), deep.sizes(), deep.len),
            ([2, 5], vec![4, 2, 5], 320)
        );
        assert_eq!(deep.offset(2 * 40 + 3 * 10 + 5 + 4), (3 * 10 + 9) * 8 + 2);
    }

    #[test]
    fn rows_are_gathered_in_the_order_of_their_elements() {
        for layout in [Layout::image(&[2, 3, 2, 2], 4), Layout::plain(&[2, 3])] {
            let mut row = vec![-1.0; layout.len];
            for element in 0..layout.elements() {
                row[layout.offset(element)] = element as f32;
            }
            let mut all = vec![];
            layout.gather(&row, &mut all);
            assert!(all.iter().enumerate().all(|(i, &v)| v == i as f32));
            assert_eq!(all.len(), layout.elements());
        }
    }

    #[test]
    fn plain_values_lie_as_they_are_counted() {
        let plain = Layout::plain(&[1, 3, 4]);
        assert_eq!(plain.strides, [12, 4, 1]);
        assert!((0..12).all(|i| plain.offset(i) == i));
        assert_eq!(Layout::plain(&[1, 5]).pixel(), 5);
    }
}
