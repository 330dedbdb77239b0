//! Lengths that stand in for those that are not known.

use std::collections::HashMap;

/// How many worlds there are: the first has a single row of everything.
pub(super) const WORLDS: usize = 4;
/// In the others lengths are primes above these, so that none is another's multiple.
const ABOVE: [usize; WORLDS - 1] = [1, 500, 3000];

/// The lengths of an axis in all worlds.
type Lengths = [usize; WORLDS];

/// The lengths of axes of unknown length, by name.
#[derive(Debug, Default)]
pub(super) struct StandIns {
    of: HashMap<String, Lengths>,
    names: HashMap<Lengths, String>,
    last: Option<Lengths>,
}

impl StandIns {
    /// The length in a world of the axes of that name.
    pub(super) fn length(&mut self, name: &str, world: usize) -> usize {
        if let Some(lengths) = self.of.get(name) {
            return lengths[world];
        }
        let lengths = next(self.last);
        self.last = Some(lengths);
        self.of.insert(name.into(), lengths);
        self.names.insert(lengths, name.into());
        lengths[world]
    }

    /// The name of the axes that have these lengths.
    pub(super) fn name(&self, lengths: &[f64]) -> Option<&str> {
        let mut found = [0; WORLDS];
        for (to, &length) in found.iter_mut().zip(lengths) {
            *to = length as usize;
            if *to as f64 != length {
                return None;
            }
        }
        self.names.get(&found).map(String::as_str)
    }
}

/// The lengths of the axis that comes after one with these.
fn next(last: Option<Lengths>) -> Lengths {
    let mut lengths = [1; WORLDS];
    for (world, above) in (1..).zip(ABOVE) {
        let above = last.map_or(above, |last| last[world]);
        lengths[world] = (above + 1..).find(is_prime).unwrap_or(above);
    }
    lengths
}

fn is_prime(n: &usize) -> bool {
    (2..)
        .take_while(|d| d * d <= *n)
        .all(|d| !n.is_multiple_of(d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_those_that_nothing_divides() {
        let all: Vec<usize> = (2..60).filter(is_prime).collect();
        let primes = [
            2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59,
        ];
        assert_eq!(all, primes);
    }

    #[test]
    fn lengths_differ_between_worlds_and_names() {
        let mut all = StandIns::default();
        let mut lengths = |name| [0, 1, 2, 3].map(|world| all.length(name, world));
        assert_eq!(lengths("a"), [1, 2, 503, 3001]);
        assert_eq!(lengths("b"), [1, 3, 509, 3011]);
        assert_eq!(lengths("a"), [1, 2, 503, 3001]);
        assert_eq!(all.name(&[1.0, 3.0, 509.0, 3011.0]), Some("b"));
        assert_eq!(all.name(&[1.0, 3.0, 509.0, 3001.0]), None);
        assert_eq!(all.name(&[1.0, 2.5, 503.0, 3001.0]), None);
    }
}
