//! Constants that a file holds once because they are equal, such as biases of zeros: one for each reader.
//!
//! Exporters merge constants of equal numbers. Layers that only begin alike would then have to lose the same units. A
//! constant whose elements are all the same number says nothing about which units are which, so each reader may have its
//! own; weights that are shared on purpose differ from unit to unit and stay shared.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Data, Graph, NodeId, Op, Tensor, Value, ValueId};

/// The same network, where every reader but the first of a uniform constant has a copy of its own. Ids of values are those
/// of `graph`; copies come after them.
///
/// [`crate::patch`] joins copies that are still equal.
pub fn set_apart(graph: &Graph) -> Graph {
    let mut apart = graph.clone();
    for id in graph.value_ids() {
        let Some(tensor) = &graph.value(id).constant else {
            continue;
        };
        if !is_uniform(tensor) {
            continue;
        }
        let readers = graph.readers(id).iter();
        let places = readers.flat_map(|&reader| {
            let slots = graph.node(reader).inputs.iter().enumerate();
            let own = slots.filter(move |(_, input)| **input == Some(id));
            own.map(move |(slot, _)| (reader, slot))
        });
        let (weights, mut free): (Vec<_>, Vec<_>) =
            places.partition(|&(reader, slot)| is_weight(graph, reader, slot));
        // Somebody must go on reading what the file has.
        if weights.is_empty() && !graph.outputs().contains(&id) && !free.is_empty() {
            free.remove(0);
        }
        let name = &graph.value(id).name;
        let mut names = (2u32..).map(|n| format!("{name}.{n}"));
        for (reader, slot) in free {
            let Some(name) = names.find(|name| apart.value_named(name).is_none()) else {
                break;
            };
            let copy = apart.push_value(Value {
                name,
                ..graph.value(id).clone()
            });
            apart.nodes_mut()[reader.index()].inputs[slot] = Some(copy);
        }
    }
    apart
}

/// Numbers that are all the same, and more than one.
fn is_uniform(tensor: &Tensor) -> bool {
    fn all_same<T: PartialEq>(values: &[T]) -> bool {
        values.len() > 1 && values.iter().all(|v| *v == values[0])
    }
    match tensor.data() {
        Data::F32(values) => all_same(values),
        Data::Raw(element, bytes) if element.is_float() => {
            let numbers: Vec<&[u8]> = bytes.chunks(element.width()).collect();
            all_same(&numbers)
        }
        Data::I64(_) | Data::Raw(..) => false,
    }
}

/// Whether a node contracts what it reads there: such slices count for units, and are shared on purpose or not at all.
fn is_weight(graph: &Graph, reader: NodeId, slot: usize) -> bool {
    match &graph.node(reader).op {
        Op::Gemm(_) | Op::MatMul | Op::Conv(_) | Op::ConvTranspose(_) => slot < 2,
        Op::Opaque(_) => true,
        _ => false,
    }
}

/// `changed` with copies that are equal joined again. Copies are constants of `network` that no file holds.
pub(crate) fn reunite(
    network: &Graph,
    mut changed: Graph,
    is_held: impl Fn(&str) -> bool,
) -> Graph {
    let mut origins: HashMap<*const Tensor, ValueId> = HashMap::new();
    let mut copies: Vec<(ValueId, ValueId)> = vec![];
    for id in network.value_ids() {
        let value = network.value(id);
        let Some(tensor) = &value.constant else {
            continue;
        };
        if is_held(&value.name) {
            origins.entry(Arc::as_ptr(tensor)).or_insert(id);
        } else if let Some(&origin) = origins.get(&Arc::as_ptr(tensor)) {
            copies.push((id, origin));
        }
    }
    // Distinct results of each constant, and which copies are which.
    let mut results: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
    let mut joined: HashMap<ValueId, ValueId> = HashMap::new();
    for (copy, origin) in copies {
        let different = results.entry(origin).or_insert_with(|| vec![origin]);
        let own = changed.constant(copy);
        match different.iter().find(|&&id| changed.constant(id) == own) {
            Some(&equal) => {
                joined.insert(copy, equal);
            }
            None => different.push(copy),
        }
    }
    if !joined.is_empty() {
        for node in changed.nodes_mut() {
            for input in node.inputs.iter_mut().flatten() {
                *input = joined.get(input).copied().unwrap_or(*input);
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use secateur_onnx::proto::ModelProto;

    use super::*;
    use crate::{
        Binary, ChannelGroups, Dim, GraphBuilder, Keep, ModelMeta, Unary, evaluate, mask, patch,
        shrink, to_model,
    };

    /// Two layers of four units with one bias, all of whose entries are `bias`.
    fn two_layers(bias: &[f32]) -> Graph {
        let weights =
            |from: i32| Tensor::f32([4, 4], (from..from + 16).map(|v| v as f32).collect());
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(4)]);
        let bias = b.constant("bias", Tensor::f32([4], bias.to_vec()).unwrap());
        let mut h = x;
        for layer in 1..=3 {
            let w = b.constant(format!("w{layer}"), weights(layer).unwrap());
            let product = b.node(format!("product{layer}"), Op::MatMul, &[h, w]);
            let sum = b.node(
                format!("sum{layer}"),
                Op::Binary(Binary::Add),
                &[product, bias],
            );
            h = b.node(format!("h{layer}"), Op::Unary(Unary::Relu), &[sum]);
        }
        b.output(h);
        b.build().unwrap()
    }

    fn tensors(model: &ModelProto) -> Vec<(String, Vec<i64>)> {
        let tensors = model.graph.as_option().unwrap().initializer.iter();
        let mut all: Vec<_> = tensors
            .map(|t| (t.name.clone().unwrap(), t.dims.clone()))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn uniform_constants_couple_nobody_and_come_back_as_few_as_can_be() {
        let graph = two_layers(&[0.5; 4]);
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let apart = set_apart(&graph);
        // The last layer is an output: with one bias, nothing could go.
        let free = |graph: &Graph| {
            let groups = ChannelGroups::of(graph).unwrap();
            let hidden = groups.groups().iter().skip(1);
            hidden.filter(|g| g.frozen.is_none()).count()
        };
        assert_eq!((free(&graph), free(&apart)), (0, 2));

        // Unchanged, the file is what it was.
        let bytes = |model: &ModelProto| secateur_onnx::write(model).unwrap();
        assert_eq!(
            bytes(&patch(&model, &apart, &apart).unwrap()),
            bytes(&model)
        );

        let groups = ChannelGroups::of(&apart).unwrap();
        let [first, second] = ["product1", "product2"].map(|n| groups.named(n).unwrap());
        let mut keep = Keep::all(&groups);
        keep.drop(first, 0).unwrap();
        keep.drop(second, 2).unwrap();
        let small = shrink(&apart, &groups, &keep).unwrap().graph;
        let masked = mask(&apart, &groups, &keep).unwrap();
        let x = crate::Array::new([1, 4], vec![1.0, -2.0, 0.5, 3.0]).unwrap();
        let run = |graph: &Graph| evaluate(graph, std::slice::from_ref(&x)).unwrap();
        assert_eq!(run(&masked), run(&small));
        // Both biases lost one of their equal entries: one constant does for them; the third is whole.
        let patched = patch(&model, &apart, &small).unwrap();
        let biases: Vec<_> = tensors(&patched)
            .into_iter()
            .filter(|(name, _)| name.starts_with("bias"))
            .collect();
        assert_eq!(
            biases.iter().map(|(_, dims)| dims[0]).collect::<Vec<_>>(),
            [3, 4]
        );
        let back = crate::from_model(&patched).unwrap();
        assert_eq!(run(&back), run(&small));
    }

    #[test]
    fn constants_that_tell_units_apart_stay_shared() {
        let graph = two_layers(&[0.5, 0.5, 0.5, 0.25]);
        assert_eq!(set_apart(&graph), graph);
    }
}
