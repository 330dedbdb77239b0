//! What is in a model, in tables.

use std::collections::HashSet;
use std::sync::Arc;

use secateur_graph::{Dim, Graph, Group, GroupKind, NodeId, Role, ValueId};
use serde_json::{Value, json};

use super::{ModelFile, SmallModel};
use crate::compare::Table;
use crate::markdown::grouped;

impl ModelFile {
    /// Inputs, outputs, parameters and MACs: a line each.
    pub fn headline(&self) -> Vec<String> {
        let mut lines = vec![];
        for (what, ids) in [
            ("input", self.graph.inputs()),
            ("output", self.graph.outputs()),
        ] {
            lines.extend(
                ids.iter()
                    .map(|&id| format!("{what} {}", shaped(&self.graph, id))),
            );
        }
        let unknown = self.cost.nodes.iter().filter(|n| n.macs.is_none()).count();
        let mut sizes = format!(
            "{} params, {} MACs a row, {} bytes",
            grouped(self.cost.params),
            grouped(self.cost.macs),
            grouped(self.bytes)
        );
        if unknown > 0 {
            sizes += &format!("; {unknown} nodes are not understood and not counted");
        }
        let at = self.given_shapes();
        if !at.is_empty() {
            sizes += &format!("; at {}", at.join(", "));
        }
        if let Some(shape) = self.shape_to_give() {
            sizes +=
                &format!("; open axes count as one position: give them lengths, such as {shape}");
        }
        lines.push(sizes);
        lines
    }

    /// Nodes that cost something or are not understood, in the order of evaluation.
    pub fn node_table(&self) -> Table {
        let costly = self
            .cost
            .nodes
            .iter()
            .filter(|n| n.params > 0 || n.macs != Some(0));
        let graph = self.sized();
        let rows = costly.map(|n| {
            let node = graph.node(n.node);
            let made = node.outputs.first().map(|&id| shape(graph, id));
            vec![
                n.name.clone(),
                node.op.onnx_name().to_owned(),
                made.unwrap_or_default(),
                grouped(n.params),
                n.macs.map_or("not known".into(), grouped),
            ]
        });
        Table {
            title: "nodes with parameters or MACs".into(),
            note: "MACs are multiply-accumulate operations a row.".into(),
            header: ["node", "operator", "makes", "params", "MACs"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        }
    }

    /// Groups of channels that live and die together.
    pub fn group_table(&self) -> Table {
        let rows = self.groups.groups().iter().map(|group| {
            vec![
                group.name.clone(),
                kind(group).to_owned(),
                grouped(group.units as u64),
                grouped(group.size(&self.graph) as u64),
                tensors(&self.graph, group),
                group
                    .frozen
                    .as_ref()
                    .map_or("-".into(), ToString::to_string),
            ]
        });
        Table {
            title: "groups of channels".into(),
            note: "A unit is a channel with its slices of all tensors. A frozen group cannot lose units, as it ...".into(),
            header: ["group", "kind", "units", "weights that read a unit", "tensors", "frozen"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        }
    }

    /// All of it for scripts.
    pub fn to_json(&self) -> Value {
        let values =
            |ids: &[ValueId]| -> Value { ids.iter().map(|&id| shaped(&self.graph, id)).collect() };
        let nodes = self.cost.nodes.iter().map(|n| {
            let op = self.sized().node(n.node).op.onnx_name();
            json!({ "name": n.name, "op": op, "params": n.params, "macs": n.macs })
        });
        let groups = self.groups.groups().iter().map(|group| {
            let members = group.members.iter().map(|m| {
                json!({
                    "tensor": self.graph.value(m.tensor).name,
                    "axis": m.axis,
                    "role": m.role.to_string(),
                    "unit_of": m.unit_of,
                })
            });
            json!({
                "name": group.name,
                "kind": kind(group),
                "units": group.units,
                "members": members.collect::<Value>(),
                "frozen": group.frozen.as_ref().map(ToString::to_string),
            })
        });
        json!({
            "inputs": values(self.graph.inputs()),
            "outputs": values(self.graph.outputs()),
            "params": self.cost.params,
            "macs": self.cost.macs,
            "bytes": self.bytes,
            "at": self.given_shapes(),
            "nodes": nodes.collect::<Value>(),
            "groups": groups.collect::<Value>(),
        })
    }
}

impl SmallModel {
    /// Before and after.
    pub fn table(&self, file: &ModelFile) -> Table {
        let row = |name: &str, before: u64, after: u64| {
            let ratio = before as f64 / after.max(1) as f64;
            vec![
                name.to_owned(),
                grouped(before),
                grouped(after),
                format!("{ratio:.2}"),
            ]
        };
        let units = |kept: bool| -> u64 {
            let free = file
                .groups
                .iter()
                .filter(|(_, g)| g.kind == GroupKind::Hidden);
            free.map(|(id, g)| if kept { self.keep().count(id) } else { g.units } as u64)
                .sum()
        };
        Table {
            title: "before and after".into(),
            note: String::new(),
            header: ["", "before", "after", "before / after"]
                .map(str::to_owned)
                .to_vec(),
            rows: vec![
                row("params", file.cost.params, self.cost().params),
                row("MACs a row", file.cost.macs, self.cost().macs),
                row("bytes", file.bytes, self.whole_bytes()),
                row("hidden units", units(false), units(true)),
            ],
        }
    }

    /// Which positions of which tensors stayed, and for every group its units, their scores and which stayed, so that
    /// anyone can make the masked model.
    ///
    /// A constant that the file holds once for several readers may be cut for each in another way. What is said of all
    /// but the first names the `reader`, by the first value that it makes, and the `input` of it; so does what is said of a
    /// constant that the file computes others from, which are cut in their own way.
    pub fn to_json(&self, file: &ModelFile) -> Value {
        let tensors = self.cuts().iter().flat_map(|cut| {
            let name = &file.graph.value(cut.tensor).name;
            let told = json!({ "tensor": name, "axis": cut.axis, "kept": cut.kept });
            let places = match copied(file, cut.tensor) {
                Some(place) => vec![place],
                None if makes_others(file, cut.tensor) => places(file, cut.tensor, name),
                None => vec![],
            };
            let of_place = |place: &Copied<'_>| {
                let mut told = told.clone();
                told["tensor"] = place.origin.into();
                told["reader"] = place.reader.into();
                told["input"] = place.slot.into();
                told
            };
            match places.is_empty() {
                true => vec![told],
                false => places.iter().map(of_place).collect(),
            }
        });
        let tensors = tensors.chain(self.whole_copies(file));
        let groups = file.groups.iter().zip(self.scores()).map(|((id, group), scores)| {
            json!({ "name": group.name, "units": group.units, "scores": scores, "kept": self.keep().kept(id) })
        });
        json!({
            "params": { "before": file.cost.params, "after": self.cost().params },
            "macs": { "before": file.cost.macs, "after": self.cost().macs, "at": file.given_shapes(), "nearest": self.nearest() },
            "bytes": { "before": file.bytes, "after": self.whole_bytes() },
            "tensors": tensors.collect::<Value>(),
            "groups": groups.collect::<Value>(),
            "verified": self.evidence(),
            "repair": self.repaired().map(super::Repair::to_json),
        })
    }

    /// Of a constant that is cut for its first reader: the other readers for which it stays whole.
    fn whole_copies<'f>(&'f self, file: &'f ModelFile) -> impl Iterator<Item = Value> + 'f {
        let is_cut = |id: ValueId| self.cuts().iter().any(|cut| cut.tensor == id);
        let graph = &file.graph;
        let whole = graph.value_ids().filter(move |&id| !is_cut(id));
        let copies = whole.filter_map(|id| Some((id, copied(file, id)?)));
        copies.flat_map(move |(id, place)| {
            let origin = graph.value_named(place.origin);
            let of_origin = self.cuts().iter().filter(move |cut| Some(cut.tensor) == origin);
            let shape = graph.constant(id).map_or(&[][..], secateur_graph::Tensor::shape);
            let (name, reader, slot) = (place.origin, place.reader, place.slot);
            of_origin.map(move |cut| {
                let all: Vec<usize> = (0..shape[cut.axis]).collect();
                json!({ "tensor": name, "axis": cut.axis, "kept": all, "reader": reader, "input": slot })
            })
        })
    }

    /// How it was verified, in a sentence.
    pub fn verified(&self) -> String {
        let evidence = self.evidence();
        let mut ways = vec![];
        if let Some(difference) = evidence.runtime_difference {
            ways.push(format!("{} within {difference:.0e}", crate::runtime::NAME));
        }
        if let Some(difference) = evidence.naive_difference {
            let cut = match &evidence.cut_at[..] {
                [] => String::new(),
                [node] => format!(" in pieces around '{node}'"),
                [first, others @ ..] => {
                    format!(
                        " in pieces around '{first}' and {} other nodes",
                        others.len()
                    )
                }
            };
            ways.push(format!("the f64 evaluator{cut} within {difference:.0e}"));
        }
        if let (Some(difference), Some(sampled)) =
            (evidence.engine_difference, evidence.engine_sampled)
        {
            ways.push(format!(
                "the engine within {difference:.0e}, which agrees with the f64 evaluator at sampled places of every node within {sampled:.0e}"
            ));
        }
        let mut text = format!(
            "verified: outputs of the masked and the small model agree on {} inputs, on {} (relative)",
            if evidence.inputs_given {
                "the given"
            } else {
                "drawn"
            },
            ways.join(" and on ")
        );
        if let Some(why) = &evidence.runtime_refused {
            text += &format!("; {why}");
        }
        if evidence.masking_moved == Some(0.0) {
            text += "\nnote: the units that went moved no output on these inputs, so that the agreement shows little: is the model trained?";
        }
        text
    }
}

/// Where a constant is read that is a copy of one of the file.
struct Copied<'f> {
    origin: &'f str,
    reader: &'f str,
    slot: usize,
}

fn copied(file: &ModelFile, tensor: ValueId) -> Option<Copied<'_>> {
    let value = file.graph.value(tensor);
    if file.plain.value_named(&value.name).is_some() {
        return None;
    }
    let numbers = value.constant.as_ref()?;
    let holds =
        |v: &&secateur_graph::Value| v.constant.as_ref().is_some_and(|c| Arc::ptr_eq(c, numbers));
    let origin = file.plain.values().iter().find(holds)?;
    let reader = file.graph.node(*file.graph.readers(tensor).first()?);
    Some(Copied {
        origin: &origin.name,
        reader: &file.graph.value(*reader.outputs.first()?).name,
        slot: reader.inputs.iter().position(|i| *i == Some(tensor))?,
    })
}

/// Whether the file computes constants from one by more than moving its elements.
fn makes_others(file: &ModelFile, tensor: ValueId) -> bool {
    let mut made = HashSet::from([tensor]);
    for node in file.decided().nodes() {
        let is_ahead = node
            .outputs
            .iter()
            .all(|&id| file.graph.constant(id).is_some());
        if is_ahead && node.inputs.iter().flatten().any(|id| made.contains(id)) {
            made.extend(&node.outputs);
        }
    }
    made.iter()
        .any(|&id| file.graph.origin(id) != file.graph.origin(tensor))
}

/// Everywhere that a constant is read.
fn places<'f>(file: &'f ModelFile, tensor: ValueId, origin: &'f str) -> Vec<Copied<'f>> {
    let readers = file.graph.readers(tensor).iter();
    let of_reader = |&reader: &NodeId| {
        let node = file.graph.node(reader);
        let reader = node
            .outputs
            .first()
            .map(|&id| file.graph.value(id).name.as_str());
        let slots = (0..node.inputs.len()).filter(|&slot| node.inputs[slot] == Some(tensor));
        slots.filter_map(move |slot| {
            Some(Copied {
                origin,
                reader: reader?,
                slot,
            })
        })
    };
    readers.flat_map(of_reader).collect()
}

fn kind(group: &Group) -> &'static str {
    match group.kind {
        GroupKind::Input(_) => "input",
        GroupKind::Hidden => "hidden",
    }
}

/// Names of the tensors that hold a group, those that make it first.
fn tensors(graph: &Graph, group: &Group) -> String {
    let mut names: Vec<(Role, &str)> = group
        .members
        .iter()
        .map(|m| (m.role, graph.value(m.tensor).name.as_str()))
        .collect();
    names.sort_by_key(|(role, _)| *role);
    names.dedup();
    let shown: Vec<&str> = names.iter().take(4).map(|(_, name)| *name).collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(" "),
        more => format!("{} and {more} more", shown.join(" ")),
    }
}

fn shaped(graph: &Graph, id: ValueId) -> String {
    format!("{} {}", graph.value(id).name, shape(graph, id))
}

/// The shape of a value, for people.
pub(super) fn shape(graph: &Graph, id: ValueId) -> String {
    let dims = graph.value(id).shape.as_ref();
    dims.map_or("of unknown shape".into(), |dims| {
        let dims: Vec<String> = dims.iter().map(Dim::to_string).collect();
        format!("[{}]", dims.join(", "))
    })
}
