//! Lists of positions that follow a cut keep the type that they had: operators want all of theirs of one.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use secateur_graph::{
    ChannelGroups, Data, Dim, Element, Graph, GraphBuilder, Keep, Op, Tensor, shrink,
};

/// A list of whole numbers of 32 or 64 bits.
fn list(element: Element, numbers: &[i32]) -> Tensor {
    let data = match element {
        Element::I32 => Data::Raw(
            element,
            numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        ),
        _ => Data::I64(numbers.iter().map(|&n| n.into()).collect()),
    };
    Tensor::new([numbers.len()], data).unwrap()
}

/// Eight units, of which `node` takes six.
fn net(op: &Op, operands: &[Tensor]) -> Graph {
    let mut b = GraphBuilder::new("net");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(3)]);
    let mut weights = |name: &str, shape: [usize; 2]| {
        b.constant(
            name,
            Tensor::f32(shape, vec![0.5; shape[0] * shape[1]]).unwrap(),
        )
    };
    let (first, second) = (weights("first.w", [3, 8]), weights("second.w", [6, 2]));
    let made = b.node("first", Op::MatMul, &[x, first]);
    let mut inputs = vec![made];
    for (at, operand) in operands.iter().enumerate() {
        inputs.push(b.constant(format!("operand{at}"), operand.clone()));
    }
    let taken = b.node("taken", op.clone(), &inputs);
    let out = b.node("second", Op::MatMul, &[taken, second]);
    b.output(out);
    b.build().unwrap()
}

#[test]
fn positions_keep_their_type() {
    for element in [Element::I32, Element::I64] {
        let numbers = |numbers: &[i32]| list(element, numbers);
        let slice = [numbers(&[1]), numbers(&[7]), numbers(&[1]), numbers(&[1])];
        let gather = [numbers(&[1, 2, 3, 4, 5, 6])];
        let cases: [(Op, &[Tensor]); 2] = [
            (Op::Slice { bounds: None }, &slice),
            (Op::Gather { axis: 1 }, &gather),
        ];
        for (op, operands) in cases {
            let graph = net(&op, operands);
            let groups = ChannelGroups::of(&graph).unwrap();
            let mut keep = Keep::all(&groups);
            keep.drop(groups.named("first").unwrap(), 2).unwrap();
            let small = shrink(&graph, &groups, &keep).unwrap().graph;
            let node = small.nodes().iter().find(|n| n.name == "taken").unwrap();
            let constants = node.inputs[1..]
                .iter()
                .map(|id| small.constant(id.unwrap()).unwrap());
            let constants: Vec<&Tensor> = constants.collect();
            assert!(
                constants.iter().all(|c| c.element() == element),
                "{op:?}: {constants:?}"
            );
            let moved = match op {
                Op::Slice { .. } => constants[1].numbers(),
                _ => vec![constants[0].numbers().len() as f64 + 1.0],
            };
            assert_eq!(moved, [6.0]);
        }
    }
}
