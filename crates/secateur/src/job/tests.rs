//! What is verified, and on which rows.

use secateur_data::{Dataset, Features, Storage};
use secateur_graph::{Dim, GraphBuilder, Op, Tensor, Unary, to_model};
use secateur_testkit::{Stream, mlp};

use super::*;
use crate::Config;

const ROWS: usize = 1500;
/// Beyond single precision once it is multiplied by 100.
const POISON: f32 = 1e37;

/// Three numbers a row; one row may hold a number that single precision cannot take.
fn dataset(poisoned: Option<u32>) -> Arc<Dataset> {
    let mut stream = Stream::new(2);
    let mut values: Vec<f32> = (0..3 * ROWS).map(|_| stream.unit() as f32).collect();
    let targets = values.chunks(3).map(|row| row[0] - row[2]).collect();
    if let Some(row) = poisoned {
        values[3 * row as usize..][..3].fill(POISON);
    }
    let target = Target::Values {
        columns: vec!["y".into()],
        values: targets,
    };
    let features = Features::new(Storage::F32(values), 3).unwrap();
    Arc::new(Dataset::new("made", features, target).unwrap())
}

/// A run from a chain, or from a network as it was given.
pub(crate) fn job(given: Option<&Graph>, penalty: &str, poisoned: Option<u32>) -> Job {
    let config = Config {
        model: given.map(|_| "m".into()),
        net: given.is_none().then(|| "4".into()),
        penalty: Some(penalty.into()),
        threads: Some(1),
        ..Config::default()
    };
    let prepared = Prepared::new(dataset(poisoned), &config).unwrap();
    job_on(prepared, &config, given)
}

fn job_on(prepared: Prepared, config: &Config, given: Option<&Graph>) -> Job {
    let plan = Plan::new(config, &prepared.dataset, prepared.split.train.len()).unwrap();
    match given {
        Some(graph) => {
            let model = to_model(graph, &ModelMeta::default()).unwrap();
            let file = ModelFile::of("m".into(), model, graph.clone(), 0).unwrap();
            Job::of_model(plan, prepared, file).unwrap()
        }
        None => Job::new(plan, prepared).unwrap(),
    }
}

/// A network whose weights are multiplied.
pub(crate) fn network(factor: f32) -> Graph {
    let mut graph = mlp(&[3, 4, 1], Unary::Relu, 1).unwrap();
    for name in ["w1", "w2"] {
        let id = graph.value_named(name).unwrap();
        let old = graph.constant(id).unwrap();
        let numbers = old.as_f32().unwrap().iter().map(|v| v * factor).collect();
        let tensor = Tensor::f32(old.shape().to_vec(), numbers).unwrap();
        graph.set_constant(id, tensor).unwrap();
    }
    graph
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification, "{error}");
    error
}

#[test]
fn files_are_verified_on_the_first_test_rows() {
    let net = network(10.0);
    for given in [None, Some(&net)] {
        let job = job(given, "none", None);
        let split = &job.prepared.split;
        assert_eq!(job.verify_rows(), &split.test[..256]);
        for used in [&split.train, &split.validation] {
            assert!(!job.verify_rows().iter().any(|row| used.contains(row)));
        }
        let evidence = job.verified(&net).unwrap().evidence().clone();
        assert_eq!((evidence.rows, evidence.naive_rows), (256, 256));
        // Both were run: single precision is never that of the evaluator.
        for difference in [evidence.runtime_difference, evidence.engine_difference] {
            assert!(difference > 0.0 && difference < 1e-5, "{evidence:?}");
        }
    }
}

/// The last row that is verified is one that the network cannot be run on; another that is not, it never meets.
#[test]
fn it_is_those_rows_that_the_file_is_run_on() {
    let net = network(10.0);
    for given in [None, Some(&net)] {
        let split = job(given, "none", None).prepared.split;
        let poisoned = |row: u32| job(given, "none", Some(row)).verified(&net);
        for row in [split.test[0], split.test[255]] {
            refused(poisoned(row));
        }
        poisoned(split.test[256]).unwrap();
        poisoned(split.validation[0]).unwrap();
    }
}

#[test]
fn a_network_that_single_precision_cannot_hold_is_refused() {
    let (net, too_large) = (network(1.0), network(1e25));
    for given in [None, Some(&net)] {
        let job = job(given, "none", None);
        job.verified(&net).unwrap();
        refused(job.verified(&too_large));
    }
}

#[test]
fn a_given_model_is_verified_before_anything_is_trained() {
    job(None, "none", None).verify_beforehand().unwrap();
    let net = network(1.0);
    job(Some(&net), "group-lasso", None)
        .verify_beforehand()
        .unwrap();
    let error = refused(job(Some(&network(1e25)), "none", None).verify_beforehand());
    let said = "m: the model as it is cannot be verified";
    assert!(error.to_string().starts_with(said), "{error}");
}

/// Units that are 1 in every row; without the first, the sum of the others is too large.
#[test]
fn what_may_come_of_a_given_model_is_verified_before_anything_is_trained() {
    let mut graph = mlp(&[3, 3, 1], Unary::Relu, 1).unwrap();
    for (name, numbers) in [
        ("w1", vec![0.0; 9]),
        ("b1", vec![1.0; 3]),
        ("w2", vec![-2e38, 2e38, 2e38]),
        ("b2", vec![0.0]),
    ] {
        let id = graph.value_named(name).unwrap();
        let shape = graph.constant(id).unwrap().shape().to_vec();
        graph
            .set_constant(id, Tensor::f32(shape, numbers).unwrap())
            .unwrap();
    }
    // Nothing goes.
    job(Some(&graph), "none", None).verify_beforehand().unwrap();
    let error = refused(job(Some(&graph), "group-lasso", None).verify_beforehand());
    let said = "m: the model with a unit less in each group cannot be verified";
    assert!(error.to_string().starts_with(said), "{error}");
}

#[test]
fn a_written_file_says_what_made_it() {
    let job = job(None, "none", None);
    let meta = job.meta().unwrap();
    assert_eq!(meta.producer_name, "secateur");
    assert_eq!(meta.producer_version, env!("CARGO_PKG_VERSION"));
    let hash = job.config_hash().unwrap();
    let toml = job.plan.config.to_toml().unwrap();
    assert_eq!(hash, short_hash(&toml));
    let property = |name: &str| {
        let mut all = meta.properties.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(property(RUN_PROPERTY), Some(hash.as_str()));
    assert_eq!(property("secateur.data"), Some("made"));
    assert_eq!(property("target_names"), Some(r#"["y"]"#));
    assert_eq!(property("class_names"), None);
    assert!(!job.is_classification());
}

#[test]
fn hashes_are_the_first_digits_of_a_known_one() {
    // Of the example in FIPS 180-2.
    assert_eq!(short_hash("abc"), "ba7816bf8f01cfea");
}

#[test]
fn messages_name_the_file_that_was_given() {
    assert_eq!(job(Some(&network(1.0)), "none", None).given_name(), "m");
    assert_eq!(job(None, "none", None).given_name(), "the network");
}

#[test]
fn networks_with_one_unit_each_have_none_to_lose() {
    let units = |widths: &[usize]| {
        let graph = one_less(&mlp(widths, Unary::Relu, 1).unwrap()).unwrap();
        graph.map(|graph| {
            let width = |name: &str| {
                let id = graph.value_named(name).unwrap();
                graph.constant(id).unwrap().shape()[1]
            };
            [width("w1"), width("w2")]
        })
    };
    assert_eq!(units(&[1, 4, 3, 2]), Some([3, 2]));
    assert_eq!(units(&[1, 1, 3, 2]), Some([1, 2]));
    assert_eq!(units(&[1, 1, 1, 2]), None);
}

#[test]
fn units_of_a_given_network_are_sorted_where_a_part_is_penalised() {
    let mut graph = network(1.0);
    let weights = [
        ("w1", (1..=12).collect::<Vec<_>>()),
        ("w2", vec![4, 3, 2, 1]),
    ];
    for (name, numbers) in weights {
        let id = graph.value_named(name).unwrap();
        let shape = graph.constant(id).unwrap().shape().to_vec();
        let numbers = numbers.iter().map(|&n| n as f32).collect();
        let tensor = Tensor::f32(shape, numbers).unwrap();
        graph.set_constant(id, tensor).unwrap();
    }
    let of = |job: &Job, name: &str| {
        let sorted = job.sorted(&graph).unwrap();
        let tensor = sorted.constant(sorted.value_named(name).unwrap()).unwrap();
        tensor.as_f32().unwrap()[..4].to_vec()
    };
    let penalised = job(Some(&graph), "group-lasso", None);
    assert_eq!(of(&penalised, "w2"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(of(&penalised, "w1"), [4.0, 3.0, 2.0, 1.0]);
    for other in [
        job(Some(&graph), "none", None),
        job(None, "group-lasso", None),
    ] {
        assert_eq!(of(&other, "w2"), [4.0, 3.0, 2.0, 1.0]);
    }
}

/// Pictures that say nothing of channels are one of channels to a network of pictures, and steps to one of sequences.
#[test]
fn rows_have_the_axes_that_their_network_takes() {
    const SIDE: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, shape: &str, cells: Vec<u8>| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        let bytes = [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &cells].concat();
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    let cells = (0..40 * SIDE * SIDE).map(|at| (at * at / 7) as u8);
    write("x.npy", "(40, 12, 12)", cells.collect());
    write("y.npy", "(40,)", (0..40).map(|row| row % 2).collect());
    let given = |axes: &[usize]| {
        let mut b = GraphBuilder::new("g");
        let lengths = axes.iter().map(|&n| Dim::Fixed(n));
        let x = b.input(
            "x",
            [Dim::batch()]
                .into_iter()
                .chain(lengths)
                .collect::<Vec<_>>(),
        );
        let flat = b.node("flat", Op::Flatten { axis: 1 }, &[x]);
        let w = Tensor::f32([SIDE * SIDE, 2], vec![0.5; 2 * SIDE * SIDE]).unwrap();
        let w = b.constant("w", w);
        let y = b.node("y", Op::MatMul, &[flat, w]);
        b.output(y);
        b.build().unwrap()
    };
    let shape = |given: Option<&Graph>| {
        let config = Config {
            data: Some(folder.path().display().to_string()),
            model: given.map(|_| "m".into()),
            net: given.is_none().then(|| "lenet5".into()),
            penalty: Some("none".into()),
            threads: Some(1),
            ..Config::default()
        };
        let prepared = Prepared::new(crate::load_data(&config, None).unwrap(), &config).unwrap();
        let job = job_on(prepared, &config, given);
        assert!(job.is_classification());
        job.rows(&[0, 1]).unwrap().shape().to_vec()
    };
    assert_eq!(shape(None), [1, SIDE, SIDE]);
    assert_eq!(shape(Some(&given(&[1, SIDE, SIDE]))), [1, SIDE, SIDE]);
    assert_eq!(shape(Some(&given(&[SIDE, SIDE]))), [SIDE, SIDE]);
}
