//! What a repaired file says of how it was made.

use secateur_onnx::proto::{ModelProto, StringStringEntryProto};
use secateur_prune::Choice;
use serde_json::{Map, Value, json};

use super::lost::OutputLoss;
use super::{RepairBy, RepairInputs};
use crate::job::short_hash;
use crate::model::check::TOLERANCE;
use crate::runtime::NAME;

/// The property that says it, in JSON.
pub(super) const REPAIR_PROPERTY: &str = "secateur.repair";

/// How units were chosen, what gave back what they took, on how many inputs, how far outputs are from those of the model that it was made
/// of, and what the file was verified on before it was written.
pub(super) fn how_made(
    choice: &Choice,
    by: RepairBy,
    way: &str,
    inputs: &RepairInputs,
    outputs: &[OutputLoss],
) -> String {
    let text = |pattern: &Option<regex::Regex>| pattern.as_ref().map(ToString::to_string);
    let lost = outputs
        .iter()
        .map(|loss| (loss.name.clone(), json!(loss.repaired)));
    let config = json!({
        "program": concat!("secateur ", env!("CARGO_PKG_VERSION")),
        "keep": choice.limit.to_string(),
        "by": choice.by.name(),
        "allocation": choice.allocation.to_string(),
        "seed": choice.seed,
        "min": choice.min,
        "round": choice.round,
        "only": text(&choice.only),
        "except": text(&choice.except),
        "repair_by": by.name(),
        "inputs": { "fitted_on": inputs.rows[0], "chosen_on": inputs.rows[1], "tested_on": inputs.rows[2], "numbers": inputs.fed },
    });
    let all = json!({
        "config_hash": short_hash(&config.to_string()),
        "config": config,
        "repaired_by": way,
        "lost": Value::Object(lost.collect::<Map<_, _>>()),
        "verified": { "runtime": NAME, "tolerance": TOLERANCE },
    });
    all.to_string()
}

/// Sets a property of a model, which has each once.
pub(super) fn put_property(model: &mut ModelProto, key: &str, value: String) {
    model
        .metadata_props
        .retain(|p| p.key.as_deref() != Some(key));
    model.metadata_props.push(StringStringEntryProto {
        key: Some(key.to_owned()),
        value: Some(value),
        ..StringStringEntryProto::default()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_there_once() {
        let mut model = ModelProto::default();
        put_property(&mut model, "other", "stays".into());
        put_property(&mut model, REPAIR_PROPERTY, "first".into());
        put_property(&mut model, REPAIR_PROPERTY, "second".into());
        let all: Vec<_> = model
            .metadata_props
            .iter()
            .map(|p| (p.key.as_deref(), p.value.as_deref()))
            .collect();
        assert_eq!(
            all,
            [
                (Some("other"), Some("stays")),
                (Some(REPAIR_PROPERTY), Some("second"))
            ]
        );
    }
}
