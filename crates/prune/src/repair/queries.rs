//! The linear map of queries that brings their products with keys of fewer dimensions nearest to what they were.
//!
//! With `q`, `k` before and `q'`, `k'` after, of which the dimensions `J` are left, keys about their mean for each set of queries:
//!
//! ```text
//! L_q = (E q'q'^T + r D_q)^-1 (E q'q^T + r D_q E_J)      L_k alike      q' becomes L_k L_q^T q'
//! ```

use faer::Mat;
use secateur_graph::{Graph, Tensor};

use super::least_squares::solve;
use super::lockstep::Repaired;
use super::moments::{About, Moments};
use super::product::Product;
use super::ridge::RIDGES;
use super::samples::Activation;
use crate::{Error, ErrorKind, Result};

/// Queries and keys of the wide network and of the small one, of one batch.
pub(crate) struct Sides<'a> {
    pub(crate) wide: [&'a Activation; 2],
    pub(crate) small: [&'a Activation; 2],
}

/// For each head the map `T` of `q' -> T^T q'`.
pub(crate) type Maps = Vec<Mat<f64>>;

/// A way to repair a product.
pub(crate) struct Way {
    ridge: Option<f64>,
    condition: f64,
    pub(crate) maps: Maps,
    /// Squared distance of products from what they were, on what is chosen on and on what is tested on.
    gaps: [f64; 2],
}

/// What is known of a product.
pub(crate) struct Fit<'a> {
    product: &'a Product,
    /// Of the queries and the keys of each head.
    moments: Vec<[Moments; 2]>,
    ways: Vec<Way>,
    /// Squares of products as they were, on what is chosen on and on what is tested on.
    sizes: [f64; 2],
}

impl<'a> Fit<'a> {
    /// Of nothing yet.
    pub(crate) fn new(product: &'a Product) -> Self {
        let none = || Moments::new(product.width, product.kept.len(), About::Zero);
        Self {
            product,
            moments: product.heads.iter().map(|_| [none(), none()]).collect(),
            ways: vec![],
            sizes: [0.0; 2],
        }
    }

    /// Adds a batch to the moments.
    pub(crate) fn add(&mut self, sides: &Sides<'_>) -> Result<()> {
        let heads = self.moments.len();
        for (block, [wide, small]) in sides.blocks(self.product)?.into_iter().enumerate() {
            for (side, moments) in self.moments[block % heads].iter_mut().enumerate() {
                moments.add(&wide[side].values, &small[side].values)?;
            }
        }
        Ok(())
    }

    /// Finds a way for each ridge.
    pub(crate) fn solve(&mut self) -> Result<()> {
        let n = self.product.kept.len();
        self.ways = vec![Way {
            ridge: None,
            condition: 1.0,
            maps: vec![Mat::identity(n, n); self.moments.len()],
            gaps: [0.0; 2],
        }];
        let whole = Mat::<f64>::identity(self.product.width, self.product.width);
        for ridge in RIDGES {
            let side =
                |moments: &Moments| solve(whole.as_ref(), &self.product.kept, moments, ridge);
            let of_head = |[queries, keys]: &[Moments; 2]| -> Result<(Mat<f64>, f64)> {
                let (queries, keys) = (side(queries)?, side(keys)?);
                let map = queries.weights.transpose() * &keys.weights;
                Ok((map, queries.condition.max(keys.condition)))
            };
            match self.moments.iter().map(of_head).collect::<Result<Vec<_>>>() {
                Ok(found) => self.ways.push(Way {
                    ridge: Some(ridge),
                    condition: found.iter().map(|(_, c)| *c).fold(1.0, f64::max),
                    maps: found.into_iter().map(|(map, _)| map).collect(),
                    gaps: [0.0; 2],
                }),
                // A larger one may do.
                Err(error) if error.kind() == ErrorKind::Singular => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Measures all ways on a batch of the part that is chosen on (0) or tested on (1).
    pub(crate) fn measure(&mut self, part: usize, sides: &Sides<'_>) -> Result<()> {
        let heads = self.moments.len();
        for (block, [wide, small]) in sides.blocks(self.product)?.into_iter().enumerate() {
            let [queries, keys] = wide.map(|block| block.matrix());
            let want = &queries * keys.transpose();
            self.sizes[part] += want.squared_norm_l2();
            let [queries, keys] = small.map(|block| block.matrix());
            for way in &mut self.ways {
                let have = &queries * &way.maps[block % heads] * keys.transpose();
                way.gaps[part] += (&want - &have).squared_norm_l2();
            }
        }
        Ok(())
    }

    /// The best way on what was chosen on, and what is told of it.
    pub(crate) fn chosen(mut self) -> Option<(Maps, Repaired)> {
        let order = |&a: &usize, &b: &usize| self.ways[a].gaps[0].total_cmp(&self.ways[b].gaps[0]);
        let best = (0..self.ways.len()).min_by(order)?;
        let none = self.ways.first()?.gaps;
        let way = self.ways.swap_remove(best);
        let share =
            |part: usize| [none[part], way.gaps[part]].map(|gap| share_of(gap, self.sizes[part]));
        let told = Repaired {
            node: self.product.name.clone(),
            moments_of: "queries and keys",
            ridge: way.ridge,
            condition: way.condition,
            chosen: share(0),
            tested: share(1),
        };
        Some((way.maps, told))
    }
}

/// A gap as a share of what there is; nothing of nothing.
fn share_of(gap: f64, size: f64) -> f64 {
    gap / size.max(f64::MIN_POSITIVE)
}

/// Queries or keys of one head of one input: one position after the other.
struct Block {
    width: usize,
    values: Vec<f32>,
}

impl Block {
    fn matrix(&self) -> Mat<f64> {
        let positions = self.values.len() / self.width.max(1);
        Mat::from_fn(positions, self.width, |p, d| {
            f64::from(self.values[p * self.width + d])
        })
    }
}

impl Sides<'_> {
    /// What meets: queries and keys of the wide and of the small network.
    fn blocks(&self, product: &Product) -> Result<Vec<[[Block; 2]; 2]>> {
        let of = |sides: [&Activation; 2], width: usize| -> Vec<[Block; 2]> {
            let (queries, keys) = (blocks(sides[0]), blocks(sides[1]));
            let pairs = queries.zip(keys);
            pairs
                .map(|(q, k)| {
                    let queries = Block {
                        width,
                        values: q.to_vec(),
                    };
                    [
                        queries,
                        Block {
                            width,
                            values: centered(k, width),
                        },
                    ]
                })
                .collect()
        };
        let wide = of(self.wide, product.width);
        let small = of(self.small, product.kept.len());
        if wide.len() != small.len() || wide.len() % product.heads.len().max(1) != 0 {
            let message = format!("queries of {} heads meet {} keys", wide.len(), small.len());
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(wide
            .into_iter()
            .zip(small)
            .map(|(wide, small)| [wide, small])
            .collect())
    }
}

/// The matrices of a value, one after the other.
fn blocks(value: &Activation) -> impl Iterator<Item = &[f32]> {
    let size: usize = value.shape.iter().rev().take(2).product();
    value.values.chunks_exact(size.max(1))
}

/// Keys that lie in columns, about their mean, one after the other.
fn centered(columns: &[f32], width: usize) -> Vec<f32> {
    let count = columns.len() / width.max(1);
    let rows = columns.chunks_exact(count.max(1));
    let means: Vec<f64> = rows
        .map(|row| row.iter().map(|&v| f64::from(v)).sum::<f64>() / count as f64)
        .collect();
    let key = |key: usize| {
        let each = means.iter().enumerate();
        each.map(move |(d, mean)| (f64::from(columns[d * count + key]) - mean) as f32)
    };
    (0..count).flat_map(key).collect()
}

/// Gives a network the queries that maps make.
pub(crate) fn absorb(product: &Product, maps: &[Mat<f64>], graph: &mut Graph) -> Result<()> {
    let projection = &product.projection;
    if let Some(tensor) = graph.constant(projection.weights) {
        let shape = tensor.shape().to_vec();
        let mut numbers = tensor.numbers();
        let matrices = projection.layout.matrices(&shape, &numbers);
        let mixed = matrices.into_iter().map(|mut matrix| {
            for input in 0..matrix.ncols() {
                let mut channels: Vec<f64> =
                    (0..matrix.nrows()).map(|c| matrix[(c, input)]).collect();
                mix(product, maps, &mut channels);
                channels
                    .iter()
                    .enumerate()
                    .for_each(|(c, v)| matrix[(c, input)] = *v);
            }
            matrix
        });
        let mixed: Vec<Mat<f64>> = mixed.collect();
        projection.layout.put(&shape, &mixed, &mut numbers);
        let new = Tensor::of_floats(tensor.element(), shape, numbers)?;
        graph.set_constant(projection.weights, new)?;
    }
    if let Some((node, slot)) = projection.bias
        && let Some(&Some(held)) = graph.node(node).inputs.get(slot)
        && let Some(tensor) = graph.constant(held)
    {
        let shape = tensor.shape().to_vec();
        let mut numbers = tensor.numbers();
        mix(product, maps, &mut numbers);
        let new = Tensor::of_floats(tensor.element(), shape, numbers)?;
        graph.give_constant(node, slot, new)?;
    }
    Ok(())
}

/// What becomes of all channels of a projection at one position.
pub(crate) fn mix(product: &Product, maps: &[Mat<f64>], channels: &mut [f64]) {
    for (head, map) in product.heads.iter().zip(maps) {
        let own: Vec<f64> = head.iter().map(|&c| channels[c]).collect();
        for (to, &channel) in head.iter().enumerate() {
            let pairs = own.iter().enumerate();
            channels[channel] = pairs.map(|(from, v)| map[(from, to)] * v).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_shares_of_what_there_is() {
        assert_eq!(share_of(1.0, 4.0), 0.25);
        assert_eq!(share_of(6.0, 4.0), 1.5);
        assert_eq!(share_of(0.0, 0.0), 0.0);
    }

    #[test]
    fn keys_lose_what_they_have_in_common() {
        // Two dimensions of three keys.
        let found = centered(&[1.0, 2.0, 6.0, 10.0, 20.0, 60.0], 2);
        assert_eq!(found, [-2.0, -20.0, -1.0, -10.0, 3.0, 30.0]);
    }
}
