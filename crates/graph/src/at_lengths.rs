//! The same network for inputs of given lengths, with everything known that follows from them.

use crate::{Dim, Error, Graph, Op, Result, settle};

/// The network with its inputs at these shapes, in the order of [`Graph::inputs`], and [settled](settle()): every value has a known shape,
/// and what follows from lengths alone is constant. Ids of values stay.
///
/// What a file states of shapes between the nodes is left aside, as it may be stated for other lengths.
///
/// # Errors
/// If there are more or fewer inputs, an input has another number of axes, or operands do not fit together at these lengths.
pub fn at_lengths(graph: &Graph, shapes: &[Vec<usize>]) -> Result<Graph> {
    let fixed = |shape: &Vec<usize>| shape.iter().map(|&n| Dim::Fixed(n)).collect();
    at_shapes(graph, &shapes.iter().map(fixed).collect::<Vec<_>>())
}

/// The same where some axes stay open.
///
/// # Errors
/// As [`at_lengths`].
pub fn at_shapes(graph: &Graph, shapes: &[Vec<Dim>]) -> Result<Graph> {
    let inputs = graph.inputs().to_vec();
    if inputs.len() != shapes.len() {
        let message = format!("{} shapes for {} inputs", shapes.len(), inputs.len());
        return Err(Error::invalid(message));
    }
    let mut fixed = graph.clone();
    for node in graph.nodes() {
        if !matches!(node.op, Op::Opaque(_)) {
            for &made in &node.outputs {
                *fixed.shape_mut(made) = None;
            }
        }
    }
    for (&input, shape) in inputs.iter().zip(shapes) {
        let value = graph.value(input);
        if value.shape.as_ref().is_some_and(|s| s.len() != shape.len()) {
            let message = format!(
                "has {} axes, not {}",
                value.shape.as_ref().map_or(0, Vec::len),
                shape.len()
            );
            return Err(Error::invalid(message).at(&value.name));
        }
        *fixed.shape_mut(input) = Some(shape.clone());
    }
    settle(&fixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GraphBuilder, Tensor};

    #[test]
    fn shapes_that_were_stated_for_another_batch_do_not_bind() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(8), Dim::Fixed(2), Dim::Fixed(3)]);
        let flat = b.declare("flat", Some(vec![Dim::Fixed(8), Dim::Fixed(6)]));
        b.add_node(crate::Node {
            name: "flat".into(),
            op: Op::Flatten { axis: 1 },
            inputs: vec![Some(x)],
            outputs: vec![flat],
        });
        b.output(flat);
        let graph = b.build().unwrap();
        let one = at_lengths(&graph, &[vec![1, 2, 3]]).unwrap();
        assert_eq!(
            one.value(flat).shape,
            Some(vec![Dim::Fixed(1), Dim::Fixed(6)])
        );
        assert!(at_lengths(&graph, &[vec![6]]).is_err());
        assert!(at_lengths(&graph, &[]).is_err());
    }

    #[test]
    fn axes_may_stay_open() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Named("n".into()), Dim::Fixed(3)]);
        let flat = b.node("flat", Op::Flatten { axis: 1 }, &[x]);
        b.output(flat);
        let shape = vec![Dim::batch(), Dim::Fixed(5), Dim::Fixed(3)];
        let longer = at_shapes(&b.build().unwrap(), &[shape]).unwrap();
        let made = longer.value(flat).shape.clone();
        assert_eq!(made, Some(vec![Dim::batch(), Dim::Fixed(15)]));
    }

    #[test]
    fn what_follows_from_lengths_is_constant() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let shape = b.node(
            "shape",
            Op::Shape {
                start: 0,
                end: None,
            },
            &[x],
        );
        let y = b.node("y", Op::Reshape { allow_zero: false }, &[x, shape]);
        let one = b.constant("one", Tensor::f32([1], vec![1.0]).unwrap());
        let z = b.node("z", Op::Binary(crate::Binary::Add), &[y, one]);
        b.output(z);
        let fixed = at_lengths(&b.build().unwrap(), &[vec![1, 2]]).unwrap();
        let reshape = fixed.node(fixed.producer(y).unwrap());
        assert!(fixed.constant(reshape.input(1).unwrap()).is_some());
    }
}
