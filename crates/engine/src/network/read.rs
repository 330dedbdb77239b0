//! From a graph to steps: each node becomes one, or several nodes that can be done in one pass.
//!
//! A graph is that of inference, and stays it: `Dropout` is read as the value itself, so nothing is dropped while training.
//! Only batch normalisation differs between the two, see [`Mode`].

mod arithmetic;
mod constants;
mod einsum;
mod finish;
mod layers;
mod letters;
mod moves;
mod norms;
mod notes;
mod operands;
mod origins;
mod points;
mod products;
mod resize;
mod rows;
mod spread;
mod windows;

use std::collections::HashMap;

use secateur_graph::{Array, Graph, Index, Mix, Node, NodeId, Op, ValueId, at_lengths};

use super::Parameter;
use super::layout::Layout;
use super::plan::{Place, Plan, Planned};
use super::step::Step;
use super::steps::Source;
use super::training::Training;
use crate::kernels::conv::lanes;
use crate::{Activation, Error, Result};

/// Whether a plan is for training: then values are kept for the way back, and normalisation goes by the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Train,
    Run,
}

/// Plans `settled`, which is `graph` at the lengths of one row, whose batch axis has length 1.
///
/// Parameters are added to `parameters` as they are met; those that are there already are used again.
///
/// # Errors
/// At a node that the engine does not run, by its name.
pub(crate) fn plan(
    graph: &Graph,
    settled: &Graph,
    mode: Mode,
    training: &Training<'_>,
    parameters: &mut Vec<Parameter>,
) -> Result<Plan> {
    let (taps, slots) = match mode {
        Mode::Train => (training.taps, [training.slots, training.raw]),
        Mode::Run => (&[][..], [0; 2]),
    };
    // What is put out is computed as such, and not on the way through something else.
    let open = (!taps.is_empty()).then(|| {
        let new = taps.iter().filter(|tap| !settled.outputs().contains(tap));
        settled.with_outputs(settled.outputs().iter().chain(new).copied().collect())
    });
    let settled = open.as_ref().unwrap_or(settled);
    let mut reader = Reader {
        needed: needed(settled),
        graph: settled,
        origin: graph,
        mode,
        slots,
        parameters,
        steps: vec![],
        places: vec![],
        states: 0,
        at: HashMap::new(),
        computed: HashMap::new(),
        notes: vec![],
        done: vec![false; settled.nodes().len()],
    };
    let mut inputs = vec![];
    for &input in settled.inputs() {
        let layout = Layout::plain(&reader.shape(input)?);
        match training.trained.contains(&input) {
            true => reader.trained(input, layout)?,
            false => inputs.push(reader.declare(input, layout)),
        }
        reader.tap(&[input], taps);
    }
    for id in settled.node_ids() {
        if !reader.needed[id.index()] || reader.done[id.index()] {
            continue;
        }
        let node = settled.node(id);
        reader.node(node).map_err(|e| match e.place() {
            None => e.at(&node.name),
            Some(_) => e,
        })?;
        reader.tap(&node.outputs, taps);
    }
    let mut outputs = vec![];
    for &output in settled.outputs() {
        let output = reader.place(output)?;
        outputs.push(match mode {
            // Whoever tells the loss is given rows as they are counted.
            Mode::Train => reader.plain(output)?,
            Mode::Run => output,
        });
    }
    reader.finish((inputs, outputs), taps, training.raw > 0)
}

/// `graph` at the lengths of one row of each input, where what depends on trained constants is not computed beforehand.
///
/// # Errors
/// If there are other inputs, a trained constant is none, or shapes do not fit together at these lengths.
pub(crate) fn at_rows(graph: &Graph, training: &Training<'_>) -> Result<Graph> {
    if training.trained.is_empty() {
        return Ok(at_lengths(graph, training.samples)?);
    }
    let mut lengths = training.samples.to_vec();
    for &id in training.trained {
        let constant = graph.constant(id).ok_or_else(|| {
            Error::invalid("is no constant, so that it cannot be trained").at(&graph.value(id).name)
        })?;
        lengths.push(constant.shape().to_vec());
    }
    Ok(at_lengths(&graph.with_inputs(training.trained), &lengths)?)
}

/// The nodes that the outputs depend on.
fn needed(graph: &Graph) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes().len()];
    let mut open: Vec<NodeId> = graph
        .outputs()
        .iter()
        .filter_map(|&o| graph.producer(o))
        .collect();
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut needed[id.index()], true) {
            continue;
        }
        let inputs = graph.node(id).inputs.iter().flatten();
        open.extend(inputs.filter_map(|&i| graph.producer(i)));
    }
    needed
}

/// What has been planned so far.
pub(super) struct Reader<'a> {
    graph: &'a Graph,
    /// The graph as it was given, whose constants are trained.
    origin: &'a Graph,
    mode: Mode,
    /// Vectors that parameters get: of optimizer state, and of raw gradients.
    slots: [usize; 2],
    parameters: &'a mut Vec<Parameter>,
    steps: Vec<Planned>,
    places: Vec<Place>,
    states: usize,
    /// The place of each value that flows.
    at: HashMap<ValueId, usize>,
    /// Values that are computed from constants alone.
    computed: HashMap<ValueId, Array>,
    needed: Vec<bool>,
    /// Steps without a derivative, with what to call them.
    notes: Vec<(usize, String)>,
    /// Nodes that were taken along with others.
    done: Vec<bool>,
}

/// A step before it has its operands.
struct New {
    step: Step,
    x: Vec<usize>,
    layout: Layout,
    is_trained: bool,
}

impl Reader<'_> {
    fn node(&mut self, node: &Node) -> Result<()> {
        if self.is_constant(node) {
            return self.compute(node);
        }
        match &node.op {
            Op::Conv(conv) => self.convolution(node, conv),
            Op::ConvTranspose(conv) => self.conv_transpose(node, conv),
            Op::Norm(norm) => self.norm(node, *norm),
            Op::Softmax { axis } => self.softmax(node, *axis, false),
            Op::LogSoftmax { axis } => self.softmax(node, *axis, true),
            Op::Resize(resize) => self.resize(node, resize),
            Op::Einsum(einsum) => self.einsum(node, einsum),
            Op::Gemm(gemm) => self.gemm(node, gemm),
            Op::MatMul => self.matmul(node),
            Op::BatchNorm { .. } => self.batch_norm(node),
            Op::Pool(pool) => self.pool(node, pool),
            Op::Reduce(reduce) => self.reduce(node, reduce),
            Op::Unary(unary) => self.unary(node, *unary),
            Op::Clip { min, max } => {
                let function = self.clip(node, *min, *max)?;
                self.activation(node, function)
            }
            Op::Binary(binary) => self.binary(node, *binary),
            Op::Variadic(variadic) => self.variadic(node, *variadic),
            Op::PRelu => self.slopes(node),
            Op::Where => self.choice(node),
            Op::Cast { to } if !to.is_float() => self.still(node),
            Op::Index(Index::Arg { axis, .. }) | Op::Mix(Mix::Hardmax { axis }) => {
                self.along(node, *axis)
            }
            Op::Identity
            | Op::Cast { .. }
            | Op::Flatten { .. }
            | Op::Reshape { .. }
            | Op::Squeeze(_)
            | Op::Transpose { .. }
            | Op::Concat { .. }
            | Op::Slice { .. }
            | Op::Split(_)
            | Op::Depth(_)
            | Op::Pad(_)
            | Op::Expand
            | Op::Tile
            | Op::Gather { .. } => self.movement(node),
            other => Err(
                Error::unsupported(format!("{} cannot be trained", other.onnx_name()))
                    .hint("secateur shrink removes units of any network without training it"),
            ),
        }
    }

    /// The place of a value that flows.
    fn place(&self, id: ValueId) -> Result<usize> {
        self.at.get(&id).copied().ok_or_else(|| {
            Error::unsupported(format!(
                "'{}' does not depend on the input",
                self.graph.value(id).name
            ))
            .hint("only what is computed from the input can be trained")
        })
    }

    fn declare(&mut self, value: ValueId, layout: Layout) -> usize {
        let place = self.new_place(layout, false);
        self.at.insert(value, place);
        place
    }

    /// A place for a constant that is trained, the same in every row.
    fn trained(&mut self, id: ValueId, layout: Layout) -> Result<()> {
        let parameter = self.parameter(id, false)?;
        let moves = (0..layout.elements()).map(|e| (Source::Parameter(0), e, e));
        let new = New {
            step: moves::moved(moves.collect(), &[], vec![parameter], layout.len, 0.0),
            x: vec![],
            layout,
            is_trained: true,
        };
        self.push(id, new);
        Ok(())
    }

    /// Copies those of some values that are tapped: who reads the copy adds its gradient there, and nobody writes over that.
    fn tap(&mut self, values: &[ValueId], taps: &[ValueId]) {
        for value in values.iter().filter(|value| taps.contains(value)) {
            let Some(&place) = self.at.get(value) else {
                continue;
            };
            let layout = self.places[place].layout.clone();
            let copy = self.relaid(place, layout);
            self.places[copy].is_trained = true;
            self.at.insert(*value, copy);
        }
    }

    fn new_place(&mut self, layout: Layout, is_trained: bool) -> usize {
        self.places.push(Place {
            layout,
            value: usize::MAX,
            gradient: None,
            is_trained,
        });
        self.places.len() - 1
    }

    /// The shape of a value for one row.
    fn shape(&self, id: ValueId) -> Result<Vec<usize>> {
        let value = self.graph.value(id);
        let shape = value
            .shape
            .as_ref()
            .and_then(|s| s.iter().map(secateur_graph::Dim::fixed).collect());
        shape.ok_or_else(|| {
            Error::unsupported(format!(
                "the shape of '{}' depends on more than shapes",
                value.name
            ))
            .hint("only networks whose shapes follow from that of the input can be trained")
        })
    }

    /// Adds a step that makes `value`.
    fn push(&mut self, value: ValueId, new: New) -> usize {
        let y = self.add(new);
        self.at.insert(value, y);
        y
    }

    /// Adds a step that makes a place of its own.
    fn add(&mut self, new: New) -> usize {
        let work = new.step.work();
        let mut inputs = new.x.iter().enumerate();
        let flows = inputs.any(|(k, &p)| self.places[p].is_trained && work.differentiates(k));
        let y = self.new_place(new.layout, flows || new.is_trained);
        let state = self.states;
        self.states += 1;
        self.steps.push(Planned {
            step: new.step,
            gradients: vec![None; new.x.len()],
            x: new.x,
            y,
            makes: true,
            state,
            is_trained: new.is_trained && self.mode == Mode::Train,
        });
        y
    }

    /// A place with its channels innermost, that of `place` if it has them so.
    fn image(&mut self, place: usize) -> Result<usize> {
        let layout = &self.places[place].layout;
        if layout.is_image() {
            return Ok(place);
        }
        if layout.shape.len() < 3 {
            return Err(Error::unsupported(format!(
                "an input of {} axes has no places",
                layout.shape.len()
            ))
            .hint("layers over one axis of places or more can be trained"));
        }
        // Nothing goes back to what no parameter had a part in, so nothing is written there by whole vectors.
        let lanes = if self.places[place].is_trained {
            lanes()
        } else {
            1
        };
        let image = Layout::image(&layout.shape, lanes);
        Ok(self.relaid(place, image))
    }

    /// A place as ONNX counts it, that of `place` if it is so.
    fn plain(&mut self, place: usize) -> Result<usize> {
        let layout = &self.places[place].layout;
        match layout.is_image() {
            true => {
                let plain = Layout::plain(&layout.shape);
                Ok(self.relaid(place, plain))
            }
            false => Ok(place),
        }
    }

    /// The only node that reads what another one makes, if the network does not put that out.
    fn only_reader(&self, value: ValueId) -> Option<NodeId> {
        if self.graph.outputs().contains(&value) {
            return None;
        }
        let mut readers = self
            .graph
            .readers(value)
            .iter()
            .filter(|id| self.needed[id.index()]);
        let only = readers.next().copied()?;
        let slots = self.graph.node(only).inputs.iter().flatten();
        (readers.next().is_none() && slots.filter(|&&id| id == value).count() == 1).then_some(only)
    }

    /// The function that alone reads a value, with the node that it is.
    fn following_activation(&self, value: ValueId) -> Option<(NodeId, Activation)> {
        let id = self.only_reader(value)?;
        let node = self.graph.node(id);
        let function = match &node.op {
            Op::Unary(unary) => Activation::from_graph(*unary).ok()?,
            Op::Clip { min, max } => self.clip(node, *min, *max).ok()?,
            _ => return None,
        };
        Some((id, function))
    }
}
