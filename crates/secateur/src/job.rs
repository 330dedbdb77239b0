//! What a plan means for the data at hand: networks, rows and the file, before and after training.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_data::Target;
use secateur_graph::{Graph, ModelMeta};
use secateur_train::{Mlp, Rows, outputs};
use sha2::{Digest, Sha256};

use crate::assemble::{Wrapping, assemble};
use crate::prepare::Prepared;
use crate::verify::{Verified, serialise};
use crate::{Plan, Result};

/// Stream of random numbers for initial weights.
pub(crate) const WEIGHT_STREAM: u64 = 1;
/// Real rows on which the written file is checked.
const VERIFY_ROWS: usize = 256;

/// A plan with the data that it is for.
pub(crate) struct Job {
    pub(crate) plan: Plan,
    pub(crate) prepared: Prepared,
}

impl Job {
    /// Whether classes are predicted.
    pub(crate) fn is_classification(&self) -> bool {
        matches!(self.prepared.dataset.target(), Target::Classes { .. })
    }

    /// The network with these hidden widths and the seed's initial weights.
    pub(crate) fn network(&self, hidden: &[usize]) -> Result<Graph> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.settings.seed);
        rng.set_stream(WEIGHT_STREAM);
        let mlp = Mlp {
            inputs: self.prepared.dataset.inputs(),
            hidden: hidden.to_vec(),
            outputs: self.prepared.dataset.outputs(),
            activation: self.plan.activation,
            init: self.plan.init,
        };
        Ok(mlp.build(&mut rng)?)
    }

    /// The hidden widths scaled alike so that the MACs come as near to `macs` as they can.
    pub(crate) fn narrowed(&self, macs: u64) -> Vec<usize> {
        let (inputs, outputs) = (
            self.prepared.dataset.inputs(),
            self.prepared.dataset.outputs(),
        );
        let scaled = |factor: f64| -> Vec<usize> {
            let width = |&w: &usize| ((w as f64 * factor).round() as usize).max(1);
            self.plan.hidden.iter().map(width).collect()
        };
        let cost = |hidden: &[usize]| {
            let mut widths = vec![inputs];
            widths.extend(hidden);
            widths.push(outputs);
            widths.windows(2).map(|w| (w[0] * w[1]) as u64).sum::<u64>()
        };
        (1..=2000)
            .map(|i| scaled(f64::from(i) / 2000.0))
            .min_by_key(|hidden| cost(hidden).abs_diff(macs))
            .unwrap_or_else(|| self.plan.hidden.clone())
    }

    /// Standardised rows with their targets.
    pub(crate) fn rows(&self, rows: &[u32]) -> Result<Rows> {
        self.prepared.rows(
            rows,
            self.plan.class_loss,
            self.plan.regression_loss,
            self.plan.balanced,
        )
    }

    fn wrapping(&self) -> Wrapping<'_> {
        Wrapping {
            standardiser: &self.prepared.standardiser,
            target_scaler: self.prepared.target_scaler.as_ref(),
            softmax: self.plan.softmax,
        }
    }

    /// The file of a trained network, run elsewhere on test rows.
    pub(crate) fn verified(&self, core: &Graph) -> Result<Verified> {
        let graph = assemble(core, self.wrapping())?;
        let test = &self.prepared.split.test;
        let sample = &test[..VERIFY_ROWS.min(test.len())];
        let rows = self.rows(sample)?;
        let mut engine = outputs(core, &rows, self.plan.settings.threads)?;
        if let Some(scaler) = &self.prepared.target_scaler {
            scaler.invert(&mut engine);
        }
        Verified::new(
            &graph,
            &self.meta()?,
            &self.prepared.raw(sample),
            sample.len(),
            &engine,
        )
    }

    fn meta(&self) -> Result<ModelMeta> {
        let dataset = &self.prepared.dataset;
        let json = |names: &[String]| serde_json::json!(names).to_string();
        let mut properties = vec![
            ("secateur.config_hash".to_owned(), self.config_hash()?),
            ("secateur.data".to_owned(), dataset.name().to_owned()),
        ];
        if dataset.image().is_none() {
            properties.push(("feature_names".to_owned(), json(dataset.feature_names())));
        }
        match dataset.target() {
            Target::Classes { names, .. } => {
                properties.push(("class_names".to_owned(), json(names)));
            }
            Target::Values { columns, .. } => {
                properties.push(("target_names".to_owned(), json(columns)));
            }
        }
        Ok(ModelMeta {
            producer_name: "secateur".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            properties,
            ..ModelMeta::default()
        })
    }

    /// First 16 hexadecimal digits of the SHA-256 of the complete config.
    pub(crate) fn config_hash(&self) -> Result<String> {
        let digest = Sha256::digest(self.plan.config.to_toml()?.as_bytes());
        Ok(digest.iter().take(8).map(|b| format!("{b:02x}")).collect())
    }

    /// Bytes of the file that a network would be written as.
    pub(crate) fn file_size(&self, core: &Graph) -> Result<u64> {
        let file = serialise(&assemble(core, self.wrapping())?, &self.meta()?)?;
        Ok(file.len() as u64)
    }
}
