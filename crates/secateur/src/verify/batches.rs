//! Real rows as a model takes them.

use secateur_graph::{Array, Dim, Graph, evaluate};

use super::failed;
use crate::Result;
use crate::runtime::Runtime;

/// Real rows in the batches that a model takes.
pub(super) struct Batches {
    /// Of one batch.
    shape: Vec<usize>,
    values: Vec<f32>,
    /// Numbers of a row.
    width: usize,
    rows: usize,
    /// Whether the model takes any number of rows at once.
    is_open: bool,
}

impl Batches {
    pub(super) fn of(graph: &Graph, features: &[f32], rows: usize) -> Result<Self> {
        let input = graph.inputs().first().map(|&i| graph.value(i));
        let Some(dims) = input
            .and_then(|v| v.shape.as_ref())
            .filter(|d| !d.is_empty())
        else {
            return Err(failed("the network states no shape for its input"));
        };
        let width = features.len() / rows.max(1);
        let known: usize = dims[1..].iter().filter_map(Dim::fixed).product();
        let open = dims[1..].iter().filter(|d| d.fixed().is_none()).count();
        let batch = dims[0].fixed();
        let mut shape = vec![batch.unwrap_or(rows)];
        for dim in &dims[1..] {
            shape.push(match dim.fixed() {
                Some(length) => length,
                // Two open axes are those of square pictures.
                None => {
                    let left = width / known.max(1);
                    if open == 2 { left.isqrt() } else { left }
                }
            });
        }
        if shape[1..].iter().product::<usize>() != width {
            return Err(failed(format!(
                "rows of {width} numbers do not fit {shape:?}"
            )));
        }
        Ok(Self {
            shape,
            values: features.to_vec(),
            width,
            rows,
            is_open: batch.is_none(),
        })
    }

    /// The first batch, of at most so many rows where that is open.
    pub(super) fn first(&self, most: usize) -> First {
        let count = if self.is_open {
            most.clamp(1, self.rows)
        } else {
            self.shape[0]
        };
        let rows = count.min(self.rows);
        let mut shape = self.shape.clone();
        shape[0] = count;
        let mut values: Vec<f64> = self.values[..rows * self.width]
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        values.resize(count * self.width, 0.0);
        First {
            batch: Array { shape, values },
            rows,
        }
    }

    /// Every output for all rows.
    pub(super) fn run(&self, runtime: &Runtime) -> Result<Vec<Vec<f32>>> {
        let per_batch = self.shape[0] * self.width;
        let mut all: Vec<Vec<f32>> = vec![];
        for values in self.values.chunks(per_batch) {
            let mut batch = values.to_vec();
            batch.resize(per_batch, 0.0);
            let outputs = runtime.run_shaped(&self.shape, batch)?;
            all.resize(outputs.len(), vec![]);
            for (all, output) in all.iter_mut().zip(outputs) {
                let real = output.len() * values.len() / per_batch;
                all.extend_from_slice(&output[..real]);
            }
        }
        Ok(all)
    }
}

/// The first batch.
pub(super) struct First {
    /// Filled up with rows of zeros where the model takes more than there are.
    batch: Array,
    /// How many of its rows are real.
    pub(super) rows: usize,
}

impl First {
    /// Every output of a network for the real rows, by the naive evaluator.
    pub(super) fn run(&self, graph: &Graph) -> Result<Vec<Vec<f64>>> {
        let outputs = evaluate(graph, std::slice::from_ref(&self.batch))?;
        let count = self.batch.shape[0];
        let real = outputs.into_iter().map(|output| {
            let mut values = output.values;
            values.truncate(values.len() * self.rows / count);
            values
        });
        Ok(real.collect())
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::{GraphBuilder, Op, Unary};

    use super::*;

    #[test]
    fn open_axes_are_as_long_as_a_row_makes_them() {
        let refused = |shape: Result<Vec<usize>>| {
            let error = shape.unwrap_err();
            assert!(error.message().contains("numbers do not fit"), "{error}");
        };
        let shape = |axes: Vec<Dim>, width: usize| {
            let mut b = GraphBuilder::new("g");
            let mut dims = vec![Dim::batch()];
            dims.extend(axes);
            let x = b.input("x", dims);
            let y = b.node("y", Op::Unary(Unary::Relu), &[x]);
            b.output(y);
            let batches = Batches::of(&b.build().unwrap(), &vec![0.5; 2 * width], 2)?;
            Ok(batches.first(1).batch.shape)
        };
        let open = |name: &str| Dim::Named(name.into());
        let one = || vec![Dim::Fixed(3), open("length")];
        let two = || vec![Dim::Fixed(3), open("height"), open("width")];
        assert_eq!(shape(one(), 12).unwrap(), [1, 3, 4]);
        assert_eq!(shape(two(), 48).unwrap(), [1, 3, 4, 4]);
        // No square, and not as many for each channel.
        refused(shape(two(), 24));
        refused(shape(one(), 13));
        let three = vec![open("depth"), open("height"), open("width")];
        refused(shape(three, 8));
    }
}
