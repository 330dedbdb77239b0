//! Numbers that look random and are the same everywhere: a hash of a counter.

/// A deterministic stream of numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from 0 to `end - 1`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    /// A whole number from `-most` to `most`.
    pub fn integer(&mut self, most: u32) -> f64 {
        self.below(2 * most as usize + 1) as f64 - f64::from(most)
    }

    /// A number in [-1, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// An order of the numbers below `count`.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_sequence() {
        let mut stream = Stream::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(first, published);
    }

    #[test]
    fn numbers_lie_in_their_ranges_and_reach_the_ends() {
        let mut stream = Stream::new(7);
        let drawn: Vec<f64> = (0..200).map(|_| stream.integer(2)).collect();
        for value in [-2.0, -1.0, 0.0, 1.0, 2.0] {
            assert!(drawn.contains(&value));
        }
        assert!(drawn.iter().all(|v| v.abs() <= 2.0));
        assert!(
            (0..200)
                .map(|_| stream.unit())
                .all(|v| (-1.0..1.0).contains(&v))
        );
        let mut order = stream.order(9);
        order.sort_unstable();
        assert!(order.into_iter().eq(0..9));
    }
}
