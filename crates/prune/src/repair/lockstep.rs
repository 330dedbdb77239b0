//! Wide and small network side by side: each reader is repaired in the order in which they are run, on what those before it make by then.

use secateur_graph::{Graph, Tensor, ValueId};

use super::front::Front;
use super::offset::{self, Offset};
use super::product::{Product, products};
use super::ridge::{Seen, chosen};
use super::samples::{Activation, ByChannel, Positions, Spread};
use super::site::{Kept, Site, Untouched, sites};
use super::wide::{Measured, measured};
use crate::Result;

/// What is given to every input of a network, in their order: some inputs at a time.
pub type Batch = Vec<Activation>;

/// Runs parts of networks.
pub trait Runner {
    /// Makes ready to run a network many times.
    ///
    /// # Errors
    /// If it cannot be run.
    fn compile(&self, graph: &Graph) -> Result<Box<dyn Compiled>>;

    /// Is told how far something is that takes long.
    fn at(&self, _: Step) {}
}

/// How far something is that takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is being done.
    pub doing: &'static str,
    /// Parts that are done.
    pub done: usize,
    /// Parts that there are.
    pub of: usize,
}

/// A network that is ready to run.
pub trait Compiled {
    /// What it makes of a value for each of its inputs.
    ///
    /// # Errors
    /// If it does not take them.
    fn run(&self, inputs: &[&Activation]) -> Result<Vec<Activation>>;
}

/// Inputs, no part of which has an input of another.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Moments are measured on these, and on those below once the ridge is chosen.
    pub fit: &'a [Batch],
    /// The ridge is chosen on these.
    pub choose: &'a [Batch],
    /// Readers that got worse are counted on these.
    pub test: &'a [Batch],
}

/// How much of what is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Positions of each reader at least, if there are so many.
    pub positions: usize,
    /// Positions of each reader for every channel that it read.
    pub for_channel: usize,
    /// Of positions.
    pub seed: u64,
    /// Bytes of activations that are held at once; with less, more is made anew.
    pub memory: u64,
}

impl Effort {
    /// What serves networks of any size: 8192 positions of each reader, 24 for every channel if that is more.
    pub fn usual(seed: u64, memory: u64) -> Self {
        Self {
            positions: 8192,
            for_channel: 24,
            seed,
            memory,
        }
    }

    /// Of a reader of so much at once those of `there` positions of one of `batches` batches that are looked at; readers and batches, by
    /// their numbers, have each their own.
    pub(crate) fn drawn(
        self,
        there: usize,
        width: usize,
        (reader, batch): (usize, usize),
        batches: usize,
    ) -> Positions {
        let wanted = self.positions.max(self.for_channel * width);
        let seed = self.seed ^ ((reader as u64) << 32) ^ batch as u64;
        Positions::drawn(there, wanted.div_ceil(batches), seed)
    }
}

/// What becomes of the variance of what a repaired reader makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeSpread {
    /// It is that of the least squares, which is less than it was.
    Keep,
    /// Each channel is scaled to the one that it had.
    Match,
}

/// What became of a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Repaired {
    /// What the node is called.
    pub node: String,
    /// What moments are of: channels, patches (all that a window reads), or channels of maps laid flat.
    pub moments_of: &'static str,
    /// The ridge; none where weights stay, infinite where the bias alone changed.
    pub ridge: Option<f64>,
    /// Of the normal equations, at least; 1 where weights stay.
    pub condition: f64,
    /// Squared distance to what the wide network makes there, as a share of its variance, on the inputs that it was chosen on: without
    /// repair, and with it.
    pub chosen: [f64; 2],
    /// The same on inputs that nothing was fitted or chosen on.
    pub tested: [f64; 2],
}

/// A network with other weights.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The network.
    pub graph: Graph,
    /// What became of each reader, in their order.
    pub readers: Vec<Repaired>,
}

/// What takes a repair of a network that lost units: the readers that lost some of what they read, and what they read and made.
pub struct Repairer<'a> {
    wide: &'a Graph,
    small: &'a Graph,
    parts: Parts<'a>,
    runner: &'a dyn Runner,
    sites: Vec<Site>,
    products: Vec<Product>,
    untouched: Vec<Untouched>,
    of_wide: Vec<Measured>,
    effort: Effort,
}

impl<'a> Repairer<'a> {
    /// Runs the network before once. `wide` is that network, with its shapes, `small` the one after.
    ///
    /// # Errors
    /// If it cannot be run, or what a reader makes is not finite.
    pub fn new(
        (wide, small): (&'a Graph, &'a Graph),
        kept: &Kept,
        parts: Parts<'a>,
        effort: Effort,
        runner: &'a dyn Runner,
    ) -> Result<Self> {
        let (sites, mut untouched) = sites(wide, small, kept);
        let all = parts.all();
        let shapes = all.first().into_iter().flat_map(|batch| batch.iter());
        let shapes: Vec<Vec<usize>> = shapes.map(|x| x.shape.clone()).collect();
        let (products, others) = products((wide, small), kept, &shapes);
        untouched.extend(others);
        let of_wide = measured(wide, &sites, &all, parts.known(), effort, runner)?;
        Ok(Self {
            wide,
            small,
            parts,
            runner,
            sites,
            products,
            untouched,
            of_wide,
            effort,
        })
    }

    /// Whether there is a reader to repair.
    pub fn has_readers(&self) -> bool {
        !self.sites.is_empty() || !self.products.is_empty()
    }

    /// Readers that keep their weights.
    pub fn untouched(&self) -> &[Untouched] {
        &self.untouched
    }

    /// The small network with its readers repaired, one after the other.
    ///
    /// # Errors
    /// If a part of a network cannot be run, or what it makes is not finite.
    pub fn repaired(&self, spread: MadeSpread) -> Result<Outcome> {
        let all = self.parts.all();
        let mut graph = self.small.clone();
        let mut front = Front::new(self.small, &all, self.effort.memory);
        let known = self.parts.known();
        let bounds = [self.parts.fit.len(), known, all.len()];
        let mut readers = vec![];
        let mut products = self.products.iter().peekable();
        for (done, (site, of_wide)) in self.sites.iter().zip(&self.of_wide).enumerate() {
            self.runner.at(Step {
                doing: "repairing layers",
                done,
                of: self.sites.len(),
            });
            while let Some(product) = products.next_if(|p| p.node < site.first.node) {
                readers.extend(self.product_repaired(product, &mut graph, &mut front)?);
            }
            let (value, axis) = site.first.read;
            let mut read: Vec<Vec<f32>> = vec![];
            front.visit(&graph, value, self.runner, &mut |batch, value| {
                let positions = &of_wide.positions[batch];
                let mut own = site.first.view.at(value, axis, positions);
                // Nodes that read through the same weights later on are not reached yet: what they read is what it would be were
                // all between here and there repaired exactly.
                let others = &of_wide.read[batch][positions.len() * site.width..];
                own.extend(site.left(others));
                read.push(own);
                Ok(())
            })?;
            let seen = Seen {
                wide: &of_wide.read,
                small: &read,
                bounds,
            };
            let chosen = chosen(site, (self.wide, &graph), &seen)?;
            if let (Some(numbers), Some(old)) = (chosen.weights, graph.constant(site.weights)) {
                let new = Tensor::of_floats(old.element(), old.shape(), numbers)?;
                graph.set_constant(site.weights, new)?;
            }
            match (site.made, &site.offsets[..]) {
                _ if chosen.told.ridge.is_none() => {}
                (Some(made), &[offset]) => {
                    let mut now = Spread::default();
                    front.visit(&graph, made.0, self.runner, &mut |batch, value| {
                        if batch < known {
                            now.add(value, made.1);
                        }
                        Ok(())
                    })?;
                    let moves = Moves::of(site, offset, &graph, (now.of(), &of_wide.made), spread);
                    moves.carried_out((site, made), offset, &mut graph, &mut front)?;
                }
                (_, offsets) => offset::add(offsets, &mut graph, &chosen.gaps)?,
            }
            readers.push(chosen.told);
        }
        for product in products {
            readers.extend(self.product_repaired(product, &mut graph, &mut front)?);
        }
        Ok(Outcome { graph, readers })
    }
}

impl<'a> Parts<'a> {
    /// How many batches are fitted or chosen on.
    fn known(&self) -> usize {
        self.fit.len() + self.choose.len()
    }

    fn all(&self) -> Vec<&'a Batch> {
        [self.fit, self.choose, self.test]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// What is done to each channel that a reader makes.
struct Moves {
    /// By which weights are multiplied.
    scales: Vec<f64>,
    /// What is added at the offset.
    gaps: Vec<f64>,
    /// What the reader adds itself.
    bias: Vec<f64>,
}

/// Within these, a channel is scaled: what hardly varies any more is noise.
const SCALES: [f64; 2] = [0.5, 2.0];

impl Moves {
    /// Those that bring means and, where these are to match, variances from what they are to what they were.
    fn of(
        site: &Site,
        offset: Offset,
        graph: &Graph,
        ((mean, variance), (means, variances)): (ByChannel, &ByChannel),
        spread: MadeSpread,
    ) -> Self {
        let bias = match offset.is_at(site.first.node) {
            true => offset.numbers(graph, mean.len()),
            false => vec![0.0; mean.len()],
        };
        let scale = |(&c, variance): (&usize, &f64)| match spread {
            MadeSpread::Match if *variance > 0.0 => {
                (variances[c] / variance).sqrt().clamp(SCALES[0], SCALES[1])
            }
            MadeSpread::Match | MadeSpread::Keep => 1.0,
        };
        let scales: Vec<f64> = site.outputs.iter().zip(&variance).map(scale).collect();
        let each = site.outputs.iter().enumerate();
        let gaps = each.map(|(at, &c)| means[c] - scales[at] * (mean[at] - bias[at]) - bias[at]);
        Self {
            gaps: gaps.collect(),
            scales,
            bias,
        }
    }

    fn carried_out(
        &self,
        (site, made): (&Site, (ValueId, usize)),
        offset: Offset,
        graph: &mut Graph,
        front: &mut Front,
    ) -> Result<()> {
        if let Some(weights) = graph.constant(site.weights)
            && self.scales.iter().any(|s| *s != 1.0)
        {
            let mut numbers = weights.numbers();
            site.narrow
                .scale_outputs(weights.shape(), &self.scales, &mut numbers);
            let new = Tensor::of_floats(weights.element(), weights.shape(), numbers)?;
            graph.set_constant(site.weights, new)?;
        }
        offset::add(&[offset], graph, &self.gaps)?;
        let is_own = offset.is_at(site.first.node);
        let each = self.scales.iter().zip(&self.bias).zip(&self.gaps);
        let moves: Vec<(f64, f64)> = each
            .map(|((scale, bias), gap)| match is_own {
                true => (*scale, bias - scale * bias + gap),
                false => (*scale, 0.0),
            })
            .collect();
        front.shift(made.0, made.1, &moves);
        Ok(())
    }
}

mod products;
#[cfg(test)]
mod tests;
