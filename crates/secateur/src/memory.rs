//! How much memory will a run take?

use secateur_train::planned_bytes;

use crate::job::Job;
use crate::prepare::Prepared;
use crate::{Error, ErrorKind, Result};

impl Job {
    /// The bytes that data and training take, found before they are taken.
    ///
    /// # Errors
    /// If they are more than `memory`, or than the machine has.
    pub(crate) fn planned_within(&self, memory: Option<u64>) -> Result<u64> {
        let most = memory.or_else(machine_memory).unwrap_or(u64::MAX);
        // Weights are drawn to count the rest.
        held(self.weight_bytes(), most)?;
        held(self.planned_bytes()?, most)
    }

    /// Those of the weights alone, with their gradients, of a chain that is to be made; 0 of other networks.
    fn weight_bytes(&self) -> u64 {
        if !self.plan.start.is_chain() {
            return 0;
        }
        let dataset = &self.prepared.dataset;
        let hidden = self.plan.hidden.iter().copied();
        let widths: Vec<usize> = std::iter::once(dataset.inputs())
            .chain(hidden)
            .chain([dataset.outputs()])
            .collect();
        let of_layer = |pair: &[usize]| (pair[0] as u64).saturating_mul(pair[1] as u64);
        let weights = widths.windows(2).map(of_layer);
        weights.fold(0, u64::saturating_add).saturating_mul(8)
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

/// So many bytes, if there are no more than `most`.
fn held(planned: u64, most: u64) -> Result<u64> {
    match planned > most {
        true => Err(beyond(planned, most)),
        false => Ok(planned),
    }
}

/// Bytes that the machine has, where it tells.
pub(crate) fn machine_memory() -> Option<u64> {
    total(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// What Linux tells of it, in bytes: `MemTotal:       65536 kB`.
fn total(told: &str) -> Option<u64> {
    let line = told.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_as_there_may_be_is_held_and_no_more() {
        assert_eq!(held(2_000_000, 2_000_000).unwrap(), 2_000_000);
        let error = held(2_000_001, 2_000_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfReach);
        let told = "--memory: data and training would take about 3 MB, more than 2 MB";
        assert_eq!(error.to_string(), told);
    }

    #[test]
    fn the_memory_of_a_machine_is_read_in_bytes() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       65536 kB\n"),
            Some(67_108_864)
        );
        for odd in [
            "",
            "MemTotal: many kB",
            "MemTotal: 5 MB",
            "MemTotal: 18446744073709551615 kB",
        ] {
            assert_eq!(total(odd), None, "{odd}");
        }
    }
}
