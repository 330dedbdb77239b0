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
        self.asked += 1;
        true
    }

    /// Couples two axes factor by factor and returns the channels of both; none where they are divided otherwise.
    ///
    /// An axis whose factors are coarser is asked to be made like the other. A factor that only one of the two has stays
    /// whole: it went into an axis of unknown length on the way to the other.
    pub(crate) fn couple_axes(&mut self, a: &[Channels], b: &[Channels]) -> Option<Vec<Channels>> {
        if let (Some(of_a), Some(of_b)) = (patterns(a), patterns(b))
            && let (Some(cuts_a), Some(cuts_b)) = (refined(&of_a, &of_b), refined(&of_b, &of_a))
        {
            let wanted = a.iter().zip(cuts_a).chain(b.iter().zip(cuts_b));
            let wanted: Vec<_> = wanted.filter(|(_, lengths)| lengths.len() > 1).collect();
            if wanted.is_empty() {
                return Some(self.couple_alike(a.iter().zip(&of_a), b.iter().zip(&of_b)));
            }
            // All are asked for, so that the next walk has both.
            let asked = wanted
                .iter()
                .filter(|(channels, lengths)| self.factorise(channels, lengths));
            if asked.count() == wanted.len() {
                return Some(a.to_vec());
            }
        }
        (a.len() == b.len()).then(|| {
            a.iter().zip(b).for_each(|(a, b)| self.couple(a, b));
            a.to_vec()
        })
    }

    /// Couples factors of the same pattern and freezes those that have no counterpart.
    fn couple_alike<'c>(
        &mut self,
        a: impl Iterator<Item = (&'c Channels, &'c Pattern)>,
        b: impl Iterator<Item = (&'c Channels, &'c Pattern)>,
    ) -> Vec<Channels> {
        let mut others: Vec<_> = b.collect();
        let (mut both, mut alone) = (vec![], vec![]);
        for (own, pattern) in a {
            match others.iter().position(|(_, other)| *other == pattern) {
                Some(at) => {
                    let (other, _) = others.remove(at);
                    self.couple(own, other);
                }
                None => alone.push(own.atoms.clone()),
            }
            both.push((pattern.inner, own.clone()));
        }
        let axis = both.first().map_or(0, |(_, channels)| channels.axis);
        for (other, pattern) in others {
            alone.push(other.atoms.clone());
            let atoms = other.atoms.clone();
            both.push((pattern.inner, Channels { axis, atoms }));
        }
        for atoms in alone {
            self.freeze_here(&atoms, "is a factor of an axis that meets one without it");
        }
        both.sort_by_key(|(inner, _)| std::cmp::Reverse(*inner));
        both.into_iter().map(|(_, channels)| channels).collect()
    }
}

/// How a factor lies on its axis: position `p` belongs to atom `p / inner % count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pattern {
    inner: usize,
    count: usize,
}

impl Pattern {
    fn of(channels: &Channels) -> Option<Self> {
        let atoms = &channels.atoms;
        let first = atoms.first()?;
        let inner = atoms.iter().take_while(|a| *a == first).count();
        let count = distinct(channels);
        let regular = |(p, atom): (usize, &Atom)| atoms[p / inner % count * inner] == *atom;
        let fits = inner * count <= atoms.len() && atoms.len().is_multiple_of(inner * count);
        (fits && atoms.iter().enumerate().all(regular)).then_some(Self { inner, count })
    }
}

fn patterns(factors: &[Channels]) -> Option<Vec<Pattern>> {
    factors.iter().map(Pattern::of).collect()
}

/// For each factor the lengths of the parts that it must have so that no factor of the other axis begins or ends within one
/// of them, outermost first; none where factors overlap otherwise.
fn refined(own: &[Pattern], other: &[Pattern]) -> Option<Vec<Vec<usize>>> {
    let ends = other.iter().flat_map(|p| [p.inner, p.inner * p.count]);
    let ends: Vec<usize> = ends.collect();
    own.iter()
        .map(|p| divided(p.inner, p.count, &ends))
        .collect()
}

/// The lengths of the parts of `count` blocks of `inner` positions that begin and end where they must, outermost first.
pub(crate) fn divided(inner: usize, count: usize, ends: &[usize]) -> Option<Vec<usize>> {
    let mut cuts: Vec<usize> = ends.to_vec();
    cuts.retain(|&end| end > inner && end < inner * count);
    cuts.push(inner * count);
    cuts.sort_unstable();
    cuts.dedup();
    let mut lengths = vec![];
    let mut before = inner;
    for cut in cuts {
        if !cut.is_multiple_of(before) {
            return None;
        }
        lengths.push(cut / before);
        before = cut;
    }
    lengths.reverse();
    Some(lengths)
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
pub(crate) fn distinct(channels: &Channels) -> usize {
    let mut atoms: Vec<usize> = channels.atoms.iter().map(|a| a.0).collect();
    atoms.sort_unstable();
    atoms.dedup();
    atoms.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dim, GraphBuilder, Op, Tensor};

    #[test]
    fn factors_are_divided_where_others_begin_and_end() {
        let p = |inner, count| Pattern { inner, count };
        let whole = [p(1, 48)];
        assert_eq!(refined(&whole, &[p(6, 8), p(1, 6)]), Some(vec![vec![8, 6]]));
        // Only the outer factor is left of the other axis.
        assert_eq!(refined(&whole, &[p(6, 8)]), Some(vec![vec![8, 6]]));
        let (four_eight, eight_four) = ([p(8, 4), p(1, 8)], [p(4, 8), p(1, 4)]);
        let parts = Some(vec![vec![4], vec![2, 4]]);
        assert_eq!(refined(&four_eight, &eight_four), parts);
        assert_eq!(refined(&[p(1, 12)], &[p(4, 3), p(6, 2)]), None);
    }

    #[test]
    fn patterns_are_regular_or_none() {
        let of = |atoms: &[usize]| {
            let atoms = atoms.iter().map(|&a| Atom(a)).collect();
            Pattern::of(&Channels { axis: 0, atoms })
        };
        assert_eq!(of(&[4, 4, 5, 5]), Some(Pattern { inner: 2, count: 2 }));
        assert_eq!(of(&[4, 5, 4, 5]), Some(Pattern { inner: 1, count: 2 }));
        assert_eq!(of(&[4, 5, 5, 4]), None);
        assert_eq!(of(&[4, 4, 5]), None);
    }

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
