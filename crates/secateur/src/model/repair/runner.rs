//! Parts of networks on the independent runtime.

use secateur_graph::{Element, Graph, ModelMeta, to_model};
use secateur_prune::repair::{Activation, Compiled, Runner, Step};

use crate::model::{WRITTEN_DATA, written};
use crate::runtime::Runtime;
use crate::{Error, Result};

/// Runs parts of networks on the independent runtime, and passes on how far that is.
#[derive(Clone, Copy)]
pub(super) struct OnRuntime<'a> {
    pub(super) tell: &'a dyn Fn(Step),
}

/// A part that is loaded, and the type of each of its inputs.
struct Loaded {
    runtime: Runtime,
    elements: Vec<Element>,
}

impl Runner for OnRuntime<'_> {
    fn compile(&self, graph: &Graph) -> secateur_prune::Result<Box<dyn Compiled>> {
        let loaded = load(graph).map_err(|e| told(&e))?;
        Ok(Box::new(loaded))
    }

    fn at(&self, step: Step) {
        (self.tell)(step);
    }
}

fn load(graph: &Graph) -> Result<Loaded> {
    let model = to_model(&graph.in_new_forms()?, &ModelMeta::default())?;
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
