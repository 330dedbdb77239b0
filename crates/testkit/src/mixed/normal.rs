//! Steps that normalise, as operators or as exporters take them apart.

use secateur_graph::{Binary, Mix, Norm, Op, ReduceKind, Result, Unary};

use super::trunk::Trunk;

/// A step that normalises.
#[derive(Debug, Clone, PartialEq)]
pub enum Normal {
    /// By constants, for each channel.
    Batch,
    /// Over places, for each channel.
    Instance,
    /// Over places and runs of channels.
    Group,
    /// Over channels, where they come last.
    Layer {
        /// Whether the root of the mean of squares is taken, and no mean.
        rms: bool,
    },
    /// The same in a dozen operators, wherever channels are.
    Apart {
        /// Whether the root of the mean of squares is taken, and no mean.
        rms: bool,
    },
    /// `MeanVarianceNormalization` over places.
    MeanVariance,
    /// Over places and two runs of channels, as exported before there was an operator: by `InstanceNormalization` of the runs.
    Runs {
        /// Whether the shape to go back to is computed.
        computed: bool,
    },
}

const EPSILON: f32 = 0.125;

impl Normal {
    pub(super) fn add(&self, t: &mut Trunk) -> Result<()> {
        let (x, width, epsilon) = (t.x, t.width, EPSILON);
        match *self {
            Self::Batch if !t.is_last => {
                let inputs = [
                    x,
                    t.factors(&[width])?,
                    t.weights(&[width])?,
                    t.weights(&[width])?,
                    t.powers(&[width])?,
                ];
                t.x = t.node(
                    Op::BatchNorm {
                        epsilon: 0.0,
                        momentum: 0.9,
                    },
                    &inputs,
                );
            }
            Self::Instance if !t.is_last => {
                let inputs = [x, t.factors(&[width])?, t.weights(&[width])?];
                t.x = t.node(Op::Norm(Norm::Instance { epsilon }), &inputs);
            }
            Self::Group if !t.is_last && width % 2 == 0 => {
                let inputs = [x, t.factors(&[width])?, t.weights(&[width])?];
                let norm = Norm::Group {
                    count: 2,
                    epsilon,
                    by_run: false,
                };
                t.x = t.node(Op::Norm(norm), &inputs);
            }
            Self::Layer { rms } if t.is_last => {
                let axis = -1;
                let mut inputs = vec![x, t.factors(&[width])?];
                let norm = match rms {
                    true => Norm::Rms { axis, epsilon },
                    false => {
                        inputs.push(t.weights(&[width])?);
                        Norm::Layer { axis, epsilon }
                    }
                };
                t.x = t.node(Op::Norm(norm), &inputs);
            }
            Self::Apart { rms } => {
                let axis = [t.axis() as i64];
                let centred = match rms {
                    true => x,
                    false => {
                        let mean = t.reduce(ReduceKind::Mean, x, &axis)?;
                        t.node(Op::Binary(Binary::Sub), &[x, mean])
                    }
                };
                let (two, epsilon) = (t.number(2.0)?, t.number(epsilon)?);
                let squares = t.node(Op::Binary(Binary::Pow), &[centred, two]);
                let mean = t.reduce(ReduceKind::Mean, squares, &axis)?;
                let shifted = t.node(Op::Binary(Binary::Add), &[mean, epsilon]);
                let spread = t.node(Op::Unary(Unary::Sqrt), &[shifted]);
                let divided = t.node(Op::Binary(Binary::Div), &[centred, spread]);
                let shape = t.by_channel();
                let scale = t.factors(&shape)?;
                t.x = t.node(Op::Binary(Binary::Mul), &[divided, scale]);
            }
            Self::Runs { computed } if !t.is_last && width % 2 == 0 => {
                let runs = t.reshape(x, &[0, 2, -1])?;
                let inputs = [runs, t.powers(&[2])?, t.weights(&[2])?];
                let normal = t.node(Op::Norm(Norm::Instance { epsilon }), &inputs);
                let wanted = match computed {
                    true => {
                        let (start, end) = (0, None);
                        t.whole(Op::Shape { start, end }, &[x])
                    }
                    false => {
                        let places = t.places.iter().map(|&n| n as i64);
                        let shape: Vec<i64> = [0, width as i64].into_iter().chain(places).collect();
                        t.list(&shape)?
                    }
                };
                let back = t.node(Op::Reshape { allow_zero: false }, &[normal, wanted]);
                let shape = t.by_channel();
                let (scale, shift) = (t.factors(&shape)?, t.weights(&shape)?);
                let scaled = t.node(Op::Binary(Binary::Mul), &[back, scale]);
                t.x = t.node(Op::Binary(Binary::Add), &[scaled, shift]);
            }
            Self::MeanVariance if t.places.iter().any(|&n| n > 1) => {
                // Numbers that are all the same would be divided by next to nothing.
                let shape = t.by_place();
                let ramp = t.factors(&shape)?;
                let x = t.node(Op::Binary(Binary::Add), &[x, ramp]);
                let axes = t.place_axes();
                let normal = t.node(Op::Mix(Mix::MeanVariance { axes }), &[x]);
                t.x = t.node(Op::Unary(Unary::Tanh), &[normal]);
            }
            _ => {}
        }
        Ok(())
    }
}
