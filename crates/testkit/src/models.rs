//! Tiny networks, rows to run them on, and decisions on their units.

use secateur_graph::{
    Array, ChannelGroups, Dim, Gemm, Graph, GraphBuilder, GroupKind, Keep, Node, Op, Opaque,
    Result, Tensor, Unary, ValueId, evaluate, evaluate_all, permute,
};

use crate::Stream;

/// A dense network with `widths` from input to output: `Gemm` with weights `[in, out]`, and the activation
/// between layers. Constants are called `w1`, `b1`, `w2`, ...; weights are uniform with variance `1 / in`.
///
/// # Errors
/// If there are fewer than two widths.
pub fn mlp(widths: &[usize], activation: Unary, seed: u64) -> Result<Graph> {
    let mut stream = Stream::new(seed);
    let mut b = GraphBuilder::new("mlp");
    let inputs = widths.first().copied().unwrap_or(0);
    let mut x = b.input("x", [Dim::batch(), Dim::Fixed(inputs)]);
    for (layer, pair) in (1..).zip(widths.windows(2)) {
        let (inner, outer) = (pair[0], pair[1]);
        let scale = (3.0 / inner.max(1) as f64).sqrt();
        let mut draw = |n: usize| (0..n).map(|_| (scale * stream.unit()) as f32).collect();
        let weights = Tensor::f32([inner, outer], draw(inner * outer))?;
        let bias = Tensor::f32([outer], draw(outer))?;
        let weights = b.constant(format!("w{layer}"), weights);
        let bias = b.constant(format!("b{layer}"), bias);
        let gemm = Op::Gemm(Gemm::default());
        x = b.node(format!("dense{layer}"), gemm, &[x, weights, bias]);
        if layer + 1 < widths.len() {
            x = b.node(format!("act{layer}"), Op::Unary(activation), &[x]);
        }
    }
    if widths.len() > 1 {
        b.output(x);
    }
    b.build()
}

/// Inputs for a network: `count` rows of whole numbers from -3 to 3.
pub fn rows(graph: &Graph, count: usize, seed: u64) -> Vec<Array> {
    let mut stream = Stream::new(seed);
    let mut input = |shape: &[Dim]| {
        let shape: Vec<usize> = shape.iter().map(|d| d.fixed().unwrap_or(count)).collect();
        let values = (0..shape.iter().product())
            .map(|_| stream.integer(3))
            .collect();
        Array { shape, values }
    };
    let shapes = graph.inputs().iter().map(|&id| &graph.value(id).shape);
    shapes
        .map(|shape| input(shape.as_deref().unwrap_or(&[])))
        .collect()
}

/// The largest magnitude among all constants and activations, and at least 1: what rounding errors are
/// relative to, also where an output nearly cancels.
///
/// # Errors
/// If the network cannot be evaluated on these inputs.
pub fn largest_magnitude(graph: &Graph, inputs: &[Array]) -> Result<f64> {
    let all = evaluate_all(graph, inputs)?;
    let values = all.iter().flatten().flat_map(|a| &a.values);
    Ok(values.fold(1.0, |most, v| v.abs().max(most)))
}

/// A decision that drops about half of the units that may go.
pub fn some_keep(groups: &ChannelGroups, seed: u64) -> Keep {
    let mut stream = Stream::new(seed);
    let mut keep = Keep::all(groups);
    for (id, group) in groups.iter() {
        for unit in stream.order(group.units) {
            let wanted = stream.below(2) == 0;
            if wanted && group.frozen.is_none() && keep.count(id) > 1 {
                // Cannot fail: the group is not frozen and has another unit.
                keep.drop(id, unit).unwrap_or_default();
            }
        }
    }
    keep
}

/// Shapes and bits of outputs, to be compared exactly.
pub fn bits(outputs: &[Array]) -> Vec<(Vec<usize>, Vec<u64>)> {
    let each = |a: &Array| {
        let values = a.values.iter().map(|v| v.to_bits()).collect();
        (a.shape.clone(), values)
    };
    outputs.iter().map(each).collect()
}

/// The largest change of any output when any one hidden group is reordered, relative to the
/// largest number in the network.
///
/// # Errors
/// If the network cannot be evaluated on drawn rows.
pub fn change(graph: &Graph, groups: &ChannelGroups, seed: u64) -> Result<f64> {
    let inputs = rows(graph, 3, seed);
    let before = evaluate(graph, &inputs)?;
    let scale = largest_magnitude(graph, &inputs)?;
    let mut worst = 0.0f64;
    for (id, group) in groups.iter() {
        if group.frozen.is_some() || group.kind != GroupKind::Hidden {
            continue;
        }
        let order = Stream::new(seed ^ id.index() as u64).order(group.units);
        let Ok(permuted) = permute(graph, groups, id, &order) else {
            continue;
        };
        let after = evaluate(&permuted.graph, &inputs)?;
        for (a, b) in before.iter().zip(&after) {
            let pairs = a.values.iter().zip(&b.values);
            let furthest = pairs.fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
            worst = worst.max(furthest / scale);
        }
    }
    Ok(worst)
}

/// A node that nobody understands.
pub fn opaque(name: &str, inputs: Vec<Option<ValueId>>, outputs: Vec<ValueId>) -> Node {
    Node {
        name: name.into(),
        op: Op::Opaque(Opaque {
            domain: "test".into(),
            op_type: "Mystery".into(),
            opset: 17,
            message: vec![],
        }),
        inputs,
        outputs,
    }
}

/// The model files of a folder and of those in it.
///
/// # Errors
/// If it cannot be listed.
pub fn model_files(folder: &std::path::Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(model_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "onnx") {
            found.push(path);
        }
    }
    Ok(found)
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mlp_has_the_widths_that_were_asked_for() {
        let graph = mlp(&[3, 4, 2], Unary::Relu, 1).unwrap();
        let cost = secateur_graph::cost(&graph).unwrap();
        assert_eq!(
            (cost.params, cost.macs),
            (3 * 4 + 4 + 4 * 2 + 2, 3 * 4 + 4 * 2)
        );
        assert!(mlp(&[3], Unary::Relu, 1).is_err());
    }

    #[test]
    fn decisions_drop_something_and_spare_something() {
        let graph = mlp(&[3, 8, 2], Unary::Relu, 1).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        for seed in 0..20 {
            assert!(!some_keep(&groups, seed).is_all());
        }
    }
}
