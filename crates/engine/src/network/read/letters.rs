//! Equations of `Einsum`: which letters stand for which axes.

/// The letters of operands and result, in the order of their axes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letters {
    pub(super) operands: Vec<Vec<char>>,
    pub(super) made: Vec<char>,
}

/// Axes that three dots stand for have letters from here on, counted from the last one.
const DOTS: u32 = 0xE000;

impl Letters {
    /// Of an equation for operands of these numbers of axes; nothing if they do not fit.
    pub(super) fn of(equation: &str, ranks: &[usize]) -> Option<Self> {
        let plain: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, made) = match plain.split_once("->") {
            Some((left, made)) => (left, Some(made)),
            None => (plain.as_str(), None),
        };
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return None;
        }
        let mut most = 0;
        let mut operands = vec![];
        for (term, &rank) in terms.into_iter().zip(ranks) {
            let dots = match term.contains("...") {
                true => (rank + 3).checked_sub(term.len())?,
                false => 0,
            };
            most = most.max(dots);
            operands.push(spelt(term, dots)?);
            if operands.last().map(Vec::len) != Some(rank) {
                return None;
            }
        }
        let made = match made {
            Some(made) => spelt(made, most)?,
            None => {
                // Letters that stand there once, in the order of the alphabet.
                let all = operands.concat();
                let mut once: Vec<char> = all.clone();
                once.retain(|c| all.iter().filter(|o| *o == c).count() == 1 && c.is_ascii());
                once.sort_unstable();
                let dots = spelt("...", most)?;
                [dots, once].concat()
            }
        };
        Some(Self { operands, made })
    }
}

/// The letters of a term whose dots stand for so many axes.
fn spelt(term: &str, dots: usize) -> Option<Vec<char>> {
    let dots = (0..dots as u32)
        .rev()
        .map(|i| char::from_u32(DOTS + i))
        .collect::<Option<Vec<char>>>()?;
    let letters = match term.split_once("...") {
        Some((before, behind)) => {
            let ends = [before, behind].map(|s| s.chars().collect::<Vec<char>>());
            [&ends[0], &dots, &ends[1]]
                .into_iter()
                .flatten()
                .copied()
                .collect()
        }
        None => term.chars().collect::<Vec<char>>(),
    };
    Some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stand_for_the_axes_that_are_left() {
        let dot = |i: u32| char::from_u32(DOTS + i).unwrap();
        let letters = Letters::of("...ij, jk", &[4, 2]).unwrap();
        assert_eq!(letters.operands[0], [dot(1), dot(0), 'i', 'j']);
        assert_eq!(letters.made, [dot(1), dot(0), 'i', 'k']);
        let letters = Letters::of("b i j, k j -> b k i", &[3, 2]).unwrap();
        assert_eq!(letters.made, ['b', 'k', 'i']);
        assert_eq!(Letters::of("ij,jk", &[3, 2]), None);
    }
}
