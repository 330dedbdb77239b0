//! What attention comes to, in double precision.

use super::{Attention, Lengths};
use crate::eval::Array;
use crate::ops::dims;
use crate::{Error, Result};

pub(in crate::ops) fn evaluate(attention: &Attention, inputs: &[Option<&Array>]) -> Result<Array> {
    let input = |slot: usize| inputs.get(slot).copied().flatten();
    let (Some(q), Some(k), Some(v)) = (input(0), input(1), input(2)) else {
        return Err(Error::invalid("Attention lacks queries, keys or values"));
    };
    let shapes = [q, k, v].map(|x| dims(&x.shape));
    let Some(lengths) = Lengths::of(attention.heads, [&shapes[0], &shapes[1], &shapes[2]])? else {
        return Err(Error::invalid("Attention over axes of unknown length"));
    };
    let places = if lengths.is_flat { 1 } else { 2 };
    let rows = q.shape[0];
    let (seeing, seen) = (q.shape[places], k.shape[places]);
    if k.shape[0] != rows || v.shape[0] != rows || v.shape[places] != seen {
        return Err(Error::invalid(format!(
            "Attention of queries {:?}, keys {:?} and values {:?}",
            q.shape, k.shape, v.shape
        )));
    }
    let heads = lengths.heads * lengths.repeats;
    let bias = Bias::of(attention, input(3), [rows, heads, seeing, seen])?;
    let scale = f64::from(attention.scale(lengths.dimensions)).sqrt();
    // Where the numbers of a head at a place begin.
    let start = |of: [usize; 3], heads: usize, places: usize, each: usize| {
        let [row, head, place] = of;
        match lengths.is_flat {
            true => ((row * places + place) * heads + head) * each,
            false => ((row * heads + head) * places + place) * each,
        }
    };
    let (of_key, of_value) = (lengths.dimensions, lengths.value);
    let mut values = vec![0.0; rows * heads * seeing * of_value];
    for at in 0..rows * heads * seeing {
        let [row, head, place] = [at / seeing / heads, at / seeing % heads, at % seeing];
        let biases: Vec<f64> = (0..seen)
            .map(|key| bias.at([row, head, place, key]))
            .collect();
        let shared = head / lengths.repeats;
        let query = &q.values[start([row, head, place], heads, seeing, of_key)..][..of_key];
        let score = |(key, bias): (usize, &f64)| {
            let key = start([row, shared, key], lengths.heads, seen, of_key);
            let pairs = query.iter().zip(&k.values[key..][..of_key]);
            let product = pairs.fold(0.0, |sum, (q, k)| sum + q * scale * (k * scale));
            let cap = f64::from(attention.softcap);
            let product = if cap > 0.0 {
                (product / cap).tanh() * cap
            } else {
                product
            };
            product + bias
        };
        let scores: Vec<f64> = biases.iter().enumerate().map(score).collect();
        // A query that sees no key gets zeros.
        if biases.iter().all(|&b| b == f64::NEG_INFINITY) {
            continue;
        }
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shares: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
        let sum = shares.iter().fold(0.0, |sum, share| sum + share);
        let made = start([row, head, place], heads, seeing, of_value);
        for (value, sum_up) in values[made..][..of_value].iter_mut().enumerate() {
            let each = shares.iter().enumerate().map(|(key, share)| {
                let from = start([row, shared, key], lengths.heads, seen, of_value);
                share / sum * v.values[from + value]
            });
            *sum_up = each.fold(0.0, |sum, v| sum + v);
        }
    }
    let shape = match lengths.is_flat {
        true => vec![rows, seeing, heads * of_value],
        false => vec![rows, heads, seeing, of_value],
    };
    Array::new(shape, values)
}

/// What is added to the product of a query and a key.
struct Bias<'a> {
    attention: &'a Attention,
    mask: Option<&'a Array>,
    /// By how much each axis of rows, heads, queries and keys moves on in the mask.
    strides: [usize; 4],
    /// Keys behind those that the mask tells of are hidden.
    told: usize,
}

impl<'a> Bias<'a> {
    fn of(attention: &'a Attention, mask: Option<&'a Array>, whole: [usize; 4]) -> Result<Self> {
        let mut bias = Self {
            attention,
            mask,
            strides: [0; 4],
            told: whole[3],
        };
        let shape = mask.map_or(&[][..], |mask| mask.shape.as_slice());
        let misfit = || Error::invalid(format!("Attention of {whole:?} under a mask of {shape:?}"));
        let missing = whole.len().checked_sub(shape.len()).ok_or_else(misfit)?;
        let mut stride = 1;
        for (own, &length) in shape.iter().enumerate().rev() {
            let axis = own + missing;
            let is_last = axis + 1 == whole.len();
            if is_last && length == 1 && whole[axis] > 1 {
                return Err(Error::unsupported(
                    "a mask of one key for several is read in two ways",
                )
                .hint("expand the mask to all keys"));
            }
            match length == whole[axis] || is_last && (1..whole[axis]).contains(&length) {
                true => bias.strides[axis] = if length == 1 { 0 } else { stride },
                false if length == 1 => {}
                false => return Err(misfit()),
            }
            if is_last {
                bias.told = length;
            }
            stride *= length;
        }
        Ok(bias)
    }

    fn at(&self, place: [usize; 4]) -> f64 {
        let [.., query, key] = place;
        let [before, behind] = self.attention.reach;
        let is_seen = (!self.attention.causal || key <= query)
            && before.is_none_or(|reach| query <= key.saturating_add(reach))
            && behind.is_none_or(|reach| key <= query.saturating_add(reach))
            && key < self.told;
        let Some(mask) = self.mask.filter(|_| is_seen) else {
            return if is_seen { 0.0 } else { f64::NEG_INFINITY };
        };
        let at = place.iter().zip(self.strides).map(|(i, stride)| i * stride);
        match (mask.values[at.sum::<usize>()], self.attention.truth_mask) {
            (bias, false) => bias,
            (0.0, true) => f64::NEG_INFINITY,
            (_, true) => 0.0,
        }
    }
}
