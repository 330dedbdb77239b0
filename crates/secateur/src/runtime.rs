//! Runs a model file on an engine that shares nothing with ours.

use rten::{Model, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
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
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let model = Model::load(bytes.to_vec()).map_err(|e| refused(&e))?;
        Ok(Self { model })
    }

    /// Runs `rows` rows of features and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses the input or an output is not of 32-bit floats.
    pub fn run(&self, features: &[f32], rows: usize) -> Result<Vec<Vec<f32>>> {
        let width = features.len() / rows.max(1);
        let input = NdTensor::from_data([rows, width], features.to_vec());
        let [id] = self.model.input_ids() else {
            return Err(refused(&"the model does not have exactly one input"));
        };
        let inputs: Vec<(_, ValueOrView<'_>)> = vec![(*id, input.view().into())];
        let outputs = self
            .model
            .run(inputs, self.model.output_ids(), None)
            .map_err(|e| refused(&e))?;
        outputs
            .into_iter()
            .map(|value| {
                let tensor: NdTensor<f32, 2> = value.try_into().map_err(|e| refused(&e))?;
                Ok(tensor.to_vec())
            })
            .collect()
    }
}

impl Runtime {
    /// Runs inputs of any shape, in the order of the model, and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses an input or an output is not of 32-bit floats.
    pub fn run_all(&self, inputs: &[Array]) -> Result<Vec<Vec<f32>>> {
        let tensors: Vec<Tensor<f32>> = inputs
            .iter()
            .map(|input| {
                let values = input.values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
                Tensor::from_data(&input.shape, values)
            })
            .collect();
        let ids = self.model.input_ids().iter();
        let inputs: Vec<(_, ValueOrView<'_>)> = ids
            .copied()
            .zip(tensors.iter().map(|t| t.view().into()))
            .collect();
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
