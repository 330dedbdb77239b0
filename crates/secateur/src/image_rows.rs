//! Rows of a data set, gathered as they are needed: pictures stay bytes, or in their files.

use std::sync::Arc;

use secateur_data::{Augment, Dataset, Standardiser};
use secateur_train::Gather;

/// Some rows of a data set.
pub(crate) struct ImageRows {
    pub(crate) dataset: Arc<Dataset>,
    /// Which rows of the data set; callers count within these.
    pub(crate) rows: Vec<u32>,
    pub(crate) standardiser: Standardiser,
    /// How they are changed where they are learnt from.
    pub(crate) augment: Augment,
    pub(crate) seed: u64,
}

impl Gather for ImageRows {
    fn gather(
        &self,
        rows: &[u32],
        epoch: Option<usize>,
        out: &mut [f32],
    ) -> secateur_train::Result<()> {
        let rows: Vec<u32> = rows.iter().map(|&r| self.rows[r as usize]).collect();
        let gathered = match epoch {
            Some(epoch) => {
                let epoch = epoch as u64;
                self.dataset.gather_augmented(
                    &rows,
                    &self.standardiser,
                    &self.augment,
                    self.seed,
                    epoch,
                    out,
                )
            }
            None => self
                .dataset
                .try_gather(&rows, None, &self.standardiser, out),
        };
        gathered.map_err(|e| {
            let error = secateur_train::Error::new(secateur_train::ErrorKind::Data, e.to_string());
            match e.hint_text() {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })
    }
}
