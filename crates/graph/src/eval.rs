//! What does a network compute? A naive evaluator in double precision: the reference that verification trusts.
//!
//! It is written to be obviously right, not fast. Every sum starts at 0.0 and runs in index order, so that
//! terms that are exactly 0.0 can be left out without changing a bit: a masked and a shrunk network must
//! agree exactly here. It shares no code with the engine.

use crate::{Error, Graph, Node, Result, Tensor, ops};

/// Numbers in double precision, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The length along each axis; empty for a scalar.
    pub shape: Vec<usize>,
    /// The numbers, the last axis fastest.
    pub values: Vec<f64>,
}

impl Array {
    /// An array of `shape` over `values`.
    ///
    /// # Errors
    /// If the product of `shape` is not the number of values.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<f64>) -> Result<Self> {
        let array = Self {
            shape: shape.into(),
            values,
        };
        array.check()?;
        Ok(array)
    }

    fn check(&self) -> Result<()> {
        let elements = self.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
        if elements == Some(self.values.len()) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "an array of shape {:?} cannot hold {} numbers",
            self.shape,
            self.values.len()
        )))
    }

    /// The array repeated along axes that it lacks or that have length 1.
    pub(crate) fn broadcast_to(&self, shape: &[usize]) -> Result<Self> {
        let fail = || {
            let message = format!("shape {:?} does not broadcast to {shape:?}", self.shape);
            Error::invalid(message)
        };
        let missing = shape.len().checked_sub(self.shape.len()).ok_or_else(fail)?;
        let mut strides = vec![0; shape.len()];
        let mut stride = 1;
        for (own, &length) in self.shape.iter().enumerate().rev() {
            match length {
                1 => {}
                _ if length == shape[missing + own] => strides[missing + own] = stride,
                _ => return Err(fail()),
            }
            stride *= length;
        }
        let elements: usize = shape.iter().product();
        let values = (0..elements)
            .map(|element| {
                let mut rest = element;
                let mut from = 0;
                for (&length, &stride) in shape.iter().zip(&strides).rev() {
                    from += rest % length * stride;
                    rest /= length;
                }
                self.values[from]
            })
            .collect();
        Ok(Self {
            shape: shape.to_vec(),
            values,
        })
    }
}

impl From<&Tensor> for Array {
    fn from(tensor: &Tensor) -> Self {
        Self {
            shape: tensor.shape().to_vec(),
            values: tensor.numbers(),
        }
    }
}

/// The outputs of a network, in the order of [`Graph::outputs`], for inputs in that of [`Graph::inputs`].
///
/// # Errors
/// If inputs do not fit, or a node is not understood.
pub fn evaluate(graph: &Graph, inputs: &[Array]) -> Result<Vec<Array>> {
    let mut all = evaluate_all(graph, inputs)?;
    let outputs = graph.outputs();
    let taken = outputs.iter().enumerate().map(|(i, id)| {
        let again = outputs[i + 1..].contains(id);
        let value = if again {
            all[id.index()].clone()
        } else {
            all[id.index()].take()
        };
        value.ok_or_else(|| Error::invalid("has no value").at(&graph.value(*id).name))
    });
    taken.collect()
}

/// Every value of a network, by [`ValueId::index`](crate::ValueId::index); `None` for values that nothing makes.
///
/// # Errors
/// If inputs do not fit, or a node is not understood.
pub fn evaluate_all(graph: &Graph, inputs: &[Array]) -> Result<Vec<Option<Array>>> {
    if inputs.len() != graph.inputs().len() {
        return Err(Error::invalid(format!(
            "the network has {} inputs, {} were given",
            graph.inputs().len(),
            inputs.len()
        )));
    }
    let mut values: Vec<Option<Array>> = graph
        .values()
        .iter()
        .map(|v| v.constant.as_deref().map(Array::from))
        .collect();
    for (&id, input) in graph.inputs().iter().zip(inputs) {
        let value = graph.value(id);
        let declared = value.shape.as_ref();
        let fits = declared.is_none_or(|shape| {
            let lengths = shape.iter().map(crate::Dim::fixed).zip(&input.shape);
            shape.len() == input.shape.len()
                && lengths.clone().all(|(d, &n)| d.is_none_or(|d| d == n))
        });
        if !fits {
            let message = format!("was given shape {:?}", input.shape);
            return Err(Error::invalid(message).at(&value.name));
        }
        input.check().map_err(|e| e.at(&value.name))?;
        values[id.index()] = Some(input.clone());
    }
    for node in graph.nodes() {
        let read: Vec<Option<&Array>> = node
            .inputs
            .iter()
            .map(|id| id.and_then(|id| values[id.index()].as_ref()))
            .collect();
        let made = evaluate_node(node, &read)?;
        for (id, array) in node.outputs.iter().zip(made) {
            values[id.index()] = Some(array);
        }
    }
    Ok(values)
}

/// The outputs of one node, given its inputs; an optional input that is left out is `None`.
///
/// # Errors
/// If an input is missing or does not fit, or the node is not understood.
pub fn evaluate_node(node: &Node, inputs: &[Option<&Array>]) -> Result<Vec<Array>> {
    ops::evaluate(node, inputs).map_err(|e| e.at_if_nowhere(&node.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dim, GraphBuilder, Op, Opaque, Unary};

    #[test]
    fn broadcasting_repeats_missing_and_single_axes() {
        let row = Array::new([2], vec![1.0, 2.0]).unwrap();
        assert_eq!(
            row.broadcast_to(&[2, 2]).unwrap().values,
            [1.0, 2.0, 1.0, 2.0]
        );
        let column = Array::new([2, 1], vec![1.0, 2.0]).unwrap();
        assert_eq!(
            column.broadcast_to(&[2, 2]).unwrap().values,
            [1.0, 1.0, 2.0, 2.0]
        );
        assert!(row.broadcast_to(&[3]).is_err());
        assert!(column.broadcast_to(&[2]).is_err());
    }

    fn relu() -> Graph {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let y = b.node("y", Op::Unary(Unary::Relu), &[x]);
        b.output(y);
        b.output(y);
        b.build().unwrap()
    }

    #[test]
    fn a_value_may_be_two_outputs() {
        let x = Array::new([1, 2], vec![-1.0, 2.0]).unwrap();
        let outputs = evaluate(&relu(), &[x]).unwrap();
        assert_eq!(outputs[0].values, [0.0, 2.0]);
        assert_eq!(outputs[0], outputs[1]);
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let given = |shape: &[usize], values: usize| {
            let x = Array {
                shape: shape.to_vec(),
                values: vec![0.0; values],
            };
            evaluate(&relu(), &[x]).unwrap_err().to_string()
        };
        assert_eq!(given(&[1, 3], 3), "x: was given shape [1, 3]");
        assert_eq!(given(&[2], 2), "x: was given shape [2]");
        assert_eq!(
            given(&[1, 2], 3),
            "x: an array of shape [1, 2] cannot hold 3 numbers"
        );
        let error = evaluate(&relu(), &[]).unwrap_err();
        assert_eq!(error.to_string(), "the network has 1 inputs, 0 were given");
    }

    #[test]
    fn what_is_not_understood_names_its_node() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Fixed(1)]);
        let mystery = Opaque {
            domain: String::new(),
            op_type: "Mystery".into(),
            opset: 17,
            message: vec![],
        };
        let y = b.node("y", Op::Opaque(mystery), &[x]);
        b.output(y);
        let x = Array::new([1], vec![0.0]).unwrap();
        let error = evaluate(&b.build().unwrap(), &[x]).unwrap_err();
        assert_eq!(error.to_string(), "y: Mystery cannot be evaluated here");
    }
}
