//! Networks in single precision, for runtimes that know no other floats.

use std::sync::Arc;

use crate::ops::Index;
use crate::{Element, Graph, Op, Tensor};

fn is_other(element: Element) -> bool {
    element.is_float() && element != Element::F32
}

impl Graph {
    /// Whether all floats that are stated are in single precision.
    pub fn is_single(&self) -> bool {
        let elements = self.values().iter().flat_map(|v| {
            let constant = v.constant.as_deref().map(Tensor::element);
            v.element.into_iter().chain(constant)
        });
        !elements.into_iter().any(is_other)
    }

    /// The same network with all floats in single precision: constants, values, and what nodes turn numbers into. Half precision loses
    /// nothing by that; double precision is rounded.
    #[must_use]
    pub fn in_single(&self) -> Self {
        let mut graph = self.clone();
        for id in self.value_ids() {
            let value = graph.value_mut(id);
            if value.element.is_some_and(is_other) {
                value.element = Some(Element::F32);
            }
            let constant = value.constant.as_deref().filter(|t| is_other(t.element()));
            if let Some(tensor) = constant.and_then(|t| t.rounded_to(Element::F32).ok()) {
                value.constant = Some(Arc::new(tensor));
            }
        }
        for node in graph.nodes_mut() {
            let to = match &mut node.op {
                Op::Cast { to } => to,
                Op::Index(Index::ConstantOfShape { element, .. }) => element,
                Op::Index(Index::EyeLike { to: Some(to), .. }) => to,
                _ => continue,
            };
            if is_other(*to) {
                *to = Element::F32;
            }
        }
        graph
    }
}

impl Tensor {
    /// The same numbers, rounded to a type of floats.
    ///
    /// # Errors
    /// Never in practice: the shape stays.
    fn rounded_to(&self, element: Element) -> crate::Result<Self> {
        Self::of_floats(element, self.shape(), self.numbers())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Dim, GraphBuilder, evaluate};

    #[test]
    fn numbers_beyond_a_type_are_refused() {
        let of = |v: f64| Tensor::of_floats(Element::F16, [1], [v]);
        assert_eq!(of(65504.0).unwrap().numbers(), [65504.0]);
        assert!(of(f64::INFINITY).unwrap().numbers()[0].is_infinite());
        let error = of(7e4).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("70000 is beyond what numbers of type float16"),
            "{error}"
        );
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn a_network_of_halves_computes_the_same_in_single_precision() {
        let mut b = GraphBuilder::new("halves");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let half = b.node("half", Op::Cast { to: Element::F16 }, &[x]);
        let numbers = [0.5, -2.0, 0.1, 3.0];
        let w = Tensor::of_floats(Element::F16, [2, 2], numbers).unwrap();
        let w = b.constant("w", w);
        let y = b.node("y", Op::MatMul, &[half, w]);
        let whole = b.node("whole", Op::Cast { to: Element::I64 }, &[y]);
        b.output(y);
        b.output(whole);
        let mut graph = b.build().unwrap();
        graph.value_mut(half).element = Some(Element::F16);
        let single = graph.in_single();
        assert!(single.is_single() && !graph.is_single());
        assert_eq!(single.value(half).element, Some(Element::F32));
        assert_eq!(single.constant(w).unwrap().element(), Element::F32);
        // What halves hold stays as it is, and so do whole numbers.
        assert_eq!(
            single.constant(w).unwrap().numbers(),
            graph.constant(w).unwrap().numbers()
        );
        assert_eq!(single.nodes()[0].op, Op::Cast { to: Element::F32 });
        assert_eq!(single.nodes()[2].op, Op::Cast { to: Element::I64 });
        let given = [Array::new([1, 2], vec![1.0, 2.0]).unwrap()];
        assert_eq!(
            evaluate(&single, &given).unwrap(),
            evaluate(&graph, &given).unwrap()
        );
        assert_eq!(single.in_single(), single);
    }
}
