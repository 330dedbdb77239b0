//! Follows a graph that lost or reordered units: plans anew, and takes along what the optimiser knows.

use secateur_graph::{Cut, Graph};

use super::{Network, Parameter, Training};
use crate::{Error, Result};

impl Network {
    /// Becomes the network of `graph`, which came from that of this network by `cuts`.
    ///
    /// Numbers are those of `graph`; gradients and optimiser state are cut as the constants were.
    ///
    /// # Errors
    /// If the graph cannot be run, or the cuts are not those that made it.
    pub fn follow(&mut self, graph: &Graph, cuts: &[Cut]) -> Result<()> {
        let mut old = std::mem::take(&mut self.parameters);
        for cut in cuts {
            if let Some(parameter) = old.iter_mut().find(|p| p.id == cut.tensor) {
                parameter.cut(cut)?;
            }
        }
        let slots = old.iter().map(|p| p.state.len()).max().unwrap_or(0);
        let training = Training {
            samples: &self.rows,
            batch: self.batch,
            slots,
            raw: self.raw,
            taps: &self.taps,
            trained: &self.trained,
        };
        let mut new = Self::to_train(graph, &training, self.threads.clone())?;
        for parameter in &mut new.parameters {
            let Some(before) = old.iter_mut().find(|p| p.id == parameter.id) else {
                continue;
            };
            if before.shape != parameter.shape {
                return Err(Error::invalid(format!(
                    "was cut to shape {:?}, not {:?}",
                    before.shape, parameter.shape
                ))
                .at(&parameter.name));
            }
            parameter.gradient = std::mem::take(&mut before.gradient);
            parameter.raw = std::mem::take(&mut before.raw);
            parameter.state = std::mem::take(&mut before.state);
        }
        new.phases = self.phases;
        *self = new;
        Ok(())
    }
}

impl Parameter {
    /// Picks positions along an axis of everything that lies as the constant does.
    fn cut(&mut self, cut: &Cut) -> Result<()> {
        let (Some(&length), Some(&most)) = (self.shape.get(cut.axis), cut.kept.iter().max()) else {
            return Err(
                Error::invalid(format!("has no positions left along axis {}", cut.axis))
                    .at(&self.name),
            );
        };
        if most >= length {
            return Err(
                Error::invalid(format!("has no position {most} along axis {}", cut.axis))
                    .at(&self.name),
            );
        }
        let inner: usize = self.shape[cut.axis + 1..].iter().product();
        for vector in [&mut self.values, &mut self.gradient]
            .into_iter()
            .chain(&mut self.raw)
            .chain(&mut self.state)
        {
            let slices = vector.chunks_exact(length * inner);
            *vector = slices
                .flat_map(|slice| {
                    cut.kept
                        .iter()
                        .flat_map(move |&p| &slice[p * inner..(p + 1) * inner])
                })
                .copied()
                .collect();
        }
        self.shape[cut.axis] = cut.kept.len();
        Ok(())
    }
}
