//! Other lengths of axes.

use proptest::prelude::*;
use secateur_graph::{Binary, Nearest, Op, Resize, ResizeForm, ResizeMode, ResizePlaces};

use super::{Net, check};

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn nearest_and_linear(
        channels in 1usize..6, size in (1usize..6, 1usize..6), ratios in (0usize..5, 0usize..5),
        mode in 0usize..5, places in 0usize..4, (plain, twice) in (any::<bool>(), any::<bool>()),
        (sized, stretched) in (any::<bool>(), any::<bool>()),
        seed: u64,
    ) {
        let mut net = Net::new(&[2, size.0, size.1], seed);
        let x = net.input;
        let mut x = net.conv(x, channels, 1, 1, 0, 1);
        if plain {
            x = net.node(Op::Transpose { order: vec![0, 1, 3, 2] }, &[x]);
        }
        let resize = Resize {
            form: ResizeForm::Resize,
            mode: match mode {
                0 => ResizeMode::Nearest(Nearest::Floor),
                1 => ResizeMode::Nearest(Nearest::RoundPreferFloor),
                2 => ResizeMode::Nearest(Nearest::Ceil),
                _ => ResizeMode::Linear,
            },
            places: [
                ResizePlaces::HalfPixel,
                ResizePlaces::PytorchHalfPixel,
                ResizePlaces::AlignCorners,
                ResizePlaces::Asymmetric,
            ][places],
            axes: vec![],
        };
        let ratio = |which: usize| [1.0, 2.0, 1.5, 3.0, 1.0][which];
        let y = if sized {
            let shape = net.shape(x);
            let lengths: Vec<i64> = [ratio(ratios.0), ratio(ratios.1)]
                .iter()
                .zip(&shape[2..])
                .map(|(r, &n)| (r * n as f32) as i64)
                .collect();
            let sizes = net.whole(&lengths);
            let resize = Resize { axes: vec![2, 3], ..resize };
            net.node_of(Op::Resize(resize), &[Some(x), None, None, Some(sizes)])
        } else {
            let more = if stretched { 2.0 } else { 1.0 };
            let scales = net.numbers(&[4], &[1.0, more, ratio(ratios.0), ratio(ratios.1)]);
            net.node_of(Op::Resize(resize), &[Some(x), None, Some(scales)])
        };
        let y = match twice && net.shape(y) == net.shape(x) {
            true => net.binary(Binary::Mul, x, y),
            false => y,
        };
        check(&net.build(y), 2);
    }
}
