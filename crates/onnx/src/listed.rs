//! Initializers that a file lists as inputs, too, as the format demanded before its fourth version.

use std::collections::HashSet;

use crate::proto::{GraphProto, ModelProto, ValueInfoProto};

/// Whether an initializer, dense or sparse, is also listed as an input of the graph.
pub fn lists_initializers(model: &ModelProto) -> bool {
    let graph = model.graph.as_option();
    graph.is_some_and(|graph| {
        let held = initializers(graph);
        graph.input.iter().any(|input| held.contains(name(input)))
    })
}

/// Takes initializers out of the list of inputs, for programs that would ask for their values. What the graph computes
/// stays the same.
pub fn unlist_initializers(model: &mut ModelProto) {
    if let Some(graph) = model.graph.as_option_mut() {
        let held = initializers(graph);
        let is_input = graph.input.iter().map(|input| !held.contains(name(input)));
        let mut is_input = is_input.collect::<Vec<bool>>().into_iter();
        graph.input.retain(|_| is_input.next().unwrap_or(true));
    }
}

fn initializers(graph: &GraphProto) -> HashSet<&str> {
    let sparse = graph.sparse_initializer.iter();
    let sparse = sparse.filter_map(|s| s.values.as_option());
    let tensors = graph.initializer.iter().chain(sparse);
    tensors.filter_map(|t| t.name.as_deref()).collect()
}

fn name(input: &ValueInfoProto) -> &str {
    input.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{SparseTensorProto, TensorProto};
    use crate::{f32_tensor, i64_tensor};

    fn model(listed: &[&str], dense: Vec<TensorProto>, sparse: Option<TensorProto>) -> ModelProto {
        let info = |name: &&str| ValueInfoProto {
            name: Some((*name).to_owned()),
            ..ValueInfoProto::default()
        };
        let sparse = sparse.map(|values| SparseTensorProto {
            values: values.into(),
            ..SparseTensorProto::default()
        });
        ModelProto {
            graph: GraphProto {
                input: listed.iter().map(info).collect(),
                initializer: dense,
                sparse_initializer: sparse.into_iter().collect(),
                ..GraphProto::default()
            }
            .into(),
            ..ModelProto::default()
        }
    }

    #[test]
    fn dense_whole_and_sparse_initializers_are_no_inputs() {
        let dense = vec![
            f32_tensor("w", &[1], &[1.0]).unwrap(),
            i64_tensor("shape", &[1], &[4]).unwrap(),
            f32_tensor("alone", &[1], &[1.0]).unwrap(),
        ];
        let sparse = f32_tensor("s", &[1], &[1.0]).unwrap();
        let mut listing = model(&["w", "x", "s", "shape", "y"], dense.clone(), Some(sparse));
        assert!(lists_initializers(&listing));
        unlist_initializers(&mut listing);
        let left: Vec<&str> = listing.graph.input.iter().map(name).collect();
        assert_eq!(left, ["x", "y"]);
        assert_eq!(listing.graph.initializer, dense);
        assert!(!lists_initializers(&listing));
        assert!(!lists_initializers(&model(&["x"], dense, None)));
        assert!(!lists_initializers(&ModelProto::default()));
    }
}
