//! Runs a model file on an engine that shares nothing with ours.

mod repeat;
mod stack;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use rten::{Model, ModelOptions, RunOptions, Sequence, Value, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};
use secateur_graph::{Array, Element};
use secateur_onnx::Parts;

pub(crate) use self::repeat::{Pool, Repeat, pool};
use self::stack::Stack;
use crate::{Error, ErrorKind, Result};

/// The name and version of the independent runtime, for reports.
pub(crate) const NAME: &str = "rten 0.27";

/// A model file loaded by the independent runtime.
pub struct Runtime {
    model: Model,
    /// For the runtime's plan, which it makes when it runs for the first time.
    stack: Stack,
    is_planned: AtomicBool,
}

impl Runtime {
    /// Loads the bytes of an ONNX file.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub fn load(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        Self::loaded(Stack::for_file(bytes.len()), || {
            Model::load(bytes).map_err(|e| refused(&e))
        })
    }

    /// Loads a model whose tensors keep their data in a file called `location`.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub(crate) fn load_parts(parts: Parts, location: &str) -> Result<Self> {
        Self::load_with(false, parts, location)
    }

    /// The same for a model that is run many times: its weights are laid out for that once, and not at every call.
    ///
    /// # Errors
    /// If the runtime refuses the file.
    pub(crate) fn load_to_repeat(parts: Parts, location: &str) -> Result<Self> {
        Self::load_with(true, parts, location)
    }

    fn load_with(prepack_weights: bool, parts: Parts, location: &str) -> Result<Self> {
        Self::loaded(Stack::for_file(parts.model.len()), || {
            let mut options = ModelOptions::with_all_ops();
            options.prepack_weights(prepack_weights);
            if !parts.data.is_empty() {
                options.external_data(location, parts.data);
            }
            options.load(parts.model).map_err(|e| refused(&e))
        })
    }

    fn loaded(stack: Stack, load: impl FnOnce() -> Result<Model> + Send) -> Result<Self> {
        Ok(Self {
            model: stack.run(|| guarded(load))?,
            stack,
            is_planned: AtomicBool::new(false),
        })
    }

    /// Runs `rows` rows of features and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses the input or an output is not of 32-bit floats.
    pub fn run(&self, features: &[f32], rows: usize) -> Result<Vec<Vec<f32>>> {
        let width = features.len() / rows.max(1);
        self.run_shaped(&[rows, width], features.to_vec())
    }

    /// Runs one input of floats and returns every output, row-major.
    ///
    /// # Errors
    /// As [`Runtime::run`].
    pub(crate) fn run_shaped(&self, shape: &[usize], values: Vec<f32>) -> Result<Vec<Vec<f32>>> {
        let tensor = Tensor::from_data(shape, values);
        self.run_values(vec![tensor.into()])
    }

    /// Runs inputs of any shape, in the order of the model, and returns every output, row-major.
    ///
    /// # Errors
    /// If the runtime refuses an input or an output is not of numbers.
    pub fn run_all(&self, inputs: &[(Element, Array)]) -> Result<Vec<Vec<f32>>> {
        self.run_values(inputs.iter().map(tensor).collect())
    }

    /// Runs inputs that are lent, each with its type and shape, and returns shape and numbers of every output.
    ///
    /// # Errors
    /// As [`Runtime::run_all`].
    pub(crate) fn run_lent<'v>(
        &self,
        given: impl Iterator<Item = (Element, &'v [usize], &'v [f32])>,
    ) -> Result<Vec<(Vec<usize>, Vec<f32>)>> {
        let values = given.map(|(element, shape, values)| match element.is_float() {
            true => ValueOrView::from(TensorView::from_data(shape, values)),
            false => {
                let values = values.iter().map(|&v| f64::from(v)).collect();
                let shape = shape.to_vec();
                ValueOrView::from(tensor(&(element, Array { shape, values })))
            }
        });
        let outputs = self.run_views(values.collect(), None)?;
        let shapes: Vec<Vec<usize>> = outputs.iter().map(|v| v.shape().to_vec()).collect();
        Ok(shapes.into_iter().zip(numbers(outputs)?).collect())
    }

    fn run_values(&self, tensors: Vec<Value>) -> Result<Vec<Vec<f32>>> {
        let values = tensors.into_iter().map(ValueOrView::from);
        numbers(self.run_views(values.collect(), None)?)
    }

    /// What the model makes of values, or of what is lent; on the runtime's own threads where no options name others.
    fn run_views(
        &self,
        values: Vec<ValueOrView<'_>>,
        options: Option<RunOptions>,
    ) -> Result<Vec<Value>> {
        let ids = self.model.input_ids();
        if ids.len() != values.len() {
            return Err(refused(&format!(
                "the model has {} inputs, not {}",
                ids.len(),
                values.len()
            )));
        }
        let inputs: Vec<(_, ValueOrView<'_>)> = ids.iter().copied().zip(values).collect();
        let run = || {
            guarded(|| {
                let outputs = self.model.run(inputs, self.model.output_ids(), options);
                outputs.map_err(|e| refused(&e))
            })
        };
        match self.is_planned.swap(true, Ordering::Relaxed) {
            true => run(),
            false => self.stack.run(run),
        }
    }
}

/// An input as the runtime takes it.
fn tensor((element, input): &(Element, Array)) -> Value {
    let numbers = input.values.iter();
    let shape = input.shape.as_slice();
    match element {
        Element::U8 => {
            Tensor::from_data(shape, numbers.map(|&v| v as u8).collect::<Vec<_>>()).into()
        }
        Element::I8 => {
            Tensor::from_data(shape, numbers.map(|&v| v as i8).collect::<Vec<_>>()).into()
        }
        // The runtime takes whole numbers of any other width, and truth, as 32 bits.
        other if !other.is_float() => {
            Tensor::from_data(shape, numbers.map(|&v| v as i32).collect::<Vec<_>>()).into()
        }
        _ => Tensor::from_data(shape, numbers.map(|&v| v as f32).collect::<Vec<_>>()).into(),
    }
}

/// The numbers of every output, row-major.
fn numbers(outputs: Vec<Value>) -> Result<Vec<Vec<f32>>> {
    outputs
        .into_iter()
        .map(|value| match value {
            Value::FloatTensor(tensor) => Ok(tensor.to_vec()),
            Value::Int32Tensor(tensor) => Ok(tensor.iter().map(|&v| v as f32).collect()),
            Value::Int8Tensor(tensor) => Ok(tensor.iter().map(|&v| f32::from(v)).collect()),
            Value::UInt8Tensor(tensor) => Ok(tensor.iter().map(|&v| f32::from(v)).collect()),
            Value::Sequence(sequence) => joined(&sequence)
                .ok_or_else(|| refused(&"an output is no sequence of tensors of numbers")),
            _ => Err(refused(&"an output is no tensor of numbers")),
        })
        .collect()
}

/// The numbers of all tensors of a sequence, one after the other.
fn joined(sequence: &Sequence) -> Option<Vec<f32>> {
    fn all<T: Copy>(tensors: &[Tensor<T>], number: impl Fn(T) -> f32) -> Vec<f32> {
        let mut numbers = vec![];
        for tensor in tensors {
            numbers.extend(tensor.to_vec().into_iter().map(&number));
        }
        numbers
    }
    Some(match sequence {
        Sequence::Float(tensors) => all(tensors, |v| v),
        Sequence::Int32(tensors) => all(tensors, |v| v as f32),
        Sequence::Int8(tensors) => all(tensors, f32::from),
        Sequence::UInt8(tensors) => all(tensors, f32::from),
        _ => return None,
    })
}

/// What the runtime gives. It panics on some models, which is a refusal like others.
fn guarded<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let said = text.or(panic.downcast_ref::<&str>().copied());
        Err(refused(&format!(
            "it panicked: {}",
            said.unwrap_or("without a message")
        )))
    })
}

fn refused(reason: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Verification,
        format!("{NAME} refused the model: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_many_nodes_is_planned() {
        let graph = secateur_testkit::mlp(&[2; 6001], secateur_graph::Unary::Relu, 1).unwrap();
        let bytes = crate::verify::serialise(&graph, &secateur_graph::ModelMeta::default());
        let runtime = Runtime::load(bytes.unwrap()).unwrap();
        assert_eq!(runtime.run(&[1.0, 2.0], 1).unwrap()[0].len(), 2);
        assert_eq!(runtime.run(&[1.0; 4], 2).unwrap()[0].len(), 4);
    }

    #[test]
    fn a_panic_is_a_refusal() {
        let error = guarded::<()>(|| std::panic::panic_any("chunk size must be non-zero"));
        assert_eq!(
            error.unwrap_err().to_string(),
            "rten 0.27 refused the model: it panicked: chunk size must be non-zero"
        );
        let index = std::hint::black_box(3);
        let error = guarded(|| Ok([1, 2][index])).unwrap_err().to_string();
        assert!(error.contains("index out of bounds"), "{error}");
    }
}
