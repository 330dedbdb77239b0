//! A network without the branches that lose all units of a group.
//!
//! What reads nothing any more is a constant: its bias. Where that meets another branch that goes on, in a sum, a product or
//! a concatenation, the network can do without the nodes that made it. Where it would be an output, or reach an operation
//! that tells places apart (a convolution with padding, a normalisation), the branch has to stay.

use std::collections::HashMap;

use crate::eval::Array;
use crate::ops::{self, Sources};
use crate::settle::{drop_unread, tensor_of};
use crate::{
    Binary, Conv, Element, Error, ErrorKind, Graph, Node, Op, Padding, Reduce, ReduceKind, Result,
    ValueId,
};

/// What becomes of a value that lost an axis, or depends on one that did.
enum Fate {
    /// Nothing of it is left along that axis.
    Gone(usize),
    /// The same at every place: numbers whose axes are 1 long where it does not vary.
    Steady(Array),
}

/// `graph`, whose shapes are inferred, without what the values of `sources` that keep no position are needed for.
///
/// `masked` is the same network with the units silenced that go, of this and of other groups: what it computes in a branch is
/// what stands in for it.
///
/// # Errors
/// If a node needs such a value.
pub(crate) fn without_branches(
    graph: &Graph,
    sources: &Sources,
    masked: impl FnOnce() -> Result<Graph>,
) -> Result<Graph> {
    let emptied: HashMap<ValueId, usize> = sources
        .iter()
        .filter(|(_, kept)| kept.is_empty())
        .map(|((value, axis), _)| (*value, *axis))
        .collect();
    let mut pruned = graph.clone();
    if emptied.is_empty() {
        return Ok(pruned);
    }
    let masked = masked()?;
    let mut fates: HashMap<ValueId, Fate> = HashMap::new();
    let mut passed: HashMap<ValueId, ValueId> = HashMap::new();
    let mut nodes = vec![];
    for node in graph.nodes() {
        let mut node = node.clone();
        for input in node.inputs.iter_mut().flatten() {
            *input = passed.get(input).copied().unwrap_or(*input);
        }
        let touched = node
            .inputs
            .iter()
            .flatten()
            .any(|id| fates.contains_key(id));
        let lost: Vec<_> = node
            .outputs
            .iter()
            .filter_map(|id| emptied.get(id))
            .collect();
        if lost.len() == node.outputs.len() && !lost.is_empty() {
            for made in &node.outputs {
                fates.insert(*made, Fate::Gone(emptied[made]));
            }
        } else if !touched {
            nodes.push(node);
        } else {
            match step(&masked, &node, &fates)? {
                Step::Becomes(fate) => {
                    fates.insert(node.output()?, fate);
                }
                Step::Passes(other) => {
                    passed.insert(node.output()?, other);
                }
                Step::Stays { without } => {
                    node.inputs
                        .retain(|input| input.is_none_or(|id| !without.contains(&id)));
                    nodes.push(node);
                }
            }
        }
    }
    if let Some(output) = graph
        .outputs()
        .iter()
        .find(|id| fates.contains_key(id) || passed.contains_key(id))
    {
        return Err(needed(
            &graph.value(*output).name,
            "is an output of the graph",
        ));
    }
    let read: Vec<ValueId> = nodes
        .iter()
        .flat_map(|n| n.inputs.iter().flatten().copied())
        .collect();
    for id in read {
        if let Some(Fate::Steady(array)) = fates.get(&id) {
            let element = graph.value(id).element.unwrap_or(Element::F32);
            let Some(tensor) = tensor_of(element, array) else {
                return Err(needed(&graph.value(id).name, "has another type"));
            };
            pruned.replace_constant(id, tensor);
        }
    }
    *pruned.nodes_mut() = nodes;
    drop_unread(&mut pruned);
    Ok(pruned)
}

/// What a node does that reads what is gone or steady.
enum Step {
    /// It goes, and what it makes becomes this.
    Becomes(Fate),
    /// It goes, and what it makes is that other value.
    Passes(ValueId),
    /// It stays, without these inputs.
    Stays { without: Vec<ValueId> },
}

fn step(graph: &Graph, node: &Node, fates: &HashMap<ValueId, Fate>) -> Result<Step> {
    let made = node.output()?;
    let first = fates.get(&node.input(0)?);
    let is_output = graph.outputs().contains(&made);
    match (&node.op, first) {
        (Op::Concat { .. }, _) => {
            let gone = |id: &ValueId| matches!(fates.get(id), Some(Fate::Gone(_)));
            let steady = |id: &ValueId| matches!(fates.get(id), Some(Fate::Steady(_)));
            let inputs = node.inputs.iter().flatten().copied();
            let (without, others): (Vec<ValueId>, Vec<ValueId>) = inputs.partition(gone);
            if !others.is_empty() && !others.iter().any(steady) {
                return Ok(Step::Stays { without });
            }
        }
        (Op::Conv(_) | Op::MatMul | Op::Gemm(_), Some(Fate::Gone(axis))) => {
            if let Some(bias) = unread(graph, node, *axis)? {
                return Ok(Step::Becomes(Fate::Steady(bias)));
            }
        }
        (Op::Binary(binary), _) if node.inputs.len() == 2 => {
            let (a, b) = (node.input(0)?, node.input(1)?);
            let steady = |id: ValueId| match fates.get(&id) {
                Some(Fate::Steady(array)) => Some(array),
                Some(Fate::Gone(_)) | None => None,
            };
            let shape = |id: ValueId| graph.value(id).shape.as_ref();
            let goes_on = |id: ValueId| {
                let is_live = !fates.contains_key(&id) && graph.constant(id).is_none();
                is_live && shape(id).is_some() && shape(id) == shape(made)
            };
            let kept = match (steady(a), steady(b)) {
                (Some(array), None) if goes_on(b) => Some((array, b, *binary == Binary::Add)),
                (None, Some(array)) if goes_on(a) => {
                    Some((array, a, matches!(binary, Binary::Add | Binary::Sub)))
                }
                _ => None,
            };
            match kept {
                Some((array, other, is_sum)) => {
                    let is_nothing = array.values.iter().all(|&v| v == 0.0);
                    return Ok(match is_sum && is_nothing && !is_output {
                        true => Step::Passes(other),
                        false => Step::Stays { without: vec![] },
                    });
                }
                None => {
                    if let Some(array) = steadily(graph, node, fates)? {
                        return Ok(Step::Becomes(Fate::Steady(array)));
                    }
                }
            }
        }
        (op, Some(Fate::Steady(_))) if is_placeless(op) => {
            if let Some(array) = steadily(graph, node, fates)? {
                return Ok(Step::Becomes(Fate::Steady(array)));
            }
        }
        _ => {}
    }
    Err(needed(&node.name, "needs it"))
}

fn needed(place: &str, why: &str) -> Error {
    let message = format!(
        "a layer would be left without units, and no other branch can stand in for it, as this {why}"
    );
    Error::new(ErrorKind::Keep, message)
        .at(place)
        .hint("keep at least one unit of each group")
}

/// What a node makes of an input that lost its contracted axis: the bias, or zeros.
fn unread(graph: &Graph, node: &Node, axis: usize) -> Result<Option<Array>> {
    let rank = |id: ValueId| graph.value(id).shape.as_ref().map(Vec::len);
    let (x, weights) = (node.input(0)?, node.input(1)?);
    let (Some(rank), Some(tensor)) = (rank(x), graph.constant(weights)) else {
        return Ok(None);
    };
    let numbers = |slot: usize| {
        let id = node.inputs.get(slot).copied().flatten()?;
        graph.constant(id).map(Array::from)
    };
    match &node.op {
        Op::Conv(_) if axis == 1 => {
            let outputs = tensor.shape()[0];
            let bias = match node.inputs.get(2).copied().flatten() {
                Some(_) => numbers(2).map(|bias| bias.values),
                None => Some(vec![0.0; outputs]),
            };
            let mut shape = vec![1; rank];
            shape[1] = outputs;
            bias.map(|bias| Array::new(shape, bias)).transpose()
        }
        Op::MatMul if axis + 1 == rank && tensor.shape().len() == 2 => {
            let mut shape = vec![1; rank];
            shape[rank - 1] = tensor.shape()[1];
            Array::new(shape, vec![0.0; tensor.shape()[1]]).map(Some)
        }
        Op::Gemm(gemm) if axis == 1 && !gemm.trans_a => {
            let inner = tensor.shape()[usize::from(gemm.trans_b)];
            let zeros = Array::new([1, inner], vec![0.0; inner])?;
            let silent = Array::new(tensor.shape(), vec![0.0; tensor.len()])?;
            let bias = numbers(2);
            let is_varied = bias
                .as_ref()
                .is_some_and(|b| b.shape.len() == 2 && b.shape[0] > 1);
            if is_varied || bias.is_none() && node.inputs.get(2).copied().flatten().is_some() {
                return Ok(None);
            }
            let inputs = [Some(&zeros), Some(&silent), bias.as_ref()];
            Ok(ops::evaluate(node, &inputs)?.pop())
        }
        _ => Ok(None),
    }
}

/// Whether an operation makes of the same at every place the same at every place, whatever number of places there are.
fn is_placeless(op: &Op) -> bool {
    match op {
        Op::Unary(_)
        | Op::Clip { .. }
        | Op::BatchNorm { .. }
        | Op::PRelu
        | Op::Identity
        | Op::MatMul
        | Op::Gemm(_) => true,
        Op::Conv(Conv { window, .. }) => match &window.padding {
            // The kernel must be 1 long, which is what evaluation of a single place checks.
            Padding::By { before, behind } => before.iter().chain(behind).all(|&n| n == 0),
            Padding::SameUpper | Padding::SameLower => false,
        },
        Op::Reduce(Reduce { kind, .. }) => {
            matches!(kind, ReduceKind::Mean | ReduceKind::Max | ReduceKind::Min)
        }
        _ => false,
    }
}

/// What a node makes of steady values and constants; nothing if one of its inputs is neither.
fn steadily(graph: &Graph, node: &Node, fates: &HashMap<ValueId, Fate>) -> Result<Option<Array>> {
    let mut arrays = vec![];
    for input in &node.inputs {
        arrays.push(match input {
            None => None,
            Some(id) => match (fates.get(id), graph.constant(*id)) {
                (Some(Fate::Steady(array)), _) => Some(array.clone()),
                (None, Some(tensor)) => Some(Array::from(tensor)),
                _ => return Ok(None),
            },
        });
    }
    let inputs: Vec<Option<&Array>> = arrays.iter().map(Option::as_ref).collect();
    // What cannot be computed of a single place (a kernel that is longer) is needed where it is.
    Ok(ops::evaluate(node, &inputs)
        .ok()
        .and_then(|mut all| all.pop()))
}

#[cfg(test)]
mod tests {
    use crate::{
        Array, Binary, ChannelGroups, Conv, Dim, Graph, GraphBuilder, Keep, Op, Padding, Tensor,
        Unary, ValueId, Window, evaluate, mask, shrink,
    };

    fn drawn(shape: &[usize], seed: f32) -> Tensor {
        let count: usize = shape.iter().product();
        let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.3).sin());
        Tensor::f32(shape, numbers.collect()).unwrap()
    }

    /// A convolution to `channels` with a bias, and a ReLU behind it.
    fn layer(
        b: &mut GraphBuilder,
        name: &str,
        x: ValueId,
        [from, channels, kernel]: [usize; 3],
    ) -> ValueId {
        let shape = [channels, from, kernel, kernel];
        let weights = b.constant(format!("{name}.w"), drawn(&shape, 0.3));
        let bias = b.constant(format!("{name}.b"), drawn(&[channels], 2.1));
        let pad = vec![kernel / 2; 2];
        let conv = Op::Conv(Conv {
            window: Window {
                strides: vec![1; 2],
                dilations: vec![1; 2],
                padding: Padding::By {
                    before: pad.clone(),
                    behind: pad,
                },
                ceil: false,
            },
            conv_groups: 1,
        });
        let conv = b.node(name, conv, &[x, weights, bias]);
        b.node(format!("{name}.relu"), Op::Unary(Unary::Relu), &[conv])
    }

    fn image(b: &mut GraphBuilder) -> ValueId {
        b.input(
            "x",
            [Dim::batch(), Dim::Fixed(2), Dim::Fixed(4), Dim::Fixed(4)],
        )
    }

    /// A bottleneck beside a path that goes on, read by a last layer.
    fn residual() -> Graph {
        let mut b = GraphBuilder::new("g");
        let x = image(&mut b);
        let h = layer(&mut b, "stem", x, [2, 3, 3]);
        let narrow = layer(&mut b, "narrow", h, [3, 2, 1]);
        let middle = layer(&mut b, "middle", narrow, [2, 4, 3]);
        let wide = layer(&mut b, "wide", middle, [4, 3, 1]);
        let sum = b.node("sum", Op::Binary(Binary::Add), &[h, wide]);
        let y = layer(&mut b, "last", sum, [3, 2, 1]);
        b.output(y);
        b.build().unwrap()
    }

    fn without(graph: &Graph, names: &[&str]) -> crate::Result<(Graph, Graph)> {
        let groups = ChannelGroups::of(graph).unwrap();
        let mut keep = Keep::all(&groups);
        without_also(graph, &groups, &mut keep, names)
    }

    fn without_also(
        graph: &Graph,
        groups: &ChannelGroups,
        keep: &mut Keep,
        names: &[&str],
    ) -> crate::Result<(Graph, Graph)> {
        for name in names {
            keep.empty(groups.named(name).unwrap()).unwrap();
        }
        let masked = mask(graph, groups, keep).unwrap();
        Ok((masked, shrink(graph, groups, keep)?.graph))
    }

    fn run(graph: &Graph) -> Vec<Array> {
        let x = (0..64).map(|i| f64::from(i).cos()).collect();
        evaluate(graph, &[Array::new([2, 2, 4, 4], x).unwrap()]).unwrap()
    }

    #[test]
    fn an_empty_branch_leaves_its_bias_to_the_sum() {
        let graph = residual();
        for emptied in [&["middle"][..], &["narrow", "middle"], &["narrow"]] {
            let (masked, small) = without(&graph, emptied).unwrap();
            // The bias that stays is a number of single precision, of what the masked network computes.
            let off = |other: &Graph| {
                let pairs = run(&masked)[0]
                    .values
                    .clone()
                    .into_iter()
                    .zip(run(other)[0].values.clone());
                pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
            };
            assert!(off(&small) < 1e-6, "{emptied:?}: {}", off(&small));
            assert!(off(&graph) > 0.1, "{emptied:?}");
            let names: Vec<&str> = small.nodes().iter().map(|n| n.name.as_str()).collect();
            assert_eq!(names, ["stem", "stem.relu", "sum", "last", "last.relu"]);
        }
    }

    /// What stands in for the branch was once computed with units behind the empty layer that go, too.
    #[test]
    fn other_units_of_an_empty_branch_may_go() {
        let graph = residual();
        let groups = ChannelGroups::of(&graph).unwrap();
        let mut keep = Keep::all(&groups);
        keep.drop(groups.named("middle").unwrap(), 1).unwrap();
        keep.drop(groups.named("stem").unwrap(), 2).unwrap();
        let (masked, small) = without_also(&graph, &groups, &mut keep, &["narrow"]).unwrap();
        let pairs = run(&masked)[0]
            .values
            .clone()
            .into_iter()
            .zip(run(&small)[0].values.clone());
        let off = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6, "{off}");
    }

    #[test]
    fn an_empty_branch_leaves_a_concatenation() {
        let mut b = GraphBuilder::new("g");
        let x = image(&mut b);
        let one = layer(&mut b, "one", x, [2, 3, 1]);
        let other = layer(&mut b, "other", x, [2, 2, 3]);
        let both = b.node("both", Op::Concat { axis: 1 }, &[one, other]);
        let y = layer(&mut b, "last", both, [5, 2, 3]);
        b.output(y);
        let graph = b.build().unwrap();
        let (masked, small) = without(&graph, &["other"]).unwrap();
        assert_eq!(run(&masked), run(&small));
        assert_eq!(small.nodes().len(), graph.nodes().len() - 2);
        let error = without(&graph, &["one", "other"]).unwrap_err();
        assert!(error.to_string().contains("is an output"), "{error}");
    }

    #[test]
    fn a_layer_that_nothing_stands_beside_cannot_be_emptied() {
        let error = without(&residual(), &["stem"]).unwrap_err();
        assert!(error.to_string().contains("needs it"), "{error}");
    }
}
