//! Operators with the attributes and shapes that are drawn, with units on every axis of what flows.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use secateur_graph::{Element, Op, ReduceKind, Squeeze, evaluate};

use super::applied::{Applied, Kind, Operand};
use super::{Given, OnAxis, Reader};
use crate::{attributes_of, judged, rows};

/// How many of an operator are taken: their attributes differ, and each has several axes.
const MOST: usize = 8;

/// Operators of [`judged`] with units on every axis of what flows into them, read along all numbers and along the
/// channels.
///
/// # Errors
/// If an operator is not given what it takes.
pub fn drawn_on_axis() -> Result<Vec<OnAxis>, Box<dyn Error>> {
    let mut all = vec![];
    for applied in applied()? {
        for slot in 0..applied.operands.len() {
            let Operand::Drawn(_, shape) = &applied.operands[slot] else {
                continue;
            };
            for axis in (0..shape.len()).filter(|&a| shape[a] > 1 && !shape.contains(&0)) {
                let mut given = vec![Given::Constant; applied.operands.len()];
                given[slot] = Given::Units { layer: 0, axis };
                let bare = applied.network(&given, Reader::Nothing, &[])?;
                let made = evaluate(&bare, &rows(&bare, 1, 1))?;
                let lengths: Vec<Vec<usize>> = made.into_iter().map(|made| made.shape).collect();
                if lengths.iter().flatten().any(|&length| length == 0) {
                    continue;
                }
                let along = Reader::Along(1);
                let readers = [Reader::Flat, along];
                let has_second = lengths.iter().all(|shape| shape.len() > 1);
                for reader in &readers[..if has_second { 2 } else { 1 }] {
                    all.push(OnAxis {
                        name: applied.name(&given, *reader),
                        op: applied.op.clone(),
                        graph: applied.network(&given, *reader, &lengths)?,
                    });
                }
            }
        }
    }
    Ok(all)
}

/// The operators that have attributes, with operands of the shapes that they were drawn with.
fn applied() -> Result<Vec<Applied>, Box<dyn Error>> {
    let mut all = vec![];
    let (mut counts, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for one in judged()? {
        let graph = one.graph()?;
        let node = &graph.nodes()[0];
        let flowing = graph.inputs().iter().map(|&id| graph.value(id).element);
        let is_float = flowing.flatten().all(|element| element == Element::F32);
        let has_attributes = attributes_of(&node.op).is_some_and(|(_, all)| !all.is_empty());
        // Places are no numbers of units, and of axes that go by their lengths there is one more where one unit is
        // left.
        let is_left_out = one.op_type() == "OneHot" || node.op == Op::Squeeze(Squeeze::Out(vec![]));
        if !is_float || !has_attributes || is_left_out || !seen.insert(format!("{:?}", node.op)) {
            continue;
        }
        let count: &mut usize = counts.entry(one.op_type().to_owned()).or_default();
        *count += 1;
        if *count > MOST {
            continue;
        }
        let kind = match &node.op {
            Op::Reduce(reduce) if reduce.kind == ReduceKind::LogSum => Kind::Positive,
            _ => Kind::Any,
        };
        let operands = node.inputs.iter().map(|&id| match id {
            None => Operand::Missing,
            Some(id) => match graph.constant(id) {
                Some(tensor) => Operand::Fixed(tensor.clone()),
                None => {
                    let at = graph.inputs().iter().position(|&input| input == id);
                    let shape = at.map(|at| one.inputs[at].shape.clone());
                    Operand::Drawn(kind, shape.unwrap_or_default())
                }
            },
        });
        let operands: Vec<Operand> = operands.collect();
        let mut applied = Applied::new(node.op.clone(), operands).with_outputs(node.outputs.len());
        let made = graph.value(node.outputs[0]).element;
        applied.element = made.filter(|&element| element != Element::F32);
        all.push(applied);
    }
    Ok(all)
}
