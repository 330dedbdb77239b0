//! Windows, reductions, operators that mix numbers along axes, and those that look at positions or lengths.

use secateur_graph::{
    Element, Index, Merge, Mix, Op, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, Result, Tensor,
    Window,
};

use super::applied::{Applied, Operand, SHAPES, drawn, list, positive, truths, whole};

pub(super) fn all() -> Result<Vec<Applied>> {
    let mut all = windows();
    for shape in SHAPES {
        all.extend(reductions(shape));
        all.extend(mixing(shape));
        all.extend(positions(shape)?);
    }
    Ok(all)
}

fn windows() -> Vec<Applied> {
    let mut all = vec![];
    for shape in [&[3, 4, 5][..], &[3, 3, 3], &[2, 3, 4, 3], &[2, 2, 2, 2, 3]] {
        let axes = shape.len() - 2;
        let average = |count_padding: bool| PoolKind::Average { count_padding };
        for kind in [PoolKind::Max, average(true), average(false)] {
            let pool = Pool {
                kind,
                kernel: vec![2; axes],
                window: Window::plain(axes),
            };
            all.push(Applied::on(Op::Pool(pool), &[shape]));
        }
        let lrn = Mix::Lrn {
            size: 3,
            alpha: 0.5,
            beta: 0.75,
            bias: 1.0,
        };
        all.push(Applied::on(Op::Mix(lrn), &[shape]));
    }
    all
}

fn reductions(shape: &[usize]) -> Vec<Applied> {
    let mut all = vec![];
    let kinds = [ReduceKind::Mean, ReduceKind::Max, ReduceKind::LogSum];
    let axes = (0..shape.len() as i64).map(|axis| ReduceAxes::These(vec![axis]));
    let mut axes: Vec<ReduceAxes> = axes.chain([ReduceAxes::All]).collect();
    if shape.len() > 2 {
        axes.push(ReduceAxes::Spatial);
        axes.push(ReduceAxes::These(vec![0, -1]));
    }
    for axes in axes {
        for kind in kinds {
            for keep in [true, false] {
                let reduce = Reduce {
                    kind,
                    axes: axes.clone(),
                    keep,
                };
                all.push(Applied::new(Op::Reduce(reduce), [positive(shape)]));
            }
        }
    }
    all
}

fn mixing(shape: &[usize]) -> Vec<Applied> {
    let mut all = vec![];
    for axis in 0..shape.len() as i64 {
        for op in [
            Op::Softmax { axis },
            Op::LogSoftmax {
                axis: axis - shape.len() as i64,
            },
            Op::Mix(Mix::Hardmax { axis }),
            Op::Mix(Mix::Lp { axis, p: 2 }),
            Op::Mix(Mix::MeanVariance { axes: vec![axis] }),
        ] {
            all.push(Applied::on(op, &[shape]));
        }
    }
    all
}

/// What counts positions or lengths.
fn positions(shape: &[usize]) -> Result<Vec<Applied>> {
    let rank = shape.len();
    let index = |index: Index, operands: &[Operand]| Applied::new(Op::Index(index), operands);
    let number = |value: i64| whole(&[], &[value]);
    let mut all = vec![];
    for (start, end) in [(0, None), (1, None), (0, Some(1)), (-1, None)] {
        let lengths = Applied::on(Op::Shape { start, end }, &[shape]);
        all.push(lengths.making(Element::I64));
    }
    all.push(index(Index::Size, &[drawn(shape)]).making(Element::I64));
    if rank > 1 {
        let triangle = Index::Trilu { upper: true };
        all.push(index(triangle, &[drawn(shape), number(1)?]));
    }
    if rank == 2 {
        let eye = Index::EyeLike { right: 1, to: None };
        all.push(index(eye, &[drawn(shape)]));
    }
    all.push(index(Index::Compress { axis: None }, &{
        let count: usize = shape.iter().product();
        let chosen = (0..count).map(|at| u8::from(at % 3 != 1)).collect();
        [drawn(shape), truth(&[count], chosen)?]
    }));
    for axis in 0..rank {
        let (at, length) = (axis as i64, shape[axis]);
        let (exclusive, reverse) = (true, false);
        let sums = Index::CumSum { exclusive, reverse };
        all.push(index(sums, &[drawn(shape), number(at)?]));
        for (largest, keep, last) in [(true, true, false), (false, false, true)] {
            let arg = Index::Arg {
                largest,
                axis: at,
                keep,
                last,
            };
            all.push(index(arg, &[drawn(shape)]).making(Element::I64));
        }
        let top = Index::TopK {
            largest: true,
            axis: at,
        };
        all.push(index(top, &[drawn(shape), list(&[2])?]).with_outputs(2));
        let chosen = truth(&[length], vec![1; length])?;
        all.push(index(
            Index::Compress { axis: Some(at) },
            &[drawn(shape), chosen],
        ));
        let mut few = shape.to_vec();
        few[axis] = 2;
        let count: usize = few.iter().product();
        let indices: Vec<i64> = (0..count as i64).map(|i| (i * i) % length as i64).collect();
        let elements = [drawn(shape), whole(&few, &indices)?];
        all.push(index(Index::GatherElements { axis: at }, &elements));
        let distinct: Vec<i64> = {
            let inner: usize = few[axis + 1..].iter().product();
            (0..count).map(|at| (at / inner % 2) as i64).collect()
        };
        let scatter = Index::ScatterElements {
            axis: at,
            merge: Merge::Replace,
        };
        let updates = [drawn(shape), whole(&few, &distinct)?, drawn(&few)];
        all.push(index(scatter, &updates));
    }
    let rows = whole(&[2, 1], &[shape[0] as i64 - 1, 0])?;
    all.push(index(
        Index::GatherNd { rows: 0 },
        &[drawn(shape), rows.clone()],
    ));
    let replaced = Index::ScatterNd {
        merge: Merge::Replace,
    };
    let updates = [&[2], &shape[1..]].concat();
    all.push(index(replaced, &[drawn(shape), rows, drawn(&updates)]));
    // Which of two numbers a truth is counted as.
    let one_hot = Index::OneHot { axis: -1 };
    all.push(index(one_hot, &[truths(shape), number(2)?, list(&[0, 1])?]));
    Ok(all)
}

fn truth(shape: &[usize], values: Vec<u8>) -> Result<Operand> {
    let data = secateur_graph::Data::Raw(Element::Bool, values);
    Tensor::new(shape, data).map(Operand::Fixed)
}
