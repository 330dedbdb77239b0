//! What is convolved: sizes of images and kernel.

/// A convolution of one image; pairs are height and width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Channels of the image that is read, of all groups.
    pub inputs: usize,
    /// Channels that are made, of all groups.
    pub outputs: usize,
    /// In how many groups inputs and outputs fall; depthwise where all three numbers are equal.
    pub groups: usize,
    /// Size of the kernel.
    pub kernel: [usize; 2],
    /// Pixels of the input from one pixel of the output to the next.
    pub strides: [usize; 2],
    /// Pixels of the input from one weight to the next.
    pub dilations: [usize; 2],
    /// Zeros above and left of the input.
    pub before: [usize; 2],
    /// Size of the input.
    pub in_size: [usize; 2],
    /// Size of the output. Zeros below and right of the input, or rows and columns that are left out,
    /// follow from it.
    pub out_size: [usize; 2],
    /// Floats from one pixel of the input to the next.
    pub in_stride: usize,
    /// Floats from one pixel of the output to the next: whole vectors.
    pub out_stride: usize,
}

impl Shape {
    /// Inputs of one group.
    pub fn group_inputs(&self) -> usize {
        self.inputs / self.groups
    }

    /// Outputs of one group.
    pub fn group_outputs(&self) -> usize {
        self.outputs / self.groups
    }

    /// Weights of one output and input.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Numbers of the weights `[outputs, inputs / groups, height, width]`.
    pub fn weights_len(&self) -> usize {
        self.outputs * self.group_inputs() * self.taps()
    }

    /// Floats of the input image.
    pub fn in_len(&self) -> usize {
        self.in_size[0] * self.in_size[1] * self.in_stride
    }

    /// Floats of the output image.
    pub fn out_len(&self) -> usize {
        self.out_size[0] * self.out_size[1] * self.out_stride
    }

    /// Multiplications with weights, those with zeros around the image included.
    pub fn macs(&self) -> usize {
        self.out_size[0] * self.out_size[1] * self.weights_len()
    }

    /// Whether every channel is convolved by itself.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.inputs && self.groups == self.outputs && self.groups > 1
    }

    /// # Panics
    /// If the numbers do not make a convolution with vectors of `lanes` floats.
    pub(super) fn check(&self, lanes: usize) {
        let sizes = [self.kernel, self.strides, self.dilations];
        let sizes = sizes.into_iter().chain([self.in_size, self.out_size]);
        assert!(
            sizes.flatten().all(|size| size > 0),
            "an empty size: {self:?}"
        );
        assert!(
            self.groups > 0 && self.inputs > 0 && self.outputs > 0,
            "no channels: {self:?}"
        );
        assert!(
            self.inputs.is_multiple_of(self.groups) && self.outputs.is_multiple_of(self.groups),
            "channels in groups: {self:?}"
        );
        assert!(
            self.in_stride >= self.inputs,
            "pixels of the input overlap: {self:?}"
        );
        assert!(
            self.out_stride >= self.outputs && self.out_stride.is_multiple_of(lanes),
            "pixels of the output are whole vectors of {lanes}: {self:?}"
        );
    }
}
