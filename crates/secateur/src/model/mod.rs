//! Models of others: an ONNX file in, what can be removed from it, and a smaller file out.

mod beforehand;
mod check;
mod data;
mod describe;
mod dot;
mod draw;
mod engine;
mod files;
mod given;
mod hint;
mod lengths;
mod loaded;
mod naive;
mod new;
mod part;
mod quality;
mod repair;
mod sample;
mod shrink;
mod start;
mod work;

use std::path::Path;

use secateur_graph::{
    Array, ChannelGroups, Cost, Element, Graph, cost, from_model, inline_branches, lighten, patch,
    set_apart, settle,
};
use secateur_onnx::proto::ModelProto;
use secateur_onnx::{Limits, external_locations, read_file, take_in_external};

pub use check::ModelEvidence;
use files::Beside;
pub(crate) use loaded::{WRITTEN_DATA, needs_plain_form, written};

pub use data::ModelData;
pub use new::{NewModel, new_model};
pub use quality::{Quality, quality_table, quality_to_json};
pub use repair::{
    Changed, Loss, OutputLoss, Repair, RepairBy, RepairEvidence, RepairInputs, Rounded,
};
pub use shrink::{SmallModel, shrink_model, shrink_model_on};
pub use start::Start;
pub(crate) use work::{MOST_ELEMENTS, work};

use crate::job::RUN_PROPERTY;
use crate::whole_file::folder;
use crate::{Error, ErrorKind, Result};

/// Where a model is at fault and nothing better is known.
const HINT: &str = "onnx.checker.check_model(path, full_check=True) tells whether the model is valid; if so, export it without this";

/// An ONNX file, the network in it, and the channels that live together.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// Where it was read.
    pub(crate) name: String,
    /// The file but for the numbers that the graph holds.
    pub(crate) model: ModelProto,
    /// The same with the branches that every input takes in place of the nodes that choose them, if there are some.
    inlined: Option<Inlined>,
    /// The network as the file has it.
    pub(crate) plain: Graph,
    /// The same, settled, where every reader of a uniform constant has its own.
    pub(crate) graph: Graph,
    is_settled: bool,
    pub(crate) groups: ChannelGroups,
    beside: Beside,
    /// What results are verified on, if not on what is drawn.
    given: Option<Vec<(Element, Array)>>,
    /// Of a row, at the lengths that were given.
    cost: Cost,
    /// What open axes of inputs are counted and drawn with, if that was said.
    lengths: Option<lengths::Lengths>,
    bytes: u64,
}

/// A file with the branches that are taken, but for the numbers that its network holds.
#[derive(Debug, Clone)]
struct Inlined {
    model: ModelProto,
    network: Graph,
}

/// Whether a run wrote the model, so that it scales its inputs itself; a file that cannot be read is told of where it is.
///
/// Only looks at the properties, which needs neither its network nor its groups.
pub(crate) fn takes_raw(path: &Path) -> bool {
    let is_run = |model: ModelProto| {
        let mut keys = model.metadata_props.iter().map(|p| p.key.as_deref());
        keys.any(|key| key == Some(RUN_PROPERTY))
    };
    read_file(path, &Limits::default()).is_ok_and(is_run)
}

impl ModelFile {
    /// Reads a file, with the data that it keeps in others of its folder, and finds its groups.
    ///
    /// # Errors
    /// If it is no ONNX file, or one that cannot be kept as it is.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let place = |error: Error| {
            let hint = error.hint_text().unwrap_or(HINT).to_owned();
            match error.to_string().contains(&name) {
                true => error.hint(hint),
                false => Error::new(error.kind(), error.to_string())
                    .at(&name)
                    .hint(hint),
            }
        };
        if !path.is_file() {
            let message = match (path.is_dir(), path.exists()) {
                (true, _) => "is a folder, not a model",
                (false, true) => "is no regular file",
                (false, false) => "there is no such file",
            };
            return Err(Error::new(ErrorKind::Input, message)
                .at(&name)
                .hint("check the path"));
        }
        let unreadable = |e: secateur_onnx::Error| {
            let hint = e.hint_text().unwrap_or("is it an ONNX file?");
            place(Error::new(ErrorKind::Input, e.to_string()).hint(hint))
        };
        let limits = Limits::default();
        let mut model = read_file(path, &limits).map_err(unreadable)?;
        let folder = folder(path);
        let beside = Beside {
            folder: folder.clone(),
            locations: external_locations(&mut model),
        };
        let external = take_in_external(&mut model, &folder, &limits).map_err(unreadable)?;
        let bytes = std::fs::metadata(path).map_or(0, |m| m.len()) + external;
        let graph = from_model(&model).map_err(Error::from).map_err(place)?;
        let inlined = inline_branches(&model, &graph)
            .map_err(Error::from)
            .map_err(place)?;
        let inlined = match inlined {
            Some(mut model) => {
                let network = from_model(&model).map_err(Error::from).map_err(place)?;
                lighten(&mut model, &network);
                Some(Inlined { model, network })
            }
            None => None,
        };
        lighten(&mut model, &graph);
        let network = inlined.as_ref().map_or(&graph, |inlined| &inlined.network);
        let file = Self::settled(name.clone(), model, graph.clone(), network, bytes);
        let file = file.map_err(place)?;
        Ok(Self {
            beside,
            is_settled: file.is_settled || inlined.is_some(),
            inlined,
            ..file
        })
    }

    /// What was read already, with `plain` as the network in it; nothing lies beside it.
    ///
    /// # Errors
    /// If shapes do not fit together.
    pub(crate) fn of(name: String, model: ModelProto, plain: Graph, bytes: u64) -> Result<Self> {
        let network = plain.clone();
        Self::settled(name, model, plain, &network, bytes)
    }

    /// The same where `network` is settled, which is `plain` with the branches that every input takes.
    fn settled(
        name: String,
        model: ModelProto,
        plain: Graph,
        network: &Graph,
        bytes: u64,
    ) -> Result<Self> {
        let settled = settle(network)?;
        let sizes = |graph: &Graph| (graph.nodes().len(), graph.values().len());
        let is_settled = sizes(&plain) != sizes(&settled);
        let graph = set_apart(&settled);
        Ok(Self {
            name,
            is_settled,
            groups: ChannelGroups::of(&graph)?,
            cost: cost(&graph)?,
            beside: Beside::default(),
            given: None,
            lengths: None,
            model,
            inlined: None,
            plain,
            graph,
            bytes,
        })
    }

    /// The file as it came.
    pub(crate) fn as_it_came(&self) -> Result<ModelProto> {
        Ok(patch(&self.model, &self.plain, &self.plain)?)
    }

    /// The network of the file as it came, where an `If` that is decided is the branch that it takes.
    fn decided(&self) -> &Graph {
        let inlined = self.inlined.as_ref();
        inlined.map_or(&self.plain, |inlined| &inlined.network)
    }

    /// The file with what made `changed` out of its network.
    pub(crate) fn patched(&self, changed: &Graph) -> Result<ModelProto> {
        let inlined = self.inlined.as_ref();
        let model = inlined.map_or(&self.model, |inlined| &inlined.model);
        Ok(patch(model, &self.graph, changed)?)
    }

    /// The network, its shapes inferred, computations of shapes [settled](secateur_graph::settle()) and uniform constants
    /// [set apart](secateur_graph::set_apart()).
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Whether computations in the file were settled.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// What the file is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its groups.
    pub fn groups(&self) -> &ChannelGroups {
        &self.groups
    }

    /// What it costs.
    pub fn cost(&self) -> &Cost {
        &self.cost
    }

    /// Size of the file and of what it keeps in others.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}
