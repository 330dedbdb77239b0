//! How long is every axis of every value?

use crate::known::{Entry, Worlds};
use crate::{Dim, Error, Graph, Result, Value, ops};

/// A value of more elements than this is refused: no file holds it, and products of two such numbers fit 64 bits.
const MOST_ELEMENTS: usize = 0x7FFF_FFFF;
/// A value of more axes is refused, as by NumPy.
const MOST_AXES: usize = 64;
/// Bytes that all shapes together may take, names of axes in each: far more than any network has, but a long name that a
/// file holds once may be that of an axis of every value.
const MOST_BYTES: usize = 1 << 26;

/// The graph with the shape of every value that its inputs and constants determine.
///
/// Shapes that were declared are kept where nothing better is known: the results of opaque nodes, and
/// the names of unknown dimensions.
///
/// # Errors
/// If operands do not fit together, an inferred length differs from a declared one, a value has 2^31 elements or
/// more for a row, or more than 64 axes, or if the shapes of all values would take more than 64 MiB.
pub fn infer_shapes(graph: &Graph) -> Result<Graph> {
    let mut shaped = graph.clone();
    let mut worlds = Worlds::of(graph);
    let mut bytes = 0;
    for value in graph.values() {
        check_size(value.shape.as_deref()).map_err(|e| e.at(&value.name))?;
    }
    for id in graph.node_ids() {
        let node = graph.node(id);
        let at = |e: Error| e.at_if_nowhere(&node.name);
        for (made, inferred) in node
            .outputs
            .iter()
            .zip(ops::shapes(&shaped, node).map_err(at)?)
        {
            let value = shaped.value_mut(*made);
            if let Some(inferred) = inferred {
                check_size(Some(&inferred)).map_err(at)?;
                let shape = agreed(value, inferred).map_err(at)?;
                bytes += shape.iter().map(size_of_dim).sum::<usize>();
                check_bytes(bytes).map_err(at)?;
                value.shape = Some(shape);
            }
        }
        let Some(known) = worlds.of_node(&shaped, node) else {
            continue;
        };
        for (made, known) in node.outputs.iter().zip(known) {
            let value = shaped.value_mut(*made);
            value.shape = known.shape().or(value.shape.take());
            value.entries = worlds.entries(&known);
            let entries = value.entries.iter().flatten();
            bytes += entries.map(Entry::bytes).sum::<usize>();
            check_bytes(bytes).map_err(at)?;
            value.known = Some(known);
        }
    }
    Ok(shaped)
}

/// What is inferred, with the names that were declared.
fn agreed(value: &Value, inferred: Vec<Dim>) -> Result<Vec<Dim>> {
    match &value.shape {
        None => Ok(inferred),
        Some(declared) => merge(declared, &inferred).ok_or_else(|| {
            Error::invalid(format!(
                "'{}' is declared as {} but comes out as {}",
                value.name,
                text(declared),
                text(&inferred)
            ))
        }),
    }
}

/// Lengths of 0 count as 1, as products over some axes leave them out.
fn check_size(shape: Option<&[Dim]>) -> Result<()> {
    let shape = shape.unwrap_or_default();
    if shape.len() > MOST_AXES {
        return Err(
            Error::unsupported(format!("a shape of {} axes", shape.len()))
                .hint("values of up to 64 axes are handled"),
        );
    }
    let mut lengths = shape.iter().filter_map(Dim::fixed);
    let elements = lengths.try_fold(1usize, |n, length| n.checked_mul(length.max(1)));
    match elements.filter(|&n| n <= MOST_ELEMENTS) {
        Some(_) => Ok(()),
        None => Err(
            Error::unsupported(format!("the shape {} is too large", text(shape)))
                .hint("values of up to 2147483647 elements are handled"),
        ),
    }
}

fn check_bytes(bytes: usize) -> Result<()> {
    match bytes <= MOST_BYTES {
        true => Ok(()),
        false => Err(
            Error::unsupported("the shapes of all values up to here are too long")
                .hint("64 MiB are handled: give axes shorter names"),
        ),
    }
}

fn size_of_dim(dim: &Dim) -> usize {
    let name = match dim {
        Dim::Fixed(_) => 0,
        Dim::Named(name) => name.len(),
    };
    size_of::<Dim>() + name
}

fn merge(declared: &[Dim], inferred: &[Dim]) -> Option<Vec<Dim>> {
    if declared.len() != inferred.len() {
        return None;
    }
    declared
        .iter()
        .zip(inferred)
        .map(|pair| match pair {
            (Dim::Fixed(a), Dim::Fixed(b)) if a != b => None,
            (Dim::Named(_), Dim::Fixed(_)) => Some(pair.1.clone()),
            (Dim::Fixed(_) | Dim::Named(_), Dim::Fixed(_) | Dim::Named(_)) => Some(pair.0.clone()),
        })
        .collect()
}

/// The shape that two operands broadcast to, aligned at the last axis.
pub(crate) fn broadcast(a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[Dim], axis: usize| match (axis + shape.len()).checked_sub(rank) {
        Some(own) => shape[own].clone(),
        None => Dim::Fixed(1),
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (Dim::Fixed(1), other) | (other, Dim::Fixed(1)) => Ok(other),
            (Dim::Named(_), Dim::Fixed(n)) | (Dim::Fixed(n), Dim::Named(_)) => Ok(Dim::Fixed(n)),
            (Dim::Named(name), Dim::Named(_)) => Ok(Dim::Named(name)),
            (Dim::Fixed(m), Dim::Fixed(n)) if m == n => Ok(Dim::Fixed(n)),
            (Dim::Fixed(_), Dim::Fixed(_)) => Err(Error::invalid(format!(
                "shapes {} and {} do not broadcast",
                text(a),
                text(b)
            ))),
        })
        .collect()
}

/// The position of an axis that may count from the end.
pub(crate) fn axis_at(axis: i64, rank: usize) -> Result<usize> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(from_start)
        .ok()
        .filter(|&a| a < rank)
        .ok_or_else(|| Error::invalid(format!("axis {axis} of a value with {rank} axes")))
}

/// A shape for messages, like `[batch, 4]`.
pub(crate) fn text(shape: &[Dim]) -> String {
    let dims: Vec<String> = shape.iter().map(Dim::to_string).collect();
    format!("[{}]", dims.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GraphBuilder, Op, Tensor, Unary};

    #[test]
    fn broadcasting_aligns_last_axes() {
        let named = [Dim::batch(), Dim::Fixed(3)];
        assert_eq!(broadcast(&named, &[Dim::Fixed(3)]).unwrap(), named);
        assert_eq!(broadcast(&[], &named).unwrap(), named);
        let error = broadcast(&named, &[Dim::Fixed(2)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "shapes [batch, 3] and [2] do not broadcast"
        );
    }

    #[test]
    fn axes_count_from_either_end() {
        assert_eq!(axis_at(-1, 3).unwrap(), 2);
        assert_eq!(axis_at(0, 3).unwrap(), 0);
        assert!(axis_at(3, 3).is_err());
        assert!(axis_at(-4, 3).is_err());
    }

    #[test]
    fn a_declared_shape_must_agree() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::Named("n".into()), Dim::Fixed(2)]);
        let w = b.constant("w", Tensor::f32([2, 3], vec![0.0; 6]).unwrap());
        let y = b.declare("y", Some(vec![Dim::Named("rows".into()), Dim::Fixed(4)]));
        b.add_node(crate::Node {
            name: "product".into(),
            op: Op::MatMul,
            inputs: vec![Some(x), Some(w)],
            outputs: vec![y],
        });
        b.output(y);
        let error = infer_shapes(&b.build().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "product: 'y' is declared as [rows, 4] but comes out as [n, 3]"
        );
    }

    #[test]
    fn shapes_flow_through_a_chain() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
        let w = b.constant("w", Tensor::f32([2, 3], vec![0.0; 6]).unwrap());
        let h = b.node("h", Op::MatMul, &[x, w]);
        let y = b.node("y", Op::Unary(Unary::Relu), &[h]);
        b.output(y);
        let shaped = infer_shapes(&b.build().unwrap()).unwrap();
        assert_eq!(text(shaped.value(y).shape.as_ref().unwrap()), "[batch, 3]");
    }
}
