//! Normalisation of a row by its own numbers, and softmax.

use secateur_graph::{Node, Norm};

use super::{New, Reader};
use crate::network::layout::Layout;
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Softmax, Standardise};
use crate::{Error, Result};

impl Reader<'_> {
    pub(super) fn softmax(&mut self, node: &Node, axis: i64, logarithm: bool) -> Result<()> {
        let x = self.place(node.input(0)?)?;
        let layout = self.places[x].layout.clone();
        let axis = axis_at(axis, layout.shape.len())?;
        keeps_to_rows(node, axis, &layout.shape)?;
        let mut shape = layout.shape.clone();
        let length = std::mem::replace(&mut shape[axis], 1);
        let step = Step::Softmax(Softmax {
            logarithm,
            length,
            stride: layout.strides[axis],
            starts: Loops::new(&shape, [&layout.strides]),
        });
        self.push(
            node.output()?,
            New {
                step,
                x: vec![x],
                layout,
                is_trained: false,
            },
        );
        Ok(())
    }

    pub(super) fn norm(&mut self, node: &Node, norm: Norm) -> Result<()> {
        if node.outputs.len() > 1 {
            return Err(Error::unsupported(format!(
                "{} puts out its statistics",
                node.op.onnx_name()
            ))
            .hint("only the normalised numbers can be trained with"));
        }
        if let Norm::Batch { .. } = norm {
            return Err(Error::unsupported(
                "BatchNormalization with training_mode=1 mixes the rows of a batch",
            )
            .hint("export the model for inference: training normalises by the batch anyway"));
        }
        let place = self.place(node.input(0)?)?;
        let x = self.plain(place)?;
        let shape = self.places[x].layout.shape.clone();
        let scale = self.parameter_at(node, 1)?;
        let shift = self.optional_at(node, 2)?;
        let area: usize = shape.iter().skip(2).product();
        let channels = shape.get(1).copied().unwrap_or(1);
        let numbers = self.parameters[scale].values.len();
        let (run, epsilon, inner) = match norm {
            Norm::Layer { axis, epsilon } | Norm::Rms { axis, epsilon } => {
                let axis = axis_at(axis, shape.len())?;
                keeps_to_rows(node, axis, &shape)?;
                let run = shape[axis..].iter().product();
                (run, epsilon, 1)
            }
            Norm::Instance { epsilon } | Norm::Batch { epsilon } => (area, epsilon, area),
            Norm::Group {
                count,
                epsilon,
                by_run,
            } => {
                let run = channels / count.max(1) * area;
                (run, epsilon, if by_run { run } else { area })
            }
        };
        let fits = match norm {
            Norm::Layer { .. } | Norm::Rms { .. } => {
                let own = |p: usize| self.parameters[p].shape();
                [Some(scale), shift]
                    .into_iter()
                    .flatten()
                    .all(|p| is_last(own(p), &shape))
            }
            _ => numbers * inner == channels * area,
        };
        let same = shift.is_none_or(|p| self.parameters[p].values.len() == numbers);
        if !fits || !same || run == 0 {
            let own = self.parameters[scale].shape();
            return Err(Error::unsupported(format!(
                "{} with a scale of shape {own:?} for an input of shape {shape:?}",
                node.op.onnx_name()
            ))
            .hint("give it a scale, and a shift of the same shape, for each number that is normalised"));
        }
        let step = Step::Standardise(Standardise {
            run,
            centred: !matches!(norm, Norm::Rms { .. }),
            epsilon,
            scale,
            shift,
            inner: inner.max(1),
            count: numbers,
        });
        self.push(
            node.output()?,
            New {
                step,
                x: vec![x],
                layout: Layout::plain(&shape),
                is_trained: true,
            },
        );
        Ok(())
    }
}

/// Whether `own` without leading axes of length 1 is the end of `shape`, or one number.
fn is_last(own: &[usize], shape: &[usize]) -> bool {
    let lead = own.iter().take_while(|&&n| n == 1).count();
    shape.ends_with(&own[lead..])
}

/// Refuses what works along the batch. The first axis is that where it has one position; after a reshape it may be another one.
pub(super) fn keeps_to_rows(node: &Node, axis: usize, shape: &[usize]) -> Result<()> {
    if axis > 0 || shape.first() != Some(&1) {
        return Ok(());
    }
    let name = node.op.onnx_name();
    let message = format!("{name} over the batch cannot be trained");
    Err(Error::unsupported(message).hint("let it work along the axes of a row"))
}

/// An axis, counted from the end if it is negative.
pub(super) fn axis_at(axis: i64, rank: usize) -> Result<usize> {
    let at = if axis < 0 { axis + rank as i64 } else { axis };
    let at = usize::try_from(at).ok().filter(|&at| at < rank);
    at.ok_or_else(|| Error::invalid(format!("axis {axis} of {rank}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_where_the_shape_does() {
        assert!(is_last(&[4], &[2, 3, 4]) && is_last(&[1, 3, 4], &[2, 3, 4]));
        assert!(is_last(&[1], &[2, 3]) && !is_last(&[3, 1], &[3, 4]));
        assert_eq!(axis_at(-1, 3).unwrap(), 2);
        assert!(axis_at(3, 3).is_err());
    }
}
