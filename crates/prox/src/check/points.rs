//! At which points is a penalty checked?

/// Steps below, at and beyond the usual: long ones make the objectives of non-convex penalties
/// concave.
pub(super) const STEPS: [f64; 9] = [1e-3, 0.1, 0.5, 1.0, 1.7, 2.7, 5.0, 12.0, 40.0];

const DIRECTIONS: [&[f64]; 6] = [
    &[1.0],
    &[-0.6, 0.8],
    &[0.0, 1.0],
    &[0.7, -0.5, 0.5],
    &[0.1, 0.9, 0.0, -0.4, 0.01],
    &[0.5, 0.5, -0.5, 0.5],
];

/// Dense where the pieces of penalties of strength about 1 meet.
const LENGTHS: [f64; 17] = [
    0.0, 1e-6, 1e-3, 0.03, 0.1, 0.3, 0.7, 1.0, 1.4, 2.0, 2.6, 3.3, 4.1, 5.2, 7.0, 15.0, 300.0,
];

/// All directions in all lengths, neighbours pointing differently.
pub(super) fn points() -> Vec<Vec<f64>> {
    let pairs = LENGTHS.iter().flat_map(|&l| DIRECTIONS.map(|d| (l, d)));
    pairs
        .map(|(length, direction)| direction.iter().map(|x| length * x).collect())
        .collect()
}

/// Points whose squares leave the range of `f32`, and subnormal ones.
pub(super) fn extremes() -> Vec<Vec<f64>> {
    let tiny = f64::from_bits(3);
    vec![
        vec![1e30, -2e30, 0.0],
        vec![-1e30],
        vec![1e-30, 3e-30],
        vec![tiny, -tiny],
        vec![-1e-310],
    ]
}
