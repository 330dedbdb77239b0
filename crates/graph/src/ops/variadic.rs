//! `Sum`, `Mean`, `Min` and `Max` of any number of operands: constants go along with channels, activations are coupled.

use serde::{Deserialize, Serialize};

use super::{binary, broadcast, input_shape};
use crate::channels::Walk;
use crate::eval::Array;
use crate::groups::Role;
use crate::{Binary, Dim, Graph, Node, Result, ValueId, shapes};

/// What is taken of as many operands as there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variadic {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl Variadic {
    pub(crate) fn onnx_name(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Mean => "Mean",
            Self::Min => "Min",
            Self::Max => "Max",
        }
    }
}

pub(super) fn shape(graph: &Graph, node: &Node) -> Result<Option<Vec<Dim>>> {
    let mut common = vec![];
    for slot in 0..node.inputs.len() {
        match input_shape(graph, node, slot)? {
            Some(own) => common = shapes::broadcast(&common, own)?,
            None => return Ok(None),
        }
    }
    Ok(Some(common))
}

pub(super) fn channels(node: &Node, walk: &mut Walk<'_>) -> Result<()> {
    let operands: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    broadcast::channels(node, &operands, Role::Carries, walk)
}

pub(super) fn evaluate(variadic: Variadic, inputs: &[&Array]) -> Result<Array> {
    let shape = binary::common_shape(inputs)?;
    let fold = match variadic {
        Variadic::Sum | Variadic::Mean => Binary::Add,
        Variadic::Min => Binary::Min,
        Variadic::Max => Binary::Max,
    };
    let mut all: Option<Array> = None;
    for input in inputs {
        all = Some(match all {
            None => input.broadcast_to(&shape)?,
            Some(others) => fold.evaluate(&others, input)?,
        });
    }
    let mut all = all.unwrap_or(Array::new([], vec![0.0])?);
    if variadic == Variadic::Mean {
        let count = inputs.len() as f64;
        all.values.iter_mut().for_each(|v| *v /= count);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelGroups, GraphBuilder, Op, Tensor};

    #[test]
    fn any_number_of_operands_broadcast() {
        let a = Array::new([2, 1], vec![1.0, 4.0]).unwrap();
        let b = Array::new([2], vec![2.0, 3.0]).unwrap();
        let c = Array::new([], vec![3.0]).unwrap();
        let of = |v| evaluate(v, &[&a, &b, &c]).unwrap().values;
        assert_eq!(of(Variadic::Sum), [6.0, 7.0, 9.0, 10.0]);
        assert_eq!(of(Variadic::Mean), [2.0, 7.0 / 3.0, 3.0, 10.0 / 3.0]);
        assert_eq!(of(Variadic::Min), [1.0, 1.0, 2.0, 3.0]);
        assert_eq!(of(Variadic::Max), [3.0, 3.0, 4.0, 4.0]);
        let alone = evaluate(Variadic::Max, &[&b]).unwrap();
        assert_eq!(alone, b);
    }

    #[test]
    fn all_operands_are_one_group_and_constants_go_along() {
        let ones = |shape: &[usize]| Tensor::f32(shape, vec![1.0; shape.iter().product()]).unwrap();
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let shift = b.constant("shift", ones(&[3]));
        let layers = ["p", "q", "r"].map(|name| {
            let w = b.constant(format!("{name}.w"), ones(&[2, 3]));
            b.node(name, Op::MatMul, &[x, w])
        });
        let [p, q, r] = layers;
        let sum = b.node("sum", Op::Variadic(Variadic::Sum), &[p, shift, q, r]);
        let w = b.constant("w", ones(&[3, 1]));
        let y = b.node("y", Op::MatMul, &[sum, w]);
        b.output(y);
        let groups = ChannelGroups::of(&b.build().unwrap()).unwrap();
        let group = groups.group(groups.named("p").unwrap());
        assert_eq!((group.units, &group.frozen), (3, &None));
        let tensors: Vec<ValueId> = group.members.iter().map(|m| m.tensor).collect();
        assert!(tensors.contains(&shift) && tensors.contains(&w));
        assert_eq!(tensors.len(), 5);
    }
}
