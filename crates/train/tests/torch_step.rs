//! Two steps of small networks beside what PyTorch made of the same; `golden/make.py` wrote the files and says what is in them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secateur_engine::kernels::update::{Sgd, sgd};
use secateur_engine::{Network, ParameterKind, Threads};
use secateur_graph::{Tensor, from_model, from_tensor};
use secateur_onnx::{Limits, read_file};
use secateur_train::{ClassLoss, Targets};

/// Of `golden/make.py`.
const MOMENTUM: f32 = 0.9;
const STEP: Sgd = Sgd {
    rate: 0.05,
    decay: 0.0,
};

/// Numbers of PyTorch's, by name.
struct Golden(BTreeMap<String, Tensor>);

impl Golden {
    fn read(name: &str) -> Self {
        let model = read_file(path(&format!("{name}.golden.onnx")), &Limits::default()).unwrap();
        let stored = &model.graph.as_option().unwrap().initializer;
        let named = stored
            .iter()
            .map(|t| (t.name.clone().unwrap(), from_tensor(t).unwrap().unwrap()));
        Self(named.collect())
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("no '{name}'"))
    }

    fn floats(&self, name: &str) -> &[f32] {
        self.tensor(name).as_f32().unwrap()
    }

    /// What is stored under `prefix`, without it.
    fn names(&self, prefix: &str) -> Vec<&str> {
        self.0
            .keys()
            .filter_map(|k| k.strip_prefix(prefix))
            .collect()
    }

    fn targets(&self) -> Targets {
        let labels = self.tensor("labels").as_i64().unwrap();
        let classes = self.tensor("logits").shape()[1];
        Targets::Classes {
            labels: labels.iter().map(|&l| u32::try_from(l).unwrap()).collect(),
            weights: vec![1.0; classes],
            loss: ClassLoss::CrossEntropy,
        }
    }
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file)
}

/// The largest difference from PyTorch's numbers, relative to the largest of them.
fn off(found: &[f32], wanted: &[f32]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    if !found.iter().all(|f| f.is_finite()) {
        return f64::INFINITY;
    }
    let largest = wanted
        .iter()
        .fold(0.0f64, |m, &w| m.max(f64::from(w).abs()));
    assert!(largest > 0.0, "nothing to compare with");
    let differences = found.iter().zip(wanted);
    let differences = differences.map(|(&f, &w)| (f64::from(f) - f64::from(w)).abs());
    differences.fold(0.0, f64::max) / largest
}

/// The largest difference of each kind, with the tensor that has it.
#[derive(Default)]
struct Worst(BTreeMap<&'static str, (f64, String)>);

impl Worst {
    fn note(&mut self, kind: &'static str, name: &str, found: &[f32], wanted: &[f32]) {
        let off = off(found, wanted);
        let worst = self.0.entry(kind).or_default();
        if worst.1.is_empty() || off > worst.0 {
            *worst = (off, name.to_owned());
        }
    }

    fn check(&self, network: &str) {
        let told = self
            .0
            .iter()
            .map(|(kind, (off, name))| format!("{kind} off by {off:.1e} ({name})"));
        let told: Vec<_> = told.collect();
        let is_well = self.0.iter().all(|(kind, (off, _))| *off < tolerance(kind));
        assert!(is_well, "{network}: {}", told.join(", "));
    }
}

/// Float errors, a few times of what they are: sums of both are in an order of their own, which a processor may change. The gradient of a
/// scale is a sum of much larger numbers that nearly cancel out; the moves after it are small beside what they move.
fn tolerance(kind: &str) -> f64 {
    match kind {
        "loss" | "parameter" => 1e-6,
        "logits" | "running statistic" => 2e-6,
        "gradient" => 2e-5,
        _ => panic!("no tolerance for {kind}"),
    }
}

fn compare(name: &str, threads: usize) {
    let golden = Golden::read(name);
    let graph = from_model(&read_file(path(&format!("{name}.onnx")), &Limits::default()).unwrap());
    let graph = graph.unwrap();
    let inputs = golden.tensor("inputs");
    let (rows, mut row) = (inputs.shape()[0], inputs.shape().to_vec());
    row[0] = 1;
    let x = inputs.as_f32().unwrap();
    let threads = Threads::new(threads).unwrap();
    let mut network = Network::compile(&graph, &row, rows, 0, threads).unwrap();

    let is_trained = |kind| kind != ParameterKind::Running;
    let names = |all: bool| {
        let parameters = network.parameters().iter();
        let chosen = parameters.filter(|p| all || is_trained(p.kind()));
        let mut names: Vec<_> = chosen.map(|p| p.name().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(false), golden.names("gradient."));
    assert_eq!(names(true), golden.names("after."));

    let mut worst = Worst::default();
    let targets = golden.targets();
    for (step, &loss) in golden.floats("loss").iter().enumerate() {
        let found = network.forward_backward(x, rows, MOMENTUM, |rows, z, g| {
            targets.loss_and_gradient(rows, z, g)
        });
        worst.note("loss", &format!("of step {step}"), &[found as f32], &[loss]);
        if step == 0 {
            for p in network.parameters() {
                if is_trained(p.kind()) {
                    let wanted = golden.floats(&format!("gradient.{}", p.name()));
                    worst.note("gradient", p.name(), p.gradient(), wanted);
                }
            }
        }
        network.update(|block| {
            let width = block.values.len();
            sgd(block.values, block.gradient, width, STEP, |_, _| {});
        });
    }
    for p in network.parameters() {
        let wanted = golden.floats(&format!("after.{}", p.name()));
        let kind = match is_trained(p.kind()) {
            true => "parameter",
            false => "running statistic",
        };
        worst.note(kind, p.name(), p.values(), wanted);
    }
    let logits = network.forward(x, rows).to_vec();
    worst.note("logits", "by row", &logits, golden.floats("logits"));
    worst.check(name);
}

#[test]
fn residual_blocks_take_the_steps_of_pytorch() {
    [1, 2]
        .into_iter()
        .for_each(|threads| compare("residual", threads));
}

#[test]
fn lenet_takes_the_steps_of_pytorch() {
    [1, 2]
        .into_iter()
        .for_each(|threads| compare("lenet", threads));
}

#[test]
fn depthwise_convolutions_take_the_steps_of_pytorch() {
    [1, 2]
        .into_iter()
        .for_each(|threads| compare("depthwise", threads));
}
