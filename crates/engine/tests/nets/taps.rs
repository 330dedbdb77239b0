//! A step that is taken apart: gradients at taps, whole batches, several inputs and outputs, stops, raw gradients, gates.

use secateur_engine::{Gradients, Network, ParameterKind, Threads, Training};
use secateur_graph::{Array, Binary, Graph, Unary, ValueId, evaluate};
use secateur_testkit::{Stream, by_batch, moved};

use super::{Net, drawn};

/// A network of two inputs and two outputs, with a convolution and a normalization.
struct Two {
    graph: Graph,
    /// What the second input is added to, and the sum.
    mid: ValueId,
    sum: ValueId,
    /// The output of a layer in front of both.
    front: ValueId,
}

fn two(seed: u64) -> Two {
    let mut net = Net::new(&[3, 6, 5], seed);
    let x = net.input;
    let front = net.conv(x, 4, 3, 1, 1, 1);
    let y = net.unary(front, Unary::Tanh);
    let y = net.conv(y, 5, 3, 2, 1, 1);
    let mid = net.batch_norm(y);
    let [_, channels, height, width] = net.shape(mid)[..] else {
        panic!("an image")
    };
    let second = net.second_input(&[channels, height, width]);
    let sum = net.binary(Binary::Add, mid, second);
    let y = net.unary(sum, Unary::Sigmoid);
    let z = net.conv(y, 3, 1, 1, 0, 1);
    let z = net.flatten(z);
    let a = net.gemm(z, 4);
    let y = net.global_mean(y);
    let y = net.flatten(y);
    let b = net.gemm(y, 3);
    Two {
        graph: net.build_all(&[a, b]),
        mid,
        sum,
        front,
    }
}

/// The value of the same name in a graph that was made of that of a network.
fn named(made: &Graph, net: &Two, value: ValueId) -> ValueId {
    made.value_named(&net.graph.value(value).name).unwrap()
}

const ROWS: usize = 5;

/// Numbers for both inputs.
fn given(graph: &Graph, stream: &mut Stream) -> Vec<Array> {
    let of = |&input: &ValueId| {
        let dims = graph.value(input).shape.as_ref().unwrap();
        let shape: Vec<usize> = dims.iter().map(|d| d.fixed().unwrap_or(ROWS)).collect();
        let numbers = drawn(stream, shape.iter().product());
        let single = numbers.into_iter().map(|v| f64::from(v as f32));
        Array::new(shape, single.collect()).unwrap()
    };
    graph.inputs().iter().map(of).collect()
}

fn samples(given: &[Array]) -> Vec<Vec<usize>> {
    let of = |x: &Array| [&[1], &x.shape[1..]].concat();
    given.iter().map(of).collect()
}

fn single(given: &[Array]) -> Vec<Vec<f32>> {
    let of = |x: &Array| x.values.iter().map(|&v| v as f32).collect();
    given.iter().map(of).collect()
}

/// Half the squared norm of `ZᵀZ / n` and its gradient: a loss that is no sum over rows.
fn gram(z: &[f64], rows: usize) -> (f64, Vec<f64>) {
    let width = z.len() / rows;
    let n = rows as f64;
    let mut g = vec![0.0; width * width];
    for row in z.chunks_exact(width) {
        for i in 0..width {
            for j in 0..width {
                g[i * width + j] += row[i] * row[j] / n;
            }
        }
    }
    let gradient = z.chunks_exact(width).flat_map(|row| {
        let g = &g;
        (0..width)
            .map(move |j| (0..width).map(|i| row[i] * g[i * width + j]).sum::<f64>() * 2.0 / n)
    });
    (
        g.iter().map(|v| v * v).sum::<f64>() / 2.0,
        gradient.collect(),
    )
}

/// The mean of per-sample losses `sqrt(1 + |z|²)`, with all of them.
fn per_sample(z: &[f64], rows: usize) -> (Vec<f64>, Vec<f64>) {
    let width = z.len() / rows;
    let losses = z
        .chunks_exact(width)
        .map(|row| (1.0 + row.iter().map(|v| v * v).sum::<f64>()).sqrt());
    let losses: Vec<f64> = losses.collect();
    let gradient = z.chunks_exact(width).zip(&losses);
    let gradient = gradient.flat_map(|(row, loss)| row.iter().map(move |v| v / loss / rows as f64));
    (losses.clone(), gradient.collect())
}

/// Both losses by the naive evaluator, each times its factor.
fn naive(graph: &Graph, given: &[Array], [first, second]: [f64; 2]) -> f64 {
    let made = evaluate(graph, given).unwrap();
    let losses = per_sample(&made[1].values, ROWS).0;
    first * gram(&made[0].values, ROWS).0 + second * losses.iter().sum::<f64>() / ROWS as f64
}

/// Seeds both outputs with the gradients of their losses, each times its factor.
fn seed(pass: &mut secateur_engine::Pass<'_>, graph: &Graph, factors: [f64; 2]) {
    for (k, (&output, factor)) in graph.outputs().iter().zip(factors).enumerate() {
        if factor == 0.0 {
            continue;
        }
        let z: Vec<f64> = pass
            .value(output)
            .unwrap()
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        let (loss, gradient) = match k {
            0 => gram(&z, ROWS),
            _ => {
                let (losses, gradient) = per_sample(&z, ROWS);
                (losses.iter().sum::<f64>() / ROWS as f64, gradient)
            }
        };
        let width = z.len() / ROWS;
        let fill = |rows: std::ops::Range<usize>, _: &[f32], into: &mut [f32]| {
            let own = &gradient[rows.start * width..rows.end * width];
            into.iter_mut()
                .zip(own)
                .for_each(|(to, &g)| *to = (factor * g) as f32);
            loss * rows.len() as f64 / ROWS as f64
        };
        let told = pass.seed(output, &fill).unwrap();
        assert!((told - loss).abs() < 1e-9 * loss.abs().max(1.0));
    }
}

fn network(
    graph: &Graph,
    given: &[Array],
    raw: usize,
    taps: &[ValueId],
    threads: usize,
) -> Network {
    let samples = samples(given);
    let training = Training {
        raw,
        taps,
        ..Training::of(&samples, ROWS + 1)
    };
    Network::to_train(graph, &training, Threads::new(threads).unwrap()).unwrap()
}

/// The slope of a function along a direction, by differences.
fn slope(at: impl Fn(f64) -> f64) -> f64 {
    (at(1e-5) - at(-1e-5)) / 2e-5
}

fn along(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

fn near(have: f64, want: f64, scale: f64, what: &str) {
    assert!(
        (have - want).abs() <= 1e-3 * scale,
        "{what}: {have} for {want}, of {scale}"
    );
}

/// What is added to a value has the gradient of that value: the second input tells it, at the input, the value and the sum.
#[test]
fn gradients_at_taps_are_those_of_differences() {
    for (s, threads) in [(1, 1), (2, 2), (3, 1), (4, 2)] {
        let mut stream = Stream::new(70 + s);
        let net = two(s);
        let given = given(&net.graph, &mut stream);
        let trained = by_batch(&net.graph).unwrap();
        let taps = [
            net.sum,
            net.graph.inputs()[1],
            net.mid,
            net.graph.inputs()[0],
        ];
        let mut network = network(&net.graph, &given, 0, &taps, threads);
        let x = single(&given);
        let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
        let mut pass = network.pass(&x, ROWS);
        let made = pass.value(net.sum).unwrap();
        let opened = trained.with_outputs(vec![named(&trained, &net, net.sum)]);
        let want = evaluate(&opened, &given).unwrap().remove(0);
        for (a, b) in made.iter().zip(&want.values) {
            near(f64::from(*a), *b, 1.0, "value");
        }
        seed(&mut pass, &net.graph, [1.0, 0.7]);
        pass.backward(&[], Gradients::Fused(0.0)).unwrap();
        for (input, taps) in [(1, &taps[..3]), (0, &taps[3..])] {
            let direction = drawn(&mut stream, given[input].values.len());
            let want = slope(|step| {
                let mut moved = given.clone();
                let pairs = moved[input].values.iter_mut().zip(&direction);
                pairs.for_each(|(v, d)| *v += step * d);
                naive(&trained, &moved, [1.0, 0.7])
            });
            for &tap in taps {
                let found = wide(&pass.gradient(tap).unwrap());
                let size = along(&found, &found).sqrt();
                near(along(&found, &direction), want, size.max(0.01), "tap");
            }
        }
    }
}

/// Gradients of parameters, by name.
fn gradients(
    network: &Network,
    of: impl Fn(&secateur_engine::Parameter) -> Vec<f32>,
) -> Vec<(String, Vec<f64>)> {
    let trained = network
        .parameters()
        .iter()
        .filter(|p| p.kind() != ParameterKind::Running);
    trained
        .map(|p| (p.name().to_owned(), wide(&of(p))))
        .collect()
}

#[test]
fn a_seed_in_the_middle_reaches_what_lies_between_it_and_the_stop() {
    for threads in [1, 2] {
        let mut stream = Stream::new(5);
        let net = two(9);
        let given = given(&net.graph, &mut stream);
        let trained = by_batch(&net.graph).unwrap();
        let taps = [net.front, net.sum];
        let mut network = network(&net.graph, &given, 1, &taps, threads);
        let x = single(&given);
        let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
        let mut pass = network.pass(&x, ROWS);
        // Once all the way, so that there is something to be left behind.
        seed(&mut pass, &net.graph, [1.0, 1.0]);
        pass.backward(&[], Gradients::Fused(0.0)).unwrap();
        pass.seed(net.sum, &|_, z, into| {
            into.copy_from_slice(z);
            0.0
        })
        .unwrap();
        pass.backward(&[net.front], Gradients::Raw(0)).unwrap();
        let at_front = wide(&pass.gradient(net.front).unwrap());
        drop(pass);
        let between = trained.with_outputs(vec![named(&trained, &net, net.sum)]);
        let loss = |graph: &Graph| {
            let z = evaluate(graph, &given).unwrap().remove(0);
            along(&z.values, &z.values) / 2.0
        };
        let mut reached = 0;
        for (name, gradient) in gradients(&network, |p| p.raw()[0].clone()) {
            let direction = drawn(&mut stream, gradient.len());
            let want = slope(|step| loss(&moved(&between, &name, &direction, step).unwrap()));
            // The first layer lies below the stop, and the last ones above the seed.
            let is_below = ["c1", "c2"].contains(&name.as_str());
            let own = along(&gradient, &gradient).sqrt();
            if is_below {
                assert!(want.abs() > 1e-3, "{name} would be reached");
                assert_eq!(own, 0.0, "{name}");
            } else {
                near(along(&gradient, &direction), want, own.max(0.01), &name);
                reached += usize::from(own > 0.0);
            }
        }
        assert_eq!(reached, 4, "weight, bias, scale and shift");
        assert!(at_front.iter().any(|&g| g != 0.0));
    }
}

#[test]
fn two_raw_gradients_of_two_losses_are_combined() {
    for threads in [1, 2] {
        let mut stream = Stream::new(6);
        let net = two(11);
        let given = given(&net.graph, &mut stream);
        let x = single(&given);
        let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
        let alone = |factors: [f64; 2]| {
            let mut network = network(&net.graph, &given, 0, &[], threads);
            let mut pass = network.pass(&x, ROWS);
            seed(&mut pass, &net.graph, factors);
            pass.backward(&[], Gradients::Fused(0.0)).unwrap();
            drop(pass);
            gradients(&network, |p| p.gradient().to_vec())
        };
        let mut network = network(&net.graph, &given, 2, &[], threads);
        let mut pass = network.pass(&x, ROWS);
        for (slot, factors) in [[1.0, 0.0], [0.0, 1.0]].into_iter().enumerate() {
            seed(&mut pass, &net.graph, factors);
            pass.backward(&[], Gradients::Raw(slot)).unwrap();
        }
        drop(pass);
        let flat = |all: &[(String, Vec<f64>)]| -> Vec<f64> {
            all.iter().flat_map(|(_, g)| g.clone()).collect()
        };
        let [first, second] = [alone([1.0, 0.0]), alone([0.0, 1.0])].map(|g| flat(&g));
        let raw = |slot: usize| flat(&gradients(&network, |p| p.raw()[slot].clone()));
        // The same bits as by themselves.
        assert_eq!((raw(0), raw(1)), (first.clone(), second.clone()));
        let want = along(&first, &second);
        let size = (along(&first, &first) * along(&second, &second)).sqrt();
        near(network.dot(0, 1).unwrap(), want, 1e-3 * size, "dot");
        network.combine(&[(0, 0.25), (1, 2.0)], 0.0).unwrap();
        let sum = flat(&gradients(&network, |p| p.gradient().to_vec()));
        for (have, (a, b)) in sum.iter().zip(first.iter().zip(&second)) {
            near(*have, 0.25 * a + 2.0 * b, 1e-2, "sum");
        }
        network.combine(&[(0, 1.0)], 0.5).unwrap();
        let again = flat(&gradients(&network, |p| p.gradient().to_vec()));
        for (have, (before, a)) in again.iter().zip(sum.iter().zip(&first)) {
            near(*have, 0.5 * before + a, 1e-2, "momentum");
        }
        assert!(network.dot(0, 2).is_err());
        assert!(network.combine(&[(2, 1.0)], 0.0).is_err());
        assert!(network.combine(&[(0, f64::NAN)], 0.0).is_err());
    }
}

/// A factor for each channel that is the sigmoid of a constant that is trained.
#[test]
fn gradients_go_through_functions_of_a_constant_to_it() {
    for threads in [1, 2] {
        let mut net = Net::new(&[3, 5, 4], 21);
        let x = net.input;
        let y = net.conv(x, 4, 3, 1, 1, 1);
        let gate = net.constant(&[4, 1, 1], 0.3, 0.5);
        let open = net.unary(gate, Unary::Sigmoid);
        let y = net.binary(Binary::Mul, y, open);
        let y = net.global_mean(y);
        let y = net.flatten(y);
        let y = net.gemm(y, 3);
        let graph = net.build(y);
        let mut stream = Stream::new(8);
        let given = given(&graph, &mut stream);
        let x = single(&given);
        let samples = samples(&given);
        let training = Training {
            trained: &[gate],
            ..Training::of(&samples, ROWS)
        };
        let mut network =
            Network::to_train(&graph, &training, Threads::new(threads).unwrap()).unwrap();
        let name = graph.value(gate).name.clone();
        let loss = |graph: &Graph| {
            let z = evaluate(graph, &given).unwrap().remove(0);
            along(&z.values, &z.values) / 2.0
        };
        let square = |_: std::ops::Range<usize>, z: &[f32], into: &mut [f32]| {
            into.copy_from_slice(z);
            0.0
        };
        let mut graph = graph;
        for turn in 0..2 {
            network.forward_backward(&x[0], ROWS, 0.0, square);
            let found = gradients(&network, |p| p.gradient().to_vec());
            let found = found.iter().find(|(own, _)| *own == name).unwrap();
            let direction = drawn(&mut stream, 4);
            let want = slope(|step| loss(&moved(&graph, &name, &direction, step).unwrap()));
            let size = along(&found.1, &found.1).sqrt();
            assert!(size > 1e-3);
            near(along(&found.1, &direction), want, size, "gate");
            // What is computed of it follows it, forwards too.
            let gates = network
                .parameters_mut()
                .iter_mut()
                .find(|p| p.name() == name);
            gates
                .unwrap()
                .values_mut()
                .iter_mut()
                .for_each(|v| *v -= 0.5 + turn as f32);
            network.write_back(&mut graph).unwrap();
            let want = evaluate(&graph, &given).unwrap().remove(0);
            for (have, want) in network.forward(&x[0], ROWS).iter().zip(&want.values) {
                near(f64::from(*have), *want, 0.1, "forward");
            }
        }
    }
}

/// A tap that the last way back did not reach has no gradient, whatever the one before left there.
#[test]
fn what_is_not_reached_has_no_gradient() {
    let net = two(13);
    let mut stream = Stream::new(9);
    let given = given(&net.graph, &mut stream);
    let x = single(&given);
    let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
    let mut again = network(&net.graph, &given, 1, &[net.front, net.sum], 1);
    let before = again.phases();
    let mut pass = again.pass(&x, ROWS);
    seed(&mut pass, &net.graph, [1.0, 1.0]);
    pass.backward(&[], Gradients::Raw(0)).unwrap();
    let is_zero = |gradient: Vec<f32>| gradient.iter().all(|&g| g == 0.0);
    assert!(!is_zero(pass.gradient(net.sum).unwrap()));
    assert!(!is_zero(pass.gradient(net.front).unwrap()));
    pass.seed(net.front, &|_, z, into| {
        into.copy_from_slice(z);
        1.0
    })
    .unwrap();
    pass.backward(&[], Gradients::Raw(0)).unwrap();
    assert!(is_zero(pass.gradient(net.sum).unwrap()));
    assert_eq!(
        pass.gradient(net.front).unwrap(),
        pass.value(net.front).unwrap()
    );
    drop(pass);
    let after = again.phases();
    assert!(after.forward > before.forward && after.backward > before.backward);
}

/// Where layers are alike, gradients take the places of values that nobody needs any more, unless the way back is to be gone again.
#[test]
fn what_is_needed_on_the_way_back_is_there_for_another_one() {
    let mut net = Net::new(&[4, 6, 6], 31);
    let mut x = net.input;
    for _ in 0..5 {
        let y = net.conv(x, 4, 3, 1, 1, 1);
        let y = net.batch_norm(y);
        x = net.unary(y, Unary::Relu);
    }
    let graph = net.build(x);
    let given = given(&graph, &mut Stream::new(10));
    let x = single(&given);
    let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
    let mut again = network(&graph, &given, 2, &[], 2);
    let mut pass = again.pass(&x, ROWS);
    for slot in 0..2 {
        let fill = |_: std::ops::Range<usize>, z: &[f32], into: &mut [f32]| {
            into.copy_from_slice(z);
            0.0
        };
        pass.seed(graph.outputs()[0], &fill).unwrap();
        pass.backward(&[], Gradients::Raw(slot)).unwrap();
    }
    drop(pass);
    let trained = again.parameters().iter();
    for parameter in trained.filter(|p| p.kind() != ParameterKind::Running) {
        assert!(parameter.raw()[0].iter().any(|&g| g != 0.0));
        assert_eq!(
            parameter.raw()[0],
            parameter.raw()[1],
            "{}",
            parameter.name()
        );
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let net = two(12);
    let mut stream = Stream::new(7);
    let given = given(&net.graph, &mut stream);
    let x = single(&given);
    let x: Vec<&[f32]> = x.iter().map(Vec::as_slice).collect();
    let mut network = network(&net.graph, &given, 0, &[net.sum], 1);
    let mut pass = network.pass(&x, ROWS);
    assert!(pass.value(net.mid).is_err(), "no tap");
    assert!(pass.gradient(net.mid).is_err(), "no tap");
    assert!(pass.seed(net.mid, &|_, _, _| 0.0).is_err(), "no tap");
    assert!(pass.backward(&[net.mid], Gradients::Fused(0.0)).is_err());
    assert!(pass.backward(&[], Gradients::Raw(0)).is_err(), "no slot");
    // From nothing comes nothing.
    pass.backward(&[], Gradients::Fused(0.0)).unwrap();
    assert!(pass.gradient(net.sum).unwrap().iter().all(|&g| g == 0.0));
    let error = pass.backward(&[], Gradients::Fused(0.0)).unwrap_err();
    assert!(error.hint_text().unwrap().contains("raw"), "{error}");
    drop(pass);
    assert!(
        gradients(&network, |p| p.gradient().to_vec())
            .iter()
            .all(|(_, g)| g.iter().all(|&g| g == 0.0))
    );
    let samples = samples(&given);
    let weights = Training {
        trained: &[net.mid],
        ..Training::of(&samples, ROWS)
    };
    let error = Network::to_train(&net.graph, &weights, Threads::new(1).unwrap()).unwrap_err();
    assert!(error.to_string().contains("constant"), "{error}");
}
