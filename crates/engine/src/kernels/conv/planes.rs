//! Convolutions over more than two axes: planes of height and width that lie one behind the other.
//!
//! A plane that is made is the sum of convolutions of the planes that its window reaches, one for each place of the kernel
//! along the axes in front of height and width. With no such axes it is the one convolution of an image.

use super::dense::Finish;
use super::{Kernel, Shape};

/// A window along an axis in front of height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// Length of the kernel.
    pub kernel: usize,
    /// Planes of the input from one plane of the output to the next.
    pub stride: usize,
    /// Planes of the input from one weight to the next.
    pub dilation: usize,
    /// How far the first window reaches before the input.
    pub before: usize,
    /// Length of the input.
    pub in_size: usize,
    /// Length of the output.
    pub out_size: usize,
}

/// A place of the kernel with the plane that it reads, or writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    tap: usize,
    plane: usize,
}

/// A convolution over any number of axes, planned for its lengths.
///
/// All slices are those of [`Kernel`], plane after plane; weights are `[outputs, inputs / groups, ..., height, width]`.
#[derive(Debug, Clone)]
pub struct Planes {
    kernel: Kernel,
    taps: usize,
    /// For each plane that is made, those that it reads.
    reads: Vec<Vec<Link>>,
    /// For each plane that is read, those that it has a part in.
    parts: Vec<Vec<Link>>,
}

impl Planes {
    /// Plans a convolution whose planes are as `shape` says, with more axes in front.
    ///
    /// # Panics
    /// If the numbers do not make a convolution.
    pub fn new(shape: Shape, front: &[Front]) -> Self {
        let mut reads = vec![vec![Link { tap: 0, plane: 0 }]];
        for axis in front {
            reads = reads
                .iter()
                .flat_map(|links| (0..axis.out_size).map(|made| axis.reads(made, links)))
                .collect();
        }
        let product = |of: fn(&Front) -> usize| front.iter().map(of).product::<usize>();
        let mut parts = vec![vec![]; product(|a| a.in_size)];
        for (made, links) in reads.iter().enumerate() {
            for link in links {
                parts[link.plane].push(Link {
                    tap: link.tap,
                    plane: made,
                });
            }
        }
        Self {
            kernel: Kernel::new(shape),
            taps: product(|a| a.kernel),
            reads,
            parts,
        }
    }

    /// What happens to each plane.
    pub fn shape(&self) -> &Shape {
        self.kernel.shape()
    }

    /// Floats of the input.
    pub fn in_len(&self) -> usize {
        self.parts.len() * self.shape().in_len()
    }

    /// Floats of the output.
    pub fn out_len(&self) -> usize {
        self.reads.len() * self.shape().out_len()
    }

    /// As [`Kernel::packed_len`].
    pub fn packed_len(&self) -> usize {
        self.taps * self.kernel.packed_len()
    }

    /// As [`Kernel::pack`].
    pub fn pack(&self, weights: &[f32], into: &mut [f32]) {
        let len = self.kernel.packed_len();
        self.each_tap(weights, |tap, own| {
            self.kernel.pack(own, &mut into[tap * len..(tap + 1) * len]);
        });
    }

    /// As [`Kernel::turned_len`].
    pub fn turned_len(&self) -> usize {
        self.taps * self.kernel.turned_len()
    }

    /// As [`Kernel::pack_turned`].
    pub fn pack_turned(&self, weights: &[f32], into: &mut [f32]) {
        let len = self.kernel.turned_len();
        self.each_tap(weights, |tap, own| {
            self.kernel
                .pack_turned(own, &mut into[tap * len..(tap + 1) * len]);
        });
    }

    /// As [`Kernel::gradient_len`].
    pub fn gradient_len(&self) -> usize {
        self.taps * self.kernel.gradient_len()
    }

    /// As [`Kernel::unpack_gradient`].
    pub fn unpack_gradient(&self, packed: &[f32], keep: f32, into: &mut [f32]) {
        let len = self.kernel.gradient_len();
        if self.taps == 1 {
            return self.kernel.unpack_gradient(packed, keep, into);
        }
        let mut own = vec![0.0; self.shape().weights_len()];
        for tap in 0..self.taps {
            self.gather(tap, into, &mut own);
            let packed = &packed[tap * len..(tap + 1) * len];
            self.kernel.unpack_gradient(packed, keep, &mut own);
            let area = self.shape().taps();
            let filters = into.chunks_exact_mut(self.taps * area);
            for (filter, own) in filters.zip(own.chunks_exact(area)) {
                filter[tap * area..(tap + 1) * area].copy_from_slice(own);
            }
        }
    }

    /// Calls `take` with the weights of each place of the kernel in front of height and width.
    fn each_tap(&self, weights: &[f32], mut take: impl FnMut(usize, &[f32])) {
        assert_eq!(
            weights.len(),
            self.taps * self.shape().weights_len(),
            "weights"
        );
        if self.taps == 1 {
            return take(0, weights);
        }
        let mut own = vec![0.0; self.shape().weights_len()];
        for tap in 0..self.taps {
            self.gather(tap, weights, &mut own);
            take(tap, &own);
        }
    }

    fn gather(&self, tap: usize, weights: &[f32], own: &mut [f32]) {
        let area = self.shape().taps();
        let filters = weights.chunks_exact(self.taps * area);
        for (own, filter) in own.chunks_exact_mut(area).zip(filters) {
            own.copy_from_slice(&filter[tap * area..(tap + 1) * area]);
        }
    }

    /// As [`Kernel::scratch_len`].
    pub fn scratch_len(&self) -> usize {
        self.kernel.scratch_len()
    }

    /// As [`Kernel::forward`].
    pub fn forward(
        &self,
        x: &[f32],
        packed: &[f32],
        bias: &[f32],
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert_eq!(x.len(), self.in_len(), "input");
        assert_eq!(y.len(), self.out_len(), "output");
        let (shape, len) = (self.shape(), self.kernel.packed_len());
        let planes = y.chunks_exact_mut(shape.out_len());
        for (y, links) in planes.zip(&self.reads) {
            if links.is_empty() {
                constant(bias, relu, shape.out_stride, y);
            }
            for (k, link) in links.iter().enumerate() {
                let finish = Finish {
                    bias: if k == 0 { bias } else { &[] },
                    add: k > 0,
                    relu: relu && k + 1 == links.len(),
                };
                let x = &x[link.plane * shape.in_len()..][..shape.in_len()];
                let packed = &packed[link.tap * len..][..len];
                self.kernel.finished(x, packed, finish, y, scratch);
            }
        }
    }

    /// As [`Kernel::input_gradient`].
    pub fn input_gradient(
        &self,
        dy: &[f32],
        turned: &[f32],
        dx: &mut [f32],
        add: bool,
        scratch: &mut [f32],
    ) {
        assert_eq!(dx.len(), self.in_len(), "gradient of the input");
        assert_eq!(dy.len(), self.out_len(), "gradient of the output");
        let (shape, len) = (self.shape(), self.kernel.turned_len());
        let planes = dx.chunks_exact_mut(shape.in_len());
        for (dx, links) in planes.zip(&self.parts) {
            if links.is_empty() && !add {
                dx.fill(0.0);
            }
            for (k, link) in links.iter().enumerate() {
                let dy = &dy[link.plane * shape.out_len()..][..shape.out_len()];
                let turned = &turned[link.tap * len..][..len];
                self.kernel
                    .input_gradient(dy, turned, dx, add || k > 0, scratch);
            }
        }
    }

    /// As [`Kernel::weight_gradient`].
    pub fn weight_gradient(&self, x: &[f32], dy: &[f32], packed: &mut [f32], scratch: &mut [f32]) {
        assert_eq!(x.len(), self.in_len(), "input");
        assert_eq!(dy.len(), self.out_len(), "gradient of the output");
        let (shape, len) = (self.shape(), self.kernel.gradient_len());
        let planes = dy.chunks_exact(shape.out_len());
        for (dy, links) in planes.zip(&self.reads) {
            for link in links {
                let x = &x[link.plane * shape.in_len()..][..shape.in_len()];
                let packed = &mut packed[link.tap * len..][..len];
                self.kernel.weight_gradient(x, dy, packed, scratch);
            }
        }
    }
}

impl Front {
    /// What plane `made` along this axis reads, where `links` are what it reads along the axes in front.
    fn reads(&self, made: usize, links: &[Link]) -> Vec<Link> {
        let along = |link: &Link| {
            let (tap, plane) = (link.tap * self.kernel, link.plane * self.in_size);
            (0..self.kernel).filter_map(move |k| {
                let at = (made * self.stride + k * self.dilation).checked_sub(self.before)?;
                (at < self.in_size).then_some(Link {
                    tap: tap + k,
                    plane: plane + at,
                })
            })
        };
        links.iter().flat_map(along).collect()
    }
}

/// A plane whose windows lie in the padding alone.
fn constant(bias: &[f32], relu: bool, pixel: usize, y: &mut [f32]) {
    if bias.is_empty() {
        return y.fill(0.0);
    }
    for y in y.chunks_exact_mut(pixel) {
        for (y, &b) in y.iter_mut().zip(bias) {
            // In this order a NaN stays one.
            *y = if relu && b < 0.0 { 0.0 } else { b };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_along_an_axis_leave_out_what_lies_beyond() {
        let axis = Front {
            kernel: 2,
            stride: 2,
            dilation: 2,
            before: 1,
            in_size: 3,
            out_size: 2,
        };
        let from = [Link { tap: 1, plane: 2 }];
        // Windows at -1 and 1, and at 1 and 3, of which 1 alone is there.
        let at = |tap, plane| vec![Link { tap, plane }];
        assert_eq!(axis.reads(0, &from), at(3, 7));
        assert_eq!(axis.reads(1, &from), at(2, 7));
    }

    #[test]
    fn a_plane_in_the_padding_is_its_bias() {
        let mut y = [9.0; 6];
        constant(&[1.0, -2.0, 0.0], true, 3, &mut y);
        assert_eq!(y, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        constant(&[], false, 3, &mut y);
        assert_eq!(y, [0.0; 6]);
    }
}
