//! The weights of a reader beside what a cut has left of them.

use std::ops::Range;

use faer::Mat;

use super::layout::Layout;

/// Weights before and after a cut.
#[derive(Debug)]
pub(crate) struct Narrowed<'a> {
    /// How they lay.
    pub(crate) wide: Layout,
    /// How they lie now: groups of a convolution may have gone.
    pub(crate) narrow: Layout,
    /// Lengths of their axes before and now.
    pub(crate) shapes: [&'a [usize]; 2],
    /// Channels that are read still, as positions among all that were.
    pub(crate) inputs: &'a [usize],
    /// Channels that are made still, likewise.
    pub(crate) outputs: &'a [usize],
}

/// A group of channels that do not meet those of others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// The weights before the cut of what is made still: `(outputs x offsets) x inputs`.
    pub(crate) weights: Mat<f64>,
    /// The channels that it read.
    pub(crate) wide: Range<usize>,
    /// The channels that it reads now.
    pub(crate) narrow: Range<usize>,
    /// Where these are among the former.
    pub(crate) kept: Vec<usize>,
}

impl Narrowed<'_> {
    /// The parts, in the order of the groups that are left; none where a cut goes across groups.
    pub(crate) fn parts(&self, numbers: &[f64]) -> Option<Vec<Part>> {
        let [wide, narrow] = self.shapes;
        let (of_wide, of_narrow) = (self.wide.sizes(wide), self.narrow.sizes(narrow));
        let matrices = self.wide.matrices(wide, numbers);
        let inner = self.wide.offsets(wide);
        let mut parts = vec![];
        for group in 0..self.narrow.groups() {
            let inputs = group * of_narrow.inputs..(group + 1) * of_narrow.inputs;
            let outputs = group * of_narrow.outputs..(group + 1) * of_narrow.outputs;
            let read = self.inputs.get(inputs.clone())?;
            let made = self.outputs.get(outputs)?;
            let from = read.first()? / of_wide.inputs;
            let all = read.iter().map(|c| c / of_wide.inputs);
            if !all
                .chain(made.iter().map(|c| c / of_wide.outputs))
                .all(|g| g == from)
            {
                return None;
            }
            let matrix = matrices.get(from)?;
            let rows: Vec<usize> = made
                .iter()
                .flat_map(|c| (0..inner).map(move |at| (c % of_wide.outputs) * inner + at))
                .collect();
            parts.push(Part {
                weights: Mat::from_fn(rows.len(), matrix.ncols(), |r, c| matrix[(rows[r], c)]),
                wide: from * of_wide.inputs..(from + 1) * of_wide.inputs,
                narrow: inputs,
                kept: read.iter().map(|c| c % of_wide.inputs).collect(),
            });
        }
        Some(parts)
    }

    /// The weights that matrices of the parts make.
    pub(crate) fn assembled(&self, matrices: &[Mat<f64>]) -> Vec<f64> {
        let shape = self.shapes[1];
        let mut numbers = vec![0.0; shape.iter().product()];
        self.narrow.put(shape, matrices, &mut numbers);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{Conv, Gemm, Node, Op, Window};

    use super::*;

    fn layout(op: Op, rank: usize) -> Layout {
        let node = Node {
            name: "n".into(),
            op,
            inputs: vec![],
            outputs: vec![],
        };
        Layout::of(&node, 1, rank).unwrap()
    }

    fn conv(conv_groups: usize) -> Layout {
        let window = Window::plain(1);
        layout(
            Op::Conv(Conv {
                window,
                conv_groups,
            }),
            3,
        )
    }

    fn numbers(shape: &[usize]) -> Vec<f64> {
        (0..shape.iter().product()).map(|n| n as f64).collect()
    }

    /// What is left of each part is what a cut leaves.
    fn cut(narrowed: &Narrowed<'_>, numbers: &[f64]) -> Option<Vec<f64>> {
        let parts = narrowed.parts(numbers)?;
        let left: Vec<Mat<f64>> = parts
            .iter()
            .map(|p| {
                Mat::from_fn(p.weights.nrows(), p.kept.len(), |r, c| {
                    p.weights[(r, p.kept[c])]
                })
            })
            .collect();
        Some(narrowed.assembled(&left))
    }

    #[test]
    fn the_kept_columns_of_the_parts_are_the_weights_that_a_cut_leaves() {
        let gemm = layout(Op::Gemm(Gemm::default()), 2);
        let dense = Narrowed {
            wide: gemm,
            narrow: gemm,
            shapes: [&[4, 3], &[2, 2]],
            inputs: &[1, 3],
            outputs: &[0, 2],
        };
        assert_eq!(
            cut(&dense, &numbers(&[4, 3])).unwrap(),
            [3.0, 5.0, 9.0, 11.0]
        );

        // Three groups of two inputs and two outputs, of which the last two stay with one input each.
        let grouped = Narrowed {
            wide: conv(3),
            narrow: conv(2),
            shapes: [&[6, 2, 2], &[4, 1, 2]],
            inputs: &[3, 4],
            outputs: &[2, 3, 4, 5],
        };
        let found = cut(&grouped, &numbers(&[6, 2, 2])).unwrap();
        assert_eq!(found, [10.0, 11.0, 14.0, 15.0, 16.0, 17.0, 20.0, 21.0]);
        let parts = grouped.parts(&numbers(&[6, 2, 2])).unwrap();
        let places: Vec<_> = parts
            .iter()
            .map(|p| (p.wide.clone(), p.narrow.clone()))
            .collect();
        assert_eq!(places, [(2..4, 0..1), (4..6, 1..2)]);
    }

    #[test]
    fn cuts_across_groups_have_no_parts() {
        let across = |inputs| {
            let narrowed = Narrowed {
                wide: conv(2),
                narrow: conv(1),
                shapes: [&[4, 2, 1], &[2, 2, 1]],
                inputs,
                outputs: &[0, 1],
            };
            narrowed.parts(&numbers(&[4, 2, 1])).is_some()
        };
        assert!(across(&[0, 1]));
        assert!(!across(&[1, 2]) && !across(&[2, 3]));
    }
}
