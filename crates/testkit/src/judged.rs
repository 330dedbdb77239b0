//! Models of one operator each, with what an independent runtime made of them.
//!
//! `scripts/build_operators.py` draws them: attributes that are given and that are left out, so that what the
//! operator means
//! without them is known from elsewhere. [`attributes_of`] says what there must be of each operator.

mod attributes;

use std::error::Error;

use secateur_graph::{Array, Graph, Op, from_model, from_tensor};
use secateur_onnx::proto::{GraphProto, ModelProto, TensorProto};
use secateur_onnx::{Limits, read};

pub use self::attributes::{ATTRIBUTES, attributes_of};

const FILE: &[u8] = include_bytes!("../fixtures/operators.bin");

/// A model of one operator, with what an independent runtime made of it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The operator, its operator set and its attributes.
    pub name: String,
    /// The model.
    pub model: ModelProto,
    /// Numbers for its inputs.
    pub inputs: Vec<Array>,
    /// What its outputs are for these.
    pub wanted: Vec<Array>,
}

impl Judged {
    /// The network.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn graph(&self) -> secateur_graph::Result<Graph> {
        from_model(&self.model).map_err(|e| e.at(self.name.as_str()))
    }

    /// The operator in the format.
    pub fn op_type(&self) -> &str {
        let node = self.model.graph.node.first();
        node.and_then(|node| node.op_type.as_deref())
            .unwrap_or_default()
    }

    /// The operator set that the model is written in.
    pub fn opset(&self) -> i64 {
        let standard = self.model.opset_import.iter();
        let mut standard =
            standard.filter(|set| set.domain.as_deref().unwrap_or_default().is_empty());
        standard
            .next()
            .and_then(|set| set.version)
            .unwrap_or_default()
    }

    /// Whether the file gives an attribute.
    pub fn gives(&self, attribute: &str) -> bool {
        let nodes = self.model.graph.node.iter();
        let mut given = nodes.flat_map(|node| &node.attribute);
        given.any(|a| a.name.as_deref() == Some(attribute))
    }

    /// The operator as a network has it; none where it is only carried along.
    ///
    /// # Errors
    /// If the model cannot be read.
    pub fn op(&self) -> secateur_graph::Result<Option<Op>> {
        let op = self.graph()?.nodes().first().map(|node| node.op.clone());
        Ok(op.filter(|op| !matches!(op, Op::Opaque(_))))
    }
}

/// All of them.
///
/// # Errors
/// If the file is damaged.
pub fn judged() -> Result<Vec<Judged>, Box<dyn Error>> {
    let mut rest = FILE;
    let mut all = vec![];
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (bytes, behind) = behind
            .split_at_checked(length)
            .ok_or("a model is cut off")?;
        all.push(one(bytes)?);
        rest = behind;
    }
    Ok(all)
}

fn one(bytes: &[u8]) -> Result<Judged, Box<dyn Error>> {
    let mut model = read(bytes, &Limits::default())?;
    let graph = model.graph.get_or_insert_default();
    let numbers: Vec<TensorProto> = {
        let all = std::mem::take(&mut graph.initializer);
        let (numbers, constants) = all.into_iter().partition(|t| named(t).contains(':'));
        graph.initializer = constants;
        numbers
    };
    let of = |prefix: &str, names: Vec<String>| -> Result<Vec<Array>, Box<dyn Error>> {
        let mut all = vec![];
        for name in names {
            let wanted = format!("{prefix}:{name}");
            let tensor = numbers.iter().find(|t| named(t) == wanted);
            let tensor = from_tensor(tensor.ok_or(wanted)?)?.ok_or(name)?;
            all.push(Array::new(tensor.shape(), tensor.numbers())?);
        }
        Ok(all)
    };
    let (inputs, outputs) = names(graph);
    Ok(Judged {
        name: graph.name.clone().unwrap_or_default(),
        inputs: of("given", inputs)?,
        wanted: of("wanted", outputs)?,
        model,
    })
}

fn names(graph: &GraphProto) -> (Vec<String>, Vec<String>) {
    let names = |values: &[secateur_onnx::proto::ValueInfoProto]| {
        values.iter().filter_map(|v| v.name.clone()).collect()
    };
    (names(&graph.input), names(&graph.output))
}

fn named(tensor: &TensorProto) -> &str {
    tensor.name.as_deref().unwrap_or_default()
}
