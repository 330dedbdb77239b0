//! Timing and drawn numbers for the benches.

use std::time::{Duration, Instant};

/// Milliseconds of many calls, in order of size.
#[derive(Debug)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// The least.
    pub(crate) fn min(&self) -> f64 {
        self.0[0]
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Times each of `works` in turn, again and again for `seconds`, after a fifth of that for warming up.
///
/// Taking turns lets noise of the machine meet all of them alike, so ratios hold within one run.
pub(crate) fn interleaved<const N: usize>(
    seconds: f64,
    mut works: [&mut dyn FnMut(); N],
) -> [Times; N] {
    let mut times = [const { vec![] }; N];
    for (share, keep) in [(0.2, false), (1.0, true)] {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs_f64(share * seconds) {
            for (work, times) in works.iter_mut().zip(&mut times) {
                let start = Instant::now();
                work();
                if keep {
                    times.push(start.elapsed().as_secs_f64() * 1e3);
                }
            }
        }
    }
    times.map(|mut t| {
        t.sort_by(f64::total_cmp);
        Times(t)
    })
}

/// Numbers between -1 and 1 from a seed.
pub(crate) fn drawn(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}
