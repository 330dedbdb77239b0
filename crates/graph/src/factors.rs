//! Axes that are products: how they are made by their factors, and how it is found out that they must be.

use std::collections::BTreeMap;

use crate::ValueId;
use crate::channels::{Atom, Channels, Walk};

/// The lengths of the factors of axes that are products, by where the axes are made.
pub(crate) type Factors = BTreeMap<(ValueId, usize), Vec<usize>>;

/// Where the atoms of a factor were made.
pub(crate) struct Origin {
    first: usize,
    count: usize,
    /// Which factor of its axis it is.
    factor: usize,
    /// How many positions the axis has.
    length: usize,
    made: (ValueId, usize),
    /// Whether the factors mean something, so that they cannot be divided further.
    is_fixed: bool,
}

impl Walk<'_> {
    /// New channels, made together: one entry a factor of the axis.
    pub(crate) fn produce(&mut self, value: ValueId, axis: usize, length: usize) -> Vec<Channels> {
        self.produce_as(value, axis, length, false)
    }

    fn produce_as(
        &mut self,
        value: ValueId,
        axis: usize,
        length: usize,
        is_fixed: bool,
    ) -> Vec<Channels> {
        if length == 0 {
            // An axis without positions has no units.
            return vec![];
        }
        let made = (value, axis);
        let whole = vec![length];
        let lengths = self.factors.get(&made).cloned().unwrap_or(whole);
        let mut inner = length;
        let factors: Vec<Channels> = lengths
            .iter()
            .enumerate()
            .map(|(factor, &count)| {
                inner /= count;
                let own = self.atoms(count);
                self.origins.push(Origin {
                    first: own[0].0,
                    count,
                    factor,
                    length,
                    made,
                    is_fixed,
                });
                let atoms = (0..length).map(|p| own[p / inner % count]).collect();
                Channels { axis, atoms }
            })
            .collect();
        for channels in &factors {
            self.carry(value, channels.clone());
        }
        factors
    }

    /// New channels as a product of factors, whatever was asked for.
    pub(crate) fn produce_product(
        &mut self,
        value: ValueId,
        axis: usize,
        length: usize,
        lengths: &[usize],
    ) -> Vec<Channels> {
        self.factors
            .entry((value, axis))
            .or_insert_with(|| lengths.to_vec());
        self.produce_as(value, axis, length, true)
    }

    /// Whether an axis is the product of `outer` blocks of `inner` positions.
    pub(crate) fn are_factors(
        &self,
        blocks: &Channels,
        within: &Channels,
        outer: usize,
        inner: usize,
    ) -> bool {
        let counts = distinct(blocks) == outer && distinct(within) == inner;
        counts
            && blocks
                .atoms
                .chunks(inner)
                .all(|block| block.iter().all(|a| *a == block[0]))
    }

    /// As many atoms of one group.
    pub(crate) fn atoms(&mut self, count: usize) -> Vec<Atom> {
        let atoms: Vec<Atom> = (0..count)
            .map(|_| {
                self.groups.add();
                Atom(self.units.add())
            })
            .collect();
        for pair in atoms.windows(2) {
            self.groups.union(pair[0], pair[1]);
        }
        atoms
    }

    /// Asks for channels to be made as a product of factors of these lengths; whether that can be done.
    pub(crate) fn factorise(&mut self, channels: &Channels, lengths: &[usize]) -> bool {
        let Some((first, count)) = run(channels) else {
            return false;
        };
        // One position is no factor; asked for again and again, it would be made again and again.
        let mut parts: Vec<usize> = lengths.iter().copied().filter(|&n| n > 1).collect();
        // Where several positions have the same atom, lengths of the axis are none of the factor.
        if lengths.iter().product::<usize>() != count {
            return false;
        }
        // Origins are in the order of their first atoms.
        let behind = self.origins.partition_point(|o| o.first <= first);
        let Some(origin) = behind.checked_sub(1).map(|last| &self.origins[last]) else {
            return false;
        };
        let offset = first - origin.first;
        let fits = offset + count <= origin.count
            && offset.is_multiple_of(count)
            && origin.count.is_multiple_of(count);
        if !fits || origin.is_fixed {
            return false;
        }
        let whole = vec![origin.length];
        let mut factors = self.factors.get(&origin.made).cloned().unwrap_or(whole);
        if origin.count > count && !parts.is_empty() {
            // A run of equal blocks, such as queries, keys and values made by one product.
            parts.insert(0, origin.count / count);
        }
        if parts.len() < 2 {
            return false;
        }
        factors.splice(origin.factor..=origin.factor, parts);
        self.wanted.insert(origin.made, factors);
        true
    }

    /// Couples two axes factor by factor; whether they are products of the same factors. If not, the one with
    /// fewer is asked to be made like the other.
    pub(crate) fn couple_axes(&mut self, a: &[Channels], b: &[Channels]) -> bool {
        if a.len() == b.len() {
            a.iter().zip(b).for_each(|(a, b)| self.couple(a, b));
            return true;
        }
        let (one, other) = if a.len() == 1 { (a, b) } else { (b, a) };
        let lengths: Vec<usize> = other.iter().map(distinct).collect();
        let product: usize = lengths.iter().product();
        one.len() == 1 && product == one[0].atoms.len() && self.factorise(&one[0], &lengths)
    }
}

/// The first atom and the number of atoms, if they are consecutive and first met in their order.
fn run(channels: &Channels) -> Option<(usize, usize)> {
    let first = channels.atoms.first()?.0;
    let mut count = 0;
    for atom in &channels.atoms {
        match atom.0.checked_sub(first)? {
            offset if offset < count => {}
            offset if offset == count => count += 1,
            _ => return None,
        }
    }
    Some((first, count))
}

/// How many atoms there are at the positions of an axis.
fn distinct(channels: &Channels) -> usize {
    let mut atoms: Vec<usize> = channels.atoms.iter().map(|a| a.0).collect();
    atoms.sort_unstable();
    atoms.dedup();
    atoms.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dim, GraphBuilder, Op, Tensor};

    /// Attention on one channel asked for more and more such factors, without end.
    #[test]
    fn an_axis_is_not_divided_into_factors_of_one_position() {
        let mut b = GraphBuilder::new("g");
        let x = b.input("x", [Dim::batch(), Dim::Fixed(1)]);
        let w = b.constant("w", Tensor::f32([1, 4], vec![1.0; 4]).unwrap());
        let y = b.node("y", Op::MatMul, &[x, w]);
        b.output(y);
        let graph = crate::infer_shapes(&b.build().unwrap()).unwrap();
        let mut walk = Walk::through(&graph).unwrap();
        let whole = walk.along(y, 1).remove(0);
        let first = whole.atoms[0];
        let single = Channels {
            axis: 1,
            atoms: vec![first],
        };
        assert!(!walk.factorise(&single, &[1, 1]) && walk.wanted.is_empty());
        assert!(walk.factorise(&whole, &[1, 2, 2]));
        assert_eq!(walk.wanted.get(&(y, 1)), Some(&vec![2, 2]));
    }
}
