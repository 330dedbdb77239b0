//! Attention as one operator: heads and dimensions go from all that makes and reads them, and the attributes follow.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use secateur_graph::{
    Attention, ChannelGroups, Dim, Element, Graph, GraphBuilder, Keep, ModelMeta, Op, Tensor,
    ValueId, cost, evaluate, from_model, infer_shapes, mask, patch, shrink, to_model,
};
use secateur_onnx::proto::{AttributeProto, ModelProto, NodeProto, attribute_proto::AttributeType};
use secateur_testkit::{bits, rows};

const PLACES: usize = 3;

fn meta() -> ModelMeta {
    ModelMeta {
        opset: 24,
        ..ModelMeta::default()
    }
}

fn drawn(shape: &[usize], seed: f32) -> Tensor {
    let count = shape.iter().product::<usize>();
    let numbers = (0..count).map(|i| ((i as f32 + seed) * 1.7).sin());
    Tensor::f32(shape, numbers.collect()).unwrap()
}

/// Heads of queries and of keys, dimensions of each, and of values.
#[derive(Clone, Copy)]
struct Form {
    heads: (usize, usize),
    dimensions: usize,
    values: usize,
    /// Whether heads have an axis of their own.
    split: bool,
}

const SAME: Form = Form {
    heads: (4, 4),
    dimensions: 2,
    values: 3,
    split: false,
};

/// `y = Attention(x wq, x wk, x wv) wo`.
fn network(
    form: Form,
    change: impl FnOnce(&mut Attention, &mut GraphBuilder) -> Option<ValueId>,
) -> Graph {
    let Form {
        heads,
        dimensions,
        values,
        split,
    } = form;
    let mut b = GraphBuilder::new("g");
    let x = b.input("x", [Dim::batch(), Dim::Fixed(PLACES), Dim::Fixed(5)]);
    let widths = [heads.0 * dimensions, heads.1 * dimensions, heads.1 * values];
    let mut operands = vec![];
    for (at, (name, width)) in ["q", "k", "v"].into_iter().zip(widths).enumerate() {
        let w = b.constant(format!("w{name}"), drawn(&[5, width], at as f32));
        let mut made = b.node(name, Op::MatMul, &[x, w]);
        if split {
            let own = if at == 0 { heads.0 } else { heads.1 };
            let shape = vec![0, 0, own as i64, (width / own) as i64];
            let shape = b.constant(format!("{name}.shape"), Tensor::i64([4], shape).unwrap());
            made = b.node(
                format!("{name}.4"),
                Op::Reshape { allow_zero: false },
                &[made, shape],
            );
            let order = vec![0, 2, 1, 3];
            made = b.node(format!("{name}.t"), Op::Transpose { order }, &[made]);
        }
        operands.push(made);
    }
    let mut attention = Attention::plain((!split).then_some(heads));
    operands.extend(change(&mut attention, &mut b));
    let mut a = b.node("a", Op::Attention(attention), &operands);
    if split {
        a = b.node(
            "back",
            Op::Transpose {
                order: vec![0, 2, 1, 3],
            },
            &[a],
        );
        let shape = Tensor::i64([3], vec![0, 0, (heads.0 * values) as i64]).unwrap();
        let shape = b.constant("a.shape", shape);
        a = b.node("a.3", Op::Reshape { allow_zero: false }, &[a, shape]);
    }
    let wo = b.constant("wo", drawn(&[heads.0 * values, 4], 7.0));
    let y = b.node("y", Op::MatMul, &[a, wo]);
    b.output(y);
    b.build().unwrap()
}

/// The network without one unit of a group, held to the masked one to the bit, and written back into its file.
fn without(graph: &Graph, name: &str, unit: usize) -> (Graph, ModelProto) {
    let model = to_model(graph, &meta()).unwrap();
    let read = from_model(&model).unwrap();
    let groups = ChannelGroups::of(&read).unwrap();
    let id = groups
        .named(name)
        .unwrap_or_else(|| panic!("no group {name}"));
    assert_eq!(groups.group(id).frozen, None, "{name}");
    let mut keep = Keep::all(&groups);
    keep.drop(id, unit).unwrap();
    let small = shrink(&read, &groups, &keep).unwrap().graph;
    let x = rows(&read, 2, 1);
    let masked = evaluate(&mask(&read, &groups, &keep).unwrap(), &x).unwrap();
    let shrunk = evaluate(&small, &x).unwrap();
    assert_eq!(bits(&masked), bits(&shrunk), "{name}");
    assert_ne!(bits(&shrunk), bits(&evaluate(graph, &x).unwrap()));
    let patched = patch(&model, &read, &small).unwrap();
    let again = evaluate(&from_model(&patched).unwrap(), &x).unwrap();
    assert_eq!(bits(&again), bits(&shrunk), "{name} as a file");
    (small, patched)
}

fn frozen(graph: &Graph, name: &str) -> Option<String> {
    let groups = ChannelGroups::of(graph).unwrap();
    let group = groups.group(groups.named(name).unwrap());
    group.frozen.as_ref().map(|f| f.reason.clone())
}

fn attention(graph: &Graph) -> Attention {
    let found = graph.nodes().iter().find_map(|n| match &n.op {
        Op::Attention(attention) => Some(attention.clone()),
        _ => None,
    });
    found.unwrap()
}

fn attribute(model: &ModelProto, name: &str) -> Option<AttributeProto> {
    let mut nodes = model.graph.node.iter();
    let node = nodes
        .find(|n| n.op_type.as_deref() == Some("Attention"))
        .unwrap();
    let mut all = node.attribute.iter();
    all.find(|a| a.name.as_deref() == Some(name)).cloned()
}

#[test]
fn heads_go_from_everything_and_are_counted_anew() {
    let graph = network(SAME, |_, _| None);
    let (small, patched) = without(&graph, "q", 1);
    assert_eq!(attention(&small).heads, Some((3, 3)));
    assert_eq!(attention(&small).scale, None);
    assert_eq!(attribute(&patched, "q_num_heads").unwrap().i, Some(3));
    assert_eq!(attribute(&patched, "kv_num_heads").unwrap().i, Some(3));
    let products = |heads: usize, value: usize| PLACES * PLACES * heads * (2 + value);
    let layers = |heads: usize| PLACES * 5 * heads * (2 + 2 + 3) + PLACES * heads * 3 * 4;
    let macs = |graph| cost(graph).unwrap().macs;
    assert_eq!(macs(&graph), (products(4, 3) + layers(4)) as u64);
    assert_eq!(macs(&small), (products(3, 3) + layers(3)) as u64);
}

#[test]
fn a_scale_that_followed_from_dimensions_is_stated_once_they_go() {
    for split in [false, true] {
        let form = Form { split, ..SAME };
        let (small, patched) = without(&network(form, |_, _| None), "q#2", 1);
        let scale = (1.0 / 2f64.sqrt()) as f32;
        assert_eq!(attention(&small).scale, Some(scale));
        let written = attribute(&patched, "scale").unwrap();
        assert_eq!(
            (written.f, written.r#type),
            (Some(scale), Some(AttributeType::FLOAT))
        );
        let given = network(form, |a, _| {
            a.scale = Some(0.25);
            None
        });
        assert_eq!(attention(&without(&given, "q#2", 0).0).scale, Some(0.25));
    }
}

#[test]
fn dimensions_of_values_pass_on() {
    for split in [false, true] {
        let graph = network(Form { split, ..SAME }, |a, _| {
            (a.causal, a.softcap) = (true, 1.5);
            None
        });
        let (small, _) = without(&graph, "v", 2);
        assert_eq!(attention(&small).scale, None);
        without(&graph, "q", 0);
    }
}

#[test]
fn heads_that_share_keys_go_together() {
    for split in [false, true] {
        let form = Form {
            heads: (6, 2),
            split,
            ..SAME
        };
        let graph = network(form, |_, _| None);
        let (small, _) = without(&graph, "q", 1);
        assert_eq!(attention(&small).heads, (!split).then_some((3, 1)));
        let reason = frozen(&graph, "q#2").unwrap();
        assert!(reason.contains("share keys"), "{reason}");
        without(&graph, "q#3", 1);
        without(&graph, "v", 1);
    }
}

#[test]
fn one_head_or_one_dimension_is_no_factor() {
    let one = |heads, dimensions, values| Form {
        heads,
        dimensions,
        values,
        split: false,
    };
    without(&network(one((1, 1), 4, 3), |_, _| None), "q", 1);
    without(&network(one((4, 4), 1, 1), |_, _| None), "q", 1);
    without(&network(one((4, 1), 2, 2), |_, _| None), "v", 1);
    network(one((1, 1), 1, 1), |_, _| None);
}

#[test]
fn a_constant_mask_of_every_head_is_cut_with_them() {
    let masked = |shape: &'static [usize]| {
        move |_: &mut Attention, b: &mut GraphBuilder| Some(b.constant("m", drawn(shape, 9.0)))
    };
    for shape in [&[4, 3, 3][..], &[1, 4, 3, 3], &[4, 1, 3]] {
        let (small, _) = without(&network(SAME, masked(shape)), "q", 2);
        let m = small.values().iter().find(|v| v.name == "m").unwrap();
        assert_eq!(
            m.constant.as_ref().unwrap().len(),
            shape.iter().product::<usize>() / 4 * 3
        );
    }
    for shape in [&[3, 3][..], &[1, 3, 3], &[2, 1, 3, 3]] {
        without(&network(SAME, masked(shape)), "q", 2);
    }
    let shared = Form {
        heads: (4, 2),
        ..SAME
    };
    without(&network(shared, masked(&[4, 3, 3])), "q", 1);
}

#[test]
fn a_mask_of_truths_hides_and_a_computed_one_keeps_heads() {
    let truths: Vec<u8> = (0..36).map(|i| u8::from(i % 4 != 0)).collect();
    let hidden = move |a: &mut Attention, b: &mut GraphBuilder| {
        a.truth_mask = true;
        let data = secateur_graph::Data::Raw(Element::Bool, truths.clone());
        Some(b.constant("m", Tensor::new([4, 3, 3], data).unwrap()))
    };
    let graph = network(SAME, hidden);
    let read = from_model(&to_model(&graph, &meta()).unwrap()).unwrap();
    assert!(attention(&read).truth_mask);
    without(&graph, "q", 3);
    let computed = network(SAME, |_, b| {
        let m = b.input("m", [Dim::Fixed(4), Dim::Fixed(3), Dim::Fixed(3)]);
        b.of_type(m, Element::F32);
        Some(m)
    });
    assert!(frozen(&computed, "q").unwrap().contains("varies by head"));
    assert_eq!(frozen(&computed, "v"), None);
    let same = network(SAME, |_, b| {
        let m = b.input("m", [Dim::Fixed(1), Dim::Fixed(3), Dim::Fixed(3)]);
        b.of_type(m, Element::F32);
        Some(m)
    });
    assert_eq!(frozen(&same, "q"), None);
}

/// A model with one change of its attention.
fn changed(change: impl Fn(&mut NodeProto)) -> ModelProto {
    let mut model = to_model(&network(SAME, |_, _| None), &meta()).unwrap();
    let graph = model.graph.get_or_insert_default();
    let mut nodes = graph.node.iter_mut();
    change(
        nodes
            .find(|n| n.op_type.as_deref() == Some("Attention"))
            .unwrap(),
    );
    model
}

#[test]
fn attention_with_a_past_is_carried_and_its_shape_is_known() {
    let model = changed(|node| {
        node.input.extend([String::new(), "k".into(), "v".into()]);
    });
    let graph = from_model(&model).unwrap();
    assert!(
        graph
            .nodes()
            .iter()
            .any(|n| matches!(&n.op, Op::Opaque(o) if o.op_type == "Attention"))
    );
    let shaped = infer_shapes(&graph).unwrap();
    let a = shaped.values().iter().find(|v| v.name == "a").unwrap();
    let shape = [Dim::batch(), Dim::Fixed(PLACES), Dim::Fixed(12)];
    assert_eq!(a.shape.as_deref(), Some(&shape[..]));
    assert!(frozen(&graph, "q").unwrap().contains("not understood"));
    // Outputs that nobody reads change nothing.
    let unread = changed(|node| node.output.extend(["pk".into(), "pv".into()]));
    assert_eq!(frozen(&from_model(&unread).unwrap(), "q"), None);
}

#[test]
fn what_does_not_fit_is_refused() {
    let error = |change: fn(&mut NodeProto)| {
        let graph = from_model(&changed(change));
        graph
            .and_then(|g| infer_shapes(&g))
            .unwrap_err()
            .to_string()
    };
    let no_heads = error(|node| node.attribute.clear());
    assert!(
        no_heads.contains("lacks the attributes 'q_num_heads'"),
        "{no_heads}"
    );
    let uneven = error(|node| node.attribute[0].i = Some(3));
    assert!(uneven.contains("8 channels in 3 heads"), "{uneven}");
    let unknown = error(|node| node.attribute[0].name = Some("heads".into()));
    assert!(unknown.starts_with("a: "), "{unknown}");
    let old = ModelMeta {
        opset: 22,
        ..ModelMeta::default()
    };
    let error = to_model(&network(SAME, |_, _| None), &old).unwrap_err();
    assert_eq!(error.place(), Some("a"));
}
