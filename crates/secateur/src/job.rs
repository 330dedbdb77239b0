//! What a plan means for the data at hand: networks, rows and the file, before and after training.

use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use secateur_data::{Augment, Target};
use secateur_graph::{ChannelGroups, Graph, Keep, ModelMeta, shrink};
use secateur_onnx::Parts;
use secateur_train::{Architecture, ImageSize, Mlp, Rows, narrowed, outputs, strongest_last};
use sha2::{Digest, Sha256};

use crate::assemble::{Wrapping, assemble};
use crate::checkpoints::Identity;
use crate::given_model::{DATA_FILE, GivenModel};
use crate::image_rows::ImageRows;
use crate::model::ModelFile;
use crate::origin::image_size;
use crate::prepare::Prepared;
use crate::verify::{Verified, serialise};
use crate::{Error, ErrorKind, Origin, Plan, Result};

mod scaled;

use scaled::scaled_to;

/// Stream of random numbers for initial weights.
pub(crate) const WEIGHT_STREAM: u64 = 1;
/// The property of a written model by which it is known again: the hash of the run's config.
pub(crate) const RUN_PROPERTY: &str = "secateur.config_hash";
/// Real rows on which the written file is checked.
const VERIFY_ROWS: usize = 256;

/// Pictures as they are.
const NO_CHANGE: Augment = Augment {
    flip: false,
    crop_padding: 0,
};

/// A plan with the data that it is for.
pub(crate) struct Job {
    pub(crate) plan: Plan,
    pub(crate) prepared: Prepared,
    /// The model that the run starts from, if the user gave one.
    given: Option<GivenModel>,
}

impl Job {
    /// Reads the model that the plan starts from, if it is one.
    ///
    /// # Errors
    /// If it cannot be read or trained.
    pub(crate) fn new(plan: Plan, prepared: Prepared) -> Result<Self> {
        let given = match &plan.start {
            Origin::Model(path) => Some(GivenModel::read(path, is_classified(&prepared))?),
            Origin::Chain | Origin::Named(_) => None,
        };
        Ok(Self {
            plan,
            prepared,
            given,
        })
    }

    /// The same for a model that was read already.
    ///
    /// # Errors
    /// If it cannot be trained.
    pub(crate) fn of_model(plan: Plan, prepared: Prepared, file: ModelFile) -> Result<Self> {
        let given = Some(GivenModel::of(file, is_classified(&prepared))?);
        Ok(Self {
            plan,
            prepared,
            given,
        })
    }

    /// Whether classes are predicted.
    pub(crate) fn is_classification(&self) -> bool {
        is_classified(&self.prepared)
    }

    /// The network that the run starts from: as the user gave it, or with the seed's initial weights.
    pub(crate) fn start(&self) -> Result<Graph> {
        match (&self.plan.start, &self.given) {
            (_, Some(given)) => Ok(given.core().clone()),
            (Origin::Named(architecture), None) => self.named(*architecture, 1.0),
            (Origin::Chain | Origin::Model(_), None) => self.network(&self.plan.hidden),
        }
    }

    /// The network with the units of given weights in rising order of their norms, so that a part that spares the last ones spares
    /// the strongest.
    pub(crate) fn sorted(&self, start: &Graph) -> Result<Graph> {
        match (&self.given, &self.plan.settings.penalty) {
            (Some(_), Some(_)) => {
                let rows = self.rows(&self.prepared.split.validation)?;
                Ok(strongest_last(start, &rows)?)
            }
            _ => Ok(start.clone()),
        }
    }

    /// A network by name with the seed's initial weights, its widths scaled.
    fn named(&self, architecture: Architecture, width: f64) -> Result<Graph> {
        let mut rng = self.weights();
        let outputs = self.prepared.dataset.outputs();
        Ok(architecture.build(self.image_size()?, outputs, width, self.plan.init, &mut rng)?)
    }

    fn weights(&self) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.settings.seed);
        rng.set_stream(WEIGHT_STREAM);
        rng
    }

    fn image_size(&self) -> Result<ImageSize> {
        image_size(&self.prepared.dataset).ok_or_else(|| {
            Error::new(ErrorKind::Input, "the rows are no pictures")
                .at("--net")
                .hint("networks by name take pictures: give widths, such as --net 256-128")
        })
    }

    /// The dense network of equal multiply-adds: widths scaled alike.
    ///
    /// # Errors
    /// If the run starts from a model, whose widths nobody can scale.
    pub(crate) fn narrow(&self, macs: u64) -> Result<Graph> {
        match &self.plan.start {
            Origin::Chain => self.network(&self.narrowed(macs)),
            Origin::Named(architecture) => {
                let outputs = self.prepared.dataset.outputs();
                let width = narrowed(*architecture, self.image_size()?, outputs, macs)?;
                self.named(*architecture, width)
            }
            Origin::Model(_) => Err(Error::usage(
                "a model that was given cannot be narrowed before it is trained",
            )
            .at("--control")
            .hint("start from a network by name, with --net")),
        }
    }

    /// The network with these hidden widths and the seed's initial weights.
    pub(crate) fn network(&self, hidden: &[usize]) -> Result<Graph> {
        let mlp = Mlp {
            inputs: self.prepared.dataset.inputs(),
            hidden: hidden.to_vec(),
            outputs: self.prepared.dataset.outputs(),
            activation: self.plan.activation,
            init: self.plan.init,
        };
        Ok(mlp.build(&mut self.weights())?)
    }

    /// The hidden widths scaled alike so that the MACs come as near to `macs` as they can.
    pub(crate) fn narrowed(&self, macs: u64) -> Vec<usize> {
        let data = &self.prepared.dataset;
        scaled_to(macs, &self.plan.hidden, [data.inputs(), data.outputs()])
    }

    /// Standardised rows with their targets.
    pub(crate) fn rows(&self, rows: &[u32]) -> Result<Rows> {
        match self.plan.start.is_chain() {
            true => self.prepared.rows(
                rows,
                self.plan.class_loss,
                self.plan.regression_loss,
                self.plan.balanced,
            ),
            false => self.gathered(rows, NO_CHANGE),
        }
    }

    /// The rows that are learnt from, pictures changed anew in every epoch.
    pub(crate) fn train_rows(&self) -> Result<Rows> {
        let rows = &self.prepared.split.train;
        match self.plan.start.is_chain() {
            true => self.rows(rows),
            false => self.gathered(rows, self.plan.augment),
        }
    }

    fn gathered(&self, rows: &[u32], augment: Augment) -> Result<Rows> {
        let Prepared {
            dataset,
            standardiser,
            ..
        } = &self.prepared;
        let plan = &self.plan;
        let targets =
            self.prepared
                .targets(rows, plan.class_loss, plan.regression_loss, plan.balanced);
        let source = ImageRows {
            dataset: Arc::clone(dataset),
            rows: rows.to_vec(),
            standardiser: standardiser.clone(),
            augment,
            seed: plan.settings.seed,
        };
        // Sequences have a shape of their own; what is a picture is one of channels, too.
        let shape = match (dataset.image(), &self.given) {
            (Some(image), None) => image.dimensions().to_vec(),
            (Some(image), Some(given)) if input_axes(given.core()) == 4 => {
                image.dimensions().to_vec()
            }
            _ => dataset.shape().to_vec(),
        };
        let rows = Rows::gathered(Arc::new(source), dataset.inputs(), targets)?;
        Ok(rows.with_shape(shape)?)
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
        if let Some(given) = &self.given {
            return self.verified_given(given, core);
        }
        let sample = self.verify_rows();
        let mut engine = outputs(core, &self.rows(sample)?, self.plan.settings.threads)?;
        let graph = assemble(core, self.wrapping())?;
        if let Some(scaler) = &self.prepared.target_scaler {
            scaler.invert(&mut engine);
        }
        Verified::new(
            &graph,
            &self.meta()?,
            &self.prepared.raw(sample)?,
            sample.len(),
            &engine,
        )
    }

    /// Where the model that the user gave was read.
    pub(crate) fn given_name(&self) -> &str {
        self.given.as_ref().map_or("the network", GivenModel::name)
    }

    /// Writes the model that the user gave as it is, reads it back and runs it, as is done with what comes of it; and where units
    /// may go, the same without one unit of each group. What fails at the end of a run would have failed here. There is nothing
    /// to look at where a run starts from a network of its own.
    ///
    /// # Errors
    /// As [`Job::verified`].
    pub(crate) fn verify_beforehand(&self) -> Result<()> {
        let Some(given) = &self.given else {
            return Ok(());
        };
        let verified = |core: &Graph, which: &str| {
            let told = self.verified(core).map(drop);
            told.map_err(|error| {
                let message = format!("{which} cannot be verified: {}", error.message());
                Error::new(error.kind(), message)
                    .at(given.name())
                    .hint("nothing was trained; what comes of a model is read back and run on an independent runtime, the engine and the f64 evaluator, which must run the model and agree on it")
            })
        };
        verified(given.core(), "the model as it is")?;
        match (&self.plan.settings.penalty, one_less(given.core())?) {
            (Some(_), Some(smaller)) => {
                verified(&smaller, "the model with a unit less in each group")
            }
            (Some(_), None) | (None, _) => Ok(()),
        }
    }

    /// The model that the user gave with `core` as what of it was trained, run elsewhere on test rows.
    ///
    /// # Errors
    /// As [`Verified::of_parts`].
    fn verified_given(&self, given: &GivenModel, core: &Graph) -> Result<Verified> {
        let (parts, whole) = (given.parts(core)?, given.whole(core));
        let sample = self.verify_rows();
        let rows = self.rows(sample)?;
        let engine = match whole.outputs() == core.outputs() {
            true => Some(outputs(core, &rows, self.plan.settings.threads)?),
            false => None,
        };
        let features = rows.features(0, sample.len())?;
        let rows = (&features[..], sample.len());
        Verified::of_parts((parts, DATA_FILE), &whole, rows, engine.as_deref())
    }

    /// The real rows on which a file is checked, none of them trained on.
    fn verify_rows(&self) -> &[u32] {
        let test = &self.prepared.split.test;
        &test[..VERIFY_ROWS.min(test.len())]
    }

    fn meta(&self) -> Result<ModelMeta> {
        let dataset = &self.prepared.dataset;
        let json = |names: &[String]| serde_json::json!(names).to_string();
        let mut properties = vec![
            (RUN_PROPERTY.to_owned(), self.config_hash()?),
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
            properties,
            ..ModelMeta::default()
        })
    }

    /// First 16 hexadecimal digits of the SHA-256 of the complete config.
    pub(crate) fn config_hash(&self) -> Result<String> {
        Ok(short_hash(&self.plan.config.to_toml()?))
    }

    /// What must be alike for the run to go on to the same bits.
    pub(crate) fn identity(&self) -> Result<Identity> {
        let model = self
            .given
            .as_ref()
            .map(GivenModel::fingerprint)
            .transpose()?;
        Ok(Identity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: self.config_hash()?,
            data: self.prepared.dataset.fingerprint().to_string(),
            model,
            instruction_set: secateur_engine::instruction_set().to_owned(),
        })
    }

    /// The file that a network would be written as; tensors outside of it lie in one called [`DATA_FILE`].
    pub(crate) fn written(&self, core: &Graph) -> Result<Parts> {
        match &self.given {
            Some(given) => given.parts(core),
            None => Ok(Parts {
                model: serialise(&assemble(core, self.wrapping())?, &self.meta()?)?,
                data: vec![],
            }),
        }
    }

    /// Bytes of that file.
    pub(crate) fn file_size(&self, core: &Graph) -> Result<u64> {
        let parts = self.written(core)?;
        Ok(parts.size())
    }
}

/// A network without the first unit of every group that can lose it; none if there is no such group.
fn one_less(graph: &Graph) -> Result<Option<Graph>> {
    let groups = ChannelGroups::of(graph)?;
    let mut keep = Keep::all(&groups);
    for (id, _) in groups.iter().filter(|(_, g)| g.is_free()) {
        if keep.can_drop(&groups, id, 0) {
            keep.drop(id, 0)?;
        }
    }
    match keep.is_all() {
        true => Ok(None),
        false => Ok(Some(shrink(graph, &groups, &keep)?.graph)),
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of a text.
pub(crate) fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// Whether the rows have classes.
fn is_classified(prepared: &Prepared) -> bool {
    matches!(prepared.dataset.target(), Target::Classes { .. })
}

/// Axes of a network's input.
fn input_axes(graph: &Graph) -> usize {
    let input = graph.inputs().first();
    input.map_or(0, |&i| graph.value(i).shape.as_ref().map_or(0, Vec::len))
}

#[cfg(test)]
pub(crate) mod tests;
