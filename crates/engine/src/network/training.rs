//! What a network is compiled for.

use secateur_graph::ValueId;

/// What a network that trains is compiled for.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// The shape of a sample of each input, whose first axis, the batch, has length 1.
    pub samples: &'a [Vec<usize>],
    /// The most rows of a batch.
    pub batch: usize,
    /// Vectors of optimizer state for every parameter.
    pub slots: usize,
    /// Slots of raw gradients. With one or more, all that is needed on the way back is kept, so that it can be gone again from other
    /// seeds; that may take memory.
    pub raw: usize,
    /// Values that are put out besides the outputs: their numbers and gradients can be read, and the way back can begin or end there. Each
    /// takes a copy of its numbers forwards and back, and is not computed in one pass with what follows.
    pub taps: &'a [ValueId],
    /// Constants that are trained besides weights, such as those of gates: what is computed of them is computed at every step, and has
    /// gradients. It must be something that is added to, or multiplied with, what comes from the inputs; weights of layers cannot be
    /// computed so.
    pub trained: &'a [ValueId],
}

impl<'a> Training<'a> {
    /// For batches of at most so many rows, with nothing else.
    pub fn of(samples: &'a [Vec<usize>], batch: usize) -> Self {
        Self {
            samples,
            batch,
            slots: 0,
            raw: 0,
            taps: &[],
            trained: &[],
        }
    }
}
