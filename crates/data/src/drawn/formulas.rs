//! The functions, each with its domain and noise. To change one is to change the data of whoever compares with it.

use std::f64::consts::PI;

use super::Drawn;

pub(super) const ALL: [Drawn; 5] = [SINE, STEPS, SINC, RIPPLE, PEAKS];

/// Four periods, three times as high at the end as at the start.
const SINE: Drawn = Drawn {
    name: "sine",
    formula: "y = (0.5 + 0.25 x) sin(2 pi x)",
    inputs: 1,
    domain: (0.0, 4.0),
    noise: 0.1,
    rows: 1_000,
    seed: 1,
    function: |x| (0.5 + 0.25 * x[0]) * (2.0 * PI * x[0]).sin(),
};

/// Six levels with jumps between them, which no smooth network meets exactly.
const STEPS: Drawn = Drawn {
    name: "steps",
    formula: "y = 0 for x < 0.15, 1 for x < 0.3, -0.5 for x < 0.45, 0.5 for x < 0.7, 1.5 for x < 0.85, else 0",
    inputs: 1,
    domain: (0.0, 1.0),
    noise: 0.1,
    rows: 1_000,
    seed: 2,
    function: |x| match x[0] {
        x if x < 0.15 => 0.0,
        x if x < 0.3 => 1.0,
        x if x < 0.45 => -0.5,
        x if x < 0.7 => 0.5,
        x if x < 0.85 => 1.5,
        _ => 0.0,
    },
};

/// One high bump among low ones.
const SINC: Drawn = Drawn {
    name: "sinc",
    formula: "y = sin(x) / x, and 1 at x = 0",
    inputs: 1,
    domain: (-10.0, 10.0),
    noise: 0.05,
    rows: 1_000,
    seed: 3,
    function: |x| match x[0] {
        0.0 => 1.0,
        x => x.sin() / x,
    },
};

/// Rings around the origin that fade outwards.
const RIPPLE: Drawn = Drawn {
    name: "ripple",
    formula: "y = cos(3 r) exp(-r / 3), r = sqrt(x1^2 + x2^2)",
    inputs: 2,
    domain: (-4.0, 4.0),
    noise: 0.05,
    rows: 2_000,
    seed: 4,
    function: |x| {
        let r = x[0].hypot(x[1]);
        (3.0 * r).cos() * (-r / 3.0).exp()
    },
};

/// Height, centre and width of each bump of [`PEAKS`].
const BUMPS: [(f64, f64, f64, f64); 4] = [
    (1.0, -1.5, -1.0, 0.6),
    (1.5, 1.0, 1.2, 0.5),
    (-0.8, 1.2, -1.3, 0.8),
    (0.6, -0.8, 1.6, 0.4),
];

/// Bumps of several heights and widths on a plain.
const PEAKS: Drawn = Drawn {
    name: "peaks",
    formula: "y = g(-1.5, -1, 0.6) + 1.5 g(1, 1.2, 0.5) - 0.8 g(1.2, -1.3, 0.8) + 0.6 g(-0.8, 1.6, 0.4), \
              g(a, b, s) = exp(-((x1 - a)^2 + (x2 - b)^2) / (2 s^2))",
    inputs: 2,
    domain: (-3.0, 3.0),
    noise: 0.05,
    rows: 2_000,
    seed: 5,
    function: |x| {
        let bump = |(height, a, b, width): (f64, f64, f64, f64)| {
            let distance = (x[0] - a).powi(2) + (x[1] - b).powi(2);
            height * (-distance / (2.0 * width * width)).exp()
        };
        BUMPS.into_iter().map(bump).sum()
    },
};
