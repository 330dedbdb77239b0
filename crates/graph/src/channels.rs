//! Which channels are the same unit? A walk through the graph with two union-finds.
//!
//! Every position of a channel axis starts as an *atom* of its own where it is made. Operations pass
//! atoms on, couple them, claim slices of constants for them, or freeze them. Coupled atoms are one
//! unit; units made together are one group.
//!
//! An axis that is later split into several (heads and their dimensions, the groups of a grouped
//! convolution) is a product: each of its positions belongs to one atom of every factor, and goes if any
//! of them goes. That an axis is a product shows only when it is split; the walk then begins anew and
//! makes the axis by its factors.

use std::collections::{HashMap, HashSet};

use crate::factors::{Factors, Origin};
use crate::groups::{Freeze, GroupKind, Role};
use crate::ops;
use crate::shapes::axis_at;
use crate::union_find::UnionFind;
use crate::{Error, ErrorKind, Graph, Node, NodeId, Op, Result, ValueId};

/// A channel at the place where it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Atom(pub(crate) usize);

/// A channel axis of an activation, and the atom at each position; one of several for the same axis where
/// that is a product.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Channels {
    pub(crate) axis: usize,
    pub(crate) atoms: Vec<Atom>,
}

/// A slice of a constant along `axis` for every atom.
pub(crate) struct Claim {
    pub(crate) tensor: ValueId,
    pub(crate) axis: usize,
    pub(crate) role: Role,
    pub(crate) atoms: Vec<Atom>,
    /// The node that the slices are claimed for.
    pub(crate) node: Option<NodeId>,
}

/// Slices of a constant that cannot be cut: along one axis or all.
pub(crate) struct Pin {
    pub(crate) tensor: ValueId,
    pub(crate) axis: Option<usize>,
    pub(crate) freeze: Freeze,
}

/// What the walk has found so far.
pub(crate) struct Walk<'g> {
    graph: &'g Graph,
    /// The node whose rule is being stated.
    at: Option<NodeId>,
    channels: Vec<Vec<Channels>>,
    pub(crate) factors: Factors,
    /// Factors that were found to be missing.
    pub(crate) wanted: Factors,
    /// How often one was asked for.
    pub(crate) asked: usize,
    pub(crate) origins: Vec<Origin>,
    /// Atoms that are the same unit.
    pub(crate) units: UnionFind,
    /// Atoms that belong to the same group.
    pub(crate) groups: UnionFind,
    /// Atoms that nothing but a constant makes, such as channels that are padded with zeros.
    pub(crate) filled: Vec<Atom>,
    /// Inputs of the graph by their first atom.
    pub(crate) kinds: Vec<(Atom, GroupKind)>,
    pub(crate) claims: Vec<Claim>,
    /// The first to claim slices along an axis of a constant.
    claimed: HashMap<(ValueId, usize), Vec<Channels>>,
    pub(crate) pins: Vec<Pin>,
    /// Claims on constants that no node reads in this form, but others that were made of them.
    pub(crate) behind: Vec<(ValueId, usize, Vec<Atom>)>,
    pub(crate) frozen: Vec<(Vec<Atom>, Freeze)>,
    /// What products of activations sum over, and the reason for which it stays if it cannot be silenced.
    pub(crate) summed: Vec<(Vec<Atom>, Freeze)>,
}

impl<'g> Walk<'g> {
    /// Walks a graph whose shapes are inferred.
    pub(crate) fn through(graph: &'g Graph) -> Result<Self> {
        let mut factors = Factors::new();
        loop {
            let walk = Self::once(graph, &factors)?;
            let mut found = false;
            for (made, lengths) in &walk.wanted {
                let known = factors.get(made).map_or(1, Vec::len);
                if lengths.len() > known {
                    factors.insert(*made, lengths.clone());
                    found = true;
                }
            }
            // Every round but the last finds an axis that is a product, or one of more factors.
            if !found {
                return Ok(walk);
            }
        }
    }

    fn once(graph: &'g Graph, factors: &Factors) -> Result<Self> {
        let mut walk = Self {
            graph,
            at: None,
            channels: vec![vec![]; graph.values().len()],
            factors: factors.clone(),
            wanted: Factors::new(),
            asked: 0,
            origins: vec![],
            units: UnionFind::default(),
            groups: UnionFind::default(),
            filled: vec![],
            kinds: vec![],
            claims: vec![],
            claimed: HashMap::new(),
            pins: vec![],
            behind: vec![],
            frozen: vec![],
            summed: vec![],
        };
        for &input in graph.inputs() {
            walk.enter(input)?;
        }
        for id in graph.node_ids() {
            let node = graph.node(id);
            walk.at = Some(id);
            let before = walk.said();
            ops::channels(node, &mut walk).map_err(|e| e.at_if_nowhere(&node.name))?;
            walk.check_said(node, &before)?;
        }
        walk.at = None;
        for (value, reason) in graph.pinned() {
            let node = graph.value(*value).name.clone();
            let reason = reason.to_string();
            walk.freeze_at(*value, &Freeze { node, reason });
        }
        for &output in graph.outputs() {
            walk.freeze_at(
                output,
                &Freeze {
                    node: graph.value(output).name.clone(),
                    reason: "is an output of the graph".into(),
                },
            );
        }
        Ok(walk)
    }

    /// The features of an input, or those of them that a `Gather` on it selects.
    fn enter(&mut self, input: ValueId) -> Result<()> {
        let Some(axis) = input_axis(self.graph, input) else {
            return Ok(());
        };
        let (value, length) = match selection(self.graph, input)? {
            Some((node, picked)) => (node.output()?, Some(picked.len())),
            None => (input, self.length(input, axis)),
        };
        if let Some(length) = length.filter(|&n| n > 0) {
            for made in self.produce(value, axis, length) {
                self.kinds.push((made.atoms[0], GroupKind::Input(input)));
            }
        }
        Ok(())
    }

    pub(crate) fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// The channels of an activation, as far as they are known.
    pub(crate) fn channels(&self, value: ValueId) -> &[Channels] {
        &self.channels[value.index()]
    }

    /// The channels along one axis of an activation: one entry a factor.
    pub(crate) fn along(&self, value: ValueId, axis: usize) -> Vec<Channels> {
        let all = self.channels(value).iter();
        all.filter(|c| c.axis == axis).cloned().collect()
    }

    pub(crate) fn is_parameter(&self, value: ValueId) -> bool {
        self.graph.constant(value).is_some()
    }

    pub(crate) fn rank(&self, value: ValueId) -> Option<usize> {
        self.graph.value(value).shape.as_ref().map(Vec::len)
    }

    /// The length of an axis, if it is known.
    pub(crate) fn length(&self, value: ValueId, axis: usize) -> Option<usize> {
        self.graph.value(value).shape.as_ref()?.get(axis)?.fixed()
    }

    pub(crate) fn has_fixed_axis(&self, value: ValueId, axis: i64) -> bool {
        let at = self.rank(value).and_then(|rank| axis_at(axis, rank).ok());
        at.and_then(|axis| self.length(value, axis)).is_some()
    }

    pub(crate) fn producer(&self, value: ValueId) -> Option<&'g Node> {
        self.graph.producer(value).map(|id| self.graph.node(id))
    }

    /// Whether the node selects features of an input, which then are the input's units.
    pub(crate) fn is_selection(&self, node: &Node) -> bool {
        let made = node.outputs.first();
        made.is_some_and(|made| !self.channels(*made).is_empty())
    }

    /// Atoms for positions that nothing but a constant makes.
    pub(crate) fn fill(&mut self, count: usize) -> Vec<Atom> {
        let atoms = self.atoms(count);
        self.filled.extend(&atoms);
        atoms
    }

    /// Atoms for positions that stay, which are frozen.
    pub(crate) fn fixed(&mut self, count: usize, node: &Node, reason: &str) -> Vec<Atom> {
        let atoms = self.atoms(count);
        self.frozen.push((atoms.clone(), freeze(node, reason)));
        atoms
    }

    /// These channels cannot be removed.
    pub(crate) fn freeze_atoms(&mut self, atoms: &[Atom], node: &Node, reason: &str) {
        self.frozen.push((atoms.to_vec(), freeze(node, reason)));
    }

    /// These channels cannot be removed, because of the node whose rule is being stated.
    pub(crate) fn freeze_here(&mut self, atoms: &[Atom], reason: &str) {
        let node = self.at.map(|id| self.graph.node(id).name.clone());
        let (node, reason) = (node.unwrap_or_default(), reason.into());
        self.frozen.push((atoms.to_vec(), Freeze { node, reason }));
    }

    /// A product of activations sums over these channels.
    pub(crate) fn sum_over(&mut self, factors: &[Channels], node: &Node, reason: &str) {
        for channels in factors {
            let atoms = channels.atoms.clone();
            self.summed.push((atoms, freeze(node, reason)));
        }
    }

    /// The value has these channels.
    pub(crate) fn carry(&mut self, value: ValueId, channels: Channels) {
        self.channels[value.index()].push(channels);
    }

    /// How much has been said so far.
    fn said(&self) -> Said {
        Said {
            frozen: self.frozen.len(),
            claims: self.claims.len(),
            summed: self.summed.len(),
            asked: self.asked,
        }
    }

    /// Checks that a node says of all channels that it reads what becomes of them: carried, read, summed over or frozen.
    ///
    /// # Errors
    /// Internal, if it does not: such channels would be removed from what it reads, and not from what it makes.
    fn check_said(&mut self, node: &Node, before: &Said) -> Result<()> {
        let is_empty = |id: &ValueId| {
            let shape = self.graph.value(*id).shape.as_deref().unwrap_or_default();
            shape.iter().any(|dim| dim.fixed() == Some(0))
        };
        // Lengths follow by themselves, and where factors are missing the walk begins anew.
        if matches!(node.op, Op::Shape { .. })
            || self.asked > before.asked
            || node.outputs.iter().any(is_empty)
        {
            return Ok(());
        }
        let frozen = self.frozen[before.frozen..].iter().map(|(atoms, _)| atoms);
        let claims = self.claims[before.claims..].iter().map(|c| &c.atoms);
        let summed = self.summed[before.summed..].iter().map(|(atoms, _)| atoms);
        let carried = node.outputs.iter().flat_map(|&made| self.channels(made));
        let carried = carried.map(|channels| &channels.atoms);
        let all = frozen.chain(claims).chain(summed).chain(carried).flatten();
        let said: Vec<Atom> = all.copied().collect();
        // What was coupled with something that was carried or read went with it.
        let said: HashSet<usize> = said.into_iter().map(|atom| self.units.root(atom)).collect();
        for &value in node.inputs.iter().flatten() {
            for channels in &self.channels[value.index()] {
                let mut atoms = channels.atoms.iter();
                if !atoms.any(|&atom| said.contains(&self.units.root(atom))) {
                    let message = format!(
                        "{} does not say what becomes of the units on axis {} of '{}'",
                        node.op.onnx_name(),
                        channels.axis,
                        self.graph.value(value).name
                    );
                    return Err(Error::new(ErrorKind::Internal, message)
                        .at(&node.name)
                        .hint("this is a defect: please report it with the model"));
                }
            }
        }
        Ok(())
    }

    /// Channels at equal positions are the same units.
    pub(crate) fn couple(&mut self, a: &Channels, b: &Channels) {
        for (&a, &b) in a.atoms.iter().zip(&b.atoms) {
            self.units.union(a, b);
            self.groups.union(a, b);
        }
    }

    /// The slices of a constant along `axis` belong to these channels, one entry a factor.
    ///
    /// Slices that others have claimed, as layers with weights in common do, make them the same units.
    pub(crate) fn claim(&mut self, tensor: ValueId, axis: usize, role: Role, factors: &[Channels]) {
        if factors.is_empty() {
            return;
        }
        if !self.share(tensor, axis, factors) {
            self.pins.push(Pin {
                tensor,
                axis: Some(axis),
                freeze: Freeze {
                    node: self.graph.value(tensor).name.clone(),
                    reason: "shares weights with channels that are grouped otherwise".into(),
                },
            });
        }
        self.claim_behind(tensor, axis, factors);
        for channels in factors {
            self.claims.push(Claim {
                tensor,
                axis,
                role,
                atoms: channels.atoms.clone(),
                node: self.at,
            });
        }
    }

    /// Makes channels that claim slices along an axis of a constant those that others claimed; whether that can be.
    pub(crate) fn share(&mut self, tensor: ValueId, axis: usize, factors: &[Channels]) -> bool {
        match self.claimed.get(&(tensor, axis)).cloned() {
            Some(first) => self.couple_axes(&first, factors).is_some(),
            None => {
                self.claimed.insert((tensor, axis), factors.to_vec());
                true
            }
        }
    }

    /// The constant cannot be cut along `axis`.
    pub(crate) fn pin(&mut self, tensor: ValueId, axis: usize, node: &Node, reason: &str) {
        let pin = |(tensor, axis): (ValueId, Option<usize>)| Pin {
            tensor,
            axis,
            freeze: freeze(node, reason),
        };
        self.pins.push(pin((tensor, Some(axis))));
        self.pins
            .extend(self.place_behind(tensor, Some(axis)).map(pin));
    }

    /// The channels of a value, or all slices of a constant, cannot be removed.
    pub(crate) fn freeze(&mut self, value: ValueId, node: &Node, reason: &str) {
        self.freeze_at(value, &freeze(node, reason));
    }

    fn freeze_at(&mut self, value: ValueId, freeze: &Freeze) {
        if self.is_parameter(value) {
            let behind = self.place_behind(value, None);
            for (tensor, axis) in behind.into_iter().chain([(value, None)]) {
                let freeze = freeze.clone();
                self.pins.push(Pin {
                    tensor,
                    axis,
                    freeze,
                });
            }
        } else {
            for channels in self.channels[value.index()].clone() {
                self.frozen.push((channels.atoms, freeze.clone()));
            }
        }
    }

    /// The channels along one axis of a value cannot be removed.
    pub(crate) fn freeze_axis(&mut self, value: ValueId, axis: usize, node: &Node, reason: &str) {
        for channels in self.along(value, axis) {
            self.frozen.push((channels.atoms, freeze(node, reason)));
        }
    }
}

/// How much had been said when a node's rule began.
struct Said {
    frozen: usize,
    claims: usize,
    summed: usize,
    asked: usize,
}

fn freeze(node: &Node, reason: &str) -> Freeze {
    Freeze {
        node: node.name.clone(),
        reason: reason.into(),
    }
}

/// The axis of an input that holds its features: the second, or the only one.
pub(crate) fn input_axis(graph: &Graph, input: ValueId) -> Option<usize> {
    match graph.value(input).shape.as_deref()? {
        [] => None,
        [_] => Some(0),
        [_, _, ..] => Some(1),
    }
}

/// The node that alone reads an input and selects features of it, and what it selects.
pub(crate) fn selection(graph: &Graph, input: ValueId) -> Result<Option<(&Node, Vec<usize>)>> {
    let [reader] = graph.readers(input)[..] else {
        return Ok(None);
    };
    let node = graph.node(reader);
    let (Op::Gather { axis }, Some(Some(indices))) = (&node.op, node.inputs.get(1)) else {
        return Ok(None);
    };
    let Some(shape) = &graph.value(input).shape else {
        return Ok(None);
    };
    let Some(features) = input_axis(graph, input).filter(|&f| axis_at(*axis, shape.len()) == Ok(f))
    else {
        return Ok(None);
    };
    let is_plain = graph.value(*indices).shape.as_ref().map(Vec::len) == Some(1)
        && ops::is_own_list(graph, *indices)
        && !graph.outputs().contains(&input);
    let Some(length) = shape[features].fixed().filter(|_| is_plain) else {
        return Ok(None);
    };
    let picked = ops::picked(graph, node, length)?;
    Ok(picked.map(|picked| (node, picked)))
}
