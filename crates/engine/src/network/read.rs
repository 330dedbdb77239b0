//! From a graph to steps: each node becomes one, or several nodes that can be done in one pass.
//!
//! A graph is that of inference, and stays it: `Dropout` is read as the value itself, so nothing is dropped while training.
//! Only batch normalisation differs between the two, see [`Mode`].

mod arithmetic;
mod einsum;
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

use secateur_graph::{
    Array, Graph, Index, Mix, Node, NodeId, Op, ValueId, at_lengths, evaluate_node,
};

use super::Parameter;
use super::buffers::assign;
use super::layout::Layout;
use super::plan::{Place, Plan, Planned, segments};
use super::step::Step;
use crate::kernels::conv::lanes;
use crate::{Activation, Error, Result};

/// Whether a plan is for training: then values are kept for the way back, and normalisation goes by the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Train,
    Run,
}

/// Plans `graph`, whose only input has rows of the shape `row` (batch axis of length 1 included).
///
/// Parameters are added to `parameters` as they are met; those that are there already are used again.
///
/// # Errors
/// At a node that the engine does not run, by its name.
pub(crate) fn plan(
    graph: &Graph,
    row: &[usize],
    mode: Mode,
    slots: usize,
    parameters: &mut Vec<Parameter>,
) -> Result<Plan> {
    let (&[input], &[output]) = (graph.inputs(), graph.outputs()) else {
        return Err(Error::unsupported(format!(
            "the network has {} inputs and {} outputs",
            graph.inputs().len(),
            graph.outputs().len()
        ))
        .hint("only networks with one input and one output can be trained"));
    };
    let settled = at_lengths(graph, &[row.to_vec()])?;
    let mut reader = Reader {
        needed: needed(&settled),
        graph: &settled,
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
    let layout = Layout::plain(row);
    let input = reader.declare(input, layout);
    for id in settled.node_ids() {
        if !reader.needed[id.index()] || reader.done[id.index()] {
            continue;
        }
        let node = settled.node(id);
        reader.node(node).map_err(|e| match e.place() {
            None => e.at(&node.name),
            Some(_) => e,
        })?;
    }
    let output = reader.place(output)?;
    let output = reader.plain(output)?;
    reader.finish([input, output])
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
    slots: usize,
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
            Op::Index(Index::Arg { .. }) | Op::Mix(Mix::Hardmax { .. }) => self.still(node),
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

    /// Whether a node reads nothing that depends on the input.
    fn is_constant(&self, node: &Node) -> bool {
        node.inputs
            .iter()
            .flatten()
            .all(|id| !self.at.contains_key(id))
    }

    /// Computes a node of constants once and for all; what it makes is not trained.
    fn compute(&mut self, node: &Node) -> Result<()> {
        let inputs: Vec<Option<Array>> = node
            .inputs
            .iter()
            .map(|id| id.and_then(|id| self.array(id)))
            .collect();
        let inputs: Vec<Option<&Array>> = inputs.iter().map(Option::as_ref).collect();
        let made = evaluate_node(node, &inputs)?;
        self.computed.extend(node.outputs.iter().copied().zip(made));
        Ok(())
    }

    /// The numbers of a constant, or of what was computed from constants.
    fn array(&self, id: ValueId) -> Option<Array> {
        let constant = self.graph.constant(id).map(Array::from);
        constant.or_else(|| self.computed.get(&id).cloned())
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

    /// The parameter that holds a constant, if it holds one: 32-bit floats.
    fn parameter(&mut self, id: ValueId, is_running: bool) -> Result<usize> {
        let id = self.original(id);
        if let Some(known) = self.parameters.iter().position(|p| p.id == id) {
            return Ok(known);
        }
        if self.origin.constant(id).is_none() && self.array(id).is_some() {
            return Err(self.computed_weight(id));
        }
        self.parameters
            .push(Parameter::new(self.origin, id, self.slots, is_running)?);
        Ok(self.parameters.len() - 1)
    }

    /// The parameter at an input of a node.
    fn parameter_at(&mut self, node: &Node, slot: usize) -> Result<usize> {
        let id = node.input(slot)?;
        self.parameter(id, false)
    }

    /// The parameter at an optional input of a node.
    fn optional_at(&mut self, node: &Node, slot: usize) -> Result<Option<usize>> {
        let id = node.inputs.get(slot).copied().flatten();
        id.map(|id| self.parameter(id, false)).transpose()
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
        if !matches!(layout.shape.len(), 3 | 4) {
            return Err(Error::unsupported(format!(
                "an input of {} axes has no places",
                layout.shape.len()
            ))
            .hint("networks over one or two axes of places can be trained"));
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

    /// Decides which gradients are wanted, and where everything lies.
    fn finish(mut self, [input, output]: [usize; 2]) -> Result<Plan> {
        if self.steps.is_empty() {
            return Err(Error::invalid("the network has no layer").hint("add a layer with weights"));
        }
        let trains = self.mode == Mode::Train;
        // Whether a place has a gradient, and whether some of it is there already.
        let mut begun = vec![false; self.places.len()];
        begun[output] = true;
        for s in (0..self.steps.len()).rev().filter(|_| trains) {
            let planned = &mut self.steps[s];
            if !begun[planned.y] {
                // Nothing comes back to it; statistics are measured all the same.
                planned.is_trained &= matches!(planned.step, Step::Statistics(_));
                continue;
            }
            for k in 0..planned.x.len() {
                let x = planned.x[k];
                let waits = matches!(planned.step, Step::Normalise(_)) && k == 0;
                let differs = planned.step.work().differentiates(k);
                if self.places[x].is_trained && differs && !waits {
                    planned.gradients[k] = Some(std::mem::replace(&mut begun[x], true));
                }
            }
        }
        let notes = self.told();
        let count = self.steps.len();
        let forward = segments(&self.steps, 0..count, |s| trains && s.meets_forward());
        let backward = match trains {
            true => segments(&self.steps, (0..count).rev(), Step::meets_backward),
            false => vec![],
        };
        let buffers = assign(
            &self.steps,
            &mut self.places,
            [input, output],
            &forward,
            &backward,
        );
        let scratch = self.steps.iter().map(|p| p.step.work().scratch()).max();
        Ok(Plan {
            steps: self.steps,
            places: self.places,
            buffers,
            states: self.states,
            forward,
            backward,
            at: self.at,
            input,
            output,
            scratch: scratch.unwrap_or(0),
            notes,
        })
    }
}
