//! Which ridge brings a reader nearest to what it made, on inputs that it was not fitted on?

use std::ops::Range;

use faer::Mat;
use secateur_graph::Graph;

use super::least_squares::solve;
use super::lockstep::Repaired;
use super::moments::{About, Moments};
use super::narrowed::Part;
use super::site::Site;
use crate::{ErrorKind, Result};

/// Ridges that are tried, besides infinity (the bias alone) and none (the reader stays as it is).
pub(crate) const RIDGES: [f64; 7] = [1e-4, 1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0];

/// Numbers of what is made that are there at once.
const AT_ONCE: usize = 1 << 20;

/// What a reader read in both networks, at the same positions, by batch: those that are fitted up to the first bound, those that are
/// chosen on up to the second, those that are tested on up to the third.
pub(crate) struct Seen<'a> {
    pub(crate) wide: &'a [Vec<f32>],
    pub(crate) small: &'a [Vec<f32>],
    pub(crate) bounds: [usize; 3],
}

/// A way to repair a reader.
struct Way {
    ridge: Option<f64>,
    condition: f64,
    /// By part.
    weights: Vec<Mat<f64>>,
}

/// What becomes of a reader.
pub(crate) struct Chosen {
    /// Its new weights, unless they stay.
    pub(crate) weights: Option<Vec<f64>>,
    /// By how much the mean of each channel that it makes falls short, if one number of its weights takes a channel to another, as the
    /// means of what it reads tell.
    pub(crate) gaps: Vec<f64>,
    pub(crate) told: Repaired,
}

impl Way {
    /// By least squares.
    fn solved(parts: &[Part], moments: &[Moments], ridge: f64) -> Result<Self> {
        let each = parts.iter().zip(moments);
        let each = each.map(|(p, m)| solve(p.weights.as_ref(), &p.kept, m, ridge));
        let solved = each.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            ridge: Some(ridge),
            condition: solved.iter().map(|s| s.condition).fold(1.0, f64::max),
            weights: solved.into_iter().map(|s| s.weights).collect(),
        })
    }

    /// By how much means fall short of those that parts made.
    fn gaps(&self, parts: &[Part], moments: &[Moments]) -> Vec<f64> {
        let each = parts.iter().zip(moments).zip(&self.weights);
        each.flat_map(|((part, moments), weights)| {
            let was = product(&part.weights, &moments.mean());
            let is = product(weights, &moments.kept_mean());
            (0..was.nrows()).map(move |row| was[(row, 0)] - is[(row, 0)])
        })
        .collect()
    }
}

/// The weights of the way that is best on the batches to choose on; none where they stay.
pub(crate) fn chosen(
    site: &Site,
    (wide, small): (&Graph, &Graph),
    seen: &Seen<'_>,
) -> Result<Chosen> {
    let constant = |graph: &Graph| graph.constant(site.weights).cloned();
    let told = Repaired {
        node: site.name.clone(),
        moments_of: site.first.view.name(),
        ridge: None,
        condition: 1.0,
        chosen: [0.0; 2],
        tested: [0.0; 2],
    };
    let mut chosen = Chosen {
        weights: None,
        gaps: vec![],
        told,
    };
    let (Some(before), Some(now)) = (constant(wide), constant(small)) else {
        return Ok(chosen);
    };
    let narrowed = site.narrowed([before.shape(), now.shape()]);
    let Some(parts) = narrowed.parts(&before.numbers()) else {
        return Ok(chosen);
    };
    let [fitted, looked_at, all] = seen.bounds;
    let stay = |ridge| Way {
        ridge,
        condition: 1.0,
        weights: parts.iter().map(Part::left).collect(),
    };
    let far = |way: &Way, batches: Range<usize>| {
        let pairs = parts.iter().zip(&way.weights);
        let each = pairs
            .map(|(part, weights)| part.distance(site, weights, way.ridge, seen, batches.clone()));
        let sums = each.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        sums.0 / f64::max(sums.1, f64::MIN_POSITIVE)
    };
    let mut moments: Vec<Moments> = parts.iter().map(|part| part.moments(site)).collect();
    for (part, moments) in parts.iter().zip(&mut moments) {
        part.measure(site, seen, 0..fitted, moments)?;
    }
    let mut way = stay(None);
    let unrepaired = far(&way, fitted..looked_at);
    let mut least = unrepaired;
    let bias_alone = (!site.offsets.is_empty()).then(|| Ok(stay(Some(f64::INFINITY))));
    let solved = RIDGES
        .iter()
        .map(|&ridge| Way::solved(&parts, &moments, ridge));
    // One after the other, as weights may be most of what is held.
    for other in bias_alone.into_iter().chain(solved) {
        let other = match other {
            Ok(other) => other,
            // A larger one may do.
            Err(error) if error.kind() == ErrorKind::Singular => continue,
            Err(error) => return Err(error),
        };
        let distance = far(&other, fitted..looked_at);
        if distance < least {
            (way, least) = (other, distance);
        }
    }
    if let Some(ridge) = way.ridge {
        // Once the ridge is chosen, what it was chosen on tells more of the moments.
        for (part, moments) in parts.iter().zip(&mut moments) {
            part.measure(site, seen, fitted..looked_at, moments)?;
        }
        if ridge.is_finite() {
            way = Way::solved(&parts, &moments, ridge)?;
            chosen.weights = Some(narrowed.assembled(&way.weights));
        }
        chosen.gaps = way.gaps(&parts, &moments);
    }
    chosen.told.ridge = way.ridge;
    chosen.told.condition = way.condition;
    chosen.told.chosen = [unrepaired, least];
    chosen.told.tested = [&stay(None), &way].map(|way| far(way, looked_at..all));
    Ok(chosen)
}

impl Part {
    /// The weights that a cut leaves.
    fn left(&self) -> Mat<f64> {
        Mat::from_fn(self.weights.nrows(), self.kept.len(), |r, c| {
            self.weights[(r, self.kept[c])]
        })
    }

    /// The channels of the part on some batches, in both networks.
    fn read(&self, site: &Site, seen: &Seen<'_>, batch: usize) -> [Vec<f32>; 2] {
        let pick = |values: &[f32], width: usize, channels: &Range<usize>| -> Vec<f32> {
            let positions = values.chunks_exact(width.max(1));
            positions
                .flat_map(|row| row[channels.clone()].iter().copied())
                .collect()
        };
        [
            pick(&seen.wide[batch], site.width, &self.wide),
            pick(&seen.small[batch], site.inputs.len(), &self.narrow),
        ]
    }

    /// Of nothing yet.
    fn moments(&self, site: &Site) -> Moments {
        let about = match site.offsets[..] {
            [] => About::Zero,
            [..] => About::Means,
        };
        Moments::new(self.wide.len(), self.narrow.len(), about)
    }

    /// Adds some batches to moments.
    fn measure(
        &self,
        site: &Site,
        seen: &Seen<'_>,
        batches: Range<usize>,
        moments: &mut Moments,
    ) -> Result<()> {
        for batch in batches {
            let [wide, small] = self.read(site, seen, batch);
            moments.add(&wide, &small)?;
        }
        Ok(())
    }

    /// The squared distance of what is made from what was, and the variance of the latter, added up over positions and outputs. A reader
    /// whose means are made up for is compared about them.
    fn distance(
        &self,
        site: &Site,
        weights: &Mat<f64>,
        ridge: Option<f64>,
        seen: &Seen<'_>,
        batches: Range<usize>,
    ) -> (f64, f64) {
        let rows = self.weights.nrows();
        let (mut gaps, mut made) = (Sums::new(rows), Sums::new(rows));
        for batch in batches {
            let [wide, small] = self.read(site, seen, batch);
            let some = (AT_ONCE / rows.max(1)).max(1);
            let wide = wide.chunks((some * self.wide.len()).max(1));
            let small = small.chunks((some * self.narrow.len()).max(1));
            for (wide, small) in wide.zip(small) {
                let was = product(&self.weights, wide);
                let is = product(weights, small);
                made.add(&was);
                gaps.add(&(&was - &is));
            }
        }
        let gap = match ridge {
            Some(_) if !site.offsets.is_empty() => gaps.about_means(),
            Some(_) | None => gaps.squares(),
        };
        (gap, made.about_means())
    }
}

/// What weights make of channels at some positions: `outputs x positions`.
fn product<V: Copy + Into<f64>>(weights: &Mat<f64>, values: &[V]) -> Mat<f64> {
    let width = weights.ncols();
    let positions = values.len() / width.max(1);
    let values = Mat::from_fn(width, positions, |c, p| values[p * width + c].into());
    weights * &values
}

/// Sums and sums of squares of rows.
struct Sums {
    count: f64,
    of: Vec<(f64, f64)>,
}

impl Sums {
    fn new(rows: usize) -> Self {
        Self {
            count: 0.0,
            of: vec![(0.0, 0.0); rows],
        }
    }

    fn add(&mut self, values: &Mat<f64>) {
        for p in 0..values.ncols() {
            for ((sum, squares), value) in self.of.iter_mut().zip(values.col_as_slice(p)) {
                *sum += value;
                *squares += value.powi(2);
            }
        }
        self.count += values.ncols() as f64;
    }

    fn squares(&self) -> f64 {
        self.of.iter().map(|(_, squares)| squares).sum()
    }

    fn about_means(&self) -> f64 {
        let n = self.count.max(1.0);
        let of = |(sum, squares): &(f64, f64)| (squares - sum * sum / n).max(0.0);
        self.of.iter().map(of).sum()
    }
}

#[cfg(test)]
mod tests;
