//! Windows that slide over spatial axes: what convolution and pooling have in common.

use serde::{Deserialize, Serialize};

use crate::{Dim, Error, Result};

/// How far a window reaches beyond the borders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Padding {
    /// By as many positions before and behind each spatial axis.
    By {
        /// Before each axis.
        before: Vec<usize>,
        /// Behind each axis.
        behind: Vec<usize>,
    },
    /// So that there is an output for every `stride`-th position; what is odd goes behind.
    SameUpper,
    /// The same, but what is odd goes before.
    SameLower,
}

/// A window over the spatial axes, which are those from the third on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Steps from one output to the next, one a spatial axis.
    pub strides: Vec<usize>,
    /// Steps from one element of the window to the next.
    pub dilations: Vec<usize>,
    /// What lies beyond the borders.
    pub padding: Padding,
    /// Whether a window that only partly fits at the end counts.
    pub ceil: bool,
}

/// Which positions each output reads.
pub(super) struct Taps {
    /// Lengths of the spatial axes of the output.
    pub(super) shape: Vec<usize>,
    /// For each output position and each element of the window the position read; none beyond the borders.
    pub(super) read: Vec<Vec<Option<usize>>>,
    /// For each output position, the elements of the window that lie within the input and its padding.
    pub(super) padded: Vec<usize>,
}

/// No number of a window is larger, so that products of two fit.
const MOST: usize = 0x7FFF_FFFF;

impl Window {
    /// A window of stride 1 over `axes` spatial axes that stays within the borders.
    pub fn plain(axes: usize) -> Self {
        Self {
            strides: vec![1; axes],
            dilations: vec![1; axes],
            padding: Padding::By {
                before: vec![0; axes],
                behind: vec![0; axes],
            },
            ceil: false,
        }
    }

    /// Lengths of the spatial axes of the output; a length that is not known stays so where the window keeps it.
    pub(super) fn shape(&self, input: &[Dim], kernel: &[usize]) -> Result<Vec<Dim>> {
        self.check(input.len(), kernel.len())?;
        let steps = self.strides.iter().chain(&self.dilations).chain(kernel);
        let borders = match &self.padding {
            Padding::By { before, behind } => [before.as_slice(), behind].concat(),
            Padding::SameUpper | Padding::SameLower => vec![],
        };
        if let Some(long) = steps.chain(&borders).find(|&&n| n > MOST) {
            return Err(Error::invalid(format!("a window counts {long} positions"))
                .hint("strides, dilations, pads and lengths of a window of up to 2147483647 are handled"));
        }
        let axes = input.iter().zip(kernel).enumerate();
        axes.map(|(axis, (dim, &kernel))| match dim.fixed() {
            Some(length) => Ok(Dim::Fixed(self.length(axis, length, kernel)?.0)),
            None => Ok(self.named(axis, dim, kernel)),
        })
        .collect()
    }

    /// The length that comes of one that is known by name: the same where the window keeps every length, and else called
    /// after all that it depends on, as equal names mean equal lengths.
    fn named(&self, axis: usize, dim: &Dim, kernel: usize) -> Dim {
        let stride = self.strides[axis];
        let reach = self.dilations[axis] * (kernel.max(1) - 1) + 1;
        let added = match &self.padding {
            Padding::By { before, behind } => Some(before[axis] + behind[axis]),
            Padding::SameUpper | Padding::SameLower => None,
        };
        if stride == 1 && added.is_none_or(|added| added + 1 == reach) {
            return dim.clone();
        }
        let border = added.map_or("same".into(), |added| added.to_string());
        let ceil = if self.ceil { " up" } else { "" };
        Dim::Named(format!(
            "window({dim}, {reach} by {stride}, {border}{ceil})"
        ))
    }

    fn check(&self, input: usize, kernel: usize) -> Result<()> {
        let has_borders = match &self.padding {
            Padding::By { before, behind } => before.len() == input && behind.len() == input,
            Padding::SameUpper | Padding::SameLower => true,
        };
        let steps = self.strides.len() == input && self.dilations.len() == input;
        if self.strides.contains(&0) {
            return Err(Error::invalid("a window has a stride of 0"));
        }
        if input == kernel && steps && has_borders {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "a window over {kernel} axes does not fit an input with {input} spatial ones"
        )))
    }

    /// Outputs along a spatial axis of `input` positions under a window of `kernel`, and how far the first window
    /// reaches before it and the last behind it.
    ///
    /// # Errors
    /// If no window fits.
    pub fn length(
        &self,
        axis: usize,
        input: usize,
        kernel: usize,
    ) -> Result<(usize, usize, usize)> {
        let stride = self.strides[axis];
        let reach = self.dilations[axis] * (kernel.max(1) - 1) + 1;
        let (before, behind) = match &self.padding {
            Padding::By { before, behind } => (before[axis], behind[axis]),
            Padding::SameUpper | Padding::SameLower => {
                let outputs = input.div_ceil(stride);
                let total = ((outputs.max(1) - 1) * stride + reach).saturating_sub(input);
                match self.padding {
                    Padding::SameLower => (total - total / 2, total / 2),
                    _ => (total / 2, total - total / 2),
                }
            }
        };
        let Some(room) = (input + before + behind).checked_sub(reach) else {
            return Err(Error::invalid(format!(
                "a window that reaches over {reach} positions does not fit {input} with their padding"
            )));
        };
        let mut outputs = match self.ceil {
            true => room.div_ceil(stride) + 1,
            false => room / stride + 1,
        };
        // A last window that would begin in the padding behind is none.
        if self.ceil && (outputs - 1) * stride >= input + before {
            outputs -= 1;
        }
        Ok((outputs, before, behind))
    }

    /// Which positions of a spatial `input` each output of a `kernel` reads.
    pub(super) fn taps(&self, input: &[usize], kernel: &[usize]) -> Result<Taps> {
        self.check(input.len(), kernel.len())?;
        let mut shape = vec![];
        let mut borders = vec![];
        for (axis, (&length, &kernel)) in input.iter().zip(kernel).enumerate() {
            let (outputs, before, behind) = self.length(axis, length, kernel)?;
            shape.push(outputs);
            borders.push((before, behind));
        }
        let (mut read, mut padded) = (vec![], vec![]);
        for output in indices(&shape) {
            let mut own = vec![];
            let mut within = 0;
            for element in indices(kernel) {
                // Counted from the start of the padding.
                let place = |axis: usize| {
                    output[axis] * self.strides[axis] + element[axis] * self.dilations[axis]
                };
                let fits =
                    (0..input.len()).all(|a| place(a) < input[a] + borders[a].0 + borders[a].1);
                within += usize::from(fits);
                own.push((0..input.len()).try_fold(0, |at, axis| {
                    let position = place(axis).checked_sub(borders[axis].0)?;
                    (position < input[axis]).then_some(at * input[axis] + position)
                }));
            }
            read.push(own);
            padded.push(within);
        }
        Ok(Taps {
            shape,
            read,
            padded,
        })
    }
}

/// All positions in a shape, the last axis fastest.
pub(super) fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> + use<> {
    let shape = shape.to_vec();
    (0..shape.iter().product::<usize>()).map(move |mut rest| {
        let mut index = vec![0; shape.len()];
        for (at, &length) in index.iter_mut().zip(&shape).rev() {
            *at = rest % length;
            rest /= length;
        }
        index
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_lengths_are_equal_only_where_windows_are() {
        let by = |pad: usize, stride: usize| Window {
            strides: vec![stride],
            padding: Padding::By {
                before: vec![pad],
                behind: vec![pad],
            },
            ..Window::plain(1)
        };
        let height = [Dim::Named("height".into())];
        let of = |window: Window| window.shape(&height, &[3]).unwrap();
        assert_eq!(of(by(1, 1)), height);
        assert_ne!(of(by(1, 2)), of(by(0, 2)));
        assert_ne!(of(by(0, 1)), height);
        assert_eq!(of(by(1, 2)), of(by(1, 2)));
    }

    fn outputs(window: &Window, input: usize, kernel: usize) -> usize {
        window.taps(&[input], &[kernel]).unwrap().shape[0]
    }

    #[test]
    fn lengths_follow_stride_dilation_and_padding() {
        let plain = Window::plain(1);
        assert_eq!(outputs(&plain, 5, 3), 3);
        let strided = Window {
            strides: vec![2],
            ..plain.clone()
        };
        assert_eq!(outputs(&strided, 6, 3), 2);
        let ceiled = Window {
            ceil: true,
            ..strided.clone()
        };
        assert_eq!(outputs(&ceiled, 6, 3), 3);
        let dilated = Window {
            dilations: vec![2],
            ..plain.clone()
        };
        assert_eq!(outputs(&dilated, 5, 3), 1);
        let same = Window {
            padding: Padding::SameUpper,
            ..strided
        };
        assert_eq!(outputs(&same, 5, 3), 3);
        assert!(plain.taps(&[2], &[3]).is_err());
        assert!(plain.taps(&[2, 2], &[1]).is_err());
    }

    #[test]
    fn a_window_that_begins_in_the_padding_behind_is_none() {
        let window = Window {
            strides: vec![2],
            padding: Padding::By {
                before: vec![0],
                behind: vec![1],
            },
            ceil: true,
            ..Window::plain(1)
        };
        assert_eq!(outputs(&window, 4, 1), 2);
    }

    #[test]
    fn borders_are_read_by_nobody() {
        let window = Window {
            padding: Padding::By {
                before: vec![1],
                behind: vec![0],
            },
            ..Window::plain(1)
        };
        let taps = window.taps(&[2], &[2]).unwrap();
        assert_eq!(taps.read, [[None, Some(0)], [Some(0), Some(1)]]);
        assert_eq!(taps.padded, [2, 2]);
    }
}
