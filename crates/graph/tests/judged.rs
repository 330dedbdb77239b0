//! What operators compute beside what an independent runtime makes of them, with attributes that are given and left
//! out.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use secateur_graph::{Array, Dim, Graph, ModelMeta, evaluate, from_model, infer_shapes, to_model};
use secateur_testkit::{ATTRIBUTES, Judged, attributes_of, judged};

/// Single precision holds seven digits, and sums of a few dozen numbers lose one.
const TOLERANCE: f64 = 4e-6;

/// Where two outputs differ, if they do.
fn difference(have: &[Array], want: &[Array]) -> Option<String> {
    if have.len() != want.len() {
        return Some(format!("{} outputs for {}", have.len(), want.len()));
    }
    have.iter().zip(want).find_map(|(have, want)| {
        if have.shape != want.shape {
            return Some(format!("shape {:?} for {:?}", have.shape, want.shape));
        }
        let scale = want.values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
        let mut pairs = have.values.iter().zip(&want.values);
        let apart = pairs.find(|(a, b)| {
            (**a - **b)
                .abs()
                .partial_cmp(&(TOLERANCE * scale))
                .is_none_or(std::cmp::Ordering::is_gt)
        });
        apart.map(|(a, b)| format!("{a} for {b}, of {scale}"))
    })
}

/// Fails with what is wrong with some of the models, operator by operator.
fn none_is_wrong(wrong_with: impl Fn(&Judged) -> Option<String>) {
    let all = judged().unwrap();
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in &all {
        if let Some(what) = wrong_with(one) {
            let of = wrong.entry(one.op_type()).or_default();
            of.push(format!("{}: {what}", one.name));
        }
    }
    let count: usize = wrong.values().map(Vec::len).sum();
    let mut said = format!("{count} of {}", all.len());
    for (op, of) in &wrong {
        said += &format!("\n{op}: {}", of.len());
        of.iter()
            .take(4)
            .for_each(|one| said += &format!("\n    {one}"));
    }
    assert!(wrong.is_empty(), "{said}");
}

#[test]
fn operators_compute_what_an_independent_runtime_computes() {
    none_is_wrong(|one| match one.op() {
        Err(error) => Some(format!("is not read: {error}")),
        Ok(None) => Some("is not understood".into()),
        Ok(Some(_)) => match evaluate(&one.graph().unwrap(), &one.inputs) {
            Err(error) => Some(format!("is not computed: {error}")),
            Ok(have) => difference(&have, &one.wanted),
        },
    });
}

/// A length that is told before anything is computed is the one that comes out.
#[test]
fn shapes_that_are_told_are_those_that_come_out() {
    none_is_wrong(|one| {
        let shaped = infer_shapes(&one.graph().unwrap()).unwrap();
        let outputs = shaped.nodes()[0].outputs.iter();
        outputs.zip(&one.wanted).find_map(|(&id, want)| {
            let told = shaped.value(id).shape.as_deref()?;
            let fits = |(dim, &length): (&Dim, &usize)| dim.fixed().is_none_or(|n| n == length);
            let same = told.len() == want.shape.len() && told.iter().zip(&want.shape).all(fits);
            (!same).then(|| format!("{told:?} for {:?}", want.shape))
        })
    });
}

/// What is carried, but not written anew: attributes that older operator sets have in the place of inputs, and axes
/// of `Resize`.
fn has_no_form(one: &Judged) -> bool {
    let op = one.op_type();
    match op {
        "Slice" => one.gives("starts"),
        "Split" => one.gives("split"),
        "Pad" => one.gives("pads"),
        "Clip" => one.gives("min") || one.gives("max"),
        "Squeeze" | "Unsqueeze" | "Resize" if one.opset() > 10 => one.gives("axes"),
        "Resize" | "Upsample" | "RoiAlign" => one.opset() < 11,
        _ => op.starts_with("Reduce") && one.gives("axes"),
    }
}

fn written_anew(one: &Judged, graph: &Graph) -> Result<Graph, String> {
    let meta = ModelMeta {
        opset: one.opset().max(13),
        ..ModelMeta::default()
    };
    let model = to_model(graph, &meta).map_err(|e| format!("is not written: {e}"))?;
    from_model(&model).map_err(|e| format!("is not read again: {e}"))
}

#[test]
fn what_is_written_and_read_again_is_the_same_operator() {
    none_is_wrong(|one| {
        let graph = one.graph().unwrap();
        match written_anew(one, &graph) {
            Err(error) => (!has_no_form(one)).then_some(error),
            Ok(_) if has_no_form(one) => Some("is written anew".into()),
            Ok(back) => {
                let have = evaluate(&back, &one.inputs).unwrap();
                difference(&have, &one.wanted)
                    .map(|what| format!("{what} as {:?}", back.nodes()[0].op))
            }
        }
    });
}

/// Fails when an operator or an attribute is not drawn.
#[test]
fn every_attribute_of_every_operator_is_given_and_left_out() {
    let all = judged().unwrap();
    let mut lacking = BTreeSet::new();
    let mut counted = BTreeSet::new();
    let ops = all
        .iter()
        .map(|one| attributes_of(&one.op().unwrap().unwrap()));
    let all: Vec<_> = ops.zip(&all).collect();
    for &(name, attributes) in ATTRIBUTES {
        let of: Vec<&Judged> = all
            .iter()
            .filter(|(op, _)| *op == Some((name, attributes)))
            .map(|&(_, one)| one)
            .collect();
        if of.is_empty() {
            lacking.insert(format!("{name} {attributes:?}"));
        }
        for attribute in attributes {
            let plain = attribute.trim_end_matches('!');
            counted.insert(format!("{name}.{plain}"));
            if !of.iter().any(|one| one.gives(plain)) {
                lacking.insert(format!("{name} with '{plain}'"));
            }
            if plain == *attribute && of.iter().all(|one| one.gives(plain)) {
                lacking.insert(format!("{name} without '{plain}'"));
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
    // So many operators of the format, and attributes of theirs.
    let names: BTreeSet<&str> = ATTRIBUTES.iter().map(|&(name, _)| name).collect();
    assert_eq!((names.len(), counted.len()), (137, 182));
}
