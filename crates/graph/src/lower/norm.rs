//! Operators that normalise: by constants, by the numbers themselves, along axes.

use secateur_onnx::proto::NodeProto;

use super::attributes::Attributes;
use super::node::{Inputs, Understood, op_type, positive};
use crate::ops::MOMENTUM;
use crate::raise::GROUPS_BY_CHANNEL;
use crate::{Error, Mix, Norm, Op, Result};

/// The operation of a node, if it is one of them.
pub(super) fn of(node: &NodeProto, opset: i64, given: &Inputs<'_>) -> Result<Option<Understood>> {
    let a = Attributes(&node.attribute);
    let understood: Understood = match op_type(node) {
        "BatchNormalization" => {
            if a.int("spatial", 1)? == 0 {
                return Ok(None);
            }
            let epsilon = a.float("epsilon", 1e-5)?;
            if a.int("training_mode", 0)? != 0 {
                let attributes = &["epsilon", "momentum", "training_mode", "spatial"];
                let op = Op::Norm(Norm::Batch { epsilon });
                return Ok(Some((op, 5..=5, attributes)));
            }
            let momentum = a.float("momentum", MOMENTUM)?;
            let attributes = &["epsilon", "momentum", "training_mode", "spatial"];
            (Op::BatchNorm { epsilon, momentum }, 5..=5, attributes)
        }
        "LayerNormalization" => {
            let (axis, epsilon) = (a.int("axis", -1)?, a.float("epsilon", 1e-5)?);
            let op = Op::Norm(Norm::Layer { axis, epsilon });
            (op, 2..=3, &["axis", "epsilon", "stash_type"])
        }
        "RMSNormalization" => {
            let (axis, epsilon) = (a.int("axis", -1)?, a.float("epsilon", 1e-5)?);
            let op = Op::Norm(Norm::Rms { axis, epsilon });
            (op, 2..=2, &["axis", "epsilon", "stash_type"])
        }
        "InstanceNormalization" => {
            let epsilon = a.float("epsilon", 1e-5)?;
            (Op::Norm(Norm::Instance { epsilon }), 3..=3, &["epsilon"])
        }
        "GroupNormalization" => {
            let count = positive(&a, "num_groups", 0)?;
            let epsilon = a.float("epsilon", 1e-5)?;
            let by_run = opset < GROUPS_BY_CHANNEL;
            let op = Op::Norm(Norm::Group {
                count,
                epsilon,
                by_run,
            });
            (op, 3..=3, &["epsilon", "num_groups", "stash_type"])
        }
        "Softmax" | "LogSoftmax" => {
            let Some(axis) = softmax_axis(&a, opset, given.ranks)? else {
                return Ok(None);
            };
            let op = match op_type(node) {
                "Softmax" => Op::Softmax { axis },
                _ => Op::LogSoftmax { axis },
            };
            (op, 1..=1, &["axis"])
        }
        "Hardmax" => {
            let Some(axis) = softmax_axis(&a, opset, given.ranks)? else {
                return Ok(None);
            };
            (Op::Mix(Mix::Hardmax { axis }), 1..=1, &["axis"])
        }
        "LpNormalization" => {
            let (axis, p) = (a.int("axis", -1)?, a.int("p", 2)?);
            if p != 1 && p != 2 {
                return Err(Error::invalid(format!("attribute 'p' is {p}, not 1 or 2")));
            }
            (Op::Mix(Mix::Lp { axis, p }), 1..=1, &["axis", "p"])
        }
        "MeanVarianceNormalization" => {
            let axes = a.ints("axes")?.unwrap_or(&[0, 2, 3]).to_vec();
            (Op::Mix(Mix::MeanVariance { axes }), 1..=1, &["axes"])
        }
        "LRN" => {
            let mix = Mix::Lrn {
                size: positive(&a, "size", 0)?,
                alpha: a.float("alpha", 0.0001)?,
                beta: a.float("beta", 0.75)?,
                bias: a.float("bias", 1.0)?,
            };
            (Op::Mix(mix), 1..=1, &["size", "alpha", "beta", "bias"])
        }
        _ => return Ok(None),
    };
    Ok(Some(understood))
}

/// Before operator set 13, Softmax folds all axes from `axis` on into one, by default from the second; that is
/// the present Softmax where `axis` is the last, and else none that is understood.
fn softmax_axis(a: &Attributes<'_>, opset: i64, ranks: &[Option<usize>]) -> Result<Option<i64>> {
    if opset >= 13 {
        return a.int("axis", -1).map(Some);
    }
    let axis = a.int("axis", 1)?;
    let last = ranks.first().copied().flatten().map(|rank| rank as i64 - 1);
    Ok((axis == -1 || Some(axis) == last).then_some(axis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dim, GraphBuilder, ModelMeta, Tensor, from_model, to_model};

    #[test]
    fn a_momentum_is_read_and_written_where_it_is_not_the_default() {
        for (momentum, written) in [(0.9, false), (0.75, true)] {
            let mut b = GraphBuilder::new("g");
            let x = b.input("x", [Dim::batch(), Dim::Fixed(2)]);
            let ones = Tensor::f32([2], vec![1.0; 2]).unwrap();
            let parameters = ["scale", "shift", "mean", "variance"];
            let [scale, shift, mean, variance] = parameters.map(|n| b.constant(n, ones.clone()));
            let op = Op::BatchNorm {
                epsilon: 1e-5,
                momentum,
            };
            let y = b.node("y", op.clone(), &[x, scale, shift, mean, variance]);
            b.output(y);
            let model = to_model(&b.build().unwrap(), &ModelMeta::default()).unwrap();
            let mut attributes = model.graph.node[0].attribute.iter();
            let has = attributes.any(|a| a.name.as_deref() == Some("momentum"));
            assert_eq!(has, written, "{momentum}");
            assert_eq!(from_model(&model).unwrap().nodes()[0].op, op);
        }
    }
}
