//! How much memory will a run take?

use secateur_train::planned_bytes;

use crate::job::Job;
use crate::prepare::Prepared;
use crate::{Error, ErrorKind, Result};

impl Job {
    /// The bytes that data and training take, found before they are taken.
    ///
    /// # Errors
    /// If they are more than `memory`.
    pub(crate) fn planned_within(&self, memory: Option<u64>) -> Result<u64> {
        let planned = self.planned_bytes()?;
        match memory.filter(|&memory| planned > memory) {
            Some(memory) => Err(beyond(planned, memory)),
            None => Ok(planned),
        }
    }

    /// Those of the data set, of the rows that are brought into the scale of the network, and of what the trainer holds.
    fn planned_bytes(&self) -> Result<u64> {
        let Prepared { dataset, split, .. } = &self.prepared;
        let is_chain = self.plan.start.is_chain();
        let scaled = match is_chain {
            true => (split.train.len() + split.validation.len()) * dataset.inputs() * 4,
            false => 0,
        };
        let row = match (dataset.image(), is_chain) {
            (Some(image), false) => image.dimensions().to_vec(),
            _ => dataset.shape().to_vec(),
        };
        let training = planned_bytes(&self.start()?, &row, &self.plan.settings)?;
        Ok(dataset.bytes() + scaled as u64 + training)
    }
}

fn beyond(planned: u64, memory: u64) -> Error {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    Error::new(
        ErrorKind::OutOfReach,
        format!(
            "data and training would take about {} MB, more than {} MB",
            megabytes(planned),
            megabytes(memory)
        ),
    )
    .at("--memory")
    .hint("take a smaller --batch or network, or fewer --threads; pictures of a folder are decoded when they are needed")
}
