//! Queries and keys, once their projections are repaired.

use std::ops::Range;

use secateur_graph::Graph;

use super::{Repaired, Repairer};
use crate::Result;
use crate::repair::front::Front;
use crate::repair::product::Product;
use crate::repair::queries::{Fit, Sides, absorb, mix};
use crate::repair::samples::Activation;
use crate::repair::taps::Taps;

impl Repairer<'_> {
    /// Brings a product of queries and keys nearest to what it was: its projections have been reached, and nothing behind it has.
    pub(super) fn product_repaired(
        &self,
        product: &Product,
        graph: &mut Graph,
        front: &mut Front,
    ) -> Result<Option<Repaired>> {
        let batches = self.parts.all();
        let wide = Taps::of(self.wide, &product.sides, self.runner)?;
        let small = front.beyond(graph, &product.sides, self.runner)?;
        let effort = self.effort;
        let wanted = effort.positions.max(effort.for_channel * product.width);
        // As many batches of a part as have enough positions.
        let visit =
            |part: Range<usize>, take: &mut dyn FnMut(&Sides<'_>) -> Result<()>| -> Result<()> {
                let mut seen = 0;
                for number in part {
                    if seen >= wanted {
                        break;
                    }
                    let (wide, small) = (wide.run(batches[number])?, small(number)?);
                    let sides = wide.iter().zip(&product.others);
                    let wide: Vec<Activation> = sides
                        .map(|(side, others)| {
                            let whole = others.iter();
                            whole.fold(side.clone(), |side, (axis, left)| {
                                side.selected(*axis, left)
                            })
                        })
                        .collect();
                    if let ([queries, keys], [q, k]) = (&wide[..], &small[..]) {
                        take(&Sides {
                            wide: [queries, keys],
                            small: [q, k],
                        })?;
                        seen += queries.values.len() / product.width.max(1);
                    }
                }
                Ok(())
            };
        let (fitted, known) = (self.parts.fit.len(), self.parts.known());
        let mut fit = Fit::new(product);
        visit(0..fitted, &mut |sides| fit.add(sides))?;
        fit.solve()?;
        visit(fitted..known, &mut |sides| fit.measure(0, sides))?;
        visit(known..batches.len(), &mut |sides| fit.measure(1, sides))?;
        let Some((maps, told)) = fit.chosen() else {
            return Ok(None);
        };
        drop(small);
        if told.ridge.is_some() {
            absorb(product, &maps, graph)?;
            front.change(product.projection.made, |channels| {
                mix(product, &maps, channels);
            });
        }
        Ok(Some(told))
    }
}
