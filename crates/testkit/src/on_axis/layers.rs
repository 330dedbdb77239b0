//! Operators with weights, and products of activations.

use secateur_graph::{Conv, ConvTranspose, Einsum, Gemm, Norm, Op, Result, Window};

use super::applied::{Applied, drawn, positive};

pub(super) fn all() -> Result<Vec<Applied>> {
    Ok([dense(), convolutions(), by_letters()?, normalisations()].concat())
}

fn dense() -> Vec<Applied> {
    let mut all = vec![];
    for (trans_a, trans_b) in [(false, false), (true, false), (false, true), (true, true)] {
        let turned = |by: bool, shape: [usize; 2]| match by {
            true => [shape[1], shape[0]],
            false => shape,
        };
        let gemm = Op::Gemm(Gemm {
            trans_a,
            trans_b,
            ..Gemm::default()
        });
        let (a, b) = (turned(trans_a, [3, 4]), turned(trans_b, [4, 2]));
        all.push(Applied::on(gemm.clone(), &[&a, &b]));
        for c in [&[2][..], &[3, 2], &[3, 1], &[1, 2], &[1], &[]] {
            all.push(Applied::on(gemm.clone(), &[&a, &b, c]));
        }
        all.push(Applied::on(gemm, &[&[3, 3], &[3, 3], &[3, 3]]));
    }
    let products: [(&[usize], &[usize]); 18] = [
        (&[4], &[4]),
        (&[4], &[4, 3]),
        (&[3, 4], &[4]),
        (&[3, 4], &[4, 2]),
        (&[3, 3], &[3, 3]),
        (&[2, 3, 4], &[4]),
        (&[2, 3, 4], &[4, 5]),
        (&[2, 3, 4], &[2, 4, 5]),
        (&[2, 3, 4], &[1, 4, 5]),
        (&[1, 3, 4], &[2, 4, 5]),
        (&[3, 4], &[2, 4, 5]),
        (&[4], &[2, 4, 5]),
        (&[3, 3, 3], &[3, 3, 3]),
        (&[2, 3, 4, 2], &[2, 3, 2, 4]),
        (&[2, 3, 4, 2], &[3, 2, 4]),
        (&[3, 4, 2], &[2, 3, 2, 4]),
        (&[2, 1, 4, 2], &[1, 3, 2, 4]),
        (&[2, 3, 4, 2], &[2, 5]),
    ];
    all.extend(products.map(|(a, b)| Applied::on(Op::MatMul, &[a, b])));
    all
}

fn convolutions() -> Vec<Applied> {
    let mut all = vec![];
    // Rows, channels and places of the input, weights, groups.
    let forwards: [(&[usize], &[usize], usize); 8] = [
        (&[3, 4, 5], &[2, 4, 2], 1),
        (&[3, 4, 5], &[6, 2, 2], 2),
        (&[3, 4, 5], &[4, 1, 2], 4),
        (&[3, 4, 5], &[8, 1, 2], 4),
        (&[3, 3, 3], &[3, 3, 3], 1),
        (&[3, 4, 3, 2], &[2, 4, 2, 2], 1),
        (&[2, 4, 3, 3], &[4, 1, 2, 2], 4),
        (&[2, 2, 2, 2, 2], &[3, 2, 2, 1, 2], 1),
    ];
    for (x, weights, conv_groups) in forwards {
        let window = Window::plain(x.len() - 2);
        let conv = Op::Conv(Conv {
            window,
            conv_groups,
        });
        all.push(Applied::on(conv.clone(), &[x, weights]));
        all.push(Applied::on(conv, &[x, weights, &weights[..1]]));
    }
    let backwards: [(&[usize], &[usize], usize); 7] = [
        (&[3, 4, 5], &[4, 2, 2], 1),
        (&[3, 4, 5], &[4, 3, 2], 2),
        (&[3, 4, 5], &[4, 1, 2], 4),
        (&[3, 4, 5], &[4, 2, 2], 4),
        (&[3, 3, 3], &[3, 3, 3], 1),
        (&[3, 4, 3, 2], &[4, 2, 2, 2], 1),
        (&[2, 4, 3, 3], &[4, 1, 2, 2], 4),
    ];
    for (x, weights, conv_groups) in backwards {
        let axes = x.len() - 2;
        let conv = Op::ConvTranspose(ConvTranspose {
            window: Window::plain(axes),
            conv_groups,
            output_padding: vec![0; axes],
        });
        let bias = [weights[1] * conv_groups];
        all.push(Applied::on(conv.clone(), &[x, weights]));
        all.push(Applied::on(conv, &[x, weights, &bias]));
    }
    all
}

fn by_letters() -> Result<Vec<Applied>> {
    let equations: [(&str, &[&[usize]]); 16] = [
        ("ij->ji", &[&[3, 4]]),
        ("ij->j", &[&[3, 4]]),
        ("ij->", &[&[3, 3]]),
        ("ij,jk->ik", &[&[3, 4], &[4, 2]]),
        ("ij,jk->ki", &[&[3, 3], &[3, 3]]),
        ("ij,ij->ij", &[&[3, 4], &[3, 4]]),
        ("ij,j->ij", &[&[3, 4], &[4]]),
        ("ij,ij->i", &[&[3, 4], &[3, 4]]),
        ("i,j->ij", &[&[3], &[4]]),
        ("ij,jk,kl->il", &[&[2, 3], &[3, 4], &[4, 2]]),
        ("bij,bjk->bik", &[&[2, 3, 4], &[2, 4, 2]]),
        ("abc,cde->abde", &[&[2, 3, 4], &[4, 2, 3]]),
        ("abcd,cde->abe", &[&[2, 3, 2, 3], &[2, 3, 4]]),
        ("acbe,aecd->abcd", &[&[2, 3, 4, 5], &[2, 5, 3, 2]]),
        ("...c,cd->...d", &[&[2, 3, 4], &[4, 3]]),
        ("...ij,...jk->...ik", &[&[2, 3, 4], &[1, 4, 2]]),
    ];
    let mut all = vec![];
    for (equation, shapes) in equations {
        let einsum = Einsum::of(equation, shapes.len())?;
        all.extend(einsum.map(|einsum| Applied::on(Op::Einsum(einsum), shapes)));
    }
    Ok(all)
}

fn normalisations() -> Vec<Applied> {
    let epsilon = 0.125;
    let mut all = vec![];
    for x in [&[3, 4][..], &[3, 4, 2], &[4, 4, 4], &[2, 4, 3, 2]] {
        let channels = &x[1..2];
        let batch = Op::BatchNorm {
            epsilon,
            momentum: 0.9,
        };
        let by_channel = [drawn(channels), drawn(channels), drawn(channels)];
        let inputs = [&[drawn(x)], &by_channel[..], &[positive(channels)]].concat();
        all.push(Applied::new(batch, inputs));
        let first = x.len() as i64;
        for axis in [-1, 0, 1, 2 - first] {
            let at = axis.rem_euclid(first) as usize;
            let (layer, rms) = (Norm::Layer { axis, epsilon }, Norm::Rms { axis, epsilon });
            all.push(Applied::on(Op::Norm(rms), &[x, &x[at..]]));
            all.push(Applied::on(Op::Norm(layer), &[x, &x[at..], &x[at..]]));
        }
        if x.len() > 2 {
            let instance = Op::Norm(Norm::Instance { epsilon });
            all.push(Applied::on(instance, &[x, channels, channels]));
            for (count, by_run) in [(2, false), (2, true), (4, false), (1, false)] {
                let group = Norm::Group {
                    count,
                    epsilon,
                    by_run,
                };
                let numbers = if by_run { [count] } else { [x[1]] };
                all.push(Applied::on(Op::Norm(group), &[x, &numbers, &numbers]));
            }
        }
    }
    all
}
