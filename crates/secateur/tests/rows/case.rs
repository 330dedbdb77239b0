//! What is run in the laws: data sets with what is made of them.

use std::path::Path;

use secateur::{Config, Flow, Outcome, compress, load_data};
use secateur_data::{Split, SplitOptions, split};
use secateur_graph::{Dim, Gemm, Graph, GraphBuilder, ModelMeta, Op, Tensor, Unary, to_model};
use secateur_testkit::Stream;
use tempfile::TempDir;

use crate::data::{Data, classes, numbers};

/// A data set in a folder, and what a run makes of it.
pub(crate) struct Case {
    folder: TempDir,
    pub(crate) data: Data,
    pub(crate) config: Config,
}

impl Case {
    /// The folder stays when the data change, so that the config stays, too.
    pub(crate) fn new(data: Data, config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("set");
        std::fs::create_dir(&place).unwrap();
        let config = Config {
            data: Some(place.display().to_string()),
            threads: Some(1),
            ..config
        };
        Self {
            folder,
            data,
            config,
        }
    }

    /// The same that starts from a network in a file.
    pub(crate) fn of_model(data: Data, graph: &Graph, config: Config) -> Self {
        let mut case = Self::new(data, config);
        let path = case.folder.path().join("model.onnx");
        let model = to_model(graph, &ModelMeta::default()).unwrap();
        std::fs::write(&path, secateur_onnx::write(&model).unwrap()).unwrap();
        case.config.model = Some(path.display().to_string());
        case
    }

    /// Where the data are.
    pub(crate) fn place(&self) -> &Path {
        Path::new(self.config.data.as_deref().unwrap())
    }

    /// Where there is room for results.
    pub(crate) fn room(&self) -> &Path {
        self.folder.path()
    }

    /// The parts into which the seed divides some data.
    pub(crate) fn split_of(&self, data: &Data) -> Split {
        data.write(self.place());
        let set = load_data(&self.config, None).unwrap();
        split(
            &set,
            self.config.seed.unwrap_or(0),
            &SplitOptions::default(),
        )
        .unwrap()
    }

    pub(crate) fn split(&self) -> Split {
        self.split_of(&self.data)
    }

    /// The data with some rows changed, which the seed divides as before.
    pub(crate) fn with(&self, change: impl FnOnce(Data, &Split) -> Data) -> Data {
        let before = self.split();
        let changed = change(self.data.clone(), &before);
        assert_eq!(self.split_of(&changed), before);
        changed
    }

    pub(crate) fn with_spoilt_tests(&self) -> Data {
        self.with(|data, split| data.spoilt(&split.test))
    }

    /// Puts the data where the config looks for them, and runs it.
    pub(crate) fn run(&self, data: &Data) -> Outcome {
        data.write(self.place());
        compress(&self.config, None, &mut |_| Flow::Continue).unwrap()
    }
}

/// A few epochs at a strength that removes some units.
pub(crate) fn short() -> Config {
    Config {
        net: Some("8".into()),
        strength: Some("0.02".into()),
        part: Some("full".into()),
        optimizer: Some("adam".into()),
        learning_rate: Some(0.02),
        epochs: Some(10),
        ..Config::default()
    }
}

/// Classes of a table, a chain under a budget of parameters.
pub(crate) fn table() -> Case {
    let config = Config {
        part: None,
        budget: Some("params=50%".into()),
        softmax: Some(true),
        ..short()
    };
    Case::new(classes(300, &[5], 0.4, 0), config)
}

/// Two numbers of a table with missing cells, a chain.
pub(crate) fn values() -> Case {
    let mut data = numbers(300, 4, 0);
    data.cells
        .iter_mut()
        .step_by(37)
        .for_each(|c| *c = f32::NAN);
    let config = Config {
        missing: Some("mean".into()),
        part: Some("budget:50%".into()),
        ..short()
    };
    Case::new(data, config)
}

/// Grey pictures with a test set of their own and classes of unequal weight, a chain on their pixels.
pub(crate) fn pixels() -> Case {
    let config = Config {
        class_weights: Some("balanced".into()),
        ..short()
    };
    Case::new(classes(240, &[3, 3], 0.4, 80), config)
}

/// Colored pictures that are mirrored and moved while they are learnt from, a network by name.
pub(crate) fn pictures() -> Case {
    let config = Config {
        net: Some("mlp".into()),
        strength: Some("0.001".into()),
        part: Some("budget:50%".into()),
        learning_rate: Some(0.003),
        epochs: Some(5),
        class_weights: Some("balanced".into()),
        ..short()
    };
    Case::new(classes(310, &[3, 4, 4], 0.5, 70), config)
}

/// A given classifier with a normalization inside and a softmax at its end.
pub(crate) fn classifier() -> Case {
    let config = Config {
        net: None,
        part: Some("budget:50%".into()),
        epochs: Some(5),
        ..short()
    };
    Case::of_model(classes(240, &[5], 0.4, 80), &network(5, 3, true), config)
}

/// A given model of numbers in their own units.
pub(crate) fn regressor() -> Case {
    let config = Config {
        net: None,
        part: Some("budget:50%".into()),
        epochs: Some(5),
        ..short()
    };
    Case::of_model(numbers(240, 4, 0), &network(4, 2, false), config)
}

/// Every kind of run.
pub(crate) fn all() -> [(&'static str, Case); 6] {
    [
        ("table", table()),
        ("values", values()),
        ("pixels", pixels()),
        ("pictures", pictures()),
        ("classifier", classifier()),
        ("regressor", regressor()),
    ]
}

/// Two layers with a normalization between, perhaps with a softmax at the end.
pub(crate) fn network(inputs: usize, outputs: usize, is_soft: bool) -> Graph {
    const UNITS: usize = 6;
    let mut stream = Stream::new(4);
    let mut b = GraphBuilder::new("net");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(inputs)]);
    let mut drawn = |name: &str, shape: &[usize], around: f64| {
        let numbers = (0..shape.iter().product()).map(|_| (around + 0.5 * stream.unit()) as f32);
        b.constant(name, Tensor::f32(shape, numbers.collect()).unwrap())
    };
    let first = drawn("first", &[inputs, UNITS], 0.0);
    let last = drawn("last", &[UNITS, outputs], 0.0);
    let bias = drawn("bias", &[outputs], 0.0);
    let norm_of = [1.0, 0.0, 0.0, 1.0]
        .iter()
        .zip(["scale", "shift", "mean", "variance"]);
    let norm_of: Vec<_> = norm_of.map(|(&v, name)| drawn(name, &[UNITS], v)).collect();
    let h = b.node("dense1", Op::MatMul, &[x, first]);
    let norm = Op::BatchNorm {
        epsilon: 1e-5,
        momentum: 0.9,
    };
    let h = b.node(
        "norm",
        norm,
        &[h, norm_of[0], norm_of[1], norm_of[2], norm_of[3]],
    );
    let h = b.node("act", Op::Unary(Unary::Relu), &[h]);
    let mut y = b.node("dense2", Op::Gemm(Gemm::default()), &[h, last, bias]);
    if is_soft {
        y = b.node("soft", Op::Softmax { axis: 1 }, &[y]);
    }
    b.output(y);
    b.build().unwrap()
}
