//! Rows of an input, in the form that a network reads.

use super::pixels::Pixels;
use crate::error::{Error, ErrorKind, Result};

/// What a network reads at one of its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// What the input is called.
    pub name: &'a str,
    /// Lengths of its axes, the batch first; none where an axis is open.
    pub axes: &'a [Option<usize>],
}

impl Wanted<'_> {
    /// How many numbers a row has, where no axis of it is open.
    pub(crate) fn features(&self) -> Option<usize> {
        let mut row = self.axes.get(1..)?.iter();
        row.try_fold(1usize, |all, axis| all.checked_mul((*axis)?))
    }

    /// Lengths of a row as they are told.
    pub(crate) fn row(&self) -> String {
        shown(self.axes.get(1..).unwrap_or_default())
    }
}

/// Rows of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Number of rows, and the lengths of one.
    shape: Vec<usize>,
    values: Vec<f32>,
    /// Whether a row is all that the network reads at once, its batch axis included.
    is_whole: bool,
    /// Which axis of `shape` has the channels of pictures.
    channels: Option<usize>,
    /// How many rows there were before some were drawn.
    total: usize,
    /// What each row is called, where that is known.
    names: Vec<String>,
    /// What the user should know of how they were read.
    notes: Vec<String>,
}

impl Rows {
    /// Numbers in the form that is wanted: rows along the batch axis, or each row a whole input. Pictures are turned to where the network
    /// has its channels; what the network reads flat may come in any form.
    ///
    /// # Errors
    /// If the shape does not fit, or a number is not finite.
    pub fn fitted(shape: Vec<usize>, values: Vec<f32>, wanted: &Wanted<'_>) -> Result<Self> {
        let count = *shape.first().unwrap_or(&1);
        let width = values.len() / count.max(1);
        check_finite(&values, width, &[])?;
        let own = shape.get(1..).unwrap_or_default();
        let row = wanted.axes.get(1..).unwrap_or_default();
        let fits = |own: &[usize], wanted: &[Option<usize>]| {
            own.len() == wanted.len()
                && own
                    .iter()
                    .zip(wanted)
                    .all(|(a, b)| b.is_none_or(|b| b == *a))
        };
        let rows = |shape: Vec<usize>, values: Vec<f32>, is_whole: bool| {
            let channels = channels(&shape);
            Ok(Self {
                total: *shape.first().unwrap_or(&1),
                shape,
                values,
                is_whole,
                channels,
                names: vec![],
                notes: vec![],
            })
        };
        if !wanted.axes.is_empty() && fits(own, row) {
            return rows(shape, values, false);
        }
        if shape.len() == wanted.axes.len() + 1 && fits(own, wanted.axes) {
            return rows(shape, values, true);
        }
        if wanted.axes.is_empty() && shape.iter().product::<usize>() == 1 {
            return rows(vec![1], values, true);
        }
        if let &[a, b, c] = own {
            // The other order of channels and places.
            let turns = [([c, a, b], true), ([b, c, a], false)];
            for (turned, is_last) in turns {
                let pixels = if is_last { c } else { a };
                if matches!(pixels, 1 | 3 | 4) && fits(&turned, row) {
                    let mut all = vec![count];
                    all.extend(turned);
                    let values = turned_round(&values, own, is_last);
                    return rows(all, values, false);
                }
            }
        }
        let flat: Option<Vec<usize>> = row.iter().copied().collect();
        if let Some(flat) = flat
            && !wanted.axes.is_empty()
            && flat.iter().product::<usize>() == width
        {
            let mut all = vec![count];
            all.extend(flat);
            return rows(all, values, false);
        }
        let message = format!(
            "'{}' reads {}, and the rows are {}",
            wanted.name,
            wanted.row(),
            shown(&own.iter().map(|&n| Some(n)).collect::<Vec<_>>())
        );
        Err(Error::new(ErrorKind::Value, message).hint(
            "the first axis of an array is its rows; secateur inspect shows what a network reads",
        ))
    }

    /// Scales the channels of pictures, or all numbers alike.
    ///
    /// # Errors
    /// As [`Pixels`].
    pub(crate) fn scaled(mut self, pixels: &Pixels) -> Result<Self> {
        let axis = self.channels.unwrap_or(0);
        let inner = self.shape.get(axis + 1..).map_or(1, |l| l.iter().product());
        let channels = match self.channels {
            Some(axis) => self.shape[axis],
            None => 1,
        };
        pixels.scale(&mut self.values, channels, inner)?;
        Ok(self)
    }

    /// The same rows, which were drawn from so many.
    #[must_use]
    pub(crate) fn drawn_from(self, total: usize) -> Self {
        Self { total, ..self }
    }

    /// The same rows with what each is called.
    #[must_use]
    pub fn named(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// The same rows with what the user should know of how they were read.
    pub(crate) fn noted(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// What the user should know of how they were read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What a row is called, where that is known.
    pub fn name(&self, row: usize) -> Option<&str> {
        self.names.get(row).map(String::as_str)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        *self.shape.first().unwrap_or(&1)
    }

    /// How many there were before some were drawn.
    pub fn total(&self) -> usize {
        self.total
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// How many rows there are, and the lengths of one.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether a row is all that the network reads at once, its batch axis included.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Lengths of some rows as the network reads them at once, and their numbers; the only row is any one. One row alone where it is all
    /// that the network reads.
    ///
    /// # Panics
    /// If there are fewer rows.
    pub fn pick(&self, rows: &[usize]) -> (Vec<usize>, Vec<f32>) {
        let row: usize = self.shape[1..].iter().product();
        let mut shape = self.shape[1..].to_vec();
        if !self.is_whole {
            shape.insert(0, rows.len());
        }
        let only = |&at: &usize| if self.count() == 1 { 0 } else { at };
        let each = rows.iter().map(only);
        let values = each.flat_map(|at| &self.values[at * row..(at + 1) * row]);
        (shape, values.copied().collect())
    }
}

/// Refuses rows of so many numbers each if one of these is not finite, by the name of the row, or its number if rows have no names.
///
/// # Errors
/// If one is not.
pub(crate) fn check_finite(values: &[f32], width: usize, names: &[String]) -> Result<()> {
    let Some(at) = values.iter().position(|v| !v.is_finite()) else {
        return Ok(());
    };
    let row = at / width.max(1);
    let name = names.get(row).cloned();
    let name = name.unwrap_or_else(|| format!("row {}", row + 1));
    let message = format!("{name} holds a number that is not finite");
    Err(Error::new(ErrorKind::Value, message).hint("leave the row out, or correct it"))
}

/// Which axis of rows has the channels of pictures.
fn channels(shape: &[usize]) -> Option<usize> {
    match shape {
        [_, 1 | 3 | 4, _, _] => Some(1),
        [_, _, _, 1 | 3 | 4] => Some(3),
        _ => None,
    }
}

/// Rows of `row` with the last axis brought to the front, or the first one to the end.
fn turned_round(values: &[f32], row: &[usize], is_last: bool) -> Vec<f32> {
    let width: usize = row.iter().product();
    let channels = if is_last { row[2] } else { row[0] };
    let places = width / channels.max(1);
    let mut turned = Vec::with_capacity(values.len());
    for one in values.chunks_exact(width.max(1)) {
        // What is read one after the other lies so many numbers apart.
        let (outer, inner, apart) = match is_last {
            true => (channels, places, channels),
            false => (places, channels, places),
        };
        for first in 0..outer {
            turned.extend((0..inner).map(|at| one[at * apart + first]));
        }
    }
    turned
}

/// Lengths as they are told: `3x224x224`, `?` where one is open.
fn shown(lengths: &[Option<usize>]) -> String {
    if lengths.is_empty() {
        return "single numbers".into();
    }
    let each = lengths
        .iter()
        .map(|n| n.map_or("?".into(), |n| n.to_string()));
    each.collect::<Vec<_>>().join("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(shape: &[usize], axes: &[Option<usize>]) -> Result<Rows> {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|n| n as f32).collect();
        Rows::fitted(shape.to_vec(), values, &Wanted { name: "x", axes })
    }

    #[test]
    fn rows_are_brought_to_what_is_read() {
        let plain = rows(&[2, 3, 4, 5], &[None, Some(3), None, None]).unwrap();
        assert_eq!(plain.pick(&[1]).0, [1, 3, 4, 5]);
        assert_eq!(plain.pick(&[1]).1[0], 60.0);
        // Pixels together, and the network has planes.
        let turned = rows(&[1, 1, 2, 3], &[Some(1), Some(3), Some(1), Some(2)]).unwrap();
        assert_eq!(
            turned.pick(&[0]),
            (vec![1, 3, 1, 2], vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0])
        );
        let back = rows(&[1, 3, 1, 2], &[None, None, Some(2), Some(3)]).unwrap();
        assert_eq!(
            back.pick(&[0]),
            (vec![1, 1, 2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0])
        );
        let flat = rows(&[2, 6], &[None, Some(1), Some(2), Some(3)]).unwrap();
        assert_eq!(flat.pick(&[0, 1]).0, [2, 1, 2, 3]);
        // A state whose batch axis is not the first.
        let whole = rows(&[5, 2, 1, 4], &[Some(2), Some(1), Some(4)]).unwrap();
        assert!(whole.is_whole() && whole.pick(&[2]).0 == [2, 1, 4]);
        let number = rows(&[], &[]).unwrap();
        assert_eq!(
            (number.count(), number.pick(&[0])),
            (1, (vec![], vec![0.0]))
        );
    }

    #[test]
    fn the_numbers_of_a_row_are_counted_where_no_axis_is_open() {
        let of = |axes: &[Option<usize>]| Wanted { name: "x", axes }.features();
        assert_eq!(of(&[None, Some(3), Some(4)]), Some(12));
        assert_eq!(of(&[Some(5)]), Some(1));
        assert_eq!(of(&[Some(5), None, Some(4)]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[None, Some(usize::MAX), Some(2)]), None);
    }

    #[test]
    fn what_does_not_fit_is_told_with_both_shapes() {
        let error = rows(&[2, 3, 4], &[None, Some(3), Some(5)]).unwrap_err();
        assert_eq!(error.to_string(), "'x' reads 3x5, and the rows are 3x4");
        assert!(rows(&[2, 7], &[None, None, Some(3)]).is_err());
        let nan = Rows::fitted(
            vec![2, 2],
            vec![0.0, 0.0, f32::NAN, 0.0],
            &Wanted {
                name: "x",
                axes: &[None, Some(2)],
            },
        );
        assert_eq!(
            nan.unwrap_err().to_string(),
            "row 2 holds a number that is not finite"
        );
    }
}
