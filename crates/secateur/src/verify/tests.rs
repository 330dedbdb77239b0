//! Each leg of a verification of a whole file refuses without the others, in any row.

use secateur_graph::{
    Array, Binary, Dim, GraphBuilder, Op, Tensor, Unary, ValueId, evaluate, infer_shapes,
};
use secateur_testkit::mlp;

use super::*;

const RUNTIME: &str = "outputs of rten 0.27 differ";
const ENGINE: &str = "outputs of the engine differ";
const READ_BACK: &str = "the file read back computes something else than the network";

fn refused<T: std::fmt::Debug>(result: Result<T>, start: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    assert!(error.message().starts_with(start), "{error}");
}

/// In single precision, what is below 2^-8 is lost of numbers of this size.
const LOST: f32 = 32768.0;

/// A sum with numbers and without them again, which leaves what the precision does.
fn lossy(b: &mut GraphBuilder, y: ValueId, numbers: ValueId) -> ValueId {
    let sum = b.node("sum", Op::Binary(Binary::Add), &[y, numbers]);
    b.node("rest", Op::Binary(Binary::Sub), &[sum, numbers])
}

/// Two outputs behind each other; either loses what single precision does, if that is wanted.
fn two_outputs(loses: [bool; 2]) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
    let w = Tensor::f32([2, 2], vec![1.0, 0.5, -0.5, 1.0]).unwrap();
    let w = b.constant("w", w);
    let lost = b.constant("lost", Tensor::f32([2], vec![LOST; 2]).unwrap());
    let y = b.node("y", Op::MatMul, &[x, w]);
    let z = b.node("z", Op::Unary(Unary::Tanh), &[y]);
    let outputs = [y, z].into_iter().zip(loses);
    let outputs: Vec<ValueId> = outputs
        .enumerate()
        .map(|(i, (y, loses))| {
            if !loses {
                return y;
            }
            let sum = b.node(format!("sum{i}"), Op::Binary(Binary::Add), &[y, lost]);
            b.node(format!("rest{i}"), Op::Binary(Binary::Sub), &[sum, lost])
        })
        .collect();
    outputs.into_iter().for_each(|y| b.output(y));
    b.build().unwrap()
}

/// Seven rows of two numbers about 1.
const FEATURES: [f32; 14] = [
    0.31, 1.23, -0.77, 0.9, 1.11, -1.07, 0.43, 0.21, -1.3, 0.87, 0.67, -0.29, 1.01, 0.59,
];

fn naive(graph: &Graph) -> Vec<f32> {
    let features = FEATURES.iter().map(|&v| f64::from(v)).collect();
    let outputs = evaluate(graph, &[Array::new([7, 2], features).unwrap()]).unwrap();
    outputs[0].values.iter().map(|&v| v as f32).collect()
}

fn parts(graph: &Graph) -> Parts {
    Parts {
        model: serialise(graph, &ModelMeta::default()).unwrap(),
        data: vec![],
    }
}

fn within(macs: u64, file: &Graph, graph: &Graph, engine: Option<&[f32]>) -> Result<Verified> {
    let rows = (&FEATURES[..], 7);
    Verified::within(macs, (parts(file), DATA_FILE), graph, rows, engine)
}

#[test]
fn the_independent_runtime_runs_the_file_and_is_alone_in_what_it_sees() {
    let right = two_outputs([false; 2]);
    let engine = naive(&right);
    for macs in [NAIVE_MACS, 0] {
        within(macs, &right, &right, Some(&engine)).unwrap();
        for loses in [[true, false], [false, true]] {
            let lossy = two_outputs(loses);
            // It reads back as it is, and the engine is right.
            refused(within(macs, &lossy, &lossy, Some(&engine)), RUNTIME);
            refused(within(macs, &lossy, &lossy, None), RUNTIME);
        }
    }
}

/// `graph` with one number of a constant changed by a share.
fn changed(graph: &Graph, name: &str, at: usize, share: f32) -> Graph {
    let mut graph = graph.clone();
    let id = graph.value_named(name).unwrap();
    let old = graph.constant(id).unwrap();
    let (shape, mut numbers) = (old.shape().to_vec(), old.as_f32().unwrap().to_vec());
    numbers[at] *= 1.0 + share;
    let tensor = Tensor::f32(shape, numbers).unwrap();
    graph.set_constant(id, tensor).unwrap();
    graph
}

#[test]
fn a_file_that_holds_another_network_is_refused_when_it_is_read_back() {
    let graph = mlp(&[2, 5, 3], Unary::Tanh, 3).unwrap();
    let engine = naive(&graph);
    within(NAIVE_MACS, &graph, &graph, Some(&engine)).unwrap();
    // The last weight, and the bias of the last output; the smaller change nothing else would see.
    for share in [1e-3, 1e-6] {
        for (name, at) in [("w2", 14), ("b2", 2), ("w1", 0)] {
            let other = changed(&graph, name, at, share);
            for macs in [NAIVE_MACS, 0] {
                refused(within(macs, &other, &graph, Some(&engine)), READ_BACK);
            }
        }
    }
    let torn = || {
        let mut parts = parts(&graph);
        parts.model.truncate(parts.model.len() / 2);
        Verified::of_parts(
            (parts, DATA_FILE),
            &graph,
            (&FEATURES[..], 7),
            Some(&engine),
        )
    };
    refused(torn(), "the file does not read back");
}

#[test]
fn the_engine_is_refused_where_the_file_is_right() {
    let graph = two_outputs([false; 2]);
    for macs in [NAIVE_MACS, 0] {
        for at in [0, 13] {
            let mut engine = naive(&graph);
            engine[at] += 2e-3;
            refused(within(macs, &graph, &graph, Some(&engine)), ENGINE);
        }
    }
}

/// A network whose single precision is lost in rows with a number above 10 only, at a batch that is fixed or not.
fn lossy_when_large(batch: Dim) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [batch, Dim::Fixed(2)]);
    let ten = b.constant("ten", Tensor::f32([2], vec![10.0; 2]).unwrap());
    let much = b.constant("much", Tensor::f32([2], vec![131_072.0; 2]).unwrap());
    let above = b.node("above", Op::Binary(Binary::Sub), &[x, ten]);
    let above = b.node("relu", Op::Unary(Unary::Relu), &[above]);
    let gate = b.node("gate", Op::Binary(Binary::Mul), &[above, much]);
    let y = lossy(&mut b, x, gate);
    b.output(y);
    infer_shapes(&b.build().unwrap()).unwrap()
}

#[test]
fn the_last_row_is_run_whatever_the_batch() {
    // Of these numbers, single precision loses about 1e-3 behind the gate.
    let mut features = FEATURES;
    let engine = |features: &[f32]| features.to_vec();
    for batch in [Dim::batch(), Dim::Fixed(3), Dim::Fixed(7), Dim::Fixed(16)] {
        let graph = lossy_when_large(batch.clone());
        let verified = |macs, features: &[f32]| {
            let own = engine(features);
            let rows = (features, 7);
            Verified::within(macs, (parts(&graph), DATA_FILE), &graph, rows, Some(&own))
        };
        for macs in [NAIVE_MACS, 0] {
            features[12..].copy_from_slice(&[1.01, 0.59]);
            let evidence = verified(macs, &features).unwrap().evidence().clone();
            assert_eq!(evidence.rows, 7);
            let naive_rows = match (&batch, macs) {
                (Dim::Fixed(3), _) => 3,
                (Dim::Named(_), 0) => 1,
                _ => 7,
            };
            assert_eq!(evidence.naive_rows, naive_rows, "{batch:?}");
            features[12..].copy_from_slice(&[1.01, 11.32]);
            let by = if naive_rows == 7 { RUNTIME } else { ENGINE };
            refused(verified(macs, &features), by);
        }
    }
}

#[test]
fn rows_come_out_of_batches_in_their_order_and_no_others() {
    for batch in [Dim::batch(), Dim::Fixed(2), Dim::Fixed(7), Dim::Fixed(16)] {
        let graph = lossy_when_large(batch.clone());
        let batches = Batches::of(&graph, &FEATURES, 7).unwrap();
        let runtime = Runtime::load(parts(&graph).model).unwrap();
        assert_eq!(batches.run(&runtime).unwrap(), [FEATURES.to_vec()]);
        let first = batches.first(4);
        let want = match batch {
            Dim::Fixed(n) => n.min(7),
            Dim::Named(_) => 4,
        };
        assert_eq!(first.rows, want);
        let features = FEATURES[..2 * want].iter().map(|&v| f64::from(v));
        assert_eq!(first.run(&graph).unwrap(), [features.collect::<Vec<f64>>()]);
    }
}

#[test]
fn the_evaluator_runs_as_many_rows_as_it_may() {
    let graph = mlp(&[2, 5, 3], Unary::Tanh, 3).unwrap();
    // 25 multiply-accumulates a row.
    for (macs, rows) in [(0, 1), (49, 1), (50, 2), (99, 3), (1000, 7)] {
        let verified = within(macs, &graph, &graph, Some(&naive(&graph))).unwrap();
        assert_eq!(verified.evidence().naive_rows, rows, "{macs}");
    }
}

#[test]
fn data_beside_the_file_are_part_of_it() {
    let graph = mlp(&[2, 256, 3], Unary::Tanh, 3).unwrap();
    let model = to_model(&graph, &ModelMeta::default()).unwrap();
    let apart = secateur_onnx::write_apart(model, DATA_FILE).unwrap();
    assert!(apart.data.len() >= 256 * 5 * 4, "{}", apart.data.len());
    let rows = (&FEATURES[..], 7);
    let verified = Verified::of_parts((apart.clone(), DATA_FILE), &graph, rows, None).unwrap();
    assert_eq!(verified.data(), apart.data);
    assert_eq!(verified.bytes(), apart.model);
}

#[test]
fn no_rows_show_nothing() {
    let graph = two_outputs([false; 2]);
    let none = Verified::new(&graph, &ModelMeta::default(), &[], 0, &[]);
    refused(none, "rows of 0 numbers do not fit");
}

#[test]
fn the_bytes_are_those_that_were_run() {
    let graph = two_outputs([false; 2]);
    let engine = naive(&graph);
    let meta = ModelMeta {
        producer_name: "test".into(),
        ..ModelMeta::default()
    };
    let verified = Verified::new(&graph, &meta, &FEATURES, 7, &engine).unwrap();
    assert_eq!(verified.bytes(), serialise(&graph, &meta).unwrap());
    assert!(verified.data().is_empty());
    let outputs = Runtime::load(verified.bytes()).unwrap();
    let outputs = outputs.run(&FEATURES[..], 7).unwrap();
    let want: Vec<f64> = engine.iter().map(|&v| f64::from(v)).collect();
    assert_eq!(outputs.len(), 2);
    assert!(relative(&want, &outputs[0]) < 1e-6);
    let given = parts(&graph);
    let rows = (&FEATURES[..], 7);
    let verified = Verified::of_parts((given.clone(), DATA_FILE), &graph, rows, None).unwrap();
    assert_eq!(verified.parts(), &given);
}

/// Whether something can be read or made without a verification: what is implemented goes before what every type has.
mod made {
    use std::marker::PhantomData;

    pub(super) struct Of<T>(PhantomData<T>);

    pub(super) trait Nothing {
        const IS_READ: bool = false;
        const HAS_DEFAULT: bool = false;
    }
    impl<T> Nothing for Of<T> {}

    impl<T: serde::de::DeserializeOwned> Of<T> {
        pub(super) const IS_READ: bool = true;
    }
    impl<T: Default> Of<T> {
        pub(super) const HAS_DEFAULT: bool = true;
    }
}

#[test]
fn nothing_but_a_verification_makes_a_verified_model() {
    use made::{Nothing as _, Of};
    let verified = [Of::<Verified>::IS_READ, Of::<Verified>::HAS_DEFAULT];
    assert_eq!(verified, [false, false]);
    assert_eq!(
        [Of::<Evidence>::IS_READ, Of::<String>::HAS_DEFAULT],
        [true; 2]
    );
}
