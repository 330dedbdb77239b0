//! An ONNX model as a network.

mod attention;
mod attributes;
mod elementwise;
mod facts;
mod index;
mod movement;
mod node;
mod norm;
mod order;
mod pins;
mod plain;
mod resize;
mod sample;
mod unread;
mod value;

use std::collections::{HashMap, HashSet};

use secateur_onnx::proto::{GraphProto, ModelProto, NodeProto, TensorProto};
use secateur_onnx::{dense, keep_inside_node, write_node};

pub(crate) use self::pins::{named_by_training, parameters};
use self::value::{Constant, declared, declared_input};
use crate::raise::{NEWEST_OPSET, is_standard};
use crate::shapes::infer_shapes;
use crate::{Dim, Element, Error, Graph, GraphBuilder, Node, Op, Opaque, Result, ValueId};

/// The oldest operator set read: in older ones arithmetic broadcasts by attributes.
const OLDEST_OPSET: i64 = 7;

const CONVERT: &str = "convert the model with onnx.version_converter to operator set 17";

/// The network of an ONNX model.
///
/// Operators that [`Op`] names are understood, with the defaults of the model's operator set; any
/// other becomes [`Op::Opaque`] with its message. Initializers and `Constant` nodes of 32-bit
/// floats and 64-bit integers become constants, also where the file lists them as inputs. Constants
/// of other types are carried as opaque nodes as long as no understood node reads them. What is sparse, annotated
/// with a scale for each channel, or named by training information keeps its lengths. Nodes
/// without a name of their own get that of their first output. Nodes are put in an order in which
/// they can be evaluated.
///
/// Not kept: descriptions, shapes of values between nodes, and what [`crate::ModelMeta::of`] takes.
///
/// # Errors
/// Invalid: no graph or no operator set, a value made twice or by nobody, a cycle, inputs or
/// attributes that the operator does not have. Unsupported: operator sets outside 7 to 28, tensors whose data were not
/// taken in from another file, inputs that are not tensors. The place names the node or tensor.
pub fn from_model(model: &ModelProto) -> Result<Graph> {
    let graph = lowered(model, HashMap::new())?;
    let ranks = missing_ranks(&graph);
    match ranks.is_empty() {
        true => Ok(graph),
        false => lowered(model, ranks),
    }
}

/// The numbers of axes of what is read by nodes that were carried for want of them, where shapes tell these.
fn missing_ranks(graph: &Graph) -> HashMap<String, usize> {
    let wants = |node: &&Node| match &node.op {
        Op::Opaque(opaque) => is_standard(&opaque.domain) && node::wants_rank(&opaque.op_type),
        _ => false,
    };
    if !graph.nodes().iter().any(|node| wants(&node)) {
        return HashMap::new();
    }
    // Shapes that do not fit are told where they are asked for.
    let Ok(shaped) = infer_shapes(graph) else {
        return HashMap::new();
    };
    let read = shaped.nodes().iter().filter(wants);
    let read = read.filter_map(|node| node.input(0).ok());
    read.filter_map(|id| {
        let value = shaped.value(id);
        Some((value.name.clone(), value.shape.as_ref()?.len()))
    })
    .collect()
}

/// The network, with numbers of axes that the nodes alone do not tell.
fn lowered(model: &ModelProto, ranks: HashMap<String, usize>) -> Result<Graph> {
    let Some(graph) = model.graph.as_option() else {
        return Err(Error::invalid("the model holds no graph").hint("is it an ONNX file?"));
    };
    let opset = opset(model)?;
    let mut lowering = Lowering {
        builder: GraphBuilder::new(graph.name.clone().unwrap_or_default()),
        opset,
        known: HashMap::new(),
        node_names: HashMap::new(),
        integers: HashMap::new(),
        outputs: HashMap::new(),
        between: HashMap::new(),
        ranks,
        read: unread::names_read(graph),
    };
    lowering.whole(graph)?;
    for (name, reason) in pins::of(model, graph) {
        if let Some(known) = lowering.known.get(name) {
            lowering.builder.pin(known.id, reason);
        }
    }
    lowering.builder.build()
}
/// The numbers of a tensor message; none if they are of a type that is only carried along.
///
/// # Errors
/// If the message contradicts itself, or keeps its data in another file.
pub fn from_tensor(message: &TensorProto) -> Result<Option<crate::Tensor>> {
    Ok(match value::constant(message)? {
        Constant::Known(tensor) => Some(tensor),
        Constant::Carried => None,
    })
}

fn opset(model: &ModelProto) -> Result<i64> {
    let mut imports = model.opset_import.iter();
    let import = imports.find(|i| is_standard(i.domain.as_deref().unwrap_or_default()));
    let version = match import {
        Some(import) => import.version.unwrap_or_default(),
        None => return Err(Error::invalid("the model names no operator set")),
    };
    if (OLDEST_OPSET..=NEWEST_OPSET).contains(&version) {
        return Ok(version);
    }
    Err(Error::unsupported(format!(
        "operator set {version} is outside {OLDEST_OPSET} to {NEWEST_OPSET}"
    ))
    .hint(CONVERT))
}

/// What is known of a value while nodes are lowered.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: ValueId,
    /// The number of axes, where the nodes so far tell.
    rank: Option<usize>,
    /// The type of its elements, likewise.
    element: Option<Element>,
    /// Whether it is a constant whose type only opaque nodes may read.
    carried: bool,
}

/// What a file states of an output.
type Declared = (Option<Vec<Dim>>, Option<Element>);

struct Lowering<'a> {
    builder: GraphBuilder,
    opset: i64,
    known: HashMap<&'a str, Known>,
    /// Names that are taken, and the highest number of a copy of each.
    node_names: HashMap<String, usize>,
    /// Constants of whole numbers, which say along which axes nodes work.
    integers: HashMap<&'a str, Vec<i64>>,
    outputs: HashMap<&'a str, Declared>,
    /// What the file states of values between nodes: believed where nothing else tells.
    between: HashMap<&'a str, Declared>,
    /// Numbers of axes that nodes do not tell, by the name of the value.
    ranks: HashMap<String, usize>,
    /// Names that a node, a subgraph or an output of the graph reads.
    read: HashSet<&'a str>,
}

impl<'a> Lowering<'a> {
    fn whole(&mut self, graph: &'a GraphProto) -> Result<()> {
        let sparse = graph.sparse_initializer.iter();
        let sparse = sparse.filter_map(|s| s.values.as_option());
        let constants = graph.initializer.iter().chain(sparse);
        let constants: HashSet<&str> = constants.map(value::tensor_name).collect();
        for input in &graph.input {
            let name = input.name.as_deref().unwrap_or_default();
            if !constants.contains(name) {
                let (shape, element) = declared_input(input)?;
                let shape = shape.ok_or_else(|| {
                    Error::unsupported("is an input of unknown rank")
                        .at(name)
                        .hint("export the model with the shape of its inputs")
                })?;
                let rank = Some(shape.len());
                let id = self.builder.input(name, shape);
                element
                    .into_iter()
                    .for_each(|e| self.builder.of_type(id, e));
                self.know(name, id, rank, element);
            }
        }
        for tensor in &graph.initializer {
            self.constant(value::tensor_name(tensor), tensor, None)?;
        }
        for sparse in &graph.sparse_initializer {
            let dense = dense(sparse)?;
            let name = sparse.values.as_option().map(value::tensor_name);
            self.constant(name.unwrap_or_default(), &dense, None)?;
        }
        for output in &graph.output {
            let name = output.name.as_deref().unwrap_or_default();
            if !self.known.contains_key(name) {
                self.outputs.insert(name, declared(output)?);
            }
        }
        self.between = graph
            .value_info
            .iter()
            .filter_map(|info| Some((info.name.as_deref()?, declared(info).ok()?)))
            .collect();
        for index in order::of(&graph.node, |name| self.known.contains_key(name))? {
            self.node(&graph.node[index], index)?;
        }
        for output in &graph.output {
            let name = output.name.as_deref().unwrap_or_default();
            let known = self.known.get(name);
            let known =
                known.ok_or_else(|| Error::invalid("is an output that nothing makes").at(name))?;
            self.builder.output(known.id);
        }
        Ok(())
    }

    /// Adds a constant, or a node that carries it: `carrier`, or one made for it.
    fn constant(
        &mut self,
        name: &'a str,
        tensor: &TensorProto,
        carrier: Option<(&NodeProto, String)>,
    ) -> Result<()> {
        match value::constant(tensor)? {
            Constant::Known(tensor) => {
                let (rank, element) = (tensor.shape().len(), tensor.element());
                if let Some(integers) = tensor.as_i64() {
                    self.integers.insert(name, integers.to_vec());
                }
                let id = self.builder.constant(name, tensor);
                self.know(name, id, Some(rank), Some(element));
            }
            Constant::Carried => {
                match carrier {
                    Some((node, node_name)) => self.opaque(node, node_name, vec![], vec![name])?,
                    None => {
                        let node = value::constant_node(name, tensor);
                        let node_name = self.unique_name(name);
                        self.opaque(&node, node_name, vec![], vec![name])?;
                    }
                }
                if let Some(known) = self.known.get_mut(name) {
                    known.carried = true;
                }
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &'a NodeProto, index: usize) -> Result<()> {
        let name = self.unique_name(&node::label(node, index));
        self.node_named(node, name.clone())
            .map_err(|e| e.at_if_nowhere(&name))
    }

    fn node_named(&mut self, node: &'a NodeProto, name: String) -> Result<()> {
        let mut outputs: Vec<&str> = node.output.iter().map(String::as_str).collect();
        let constant = match node::standard(node) && node::op_type(node) == "Constant" {
            true => value::constant_of_node(node)?,
            false => None,
        };
        if let Some(tensor) = constant {
            return self.constant(outputs[0], &tensor, Some((node, name)));
        }
        // The order of nodes has made sure that every input is known.
        let known = |i: &String| self.known.get(i.as_str()).copied();
        let inputs: Vec<Option<Known>> = node.input.iter().map(known).collect();
        let ids: Vec<_> = inputs.iter().map(|i| i.map(|i| i.id)).collect();
        let ranks: Vec<_> = inputs.iter().map(|i| i.and_then(|i| i.rank)).collect();
        let integers = |i: &String| self.integers.get(i.as_str()).map(Vec::as_slice);
        let integers: Vec<Option<&[i64]>> = node.input.iter().map(integers).collect();
        let elements: Vec<_> = inputs.iter().map(|i| i.and_then(|i| i.element)).collect();
        let zeros: Vec<bool> = ids.iter().map(|id| self.is_zero(*id)).collect();
        let given = node::Inputs {
            ranks: &ranks,
            elements: &elements,
            integers: &integers,
            zeros: &zeros,
        };
        let is_carried = inputs.iter().flatten().any(|i| i.carried);
        let op = match is_carried {
            true => None,
            false => {
                let needed = unread::without(node, self.opset, &self.read);
                node::understood(&needed, self.opset, &given)?.map(|op| (op, needed.output.len()))
            }
        };
        let Some((op, made)) = op else {
            return self.opaque(node, name, ids, outputs);
        };
        outputs.truncate(made);
        if let (Op::Conv(_), Some(Some(weights))) = (&op, ids.get(1)) {
            node::check_kernel(node, self.builder.shape(*weights))?;
        }
        let rank = match (&op, integers.get(1)) {
            (Op::Reshape { .. }, Some(Some(lengths))) => Some(lengths.len()),
            _ => facts::rank(&op, &ranks),
        };
        facts::check_types(&op, &elements)?;
        let outputs = outputs.into_iter().enumerate();
        let outputs = outputs
            .map(|(at, output)| self.declare(output, rank, facts::element(&op, &elements, at)))
            .collect();
        let inputs = match op {
            // Of Dropout, whose rate means nothing in inference, only what passes is left.
            Op::Identity => ids[..1].to_vec(),
            _ => ids,
        };
        self.builder.add_node(Node {
            name,
            op,
            inputs,
            outputs,
        });
        Ok(())
    }

    /// Whether an input is a constant that is one zero.
    fn is_zero(&self, id: Option<ValueId>) -> bool {
        let tensor = id.and_then(|id| self.builder.tensor(id));
        tensor.is_some_and(|tensor| tensor.len() == 1 && tensor.numbers() == [0.0])
    }

    fn opaque(
        &mut self,
        node: &NodeProto,
        name: String,
        inputs: Vec<Option<ValueId>>,
        outputs: Vec<&'a str>,
    ) -> Result<()> {
        node::check_opaque(node)?;
        let captured = order::captured(node).into_iter();
        let captured = captured.filter_map(|name| self.known.get(name).map(|k| Some(k.id)));
        let inputs = inputs.into_iter().chain(captured).collect();
        // The message stands for itself: it names no other file.
        let mut message = node.clone();
        keep_inside_node(&mut message);
        let op = Op::Opaque(Opaque {
            domain: node.domain.clone().unwrap_or_default(),
            op_type: node::op_type(node).to_owned(),
            opset: self.opset,
            message: write_node(&message)?,
        });
        let outputs = outputs.into_iter().enumerate();
        let outputs = outputs.map(|(index, output)| match output {
            // An output that is left out has no name in the file and needs one here.
            "" => self.builder.declare(format!("{name}:{index}"), None),
            output => {
                let stated = self.between.get(output).cloned().unwrap_or_default();
                let rank = stated.0.as_ref().map(Vec::len);
                self.outputs.entry(output).or_insert(stated);
                self.declare(output, rank, None)
            }
        });
        let outputs = outputs.collect();
        self.builder.add_node(Node {
            name,
            op,
            inputs,
            outputs,
        });
        Ok(())
    }

    fn declare(&mut self, name: &'a str, rank: Option<usize>, element: Option<Element>) -> ValueId {
        let rank = rank.or_else(|| self.ranks.get(name).copied());
        let (shape, declared) = self.outputs.get(name).cloned().unwrap_or_default();
        let id = self.builder.declare(name, shape);
        let element = declared.or(element);
        element
            .into_iter()
            .for_each(|e| self.builder.of_type(id, e));
        self.know(name, id, rank, element);
        id
    }

    fn unique_name(&mut self, label: &str) -> String {
        let mut name = label.to_owned();
        // Where many nodes have one name, counting goes on where it stopped.
        let mut copies = self.node_names.get(label).copied().unwrap_or(0);
        while self.node_names.contains_key(&name) {
            copies += 1;
            name = format!("{label}#{copies}");
        }
        self.node_names.insert(name.clone(), 1);
        if copies > 0 {
            self.node_names.insert(label.to_owned(), copies);
        }
        name
    }

    fn know(&mut self, name: &'a str, id: ValueId, rank: Option<usize>, element: Option<Element>) {
        self.known.insert(
            name,
            Known {
                id,
                rank,
                element,
                carried: false,
            },
        );
    }
}
