//! Is the engine right about a network? Every node that it runs is computed anew, at sampled places, by the naive evaluator from
//! what the engine gave the node.
//!
//! Engine and naive evaluator share no code, and here no error hides behind another one: each node is given the engine's
//! numbers, so that nodes that are right one by one make outputs that are right. What is left to chance is the places of
//! convolutions, products and the like that are not drawn; an engine that is wrong about one of them is so at the borders, where
//! windows meet the padding, or all over, and both are looked at. So two models that the engine finds equal are known to be equal
//! from more than the engine, for a small part of the time that the naive evaluator would take for all of both.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use secateur_engine::{Network, Threads};
use secateur_graph::{
    Array, Dim, Graph, Node, Op, Tensor, ValueId, at_lengths, cost, evaluate_node,
};

use super::part::{Ranges, parts};
use crate::on_engine::{row_shapes, single};
use crate::verify::{relative, worse};

/// Values of one row that are held at once, 1 GiB of them.
const MOST_NUMBERS: usize = 1 << 28;
/// Steps of the naive evaluator: some seconds.
const MOST_STEPS: u64 = 1_000_000_000;
/// Steps that an element takes which is only moved.
const OF_AN_ELEMENT: u64 = 4;

/// Where the engine is furthest from the naive evaluator.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worst {
    /// Relative to the largest number of what the node makes.
    pub(super) difference: f64,
    /// The node.
    pub(super) node: String,
}

impl Worst {
    pub(super) fn take(&mut self, difference: f64, node: &str) {
        if worse(self.difference, difference).to_bits() != self.difference.to_bits() {
            *self = Self {
                difference,
                node: node.to_owned(),
            };
        }
    }
}

/// Holds the engine to the naive evaluator on the first row of `inputs`, where `outputs` is what the engine made of them all.
///
/// None where the engine does not put out what is between the nodes, the naive evaluator does not understand one, or even a
/// sample would take long.
pub(super) fn sampled(
    graph: &Graph,
    inputs: &[Array],
    outputs: &[Vec<f32>],
    threads: Threads,
    seed: u64,
) -> Option<Worst> {
    let rows = inputs.first()?.shape.first().copied()?;
    let shapes = row_shapes(inputs);
    let firsts: Vec<Array> = inputs
        .iter()
        .zip(&shapes)
        .map(|(input, shape)| {
            let len = shape.iter().product();
            let values = input.values.get(..len)?.to_vec();
            Array::new(shape.clone(), values).ok()
        })
        .collect::<Option<_>>()?;
    let at = at_lengths(graph, &shapes).ok()?;
    let needed = needed(graph);
    let put_out = between(graph, &at, &needed);
    let length = |id: ValueId| {
        let shape = at.value(id).shape.as_deref()?;
        shape.iter().map(Dim::fixed).product::<Option<usize>>()
    };
    let numbers = put_out
        .iter()
        .map(|&id| length(id))
        .sum::<Option<usize>>()?;
    if numbers > MOST_NUMBERS {
        return None;
    }
    let all = graph.with_outputs(put_out.clone());
    let mut network = Network::to_run_all(&all, &shapes, 1, threads).ok()?;
    let given: Vec<Vec<f32>> = firsts.iter().map(single).collect();
    let given: Vec<&[f32]> = given.iter().map(Vec::as_slice).collect();
    let made = network.forward_all(&given, 1);
    let mut values: HashMap<ValueId, Known<'_>> = HashMap::new();
    for (&id, numbers) in put_out.iter().zip(made) {
        let shape = at.value(id).shape.as_deref()?;
        let shape = shape.iter().map(Dim::fixed);
        values.insert(id, Known::Engine(shape.collect::<Option<_>>()?, numbers));
    }
    let mut worst = Worst {
        difference: 0.0,
        node: String::new(),
    };
    // What is put out between all nodes was computed in more steps than what was compared.
    for (id, output) in graph.outputs().iter().zip(outputs) {
        if let Some(Known::Engine(_, own)) = values.get(id) {
            let own: Vec<f64> = own.iter().map(|&v| f64::from(v)).collect();
            let first = output.get(..output.len() / rows.max(1))?;
            worst.take(relative(&own, first), &graph.value(*id).name);
        }
    }
    for (&id, array) in graph.inputs().iter().zip(firsts) {
        values.insert(id, Known::Naive(array));
    }
    let macs = cost(&at).ok()?.nodes.into_iter();
    let mut walk = Walk {
        graph,
        values,
        macs: macs.map(|n| (n.name, n.macs.unwrap_or(0))).collect(),
        rng: ChaCha8Rng::seed_from_u64(seed),
        steps: 0,
        worst,
    };
    for (node, _) in graph
        .nodes()
        .iter()
        .zip(needed)
        .filter(|(_, needed)| *needed)
    {
        walk.node(node)?;
    }
    Some(walk.worst)
}

/// Which nodes the outputs depend on.
fn needed(graph: &Graph) -> Vec<bool> {
    let mut open: HashSet<ValueId> = graph.outputs().iter().copied().collect();
    let mut needed = vec![false; graph.nodes().len()];
    for (node, needed) in graph.nodes().iter().zip(&mut needed).rev() {
        if node.outputs.iter().any(|id| open.contains(id)) {
            *needed = true;
            open.extend(node.inputs.iter().flatten());
        }
    }
    needed
}

/// What needed nodes make that depends on more than lengths, as far as anyone reads it.
fn between(graph: &Graph, at: &Graph, needed: &[bool]) -> Vec<ValueId> {
    let mut flows: HashSet<ValueId> = graph.inputs().iter().copied().collect();
    for node in at.nodes() {
        if node.inputs.iter().flatten().any(|id| flows.contains(id)) {
            flows.extend(node.outputs.iter().filter(|&&id| at.constant(id).is_none()));
        }
    }
    let nodes = graph.nodes().iter().zip(needed);
    let mut read: HashSet<ValueId> = graph.outputs().iter().copied().collect();
    for (node, _) in nodes.clone().filter(|(_, needed)| **needed) {
        read.extend(node.inputs.iter().flatten());
    }
    let made = nodes.filter(|(_, needed)| **needed);
    made.flat_map(|(node, _)| node.outputs.iter().copied())
        .filter(|id| flows.contains(id) && read.contains(id))
        .collect()
}

/// Numbers of a value.
enum Known<'a> {
    /// As the engine put them out.
    Engine(Vec<usize>, &'a [f32]),
    /// Given, or computed naively from what is known without running the network.
    Naive(Array),
}

impl Known<'_> {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Engine(shape, _) => shape,
            Self::Naive(array) => &array.shape,
        }
    }

    /// Some of them.
    fn at(&self, ranges: &[Range<usize>]) -> Array {
        match self {
            Self::Engine(shape, numbers) => cropped(shape, ranges, |i| f64::from(numbers[i])),
            Self::Naive(array) => cropped(&array.shape, ranges, |i| array.values[i]),
        }
    }
}

/// The numbers in some ranges of an array.
fn cropped(shape: &[usize], ranges: &[Range<usize>], number: impl Fn(usize) -> f64) -> Array {
    let own: Vec<usize> = ranges.iter().map(Range::len).collect();
    let count = own.iter().product();
    let values = (0..count).map(|element| {
        let (mut rest, mut from, mut stride) = (element, 0, 1);
        for ((range, &length), &full) in ranges.iter().zip(&own).zip(shape).rev() {
            from += (range.start + rest % length) * stride;
            rest /= length;
            stride *= full;
        }
        number(from)
    });
    Array {
        values: values.collect(),
        shape: own,
    }
}

/// Node after node.
struct Walk<'a> {
    graph: &'a Graph,
    values: HashMap<ValueId, Known<'a>>,
    /// Of each node, by its name.
    macs: HashMap<String, u64>,
    rng: ChaCha8Rng,
    steps: u64,
    worst: Worst,
}

impl Walk<'_> {
    /// Computes a node naively, some places of it where that can be, and compares what the engine made of the same numbers.
    fn node(&mut self, node: &Node) -> Option<()> {
        let inputs = node.inputs.iter();
        let shapes: Vec<Option<Vec<usize>>> = inputs
            .map(|id| {
                let id = (*id)?;
                let constant = self.graph.constant(id).map(Tensor::shape);
                let shape = constant.or_else(|| self.values.get(&id).map(Known::shape));
                shape.map(<[usize]>::to_vec)
            })
            .collect();
        let some = match node.outputs[..] {
            [made] => {
                let rng = &mut self.rng;
                let mut draw = |below: usize| (rng.next_u64() % below.max(1) as u64) as usize;
                let made = self.values.get(&made).map(Known::shape);
                made.and_then(|made| parts(node, &shapes, made, &mut draw))
            }
            _ => None,
        };
        let Some(some) = some else {
            return self.whole(node, &shapes);
        };
        for part in some {
            self.spend(part.macs)?;
            let made = evaluate_part(node, &part.op, &self.read(node, &part.reads)?)?;
            self.compare(node, *node.outputs.first()?, made.first()?, &part.makes)?;
        }
        Some(())
    }

    fn whole(&mut self, node: &Node, shapes: &[Option<Vec<usize>>]) -> Option<()> {
        let read = shapes.iter().flatten();
        let read: usize = read.map(|shape| shape.iter().product::<usize>()).sum();
        let macs = self.macs.get(&node.name).copied().unwrap_or(0);
        self.spend(macs.max(OF_AN_ELEMENT * read as u64))?;
        let made = evaluate_part(node, &node.op, &self.read(node, &[])?)?;
        for (&id, array) in node.outputs.iter().zip(made) {
            match self.values.get(&id) {
                Some(Known::Engine(shape, _)) => {
                    let all: Ranges = shape.iter().map(|&n| 0..n).collect();
                    self.compare(node, id, &array, &all)?;
                }
                // What follows from lengths and constants is nothing that the engine puts out.
                Some(Known::Naive(_)) | None => {
                    self.values.insert(id, Known::Naive(array));
                }
            }
        }
        Some(())
    }

    fn spend(&mut self, steps: u64) -> Option<()> {
        self.steps = self.steps.saturating_add(steps);
        (self.steps <= MOST_STEPS).then_some(())
    }

    /// The inputs of a node, or what is read of them.
    fn read(&self, node: &Node, reads: &[Option<Ranges>]) -> Option<Vec<Option<Array>>> {
        let slots = node.inputs.iter().enumerate();
        slots
            .map(|(slot, id)| {
                let Some(id) = *id else {
                    return Some(None);
                };
                let ranges = reads.get(slot).and_then(Option::as_ref);
                let (constant, known) = (self.graph.constant(id), self.values.get(&id));
                let shape = constant.map(Tensor::shape).or(known.map(Known::shape))?;
                let all: Ranges = shape.iter().map(|&n| 0..n).collect();
                let ranges = ranges.unwrap_or(&all);
                Some(Some(match (constant, constant.and_then(Tensor::as_f32)) {
                    (Some(_), Some(numbers)) => cropped(shape, ranges, |i| f64::from(numbers[i])),
                    (Some(tensor), None) => {
                        let numbers = tensor.numbers();
                        cropped(shape, ranges, |i| numbers[i])
                    }
                    (None, _) => known?.at(ranges),
                }))
            })
            .collect()
    }

    fn compare(
        &mut self,
        node: &Node,
        id: ValueId,
        naive: &Array,
        at: &[Range<usize>],
    ) -> Option<()> {
        let engine = match self.values.get(&id) {
            Some(known @ Known::Engine(_, numbers)) => (known.at(at), *numbers),
            Some(Known::Naive(_)) | None => return None,
        };
        self.worst
            .take(distance(&engine.0, engine.1, naive), &node.name);
        Some(())
    }
}

fn evaluate_part(node: &Node, op: &Op, inputs: &[Option<Array>]) -> Option<Vec<Array>> {
    let own = Node {
        op: op.clone(),
        ..node.clone()
    };
    let inputs: Vec<Option<&Array>> = inputs.iter().map(Option::as_ref).collect();
    evaluate_node(&own, &inputs).ok()
}

/// The largest difference of a part from what it should be, relative to the largest finite number of the `whole`; infinite if
/// shapes differ.
fn distance(part: &Array, whole: &[f32], naive: &Array) -> f64 {
    if part.shape != naive.shape {
        return f64::INFINITY;
    }
    let finite = whole.iter().filter(|v| v.is_finite());
    let scale = finite.fold(1e-6, |most: f64, v| most.max(f64::from(v.abs())));
    let pairs = part.values.iter().zip(&naive.values);
    // What is masked out may be infinite, the same way in both.
    let apart = pairs.filter(|(a, b)| a != b && !(a.is_nan() && b.is_nan()));
    apart.fold(0.0, |most, (a, b)| worse(most, (a - b).abs())) / scale
}

#[cfg(test)]
mod tests;
