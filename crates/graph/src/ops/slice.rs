//! `Slice`: a run of positions along some axes.

use serde::{Deserialize, Serialize};

use super::{Sources, input_shape, movement};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Op, Result, Tensor};

/// Bounds as attributes, which operator sets before 10 have; newer ones have inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// First positions.
    pub starts: Vec<i64>,
    /// Positions behind the last.
    pub ends: Vec<i64>,
    /// Along which axes.
    pub axes: Vec<i64>,
}

/// What is taken along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    axis: i64,
    start: i64,
    end: i64,
    step: i64,
}

impl Run {
    /// The positions that are taken of an axis of `length`, in their order.
    fn positions(self, length: usize) -> Result<Vec<usize>> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let from_start = |at: i64| {
            if at < 0 {
                at.saturating_add(length)
            } else {
                at
            }
        };
        let (start, end) = (from_start(self.start), from_start(self.end));
        let (first, last) = match self.step {
            0 => return Err(Error::invalid("Slice with a step of 0")),
            1.. => (start.clamp(0, length), end.clamp(0, length)),
            _ => (start.clamp(-1, length - 1), end.clamp(-1, length - 1)),
        };
        let step = self.step;
        let all = std::iter::successors(Some(first), |at| at.checked_add(step));
        let inside = all.take_while(|&at| if step > 0 { at < last } else { at > last });
        Ok(inside.map(|at| at as usize).collect())
    }

    /// Whether it takes everything, however much there is.
    fn is_whole(self) -> bool {
        self.start == 0 && self.end >= i64::from(i32::MAX) && self.step == 1
    }
}

/// The runs by attribute, or by the numbers of the inputs behind the first.
fn runs(bounds: Option<&Bounds>, inputs: [Option<Vec<i64>>; 4]) -> Result<Vec<Run>> {
    let (starts, ends, axes, steps) = match (bounds, inputs) {
        (Some(b), _) => (b.starts.clone(), b.ends.clone(), Some(b.axes.clone()), None),
        (None, [Some(starts), Some(ends), axes, steps]) => (starts, ends, axes, steps),
        _ => return Err(Error::invalid("Slice without bounds")),
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Error::invalid(
            "Slice has bounds for different numbers of axes",
        ));
    }
    let each = (0..starts.len()).map(|i| Run {
        axis: axes[i],
        start: starts[i],
        end: ends[i],
        step: steps[i],
    });
    Ok(each.collect())
}

/// The runs, if they are constant.
fn constant_runs(graph: &Graph, node: &Node, bounds: Option<&Bounds>) -> Result<Option<Vec<Run>>> {
    let mut inputs = [const { None }; 4];
    for (slot, input) in inputs.iter_mut().zip(node.inputs.iter().skip(1)) {
        let Some(id) = *input else { continue };
        let Some(numbers) = graph.numbers(id) else {
            return Ok(None);
        };
        *slot = Some(whole(&numbers)?);
    }
    runs(bounds, inputs).map(Some)
}

fn whole(numbers: &[f64]) -> Result<Vec<i64>> {
    match numbers.iter().find(|n| n.fract() != 0.0) {
        Some(bad) => Err(Error::invalid(format!("Slice at {bad}"))),
        None => Ok(numbers.iter().map(|&n| n as i64).collect()),
    }
}

pub(super) fn shape(
    graph: &Graph,
    node: &Node,
    bounds: Option<&Bounds>,
) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let Some(runs) = constant_runs(graph, node, bounds)? else {
        // As many axes, of lengths that nobody knows.
        let unknown = (0..x.len()).map(|axis| Dim::Named(format!("{}:{axis}", node.name)));
        return Ok(Some(unknown.collect()));
    };
    let mut shape = x.to_vec();
    for run in runs {
        let axis = axis_at(run.axis, x.len())?;
        shape[axis] = match &x[axis] {
            Dim::Fixed(length) => Dim::Fixed(run.positions(*length)?.len()),
            named if run.is_whole() => named.clone(),
            _ => Dim::Named(format!("{}:{axis}", node.name)),
        };
    }
    Ok(Some(shape))
}

pub(super) fn channels(node: &Node, bounds: Option<&Bounds>, walk: &mut Walk<'_>) -> Result<()> {
    let x = node.input(0)?;
    let Some(runs) = constant_runs(walk.graph(), node, bounds)? else {
        walk.freeze(x, node, "is sliced at positions that are not constant");
        return Ok(());
    };
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let mut known = vec![];
    for run in runs {
        let axis = axis_at(run.axis, rank)?;
        if run.step != 1 {
            walk.freeze_axis(x, axis, node, "is sliced in steps");
        }
        // Along an axis of unknown length no channel lies.
        if walk.length(x, axis).is_some() {
            known.push(run);
        }
    }
    movement::channels(node, walk, |shape, labels| take(&known, shape, &labels))
}

/// New bounds after positions went.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    bounds: Option<&Bounds>,
    sources: &Sources,
) -> Result<Vec<(usize, Tensor)>> {
    let Some((runs, true)) = moved(graph, node, bounds, sources)?.filter(|_| bounds.is_none())
    else {
        return Ok(vec![]);
    };
    // All bounds of a node are of one type.
    let starts = node
        .inputs
        .get(1)
        .copied()
        .flatten()
        .and_then(|id| graph.constant(id));
    let list = |of: fn(&Run) -> i64| Tensor::list_like(starts, runs.iter().map(of).collect());
    Ok(vec![(1, list(|r| r.start)?), (2, list(|r| r.end)?)])
}

/// The operation with other bounds, where they are attributes.
pub(super) fn rewritten(
    graph: &Graph,
    node: &Node,
    bounds: Option<&Bounds>,
    sources: &Sources,
) -> Option<Op> {
    let bounds = bounds?;
    let (runs, true) = moved(graph, node, Some(bounds), sources).ok()?? else {
        return None;
    };
    Some(Op::Slice {
        bounds: Some(Bounds {
            starts: runs.iter().map(|r| r.start).collect(),
            ends: runs.iter().map(|r| r.end).collect(),
            axes: bounds.axes.clone(),
        }),
    })
}

/// The runs after positions went, and whether any of them is another now.
fn moved(
    graph: &Graph,
    node: &Node,
    bounds: Option<&Bounds>,
    sources: &Sources,
) -> Result<Option<(Vec<Run>, bool)>> {
    let x = node.input(0)?;
    let (Some(mut runs), Some(shape)) =
        (constant_runs(graph, node, bounds)?, &graph.value(x).shape)
    else {
        return Ok(None);
    };
    let mut changed = false;
    for run in &mut runs {
        let axis = axis_at(run.axis, shape.len())?;
        let (Some(kept), Some(length)) = (sources.get(&(x, axis)), shape[axis].fixed()) else {
            continue;
        };
        let taken = run.positions(length)?;
        if let (Some(&first), Some(&last), 1) = (taken.first(), taken.last(), run.step) {
            run.start = kept.iter().filter(|&&k| k < first).count() as i64;
            run.end = kept.iter().filter(|&&k| k <= last).count() as i64;
            changed = true;
        }
    }
    Ok(Some((runs, changed)))
}

fn take<T: Clone>(runs: &[Run], shape: &[usize], values: &[T]) -> Result<(Vec<usize>, Vec<T>)> {
    let (mut shape, mut values) = (shape.to_vec(), values.to_vec());
    for run in runs {
        let axis = axis_at(run.axis, shape.len())?;
        let picked = run.positions(shape[axis])?;
        let inner: usize = shape[axis + 1..].iter().product();
        let blocks = values.chunks(shape[axis] * inner);
        let taken = blocks.flat_map(|block| {
            let runs = picked.iter().map(|at| &block[at * inner..(at + 1) * inner]);
            runs.flatten().cloned().collect::<Vec<T>>()
        });
        values = match shape[axis] * inner {
            0 => vec![],
            _ => taken.collect(),
        };
        shape[axis] = picked.len();
    }
    Ok((shape, values))
}

pub(super) fn evaluate(bounds: Option<&Bounds>, inputs: &[Option<&Array>]) -> Result<Array> {
    let Some(Some(x)) = inputs.first() else {
        return Err(Error::invalid("Slice has no input"));
    };
    let mut given = [const { None }; 4];
    for (slot, input) in given.iter_mut().zip(&inputs[1..]) {
        *slot = input.map(|array| whole(&array.values)).transpose()?;
    }
    let (shape, values) = take(&runs(bounds, given)?, &x.shape, &x.values)?;
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_clamped_and_count_from_either_end() {
        let taken = |start: i64, end: i64, step: i64| {
            let axis = 0;
            Run {
                axis,
                start,
                end,
                step,
            }
            .positions(5)
            .unwrap()
        };
        assert_eq!(taken(1, 3, 1), [1, 2]);
        assert_eq!(taken(-2, i64::MAX, 1), [3, 4]);
        assert_eq!(taken(0, -1, 2), [0, 2]);
        assert_eq!(taken(-1, i64::MIN, -2), [4, 2, 0]);
        assert_eq!(taken(3, 1, 1), [0; 0]);
        assert_eq!(taken(9, -9, -1), [4, 3, 2, 1, 0]);
        assert!(
            Run {
                axis: 0,
                start: 0,
                end: 1,
                step: 0
            }
            .positions(5)
            .is_err()
        );
    }

    #[test]
    fn every_block_gives_its_part() {
        let x = Array::new([2, 3, 2], (0..12).map(f64::from).collect()).unwrap();
        let list = |values: Vec<f64>| Array::new([values.len()], values).unwrap();
        let (starts, ends, axes) = (
            list(vec![1.0, 0.0]),
            list(vec![3.0, 1.0]),
            list(vec![1.0, 2.0]),
        );
        let y = evaluate(None, &[Some(&x), Some(&starts), Some(&ends), Some(&axes)]).unwrap();
        assert_eq!(
            (y.shape, y.values),
            (vec![2, 2, 1], vec![2.0, 4.0, 8.0, 10.0])
        );
        assert!(evaluate(None, &[Some(&x), Some(&starts), None]).is_err());
    }
}
