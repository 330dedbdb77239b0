//! Loops over the elements of values that lie in different ways.

/// Nested loops over the elements that `N` values have in common, long and even stretches innermost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loops<const N: usize> {
    /// Length and steps of each axis, the outermost first.
    axes: Vec<(usize, [usize; N])>,
}

impl<const N: usize> Loops<N> {
    /// Over `shape`, where each value moves by its own strides; a stride of 0 stays in place.
    ///
    /// Axes are ordered by the strides of the first value, and joined where all values allow it.
    ///
    /// # Panics
    /// If a value has another number of strides than there are axes.
    pub(crate) fn new(shape: &[usize], strides: [&[usize]; N]) -> Self {
        assert!(
            strides.iter().all(|s| s.len() == shape.len()),
            "a stride an axis"
        );
        let axes = (0..shape.len()).filter(|&a| shape[a] != 1);
        let mut axes: Vec<(usize, [usize; N])> =
            axes.map(|a| (shape[a], strides.map(|s| s[a]))).collect();
        axes.sort_by_key(|(_, steps)| {
            // What stays in place in the first value is ordered by the next one.
            let key = steps.iter().copied().find(|&s| s > 0).unwrap_or(0);
            std::cmp::Reverse(if steps[0] > 0 { steps[0] } else { key })
        });
        let mut joined: Vec<(usize, [usize; N])> = vec![];
        for (length, steps) in axes {
            if let Some((outer, outer_steps)) = joined.last_mut()
                && (0..N).all(|v| outer_steps[v] == steps[v] * length)
            {
                *outer *= length;
                *outer_steps = steps;
            } else {
                joined.push((length, steps));
            }
        }
        if joined.is_empty() {
            joined.push((1, [0; N]));
        }
        Self { axes: joined }
    }

    /// Calls `work` with the first positions of each stretch, its length, and the steps within it.
    #[inline(always)]
    pub(crate) fn each(&self, mut work: impl FnMut([usize; N], usize, [usize; N])) {
        let Some(((count, steps), outer)) = self.axes.split_last() else {
            return;
        };
        let mut index = [0usize; 8];
        let mut at = [0usize; N];
        loop {
            work(at, *count, *steps);
            let mut axis = outer.len();
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                let (length, steps) = outer[axis];
                index[axis] += 1;
                for v in 0..N {
                    at[v] += steps[v];
                }
                if index[axis] < length {
                    break;
                }
                index[axis] = 0;
                for v in 0..N {
                    at[v] -= steps[v] * length;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visited<const N: usize>(loops: &Loops<N>) -> Vec<[usize; N]> {
        let mut all = vec![];
        loops.each(|at, count, steps| {
            all.extend((0..count).map(|i| std::array::from_fn(|v| at[v] + i * steps[v])));
        });
        all.sort_unstable();
        all
    }

    #[test]
    fn every_element_is_met_once_with_all_its_places() {
        let shape = [2, 3, 4];
        let (image, row) = ([12, 1, 3], [0, 4, 1]);
        let loops = Loops::new(&shape, [&image, &row]);
        let mut want = vec![];
        for (i, j, k) in (0..24).map(|e| (e / 12, e / 4 % 3, e % 4)) {
            want.push([12 * i + j + 3 * k, 4 * j + k]);
        }
        want.sort_unstable();
        assert_eq!(visited(&loops), want);
    }

    #[test]
    fn even_axes_join_and_single_ones_go() {
        let loops = Loops::new(&[1, 3, 4, 5], [&[60, 20, 5, 1], &[7, 20, 5, 1]]);
        assert_eq!(loops.axes, [(60, [1, 1])]);
        let loops = Loops::new(&[2, 3], [&[3, 1], &[0, 0]]);
        assert_eq!(loops.axes, [(6, [1, 0])]);
        assert_eq!(visited(&Loops::new(&[1, 1], [&[1, 1]])), [[0]]);
    }
}
