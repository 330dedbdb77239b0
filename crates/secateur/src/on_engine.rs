//! A network on the engine of this program, with the inputs that it is run on.

use secateur_engine::{Network, Threads};
use secateur_graph::{Array, Graph, at_lengths};

/// What the engine runs, or why it does not.
pub(crate) type Possible<T> = std::result::Result<T, String>;

/// A network planned for its inputs.
pub(crate) struct OnEngine {
    network: Network,
    inputs: Vec<Vec<f32>>,
    rows: usize,
}

impl OnEngine {
    /// Plans a network of any number of inputs and outputs. `at` is `graph` at the lengths of the inputs.
    pub(crate) fn new(
        graph: &Graph,
        at: &Graph,
        inputs: &[Array],
        threads: Threads,
    ) -> Possible<Self> {
        let reason = |why: &dyn std::fmt::Display| format!("the engine cannot run it: {why}");
        let Some(rows) = inputs
            .first()
            .and_then(|input| input.shape.first().copied())
        else {
            return Err(reason(&"its inputs have no rows"));
        };
        if rows == 0 || inputs.iter().any(|input| input.values.is_empty()) {
            return Err(reason(&"its input has no rows"));
        }
        if inputs
            .iter()
            .any(|input| input.shape.first() != Some(&rows))
        {
            return Err(reason(&"its inputs differ in their numbers of rows"));
        }
        let shapes = row_shapes(inputs);
        // The engine plans for one row; another network may still have its rows elsewhere.
        let of_row = at_lengths(graph, &shapes).map_err(|e| reason(&e))?;
        if !is_by_rows(&of_row, at, rows) {
            let which = match graph.outputs() {
                [_] => "its output",
                _ => "its outputs",
            };
            return Err(reason(&format!("rows are not the first axis of {which}")));
        }
        let network = Network::to_run_all(graph, &shapes, rows, threads);
        Ok(Self {
            network: network.map_err(|e| reason(&e))?,
            inputs: inputs.iter().map(single).collect(),
            rows,
        })
    }

    /// Every output, in the order of the graph.
    pub(crate) fn run(&mut self) -> &[Vec<f32>] {
        let inputs: Vec<&[f32]> = self.inputs.iter().map(Vec::as_slice).collect();
        self.network.forward_all(&inputs, self.rows)
    }
}

/// The shape of the first row of each input.
pub(crate) fn row_shapes(inputs: &[Array]) -> Vec<Vec<usize>> {
    let of_row = |input: &Array| {
        let mut shape = input.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first = 1;
        }
        shape
    };
    inputs.iter().map(of_row).collect()
}

/// Numbers as the engine takes them.
pub(crate) fn single(input: &Array) -> Vec<f32> {
    input.values.iter().map(|&v| v as f32).collect()
}

/// Whether all outputs have their rows first, by their shapes for one row and for a batch.
fn is_by_rows(of_row: &Graph, at: &Graph, rows: usize) -> bool {
    let first = |graph: &Graph, output| {
        let shape = graph.value(output).shape.as_deref()?;
        shape.first()?.fixed()
    };
    let mut outputs = of_row.outputs().iter().zip(at.outputs());
    outputs.all(|(&one, &many)| {
        let lengths = first(of_row, one).zip(first(at, many));
        lengths.is_some_and(|(one, many)| one * rows == many)
    })
}
