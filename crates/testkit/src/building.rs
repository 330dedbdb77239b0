//! A graph under construction whose numbers are drawn and whose names are numbered.

use secateur_graph::{GraphBuilder, Op, Result, Tensor, ValueId};

use crate::Stream;

/// A graph under construction.
pub(crate) struct Building {
    pub(crate) builder: GraphBuilder,
    pub(crate) stream: Stream,
    count: usize,
}

impl Building {
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        Self {
            builder: GraphBuilder::new(name),
            stream: Stream::new(seed),
            count: 0,
        }
    }

    /// `what` with a number that no other name has.
    pub(crate) fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    /// A node named after its operator.
    pub(crate) fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        let name = self.name(&op.onnx_name().to_lowercase());
        self.builder.node(name, op, inputs)
    }

    /// A constant of whole numbers from -2 to 2.
    pub(crate) fn integers(&mut self, shape: &[usize]) -> Result<ValueId> {
        self.drawn(shape, |stream| stream.integer(2) as f32)
    }

    /// A constant of drawn numbers.
    pub(crate) fn drawn(
        &mut self,
        shape: &[usize],
        draw: impl Fn(&mut Stream) -> f32,
    ) -> Result<ValueId> {
        let count = shape.iter().product();
        let values = (0..count).map(|_| draw(&mut self.stream)).collect();
        let tensor = Tensor::f32(shape, values)?;
        let name = self.name("c");
        Ok(self.builder.constant(name, tensor))
    }
}
