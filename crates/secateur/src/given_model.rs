//! A user's model as a run starts from it, and the file that comes of it.

use std::path::Path;

use secateur_graph::{Graph, Op, ValueId};
use secateur_onnx::{Parts, write_parts};
use sha2::{Digest, Sha256};

use crate::model::ModelFile;
use crate::{Error, ErrorKind, Result};

/// What tensors that keep their data outside are written to, beside the model.
pub(crate) const DATA_FILE: &str = "small.onnx.data";

/// A model file with the part of its network that is trained.
#[derive(Debug, Clone)]
pub(crate) struct GivenModel {
    file: ModelFile,
    /// The network up to what the loss takes: before a softmax at its end.
    core: Graph,
    /// The outputs of the file.
    outputs: Vec<ValueId>,
}

impl GivenModel {
    /// Reads a model with one input of floats and one output.
    ///
    /// # Errors
    /// If it is no such model; `is_classifier` says whether an ending in probabilities is one in logits for training.
    pub(crate) fn read(path: &Path, is_classifier: bool) -> Result<Self> {
        Self::of(ModelFile::read(path)?, is_classifier)
    }

    /// The same of a file that was read already.
    ///
    /// # Errors
    /// As [`GivenModel::read`].
    pub(crate) fn of(file: ModelFile, is_classifier: bool) -> Result<Self> {
        let graph = file.graph();
        let refused = |message: String, hint: &str| {
            Err(Error::new(ErrorKind::Input, message)
                .at(&file.name)
                .hint(hint))
        };
        let (&[input], &[_]) = (graph.inputs(), graph.outputs()) else {
            let message = format!(
                "has {} inputs and {} outputs",
                graph.inputs().len(),
                graph.outputs().len()
            );
            return refused(
                message,
                "models with one input and one output can be trained",
            );
        };
        let element = graph.value(input).element;
        if element.is_some_and(|e| e != secateur_graph::Element::F32) {
            return refused(
                "takes something else than 32-bit floats".into(),
                "export the model with an input of 32-bit floats",
            );
        }
        Ok(Self {
            core: trained_part(graph, is_classifier),
            outputs: graph.outputs().to_vec(),
            file,
        })
    }

    /// The network that is trained, from the input of the file to logits or predictions.
    pub(crate) fn core(&self) -> &Graph {
        &self.core
    }

    /// Where the file was read.
    pub(crate) fn name(&self) -> &str {
        &self.file.name
    }

    /// A hash of the network that is trained, its numbers included.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub(crate) fn fingerprint(&self) -> Result<String> {
        let bytes = postcard::to_allocvec(&self.core)
            .map_err(|e| Error::new(ErrorKind::Input, e.to_string()).at(&self.file.name))?;
        let digest = Sha256::digest(bytes);
        Ok(digest.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// What was trained, as the network of the whole file.
    pub(crate) fn whole(&self, core: &Graph) -> Graph {
        core.with_outputs(self.outputs.clone())
    }

    /// The file with a trained network in it.
    ///
    /// # Errors
    /// If the network is not one that came of this file.
    pub(crate) fn parts(&self, core: &Graph) -> Result<Parts> {
        let whole = self.whole(core);
        let model = self.file.patched(&whole)?;
        Ok(write_parts(model, DATA_FILE)?)
    }
}

/// A network up to what the loss takes: before a softmax at its end, if it is a classifier.
pub(crate) fn trained_part(whole: &Graph, is_classifier: bool) -> Graph {
    let ends = whole.outputs().iter().map(|&output| match is_classifier {
        true => before_softmax(whole, output),
        false => output,
    });
    whole.with_outputs(ends.collect())
}

/// What goes into the softmax that makes a value, through operations that move nothing; the value itself if none does.
fn before_softmax(graph: &Graph, output: ValueId) -> ValueId {
    let mut value = output;
    while let Some(node) = graph.producer(value).map(|id| graph.node(id)) {
        match (&node.op, node.input(0)) {
            (Op::Softmax { .. } | Op::LogSoftmax { .. }, Ok(logits)) => return logits,
            (Op::Identity, Ok(before)) => value = before,
            _ => break,
        }
    }
    output
}
