//! `Resize` and `Upsample`: other lengths of spatial axes, each channel by itself.

use serde::{Deserialize, Serialize};

use super::{Rewrite, Sources, expand, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::shapes::axis_at;
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of [`Op::Resize`](crate::Op::Resize).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    /// The name of the operator.
    pub form: ResizeForm,
    /// How numbers between positions come about.
    pub mode: ResizeMode,
    /// Which position of the input an output position looks at.
    pub places: ResizePlaces,
    /// The axes that sizes and scales are for; all of them if empty.
    pub axes: Vec<i64>,
}

/// Under which name, and with which inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResizeForm {
    /// `Resize` with a region, scales and sizes as inputs.
    Resize,
    /// `Resize` of operator set 10, and `Upsample`: scales are the second input.
    Scales {
        /// Whether it is called `Upsample`.
        upsample: bool,
    },
}

/// How numbers between positions come about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum ResizeMode {
    /// The nearest position, by how halves are rounded.
    Nearest(Nearest),
    /// Linear between positions.
    Linear,
    /// Anything else: channels are known, numbers are not.
    Other,
}

/// The whole position that a position between two is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the format")]
pub enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// Which position of the input an output position looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the format")]
pub enum ResizePlaces {
    HalfPixel,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    /// Anything else: numbers are not known.
    Other,
}

impl Resize {
    pub(crate) fn onnx_name(&self) -> &'static str {
        match self.form {
            ResizeForm::Scales { upsample: true } => "Upsample",
            _ => "Resize",
        }
    }

    /// The input that holds scales, and the one that holds sizes.
    fn slots(&self) -> (usize, Option<usize>) {
        match self.form {
            ResizeForm::Resize => (2, Some(3)),
            ResizeForm::Scales { .. } => (1, None),
        }
    }

    /// For each of `rank` axes, which entry is for it.
    fn entries(&self, rank: usize) -> Result<Vec<Option<usize>>> {
        if self.axes.is_empty() {
            return Ok((0..rank).map(Some).collect());
        }
        let mut entries = vec![None; rank];
        for (i, &axis) in self.axes.iter().enumerate() {
            entries[axis_at(axis, rank)?] = Some(i);
        }
        Ok(entries)
    }
}

/// Whether an optional input is there and not empty.
fn is_given(graph: &Graph, node: &Node, slot: usize) -> bool {
    let id = node.inputs.get(slot).copied().flatten();
    id.is_some_and(|id| {
        let shape = graph.value(id).shape.as_deref();
        shape.is_none_or(|s| s.first().and_then(Dim::fixed) != Some(0))
    })
}

pub(super) fn shape(graph: &Graph, node: &Node, resize: &Resize) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let entries = resize.entries(x.len())?;
    let (scales, sizes) = resize.slots();
    let unknown = |axis: usize| Dim::Named(format!("{}:{axis}", node.name));
    if let Some(slot) = sizes.filter(|&slot| is_given(graph, node, slot)) {
        let wanted = expand::wanted(graph, node, slot)?;
        let dim = |(axis, entry): (usize, &Option<usize>)| match (entry, &wanted) {
            (None, _) => x[axis].clone(),
            (Some(i), Some(wanted)) => wanted.get(*i).cloned().unwrap_or_else(|| unknown(axis)),
            (Some(_), None) => unknown(axis),
        };
        return Ok(Some(entries.iter().enumerate().map(dim).collect()));
    }
    let scales = graph.numbers(node.input(scales)?);
    let dim = |(axis, entry): (usize, &Option<usize>)| {
        let scale = entry.map(|i| scales.as_ref().and_then(|s| s.get(i)));
        match (scale, &x[axis]) {
            (None, own) => own.clone(),
            (Some(Some(&1.0)), own) => own.clone(),
            (Some(Some(&scale)), Dim::Fixed(length)) => {
                Dim::Fixed((*length as f64 * scale).floor() as usize)
            }
            _ => unknown(axis),
        }
    };
    Ok(Some(entries.iter().enumerate().map(dim).collect()))
}

/// Channels pass along an axis that stays as it is.
pub(super) fn channels(node: &Node, resize: &Resize, walk: &mut Walk<'_>) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    let Some(rank) = walk.rank(x) else {
        walk.freeze(x, node, "has an unknown shape");
        return Ok(());
    };
    let entries = resize.entries(rank)?;
    for channels in walk.channels(x).to_vec() {
        let stays = match entries[channels.axis] {
            None => true,
            // The entry for it must follow, which that of a list for all axes does.
            Some(entry) => {
                resize.axes.is_empty()
                    && resize.places != ResizePlaces::Other
                    && walk.length(made, channels.axis) == Some(channels.atoms.len())
                    && is_whole(walk.graph(), node, resize, entry)
            }
        };
        match stays {
            true => walk.carry(made, channels),
            false => walk.freeze_axis(x, channels.axis, node, "is resized along its channels"),
        }
    }
    Ok(())
}

/// Whether an axis that comes out as long as it was is not scaled either.
fn is_whole(graph: &Graph, node: &Node, resize: &Resize, entry: usize) -> bool {
    let (scales, sizes) = resize.slots();
    let by_sizes = sizes.is_some_and(|slot| is_given(graph, node, slot));
    let scale = node.input(scales).ok().and_then(|id| graph.numbers(id));
    by_sizes || scale.and_then(|scales| scales.get(entry).copied()) == Some(1.0)
}

/// Sizes after channels went.
pub(super) fn slice(
    graph: &Graph,
    node: &Node,
    resize: &Resize,
    sources: &Sources,
) -> Result<Vec<Rewrite>> {
    match resize.slots().1 {
        Some(slot) if is_given(graph, node, slot) && resize.axes.is_empty() => {
            expand::slice(graph, node, slot, sources)
        }
        _ => Ok(vec![]),
    }
}

pub(super) fn evaluate(resize: &Resize, inputs: &[Option<&Array>]) -> Result<Array> {
    let input = |slot: usize| {
        inputs
            .get(slot)
            .copied()
            .flatten()
            .filter(|a| !a.values.is_empty())
    };
    let Some(x) = input(0) else {
        return Err(Error::invalid("Resize has no input"));
    };
    let entries = resize.entries(x.shape.len())?;
    let (scales, sizes) = resize.slots();
    let mut ratios = vec![];
    let mut lengths = vec![];
    for (&length, entry) in x.shape.iter().zip(entries) {
        let of = |slot: Option<usize>| {
            let given = input(slot?)?;
            given.values.get(entry?).copied()
        };
        let (ratio, made) = match (of(sizes), of(Some(scales))) {
            (Some(size), _) => (size / length as f64, size as usize),
            (None, Some(scale)) => (scale, (length as f64 * scale).floor() as usize),
            (None, None) => (1.0, length),
        };
        ratios.push(ratio);
        lengths.push(made);
    }
    let mut array = x.clone();
    for axis in 0..lengths.len() {
        if array.shape[axis] != lengths[axis] || ratios[axis] != 1.0 {
            array = along(&array, axis, lengths[axis], ratios[axis], resize)?;
        }
    }
    Ok(array)
}

/// Resizes one axis: each output position is a mixture of two input positions.
fn along(x: &Array, axis: usize, length: usize, ratio: f64, resize: &Resize) -> Result<Array> {
    let unknown = || Error::unsupported("Resize in this mode cannot be evaluated here");
    let old = x.shape[axis];
    let last = old.saturating_sub(1);
    let mut mixtures = vec![];
    for position in 0..length {
        let p = position as f64;
        let at = match resize.places {
            ResizePlaces::HalfPixel => (p + 0.5) / ratio - 0.5,
            ResizePlaces::PytorchHalfPixel if length == 1 => 0.0,
            ResizePlaces::PytorchHalfPixel => (p + 0.5) / ratio - 0.5,
            ResizePlaces::AlignCorners if length == 1 => 0.0,
            ResizePlaces::AlignCorners => p * last as f64 / (length - 1) as f64,
            ResizePlaces::Asymmetric => p / ratio,
            ResizePlaces::Other => return Err(unknown()),
        };
        let clamp = |at: f64| at.clamp(0.0, last as f64);
        mixtures.push(match resize.mode {
            ResizeMode::Nearest(nearest) => {
                let at = clamp(match nearest {
                    Nearest::Floor => at.floor(),
                    Nearest::Ceil => at.ceil(),
                    Nearest::RoundPreferFloor => (at - 0.5).ceil(),
                    Nearest::RoundPreferCeil => (at + 0.5).floor(),
                }) as usize;
                (at, at, 0.0)
            }
            ResizeMode::Linear => {
                let at = clamp(at);
                let low = at.floor() as usize;
                (low, (low + 1).min(last), at - at.floor())
            }
            ResizeMode::Other => return Err(unknown()),
        });
    }
    let inner: usize = x.shape[axis + 1..].iter().product();
    let mut values = vec![];
    for block in x.values.chunks((old * inner).max(1)) {
        for &(low, high, share) in &mixtures {
            let pairs = block[low * inner..]
                .iter()
                .zip(&block[high * inner..])
                .take(inner);
            values.extend(pairs.map(|(&a, &b)| {
                if share == 0.0 {
                    a
                } else {
                    a * (1.0 - share) + b * share
                }
            }));
        }
    }
    let mut shape = x.shape.clone();
    shape[axis] = length;
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(mode: ResizeMode, places: ResizePlaces, scale: f64) -> Vec<f64> {
        let resize = Resize {
            form: ResizeForm::Scales { upsample: false },
            mode,
            places,
            axes: vec![],
        };
        let x = Array::new([1, 2], vec![0.0, 4.0]).unwrap();
        let scales = Array::new([2], vec![1.0, scale]).unwrap();
        evaluate(&resize, &[Some(&x), Some(&scales)])
            .unwrap()
            .values
    }

    #[test]
    fn positions_are_found_as_the_format_says() {
        let nearest = ResizeMode::Nearest(Nearest::Floor);
        assert_eq!(
            resized(nearest, ResizePlaces::Asymmetric, 2.0),
            [0.0, 0.0, 4.0, 4.0]
        );
        assert_eq!(
            resized(ResizeMode::Linear, ResizePlaces::HalfPixel, 2.0),
            [0.0, 1.0, 3.0, 4.0]
        );
        assert_eq!(
            resized(ResizeMode::Linear, ResizePlaces::AlignCorners, 1.5),
            [0.0, 2.0, 4.0]
        );
        let ceil = ResizeMode::Nearest(Nearest::RoundPreferFloor);
        assert_eq!(resized(ceil, ResizePlaces::HalfPixel, 0.5), [0.0]);
    }
}
