//! Scores of units beside what the naive evaluator makes of the same rows in double precision.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::ops::Range;

use secateur_graph::{Array, ChannelGroups, Graph, Member, Op, Role, Tensor, Unary, evaluate};
use secateur_testkit::{Block, Images, Stream, by_batch, mlp, moved};
use secateur_train::{ClassLoss, ErrorKind, RegressionLoss, Rows, Targets, taylor_scores};

const CLASSES: usize = 3;
const PIXELS: usize = 2 * 6 * 6;

/// Units that live together over a sum, side by side and through depthwise layers, with normalisations. Smooth, so that
/// differences tell slopes.
fn network(blocks: &[Block]) -> Graph {
    let plan = Images {
        inputs: 2,
        blocks: blocks.to_vec(),
        flat: false,
        outputs: CLASSES,
        seed: 3,
    };
    let mut graph = plan.build().unwrap();
    let mut stream = Stream::new(8);
    for id in graph.value_ids() {
        let Some(tensor) = graph.constant(id).filter(|t| t.is_float()) else {
            continue;
        };
        if tensor.shape().len() > 1 {
            let small = |w: &f64| (0.3 * w + 0.2 * stream.unit()) as f32;
            let numbers: Vec<f32> = tensor.numbers().iter().map(small).collect();
            let tensor = Tensor::f32(tensor.shape(), numbers).unwrap();
            graph.set_constant(id, tensor).unwrap();
        }
    }
    graph
}

fn residual() -> Graph {
    network(&[
        Block::Conv(4, 3, true),
        Block::BatchNorm,
        Block::Activate(Unary::Tanh),
        Block::Residual,
        Block::BatchNorm,
        Block::Activate(Unary::Tanh),
        Block::Depthwise,
        Block::Dense(2),
        Block::Activate(Unary::Tanh),
        Block::Conv(3, 1, false),
        Block::BatchNorm,
    ])
}

fn images(count: usize) -> (Vec<f32>, Vec<u32>) {
    let mut stream = Stream::new(21);
    let values = (0..count * PIXELS).map(|_| (stream.unit() - 0.3) as f32);
    let values = values.collect();
    let labels = (0..count).map(|_| stream.below(CLASSES) as u32);
    (values, labels.collect())
}

fn classes(labels: Vec<u32>) -> Targets {
    Targets::Classes {
        labels,
        weights: vec![1.0; CLASSES],
        loss: ClassLoss::CrossEntropy,
    }
}

fn rows(count: usize) -> Rows {
    let (values, labels) = images(count);
    let rows = Rows::new(values, PIXELS, classes(labels)).unwrap();
    rows.with_shape(vec![2, 6, 6]).unwrap()
}

fn batch(values: &[f32], range: Range<usize>) -> Array {
    let own = &values[range.start * PIXELS..range.end * PIXELS];
    let own = own.iter().map(|&v| f64::from(v)).collect();
    Array::new(vec![range.len(), 2, 6, 6], own).unwrap()
}

/// Mean cross-entropy, written down once more.
fn naive_loss(graph: &Graph, x: &Array, labels: &[u32]) -> f64 {
    let z = evaluate(graph, std::slice::from_ref(x)).unwrap().remove(0);
    let each = z.values.chunks_exact(CLASSES).zip(labels);
    let sum: f64 = each
        .map(|(z, &label)| {
            let total: f64 = z.iter().map(|z| z.exp()).sum();
            total.ln() - z[label as usize]
        })
        .sum();
    sum / labels.len() as f64
}

/// The weights of one unit, zeros for others.
fn slice(tensor: &Tensor, member: &Member, unit: usize) -> Vec<f64> {
    let inner: usize = tensor.shape()[member.axis + 1..].iter().product();
    let length = tensor.shape()[member.axis];
    let numbers = tensor.numbers();
    let own = |at: usize| member.unit_of[at / inner % length] == Some(unit as u32);
    let each = numbers.iter().enumerate();
    each.map(|(at, &w)| if own(at) { w } else { 0.0 }).collect()
}

/// Whether a constant is a mean or a variance.
fn is_running(graph: &Graph, member: &Member) -> bool {
    let nodes = graph
        .readers(member.tensor)
        .iter()
        .map(|&id| graph.node(id));
    let mut norms = nodes.filter(|n| matches!(n.op, Op::BatchNorm { .. }));
    norms.any(|n| n.inputs[3..].contains(&Some(member.tensor)))
}

#[test]
fn scores_are_what_differences_of_the_loss_say() {
    let graph = residual();
    let groups = ChannelGroups::of(&graph).unwrap();
    let (values, labels) = images(11);
    let spelt = by_batch(&graph).unwrap();
    let batches = [0..3, 3..7, 7..11];
    let have = taylor_scores(&graph, &groups, &rows(11), 4, 2).unwrap();
    let mut roles = vec![];
    for (group, have) in groups.groups().iter().zip(&have) {
        let trained: Vec<&Member> = group
            .members
            .iter()
            .filter(|m| !is_running(&graph, m))
            .collect();
        roles.extend(trained.iter().map(|m| m.role));
        let want: Vec<f64> = (0..group.units)
            .map(|unit| {
                let mut sum = 0.0;
                for range in &batches {
                    let x = batch(&values, range.clone());
                    let labels = &labels[range.clone()];
                    for member in &trained {
                        let name = &graph.value(member.tensor).name;
                        let own = slice(graph.constant(member.tensor).unwrap(), member, unit);
                        let at = |step| {
                            naive_loss(&moved(&spelt, name, &own, step).unwrap(), &x, labels)
                        };
                        sum += ((at(1e-5) - at(-1e-5)) / 2e-5).powi(2);
                    }
                }
                sum / batches.len() as f64
            })
            .collect();
        let largest = want.iter().fold(0.0f64, |m, &w| m.max(w));
        assert!(largest > 1e-9, "{}: {want:?}", group.name);
        for (have, want) in have.iter().zip(&want) {
            assert!(
                (have - want).abs() <= 2e-3 * largest,
                "{}: {have} for {want} of {largest}",
                group.name
            );
        }
    }
    for role in [Role::Produces, Role::Carries, Role::Reads] {
        assert!(roles.contains(&role), "{role}");
    }
}

#[test]
fn a_unit_whose_weights_do_nothing_is_worth_least() {
    let mut graph = mlp(&[4, 5, CLASSES], Unary::Tanh, 2).unwrap();
    let id = graph.value_named("w2").unwrap();
    let mut weights = graph.constant(id).unwrap().as_f32().unwrap().to_vec();
    weights[2 * CLASSES..3 * CLASSES].fill(0.0);
    graph
        .set_constant(id, Tensor::f32([5, CLASSES], weights).unwrap())
        .unwrap();
    let (values, labels) = images(40);
    let rows = Rows::new(values[..160].to_vec(), 4, classes(labels)).unwrap();
    let groups = ChannelGroups::of(&graph).unwrap();
    let scores = taylor_scores(&graph, &groups, &rows, 32, 1).unwrap();
    let hidden = &scores[groups.named("dense1").unwrap().index()];
    let others = hidden.iter().enumerate().filter(|(unit, _)| *unit != 2);
    assert!(
        hidden[2] == 0.0 && others.clone().count() == 4,
        "{hidden:?}"
    );
    assert!(others.clone().all(|(_, &score)| score > 0.0), "{hidden:?}");
}

#[test]
fn what_cannot_be_scored_is_told() {
    let plain = network(&[Block::Conv(4, 3, true)]);
    let groups = ChannelGroups::of(&plain).unwrap();
    let (values, labels) = images(4);
    let narrow = Rows::new(values[..32].to_vec(), 8, classes(labels.clone())).unwrap();
    let error = taylor_scores(&plain, &groups, &narrow, 4, 1).unwrap_err();
    assert!(error.hint_text().is_some(), "{error}");
    let other = Targets::Values {
        loss: RegressionLoss::MeanSquared,
        values: vec![0.0; 4],
        columns: 1,
    };
    let other = Rows::new(values, PIXELS, other).unwrap();
    let other = other.with_shape(vec![2, 6, 6]).unwrap();
    let error = taylor_scores(&plain, &groups, &other, 4, 1).unwrap_err();
    assert!(error.to_string().contains("3 outputs"), "{error}");
    let infinite = Rows::new(vec![f32::INFINITY; 4 * PIXELS], PIXELS, classes(labels)).unwrap();
    let infinite = infinite.with_shape(vec![2, 6, 6]).unwrap();
    let error = taylor_scores(&plain, &groups, &infinite, 4, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
    // Rounding has no derivative, and what stands before it would look like nothing worth.
    let rounded = network(&[Block::Conv(4, 3, true), Block::Activate(Unary::Round)]);
    let groups = ChannelGroups::of(&rounded).unwrap();
    let error = taylor_scores(&rounded, &groups, &rows(4), 4, 1).unwrap_err();
    assert!(error.to_string().contains("no derivative"), "{error}");
}
