//! Networks as training sees them, for the naive evaluator: normalised by the batch, with weights in double precision.

use secateur_graph::{
    Binary, Data, Element, Error, Graph, GraphBuilder, Node, Op, Reduce, ReduceAxes, ReduceKind,
    Result, Tensor, Unary, ValueId, infer_shapes,
};

/// The graph with each batch normalisation spelt out, by the statistics of the batch (Ioffe and Szegedy 2015, algorithm 1: the
/// variance is divided by the count).
///
/// What a normalisation takes from its batch are the values `NODE.centre` and `NODE.spread`, of the rank of its input.
///
/// # Errors
/// If the graph is not valid.
pub fn by_batch(graph: &Graph) -> Result<Graph> {
    let shaped = infer_shapes(graph)?;
    let mut b = GraphBuilder::new("by batch");
    let mut at: Vec<Option<ValueId>> = vec![None; graph.values().len()];
    for id in graph.value_ids() {
        if let Some(tensor) = graph.constant(id) {
            at[id.index()] = Some(b.constant(graph.value(id).name.clone(), tensor.clone()));
        }
    }
    for &input in graph.inputs() {
        let value = graph.value(input);
        let dims = value.shape.clone().unwrap_or_default();
        at[input.index()] = Some(b.input(value.name.clone(), dims));
    }
    for node in graph.nodes() {
        let given: Vec<Option<ValueId>> = node
            .inputs
            .iter()
            .map(|i| i.and_then(|i| at[i.index()]))
            .collect();
        if let Op::BatchNorm { epsilon, .. } = node.op {
            let dims = shaped.value(node.input(0)?).shape.as_ref();
            let rank = dims.map_or(0, Vec::len);
            let channels = graph.constant(node.input(1)?).map_or(0, Tensor::len);
            let inputs: Vec<ValueId> = given.into_iter().flatten().collect();
            let [x, scale, shift, ..] = inputs[..] else {
                return Err(Error::invalid("is given too little").at(&node.name));
            };
            let made = spelt_out(
                &mut b,
                &node.name,
                [x, scale, shift],
                (rank, channels),
                epsilon,
            )?;
            at[node.output()?.index()] = Some(made);
            continue;
        }
        let outputs = node.outputs.iter().map(|&old| {
            let new = b.declare(&graph.value(old).name, None);
            at[old.index()] = Some(new);
            new
        });
        let outputs = outputs.collect();
        b.add_node(Node {
            name: node.name.clone(),
            op: node.op.clone(),
            inputs: given,
            outputs,
        });
    }
    for output in graph.outputs().iter().filter_map(|o| at[o.index()]) {
        b.output(output);
    }
    b.build()
}

/// `scale * (x - mean) / sqrt(variance + epsilon) + shift`, on the second of `rank` axes.
fn spelt_out(
    b: &mut GraphBuilder,
    node: &str,
    [x, scale, shift]: [ValueId; 3],
    (rank, channels): (usize, usize),
    epsilon: f32,
) -> Result<ValueId> {
    let name = |part: &str| format!("{node}.{part}");
    let mean = || {
        Op::Reduce(Reduce {
            kind: ReduceKind::Mean,
            axes: ReduceAxes::These((0..rank as i64).filter(|&a| a != 1).collect()),
            keep: true,
        })
    };
    let axes = (0..rank).map(|axis| if axis == 1 { channels as i64 } else { 1 });
    let wanted = b.constant(name("shape"), Tensor::i64([rank], axes.collect())?);
    let tiny = b.constant(name("epsilon"), Tensor::f32([], vec![epsilon])?);
    let reshape = || Op::Reshape { allow_zero: false };
    let scale = b.node(name("scale"), reshape(), &[scale, wanted]);
    let shift = b.node(name("shift"), reshape(), &[shift, wanted]);
    let centre = b.node(name("centre"), mean(), &[x]);
    let centred = b.node(name("centred"), Op::Binary(Binary::Sub), &[x, centre]);
    let square = Op::Binary(Binary::Mul);
    let squares = b.node(name("squares"), square, &[centred, centred]);
    let variance = b.node(name("spread"), mean(), &[squares]);
    let safe = b.node(name("safe"), Op::Binary(Binary::Add), &[variance, tiny]);
    let deviation = b.node(name("deviation"), Op::Unary(Unary::Sqrt), &[safe]);
    let over = Op::Binary(Binary::Div);
    let normal = b.node(name("normal"), over, &[centred, deviation]);
    let scaled = b.node(name("scaled"), Op::Binary(Binary::Mul), &[normal, scale]);
    Ok(b.node(name("shifted"), Op::Binary(Binary::Add), &[scaled, shift]))
}

/// The graph with `constant + step * direction` in place of a constant, in double precision; `direction` has a number for each of
/// its elements.
///
/// # Errors
/// If there is no constant of that name.
pub fn moved(graph: &Graph, name: &str, direction: &[f64], step: f64) -> Result<Graph> {
    let named = graph.value_named(name);
    let Some((id, old)) = named.and_then(|id| Some((id, graph.constant(id)?))) else {
        return Err(Error::invalid("is no constant").at(name));
    };
    let numbers = old.numbers();
    let along = numbers.iter().zip(direction);
    let bytes = along.flat_map(|(w, d)| (w + step * d).to_le_bytes());
    let new = Data::Raw(Element::F64, bytes.collect());
    let tensor = Tensor::new(old.shape().to_vec(), new)?;
    let mut graph = graph.clone();
    graph.set_constant(id, tensor)?;
    Ok(graph)
}
