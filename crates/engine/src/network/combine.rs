//! Sums and products of raw gradients, such as those of several losses.

use super::{Network, Parameter};
use crate::{Error, Result};

impl Network {
    /// The scalar product of two raw gradients, over all parameters.
    ///
    /// # Errors
    /// If there is no such slot.
    pub fn dot(&self, a: usize, b: usize) -> Result<f64> {
        self.check_slots(&[a, b])?;
        let product = |p: &Parameter| -> f64 {
            let (Some(a), Some(b)) = (p.raw.get(a), p.raw.get(b)) else {
                return 0.0;
            };
            let pairs = a.iter().zip(b);
            pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        Ok(self.parameters.iter().map(product).sum())
    }

    /// The gradient that the update moves by becomes `momentum` times what it was plus the sum of raw gradients, each times its coefficient.
    ///
    /// # Errors
    /// If there is no such slot, or a coefficient is no finite number.
    pub fn combine(&mut self, slots: &[(usize, f64)], momentum: f32) -> Result<()> {
        let all: Vec<usize> = slots.iter().map(|(slot, _)| *slot).collect();
        self.check_slots(&all)?;
        if let Some((slot, coefficient)) = slots.iter().find(|(_, c)| !c.is_finite()) {
            return Err(Error::invalid(format!(
                "the coefficient of slot {slot} is {coefficient}"
            )));
        }
        for parameter in &mut self.parameters {
            for (i, g) in parameter.gradient.iter_mut().enumerate() {
                let new = slots.iter().map(|&(slot, coefficient)| {
                    let raw = parameter.raw.get(slot).map_or(0.0, |raw| raw[i]);
                    coefficient * f64::from(raw)
                });
                let new = new.sum::<f64>() as f32;
                // Not a product with 0, which would keep a NaN.
                *g = if momentum == 0.0 {
                    new
                } else {
                    momentum * *g + new
                };
            }
        }
        Ok(())
    }

    fn check_slots(&self, slots: &[usize]) -> Result<()> {
        match slots.iter().find(|slot| **slot >= self.raw) {
            None => Ok(()),
            Some(slot) => Err(Error::invalid(format!(
                "there is no slot {slot} of raw gradients, but {}",
                self.raw
            ))),
        }
    }
}
