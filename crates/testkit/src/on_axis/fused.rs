//! Operators that do what several do: attention, and sampling at places that are computed.

use secateur_graph::{
    Attention, GridMode, GridPadding, GridSample, Norm, Op, Pool, PoolKind, Result, RoiAlign,
    Sample, Tensor, Window,
};

use super::applied::{Applied, Operand, drawn, positive, whole};

pub(super) fn all() -> Result<Vec<Applied>> {
    let mut all = attention();
    all.extend(sampling()?);
    for x in [&[3, 4, 2][..], &[3, 3, 3], &[2, 3, 4, 2]] {
        let (axes, channels) = (x.len() - 2, &x[1..2]);
        let pool = Pool {
            kind: PoolKind::Lp { p: 2 },
            kernel: vec![2; axes],
            window: Window::plain(axes),
        };
        all.push(Applied::on(Op::Pool(pool), &[x]));
        let by_channel = [drawn(channels), drawn(channels), drawn(channels)];
        let inputs = [&[drawn(x)], &by_channel[..], &[positive(channels)]].concat();
        let batch = Op::Norm(Norm::Batch { epsilon: 0.125 });
        all.push(Applied::new(batch, inputs));
    }
    Ok(all)
}

/// Queries, keys, values and masks, with heads on an axis of their own or as part of the last.
fn attention() -> Vec<Applied> {
    let flat = |of_q: usize, of_kv: usize| Op::Attention(Attention::plain(Some((of_q, of_kv))));
    let apart = Op::Attention(Attention::plain(None));
    let causal = Op::Attention(Attention {
        causal: true,
        ..Attention::plain(None)
    });
    let four: [&[usize]; 3] = [&[2, 2, 3, 2], &[2, 2, 3, 2], &[2, 2, 3, 3]];
    let three: [&[usize]; 3] = [&[2, 3, 4], &[2, 5, 4], &[2, 5, 6]];
    let mut all = vec![
        Applied::on(apart.clone(), &four),
        Applied::on(causal, &four),
        Applied::on(flat(2, 2), &three),
        Applied::on(flat(4, 2), &[&[2, 3, 8], &[2, 3, 4], &[2, 3, 4]]),
        Applied::on(flat(1, 1), &[&[2, 3, 3], &[2, 3, 3], &[2, 3, 3]]),
    ];
    for mask in [&[3, 3][..], &[2, 1, 3, 3], &[1, 2, 3, 3], &[2, 2, 3, 3]] {
        all.push(Applied::on(
            apart.clone(),
            &[four[0], four[1], four[2], mask],
        ));
    }
    all.push(Applied::on(
        flat(2, 2),
        &[three[0], three[1], three[2], &[2, 3, 5]],
    ));
    all
}

fn sampling() -> Result<Vec<Applied>> {
    let grid = Op::Sample(Sample::Grid(GridSample {
        mode: GridMode::Linear,
        padding: GridPadding::Zeros,
        align_corners: false,
        old_names: false,
    }));
    let roi = Op::Sample(Sample::Roi(RoiAlign {
        max: false,
        half_pixel: true,
        cells: [2, 2],
        samples: 1,
        scale: 1.0,
    }));
    let regions = Tensor::f32([2, 4], vec![0.0, 0.0, 2.0, 2.0, 1.0, 1.0, 3.0, 2.0])?;
    let regions = [Operand::Fixed(regions), whole(&[2], &[1, 0])?];
    let mut all = vec![];
    for x in [&[2, 3, 4, 3][..], &[2, 2, 2, 2]] {
        all.push(Applied::on(grid.clone(), &[x, &[2, 2, 3, 2]]));
        let inputs = [&[drawn(x)], &regions[..]].concat();
        all.push(Applied::new(roi.clone(), inputs));
    }
    Ok(all)
}
