//! The part of a network that lies between values.

use std::collections::HashSet;

use super::{Graph, NodeId, ValueId};
use crate::{Error, Result};

impl Graph {
    /// What makes `wanted` of `given` and of constants. Values keep their ids; its inputs are those of `given` that are needed, in their
    /// order. What nobody needs there has no constant any more.
    ///
    /// # Errors
    /// If an input of the network is needed that is not given.
    pub fn segment(&self, given: &[ValueId], wanted: &[ValueId]) -> Result<Self> {
        let given_to: HashSet<ValueId> = given.iter().copied().collect();
        let mut nodes: HashSet<NodeId> = HashSet::new();
        let mut values: HashSet<ValueId> = HashSet::new();
        let mut open: Vec<ValueId> = wanted.to_vec();
        while let Some(value) = open.pop() {
            if !values.insert(value) || given_to.contains(&value) || self.constant(value).is_some()
            {
                continue;
            }
            let Some(node) = self.producer(value) else {
                return Err(
                    Error::invalid("is needed, and is not given").at(&self.value(value).name)
                );
            };
            if nodes.insert(node) {
                let node = self.node(node);
                open.extend(node.inputs.iter().flatten());
                values.extend(&node.outputs);
                // Those that are wanted were looked at already.
            }
        }
        let mut part = self.clone();
        part.inputs = given
            .iter()
            .copied()
            .filter(|id| values.contains(id))
            .collect();
        part.outputs = wanted.to_vec();
        let mut id = 0..;
        part.nodes_mut()
            .retain(|_| id.next().is_some_and(|at| nodes.contains(&NodeId(at))));
        for id in self.value_ids().filter(|id| !values.contains(id)) {
            part.values[id.index()].constant = None;
        }
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Array, Binary, Dim, GraphBuilder, Op, Tensor, Unary, evaluate};

    #[test]
    fn a_part_makes_what_the_whole_does_of_the_values_between() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let other = b.input("other", [Dim::batch(), Dim::Fixed(2)]);
        let w = b.constant("w", Tensor::f32([2, 2], vec![1.0, -2.0, 3.0, 4.0]).unwrap());
        let h = b.node("h", Op::MatMul, &[x, w]);
        let r = b.node("r", Op::Unary(Unary::Relu), &[h]);
        let s = b.node("s", Op::Binary(Binary::Add), &[r, other]);
        let y = b.node("y", Op::Binary(Binary::Add), &[s, r]);
        b.output(y);
        let graph = b.build().unwrap();
        let rows = |values: [f64; 4]| Array::new([2, 2], values.to_vec()).unwrap();
        let (one, two) = (rows([1.0, 2.0, -3.0, 0.5]), rows([0.0, 1.0, 2.0, 3.0]));
        let whole = evaluate(&graph.with_outputs(vec![r, y]), &[one.clone(), two.clone()]).unwrap();

        let front = graph.segment(&[x], &[r]).unwrap();
        assert_eq!((front.inputs(), front.nodes().len()), (&[x][..], 2));
        assert_eq!(evaluate(&front, &[one]).unwrap(), whole[..1]);
        let back = graph.segment(&[x, r, other], &[y]).unwrap();
        assert_eq!(back.inputs(), [r, other]);
        assert!(back.constant(w).is_none());
        assert_eq!(
            evaluate(&back, &[whole[0].clone(), two]).unwrap(),
            whole[1..]
        );
    }

    #[test]
    fn what_is_needed_must_be_given() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let h = b.node("h", Op::Unary(Unary::Relu), &[x]);
        let y = b.node("y", Op::Binary(Binary::Add), &[h, x]);
        b.output(y);
        let graph = b.build().unwrap();
        let error = graph.segment(&[h], &[y]).unwrap_err();
        assert_eq!(error.to_string(), "x: is needed, and is not given");
    }
}
