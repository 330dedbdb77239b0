//! Running statistics of batch normalisations, measured anew on given rows.

use secateur_engine::{Network, ParameterKind, Threads};
use secateur_graph::{Graph, Op, Tensor};

use super::{even_batches, row_shape};
use crate::{Error, ErrorKind, Result, Rows};

/// A network with other running statistics.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The network; weights are as they were.
    pub graph: Graph,
    /// Rows of the batches, added up.
    pub rows: usize,
    /// How many normalisations were measured.
    pub nodes: usize,
}

/// Measures means and variances of all batch normalisations on `rows`: averages over batches of at most `batch` rows, whose sizes
/// differ by one at most, of what a batch normalises by in training. Variances are divided by the count less one, as PyTorch
/// does under `momentum=None`. Weights stay as they are.
///
/// # Errors
/// If there is no batch normalisation, two share their statistics, the network cannot be trained or does not fit the rows, or what
/// is measured is not finite.
pub fn measured_statistics(
    graph: &Graph,
    rows: &Rows,
    batch: usize,
    threads: usize,
) -> Result<Measured> {
    let is_norm = |op: &Op| matches!(op, Op::BatchNorm { .. });
    let nodes = graph.nodes().iter().filter(|n| is_norm(&n.op)).count();
    if nodes == 0 {
        let message = "the network has no batch normalisation, so there are no statistics";
        return Err(Error::new(ErrorKind::Chain, message));
    }
    let row = row_shape(graph, rows)?;
    let threads = Threads::new(threads)?;
    let size = batch.min(rows.len());
    // What is left of a batch's statistics is then all of it.
    let mut network = Network::compile(&graph.with_momentum(0.0), &row, size, 0, threads)?;
    if network.inputs() != rows.columns() {
        return Err(Error::new(
            ErrorKind::Data,
            format!(
                "the network takes {} features, the rows have {}",
                network.inputs(),
                rows.columns()
            ),
        ));
    }
    for parameter in network.parameters() {
        let readers = graph.readers(parameter.id());
        if parameter.kind() == ParameterKind::Running && readers.len() > 1 {
            let message = format!("{} nodes share these statistics", readers.len());
            return Err(Error::new(ErrorKind::Chain, message)
                .at(parameter.name())
                .hint("give each normalisation statistics of its own"));
        }
    }
    let all = network.parameters().iter();
    let mut sums: Vec<Vec<f64>> = all.map(|p| vec![0.0; p.values().len()]).collect();
    let mut batches = 0;
    for range in even_batches(rows.len(), batch) {
        let features = rows.features(range.start, range.len())?;
        network.forward_backward(&features, range.len(), 0.0, |_, _, gradient| {
            gradient.fill(0.0);
            0.0
        });
        for (sums, parameter) in sums.iter_mut().zip(network.parameters()) {
            let pairs = sums.iter_mut().zip(parameter.values());
            pairs.for_each(|(sum, &value)| *sum += f64::from(value));
        }
        batches += 1;
    }
    let mut graph = graph.clone();
    for (sums, parameter) in sums.iter().zip(network.parameters()) {
        if parameter.kind() != ParameterKind::Running {
            continue;
        }
        let means: Vec<f32> = sums
            .iter()
            .map(|s| (s / f64::from(batches)) as f32)
            .collect();
        if !means.iter().all(|m| m.is_finite()) {
            let message = "what the rows give is not finite";
            return Err(Error::new(ErrorKind::Diverged, message)
                .at(parameter.name())
                .hint("scale inputs as the network was trained on them"));
        }
        graph.set_constant(parameter.id(), Tensor::f32(parameter.shape(), means)?)?;
    }
    Ok(Measured {
        graph,
        rows: rows.len(),
        nodes,
    })
}
