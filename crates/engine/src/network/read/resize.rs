//! Other lengths of axes, by the nearest position or linearly between two.

use secateur_graph::{Array, Node, Resize, ResizeMode, ResizePlaces, evaluate_node};

use super::{New, Reader};
use crate::kernels::conv::lanes;
use crate::network::layout::Layout;
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Mixture, Stretch};
use crate::{Error, Result};

impl Reader<'_> {
    /// The nearest positions only move elements; linear interpolation goes axis by axis.
    pub(super) fn resize(&mut self, node: &Node, resize: &Resize) -> Result<()> {
        if resize.places == ResizePlaces::Other || resize.mode == ResizeMode::Other {
            return Err(Error::unsupported(format!(
                "{} in this mode cannot be trained",
                node.op.onnx_name()
            ))
            .hint("nearest and linear resizing without antialiasing can"));
        }
        if resize.mode != ResizeMode::Linear {
            return self.movement(node);
        }
        let mut place = self.place(node.input(0)?)?;
        let shape = self.places[place].layout.shape.clone();
        let mut given: Vec<Option<Array>> = vec![None];
        for id in &node.inputs[1..] {
            given.push(id.and_then(|id| self.array(id)));
        }
        // Channels that stay as many are one for finding out.
        let mut little = shape.clone();
        let rank = shape.len();
        let by_axis = |a: &&mut Array| a.values.len() == rank && rank > 1;
        if resize.axes.is_empty()
            && let mut entries = given.iter_mut().flatten().filter(by_axis)
            && let (Some(own), None) = (entries.next(), entries.next())
            && (own.values[1] == 1.0 || own.values[1] == shape[1] as f64)
            && self.shape(node.output()?)?[1] == shape[1]
        {
            own.values[1] = 1.0;
            little[1] = 1;
        }
        let mut all: Vec<Vec<f64>> = vec![];
        for axis in 0..rank {
            all.push(match axis == 1 && little != shape {
                true => (0..shape[1]).map(|c| c as f64).collect(),
                false => positions(node, &mut given, &little, axis)?,
            });
        }
        for (axis, positions) in all.into_iter().enumerate() {
            let is_same = positions.len() == shape[axis]
                && positions.iter().enumerate().all(|(i, &p)| p == i as f64);
            if !is_same {
                place = self.stretched(place, axis, &positions);
            }
        }
        self.at.insert(node.output()?, place);
        Ok(())
    }

    /// A place with one axis at these positions.
    fn stretched(&mut self, place: usize, axis: usize, positions: &[f64]) -> usize {
        let from = self.places[place].layout.clone();
        let mut shape = from.shape.clone();
        shape[axis] = positions.len();
        let to = match from.is_image() {
            true if axis == 1 => Layout::image(&shape, lanes()),
            true => Layout::image(&shape, from.pixel()),
            false => Layout::plain(&shape),
        };
        let last = from.shape[axis].saturating_sub(1);
        let mixtures = positions.iter().enumerate().map(|(position, &at)| {
            let low = (at.floor().max(0.0) as usize).min(last);
            let share = at - low as f64;
            Mixture {
                from: [low, (low + 1).min(last)].map(|p| p * from.strides[axis]),
                to: position * to.strides[axis],
                shares: [(1.0 - share) as f32, share as f32],
            }
        });
        let mut others = shape;
        others[axis] = 1;
        let step = Step::Stretch(Stretch {
            mixtures: mixtures.collect(),
            others: Loops::new(&others, [&to.strides, &from.strides]),
        });
        self.add(New {
            step,
            x: vec![place],
            layout: to,
            is_trained: false,
        })
    }
}

/// Which position of the input each position of the output along an axis looks at.
///
/// Linear interpolation of the positions themselves tells, as they grow linearly.
fn positions(
    node: &Node,
    given: &mut [Option<Array>],
    shape: &[usize],
    axis: usize,
) -> Result<Vec<f64>> {
    let inner: usize = shape[axis + 1..].iter().product();
    let count = shape.iter().product();
    let values = (0..count).map(|e: usize| (e / inner % shape[axis]) as f64);
    given[0] = Some(Array::new(shape, values.collect())?);
    let inputs: Vec<Option<&Array>> = given.iter().map(Option::as_ref).collect();
    let made = evaluate_node(node, &inputs)?;
    let Some(made) = made.first() else {
        return Err(Error::invalid("makes nothing"));
    };
    let inner: usize = made.shape[axis + 1..].iter().product();
    let at = |position: usize| made.values[position * inner];
    Ok((0..made.shape[axis]).map(at).collect())
}
