//! Operations that move elements, found out by running them on positions.

use secateur_graph::{Array, Node, Op, evaluate_node};

use super::{New, Reader};
use crate::kernels::conv::lanes;
use crate::network::layout::Layout;
use crate::network::step::Step;
use crate::network::steps::{Activate, Move, Run, Source};
use crate::{Activation, Error, Result};

/// Positions are counted from here, so that no other number is taken for one.
const FIRST: f64 = (1u64 << 40) as f64;
/// Positions of one operand.
const SPAN: f64 = (1u64 << 32) as f64;

impl Reader<'_> {
    /// The same value in another layout.
    pub(super) fn relaid(&mut self, place: usize, layout: Layout) -> usize {
        let from = &self.places[place].layout;
        let moves: Vec<_> = (0..from.elements())
            .map(|e| (Source::Input(0), from.offset(e), layout.offset(e)))
            .collect();
        let step = moved(moves, &[from.len], vec![], layout.len, 0.0);
        self.add(New {
            step,
            x: vec![place],
            layout,
            is_trained: false,
        })
    }

    pub(super) fn movement(&mut self, node: &Node) -> Result<()> {
        let is_data = |slot: usize| match node.op {
            Op::Concat { .. } => true,
            _ => slot == 0,
        };
        let (mut x, mut parameters) = (vec![], vec![]);
        let mut sources = vec![];
        let mut inputs: Vec<Option<Array>> = vec![];
        for (slot, id) in node.inputs.iter().enumerate() {
            let Some(id) = *id else {
                inputs.push(None);
                continue;
            };
            if !is_data(slot) {
                if self.at.contains_key(&id) {
                    return Err(
                        Error::unsupported("where it moves elements depends on the input")
                            .hint("only constant shapes, indices and bounds can be trained with"),
                    );
                }
                inputs.push(self.array(id));
                continue;
            }
            let place = match self.is_weight(id) {
                true => self.at.get(&id).copied(),
                false => self.unfolded(id)?,
            };
            let source = match place {
                Some(place) => {
                    x.push(place);
                    Source::Input(x.len() - 1)
                }
                None => {
                    parameters.push(self.parameter(id, false)?);
                    Source::Parameter(parameters.len() - 1)
                }
            };
            let shape = match source {
                Source::Input(k) => self.places[x[k]].layout.shape.clone(),
                Source::Parameter(k) => self.parameters[parameters[k]].shape.clone(),
            };
            let first = FIRST + SPAN * sources.len() as f64;
            sources.push(source);
            let count = shape.iter().product::<usize>();
            inputs.push(Some(Array::new(
                shape,
                (0..count).map(|i| first + i as f64).collect(),
            )?));
        }
        let given: Vec<Option<&Array>> = inputs.iter().map(Option::as_ref).collect();
        // A cast to floats would round positions as it does numbers, and these are floats of its precision already.
        let made = match node.op {
            Op::Cast { .. } => vec![
                given[0]
                    .cloned()
                    .ok_or_else(|| Error::invalid("has no input"))?,
            ],
            _ => evaluate_node(node, &given)?,
        };
        for (&value, array) in node.outputs.iter().zip(made) {
            if self.graph.readers(value).is_empty() && !self.graph.outputs().contains(&value) {
                continue;
            }
            self.moved_to(node, value, &array, (&x, &parameters), &sources)?;
        }
        Ok(())
    }

    fn moved_to(
        &mut self,
        node: &Node,
        value: secateur_graph::ValueId,
        array: &Array,
        (x, parameters): (&[usize], &[usize]),
        sources: &[Source],
    ) -> Result<()> {
        let stays_image = x.iter().any(|&p| self.places[p].layout.is_image())
            && array.shape.len() >= 3
            && !matches!(
                node.op,
                Op::Reshape { .. } | Op::Flatten { .. } | Op::Transpose { .. } | Op::Squeeze(_)
            );
        let layout = match stays_image {
            true => Layout::image(&array.shape, lanes()),
            false => Layout::plain(&array.shape),
        };
        let mut moves = vec![];
        let mut fill: Option<f32> = None;
        for (element, &position) in array.values.iter().enumerate() {
            let to = layout.offset(element);
            if position < FIRST {
                if fill.is_some_and(|f| f != position as f32) {
                    return Err(Error::unsupported("fills places with several numbers")
                        .hint("only one number can be trained with"));
                }
                fill = Some(position as f32);
                continue;
            }
            let which = ((position - FIRST) / SPAN) as usize;
            let own = (position - FIRST - SPAN * which as f64) as usize;
            let source = sources[which];
            let from = match source {
                Source::Input(k) => self.places[x[k]].layout.offset(own),
                Source::Parameter(_) => own,
            };
            moves.push((source, from, to));
        }
        let is_parameter = !parameters.is_empty();
        let inputs: Vec<usize> = x.iter().map(|&p| self.places[p].layout.len).collect();
        let stays = moves
            .iter()
            .all(|&(source, from, to)| source == Source::Input(0) && from == to);
        let is_same =
            stays && fill.is_none() && inputs[..] == [layout.len] && moves.len() == layout.len;
        let step = match is_same {
            // Only the shape is another one.
            true => Step::Activate(Activate {
                function: Activation::Identity,
            }),
            false => moved(
                moves,
                &inputs,
                parameters.to_vec(),
                layout.len,
                fill.unwrap_or(0.0),
            ),
        };
        self.push(
            value,
            New {
                step,
                x: x.to_vec(),
                layout,
                is_trained: is_parameter,
            },
        );
        Ok(())
    }
}

/// The step that makes these moves, in the fewest runs.
pub(super) fn moved(
    mut moves: Vec<(Source, usize, usize)>,
    inputs: &[usize],
    parameters: Vec<usize>,
    output: usize,
    fill: f32,
) -> Step {
    let has_gaps = moves.len() < output;
    moves.sort_by_key(|&(_, _, to)| to);
    let by_target: Vec<Run> = Move::runs(&moves);
    moves.sort_unstable();
    let by_source: Vec<Run> = Move::runs(&moves);
    let runs = if by_source.len() < by_target.len() {
        by_source
    } else {
        by_target
    };
    Step::Move(Move {
        runs,
        inputs: inputs.to_vec(),
        parameters,
        output,
        fill,
        has_gaps,
    })
}
