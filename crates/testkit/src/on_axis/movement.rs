//! Operators that move elements without changing them.

use secateur_graph::{
    Bounds, Depth, DepthWay, Nearest, Op, Pad, PadMode, Resize, ResizeForm, ResizeMode,
    ResizePlaces, Result, Split, Squeeze, Tensor,
};

use super::applied::{Applied, Operand, SHAPES, drawn, list, whole};

pub(super) fn all() -> Result<Vec<Applied>> {
    let mut all = shapes()?;
    for shape in SHAPES {
        for axis in 0..shape.len() {
            all.extend(along(shape, axis)?);
        }
        all.extend(orders(shape.len()).map(|order| Applied::on(Op::Transpose { order }, &[shape])));
    }
    for shape in [&[2, 4, 2, 2][..], &[4, 8, 2, 2], &[4, 4, 4, 4]] {
        let ways = [
            DepthWay::FromSpace,
            DepthWay::OuterToSpace,
            DepthWay::InnerToSpace,
        ];
        all.extend(ways.map(|way| Applied::on(Op::Depth(Depth { block: 2, way }), &[shape])));
    }
    Ok(all)
}

/// A few orders of axes of every rank, the last one reversed.
fn orders(rank: usize) -> impl Iterator<Item = Vec<usize>> {
    let turned = (1..rank).map(move |by| (0..rank).map(|axis| (axis + by) % rank).collect());
    turned.chain([(0..rank).rev().collect()])
}

/// Operators that work along an axis.
fn along(shape: &[usize], axis: usize) -> Result<Vec<Applied>> {
    let (rank, length, at) = (shape.len(), shape[axis], axis as i64);
    let changed = |new: usize| {
        let mut shape = shape.to_vec();
        shape[axis] = new;
        shape
    };
    let mut all = vec![
        Applied::on(Op::Flatten { axis: at }, &[shape]),
        Applied::on(Op::Flatten { axis: at + 1 }, &[shape]),
    ];
    let concat = Op::Concat { axis: at };
    all.push(Applied::on(concat.clone(), &[shape, &changed(2)]));
    if rank < 3 {
        let three = [&changed(1), shape, &changed(2)];
        all.push(Applied::on(concat.clone(), &three));
    }
    all.push(Applied::on(concat, &[shape]));
    let gather = Op::Gather { axis: at };
    let last = length as i64 - 1;
    for indices in [
        list(&[last, 0])?,
        list(&[0, 0, last])?,
        whole(&[], &[last])?,
        whole(&[2, 2], &[0, last, 0, last])?,
    ] {
        all.push(Applied::new(gather.clone(), [drawn(shape), indices]));
    }
    let slice = Op::Slice { bounds: None };
    for (start, end, step) in [
        (1, i64::MAX, 1),
        (0, -1, 1),
        (0, i64::MAX, 2),
        (-1, i64::MIN, -1),
    ] {
        let bounds = [list(&[start])?, list(&[end])?, list(&[at])?, list(&[step])?];
        let inputs = [&[drawn(shape)], &bounds[..]].concat();
        all.push(Applied::new(slice.clone(), inputs));
    }
    let bounds = Bounds {
        starts: vec![1],
        ends: vec![i64::MAX],
        axes: vec![at],
    };
    let by_attributes = Op::Slice {
        bounds: Some(bounds),
    };
    all.push(Applied::on(by_attributes, &[shape]));
    let mut parts = vec![vec![1, length - 1]];
    if length % 2 == 0 {
        parts.push(vec![length / 2; 2]);
    }
    for parts in parts {
        let split = Split {
            axis: at,
            parts,
            attribute: true,
        };
        all.push(Applied::on(Op::Split(split), &[shape]).with_outputs(2));
    }
    for (before, behind) in [(1, 0), (0, 2), (1, 1), (0, -1)] {
        let mut pads = vec![0; 2 * rank];
        (pads[axis], pads[rank + axis]) = (before, behind);
        let mode = PadMode::Constant(0.0);
        let pad = |mode: PadMode| Op::Pad(Pad { mode, pads: None });
        all.push(Applied::new(pad(mode), [drawn(shape), list(&pads)?]));
        if behind > 0 {
            let inputs = [drawn(shape), list(&pads)?];
            all.push(Applied::new(pad(PadMode::Edge), inputs.clone()));
            let value = Operand::Fixed(Tensor::f32([], vec![0.5])?);
            all.push(Applied::new(pad(mode), [&inputs[..], &[value]].concat()));
        }
    }
    let mut times = vec![1; rank];
    times[axis] = 2;
    all.push(Applied::new(Op::Tile, [drawn(shape), list(&times)?]));
    let wide: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    all.push(Applied::new(Op::Expand, [drawn(&changed(1)), list(&wide)?]));
    let more = [vec![2], wide].concat();
    all.push(Applied::new(Op::Expand, [drawn(shape), list(&more)?]));
    let grown = Op::Squeeze(Squeeze::In(vec![at]));
    all.push(Applied::new(grown, [drawn(shape), list(&[at])?]));
    let mut single = shape.to_vec();
    single.insert(axis, 1);
    let lost = Op::Squeeze(Squeeze::Out(vec![at]));
    all.push(Applied::new(lost, [drawn(&single), list(&[at])?]));
    let mut scales = vec![1.0; rank];
    scales[axis] = 2.0;
    let scales = Operand::Fixed(Tensor::f32([rank], scales)?);
    for mode in [ResizeMode::Nearest(Nearest::Floor), ResizeMode::Linear] {
        let resize = Resize {
            form: ResizeForm::Resize,
            mode,
            places: ResizePlaces::Asymmetric,
            axes: vec![],
        };
        let inputs = [drawn(shape), Operand::Missing, scales.clone()];
        all.push(Applied::new(Op::Resize(resize.clone()), inputs));
        let sizes: Vec<i64> = changed(2 * length).iter().map(|&n| n as i64).collect();
        let by_sizes = [drawn(shape), Operand::Missing, Operand::Missing];
        let inputs = [&by_sizes[..], &[list(&sizes)?]].concat();
        all.push(Applied::new(Op::Resize(resize), inputs));
    }
    Ok(all)
}

/// Reshapes that fold, divide and mix axes.
fn shapes() -> Result<Vec<Applied>> {
    let pairs: [(&[usize], &[i64]); 24] = [
        (&[6], &[2, 3]),
        (&[6], &[1, -1, 1]),
        (&[4, 6], &[24]),
        (&[4, 6], &[6, 4]),
        (&[4, 6], &[2, 2, 6]),
        (&[4, 6], &[4, 2, 3]),
        (&[4, 6], &[0, 3, -1]),
        (&[4, 6], &[-1, 6]),
        (&[4, 6], &[8, 3]),
        (&[4, 6], &[2, 12]),
        (&[4, 6], &[2, 2, 2, 3]),
        (&[4, 4], &[2, 2, 4]),
        (&[4, 4], &[4, 2, 2]),
        (&[2, 4, 6], &[8, 6]),
        (&[2, 4, 6], &[2, 24]),
        (&[2, 4, 6], &[0, 2, 2, 6]),
        (&[2, 4, 6], &[0, 0, 2, 3]),
        (&[2, 4, 6], &[2, 2, -1]),
        (&[2, 4, 6], &[0, 2, -1]),
        (&[2, 4, 6], &[6, 4, 2]),
        (&[4, 4, 4], &[16, 4]),
        (&[4, 4, 4], &[4, 16]),
        (&[2, 4, 3, 2], &[2, 4, 6]),
        (&[2, 4, 3, 2], &[8, 3, 2]),
    ];
    pairs
        .into_iter()
        .map(|(shape, wanted)| {
            let op = Op::Reshape { allow_zero: false };
            Ok(Applied::new(op, [drawn(shape), list(wanted)?]))
        })
        .collect()
}
