//! Which units of a compiled network stay, without compiling it again.

use secateur_graph::Cut;

use crate::{Chain, Dense, Error, Result};

#[derive(Default, Clone)]
struct LayerCut<'a> {
    inputs: Option<&'a [usize]>,
    outputs: Option<&'a [usize]>,
    bias: Option<&'a [usize]>,
}

impl Chain {
    /// Keeps only some units: cuts weights, biases, gradients and optimiser state alike.
    ///
    /// A `kept` that is a permutation reorders units. Cuts of tensors that the engine does not hold
    /// are passed over, so all cuts of a graph can be handed on. Inputs that are cut from the first
    /// layer leave [`Chain::selected_inputs`] too. Outputs of earlier rows are forgotten.
    ///
    /// # Errors
    /// If an index lies beyond its axis, if no unit stays, or if the layers would no longer fit
    /// together. The network is then unchanged.
    pub fn cut(&mut self, cuts: &[Cut]) -> Result<()> {
        let plans = self.plan_cuts(cuts)?;
        if let Some(kept) = plans.first().and_then(|p| p.inputs) {
            let old = self.selected_inputs.take();
            let select = |&i: &usize| old.as_ref().map_or(i, |old| old[i]);
            self.selected_inputs = Some(kept.iter().map(select).collect());
        }
        for (layer, plan) in self.layers.iter_mut().zip(&plans) {
            layer.cut(plan);
        }
        self.allocate();
        Ok(())
    }

    fn plan_cuts<'a>(&self, cuts: &'a [Cut]) -> Result<Vec<LayerCut<'a>>> {
        let mut plans = vec![LayerCut::default(); self.layers.len()];
        for cut in cuts {
            for (layer, plan) in self.layers.iter().zip(&mut plans) {
                let (slot, width) = if cut.tensor == layer.weight_id {
                    match cut.axis {
                        0 | 1 if (cut.axis == 0) != layer.transposed => {
                            (&mut plan.inputs, layer.inputs)
                        }
                        0 | 1 => (&mut plan.outputs, layer.outputs),
                        axis => {
                            return Err(Error::invalid(format!("weights have no axis {axis}"))
                                .at(&layer.name));
                        }
                    }
                } else if Some(cut.tensor) == layer.bias_id {
                    (&mut plan.bias, layer.outputs)
                } else {
                    continue;
                };
                check_kept(&cut.kept, width).map_err(|e| e.at(&layer.name))?;
                if slot.replace(&cut.kept).is_some() {
                    return Err(Error::invalid("an axis is cut twice").at(&layer.name));
                }
            }
        }
        for (layer, plan) in self.layers.iter().zip(&plans) {
            if layer.bias_id.is_some() && plan.bias != plan.outputs {
                return Err(
                    Error::invalid("weights and biases are cut differently").at(&layer.name)
                );
            }
        }
        let mut made = None;
        for (layer, plan) in self.layers.iter().zip(&plans) {
            let reads = plan.inputs.map_or(layer.inputs, <[_]>::len);
            if made.is_some_and(|made| made != reads) {
                return Err(Error::invalid("would read other units than are made").at(&layer.name));
            }
            made = Some(plan.outputs.map_or(layer.outputs, <[_]>::len));
        }
        Ok(plans)
    }
}

fn check_kept(kept: &[usize], width: usize) -> Result<()> {
    if kept.is_empty() {
        return Err(Error::invalid("no unit would stay").hint("keep at least one unit"));
    }
    match kept.iter().find(|&&i| i >= width) {
        Some(bad) => Err(Error::invalid(format!("unit {bad} of {width}"))),
        None => Ok(()),
    }
}

impl Dense {
    fn cut(&mut self, plan: &LayerCut<'_>) {
        let width = self.outputs;
        if let Some(kept) = plan.inputs {
            for vector in self.weight.vectors_mut() {
                *vector = kept
                    .iter()
                    .flat_map(|&i| &vector[i * width..(i + 1) * width])
                    .copied()
                    .collect();
            }
            self.inputs = kept.len();
        }
        if let Some(kept) = plan.outputs {
            for vector in self.weight.vectors_mut() {
                *vector = vector
                    .chunks_exact(width)
                    .flat_map(|row| kept.iter().map(|&j| row[j]))
                    .collect();
            }
            for vector in self.bias.vectors_mut().filter(|v| !v.is_empty()) {
                *vector = kept.iter().map(|&j| vector[j]).collect();
            }
            self.outputs = kept.len();
        }
    }
}
