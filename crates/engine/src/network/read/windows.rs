//! Windows over places: what convolution and pooling read where.

use secateur_graph::{
    Node, Pool as GraphPool, PoolKind, Reduce as GraphReduce, ReduceAxes, ReduceKind, Window,
};

use super::{New, Reader};
use crate::network::layout::Layout;
use crate::network::loops::Loops;
use crate::network::step::Step;
use crate::network::steps::{Fold, Folded, Pool, Reduce, Taken};
use crate::{Error, Result};

/// A window over height and width.
pub(super) struct Geometry {
    pub(super) kernel: [usize; 2],
    pub(super) strides: [usize; 2],
    pub(super) dilations: [usize; 2],
    /// How far the first window reaches before the image.
    pub(super) before: [usize; 2],
    /// How far the last window reaches behind it.
    pub(super) behind: [usize; 2],
}

impl Reader<'_> {
    /// A window of one or two axes; a missing height is 1.
    pub(super) fn geometry(
        &self,
        window: &Window,
        from: &Layout,
        kernel: &[usize],
    ) -> Result<Geometry> {
        if !matches!(kernel.len(), 1 | 2) {
            return Err(Error::unsupported(format!(
                "a window over {} axes cannot be trained",
                kernel.len()
            ))
            .hint("windows over one or two axes can"));
        }
        let missing = 2 - kernel.len();
        let wide = |values: &[usize], fill: usize| {
            std::array::from_fn(|axis| {
                if axis < missing {
                    fill
                } else {
                    values[axis - missing]
                }
            })
        };
        let (mut before, mut behind) = (vec![], vec![]);
        for (axis, &reach) in kernel.iter().enumerate() {
            let length = from.size()[axis + missing];
            let (_, first, last) = window.length(axis, length, reach)?;
            before.push(first);
            behind.push(last);
        }
        Ok(Geometry {
            kernel: wide(kernel, 1),
            strides: wide(&window.strides, 1),
            dilations: wide(&window.dilations, 1),
            before: wide(&before, 0),
            behind: wide(&behind, 0),
        })
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
        let ([height, width], [out_height, out_width]) = (from.size(), to.size());
        for place in 0..out_height * out_width {
            let top = [place / out_width, place % out_width];
            let mut own = vec![];
            let mut within = 0;
            for element in 0..window.kernel[0] * window.kernel[1] {
                let element = [element / window.kernel[1], element % window.kernel[1]];
                // Counted from the start of the padding.
                let [row, column] =
                    [0, 1].map(|a| top[a] * window.strides[a] + element[a] * window.dilations[a]);
                let fits = row < height + window.before[0] + window.behind[0]
                    && column < width + window.before[1] + window.behind[1];
                within += usize::from(fits);
                let at = row
                    .checked_sub(window.before[0])
                    .zip(column.checked_sub(window.before[1]));
                if let Some((row, column)) = at.filter(|&(r, c)| r < height && c < width) {
                    own.push(((row * width + column) * pixel) as u32);
                }
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
