//! Which units emit a constant, and how does it get into the biases of their readers?
//!
//! A unit whose producing weights are all exactly 0.0 emits what its bias, scale and activation make of
//! nothing. That constant is added to the biases of whatever reads the unit, and the reading slices become
//! 0.0; after that the unit can go like any other that is not read.
//!
//! What is constant is found by running the network on inputs that are not a number: whatever depends on
//! them is not a number either, through every operation. So a unit that is fed by constant units alone
//! counts as constant too, and a sum or gate with something that varies does not.

use std::collections::{BTreeMap, HashMap};

use crate::groups::{Activation, Group, GroupKind};
use crate::mask::zero;
use crate::ops::{self, Dense};
use crate::shapes::infer_shapes;
use crate::{Array, ChannelGroups, Graph, GroupId, Node, NodeId, Op, Result, Tensor, ValueId};

/// A network in which units that emit a constant are no longer read.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The same function, up to the rounding of biases to single precision.
    pub graph: Graph,
    /// Units whose constant went into biases; all their reading slices are 0.0 now.
    pub units: Vec<(GroupId, usize)>,
    /// Units that emit a constant other than 0 but stay: a reader has no bias of its own to hold it.
    pub left: Vec<(GroupId, usize)>,
}

/// Moves the constants that units emit into their readers' biases.
///
/// Frozen groups, inputs and what products of activations sum over are left alone, and so are units that are not read.
///
/// # Errors
/// If shapes do not fit together.
pub fn fold_constants(graph: &Graph, groups: &ChannelGroups) -> Result<Folded> {
    let shaped = infer_shapes(graph)?;
    let emitted = emitted(&shaped);
    let readers = DenseNodes::of(&shaped);
    let mut folded = Folded {
        graph: graph.clone(),
        units: vec![],
        left: vec![],
    };
    for (id, group) in groups.iter() {
        if group.frozen.is_some() || group.in_products || group.kind != GroupKind::Hidden {
            continue;
        }
        let readings = readers.readings(&shaped, group, &emitted);
        let mut gone = vec![false; group.units];
        for unit in 0..group.units {
            let at: Vec<(&Reading<'_>, Vec<usize>)> =
                readings.iter().map(|r| (r, r.positions(unit))).collect();
            let is_read = at.iter().any(|(r, p)| r.is_read(p));
            let is_constant = at.iter().all(|(r, p)| r.constants(p).is_some());
            if is_read && is_constant {
                gone[unit] = at.iter().all(|(r, p)| r.can_take(p));
                let list = if gone[unit] {
                    &mut folded.units
                } else {
                    &mut folded.left
                };
                list.push((id, unit));
            }
        }
        for reading in &readings {
            reading.fold(&gone, &mut folded.graph)?;
        }
    }
    Ok(folded)
}

/// A dense node that reads a group.
struct Reading<'g> {
    dense: Dense,
    weights: &'g Tensor,
    unit_of: &'g [Option<u32>],
    /// What is read at each position, where it is constant.
    steady: Vec<Option<f64>>,
}

impl Reading<'_> {
    fn positions(&self, unit: usize) -> Vec<usize> {
        let is_own = |&p: &usize| self.unit_of[p] == Some(unit as u32);
        (0..self.unit_of.len()).filter(is_own).collect()
    }

    /// Positions and what is read there, if all of it is constant.
    fn constants(&self, positions: &[usize]) -> Option<Vec<(usize, f64)>> {
        let each = positions.iter().map(|&p| Some((p, self.steady[p]?)));
        each.collect()
    }

    fn is_read(&self, positions: &[usize]) -> bool {
        let ones: Vec<(usize, f64)> = positions.iter().map(|&p| (p, f64::NAN)).collect();
        let sums = self.dense.product(self.weights, &ones);
        sums.is_none_or(|sums| sums.iter().any(|s| s.is_nan()))
    }

    /// Whether the constants can go into the bias, or nothing needs to.
    fn can_take(&self, positions: &[usize]) -> bool {
        let is_zero = |p: &usize| self.steady[*p] == Some(0.0);
        self.dense.bias.is_some() || positions.iter().all(is_zero) || !self.is_read(positions)
    }

    fn fold(&self, gone: &[bool], graph: &mut Graph) -> Result<()> {
        let is_gone = |p: usize| self.unit_of[p].is_some_and(|unit| gone[unit as usize]);
        let positions: Vec<usize> = (0..self.unit_of.len()).filter(|&p| is_gone(p)).collect();
        if positions.is_empty() {
            return Ok(());
        }
        let constants = self.constants(&positions).unwrap_or_default();
        let shift = self.dense.product(self.weights, &constants);
        if let (Some(bias), Some(shift)) = (&self.dense.bias, shift)
            && let Some(tensor) = graph.constant(bias.tensor)
        {
            let mut tensor = tensor.clone();
            for (value, shift) in tensor.as_f32_mut().unwrap_or(&mut []).iter_mut().zip(shift) {
                *value = (f64::from(*value) + shift / bias.beta) as f32;
            }
            graph.set_constant(bias.tensor, tensor)?;
        }
        zero(graph, self.dense.weights, self.dense.axis_in, is_gone)
    }
}

/// Dense nodes by what they read, so that every group finds its own.
struct DenseNodes(HashMap<ValueId, Vec<NodeId>>);

impl DenseNodes {
    fn of(graph: &Graph) -> Self {
        let mut nodes: HashMap<ValueId, Vec<NodeId>> = HashMap::new();
        for id in graph.node_ids() {
            if let Some(dense) = Dense::of(graph, graph.node(id)) {
                nodes.entry(dense.x).or_default().push(id);
            }
        }
        Self(nodes)
    }

    /// Those that read a group, in order.
    fn readings<'g>(
        &self,
        graph: &'g Graph,
        group: &'g Group,
        emitted: &[Option<Array>],
    ) -> Vec<Reading<'g>> {
        // Of the axes of one value that hold the group, the first counts.
        let mut held: BTreeMap<NodeId, &Activation> = BTreeMap::new();
        for activation in &group.activations {
            for &node in self.0.get(&activation.value).into_iter().flatten() {
                held.entry(node).or_insert(activation);
            }
        }
        let reading = |(node, held): (NodeId, &'g Activation)| {
            let dense = Dense::of(graph, graph.node(node))?;
            Some(Reading {
                weights: graph.constant(dense.weights)?,
                steady: steady(emitted[dense.x.index()].as_ref(), held.unit_of.len()),
                unit_of: &held.unit_of,
                dense,
            })
        };
        held.into_iter().filter_map(reading).collect()
    }
}

/// What each channel holds, where all rows of it are one finite number.
fn steady(emitted: Option<&Array>, length: usize) -> Vec<Option<f64>> {
    let Some(array) = emitted.filter(|a| a.shape.last() == Some(&length)) else {
        return vec![None; length];
    };
    let channel = |k: usize| {
        let mut column = array.values.iter().skip(k).step_by(length);
        let first = column.next().copied().filter(|v| v.is_finite())?;
        column.all(|&v| v == first).then_some(first)
    };
    (0..length).map(channel).collect()
}

/// All values for one row of inputs that are not a number; `None` where an operation is not understood.
fn emitted(graph: &Graph) -> Vec<Option<Array>> {
    let mut values: Vec<Option<Array>> = graph
        .values()
        .iter()
        .map(|v| v.constant.as_deref().map(Array::from))
        .collect();
    for &input in graph.inputs() {
        values[input.index()] = graph.value(input).shape.as_ref().map(|shape| {
            let shape: Vec<usize> = shape.iter().map(|d| d.fixed().unwrap_or(1)).collect();
            let values = vec![f64::NAN; shape.iter().product()];
            Array { shape, values }
        });
    }
    for node in graph.nodes() {
        let made = emit(graph, node, &values);
        if let Some(&output) = node.outputs.first() {
            values[output.index()] = made;
        }
    }
    values
}

/// Like evaluation, but a weight of 0.0 silences what is not a number.
fn emit(graph: &Graph, node: &Node, values: &[Option<Array>]) -> Option<Array> {
    let read: Option<Vec<Option<&Array>>> = node
        .inputs
        .iter()
        .map(|id| id.map_or(Some(None), |id| Some(Some(values[id.index()].as_ref()?))))
        .collect();
    let read = read?;
    let Some(dense) = Dense::of(graph, node) else {
        return ops::evaluate(node, &read).ok()?.into_iter().next();
    };
    let product = dense.products(
        graph.constant(dense.weights)?,
        values[dense.x.index()].as_ref()?,
    )?;
    match (&node.op, read.get(2).copied().flatten()) {
        (Op::Gemm(gemm), Some(added)) => {
            let added = added.broadcast_to(&product.shape).ok()?;
            let pairs = product.values.iter().zip(&added.values);
            let sums = pairs.map(|(p, a)| p + f64::from(gemm.beta) * a);
            Array::new(product.shape.clone(), sums.collect()).ok()
        }
        _ => Some(product),
    }
}
