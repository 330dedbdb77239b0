//! Networks by name: sizes as published, groups that can lose units, files that read back.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secateur_graph::{
    Array, ChannelGroups, Dim, Graph, GroupKind, Keep, ModelMeta, Op, evaluate, from_model,
    infer_shapes, mask, shrink, to_model,
};
use secateur_testkit::Stream;
use secateur_train::{Architecture, ImageSize, Init};

const CLASSES: usize = 10;

fn built(architecture: Architecture, input: ImageSize, factor: f64, seed: u64) -> Graph {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let graph = architecture.build(input, CLASSES, factor, Init::Scaled, &mut rng);
    graph.unwrap()
}

/// As small as the naive evaluator likes, and as all fit.
fn small(architecture: Architecture) -> Graph {
    let side = match architecture {
        Architecture::LeNet5 => 16,
        _ => 8,
    };
    built(architecture, ImageSize::new(2, side, side), 0.25, 7)
}

/// An image of numbers between -1 and 1.
fn image(graph: &Graph) -> Array {
    let shape = graph.value(graph.inputs()[0]).shape.clone().unwrap();
    let lengths = shape.iter().map(|dim| dim.fixed().unwrap_or(1));
    let lengths: Vec<usize> = lengths.collect();
    let mut stream = Stream::new(3);
    let values = (0..lengths.iter().product()).map(|_| stream.integer(100) / 100.0);
    Array::new(lengths, values.collect()).unwrap()
}

fn run(graph: &Graph) -> Vec<f64> {
    evaluate(graph, &[image(graph)]).unwrap().remove(0).values
}

/// Numbers in running means and variances.
fn statistics(graph: &Graph) -> u64 {
    let norms = graph.nodes().iter();
    let norms = norms.filter(|node| matches!(node.op, Op::BatchNorm { .. }));
    let of = |id| graph.constant(id).unwrap().len();
    norms
        .map(|node| (3..5).map(|i| of(node.input(i).unwrap())).sum::<usize>() as u64)
        .sum()
}

#[test]
fn parameters_and_macs_are_as_published() {
    use Architecture as A;
    for (architecture, params, macs) in [
        (A::Mlp, 820_874, 820_480),
        // Han et al. (2015), table 1: 267K and 431K parameters.
        (A::LeNet300, 266_610, 266_200),
        (A::LeNet5, 431_080, 2_293_000),
        // He et al. (2016), table 6: 0.27, 0.46 and 0.85 million with shortcuts of zeros, here 2,752 more.
        (A::ResNet20, 269_722 + 2_752, 40_813_184),
        (A::ResNet32, 464_154 + 2_752, 69_124_736),
        (A::ResNet56, 853_018 + 2_752, 125_747_840),
        // Counted by hand: filters, scales and shifts, dense layers.
        (A::VggSmall, 286_560 + 896 + 263_562, 38_896_896),
        // The same, with the bounds of the rectifiers.
        (A::MobileNetSmall, 141_120 + 6_592 + 2_570 + 2, 10_969_600),
    ] {
        let input = architecture.usual_input();
        let graph = built(architecture, input, 1.0, 0);
        let cost = architecture.cost(input, CLASSES, 1.0).unwrap();
        let trained = cost.params - statistics(&graph);
        assert_eq!((trained, cost.macs), (params, macs), "{architecture}");
        assert_eq!(cost, secateur_graph::cost(&graph).unwrap());
    }
}

#[test]
fn images_go_in_and_logits_come_out() {
    for architecture in Architecture::ALL {
        let input = architecture.usual_input();
        let graph = infer_shapes(&built(architecture, input, 1.0, 0)).unwrap();
        let said = |ids: &[_]| {
            let value = graph.value(ids[0]);
            assert_eq!(
                (ids.len(), value.shape.as_ref().unwrap()[0].clone()),
                (1, Dim::batch())
            );
            let lengths = value.shape.as_ref().unwrap()[1..].iter();
            let lengths = lengths.map(|d| d.fixed().unwrap()).collect::<Vec<_>>();
            (value.name.clone(), lengths)
        };
        let lengths = vec![input.channels, input.height, input.width];
        assert_eq!(said(graph.inputs()), ("image".to_owned(), lengths));
        assert_eq!(said(graph.outputs()), ("logits".to_owned(), vec![CLASSES]));
    }
}

#[test]
fn the_seed_decides_the_weights() {
    for architecture in Architecture::ALL {
        let input = ImageSize::new(1, 16, 16);
        let of = |seed| built(architecture, input, 0.25, seed);
        assert_eq!(of(1), of(1), "{architecture}");
        assert_ne!(of(1), of(2), "{architecture}");
    }
}

#[test]
fn first_outputs_are_of_moderate_size() {
    for architecture in Architecture::ALL {
        let outputs = run(&small(architecture));
        let largest = outputs.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(
            largest > 1e-3 && largest < 1e3,
            "{architecture} {outputs:?}"
        );
    }
}

#[test]
fn every_hidden_group_can_lose_units() {
    use Architecture as A;
    for (architecture, wanted) in [
        (A::Mlp, 2),
        (A::LeNet300, 2),
        (A::LeNet5, 3),
        (A::VggSmall, 7),
        // One a block, and one a stage.
        (A::ResNet20, 9 + 3),
        (A::ResNet32, 15 + 3),
        (A::ResNet56, 27 + 3),
        // The stem, four stages, seven widened, and the head.
        (A::MobileNetSmall, 1 + 4 + 7 + 1),
    ] {
        let graph = small(architecture);
        let groups = ChannelGroups::of(&graph).unwrap();
        let mut keep = Keep::all(&groups);
        let mut loose = 0;
        for (id, group) in groups.iter() {
            match (&group.frozen, group.kind) {
                (None, GroupKind::Hidden) => {
                    loose += 1;
                    for unit in 0..group.units / 2 {
                        keep.drop(id, unit).unwrap();
                    }
                }
                (None, GroupKind::Input(_)) => {}
                (Some(freeze), _) => {
                    assert_eq!(
                        freeze.node, "logits",
                        "{architecture} {}: {freeze}",
                        group.name
                    );
                }
            }
        }
        assert_eq!(loose, wanted, "{architecture}");
        let cut = shrink(&graph, &groups, &keep).unwrap().graph;
        let masked = mask(&graph, &groups, &keep).unwrap();
        assert_eq!(run(&cut), run(&masked), "{architecture}");
        assert_ne!(run(&cut), run(&graph), "{architecture}");
    }
}

#[test]
fn files_read_back_as_the_same_network() {
    for architecture in Architecture::ALL {
        let graph = small(architecture);
        let model = to_model(&graph, &ModelMeta::default()).unwrap();
        let back = from_model(&model).unwrap();
        let said = |graph: &Graph| -> Vec<(String, Op)> {
            let nodes = graph.nodes().iter();
            nodes.map(|n| (n.name.clone(), n.op.clone())).collect()
        };
        assert_eq!(said(&graph), said(&back), "{architecture}");
        assert_eq!(run(&graph), run(&back), "{architecture}");
    }
}

#[test]
fn the_narrowest_of_all_still_runs() {
    for architecture in Architecture::ALL {
        let graph = built(architecture, ImageSize::new(1, 16, 16), 1e-9, 0);
        assert_eq!(run(&graph).len(), CLASSES, "{architecture}");
    }
}
