//! Lengths of units by layer: what a penalty took from whom, and which layers shrank as a whole.

use std::fmt::{self, Write};

use secateur_train::{Collapse, LayerNorms, UnitNorms};
use serde::{Deserialize, Serialize};

use crate::Report;
use crate::markdown::significant;

/// The lengths of a layer's units at one time; a unit's length is the Euclidean norm of the weights that are penalised
/// together for it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NormReport {
    /// Units in the layer, penalised or spared.
    pub units: usize,
    /// Weights of a unit; they get fewer with the units of layers that read it.
    pub weights: usize,
    /// Root of the mean of the squared norms.
    pub rms: f64,
    /// Largest norm.
    pub largest: f64,
    /// Smallest norm.
    pub smallest: f64,
}

impl From<&UnitNorms> for NormReport {
    fn from(norms: &UnitNorms) -> Self {
        Self {
            units: norms.units,
            weights: norms.size,
            rms: norms.rms,
            largest: norms.largest,
            smallest: norms.smallest,
        }
    }
}

/// A layer whose units were penalised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The first node that makes the units; of chains `inputs`, `hidden layer 1` and so on.
    pub name: String,
    /// Whether a normalisation follows all weights that are penalised, so that they lose length at no loss.
    pub scale_free: bool,
    /// Before the first step.
    pub start: NormReport,
    /// After the last epoch.
    pub end: NormReport,
    /// How the layer shrank as a whole, if it did, and what can be done; a sentence without a full stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<String>,
}

impl From<&LayerNorms> for LayerReport {
    fn from(layer: &LayerNorms) -> Self {
        let told = |collapse: Collapse| collapse.told(&layer.name);
        Self {
            name: layer.name.clone(),
            scale_free: layer.is_scale_free,
            start: (&layer.start).into(),
            end: (&layer.end).into(),
            collapse: layer.collapse.map(told),
        }
    }
}

impl Report {
    /// A sentence for each layer that the penalty shrank as a whole, with its name.
    pub fn collapses(&self) -> Vec<String> {
        let told = self.layers.iter().filter_map(|l| l.collapse.as_ref());
        told.map(|sentence| format!("{}.", capital(sentence)))
            .collect()
    }

    /// A table of layers as Markdown; nothing for runs without a penalty.
    pub(crate) fn write_layers(&self, to: &mut String) -> fmt::Result {
        if self.layers.is_empty() {
            return Ok(());
        }
        writeln!(
            to,
            "\nNorms of units by layer, of the weights that are penalised together, from start to end:\n"
        )?;
        writeln!(
            to,
            "| layer | before a normalisation | units | root mean square | largest | smallest |"
        )?;
        writeln!(to, "|---|---|---:|---:|---:|---:|")?;
        for layer in &self.layers {
            let (from, to_end) = (&layer.start, &layer.end);
            let pair = |a: f64, b: f64| format!("{} to {}", significant(a), significant(b));
            writeln!(
                to,
                "| {} | {} | {} to {} | {} | {} | {} |",
                layer.name,
                if layer.scale_free { "yes" } else { "no" },
                from.units,
                to_end.units,
                pair(from.rms, to_end.rms),
                pair(from.largest, to_end.largest),
                pair(from.smallest, to_end.smallest),
            )?;
        }
        Ok(())
    }
}

/// The sentence with its first letter a capital.
fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_comes_with_what_is_said_of_it() {
        let norms = |rms| UnitNorms {
            units: 4,
            size: 9,
            rms,
            largest: 2.0 * rms,
            smallest: 0.0,
        };
        let layer = LayerNorms {
            name: "conv1".into(),
            is_scale_free: true,
            start: norms(1.0),
            end: norms(0.001),
            collapse: Some(Collapse::Emptied { steps: 2 }),
        };
        let report = LayerReport::from(&layer);
        assert_eq!((report.end.units, report.end.weights), (4, 9));
        let sentence = report.collapse.as_deref().unwrap();
        assert!(sentence.contains("emptied conv1"), "{sentence}");
        // Folders that older versions wrote say nothing of it, and healthy layers neither.
        let healthy = LayerReport {
            collapse: None,
            ..report
        };
        let text = serde_json::to_string(&healthy).unwrap();
        assert!(!text.contains("collapse"), "{text}");
        let back: LayerReport = serde_json::from_str(&text).unwrap();
        assert_eq!(back, healthy);
    }

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!(
            (capital("the end").as_str(), capital("").as_str()),
            ("The end", "")
        );
    }
}
