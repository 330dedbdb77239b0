//! Networks mixed of all operators that are understood: a plan of steps, and the graph that it describes.

mod alias;
mod branches;
mod channelwise;
mod choice;
mod constants;
mod layout;
mod mixing;
mod normal;
mod places;
mod single;
mod tokens;
mod trunk;

use secateur_graph::{Dim, Graph, Result};

pub use self::alias::Alias;
pub use self::branches::Branch;
pub use self::channelwise::Channelwise;
pub use self::choice::Choice;
pub use self::constants::Constants;
pub use self::layout::Layout;
pub use self::mixing::Mixing;
pub use self::normal::Normal;
pub use self::places::Places;
pub use self::single::Single;
pub use self::tokens::Tokens;
use self::trunk::Trunk;

/// One step along the trunk. Where it does not apply (a convolution on tokens, a shuffle of an odd number of channels) it is
/// left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Operator {
    /// Each channel by itself.
    Channelwise(Channelwise),
    /// Values that meet.
    Branch(Branch),
    /// Windows and places.
    Places(Places),
    /// Sequences of tokens, whose channels come last.
    Tokens(Tokens),
    /// Normalisation.
    Normal(Normal),
    /// Channels read without weights.
    Mixing(Mixing),
    /// Another order of axes.
    Layout(Layout),
    /// Constants beside activations.
    Constants(Constants),
    /// One channel for all.
    Single(Single),
    /// Values chosen by the channels themselves.
    Choice(Choice),
    /// Weights in common, through a node.
    Alias(Alias),
}

/// A network to build.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixed {
    /// How many axes of places there are: 1 to 3 behind the channels, or 0 for tokens, whose channels come last.
    pub places: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// How many rows there are, if always as many.
    pub rows: Option<usize>,
    /// Steps along the trunk.
    pub steps: Vec<Operator>,
    /// Whether the last layer reads every place, or means over them.
    pub flat: bool,
    /// Channels of the last layer.
    pub outputs: usize,
    /// Where the numbers come from.
    pub seed: u64,
}

impl Mixed {
    /// The network, its computed shapes not settled. Weights are quarters from -1/2 to 1/2.
    ///
    /// # Errors
    /// If a width is 0.
    pub fn build(&self) -> Result<Graph> {
        let mut t = Trunk::new(self);
        for step in &self.steps {
            match step {
                Operator::Channelwise(step) => step.add(&mut t)?,
                Operator::Branch(step) => step.add(&mut t)?,
                Operator::Places(step) => step.add(&mut t)?,
                Operator::Tokens(step) => step.add(&mut t)?,
                Operator::Normal(step) => step.add(&mut t)?,
                Operator::Mixing(step) => step.add(&mut t)?,
                Operator::Layout(step) => step.add(&mut t)?,
                Operator::Constants(step) => step.add(&mut t)?,
                Operator::Single(step) => step.add(&mut t)?,
                Operator::Choice(step) => step.add(&mut t)?,
                Operator::Alias(step) => step.add(&mut t)?,
            }
        }
        t.finish(self.flat, self.outputs)
    }
}

/// The shape of an input: a batch, channels and places, or a batch, tokens and channels.
fn shape(width: usize, rows: Option<usize>, places: &[usize], is_last: bool) -> Vec<Dim> {
    let places = places.iter().map(|&n| Dim::Fixed(n));
    let mut shape = vec![rows.map_or_else(Dim::batch, Dim::Fixed)];
    match is_last {
        true => shape.extend(places.chain([Dim::Fixed(width)])),
        false => shape.extend(std::iter::once(Dim::Fixed(width)).chain(places)),
    }
    shape
}
