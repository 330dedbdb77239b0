//! Runs a model file on an engine that shares nothing with ours.

use rten::{Model, ValueOrView};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use secateur_graph::Array;

use crate::{Error, ErrorKind, Result};

/// The name and version of the independent runtime, for reports.
pub(crate) const NAME: &str = "rten 0.27";

/// A model file loaded by the independent runtime.
pub struct Runtime {
    model: Model,
}

impl Runtime {
    /// Loads the bytes of an ONNX file.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub fn load(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let model = Model::load(bytes.into()).map_err(|e| refused(&e))?;
        Ok(Self { model })
    }

    /// Runs `rows` rows of features and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses the input or an output is not of 32-bit floats.
    pub fn run(&self, features: &[f32], rows: usize) -> Result<Vec<Vec<f32>>> {
        let width = features.len() / rows.max(1);
        self.run_tensors(&[Tensor::from_data(&[rows, width], features.to_vec())])
    }

    /// Runs inputs of any shape, in the order of the model, and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses an input or an output is not of 32-bit floats.
    pub fn run_all(&self, inputs: &[Array]) -> Result<Vec<Vec<f32>>> {
        let tensor = |input: &Array| {
            let values = input.values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
            Tensor::from_data(&input.shape, values)
        };
        self.run_tensors(&inputs.iter().map(tensor).collect::<Vec<_>>())
    }

    fn run_tensors(&self, tensors: &[Tensor<f32>]) -> Result<Vec<Vec<f32>>> {
        let ids = self.model.input_ids();
        if ids.len() != tensors.len() {
            return Err(refused(&format!(
                "the model has {} inputs, not {}",
                ids.len(),
                tensors.len()
            )));
        }
        let views = tensors.iter().map(|t| t.view().into());
        let inputs: Vec<(_, ValueOrView<'_>)> = ids.iter().copied().zip(views).collect();
        let outputs = self
            .model
            .run(inputs, self.model.output_ids(), None)
            .map_err(|e| refused(&e))?;
        outputs
            .into_iter()
            .map(|value| {
                let tensor: Tensor<f32> = value.try_into().map_err(|e| refused(&e))?;
                Ok(tensor.to_vec())
            })
            .collect()
    }
}

fn refused(reason: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Verification,
        format!("{NAME} refused the model: {reason}"),
    )
}
