//! How much the channels of values vary over rows: what a unit tells those that read it.

use secateur_graph::ValueId;

use super::Network;
use super::run::Run;
use crate::{Error, Result};

impl Network {
    /// The standard deviation over `rows` rows, and over places, at each position of an axis of some values, while training.
    ///
    /// Values must be read by layers with weights: others may be gone when the pass is over.
    ///
    /// # Errors
    /// If a value is not computed as such, or has no such axis.
    ///
    /// # Panics
    /// If `x` has another size, there are more rows than [`Network::batch`], or the network was compiled to run only.
    pub fn deviations(
        &mut self,
        x: &[f32],
        rows: usize,
        of: &[(ValueId, usize)],
    ) -> Result<Vec<Vec<f64>>> {
        assert!(rows <= self.batch, "{rows} rows beyond {}", self.batch);
        assert_eq!(x.len(), rows * self.inputs(), "inputs of {rows} rows");
        let threads = self.threads.clone();
        let (plan, memory) = Self::trains(&mut self.train);
        let mut found = vec![];
        for &(value, axis) in of {
            let place = plan.at.get(&value).copied();
            let is_kept = |p: usize| plan.buffers[plan.places[p].value].keeps_rows;
            let place = place.filter(|&p| axis < plan.places[p].layout.shape.len() && is_kept(p));
            found.push(place.ok_or_else(|| {
                Error::invalid(format!("value {} is not computed as such", value.index()))
            })?);
        }
        let parameters = &self.parameters;
        Ok(threads.run(|| {
            let mut run = Run::new(plan, memory, parameters, &threads, (rows, threads.count()));
            run.forward(&[x]);
            let measured = found.iter().zip(of);
            measured
                .map(|(&place, &(_, axis))| along(&run, place, axis))
                .collect()
        }))
    }
}

fn along(run: &Run<'_>, place: usize, axis: usize) -> Vec<f64> {
    let layout = &run.plan().places[place].layout;
    let (length, stride) = (layout.shape[axis], layout.strides[axis]);
    let inner: usize = layout.shape[axis + 1..].iter().product();
    let mut sums = vec![(0.0f64, 0.0f64, 0u64); length];
    let offsets: Vec<usize> = (0..layout.elements())
        .filter(|e| (e / inner).is_multiple_of(length))
        .map(|e| layout.offset(e))
        .collect();
    for row in run.rows_of(place) {
        for (position, (sum, squares, count)) in sums.iter_mut().enumerate() {
            for &offset in &offsets {
                let v = f64::from(row[offset + position * stride]);
                *sum += v;
                *squares += v * v;
                *count += 1;
            }
        }
    }
    let deviation = |&(sum, squares, count): &(f64, f64, u64)| {
        let n = count.max(1) as f64;
        (squares / n - (sum / n).powi(2)).max(0.0).sqrt()
    };
    sums.iter().map(deviation).collect()
}
