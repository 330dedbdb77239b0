//! What a trained network puts out on given rows, and how good that is.

use secateur_engine::{Chain, Dense, Network, Threads};
use secateur_graph::{ChannelGroups, Graph};

use crate::net;
use crate::score::{Scorer, largest};
use crate::{Error, ErrorKind, Result, Rows, Score, Targets};

/// Rows that are run at once.
pub(crate) const SCORE_ROWS: usize = 512;

/// The score of `graph` on `rows`, whose columns are the graph's inputs.
///
/// # Errors
/// If the network cannot be run or does not fit the rows.
pub fn score(graph: &Graph, rows: &Rows, threads: usize) -> Result<Score> {
    let mut scorer = Scorer::new(rows.targets());
    compiled(graph, rows, threads)?.each(rows, |chunk| scorer.add(chunk))?;
    Ok(scorer.finish())
}

/// The outputs of `graph` on `rows`, row-major.
///
/// # Errors
/// If the network cannot be run or does not fit the rows.
pub fn outputs(graph: &Graph, rows: &Rows, threads: usize) -> Result<Vec<f32>> {
    let mut all = Vec::with_capacity(rows.len() * rows.targets().outputs());
    compiled(graph, rows, threads)?.each(rows, |chunk| all.extend_from_slice(chunk))?;
    Ok(all)
}

/// Whether the largest logit of each row is at the right class; none where numbers are predicted.
///
/// # Errors
/// If the network cannot be run or does not fit the rows.
pub fn right_rows(graph: &Graph, rows: &Rows, threads: usize) -> Result<Option<Vec<bool>>> {
    let Targets::Classes { labels, .. } = rows.targets() else {
        return Ok(None);
    };
    let all = outputs(graph, rows, threads)?;
    let logits = all.chunks_exact(rows.targets().outputs());
    let is_right = |(row, &label): (&[f32], &u32)| largest(row) == label as usize;
    Ok(Some(logits.zip(labels).map(is_right).collect()))
}

/// Input features that are read, then units of each hidden layer of a chain; of other networks, the units of each group that
/// layers make.
///
/// # Errors
/// If shapes of the network do not fit together.
pub fn widths(graph: &Graph) -> Result<Vec<usize>> {
    match Chain::compile(graph, 1, 0, 1) {
        Ok(chain) => Ok(chain.layers().iter().map(Dense::inputs).collect()),
        Err(_) => Ok(net::widths(&ChannelGroups::of(graph)?)),
    }
}

/// Scores rows of full width on a network that may read some columns only.
pub(crate) fn score_on(network: &mut Chain, rows: &Rows) -> Result<Score> {
    let mut scorer = Scorer::new(rows.targets());
    for_outputs(network, rows, |chunk| scorer.add(chunk))?;
    Ok(scorer.finish())
}

/// A network that is only run.
enum Compiled {
    Chain(Chain),
    Net(Box<Network>),
}

impl Compiled {
    fn each(&mut self, rows: &Rows, each: impl FnMut(&[f32])) -> Result<()> {
        match self {
            Self::Chain(chain) => for_outputs(chain, rows, each),
            Self::Net(network) => net::each_output(network, rows, each),
        }
    }
}

fn compiled(graph: &Graph, rows: &Rows, threads: usize) -> Result<Compiled> {
    let Ok(chain) = Chain::compile(graph, SCORE_ROWS.min(rows.len()), 0, threads) else {
        let row = net::row_shape(graph, rows)?;
        let network = Network::to_run(
            graph,
            &row,
            SCORE_ROWS.min(rows.len()),
            Threads::new(threads)?,
        )?;
        net::fits(&network, rows)?;
        return Ok(Compiled::Net(Box::new(network)));
    };
    let inputs = input_width(graph).unwrap_or(rows.columns());
    if inputs != rows.columns() || chain.outputs() != rows.targets().outputs() {
        return Err(Error::new(
            ErrorKind::Data,
            format!(
                "the network maps {inputs} features to {} outputs, the rows have {} and {}",
                chain.outputs(),
                rows.columns(),
                rows.targets().outputs()
            ),
        ));
    }
    Ok(Compiled::Chain(chain))
}

/// Features of the graph's only input, if known.
pub(crate) fn input_width(graph: &Graph) -> Option<usize> {
    let shape = graph.value(*graph.inputs().first()?).shape.as_ref()?;
    shape.last()?.fixed()
}

/// Runs rows chunk by chunk, picking the columns that the network reads.
fn for_outputs(network: &mut Chain, rows: &Rows, mut each: impl FnMut(&[f32])) -> Result<()> {
    let selected = network.selected_inputs().map(<[usize]>::to_vec);
    let mut narrow = vec![];
    let mut start = 0;
    while start < rows.len() {
        let count = network.batch().min(rows.len() - start);
        let features = rows.features(start, count)?;
        let features = match &selected {
            None => &features[..],
            Some(kept) => {
                narrow.clear();
                for row in features.chunks_exact(rows.columns()) {
                    narrow.extend(kept.iter().map(|&k| row[k]));
                }
                &narrow
            }
        };
        each(network.forward(features, count));
        start += count;
    }
    Ok(())
}
