//! Parts of networks on the independent runtime.

use secateur_graph::{Element, Graph, ModelMeta, to_model};
use secateur_prune::repair::{Activation, Compiled, Runner, Step};

use crate::model::{ModelFile, WRITTEN_DATA, written};
use crate::runtime::Runtime;
use crate::{Error, Result};

/// Runs parts of networks on the independent runtime, and passes on how far that is.
pub(super) struct OnRuntime<'a> {
    /// As what parts are written: operators mean what they do in the file.
    meta: ModelMeta,
    tell: &'a dyn Fn(Step),
}

impl<'a> OnRuntime<'a> {
    pub(super) fn of(file: &ModelFile, tell: &'a dyn Fn(Step)) -> Self {
        let plain = ModelMeta::default();
        let own = ModelMeta::of(&file.model);
        let meta = ModelMeta {
            opset: own.opset.max(plain.opset),
            domains: own.domains,
            functions: own.functions,
            ..plain
        };
        Self { meta, tell }
    }
}

/// A part that is loaded, and the type of each of its inputs.
struct Loaded {
    runtime: Runtime,
    elements: Vec<Element>,
}

impl Runner for OnRuntime<'_> {
    fn compile(&self, graph: &Graph) -> secateur_prune::Result<Box<dyn Compiled>> {
        let loaded = load(graph, &self.meta).map_err(|e| told(&e))?;
        Ok(Box::new(loaded))
    }

    fn at(&self, step: Step) {
        (self.tell)(step);
    }
}

fn load(graph: &Graph, meta: &ModelMeta) -> Result<Loaded> {
    let model = to_model(&graph.in_new_forms()?.in_single(), meta)?;
    let element = |&id| graph.value(id).element.unwrap_or(Element::F32);
    Ok(Loaded {
        runtime: Runtime::load_to_repeat(written(model)?, WRITTEN_DATA)?,
        elements: graph.inputs().iter().map(element).collect(),
    })
}

impl Compiled for Loaded {
    fn run(&self, inputs: &[&Activation]) -> secateur_prune::Result<Vec<Activation>> {
        let given = self.elements.iter().zip(inputs);
        let given = given.map(|(&element, x)| (element, x.shape.as_slice(), x.values.as_slice()));
        let made = self.runtime.run_lent(given).map_err(|e| told(&e))?;
        let made = made.into_iter();
        Ok(made
            .map(|(shape, values)| Activation { shape, values })
            .collect())
    }
}

fn told(error: &Error) -> secateur_prune::Error {
    let told = secateur_prune::Error::new(secateur_prune::ErrorKind::Network, error.to_string());
    match error.hint_text() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}
