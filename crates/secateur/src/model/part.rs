//! A node at some places of its output: what it reads there, and how it is run on that alone.

use std::ops::Range;

use secateur_graph::{Conv, Gemm, Node, Op, Padding, Pool, Window};

/// Multiply-accumulates that the places of one node may take, if one place does not take more.
const OF_A_NODE: u64 = 16_000_000;
/// Places along an axis at most, for what costs little.
const LONG: usize = 8;

/// Positions along each axis of a value.
pub(super) type Ranges = Vec<Range<usize>>;

/// A node at some places.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) op: Op,
    /// What is read of each input; all of it where there is none.
    pub(super) reads: Vec<Option<Ranges>>,
    /// What of the output is made.
    pub(super) makes: Ranges,
    pub(super) macs: u64,
}

/// Where along an axis: windows meet the padding at its ends.
#[derive(Debug, Clone, Copy)]
enum At {
    First,
    Last,
    Drawn,
}

/// How places are drawn: a number below the one that is given.
pub(super) type Draw<'d> = dyn FnMut(usize) -> usize + 'd;

fn along(length: usize, most: usize, at: At, draw: &mut Draw<'_>) -> Range<usize> {
    let count = most.min(length);
    let start = match at {
        At::First => 0,
        At::Last => length - count,
        At::Drawn => draw(length - count + 1),
    };
    start..start + count
}

/// The longest side of a box over so many axes whose places, of so much work each, are affordable.
fn side(axes: usize, work: u64) -> usize {
    let fits = |&side: &usize| {
        let places = (side as u64).saturating_pow(axes as u32);
        places.saturating_mul(work) <= OF_A_NODE / 3
    };
    (1..=LONG).rev().find(fits).unwrap_or(1)
}

/// The node at three boxes of places: the first ones, the last ones and drawn ones. None where it has to be run as a whole: an
/// output of such a node may read all that the node is given.
///
/// `shapes` are those of its inputs, `made` that of its only output.
pub(super) fn parts(
    node: &Node,
    shapes: &[Option<Vec<usize>>],
    made: &[usize],
    draw: &mut Draw<'_>,
) -> Option<Vec<Part>> {
    let shape = |slot: usize| shapes.get(slot).and_then(Option::as_deref);
    let mut found: Vec<Part> = vec![];
    for at in [At::First, At::Last, At::Drawn] {
        let part = match &node.op {
            Op::Conv(conv) => {
                let (x, weight) = (shape(0)?, shape(1)?);
                let op = |window| {
                    Op::Conv(Conv {
                        window,
                        ..conv.clone()
                    })
                };
                let work = weight.iter().product::<usize>() as u64;
                let kernel = weight.get(2..)?;
                windows((&conv.window, kernel), (x, made), work, at, draw, op)?
            }
            Op::Pool(pool) => {
                let x = shape(0)?;
                let op = |window| {
                    Op::Pool(Pool {
                        window,
                        ..pool.clone()
                    })
                };
                let work = (x.get(1)? * pool.kernel.iter().product::<usize>()) as u64;
                windows((&pool.window, &pool.kernel), (x, made), work, at, draw, op)?
            }
            Op::ConvTranspose(conv) if conv.conv_groups == 1 => {
                let (x, weight) = (shape(0)?, shape(1)?);
                let channels = along(*made.get(1)?, 1, at, draw);
                let mut makes = whole(made);
                makes[1] = channels.clone();
                let mut of_weight = whole(weight);
                *of_weight.get_mut(1)? = channels.clone();
                let area: usize = weight.get(2..)?.iter().product();
                Some(Part {
                    op: node.op.clone(),
                    reads: vec![None, Some(of_weight), Some(vec![channels])],
                    makes,
                    macs: (x.iter().product::<usize>() * area) as u64,
                })
            }
            Op::Gemm(gemm) => Some(gemm_part(gemm, shapes, made, at, draw)?),
            Op::MatMul => Some(product(shape(0)?, shape(1)?, made, at, draw)?),
            Op::Binary(_)
            | Op::Unary(_)
            | Op::Variadic(_)
            | Op::BatchNorm { .. }
            | Op::PRelu
            | Op::Where
            | Op::Cast { .. }
            | Op::Clip { .. }
            | Op::Identity
                if made.len() > 2 =>
            {
                Some(pointwise(node, shapes, made, at, draw)?)
            }
            Op::ConvTranspose(_)
            | Op::Binary(_)
            | Op::Unary(_)
            | Op::Variadic(_)
            | Op::BatchNorm { .. }
            | Op::PRelu
            | Op::Where
            | Op::Cast { .. }
            | Op::Clip { .. }
            | Op::Identity
            | Op::Norm(_)
            | Op::Attention(_)
            | Op::Sample(_)
            | Op::Reduce(_)
            | Op::Einsum(_)
            | Op::Mix(_)
            | Op::Softmax { .. }
            | Op::LogSoftmax { .. }
            | Op::Flatten { .. }
            | Op::Gather { .. }
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Squeeze(_)
            | Op::Concat { .. }
            | Op::Slice { .. }
            | Op::Split(_)
            | Op::Depth(_)
            | Op::Pad(_)
            | Op::Resize(_)
            | Op::Expand
            | Op::Tile
            | Op::Shape { .. }
            | Op::Index(_)
            | Op::Opaque(_) => return None,
        };
        found.extend(part.filter(|part| !found.contains(part)));
    }
    (!found.is_empty()).then_some(found)
}

fn whole(shape: &[usize]) -> Ranges {
    shape.iter().map(|&n| 0..n).collect()
}

/// Windows over a box of places; no part where all of them lie in the padding, nothing where it does not fit.
fn windows(
    (window, kernel): (&Window, &[usize]),
    (x, made): (&[usize], &[usize]),
    work: u64,
    at: At,
    draw: &mut Draw<'_>,
    op: impl FnOnce(Window) -> Op,
) -> Option<Option<Part>> {
    let axes = kernel.len();
    let most = side(axes, work);
    let image = along(*x.first()?, 1, At::Drawn, draw);
    let mut reads = vec![image.clone(), 0..*x.get(1)?];
    let mut makes = vec![image, 0..*made.get(1)?];
    let (mut before, mut behind) = (vec![], vec![]);
    for axis in 0..axes {
        let length = *x.get(axis + 2)?;
        let (_, first, last) = window.length(axis, length, kernel[axis]).ok()?;
        let places = along(*made.get(axis + 2)?, most, at, draw);
        // Counted from the start of the padding.
        let start = places.start * window.strides[axis];
        let reach = window.dilations[axis] * (kernel[axis].max(1) - 1) + 1;
        let end = (places.end - 1) * window.strides[axis] + reach;
        let end = end.min(first + length + last);
        let own = start.saturating_sub(first)..end.saturating_sub(first).min(length);
        if own.is_empty() {
            return Some(None);
        }
        before.push(first.saturating_sub(start));
        behind.push(end - (first + own.end).min(end));
        reads.push(own);
        makes.push(places);
    }
    let places: usize = makes[2..].iter().map(Range::len).product();
    Some(Some(Part {
        op: op(Window {
            padding: Padding::By { before, behind },
            ..window.clone()
        }),
        reads: vec![Some(reads)],
        makes,
        macs: work.saturating_mul(places as u64),
    }))
}

/// Some rows of the first operand by some columns of the second.
fn product(a: &[usize], b: &[usize], made: &[usize], at: At, draw: &mut Draw<'_>) -> Option<Part> {
    let ([.., rows, inner], [.., _, columns]) = (a, b) else {
        return None;
    };
    let stacked: usize = made[..made.len().checked_sub(2)?].iter().product();
    let most = side(2, (stacked * inner) as u64);
    let (rows, columns) = (
        along(*rows, most, at, draw),
        along(*columns, most, at, draw),
    );
    let (mut of_a, mut of_b, mut makes) = (whole(a), whole(b), whole(made));
    let last = made.len() - 1;
    of_a[a.len() - 2] = rows.clone();
    of_b[b.len() - 1] = columns.clone();
    let macs = (stacked * inner * rows.len() * columns.len()) as u64;
    (makes[last - 1], makes[last]) = (rows, columns);
    Some(Part {
        op: Op::MatMul,
        reads: vec![Some(of_a), Some(of_b)],
        makes,
        macs,
    })
}

fn gemm_part(
    gemm: &Gemm,
    shapes: &[Option<Vec<usize>>],
    made: &[usize],
    at: At,
    draw: &mut Draw<'_>,
) -> Option<Part> {
    let (a, b) = (shapes.first()?.as_deref()?, shapes.get(1)?.as_deref()?);
    let (&[rows, columns], &[first, second], [_, _]) = (made, a, b) else {
        return None;
    };
    let inner = if gemm.trans_a { first } else { second };
    let most = side(2, inner as u64);
    let makes = vec![along(rows, most, at, draw), along(columns, most, at, draw)];
    let (mut of_a, mut of_b) = (whole(a), whole(b));
    of_a[usize::from(gemm.trans_a)] = makes[0].clone();
    of_b[usize::from(!gemm.trans_b)] = makes[1].clone();
    let added = shapes.get(2).and_then(Option::as_deref);
    Some(Part {
        op: Op::Gemm(*gemm),
        reads: vec![
            Some(of_a),
            Some(of_b),
            added.and_then(|c| aligned(c, &makes)),
        ],
        macs: (inner * makes[0].len() * makes[1].len()) as u64,
        makes,
    })
}

/// A box of places, with all channels, of what goes element by element.
fn pointwise(
    node: &Node,
    shapes: &[Option<Vec<usize>>],
    made: &[usize],
    at: At,
    draw: &mut Draw<'_>,
) -> Option<Part> {
    let mut makes = whole(made);
    for (range, &length) in makes.iter_mut().zip(made).skip(2) {
        *range = along(length, LONG, at, draw);
    }
    let is_norm = matches!(node.op, Op::BatchNorm { .. });
    let reads = shapes.iter().enumerate().map(|(slot, shape)| {
        let shape = shape.as_deref()?;
        // The others are a number for each channel.
        match is_norm && slot > 0 {
            true => None,
            false => aligned(shape, &makes),
        }
    });
    Some(Part {
        op: node.op.clone(),
        reads: reads.collect(),
        macs: makes.iter().map(|r| r.len() as u64).product(),
        makes,
    })
}

/// What of an operand that is broadcast has a part in some places.
fn aligned(shape: &[usize], makes: &[Range<usize>]) -> Option<Ranges> {
    let missing = makes.len().checked_sub(shape.len())?;
    let axes = shape.iter().zip(&makes[missing..]);
    let axes = axes.map(|(&n, range)| if n == 1 { 0..1 } else { range.clone() });
    Some(axes.collect())
}
