//! Convolutions of one image on one thread.
//!
//! An image is `[height][width][stride]`: the channels of a pixel lie side by side, and zeros fill them
//! up to whole vectors. A [`Kernel`] is made once for a [`Shape`]. It reads weights in an order of its
//! own, see [`Kernel::pack`], and adds up their gradient in the same order, so that a batch pays for
//! the change of order once and not with every image.
//!
//! What fills up the pixels of an image that is read has no part in any result, as long as it is finite.
//! What fills up the pixels of an image that is written becomes zero.
//!
//! Slices may start anywhere, but those that start at a multiple of 64 bytes are the fastest.
//!
//! From the outside in: a kernel has a `Pass` for each direction and a `WeightGradient`. They are planned
//! from a `Direction`, which puts both directions in the same terms, and its `Axis`s. A plan is a list of
//! `Walk`s, rectangles of pixels in terms of offsets, over which `dense`, `depthwise` and their gradients
//! run. Those are written once for all instruction sets, as functions of a `Vector`.

mod axis;
mod channels;
mod dense;
mod dense_gradient;
mod depthwise;
mod depthwise_gradient;
mod direction;
mod packing;
mod pass;
mod planes;
mod set;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod vector;
mod walk;
mod weight_gradient;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use planes::{Front, Planes};
pub use set::InstructionSet;
pub use shape::Shape;

use dense::Finish;
use direction::Direction;
use pass::Pass;
use weight_gradient::WeightGradient;

/// Floats that a vector of the widest instruction set in use holds: 16 with AVX-512, else 8.
pub fn lanes() -> usize {
    InstructionSet::widest().lanes()
}

/// A convolution, planned for a shape and an instruction set.
///
/// Images and weights are slices of the lengths that [`Shape::in_len`], [`Shape::out_len`],
/// [`Shape::weights_len`] and the methods here tell; all calls panic if one is of another length, except
/// that `scratch` may be longer.
#[derive(Debug, Clone)]
pub struct Kernel {
    shape: Shape,
    set: InstructionSet,
    forward: Pass,
    backward: Pass,
    gradient: WeightGradient,
}

impl Kernel {
    /// Plans for the widest instruction set of this machine.
    ///
    /// # Panics
    /// If the numbers of the shape do not make a convolution.
    pub fn new(shape: Shape) -> Self {
        Self::with(shape, InstructionSet::widest())
    }

    /// Plans for an instruction set.
    ///
    /// # Panics
    /// If the numbers of the shape do not make a convolution.
    pub fn with(shape: Shape, set: InstructionSet) -> Self {
        shape.check(set.lanes());
        let forward = Direction::forward(&shape, set.lanes());
        let backward = Direction::backward(&shape, set.lanes());
        Self {
            forward: Pass::new(&forward),
            backward: Pass::new(&backward),
            gradient: WeightGradient::new(&forward),
            shape,
            set,
        }
    }

    /// What it was made for.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The instruction set that it uses.
    pub fn instruction_set(&self) -> InstructionSet {
        self.set
    }

    /// Floats of the weights that [`Kernel::forward`] reads.
    pub fn packed_len(&self) -> usize {
        self.forward.weights_len()
    }

    /// Brings `weights`, `[outputs, inputs / groups, height, width]`, into the order of [`Kernel::forward`].
    pub fn pack(&self, weights: &[f32], into: &mut [f32]) {
        self.check_weights(weights);
        self.forward.pack(weights, into);
    }

    /// Floats of the weights that [`Kernel::input_gradient`] reads.
    pub fn turned_len(&self) -> usize {
        self.backward.weights_len()
    }

    /// Brings `weights`, `[outputs, inputs / groups, height, width]`, into the order of
    /// [`Kernel::input_gradient`].
    pub fn pack_turned(&self, weights: &[f32], into: &mut [f32]) {
        self.check_weights(weights);
        self.backward.pack(weights, into);
    }

    /// Floats of the sums of [`Kernel::weight_gradient`]: laid out as [`Kernel::pack`] does.
    pub fn gradient_len(&self) -> usize {
        self.gradient.len()
    }

    /// `into = keep * into + packed`, with `into` `[outputs, inputs / groups, height, width]`; with `keep`
    /// 0 the old numbers are not read.
    pub fn unpack_gradient(&self, packed: &[f32], keep: f32, into: &mut [f32]) {
        self.check_weights(into);
        self.gradient.unpack(packed, keep, into);
    }

    fn check_weights(&self, weights: &[f32]) {
        assert_eq!(weights.len(), self.shape.weights_len(), "weights");
    }

    /// Floats of scratch that every call needs at most.
    pub fn scratch_len(&self) -> usize {
        let passes = self.forward.scratch_len().max(self.backward.scratch_len());
        passes.max(self.gradient.scratch_len())
    }

    /// `y = conv(x) + bias`, and `max(y, 0)` with `relu`; NaN stays NaN.
    ///
    /// `bias` is empty or has the length of a pixel of `y`, with zeros beyond the channels.
    pub fn forward(
        &self,
        x: &[f32],
        packed: &[f32],
        bias: &[f32],
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        assert!(
            bias.is_empty() || bias.len() == self.shape.out_stride,
            "a bias for each channel of a pixel"
        );
        let finish = Finish {
            bias,
            add: false,
            relu,
        };
        self.finished(x, packed, finish, y, scratch);
    }

    /// The same with another end: sums may be added to what is there.
    fn finished(
        &self,
        x: &[f32],
        packed: &[f32],
        finish: Finish<'_>,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.forward.run(self.set, x, packed, finish, y, scratch);
    }

    /// The adjoint of [`Kernel::forward`] without bias: writes the gradient of the input to `dx`, or adds
    /// it to what is there.
    ///
    /// # Panics
    /// Also if the pixels of the input are not whole vectors.
    pub fn input_gradient(
        &self,
        dy: &[f32],
        turned: &[f32],
        dx: &mut [f32],
        add: bool,
        scratch: &mut [f32],
    ) {
        assert!(
            self.shape.in_stride.is_multiple_of(self.set.lanes()),
            "pixels of the input are whole vectors where it has a gradient"
        );
        let finish = Finish {
            bias: &[],
            add,
            relu: false,
        };
        self.backward.run(self.set, dy, turned, finish, dx, scratch);
    }

    /// Adds the gradient of the weights to `packed`.
    pub fn weight_gradient(&self, x: &[f32], dy: &[f32], packed: &mut [f32], scratch: &mut [f32]) {
        self.gradient.run(self.set, x, dy, packed, scratch);
    }
}
