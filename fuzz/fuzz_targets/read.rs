//! Any bytes: what can be read is written and read back, lowered to a network, grouped and shrunk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_graph::{
    ChannelGroups, GroupKind, Keep, cost, from_model, infer_shapes, lighten, patch, shrink,
};
use secateur_onnx::{Limits, read, write};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut model) = read(bytes, &Limits::default()) else {
        return;
    };
    let written = write(&model).expect("what was read can be written");
    let again = read(&written, &Limits::default()).expect("what was written can be read");
    // By their bytes, as what is not a number is not equal to itself.
    assert!(write(&again).expect("and written") == written);
    let Ok(graph) = from_model(&model).and_then(|graph| infer_shapes(&graph)) else {
        return;
    };
    let Ok(groups) = ChannelGroups::of(&graph) else {
        return;
    };
    let _ = cost(&graph);
    lighten(&mut model, &graph);
    let whole = patch(&model, &graph, &graph).expect("nothing changed");
    assert!(write(&whole).expect("and is written") == written);
    let mut keep = Keep::all(&groups);
    for (id, group) in groups.iter().filter(|(_, g)| g.kind == GroupKind::Hidden) {
        for unit in (0..group.units).step_by(2) {
            if keep.can_drop(&groups, id, unit) {
                let _ = keep.drop(id, unit);
            }
        }
    }
    if let Ok(small) = shrink(&graph, &groups, &keep) {
        let _ = patch(&model, &graph, &small.graph);
    }
});
