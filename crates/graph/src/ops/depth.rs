//! `DepthToSpace` and `SpaceToDepth`: blocks of places and channels take turns.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::input_shape;
use crate::channels::{Channels, Walk};
use crate::eval::Array;
use crate::{Dim, Error, Graph, Node, Result};

/// Attributes of [`Op::Depth`](crate::Op::Depth).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Length and height of a block.
    pub block: usize,
    /// Which way.
    pub way: DepthWay,
}

/// Between which axes elements move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepthWay {
    /// Channels become places; a channel's places in the block are the outer part of the channel axis.
    OuterToSpace,
    /// Channels become places; a channel's places in the block are the inner part of the channel axis.
    InnerToSpace,
    /// Places become channels, the place in the block as the outer part of the channel axis.
    FromSpace,
}

const CHANNELS: usize = 1;

impl Depth {
    pub(crate) fn onnx_name(self) -> &'static str {
        match self.way {
            DepthWay::OuterToSpace | DepthWay::InnerToSpace => "DepthToSpace",
            DepthWay::FromSpace => "SpaceToDepth",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node, depth: Depth) -> Result<Option<Vec<Dim>>> {
    let Some(x) = input_shape(graph, node, 0)? else {
        return Ok(None);
    };
    let [rows, channels, height, width] = x else {
        return Err(Error::invalid(format!(
            "{} of a value with {} axes",
            depth.onnx_name(),
            x.len()
        )));
    };
    let times = |dim: &Dim, factor: usize| match dim.fixed() {
        Some(length) => length.checked_mul(factor).map(Dim::Fixed),
        None => Some(Dim::Named(format!("{dim}*{factor}"))),
    };
    let over = |dim: &Dim, factor: usize| match dim.fixed() {
        Some(length) => (length.is_multiple_of(factor)).then_some(Dim::Fixed(length / factor)),
        None => Some(Dim::Named(format!("{dim}/{factor}"))),
    };
    let (block, area) = (depth.block, depth.block.saturating_mul(depth.block));
    let made = match depth.way {
        DepthWay::FromSpace => [
            times(channels, area),
            over(height, block),
            over(width, block),
        ],
        _ => [
            over(channels, area),
            times(height, block),
            times(width, block),
        ],
    };
    let made: Option<Vec<Dim>> = made.into_iter().collect();
    match made {
        Some(made) => Ok(Some([vec![rows.clone()], made].concat())),
        None => Err(Error::invalid(format!(
            "blocks of {block} do not fit into [{rows}, {channels}, {height}, {width}]"
        ))),
    }
}

/// The places of a block are a factor of the channel axis, and stay; the other factor passes.
pub(super) fn channels(node: &Node, depth: Depth, walk: &mut Walk<'_>) -> Result<()> {
    let (x, made) = (node.input(0)?, node.output()?);
    let area = depth.block * depth.block;
    for channels in walk.channels(x).to_vec() {
        match channels.axis.cmp(&CHANNELS) {
            Ordering::Less => walk.carry(made, channels),
            Ordering::Equal => {}
            Ordering::Greater => {
                walk.freeze_axis(x, channels.axis, node, "is divided into blocks");
            }
        }
    }
    let own = walk.along(x, CHANNELS);
    let reason = "is a place in a block";
    match (&own[..], depth.way) {
        ([whole], DepthWay::FromSpace) => {
            let atoms = whole.atoms.repeat(area);
            walk.carry(
                made,
                Channels {
                    axis: CHANNELS,
                    atoms,
                },
            );
        }
        ([outer, inner], DepthWay::OuterToSpace)
            if walk.are_factors(outer, inner, area, inner.atoms.len() / area) =>
        {
            walk.freeze_atoms(&outer.atoms, node, reason);
            let atoms = inner.atoms[..inner.atoms.len() / area].to_vec();
            walk.carry(
                made,
                Channels {
                    axis: CHANNELS,
                    atoms,
                },
            );
        }
        ([outer, inner], DepthWay::InnerToSpace)
            if walk.are_factors(outer, inner, outer.atoms.len() / area, area) =>
        {
            walk.freeze_atoms(&inner.atoms, node, reason);
            let atoms = outer.atoms.iter().step_by(area).copied().collect();
            walk.carry(
                made,
                Channels {
                    axis: CHANNELS,
                    atoms,
                },
            );
        }
        ([whole], way) => {
            let count = whole.atoms.len() / area;
            let lengths = match way {
                DepthWay::InnerToSpace => [count, area],
                _ => [area, count],
            };
            if !lengths.contains(&1) && !walk.factorise(whole, &lengths) {
                walk.freeze_axis(x, CHANNELS, node, "is divided into blocks unlike elsewhere");
            } else if lengths.contains(&1) {
                walk.freeze_axis(x, CHANNELS, node, reason);
            }
        }
        _ => walk.freeze_axis(x, CHANNELS, node, "is divided into blocks unlike elsewhere"),
    }
    Ok(())
}

pub(super) fn evaluate(depth: Depth, x: &Array) -> Result<Array> {
    let &[rows, channels, height, width] = x.shape.as_slice() else {
        return Err(Error::invalid(format!(
            "{} of a value with {} axes",
            depth.onnx_name(),
            x.shape.len()
        )));
    };
    let b = depth.block;
    let to_space = depth.way != DepthWay::FromSpace;
    let fits = match to_space {
        true => channels.is_multiple_of(b * b),
        false => height.is_multiple_of(b) && width.is_multiple_of(b),
    };
    if b == 0 || !fits {
        return Err(Error::invalid(format!(
            "blocks of {b} do not fit into {:?}",
            x.shape
        )));
    }
    // The smaller image, and the channels of the larger one.
    let (h, w, c) = match to_space {
        true => (height, width, channels / (b * b)),
        false => (height / b, width / b, channels),
    };
    let deep = |n: usize, k: usize, (i, j): (usize, usize), (y, x): (usize, usize)| {
        let channel = match depth.way {
            DepthWay::InnerToSpace => (k * b + i) * b + j,
            _ => (i * b + j) * c + k,
        };
        ((n * c * b * b + channel) * h + y) * w + x
    };
    let wide = |n: usize, k: usize, (i, j): (usize, usize), (y, x): (usize, usize)| {
        ((n * c + k) * h * b + y * b + i) * w * b + x * b + j
    };
    let mut values = vec![0.0; x.values.len()];
    for n in 0..rows {
        for k in 0..c {
            for block in (0..b).flat_map(|i| (0..b).map(move |j| (i, j))) {
                for place in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
                    let (deep, wide) = (deep(n, k, block, place), wide(n, k, block, place));
                    match to_space {
                        true => values[wide] = x.values[deep],
                        false => values[deep] = x.values[wide],
                    }
                }
            }
        }
    }
    let shape = match to_space {
        true => [rows, c, h * b, w * b],
        false => [rows, c * b * b, h, w],
    };
    Array::new(shape, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelGroups, Conv, GraphBuilder, Op, Tensor, Window};

    #[test]
    fn blocks_become_channels_and_back() {
        let x = Array::new([1, 4, 1, 2], (0..8).map(f64::from).collect()).unwrap();
        let run = |way, x: &Array| evaluate(Depth { block: 2, way }, x).unwrap();
        let wide = run(DepthWay::OuterToSpace, &x);
        assert_eq!(wide.shape, [1, 1, 2, 4]);
        assert_eq!(wide.values, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert_eq!(run(DepthWay::FromSpace, &wide), x);
        let two = Array::new([1, 8, 1, 1], (0..8).map(f64::from).collect()).unwrap();
        assert_eq!(
            run(DepthWay::InnerToSpace, &two).values,
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        );
        assert_eq!(
            run(DepthWay::OuterToSpace, &two).values,
            [0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0]
        );
        assert!(
            evaluate(
                Depth {
                    block: 3,
                    way: DepthWay::FromSpace
                },
                &x
            )
            .is_err()
        );
    }

    /// A convolution, the operation, and a convolution that reads what comes out.
    fn between(way: DepthWay) -> crate::Graph {
        let weights = |shape: [usize; 4], salt: usize| {
            let count: usize = shape.iter().product();
            let values = (0..count).map(|i| ((i * 7 + salt) % 11) as f32 - 5.0);
            Tensor::f32(shape, values.collect()).unwrap()
        };
        let conv = || {
            Op::Conv(Conv {
                window: Window::plain(2),
                conv_groups: 1,
            })
        };
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [1, 2, 4, 4].map(Dim::Fixed));
        let w1 = b.constant("w1", weights([12, 2, 1, 1], 1));
        let h = b.node("h", conv(), &[x, w1]);
        let moved = b.node("moved", Op::Depth(Depth { block: 2, way }), &[h]);
        let inner = if way == DepthWay::FromSpace { 48 } else { 3 };
        let w2 = b.constant("w2", weights([2, inner, 1, 1], 3));
        let y = b.node("y", conv(), &[moved, w2]);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn channels_pass_and_places_stay() {
        for (way, free) in [
            (DepthWay::OuterToSpace, vec![3]),
            (DepthWay::InnerToSpace, vec![3]),
            (DepthWay::FromSpace, vec![12]),
        ] {
            let graph = between(way);
            let groups = ChannelGroups::of(&graph).unwrap();
            let hidden = groups.groups().iter().filter(|g| g.name.starts_with('h'));
            let loose = hidden.filter(|g| g.frozen.is_none()).map(|g| g.units);
            assert_eq!(loose.collect::<Vec<_>>(), free, "{way:?}");
            let input = Array::new([1, 2, 4, 4], (0..32).map(f64::from).collect()).unwrap();
            let mut keep = crate::Keep::all(&groups);
            let id = groups
                .iter()
                .find(|(_, g)| g.name.starts_with('h') && g.frozen.is_none());
            keep.drop(id.unwrap().0, 1).unwrap();
            let masked = crate::mask(&graph, &groups, &keep).unwrap();
            let small = crate::shrink(&graph, &groups, &keep).unwrap().graph;
            let run = |graph| crate::evaluate(graph, std::slice::from_ref(&input)).unwrap();
            assert_eq!(run(&masked), run(&small), "{way:?}");
            assert_ne!(run(&masked), run(&graph), "{way:?}");
        }
    }
}
