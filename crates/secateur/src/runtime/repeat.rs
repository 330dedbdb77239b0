//! The same inputs through the independent runtime again and again, on a given number of threads.

use std::sync::Arc;

use rten::{RunOptions, ThreadPool, Value, ValueOrView, ValueView};
use secateur_graph::{Array, Element};

use super::{Runtime, numbers, tensor};
use crate::Result;

/// Threads that several models run on, one at a time; clones share them.
pub(crate) type Pool = Arc<ThreadPool>;

/// Starts `threads` threads for the runtime.
pub(crate) fn pool(threads: usize) -> Pool {
    Arc::new(ThreadPool::with_num_threads(threads))
}

/// A model with inputs in the runtime's own form, so that a call does nothing but run it.
pub(crate) struct Repeat<'a> {
    runtime: &'a Runtime,
    inputs: Vec<Value>,
    options: RunOptions,
}

impl Runtime {
    /// Lays out inputs of any shape, in the order of the model, for many calls on the threads of `pool`.
    pub(crate) fn repeat(&self, inputs: &[(Element, Array)], pool: &Pool) -> Repeat<'_> {
        Repeat {
            runtime: self,
            inputs: inputs.iter().map(tensor).collect(),
            options: RunOptions::default().with_thread_pool(Some(Arc::clone(pool))),
        }
    }
}

impl Repeat<'_> {
    /// Every output, row-major.
    ///
    /// # Errors
    /// As [`Runtime::run_all`].
    pub(crate) fn outputs(&self) -> Result<Vec<Vec<f32>>> {
        numbers(self.made()?)
    }

    /// Runs the model once and lets its outputs go.
    ///
    /// # Errors
    /// If the runtime refuses the inputs.
    pub(crate) fn run(&self) -> Result<()> {
        self.made().map(drop)
    }

    fn made(&self) -> Result<Vec<Value>> {
        let lent = |value| ValueOrView::View(ValueView::from(value));
        let views = self.inputs.iter().map(lent).collect();
        self.runtime.run_views(views, Some(self.options.clone()))
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{ModelMeta, Unary};
    use secateur_testkit::mlp;

    use super::*;
    use crate::verify::serialise;

    #[test]
    fn many_calls_give_what_one_gives() {
        let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
        let bytes = serialise(&graph, &ModelMeta::default()).unwrap();
        let runtime = Runtime::load(bytes).unwrap();
        let values = vec![0.5, -1.0, 2.0, 3.0, 0.0, -0.25];
        let shape = vec![2, 3];
        let inputs = [(Element::F32, Array { shape, values })];
        let repeat = runtime.repeat(&inputs, &pool(2));
        repeat.run().unwrap();
        assert_eq!(repeat.outputs().unwrap(), runtime.run_all(&inputs).unwrap());
        assert!(runtime.repeat(&[], &pool(1)).run().is_err());
    }
}
