//! Operators as the newest operator sets have them.

use crate::ops::{Pad, PadMode, Reduce, ReduceAxes, Split, Squeeze};
use crate::{Graph, Node, Op, Result, Tensor};

impl Graph {
    /// The same network, with what older operator sets have as attributes (axes, bounds, parts) as constants that nodes read, so that it can be
    /// [written](crate::to_model).
    ///
    /// # Errors
    /// Never in practice: what is added is of as many numbers as it says.
    pub fn in_new_forms(&self) -> Result<Self> {
        let mut graph = self.clone();
        for id in self.node_ids() {
            let Some((op, operands)) = new_form(self.node(id))? else {
                continue;
            };
            graph.nodes_mut()[id.index()].op = op;
            for (slot, tensor) in operands {
                graph.give_constant(id, slot, tensor)?;
            }
        }
        Ok(graph)
    }
}

/// An operator and the constants that it reads besides, each with its place among the operands.
type NewForm = (Op, Vec<(usize, Tensor)>);

/// None where a node is new already, or has no new form.
fn new_form(node: &Node) -> Result<Option<NewForm>> {
    let ints = |numbers: &[i64]| Tensor::i64([numbers.len()], numbers.to_vec());
    let is_bare = node.inputs.len() < 2;
    let operands = match &node.op {
        Op::Squeeze(Squeeze::Out(axes) | Squeeze::In(axes)) if is_bare && !axes.is_empty() => {
            vec![(1, ints(axes)?)]
        }
        Op::Reduce(Reduce {
            axes: ReduceAxes::These(axes),
            ..
        }) if is_bare => vec![(1, ints(axes)?)],
        Op::Clip { min, max } if is_bare && (*min, *max) != (f32::NEG_INFINITY, f32::INFINITY) => {
            let bound = |number: f32| Tensor::f32([], vec![number]);
            vec![(1, bound(*min)?), (2, bound(*max)?)]
        }
        Op::Slice {
            bounds: Some(bounds),
        } => {
            let lists = [&bounds.starts, &bounds.ends, &bounds.axes];
            let lists = lists.iter().enumerate();
            let operands = lists.map(|(at, list)| Ok((at + 1, ints(list)?)));
            let operands = operands.collect::<Result<_>>()?;
            return Ok(Some((Op::Slice { bounds: None }, operands)));
        }
        Op::Pad(Pad {
            mode,
            pads: Some(pads),
        }) => {
            let mut operands = vec![(1, ints(pads)?)];
            if let PadMode::Constant(number) = mode {
                operands.push((2, Tensor::f32([], vec![*number])?));
            }
            let op = Op::Pad(Pad {
                mode: *mode,
                pads: None,
            });
            return Ok(Some((op, operands)));
        }
        Op::Split(split) if split.attribute => {
            let op = Op::Split(Split {
                attribute: false,
                ..split.clone()
            });
            let lengths: Vec<i64> = split.parts.iter().map(|&n| n as i64).collect();
            return Ok(Some((op, vec![(1, ints(&lengths)?)])));
        }
        _ => return Ok(None),
    };
    Ok(Some((node.op.clone(), operands)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Bounds, ReduceKind};
    use crate::{Array, Dim, GraphBuilder, ModelMeta, evaluate, from_model, to_model};

    #[test]
    fn old_forms_are_written_once_their_attributes_are_constants() {
        let clip = Op::Clip { min: 1.0, max: 4.0 };
        let slice = Op::Slice {
            bounds: Some(Bounds {
                starts: vec![1],
                ends: vec![3],
                axes: vec![2],
            }),
        };
        let pad = Op::Pad(Pad {
            mode: PadMode::Constant(0.5),
            pads: Some(vec![0, 0, 1, 0, 0, 0]),
        });
        let mean = Op::Reduce(Reduce {
            kind: ReduceKind::Mean,
            axes: ReduceAxes::These(vec![1]),
            keep: false,
        });
        let out = Op::Squeeze(Squeeze::Out(vec![1]));
        for (op, shape) in [
            (clip, [2, 3, 4]),
            (slice, [2, 3, 4]),
            (pad, [2, 3, 4]),
            (mean, [2, 3, 4]),
            (out, [2, 1, 4]),
        ] {
            let mut b = GraphBuilder::new("net");
            let x = b.input("x", shape.map(Dim::Fixed));
            let y = b.node("node", op, &[x]);
            b.output(y);
            let graph = b.build().unwrap();
            let error = to_model(&graph, &ModelMeta::default()).unwrap_err();
            assert!(
                error.to_string().contains("cannot be written anew"),
                "{error}"
            );
            let new = graph.in_new_forms().unwrap();
            assert_eq!(new.in_new_forms().unwrap(), new);
            let back = from_model(&to_model(&new, &ModelMeta::default()).unwrap()).unwrap();
            let count = shape.iter().product();
            let given =
                [Array::new(shape, (0..count).map(|n: usize| n as f64 / 4.0).collect()).unwrap()];
            assert_eq!(
                evaluate(&back, &given).unwrap(),
                evaluate(&graph, &given).unwrap()
            );
        }
        let split = Op::Split(Split {
            axis: 1,
            parts: vec![1, 2],
            attribute: true,
        });
        let node = Node {
            name: "split".into(),
            op: split,
            inputs: vec![],
            outputs: vec![],
        };
        let (op, operands) = new_form(&node).unwrap().unwrap();
        assert!(matches!(
            op,
            Op::Split(Split {
                attribute: false,
                ..
            })
        ));
        assert_eq!(operands, [(1, Tensor::i64([2], vec![1, 2]).unwrap())]);
    }
}
