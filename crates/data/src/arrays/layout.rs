//! What the dimensions of an array of inputs mean.

use crate::image::ImageShape;

/// How a row is to be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The sizes of a row's dimensions as they are stored.
    pub(crate) row: Vec<usize>,
    /// The picture that a row is, if it is one.
    pub(crate) image: Option<ImageShape>,
    /// Whether the channels of a pixel lie together in the file.
    pub(crate) interleaved: bool,
    /// What was not plain.
    pub(crate) note: Option<String>,
}

impl Layout {
    /// Takes three dimensions behind the rows for a picture, two for one without colours, and any other number for what
    /// it is.
    ///
    /// Channels are the first or last of three, whichever is 1, 3 or 4 long; where both or neither are, the first.
    pub(crate) fn of(row: &[usize]) -> Self {
        let channels = |size: usize| matches!(size, 1 | 3 | 4);
        let (image, interleaved, note) = match *row {
            [height, width] => {
                let note = format!(
                    "rows of {height} x {width} are taken for pictures of one channel, or for {height} steps of {width} features by a network of sequences"
                );
                (Some([1, height, width]), false, Some(note))
            }
            [first, height, last] if channels(last) && !channels(first) => {
                let note = format!(
                    "rows of {first} x {height} x {last} are taken for pictures of height x width x channels"
                );
                (Some([last, first, height]), true, Some(note))
            }
            [first, height, width] => {
                let plain = channels(first) && !channels(width);
                let note = format!(
                    "rows of {first} x {height} x {width} are taken for pictures of channels x height x width; their dimensions alone do not tell"
                );
                (
                    Some([first, height, width]),
                    false,
                    (!plain).then_some(note),
                )
            }
            _ => (None, false, None),
        };
        let image = image.map(|[channels, height, width]| ImageShape {
            height,
            width,
            channels,
        });
        Self {
            row: match (image, interleaved) {
                (Some(image), true) => image.dimensions().to_vec(),
                _ if row.is_empty() => vec![1],
                _ => row.to_vec(),
            },
            image,
            interleaved,
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_where_one_three_or_four_stand() {
        let of = |row: &[usize]| {
            let layout = Layout::of(row);
            let dimensions = layout.image.map(|image| image.dimensions());
            (dimensions, layout.interleaved, layout.note.is_some())
        };
        assert_eq!(of(&[3, 32, 40]), (Some([3, 32, 40]), false, false));
        assert_eq!(of(&[32, 40, 3]), (Some([3, 32, 40]), true, true));
        assert_eq!(of(&[1, 8, 8]), (Some([1, 8, 8]), false, false));
        assert_eq!(of(&[3, 8, 4]), (Some([3, 8, 4]), false, true));
        assert_eq!(of(&[16, 8, 8]), (Some([16, 8, 8]), false, true));
        assert_eq!(of(&[28, 30]), (Some([1, 28, 30]), false, true));
        for other in [&[][..], &[5], &[2, 3, 4, 5]] {
            assert_eq!(of(other), (None, false, false));
        }
    }

    #[test]
    fn rows_keep_the_dimensions_of_their_array_unless_turned_round() {
        assert_eq!(Layout::of(&[]).row, [1]);
        assert_eq!(Layout::of(&[7, 5]).row, [7, 5]);
        assert_eq!(Layout::of(&[2, 3, 4, 5]).row, [2, 3, 4, 5]);
        assert_eq!(Layout::of(&[8, 9, 3]).row, [3, 8, 9]);
    }
}
