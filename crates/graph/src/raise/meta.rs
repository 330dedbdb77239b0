//! What a model file says beside the network itself.

use secateur_onnx::proto::{FunctionProto, ModelProto};

/// The newest operator set of which every handled operator is known.
pub(crate) const NEWEST_OPSET: i64 = 28;

/// The oldest operator set in which all handled operators mean what [`crate::Op`] says: that of the
/// present Softmax.
pub(crate) const OLDEST_WRITTEN_OPSET: i64 = 13;

/// What a model file says beside the network itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelMeta {
    /// The program that writes the file.
    pub producer_name: String,
    /// Its version.
    pub producer_version: String,
    /// A description for people; empty for none.
    pub doc: String,
    /// Keys and values for programs (`metadata_props`); keys must differ.
    pub properties: Vec<(String, String)>,
    /// The version of the standard operators, from 13 to 28. A graph with opaque nodes needs the
    /// one that it was read with, see [`ModelMeta::of`].
    pub opset: i64,
    /// Further operator domains and their versions, for opaque nodes.
    pub domains: Vec<(String, i64)>,
    /// Functions of the model's own, which opaque nodes call.
    pub functions: Vec<FunctionProto>,
}

impl Default for ModelMeta {
    /// Written by this library in operator set 17, without description or properties.
    fn default() -> Self {
        Self {
            producer_name: "secateur".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc: String::new(),
            properties: vec![],
            opset: 17,
            domains: vec![],
            functions: vec![],
        }
    }
}

impl ModelMeta {
    /// What a model read from a file says, so that a graph made from it can be written back.
    pub fn of(model: &ModelProto) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let mut meta = Self {
            producer_name: text(&model.producer_name),
            producer_version: text(&model.producer_version),
            doc: text(&model.doc_string),
            properties: vec![],
            opset: OLDEST_WRITTEN_OPSET,
            domains: vec![],
            functions: model.functions.clone(),
        };
        for entry in &model.metadata_props {
            meta.properties.push((text(&entry.key), text(&entry.value)));
        }
        for import in &model.opset_import {
            let version = import.version.unwrap_or_default();
            let domain = import.domain.as_deref().unwrap_or_default();
            if is_standard(domain) {
                // Older files are read only when every node means the same in this set.
                meta.opset = version.max(OLDEST_WRITTEN_OPSET);
            } else {
                meta.domains.push((domain.to_owned(), version));
            }
        }
        meta
    }

    /// The version of the file format that came with the operator set: runtimes that know the one
    /// know the other.
    pub(super) fn ir_version(&self) -> i64 {
        match self.opset {
            ..=14 if !self.functions.is_empty() => 8,
            ..=14 => 7,
            15..=18 => 8,
            19..=20 => 9,
            21..=22 => 10,
            23 => 11,
            24 => 12,
            25..=27 => 13,
            28.. => 14,
        }
    }
}

/// Whether a domain is that of the standard operators.
pub(crate) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}
