//! Which lengths open axes of inputs have: as the user says, else one position for costs, and what is usual for what is drawn.

use std::collections::BTreeMap;

use secateur_graph::{Array, Cost, Dim, Element, Graph, ValueId, at_shapes, cost};

use super::draw::{LENGTHS, ROWS, draw_at};
use super::{MOST_ELEMENTS, ModelFile};
use crate::{Error, Result};

/// Lengths of open axes, and the network with them.
#[derive(Debug, Clone)]
pub(super) struct Lengths {
    /// By the name of the axis, which several may have in common.
    by_axis: BTreeMap<String, usize>,
    /// With an open batch, as costs are those of a row.
    graph: Graph,
}

impl ModelFile {
    /// Gives open axes of inputs a length, for costs, for what is drawn and for latencies. The network, its groups and what is
    /// written stay open. `shapes` are such as `x=1x3x640x640`, or `1x3x640x640` where there is one input; `length` is that of all
    /// other open axes but the batch.
    ///
    /// # Errors
    /// Of usage: no such input, a shape that does not fit it, a length of an axis that has another one, or that the network
    /// does not take.
    pub fn at_shapes(&mut self, shapes: &[String], length: Option<usize>) -> Result<()> {
        if shapes.is_empty() && length.is_none() {
            return Ok(());
        }
        let mut by_axis = BTreeMap::new();
        let mut named: Vec<ValueId> = vec![];
        for text in shapes {
            let (input, lengths) = self.read_shape(text)?;
            if named.contains(&input) {
                let name = &self.graph.value(input).name;
                return Err(wrong(
                    format!("'{name}' has two shapes"),
                    "give each input one",
                ));
            }
            named.push(input);
            self.bind(&mut by_axis, input, &lengths)?;
        }
        if let Some(length) = length {
            if length == 0 {
                let none = Error::usage("0 is no number of positions");
                return Err(none.at("--length").hint("1 or more"));
            }
            for &input in self.graph.inputs() {
                for dim in self.dims(input).iter().skip(1) {
                    if let Dim::Named(axis) = dim {
                        by_axis.entry(axis.clone()).or_insert(length);
                    }
                }
            }
        }
        let batches: Vec<&Dim> = self.batches().collect();
        let fixed = |dim: &Dim| match dim {
            Dim::Named(axis) if !batches.contains(&dim) => match by_axis.get(axis) {
                Some(&length) => Dim::Fixed(length),
                None => dim.clone(),
            },
            Dim::Named(_) | Dim::Fixed(_) => dim.clone(),
        };
        let inputs = self.graph.inputs().iter();
        let shapes: Vec<Vec<Dim>> = inputs
            .map(|&id| self.dims(id).iter().map(fixed).collect())
            .collect();
        let graph = at_shapes(&self.graph, &shapes).map_err(|e| {
            wrong(
                format!("the model does not take inputs of that size: {e}"),
                "give lengths that its layers can halve, pool and convolve",
            )
        })?;
        let cost = Cost {
            params: self.cost.params,
            ..cost(&graph)?
        };
        self.cost = cost;
        self.lengths = Some(Lengths { by_axis, graph });
        Ok(())
    }

    /// The input and the lengths in a text such as `x=1x3x640x640`.
    fn read_shape(&self, text: &str) -> Result<(ValueId, Vec<usize>)> {
        let inputs = self.graph.inputs();
        let names = || {
            let names = inputs.iter().map(|&id| self.graph.value(id).name.as_str());
            format!("the inputs are {}", names.collect::<Vec<_>>().join(", "))
        };
        let (input, lengths) = match (text.rsplit_once('='), inputs) {
            (Some((name, lengths)), _) => {
                let is_it = |id: &&ValueId| self.graph.value(**id).name == name;
                let input = inputs
                    .iter()
                    .find(is_it)
                    .ok_or_else(|| wrong(format!("there is no input '{name}'"), names()))?;
                (*input, lengths)
            }
            (None, &[only]) => (only, text),
            (None, _) => {
                let message = format!("'{text}' does not say which input it is of");
                return Err(wrong(message, format!("write NAME={text}; {}", names())));
            }
        };
        let numbers = lengths
            .split('x')
            .map(|n| n.parse().ok().filter(|&n| n > 0));
        let numbers: Option<Vec<usize>> = numbers.collect();
        let numbers = numbers.ok_or_else(|| {
            let message = format!("'{lengths}' is no shape");
            wrong(message, "write lengths of 1 and more, such as 1x3x640x640")
        })?;
        let count = numbers
            .iter()
            .fold(1u64, |n, &l| n.saturating_mul(l as u64));
        match count > MOST_ELEMENTS {
            true => Err(wrong(
                format!(
                    "an input of {lengths} has {count} numbers, which is more than is run here"
                ),
                "give smaller lengths",
            )),
            false => Ok((input, numbers)),
        }
    }

    /// Takes up the lengths of an input.
    fn bind(
        &self,
        by_axis: &mut BTreeMap<String, usize>,
        input: ValueId,
        lengths: &[usize],
    ) -> Result<()> {
        let name = &self.graph.value(input).name;
        let dims = self.dims(input);
        if dims.len() != lengths.len() {
            return Err(wrong(
                format!(
                    "'{name}' has {} axes, and {} lengths are given",
                    dims.len(),
                    lengths.len()
                ),
                format!("it is {}", super::describe::shape(&self.graph, input)),
            ));
        }
        for (axis, (dim, &length)) in dims.iter().zip(lengths).enumerate() {
            let other = match dim {
                Dim::Fixed(own) => *own,
                Dim::Named(symbol) => *by_axis.entry(symbol.clone()).or_insert(length),
            };
            if other != length {
                let why = match dim {
                    Dim::Fixed(_) => format!(
                        "axis {axis} of '{name}' has the fixed length {other}, not {length}"
                    ),
                    Dim::Named(symbol) => format!(
                        "axis {axis} of '{name}' is '{symbol}', which has both the lengths {other} and {length}"
                    ),
                };
                return Err(wrong(
                    why,
                    "open axes can be given a length, axes of one name the same",
                ));
            }
        }
        Ok(())
    }

    fn dims(&self, input: ValueId) -> &[Dim] {
        self.graph.value(input).shape.as_deref().unwrap_or_default()
    }

    /// The first axes of inputs that are open.
    fn batches(&self) -> impl Iterator<Item = &Dim> {
        let inputs = self.graph.inputs().iter();
        let firsts = inputs.filter_map(|&id| self.dims(id).first());
        firsts.filter(|dim| dim.fixed().is_none())
    }

    fn given_length(&self, dim: &Dim) -> Option<usize> {
        match (dim, &self.lengths) {
            (Dim::Fixed(length), _) => Some(*length),
            (Dim::Named(axis), Some(lengths)) => lengths.by_axis.get(axis).copied(),
            (Dim::Named(_), None) => None,
        }
    }

    /// How many rows the shapes that were given have, where the batch is open.
    pub fn given_rows(&self) -> Option<usize> {
        self.batches().find_map(|dim| self.given_length(dim))
    }

    /// Whether an axis of an input beside the batch has neither a length of its own nor one that was given.
    pub fn has_open_axes(&self) -> bool {
        let inputs = self.graph.inputs().iter();
        let mut others = inputs.flat_map(|&id| self.dims(id).iter().skip(1));
        others.any(|dim| self.given_length(dim).is_none())
    }

    /// The network whose nodes [`ModelFile::cost`] is about: that of the lengths that were given.
    pub(super) fn sized(&self) -> &Graph {
        self.lengths.as_ref().map_or(&self.graph, |l| &l.graph)
    }

    /// What a network with the inputs of this one costs at the lengths that were given.
    ///
    /// # Errors
    /// If shapes do not fit together.
    pub(super) fn cost_of(&self, graph: &Graph) -> secateur_graph::Result<Cost> {
        let own = cost(graph)?;
        let Some(lengths) = &self.lengths else {
            return Ok(own);
        };
        // Inputs keep their shapes.
        let sized = &lengths.graph;
        let shape = |&id: &ValueId| sized.value(id).shape.clone().unwrap_or_default();
        let shapes: Vec<Vec<Dim>> = sized.inputs().iter().map(shape).collect();
        Ok(Cost {
            params: own.params,
            ..cost(&at_shapes(graph, &shapes)?)?
        })
    }

    /// The lengths that open axes may be drawn with, one after the other; but one, where there are no such axes.
    pub(super) fn lengths_to_draw(&self) -> &'static [usize] {
        match self.has_open_axes() {
            true => &LENGTHS,
            false => &LENGTHS[..1],
        }
    }

    /// Numbers for the inputs of the model, open axes without a given length so long.
    pub(super) fn draw(&self, seed: u64, length: usize) -> Vec<(Element, Array)> {
        let rows = self.given_rows().unwrap_or(ROWS);
        self.draw_for(&self.graph, seed, rows, length)
    }

    /// The same for a network whose axes are called as those of this one, with so many rows.
    pub(crate) fn draw_for(
        &self,
        graph: &Graph,
        seed: u64,
        rows: usize,
        length: usize,
    ) -> Vec<(Element, Array)> {
        draw_at(graph, seed, &|id| self.shape_for(graph, id, rows, length))
    }

    /// The shape of an input with so many rows, where their number is open.
    pub(crate) fn shape_for(
        &self,
        graph: &Graph,
        input: ValueId,
        rows: usize,
        length: usize,
    ) -> Vec<usize> {
        let dims = graph.value(input).shape.as_deref().unwrap_or_default();
        let lengths = dims.iter().enumerate().map(|(axis, dim)| match axis {
            0 => dim.fixed().unwrap_or(rows),
            _ => self.given_length(dim).unwrap_or(length),
        });
        lengths.collect()
    }

    /// The shapes that were given, such as `x [1, 3, 640, 640]`; open axes without a length are told by name.
    pub fn given_shapes(&self) -> Vec<String> {
        if self.lengths.is_none() {
            return vec![];
        }
        let told = |&id: &ValueId| {
            let lengths = self
                .dims(id)
                .iter()
                .map(|dim| match self.given_length(dim) {
                    Some(length) => length.to_string(),
                    None => dim.to_string(),
                });
            let lengths: Vec<String> = lengths.collect();
            format!("{} [{}]", self.graph.value(id).name, lengths.join(", "))
        };
        self.graph.inputs().iter().map(told).collect()
    }

    /// What to write to give the first input with open axes their lengths.
    pub(super) fn shape_to_give(&self) -> Option<String> {
        let is_open = |dim: &Dim| self.given_length(dim).is_none();
        let mut inputs = self.graph.inputs().iter();
        let input = *inputs.find(|&&id| self.dims(id).iter().skip(1).any(is_open))?;
        let lengths = self.dims(input).iter().enumerate().map(|(axis, dim)| {
            let length = self
                .given_length(dim)
                .unwrap_or(if axis == 0 { 1 } else { USUAL });
            length.to_string()
        });
        let lengths: Vec<String> = lengths.collect();
        Some(format!(
            "--shape {}={}",
            self.graph.value(input).name,
            lengths.join("x")
        ))
    }
}

/// A length that many networks take, for an example.
const USUAL: usize = 224;

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::usage(message).at("--shape").hint(hint)
}
