//! The lengths of units by layer, of chains of dense layers.

mod common;

use common::{group_lasso, run, settings};
use secateur_prox::{Inputs, Members, Part};
use secateur_train::{Collapse, Settings, Trained};

fn names(trained: &Trained) -> Vec<&str> {
    trained.layers.iter().map(|l| l.name.as_str()).collect()
}

#[test]
fn layers_of_a_chain_are_inputs_and_hidden_layers_and_none_is_scale_free() {
    let trained = run(&settings(Some(group_lasso(0.01))));
    assert_eq!(
        names(&trained),
        ["inputs", "hidden layer 1", "hidden layer 2"]
    );
    let last = trained.epochs.last().unwrap();
    for (index, layer) in trained.layers.iter().enumerate() {
        assert!(
            !layer.is_scale_free && layer.collapse.is_none(),
            "{layer:?}"
        );
        assert_eq!(layer.end.units, last.units[index]);
        assert_eq!(layer.end, last.norms[index]);
        assert!(layer.end.smallest <= layer.end.rms && layer.end.rms <= layer.end.largest);
    }
    let starts: Vec<(usize, usize)> = trained
        .layers
        .iter()
        .map(|l| (l.start.units, l.start.size))
        .collect();
    assert_eq!(starts, [(10, 24), (24, 16), (16, 3)]);
}

#[test]
fn only_layers_that_are_penalised_are_listed() {
    let mut penalty = group_lasso(0.01);
    penalty.inputs = Inputs::Spared;
    penalty.part = "every-second".parse::<Part>().unwrap();
    let trained = run(&settings(Some(penalty)));
    assert_eq!(names(&trained).len(), 1);

    let mut penalty = group_lasso(0.01);
    penalty.members = Members::Incoming;
    let trained = run(&settings(Some(penalty)));
    assert_eq!(names(&trained), ["hidden layer 1", "hidden layer 2"]);
    // With its bias.
    assert_eq!(trained.layers[0].start.size, 11);
}

#[test]
fn a_chain_that_lost_all_weights_keeps_a_unit_a_layer_and_is_told() {
    let absurd = Settings {
        epochs: 4,
        settle: 1,
        ..settings(Some(group_lasso(1e6)))
    };
    let trained = run(&absurd);
    for layer in &trained.layers {
        assert!(layer.end.units >= 1, "{layer:?}");
        assert_eq!(layer.collapse, Some(Collapse::Emptied { steps: 0 }));
    }
}
