//! Wraps a trained network so that it takes raw features and gives results in the user's terms.

use secateur_data::{Standardiser, TargetScaler};
use secateur_graph::{Binary, Dim, Graph, GraphBuilder, Node, Op, Tensor, ValueId};

use crate::{Error, ErrorKind, Result};

/// What goes around a network from standardised features to logits or standardised targets.
#[derive(Debug, Clone, Copy)]
pub struct Wrapping<'a> {
    /// How features were standardised.
    pub standardiser: &'a Standardiser,
    /// How targets were, in a regression.
    pub target_scaler: Option<&'a TargetScaler>,
    /// Whether probabilities are put out beside the logits.
    pub softmax: bool,
}

/// The network from raw features, all of them, to `logits` (and `probabilities`) or `prediction`.
///
/// A selection of inputs comes first, then `(x - shift) / scale`, then the network; a regression is
/// scaled back to the target's own units.
///
/// # Errors
/// If `core` does not have one input and one output.
pub fn assemble(core: &Graph, wrapping: Wrapping<'_>) -> Result<Graph> {
    let (&[input], &[output]) = (core.inputs(), core.outputs()) else {
        let message = "a network with one input and one output is needed";
        return Err(Error::new(ErrorKind::Input, message));
    };
    let mut copy = Copy {
        core,
        b: GraphBuilder::new("secateur"),
        map: vec![],
    };
    copy.map = vec![None; core.values().len()];
    let width = wrapping.standardiser.shift().len();
    let rank = core.value(input).shape.as_ref().map_or(0, Vec::len);
    let mut value = match core.value(input).shape.clone().filter(|_| rank > 2) {
        Some(dims) => copy.b.input(core.value(input).name.clone(), dims),
        None => copy.b.input("features", [Dim::batch(), Dim::Fixed(width)]),
    };
    let mut selected: Vec<usize> = (0..width).collect();
    let mut nodes = core.nodes();
    if let Some((first, rest)) = nodes.split_first()
        && let Op::Gather { axis: 1 } = first.op
        && first.input(0)? == input
    {
        let indices = first.input(1)?;
        if let Some(list) = core.constant(indices).and_then(Tensor::as_i64) {
            selected = list.iter().map(|&i| i as usize).collect();
        }
        let indices = copy.value(indices)?;
        value = copy.b.node("selected", first.op.clone(), &[value, indices]);
        copy.map[first.output()?.index()] = Some(value);
        nodes = rest;
    }
    let pick = |all: &[f32]| selected.iter().map(|&i| all[i]).collect::<Vec<f32>>();
    // Of images, one number a channel is enough.
    let axes: Vec<usize> = core
        .value(input)
        .shape
        .iter()
        .flatten()
        .skip(1)
        .filter_map(Dim::fixed)
        .collect();
    let spread = |all: &[f32]| by_channel(&pick(all), &axes, rank);
    let (shift, scale) = (
        spread(wrapping.standardiser.shift()),
        spread(wrapping.standardiser.scale()),
    );
    value = copy.affine("centred", Binary::Sub, value, "shift", &shift, 0.0)?;
    value = copy.affine("standardised", Binary::Div, value, "scale", &scale, 1.0)?;
    match core.nodes().len() == nodes.len() {
        true => copy.map[input.index()] = Some(value),
        false => copy.map[core.nodes()[0].output()?.index()] = Some(value),
    }
    let name = if wrapping.target_scaler.is_some() {
        "scaled"
    } else {
        "logits"
    };
    for node in nodes {
        copy.node(node, output, name)?;
    }
    let result = copy.value(output)?;
    match wrapping.target_scaler {
        Some(scaler) => {
            let spread = copy.affine(
                "spread",
                Binary::Mul,
                result,
                "target.scale",
                &(vec![scaler.scale().len()], scaler.scale().to_vec()),
                1.0,
            )?;
            let shift = Tensor::f32([scaler.shift().len()], scaler.shift().to_vec())?;
            let shift = copy.b.constant("target.shift", shift);
            let sum = copy
                .b
                .node("prediction", Op::Binary(Binary::Add), &[spread, shift]);
            copy.b.output(sum);
        }
        None => {
            copy.b.output(result);
            if wrapping.softmax {
                let p = copy
                    .b
                    .node("probabilities", Op::Softmax { axis: -1 }, &[result]);
                copy.b.output(p);
            }
        }
    }
    Ok(copy.b.build()?)
}

/// Copies values and nodes of one graph into another.
struct Copy<'a> {
    core: &'a Graph,
    b: GraphBuilder,
    map: Vec<Option<ValueId>>,
}

impl Copy<'_> {
    /// The copy of a value; constants are copied when first asked for.
    fn value(&mut self, id: ValueId) -> Result<ValueId> {
        if let Some(copied) = self.map[id.index()] {
            return Ok(copied);
        }
        let value = self.core.value(id);
        let Some(tensor) = self.core.constant(id) else {
            return Err(Error::new(ErrorKind::Input, "is read before it is made").at(&value.name));
        };
        let copied = self.b.constant(value.name.clone(), tensor.clone());
        self.map[id.index()] = Some(copied);
        Ok(copied)
    }

    /// Copies a node; the value `output` of the core is called `name` in the copy.
    fn node(&mut self, node: &Node, output: ValueId, name: &str) -> Result<()> {
        let mut inputs = vec![];
        for input in &node.inputs {
            inputs.push(input.map(|i| self.value(i)).transpose()?);
        }
        let mut outputs = vec![];
        for &made in &node.outputs {
            let value = self.core.value(made);
            let called = if made == output { name } else { &value.name };
            let copied = self.b.declare(called, None);
            self.map[made.index()] = Some(copied);
            outputs.push(copied);
        }
        self.b.add_node(Node {
            name: node.name.clone(),
            op: node.op.clone(),
            inputs,
            outputs,
        });
        Ok(())
    }

    /// `value op numbers`, left out where all numbers are `neutral`, one number where all are equal.
    fn affine(
        &mut self,
        name: &str,
        op: Binary,
        value: ValueId,
        constant: &str,
        (shape, numbers): &(Vec<usize>, Vec<f32>),
        neutral: f32,
    ) -> Result<ValueId> {
        let Some(&first) = numbers.first() else {
            return Ok(value);
        };
        let equal = numbers.iter().all(|&n| n == first);
        if equal && first == neutral {
            return Ok(value);
        }
        let tensor = match equal {
            true => Tensor::f32([1], vec![first])?,
            false => Tensor::f32(shape.clone(), numbers.clone())?,
        };
        let constant = self.b.constant(constant, tensor);
        Ok(self.b.node(name, Op::Binary(op), &[value, constant]))
    }
}

/// The numbers of all elements of a row in the shape in which they broadcast over rows: `[channels, 1, 1]` for images whose
/// channels have one number each.
fn by_channel(numbers: &[f32], axes: &[usize], rank: usize) -> (Vec<usize>, Vec<f32>) {
    if rank <= 2 || axes.len() + 1 != rank || axes[0] == 0 {
        return (vec![numbers.len()], numbers.to_vec());
    }
    let channels = numbers.chunks_exact((numbers.len() / axes[0]).max(1));
    if channels.clone().all(|c| c.iter().all(|&n| n == c[0])) {
        let mut shape = vec![1; axes.len()];
        shape[0] = axes[0];
        return (shape, channels.map(|c| c[0]).collect());
    }
    (axes.to_vec(), numbers.to_vec())
}
