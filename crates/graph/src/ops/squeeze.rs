//! `Squeeze` and `Unsqueeze`: axes of length 1 go or come.

use serde::{Deserialize, Serialize};

use super::{input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of [`Op::Squeeze`](crate::Op::Squeeze).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Squeeze {
    /// These axes go; all of length 1 if none is named.
    Out(Vec<i64>),
    /// These axes, counted in the result, come.
    In(Vec<i64>),
}

impl Squeeze {
    fn lengths(&self, shape: &[usize]) -> Result<Vec<usize>> {
        let dims: Vec<Dim> = shape.iter().map(|&n| Dim::Fixed(n)).collect();
        Ok(self.dims(&dims)?.iter().filter_map(Dim::fixed).collect())
    }

    fn dims(&self, x: &[Dim]) -> Result<Vec<Dim>> {
        match self {
            Self::Out(axes) if axes.is_empty() => {
                Ok(x.iter().filter(|d| d.fixed() != Some(1)).cloned().collect())
            }
            Self::Out(axes) => {
                let gone: Vec<usize> = axes
                    .iter()
                    .map(|&a| axis_at(a, x.len()))
                    .collect::<Result<_>>()?;
                if let Some(&long) = gone.iter().find(|&&a| x[a].fixed().is_some_and(|n| n != 1)) {
                    return Err(Error::invalid(format!(
                        "Squeeze of axis {long}, which has a length of {}",
                        x[long]
                    )));
                }
                let left = (0..x.len()).filter(|a| !gone.contains(a));
                Ok(left.map(|a| x[a].clone()).collect())
            }
            Self::In(axes) => {
                let rank = x.len() + axes.len();
                let new: Vec<usize> = axes
                    .iter()
                    .map(|&a| axis_at(a, rank))
                    .collect::<Result<_>>()?;
                let mut old = x.iter();
                let dims = (0..rank).map(|axis| match new.contains(&axis) {
                    true => Some(Dim::Fixed(1)),
                    false => old.next().cloned(),
                });
                dims.collect::<Option<_>>().ok_or_else(|| {
                    Error::invalid(format!("Unsqueeze names an axis twice: {axes:?}"))
                })
            }
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, squeeze: &Squeeze) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    squeeze.dims(x).map(Some)
}

pub(super) fn channels(node: &Node, squeeze: &Squeeze, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    // A batch of unknown length, which stands in as 2, cannot be shown to go.
    let named = walk.graph().value(x).shape.as_deref().unwrap_or_default();
    let stand_in: Vec<usize> = named.iter().map(|d| d.fixed().unwrap_or(2)).collect();
    if squeeze.lengths(&stand_in).is_err() {
        walk.freeze(x, node, "loses an axis of unknown length");
        return Ok(());
    }
    movement::channels(node, walk, |shape, labels| {
        Ok((squeeze.lengths(shape)?, labels))
    })
}

pub(super) fn evaluate(squeeze: &Squeeze, x: &Array) -> Result<Array> {
    Array::new(squeeze.lengths(&x.shape)?, x.values.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_go_and_come() {
        let out = |axes: &[i64]| Squeeze::Out(axes.to_vec()).lengths(&[1, 2, 1]);
        assert_eq!(out(&[]).unwrap(), [2]);
        assert_eq!(out(&[-1]).unwrap(), [1, 2]);
        assert!(out(&[1]).is_err());
        let into = |axes: &[i64]| Squeeze::In(axes.to_vec()).lengths(&[2, 3]);
        assert_eq!(into(&[0, -1]).unwrap(), [1, 2, 3, 1]);
        assert!(into(&[0, 0]).is_err());
    }
}
