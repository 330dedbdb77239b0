//! Steps on channels with places: windows, borders, blocks.

use secateur_graph::{
    Binary, ConvTranspose, Depth, DepthWay, Nearest, Op, Pad, PadMode, Pool, PoolKind, ReduceKind,
    Resize, ResizeForm, ResizeMode, ResizePlaces, Result, Tensor, Unary, Window,
};

use super::trunk::Trunk;

/// A step on channels with places.
#[derive(Debug, Clone, PartialEq)]
pub enum Places {
    /// A convolution to so many channels with a window of three.
    Conv(usize),
    /// A convolution of each channel by itself.
    Depthwise,
    /// A convolution that makes so many channels of each by itself.
    Multiplied(usize),
    /// The same backwards, which doubles the places.
    MultipliedBack(usize),
    /// A convolution in two groups to twice as many channels, of an even number of them.
    Grouped(usize),
    /// A convolution backwards to so many channels, which doubles the places.
    Transposed(usize),
    /// The largest or the mean of windows of two.
    Pool(PoolKind),
    /// A border of one place.
    Pad(PadMode),
    /// All places but the first.
    Crop,
    /// Twice as many places along each axis.
    Resize(ResizeMode, ResizeForm),
    /// Blocks of two by two between channels and places.
    Depth(DepthWay),
    /// Channels in two halves, shuffled.
    Shuffle,
    /// Channels weighted by what a small network makes of their means.
    SqueezeExcite(usize),
    /// The means of channels, repeated to all places and added.
    Expand,
}

/// Values of more places along an axis are not made larger.
const MOST: usize = 4;

/// Values of more channels are not made wider.
const WIDEST: usize = 18;

impl Places {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        if t.is_last {
            return Ok(());
        }
        let (x, width, axes) = (t.x, t.width, t.places.len());
        let is_small = t.places.iter().all(|&n| n <= MOST);
        match *self {
            Self::Conv(outer) => {
                t.x = t.conv(x, (width, outer), 3, 1)?;
                t.width = outer;
            }
            Self::Depthwise => t.x = t.conv(x, (width, width), 3, width)?,
            Self::Grouped(outer) if width % 2 == 0 => {
                t.x = t.conv(x, (width, 2 * outer), 3, 2)?;
                t.width = 2 * outer;
            }
            Self::Multiplied(times) if times * width <= WIDEST => {
                t.x = t.conv(x, (width, times * width), 3, width)?;
                t.width = times * width;
            }
            Self::MultipliedBack(times) if is_small && axes < 3 && times * width <= WIDEST => {
                t.backwards(times, width)?;
            }
            Self::Transposed(outer) if is_small && axes < 3 => t.backwards(outer, 1)?,
            Self::Pool(kind) if t.places.iter().all(|&n| n > 1) => {
                let pool = Pool {
                    kind,
                    kernel: vec![2; axes],
                    window: Window {
                        strides: vec![2; axes],
                        ..Window::plain(axes)
                    },
                };
                t.x = t.node(Op::Pool(pool), &[x]);
                t.places.iter_mut().for_each(|n| *n /= 2);
            }
            Self::Pad(mode) if is_small && t.places.iter().all(|&n| n > 1) => {
                let pads = [vec![0, 0], vec![1; axes]].concat().repeat(2);
                let pads = t.list(&pads)?;
                t.x = t.node(Op::Pad(Pad { mode, pads: None }), &[x, pads]);
                t.places.iter_mut().for_each(|n| *n += 2);
            }
            Self::Crop if t.places.iter().all(|&n| n > 1) => {
                let (starts, ends) = (vec![1; axes], vec![i64::MAX; axes]);
                let inputs = [
                    x,
                    t.list(&starts)?,
                    t.list(&ends)?,
                    t.list(&t.place_axes())?,
                ];
                t.x = t.node(Op::Slice { bounds: None }, &inputs);
                t.places.iter_mut().for_each(|n| *n -= 1);
            }
            Self::Resize(mode, form) if is_small && axes < 3 => t.resize(mode, form)?,
            Self::Depth(way) if axes == 2 => {
                let even = t.places.iter().all(|&n| n % 2 == 0);
                let depth = Op::Depth(Depth { block: 2, way });
                match way {
                    DepthWay::FromSpace if even && width <= 6 => {
                        t.x = t.node(depth, &[x]);
                        t.width *= 4;
                        t.places.iter_mut().for_each(|n| *n /= 2);
                    }
                    DepthWay::OuterToSpace | DepthWay::InnerToSpace if is_small => {
                        let wide = t.conv(x, (width, 4 * width), 1, 1)?;
                        t.x = t.node(depth, &[wide]);
                        t.places.iter_mut().for_each(|n| *n *= 2);
                    }
                    _ => {}
                }
            }
            Self::Shuffle if width % 2 == 0 && width > 2 => {
                let places: Vec<i64> = t.places.iter().map(|&n| n as i64).collect();
                let halves = t.reshape(x, &[vec![0, 2, -1], places.clone()].concat())?;
                let order = [vec![0, 2, 1], (3..3 + axes).collect()].concat();
                let turned = t.node(Op::Transpose { order }, &[halves]);
                t.x = t.reshape(turned, &[vec![0, -1], places].concat())?;
            }
            Self::SqueezeExcite(inner) => {
                let axes = t.place_axes();
                let mean = t.reduce(ReduceKind::Mean, x, &axes)?;
                let small = t.conv(mean, (width, inner), 1, 1)?;
                let small = t.node(Op::Unary(Unary::Relu), &[small]);
                let gate = t.conv(small, (inner, width), 1, 1)?;
                let gate = t.node(Op::Unary(Unary::Sigmoid), &[gate]);
                t.x = t.node(Op::Binary(Binary::Mul), &[x, gate]);
            }
            Self::Expand => {
                let axes = t.place_axes();
                let mean = t.reduce(ReduceKind::Mean, x, &axes)?;
                let places = t.places.iter().map(|&n| n as i64);
                let lengths: Vec<i64> = std::iter::once(width as i64).chain(places).collect();
                let shape = t.shape_of_rows(x, &lengths)?;
                let wide = t.node(Op::Expand, &[mean, shape]);
                t.x = t.node(Op::Binary(Binary::Sub), &[x, wide]);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Trunk {
    /// A convolution backwards to so many channels a group, which doubles the places.
    fn backwards(&mut self, outer: usize, conv_groups: usize) -> Result<()> {
        let axes = self.places.len();
        let conv = ConvTranspose {
            window: Window {
                strides: vec![2; axes],
                ..Window::plain(axes)
            },
            conv_groups,
            output_padding: vec![0; axes],
        };
        let weights = self.weights(&[vec![self.width, outer], vec![2; axes]].concat())?;
        self.width = outer * conv_groups;
        let bias = self.weights(&[self.width])?;
        self.x = self.node(Op::ConvTranspose(conv), &[self.x, weights, bias]);
        self.places.iter_mut().for_each(|n| *n *= 2);
        Ok(())
    }

    fn resize(&mut self, mode: ResizeMode, form: ResizeForm) -> Result<()> {
        let scales = [vec![1.0; 2], vec![2.0; self.places.len()]].concat();
        let tensor = Tensor::f32([scales.len()], scales)?;
        let name = self.b.name("scales");
        let scales = self.b.builder.constant(name, tensor);
        let resize = Op::Resize(Resize {
            form,
            mode,
            places: match mode {
                ResizeMode::Nearest(Nearest::Floor) => ResizePlaces::Asymmetric,
                _ => ResizePlaces::HalfPixel,
            },
            axes: vec![],
        });
        let name = self.b.name("resize");
        let made = self.b.builder.declare(name.clone(), None);
        let inputs = match form {
            ResizeForm::Resize => vec![Some(self.x), None, Some(scales)],
            ResizeForm::Scales { .. } => vec![Some(self.x), Some(scales)],
        };
        self.b.builder.add_node(secateur_graph::Node {
            name,
            op: resize,
            inputs,
            outputs: vec![made],
        });
        self.x = made;
        self.places.iter_mut().for_each(|n| *n *= 2);
        Ok(())
    }
}
