//! What goes into a model to see what it computes?

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use secateur_graph::{Array, Element, Graph, Op, ValueId};

/// A batch of unknown length is drawn with as many rows.
pub(super) const ROWS: usize = 2;
/// Lengths for other axes that are open, in the order in which they are tried: many networks are too deep for small images.
pub(super) const LENGTHS: [usize; 3] = [2, 64, 224];

/// A batch of every input; open axes but the first are so long.
pub(super) fn draw(graph: &Graph, seed: u64, length: usize) -> Vec<(Element, Array)> {
    draw_at(graph, seed, &|input| {
        let dims = graph.value(input).shape.as_deref().unwrap_or_default();
        let open = |axis: usize| if axis == 0 { ROWS } else { length };
        let lengths = dims.iter().enumerate();
        lengths
            .map(|(axis, dim)| dim.fixed().unwrap_or_else(|| open(axis)))
            .collect()
    })
}

/// Normal numbers for every input of floats, positions for one of whole numbers; of the shape that each is to have.
pub(super) fn draw_at(
    graph: &Graph,
    seed: u64,
    shape: &dyn Fn(ValueId) -> Vec<usize>,
) -> Vec<(Element, Array)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let inputs = graph.inputs().iter();
    inputs
        .map(|&input| {
            let shape = shape(input);
            let element = graph.value(input).element.unwrap_or(Element::F32);
            let below = table_rows(graph, input).unwrap_or(2).max(1) as u64;
            let mut number = || match element.is_float() {
                // Through f32, so that every runtime sees the same numbers.
                true => {
                    let drawn: f64 = StandardNormal.sample(&mut rng);
                    f64::from(drawn as f32)
                }
                false => (rng.next_u64() % below) as f64,
            };
            let values = (0..shape.iter().product()).map(|_| number()).collect();
            (element, Array { shape, values })
        })
        .collect()
}

/// How many rows the smallest table has that an input, or that input in another type or shape, is looked up in.
pub(super) fn table_rows(graph: &Graph, value: ValueId) -> Option<usize> {
    let readers = graph.readers(value).iter().map(|&id| graph.node(id));
    let rows = readers.filter_map(|node| match (&node.op, node.inputs.first()) {
        // The same numbers in another type or shape.
        (
            Op::Cast { .. }
            | Op::Identity
            | Op::Reshape { .. }
            | Op::Flatten { .. }
            | Op::Squeeze(_)
            | Op::Transpose { .. }
            | Op::Expand
            | Op::Tile,
            Some(Some(first)),
        ) if *first == value => table_rows(graph, *node.outputs.first()?),
        (Op::Gather { axis: 0 }, Some(Some(table))) => {
            graph.constant(*table)?.shape().first().copied()
        }
        _ => None,
    });
    rows.min()
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Dim, GraphBuilder, Tensor};

    use super::*;

    #[test]
    fn whole_numbers_are_drawn_within_the_tables_that_they_name() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(50)]);
        b.of_type(x, Element::I64);
        let table = b.constant("table", Tensor::f32([7, 2], vec![0.0; 14]).unwrap());
        let turned = Op::Transpose { order: vec![1, 0] };
        let turned = b.node("turned", turned, &[x]);
        let y = b.node("y", Op::Gather { axis: 0 }, &[table, turned]);
        b.output(y);
        let graph = b.build().unwrap();
        let (element, array) = draw(&graph, 0, 2).remove(0);
        assert_eq!((element, array.shape), (Element::I64, vec![2, 50]));
        let known = |v: &f64| v.fract() == 0.0 && (0.0..7.0).contains(v);
        assert!(array.values.iter().all(known) && array.values.contains(&6.0));
    }
}
