//! Readers through drawn windows, and what is chosen for readers.

use secateur_graph::{
    ChannelGroups, Conv, ConvTranspose, Dim, GraphBuilder, Keep, Op, Padding, Tensor, Unary,
    ValueId, Window, infer_shapes, kept_positions, shrink,
};
use secateur_testkit::{Stream, mlp};

use super::*;
use crate::repair::lockstep::Batch;
use crate::repair::samples::{Activation, Positions, Spread};
use crate::repair::site::sites;
use crate::repair::taps::Taps;
use crate::repair::tests::{Naive, half};

/// A value that a network makes.
fn made(graph: &Graph, value: ValueId, batch: &Batch) -> Activation {
    let taps = Taps::of(graph, &[value], &Naive).unwrap();
    taps.run(batch).unwrap().iter().next().unwrap().clone()
}

/// A network, what is left of it, and the only reader that lost something.
struct Cut {
    wide: Graph,
    small: Graph,
    site: Site,
}

impl Cut {
    fn new(wide: &Graph, keep: impl Fn(&ChannelGroups) -> Keep) -> Self {
        let wide = infer_shapes(wide).unwrap();
        let groups = ChannelGroups::of(&wide).unwrap();
        let keep = keep(&groups);
        let small = infer_shapes(&shrink(&wide, &groups, &keep).unwrap().graph).unwrap();
        let (mut found, untouched) = sites(&wide, &small, &kept_positions(&groups, &keep));
        assert_eq!((found.len(), untouched), (1, vec![]));
        let site = found.remove(0);
        Self { wide, small, site }
    }

    /// What the reader reads in both networks, at all positions of each batch.
    fn read(&self, batches: &[Batch]) -> [Vec<Vec<f32>>; 2] {
        [&self.wide, &self.small].map(|graph| {
            let each = batches.iter().map(|batch| {
                let value = made(graph, self.site.first.read.0, batch);
                let all = self
                    .site
                    .first
                    .view
                    .positions(&value, self.site.first.read.1);
                let all = Positions::drawn(all, all, 0);
                self.site
                    .first
                    .view
                    .at(&value, self.site.first.read.1, &all)
            });
            each.collect()
        })
    }

    fn weights(&self) -> [&Tensor; 2] {
        [&self.wide, &self.small].map(|graph| graph.constant(self.site.weights).unwrap())
    }

    fn parts(&self) -> Vec<Part> {
        let [before, now] = self.weights();
        let narrowed = self.site.narrowed([before.shape(), now.shape()]);
        narrowed.parts(&before.numbers()).unwrap()
    }
}

/// Whole numbers.
fn numbers(shape: &[usize], most: u32, stream: &mut Stream) -> Vec<f32> {
    let count = shape.iter().product();
    (0..count).map(|_| stream.integer(most) as f32).collect()
}

/// Rows of whole numbers through a layer of four units, the last of which is made of the others by multiples, to what reads them.
fn with_reader(lengths: &[usize], reader: Op, weights: &[usize], stream: &mut Stream) -> Graph {
    let mut b = GraphBuilder::new("net");
    let shape = [Dim::batch(), Dim::Fixed(3)];
    let lengths = lengths.iter().map(|&n| Dim::Fixed(n));
    let x = b.input("x", shape.into_iter().chain(lengths).collect::<Vec<_>>());
    let mut first = numbers(&[3, 3], 3, stream);
    let multiples = numbers(&[3], 2, stream);
    for input in 0..3 {
        let sum = (0..3).map(|unit| multiples[unit] * first[unit * 3 + input]);
        first.push(sum.sum());
    }
    let axes = weights.len() - 2;
    let shape = [&[4, 3][..], &vec![1; axes]].concat();
    let w1 = b.constant("w1", Tensor::f32(shape, first).unwrap());
    let plain = Op::Conv(Conv {
        window: Window::plain(axes),
        conv_groups: 1,
    });
    let hidden = b.node("first", plain, &[x, w1]);
    let own = numbers(weights, 4, stream);
    let w2 = b.constant("w2", Tensor::f32(weights.to_vec(), own).unwrap());
    let out = b.node("second", reader, &[hidden, w2]);
    b.output(out);
    b.build().unwrap()
}

/// A window of any strides, dilations and borders that fits.
fn window(lengths: &[usize], kernel: &[usize], stream: &mut Stream) -> Window {
    let strides = kernel.iter().map(|_| 1 + stream.below(3)).collect();
    let dilations: Vec<usize> = kernel.iter().map(|_| 1 + stream.below(2)).collect();
    let mut borders = || -> Vec<usize> {
        let each = lengths.iter().zip(kernel).zip(&dilations);
        each.map(|((length, kernel), dilation)| {
            let reach = dilation * (kernel - 1) + 1;
            reach.saturating_sub(*length).div_ceil(2) + stream.below(3)
        })
        .collect()
    };
    let (before, behind) = (borders(), borders());
    let padding = match stream.below(4) {
        0 => Padding::SameUpper,
        1 => Padding::SameLower,
        _ => Padding::By { before, behind },
    };
    Window {
        strides,
        dilations,
        padding,
        ceil: false,
    }
}

/// Zeros beyond borders, steps and gaps of windows: what others can stand for is given back as if they were not there.
fn given_back(lengths: &[usize], reader: Op, weights: &[usize], of: &str, stream: &mut Stream) {
    let told = format!("{reader:?} of {weights:?} on {lengths:?}");
    let wide = with_reader(lengths, reader, weights, stream);
    let cut = Cut::new(&wide, |groups| {
        let mut keep = Keep::all(groups);
        keep.drop(groups.named("first").unwrap(), 3).unwrap();
        keep
    });
    assert_eq!(cut.site.first.view.name(), of, "{told}");
    let shape = [&[16, 3], lengths].concat();
    let values = numbers(&shape, 5, stream);
    let batch = vec![Activation { shape, values }];
    let [wide, small] = &cut.read(std::slice::from_ref(&batch));
    let seen = Seen {
        wide,
        small,
        bounds: [1; 3],
    };
    let parts = cut.parts();
    let each = parts.iter().map(|part| {
        let mut moments = part.moments(&cut.site);
        part.measure(&cut.site, &seen, 0..1, &mut moments).unwrap();
        moments
    });
    let moments: Vec<Moments> = each.collect();
    let way = Way::solved(&parts, &moments, 1e-10).unwrap();
    let [before, now] = cut.weights();
    let narrowed = cut.site.narrowed([before.shape(), now.shape()]);
    let new = narrowed.assembled(&way.weights);
    let new = Tensor::f32(now.shape(), new.into_iter().map(|w| w as f32).collect()).unwrap();
    let mut repaired = cut.small.clone();
    repaired.set_constant(cut.site.weights, new).unwrap();
    // Variances over channels, as a bias makes up for means.
    let variance = |of: &Activation| -> f64 {
        let mut spread = Spread::default();
        spread.add(of, cut.site.made.unwrap().1);
        spread.of().1.iter().sum()
    };
    let want = made(&cut.wide, cut.site.made.unwrap().0, &batch);
    let far = |graph: &Graph| {
        let mut gap = made(graph, cut.site.made.unwrap().0, &batch);
        assert_eq!(gap.shape, want.shape, "{told}");
        let pairs = gap.values.iter_mut().zip(&want.values);
        pairs.for_each(|(have, want)| *have -= want);
        variance(&gap) / variance(&want)
    };
    let (before, after) = (far(&cut.small), far(&repaired));
    assert!(
        before > 1e-3 && after < 1e-8,
        "{told}: {before:e} {after:e}"
    );
}

#[test]
fn what_any_window_reads_is_given_back() {
    for seed in 0..48 {
        let mut stream = Stream::new(seed);
        let axes = 1 + stream.below(3);
        let lengths: Vec<usize> = (0..axes).map(|_| 4 + stream.below(3)).collect();
        let kernel: Vec<usize> = (0..axes).map(|_| 2 + stream.below(2)).collect();
        let window = window(&lengths, &kernel, &mut stream);
        let conv_groups = 1;
        let (shape, reader) = match stream.below(3) {
            0 => (
                [&[4, 2], &kernel[..]].concat(),
                Op::ConvTranspose(ConvTranspose {
                    output_padding: vec![0; axes],
                    window: Window {
                        padding: Window::plain(axes).padding,
                        ..window
                    },
                    conv_groups,
                }),
            ),
            _ => (
                [&[2, 4], &kernel[..]].concat(),
                Op::Conv(Conv {
                    window,
                    conv_groups,
                }),
            ),
        };
        let of = match reader {
            Op::Conv(_) => "patches",
            _ => "channels",
        };
        given_back(&lengths, reader, &shape, of, &mut stream);
    }
}

#[test]
fn what_windows_read_that_share_their_channels_is_given_back() {
    for seed in 0..12 {
        let mut stream = Stream::new(seed);
        // Of four channels, more numbers than are looked at one by one.
        let kernel = [&[400][..], &[20, 21]][seed as usize % 2];
        let lengths: Vec<usize> = kernel.iter().map(|_| 5 + stream.below(5)).collect();
        let window = window(&lengths, kernel, &mut stream);
        let conv = Conv {
            window,
            conv_groups: 1,
        };
        let shape = [&[2, 4], kernel].concat();
        given_back(&lengths, Op::Conv(conv), &shape, "channels", &mut stream);
    }
}

#[test]
fn no_reader_is_worse_on_what_it_is_chosen_on() {
    let [mut better, mut worse] = [0; 2];
    for seed in 0..120 {
        let wide = mlp(&[6, 8, 3], Unary::Tanh, seed).unwrap();
        let cut = Cut::new(&wide, |groups| half(groups, seed));
        let mut stream = Stream::new(seed);
        // So few that what is fitted on tells little of the others.
        let batch = |rows: usize, stream: &mut Stream| {
            vec![Activation {
                shape: vec![rows, 6],
                values: (0..rows * 6).map(|_| stream.unit() as f32).collect(),
            }]
        };
        let rows = seed as usize;
        let batches = [2 + rows % 6, 2 + rows % 3, 4].map(|rows| batch(rows, &mut stream));
        let [wide, small] = &cut.read(&batches);
        let seen = Seen {
            wide,
            small,
            bounds: [1, 2, 3],
        };
        let found = chosen(&cut.site, (&cut.wide, &cut.small), &seen).unwrap();
        let (numbers, told) = (found.weights, found.told);
        assert!(told.chosen[1] <= told.chosen[0], "{seed}: {told:?}");
        // So it is with the weights that are written.
        let now = cut.weights()[1].shape();
        let far = |batch: usize| {
            let parts = cut.parts();
            let new = match &numbers {
                Some(new) => cut.site.narrow.matrices(now, new).remove(0),
                None => parts[0].left(),
            };
            let (gap, all) =
                parts[0].distance(&cut.site, &new, told.ridge, &seen, batch..batch + 1);
            gap / all
        };
        assert!(far(1) <= told.chosen[0] * (1.0 + 1e-6), "{seed}: {told:?}");
        assert!((far(2) / told.tested[1] - 1.0).abs() < 1e-4, "{seed}");
        match told.tested[1] > told.tested[0] {
            true => worse += 1,
            false => better += 1,
        }
    }
    // Elsewhere it may be, which is told.
    assert!(worse > 0 && better > 100, "{worse} {better}");
}
