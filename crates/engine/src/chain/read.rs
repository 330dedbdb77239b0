//! Takes parameters over from a graph of the same shape, without compiling again.

use secateur_graph::{Graph, Tensor, ValueId};

use crate::chain::plan::transpose;
use crate::{Chain, Dense, Error, Result};

impl Chain {
    /// Reads all parameters from the constants of `graph`; gradients and optimiser state stay.
    ///
    /// # Errors
    /// If `graph` has other shapes than this network; some layers may then have been read.
    pub fn read(&mut self, graph: &Graph) -> Result<()> {
        self.layers
            .iter_mut()
            .try_for_each(|layer| layer.read(graph))
    }
}

impl Dense {
    fn read(&mut self, graph: &Graph) -> Result<()> {
        let weight = numbers(graph, self.weight_id, self.weight.values.len())?;
        self.weight.values = if self.transposed {
            transpose(weight, self.outputs, self.inputs)
        } else {
            weight.to_vec()
        };
        if let Some(id) = self.bias_id {
            self.bias
                .values
                .copy_from_slice(numbers(graph, id, self.outputs)?);
        }
        Ok(())
    }
}

fn numbers(graph: &Graph, id: ValueId, count: usize) -> Result<&[f32]> {
    match graph.constant(id).and_then(Tensor::as_f32) {
        Some(values) if values.len() == count => Ok(values),
        _ => Err(
            Error::invalid(format!("is not a constant of {count} numbers"))
                .at(&graph.value(id).name),
        ),
    }
}
