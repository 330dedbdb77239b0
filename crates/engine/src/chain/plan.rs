//! What a graph asks the engine to do: its layers in order, or why they cannot be run.

use secateur_graph::{Binary, Gemm, Graph, Node, Op, Tensor, ValueId};

use crate::chain::dense::{Dense, Parameter};
use crate::{Activation, Error, Result};

/// A chain of dense layers, read from a graph.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) layers: Vec<Dense>,
    pub(crate) selected_inputs: Option<Vec<usize>>,
}

/// Reads the layers of `graph`, each with `slots` vectors of optimiser state.
pub(crate) fn plan(graph: &Graph, slots: usize) -> Result<Plan> {
    let (&[input], &[output]) = (graph.inputs(), graph.outputs()) else {
        return Err(Error::unsupported(format!(
            "the network has {} inputs and {} outputs",
            graph.inputs().len(),
            graph.outputs().len()
        ))
        .hint("only networks with one input and one output can be trained"));
    };
    // Flattening makes features of them, but what is removed of those is positions along several axes.
    let axes = graph.value(input).shape.as_ref().map_or(2, Vec::len);
    if axes != 2 {
        return Err(Error::unsupported(format!(
            "takes inputs of {axes} axes, where chains take rows"
        ))
        .at(&graph.value(input).name));
    }
    let mut plan = Plan {
        layers: vec![],
        selected_inputs: None,
    };
    let mut current = input;
    while current != output {
        let readers = graph.readers(current);
        let &[reader] = readers else {
            let name = &graph.value(current).name;
            return Err(
                Error::unsupported(format!("is read by {} nodes", readers.len()))
                    .at(name)
                    .hint("only chains of layers can be trained, without branches"),
            );
        };
        let node = graph.node(reader);
        plan.push(graph, node, current, slots).map_err(|e| {
            if e.place().is_none() {
                e.at(&node.name)
            } else {
                e
            }
        })?;
        current = node.output()?;
    }
    if plan.layers.is_empty() {
        return Err(Error::invalid("the network has no layer").hint("add a Gemm node"));
    }
    Ok(plan)
}

impl Plan {
    fn push(&mut self, graph: &Graph, node: &Node, current: ValueId, slots: usize) -> Result<()> {
        match &node.op {
            Op::Identity | Op::Flatten { axis: 1 } => Ok(()),
            Op::Gather { axis: 1 | -1 }
                if self.layers.is_empty() && self.selected_inputs.is_none() =>
            {
                self.select_inputs(graph, node, current)
            }
            Op::Gemm(attributes) => {
                check_attributes(attributes)?;
                let mut layer = dense(graph, node, current, attributes.trans_b, slots)?;
                if let Some(&Some(bias)) = node.inputs.get(2) {
                    layer.set_bias(graph, bias, slots)?;
                }
                self.push_layer(layer)
            }
            Op::MatMul => self.push_layer(dense(graph, node, current, false, slots)?),
            Op::Binary(Binary::Add) => {
                let constant = if node.input(0)? == current {
                    node.input(1)?
                } else {
                    node.input(0)?
                };
                match self.layers.last_mut() {
                    Some(layer)
                        if layer.bias_id.is_none() && layer.activation == Activation::Identity =>
                    {
                        layer.set_bias(graph, constant, slots)
                    }
                    _ => Err(Error::unsupported("Add is run only as the bias of a layer")
                        .hint("put each Add right behind a MatMul")),
                }
            }
            Op::Unary(unary) => match self.layers.last_mut() {
                Some(layer) if layer.activation == Activation::Identity => {
                    layer.activation = Activation::from_graph(*unary)?;
                    Ok(())
                }
                _ => Err(Error::unsupported(format!(
                    "{} is run only right behind a layer",
                    node.op.onnx_name()
                ))
                .hint("put one activation behind each Gemm or MatMul and Add")),
            },
            Op::Softmax { .. } => Err(Error::unsupported("Softmax is part of the loss here")
                .hint("train the network that ends in logits, and add Softmax when writing")),
            other => Err(Error::unsupported(format!(
                "{} cannot be trained at this place",
                other.onnx_name()
            ))
            .hint("train the Gemm layers and their activations alone, on prepared inputs")),
        }
    }

    fn select_inputs(&mut self, graph: &Graph, node: &Node, current: ValueId) -> Result<()> {
        let id = node.input(1)?;
        let indices = graph
            .constant(id)
            .and_then(Tensor::as_i64)
            .filter(|_| node.input(0).is_ok_and(|data| data == current))
            .ok_or_else(|| {
                Error::unsupported("Gather needs constant indices into the input")
                    .hint("only a selection of features can stand before the first layer")
            })?;
        let shape = graph.value(current).shape.as_deref().unwrap_or_default();
        let width = match shape {
            [_, width] => width.fixed(),
            _ => None,
        };
        let width = width.ok_or_else(|| {
            Error::unsupported("Gather needs an input of known width")
                .hint("give the input the shape [batch, features]")
        })?;
        let selected = indices
            .iter()
            .map(|&i| {
                let i = if i < 0 { i + width as i64 } else { i };
                usize::try_from(i).ok().filter(|&i| i < width)
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::invalid(format!("an index lies beyond {width} inputs")))?;
        self.selected_inputs = Some(selected);
        Ok(())
    }

    fn push_layer(&mut self, layer: Dense) -> Result<()> {
        let made = match self.layers.last() {
            Some(before) => Some(before.outputs),
            None => self.selected_inputs.as_ref().map(Vec::len),
        };
        if made.is_some_and(|made| made != layer.inputs) {
            return Err(Error::invalid(format!(
                "reads {} units where {} are made",
                layer.inputs,
                made.unwrap_or_default()
            )));
        }
        if self.layers.iter().any(|l| l.weight_id == layer.weight_id) {
            return Err(Error::unsupported("shares its weights with another layer")
                .hint("give each layer weights of its own"));
        }
        self.layers.push(layer);
        Ok(())
    }
}

fn check_attributes(gemm: &Gemm) -> Result<()> {
    if gemm.trans_a || gemm.alpha != 1.0 || gemm.beta != 1.0 {
        return Err(Error::unsupported(
            "Gemm with a factor or a transposed input cannot be trained",
        )
        .hint("fold alpha and beta into the weights and biases"));
    }
    Ok(())
}

fn dense(
    graph: &Graph,
    node: &Node,
    current: ValueId,
    transposed: bool,
    slots: usize,
) -> Result<Dense> {
    let id = node.input(1)?;
    if node.input(0)? != current {
        return Err(Error::unsupported("the weights are on the left")
            .hint("multiply rows of data from the left: x W"));
    }
    let (tensor, values) = graph
        .constant(id)
        .and_then(|t| Some((t, t.as_f32()?)))
        .ok_or_else(|| {
            Error::unsupported("the weights are not a constant of 32-bit floats")
                .hint("only constants can be trained")
        })?;
    let &[first, second] = tensor.shape() else {
        return Err(Error::unsupported(format!(
            "the weights have shape {:?}, not two axes",
            tensor.shape()
        ))
        .hint("only dense layers can be trained"));
    };
    if first == 0 || second == 0 {
        return Err(Error::invalid("a layer has no units")
            .hint("give every layer at least one unit and the network at least one input"));
    }
    let (inputs, outputs, values) = if transposed {
        (second, first, transpose(values, first, second))
    } else {
        (first, second, values.to_vec())
    };
    Ok(Dense {
        inputs,
        outputs,
        name: node.name.clone(),
        activation: Activation::Identity,
        weight_id: id,
        bias_id: None,
        transposed,
        weight: Parameter::new(values, slots),
        bias: Parameter::default(),
    })
}

impl Dense {
    fn set_bias(&mut self, graph: &Graph, id: ValueId, slots: usize) -> Result<()> {
        let (tensor, values) = graph
            .constant(id)
            .and_then(|t| Some((t, t.as_f32()?)))
            .ok_or_else(|| {
                Error::unsupported("the bias is not a constant of 32-bit floats")
                    .hint("only constants can be trained, and no branches summed")
            })?;
        if !matches!(tensor.shape(), [n] | [1, n] if *n == self.outputs) {
            return Err(Error::unsupported(format!(
                "a bias of shape {:?} behind {} units",
                tensor.shape(),
                self.outputs
            ))
            .hint("give the layer one bias for each unit"));
        }
        self.bias_id = Some(id);
        self.bias = Parameter::new(values.to_vec(), slots);
        Ok(())
    }

    /// Writes the parameters into the constants that they came from.
    pub(crate) fn write_back(&self, graph: &mut Graph) -> Result<()> {
        let weight = &self.weight.values;
        let tensor = if self.transposed {
            let values = transpose(weight, self.inputs, self.outputs);
            Tensor::f32([self.outputs, self.inputs], values)
        } else {
            Tensor::f32([self.inputs, self.outputs], weight.clone())
        };
        graph.set_constant(self.weight_id, tensor?)?;
        if let Some(id) = self.bias_id {
            let axes = graph.constant(id).map_or(1, |old| old.shape().len());
            let mut shape = vec![1; axes];
            shape[axes - 1] = self.outputs;
            graph.set_constant(id, Tensor::f32(shape, self.bias.values.clone())?)?;
        }
        Ok(())
    }
}

pub(crate) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|j| (0..rows).map(move |i| values[i * columns + j]))
        .collect()
}
