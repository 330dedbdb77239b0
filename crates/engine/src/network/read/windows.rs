//! Windows over places: what convolution and pooling read where.

use secateur_graph::{
    Node, Pool as GraphPool, PoolKind, Reduce as GraphReduce, ReduceAxes, ReduceKind, Window,
};

use super::{New, Reader};
use crate::kernels::conv::Front;
use crate::network::layout::Layout;
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Fold, Folded, Pool, Reduce, Taken};
use crate::{Error, Result};

/// A window along one axis of places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Along {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// How far the first window reaches before the axis.
    pub(super) before: usize,
    /// How far the last window reaches behind it.
    pub(super) behind: usize,
}

impl Along {
    /// A window of one position: that of a missing height.
    pub(super) const ONE: Self = Self {
        kernel: 1,
        stride: 1,
        dilation: 1,
        before: 0,
        behind: 0,
    };

    /// The position that `element` of window `place` reads, if it is within `length`.
    fn at(&self, place: usize, element: usize, length: usize) -> Option<usize> {
        let at = (place * self.stride + element * self.dilation).checked_sub(self.before)?;
        (at < length).then_some(at)
    }

    /// Whether that lies within the axis with its padding.
    fn fits(&self, place: usize, element: usize, length: usize) -> bool {
        place * self.stride + element * self.dilation < length + self.before + self.behind
    }
}

/// The last two of the windows along axes, which are those of height and width.
pub(super) fn inner<T, U: Copy>(along: &[T], of: impl Fn(&T) -> U) -> [U; 2] {
    let last = along.len() - 2;
    [of(&along[last]), of(&along[last + 1])]
}

/// Windows along the axes in front of height and width, with the lengths of what they read and make.
pub(super) fn front(along: &[Along], [from, to]: [&Layout; 2]) -> Vec<Front> {
    let lengths = from.sizes().into_iter().zip(to.sizes());
    let axes = along[..along.len() - 2].iter().zip(lengths);
    axes.map(|(along, (in_size, out_size))| Front {
        kernel: along.kernel,
        stride: along.stride,
        dilation: along.dilation,
        before: along.before,
        in_size,
        out_size,
    })
    .collect()
}

impl Reader<'_> {
    /// A window along every axis of places, two at least: a missing height is 1.
    pub(super) fn geometry(
        &self,
        window: &Window,
        from: &Layout,
        kernel: &[usize],
    ) -> Result<Vec<Along>> {
        let mut along = vec![Along::ONE; 2usize.saturating_sub(kernel.len())];
        let missing = along.len();
        let sizes = from.sizes();
        if sizes.len() != missing + kernel.len() {
            return Err(Error::invalid(format!(
                "a window over {} axes does not fit an input with {}",
                kernel.len(),
                sizes.len() - missing
            )));
        }
        for (axis, &reach) in kernel.iter().enumerate() {
            let (_, before, behind) = window.length(axis, sizes[axis + missing], reach)?;
            along.push(Along {
                kernel: reach,
                stride: window.strides[axis],
                dilation: window.dilations[axis],
                before,
                behind,
            });
        }
        Ok(along)
    }

    pub(super) fn pool(&mut self, node: &Node, pool: &GraphPool) -> Result<()> {
        if node.outputs.len() > 1 {
            return Err(
                Error::unsupported("MaxPool puts out the places of its numbers")
                    .hint("secateur shrink removes units of any network without training it"),
            );
        }
        let place = self.place(node.input(0)?)?;
        let x = self.image(place)?;
        let from = self.places[x].layout.clone();
        let made = node.output()?;
        let pixel = from.pixel();
        let to = Layout::image(&self.shape(made)?, pixel);
        let window = self.geometry(&pool.window, &from, &pool.kernel)?;
        let taken = match pool.kind {
            PoolKind::Max => Taken::Largest,
            PoolKind::Average {
                count_padding: false,
            } => Taken::Mean,
            PoolKind::Average {
                count_padding: true,
            } => Taken::MeanOfAll,
            PoolKind::Lp { .. } => return Err(untrained(node)),
        };
        let (mut taps, mut shares) = (vec![], vec![]);
        let (sizes, out_sizes) = (from.sizes(), to.sizes());
        let elements = window.iter().map(|a| a.kernel).product::<usize>();
        for place in 0..out_sizes.iter().product() {
            let place = digits(place, &out_sizes);
            let mut own = vec![];
            let mut within = 0;
            for element in 0..elements {
                // Where the element lies, and whether that is within the padding.
                let (mut at, mut fits) = (Some(0), true);
                let (mut rest, mut step) = (element, 1);
                for (axis, along) in window.iter().enumerate().rev() {
                    let (k, length) = (rest % along.kernel, sizes[axis]);
                    fits &= along.fits(place[axis], k, length);
                    at = at
                        .zip(along.at(place[axis], k, length))
                        .map(|(at, position)| at + position * step);
                    rest /= along.kernel;
                    step *= length;
                }
                within += usize::from(fits);
                own.extend(at.map(|at| (at * pixel) as u32));
            }
            let count = if taken == Taken::MeanOfAll {
                within
            } else {
                own.len()
            };
            shares.push(1.0 / count.max(1) as f32);
            taps.push(own);
        }
        let step = Step::Pool(Pool {
            taken,
            taps,
            shares,
            pixel,
            input: from.len,
        });
        self.push(
            made,
            New {
                step,
                x: vec![x],
                layout: to,
                is_trained: false,
            },
        );
        Ok(())
    }

    pub(super) fn reduce(&mut self, node: &Node, reduce: &GraphReduce) -> Result<()> {
        let x = self.place(node.input(0)?)?;
        let from = self.places[x].layout.clone();
        let made = node.output()?;
        let shape = self.shape(made)?;
        let rank = from.shape.len();
        let reduced: Vec<bool> = match &reduce.axes {
            ReduceAxes::All => vec![true; rank],
            ReduceAxes::Spatial => (0..rank).map(|axis| axis >= 2).collect(),
            ReduceAxes::These(axes) => {
                let is = |axis: usize| {
                    axes.iter()
                        .any(|&a| a.rem_euclid(rank as i64) as usize == axis)
                };
                (0..rank).map(is).collect()
            }
        };
        // The first axis is the batch where it has one position; after a reshape it may be another one.
        let is_batch = reduce.axes == ReduceAxes::All || from.shape.first() == Some(&1);
        if reduced.first() == Some(&true) && is_batch {
            return Err(Error::unsupported(format!(
                "{} over the batch cannot be trained",
                node.op.onnx_name()
            ))
            .hint("reduce over the axes of a row"));
        }
        let kept: Vec<usize> = (0..rank)
            .map(|a| if reduced[a] { 1 } else { from.shape[a] })
            .collect();
        // With all axes in place the output lies like the input; without them it is plain.
        let to = match from.is_image() && reduce.keep {
            true => Layout::image(&shape, from.pixel()),
            false => Layout::plain(&shape),
        };
        let wide = match to.is_image() {
            true => to.clone(),
            false => Layout::plain(&kept),
        };
        let strides: Vec<usize> = (0..rank)
            .map(|a| if reduced[a] { 0 } else { wide.strides[a] })
            .collect();
        let count: usize = (0..rank)
            .filter(|&a| reduced[a])
            .map(|a| from.shape[a])
            .product();
        let loops = Loops::new(&from.shape, [&from.strides, &strides]);
        let sum = |factor: f32, loops: Loops<2>| {
            Step::Reduce(Reduce {
                factor,
                loops,
                lengths: [from.len, to.len],
            })
        };
        let fold = |kind: Folded, loops: Loops<2>| {
            Step::Fold(Fold {
                kind,
                loops,
                output: to.len,
            })
        };
        let step = match reduce.kind {
            ReduceKind::Sum => sum(1.0, loops),
            ReduceKind::Mean => sum(1.0 / count.max(1) as f32, loops),
            ReduceKind::Max => fold(Folded::Max, loops),
            ReduceKind::Min => fold(Folded::Min, loops),
            ReduceKind::Product => fold(Folded::Product, loops),
            ReduceKind::L1 => fold(Folded::L1, loops),
            ReduceKind::L2 => fold(Folded::L2, loops),
            ReduceKind::SumSquare => fold(Folded::SumSquare, loops),
            ReduceKind::LogSum => fold(Folded::LogSum, loops),
            ReduceKind::LogSumExp => fold(Folded::LogSumExp, loops),
            ReduceKind::Lp { .. } => return Err(untrained(node)),
        };
        self.push(
            made,
            New {
                step,
                x: vec![x],
                layout: to,
                is_trained: false,
            },
        );
        Ok(())
    }
}

/// Norms of windows have no derivative here.
fn untrained(node: &Node) -> Error {
    Error::unsupported(format!("{} cannot be trained", node.op.onnx_name()))
        .hint("secateur shrink removes units of any network without training it")
}

/// A position in a shape, axis by axis.
fn digits(mut position: usize, shape: &[usize]) -> Vec<usize> {
    let mut digits = vec![0; shape.len()];
    for (digit, &length) in digits.iter_mut().zip(shape).rev() {
        *digit = position % length;
        position /= length;
    }
    digits
}
