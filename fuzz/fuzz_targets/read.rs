//! Any bytes: what can be read is written and read back, lowered to a network, grouped and shrunk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_graph::{
    ChannelGroups, GroupKind, Keep, cost, from_model, lighten, mask, patch, settle, shrink,
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
    let Ok(plain) = from_model(&model) else {
        return;
    };
    let Ok(graph) = settle(&plain) else {
        return;
    };
    let Ok(groups) = ChannelGroups::of(&graph) else {
        return;
    };
    let _ = cost(&graph);
    lighten(&mut model, &plain);
    let whole = patch(&model, &plain, &plain).expect("nothing changed");
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
        mask(&graph, &groups, &keep).expect("what can be removed can be masked");
        let small = patch(&model, &graph, &small.graph);
        let _ = small.map(|small| write(&small).expect("a small model can be written"));
    }
});
