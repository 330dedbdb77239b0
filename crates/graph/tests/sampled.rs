//! Operators that treat each channel by itself lose channels of the layer in front: pooling, sampling, unpooling and
//! normalisation by the statistics of the batch.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Array, ChannelGroups, Conv, Dim, Graph, GraphBuilder, GridMode, GridPadding, GridSample, Keep,
    MaxUnpool, ModelMeta, Node, Norm, Op, Pool, PoolKind, Reduce, ReduceAxes, ReduceKind, RoiAlign,
    Sample, Tensor, Unary, ValueId, Window, evaluate, from_model, infer_shapes, mask, patch,
    settle, shrink, to_model,
};
use secateur_testkit::{bits, rows};

fn meta() -> ModelMeta {
    ModelMeta {
        opset: 22,
        ..ModelMeta::default()
    }
}

fn drawn(shape: &[usize], seed: f32) -> Tensor {
    let count = shape.iter().product::<usize>();
    let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.7).sin());
    Tensor::f32(shape, numbers.collect()).unwrap()
}

fn conv(b: &mut GraphBuilder, name: &str, x: ValueId, [from, to]: [usize; 2]) -> ValueId {
    let w = b.constant(format!("{name}.w"), drawn(&[to, from, 1, 1], to as f32));
    let conv = Conv {
        window: Window::plain(2),
        conv_groups: 1,
    };
    b.node(name, Op::Conv(conv), &[x, w])
}

/// A layer of four channels, something behind it, and a layer that reads it.
fn network(make: impl FnOnce(&mut GraphBuilder, ValueId) -> ValueId) -> Graph {
    let mut b = GraphBuilder::new("g");
    let x = b.input(
        "x",
        [Dim::Fixed(2), Dim::Fixed(3), Dim::Fixed(6), Dim::Fixed(4)],
    );
    let h = conv(&mut b, "h", x, [3, 4]);
    let made = make(&mut b, h);
    let y = conv(&mut b, "y", made, [4, 2]);
    b.output(y);
    b.build().unwrap()
}

/// The network without a channel of its first layer, held to the masked one to the bit, and written back into its file.
fn without(graph: &Graph) -> Graph {
    let model = to_model(graph, &meta()).unwrap();
    let read = from_model(&model).unwrap();
    assert_eq!(ops(&read), ops(graph));
    let groups = ChannelGroups::of(&read).unwrap();
    let id = groups.named("h").unwrap();
    assert_eq!(groups.group(id).frozen, None);
    let mut keep = Keep::all(&groups);
    keep.drop(id, 1).unwrap();
    let small = shrink(&read, &groups, &keep).unwrap().graph;
    let x = rows(&read, 2, 1);
    let masked = evaluate(&mask(&read, &groups, &keep).unwrap(), &x).unwrap();
    let shrunk = evaluate(&small, &x).unwrap();
    assert_eq!(bits(&masked), bits(&shrunk));
    assert_ne!(bits(&shrunk), bits(&evaluate(graph, &x).unwrap()));
    let patched = patch(&model, &read, &small).unwrap();
    let again = evaluate(&from_model(&patched).unwrap(), &x).unwrap();
    assert_eq!(bits(&again), bits(&shrunk));
    small
}

fn ops(graph: &Graph) -> Vec<&Op> {
    graph.nodes().iter().map(|n| &n.op).collect()
}

fn frozen(graph: &Graph) -> String {
    let groups = ChannelGroups::of(graph).unwrap();
    let group = groups.group(groups.named("h").unwrap());
    group.frozen.as_ref().unwrap().reason.clone()
}

#[test]
fn norms_of_windows_and_images() {
    for p in [1, 2, 3] {
        let pool = Pool {
            kind: PoolKind::Lp { p },
            kernel: vec![2, 3],
            window: Window {
                ceil: true,
                ..Window::plain(2)
            },
        };
        without(&network(|b, h| b.node("pool", Op::Pool(pool), &[h])));
        let kind = match p {
            1 => ReduceKind::L1,
            2 => ReduceKind::L2,
            p => ReduceKind::Lp { p },
        };
        let (axes, keep) = (ReduceAxes::Spatial, true);
        let reduce = Op::Reduce(Reduce { kind, axes, keep });
        without(&network(|b, h| b.node("norm", reduce, &[h])));
    }
}

#[test]
fn norms_are_those_of_the_format() {
    let x = Array::new([1, 1, 3], vec![1.0, -2.0, 3.0]).unwrap();
    let of = |kind: PoolKind| {
        let mut b = GraphBuilder::new("g");
        let input = b.input("x", [Dim::Fixed(1), Dim::Fixed(1), Dim::Fixed(3)]);
        let pool = Pool {
            kind,
            kernel: vec![2],
            window: Window::plain(1),
        };
        let y = b.node("y", Op::Pool(pool), &[input]);
        b.output(y);
        evaluate(&b.build().unwrap(), std::slice::from_ref(&x))
            .unwrap()
            .remove(0)
            .values
    };
    assert_eq!(of(PoolKind::Lp { p: 1 }), [3.0, 5.0]);
    assert_eq!(of(PoolKind::Lp { p: 2 }), [5f64.sqrt(), 13f64.sqrt()]);
    let cubes = of(PoolKind::Lp { p: 3 });
    assert!((cubes[0] - 9f64.cbrt()).abs() < 1e-12, "{cubes:?}");
}

#[test]
fn statistics_of_the_batch_are_each_channels_own() {
    let graph = network(|b, h| {
        let names = ["scale", "shift", "mean", "variance"];
        let inputs = names.map(|name| b.constant(name, drawn(&[4], name.len() as f32)));
        let norm = Op::Norm(Norm::Batch { epsilon: 1e-3 });
        b.node("norm", norm, &[&[h], &inputs[..]].concat())
    });
    let small = without(&graph);
    for name in ["scale", "shift", "mean", "variance"] {
        let value = small.values().iter().find(|v| v.name == name).unwrap();
        assert_eq!(value.constant.as_ref().unwrap().len(), 3);
    }
}

/// Weights that are standardised in the graph are constants once it is settled.
#[test]
fn standardised_weights_are_computed_ahead() {
    let mut b = GraphBuilder::new("g");
    let x = b.input(
        "x",
        [Dim::batch(), Dim::Fixed(3), Dim::Fixed(2), Dim::Fixed(2)],
    );
    let reshape = Op::Reshape { allow_zero: false };
    let w = b.constant("w", drawn(&[4, 3, 1, 1], 0.0));
    let flat = b.constant("flat", Tensor::i64([3], vec![1, 4, 3]).unwrap());
    let back = b.constant("back", Tensor::i64([4], vec![4, 3, 1, 1]).unwrap());
    let one = b.constant("one", Tensor::f32([4], vec![1.0; 4]).unwrap());
    let zero = b.constant("zero", Tensor::f32([4], vec![0.0; 4]).unwrap());
    let rows = b.node("rows", reshape.clone(), &[w, flat]);
    let norm = Op::Norm(Norm::Batch { epsilon: 1e-6 });
    let even = b.node("even", norm, &[rows, one, zero, zero, one]);
    let even = b.node("weights", reshape, &[even, back]);
    let op = Op::Conv(Conv {
        window: Window::plain(2),
        conv_groups: 1,
    });
    let h = b.node("h", op, &[x, even]);
    let h = b.node("relu", Op::Unary(Unary::Relu), &[h]);
    let y = conv(&mut b, "y", h, [4, 2]);
    b.output(y);
    let model = to_model(&b.build().unwrap(), &meta()).unwrap();
    let read = settle(&from_model(&model).unwrap()).unwrap();
    assert_eq!(read.nodes().len(), 3);
    let groups = ChannelGroups::of(&read).unwrap();
    let mut keep = Keep::all(&groups);
    keep.drop(groups.named("h").unwrap(), 0).unwrap();
    let small = shrink(&read, &groups, &keep).unwrap().graph;
    let patched = patch(&model, &read, &small).unwrap();
    assert_eq!(patched.graph.node.len(), 3);
}

fn grid(mode: GridMode, padding: GridPadding, align_corners: bool) -> Op {
    Op::Sample(Sample::Grid(GridSample {
        mode,
        padding,
        align_corners,
        old_names: false,
    }))
}

const MODES: [GridMode; 3] = [GridMode::Linear, GridMode::Nearest, GridMode::Cubic];
const PADDINGS: [GridPadding; 3] = [
    GridPadding::Zeros,
    GridPadding::Border,
    GridPadding::Reflection,
];

#[test]
fn a_grid_samples_each_channel() {
    for (mode, padding) in MODES.into_iter().flat_map(|m| PADDINGS.map(|p| (m, p))) {
        without(&network(|b, h| {
            let places = drawn(&[2, 5, 3, 2], 1.0);
            let places = b.constant("places", places);
            b.node("sampled", grid(mode, padding, true), &[h, places])
        }));
    }
    // What says where is frozen, the axes that are sampled are no channels.
    let graph = network(|b, h| {
        let x = b.input(
            "places",
            [Dim::Fixed(2), Dim::Fixed(5), Dim::Fixed(3), Dim::Fixed(2)],
        );
        b.node(
            "sampled",
            grid(GridMode::Linear, GridPadding::Zeros, false),
            &[h, x],
        )
    });
    without(&graph);
    let computed = network(|b, h| {
        let order = vec![0, 2, 3, 1];
        let two = conv(b, "two", h, [4, 2]);
        let places = b.node("places", Op::Transpose { order }, &[two]);
        b.node(
            "sampled",
            grid(GridMode::Linear, GridPadding::Zeros, false),
            &[h, places],
        )
    });
    let groups = ChannelGroups::of(&computed).unwrap();
    let two = groups.group(groups.named("two").unwrap());
    assert!(two.frozen.as_ref().unwrap().reason.contains("GridSample"));
    without(&computed);
}

/// The numbers are those of the format's reference for a row of three positions.
#[test]
fn places_between_positions_are_those_of_the_format() {
    let of = |mode, padding, align, place: f64| {
        let mut b = GraphBuilder::new("g");
        let one = Dim::Fixed(1);
        let x = b.input("x", [one.clone(), one.clone(), one.clone(), Dim::Fixed(3)]);
        let at = b.input("at", [one.clone(), one.clone(), one, Dim::Fixed(2)]);
        let y = b.node("y", grid(mode, padding, align), &[x, at]);
        b.output(y);
        let x = Array::new([1, 1, 1, 3], vec![1.0, 2.0, 4.0]).unwrap();
        let at = Array::new([1, 1, 1, 2], vec![place, 0.0]).unwrap();
        evaluate(&b.build().unwrap(), &[x, at])
            .unwrap()
            .remove(0)
            .values[0]
    };
    use GridMode::{Cubic, Linear, Nearest};
    use GridPadding::{Border, Reflection, Zeros};
    assert_eq!(of(Linear, Zeros, true, 0.5), 3.0);
    assert_eq!(of(Linear, Zeros, false, 1.0), 2.0);
    assert_eq!(of(Linear, Border, false, 1.0), 4.0);
    assert_eq!(of(Linear, Reflection, true, 1.5), 3.0);
    assert_eq!(of(Nearest, Zeros, true, 0.5), 4.0);
    assert_eq!(of(Nearest, Zeros, true, -0.5), 1.0);
    assert_eq!(of(Nearest, Reflection, false, 1.8), 2.0);
    assert_eq!(of(Cubic, Border, true, 0.5), 3.09375);
    assert_eq!(of(Cubic, Zeros, true, 0.5), 3.46875);
    assert!(of(Linear, Border, true, f64::NAN).is_nan());
}

fn roi(max: bool, half_pixel: bool, samples: usize) -> RoiAlign {
    RoiAlign {
        max,
        half_pixel,
        cells: [2, 3],
        samples,
        scale: 0.5,
    }
}

fn regions(b: &mut GraphBuilder, h: ValueId, roi: RoiAlign) -> ValueId {
    let corners = [
        [0.0, 0.0, 6.0, 9.0],
        [1.0, 2.0, 8.0, 7.5],
        [-9.0, -9.0, 2.0, 2.0],
    ];
    let corners = b.constant("corners", Tensor::f32([3, 4], corners.concat()).unwrap());
    let of = b.constant("of", Tensor::i64([3], vec![1, 0, 1]).unwrap());
    b.node("regions", Op::Sample(Sample::Roi(roi)), &[h, corners, of])
}

#[test]
fn regions_are_read_channel_by_channel() {
    for (max, half_pixel, samples) in [
        (false, true, 0),
        (true, true, 2),
        (false, false, 2),
        (true, false, 0),
    ] {
        without(&network(|b, h| {
            regions(b, h, roi(max, half_pixel, samples))
        }));
    }
    let endless = network(|b, h| regions(b, h, roi(false, true, 1 << 20)));
    let error = evaluate(&endless, &rows(&endless, 2, 1)).unwrap_err();
    assert!(
        error.to_string().contains("samples along a side"),
        "{error}"
    );
}

/// Pooled with places, and put back; `between` changes what is put back where.
fn unpooled(
    stated: Option<&[i64]>,
    between: impl FnOnce(&mut GraphBuilder, [ValueId; 2]) -> [ValueId; 2],
) -> Graph {
    network(|b, h| {
        let two = Window {
            strides: vec![2, 2],
            ..Window::plain(2)
        };
        let pool = Pool {
            kind: PoolKind::Max,
            kernel: vec![2, 2],
            window: two,
        };
        let outputs = ["pooled", "places"].map(|name| b.declare(name, None));
        b.of_type(outputs[1], secateur_graph::Element::I64);
        b.add_node(Node {
            name: "pool".into(),
            op: Op::Pool(pool),
            inputs: vec![Some(h)],
            outputs: outputs.to_vec(),
        });
        let mut inputs = between(b, outputs).to_vec();
        if let Some(stated) = stated {
            let tensor = Tensor::i64([stated.len()], stated.to_vec()).unwrap();
            inputs.push(b.constant("stated", tensor));
        }
        let unpool = MaxUnpool {
            kernel: vec![2, 2],
            strides: vec![2, 2],
            pads: vec![0; 4],
        };
        b.node("back", Op::Sample(Sample::Unpool(unpool)), &inputs)
    })
}

#[test]
fn numbers_are_put_back_in_the_channels_that_are_left() {
    without(&unpooled(None, |_, both| both));
    let small = without(&unpooled(Some(&[2, 4, 6, 4]), |_, both| both));
    let stated = small.values().iter().find(|v| v.name == "stated").unwrap();
    assert_eq!(
        stated.constant.as_ref().unwrap().as_i64(),
        Some(&[2, 3, 6, 4][..])
    );
    // A layer between makes other channels, which go along with those that were pooled.
    without(&unpooled(None, |b, [pooled, places]| {
        [conv(b, "inner", pooled, [4, 4]), places]
    }));
}

#[test]
fn places_that_others_count_with_keep_channels() {
    let shape = |stated: &[i64]| frozen(&unpooled(Some(stated), |_, both| both));
    assert!(shape(&[2, 4, 7, 4]).contains("another shape than its window's"));
    let computed = frozen(&unpooled(None, |b, [pooled, places]| {
        [pooled, b.node("same", Op::Identity, &[places])]
    }));
    assert!(computed.contains("not only MaxUnpool reads"), "{computed}");
    let both = frozen(&unpooled(None, |_, [_, places]| [places, places]));
    assert!(both.contains("not only MaxUnpool reads"), "{both}");
    let other = frozen(&unpooled(None, |b, [pooled, _]| {
        let places = Tensor::i64([2, 4, 3, 2], (0..48).collect()).unwrap();
        [pooled, b.constant("own", places)]
    }));
    assert!(other.contains("do not come from MaxPool"), "{other}");
    let graph = unpooled(Some(&[2, 4, 7, 4]), |_, both| both);
    let error = evaluate(&graph, &rows(&graph, 2, 1)).unwrap_err();
    assert_eq!(error.place(), Some("back"));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let error = |graph: Graph| {
        let error = infer_shapes(&graph).unwrap_err();
        (
            error.place().unwrap_or_default().to_owned(),
            error.to_string(),
        )
    };
    let places = error(network(|b, h| {
        let places = b.constant("places", drawn(&[2, 5, 3, 3], 1.0));
        b.node(
            "sampled",
            grid(GridMode::Linear, GridPadding::Zeros, true),
            &[h, places],
        )
    }));
    assert_eq!(places.0, "sampled");
    let far = error(unpooled(None, |b, [pooled, _]| {
        let places = Tensor::i64([2, 4, 3, 3], (0..72).collect()).unwrap();
        [pooled, b.constant("own", places)]
    }));
    assert_eq!(far.0, "back");
    let old = ModelMeta {
        opset: 15,
        ..ModelMeta::default()
    };
    let graph = network(|b, h| regions(b, h, roi(false, true, 0)));
    assert_eq!(to_model(&graph, &old).unwrap_err().place(), Some("regions"));
}
