//! Which atoms have been found to be the same?

use crate::channels::Atom;

/// Disjoint sets of atoms; the root of a set is its first atom.
#[derive(Debug, Default)]
pub(crate) struct UnionFind {
    parents: Vec<usize>,
}

impl UnionFind {
    /// A new set of one atom.
    pub(crate) fn add(&mut self) -> usize {
        self.parents.push(self.parents.len());
        self.parents.len() - 1
    }

    /// How many atoms there are.
    pub(crate) fn len(&self) -> usize {
        self.parents.len()
    }

    /// The first atom of the set that holds `atom`.
    pub(crate) fn root(&mut self, atom: Atom) -> usize {
        let mut at = atom.0;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    /// Makes two sets one.
    pub(crate) fn union(&mut self, a: Atom, b: Atom) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_first_atom_of_the_set() {
        let mut sets = UnionFind::default();
        for _ in 0..5 {
            sets.add();
        }
        sets.union(Atom(4), Atom(2));
        sets.union(Atom(2), Atom(1));
        let roots: Vec<usize> = (0..5).map(|a| sets.root(Atom(a))).collect();
        assert_eq!(roots, [0, 1, 1, 3, 1]);
    }
}
