//! Seconds and memory of each step that makes a large model smaller; memory is the peak, as a multiple of the file.
//!
//! `cargo bench -p secateur --bench model [-- MEGABYTES]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use std::path::Path;
use std::time::Instant;

use secateur::{Choice, ModelFile, shrink_model};
use secateur_graph::{ChannelGroups, ModelMeta, from_model, lighten, patch, shrink, to_model};
use secateur_onnx::{Limits, read_file, write};
use secateur_testkit::{Block, Images};

/// Channels of each layer of the generated model.
const WIDTH: usize = 512;

fn main() {
    let megabytes = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.onnx");
    generate(megabytes, &path);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("a model of {:.0} MB", bytes as f64 / 1e6);
    let choice = Choice::of("50%".parse().unwrap());
    let out = folder.path().join("small.onnx");
    timed("all steps without verification", bytes, || {
        steps(&path, &out, &choice);
    });
    let file = timed("read, as the commands do", bytes, || {
        ModelFile::read(&path).unwrap()
    });
    timed("shrink and verify", bytes, || {
        shrink_model(&file, &choice).unwrap()
    });
}

fn steps(path: &Path, out: &Path, choice: &Choice) {
    let mut begin = Instant::now();
    let mut step = |name: &str| {
        println!("  {name:<10} {:.2} s", begin.elapsed().as_secs_f64());
        begin = Instant::now();
    };
    let mut model = read_file(path, &Limits::default()).unwrap();
    let graph = from_model(&model).unwrap();
    lighten(&mut model, &graph);
    step("read");
    let groups = ChannelGroups::of(&graph).unwrap();
    step("group");
    let keep = choice.decide(&graph, &groups).unwrap();
    step("choose");
    let small = shrink(&graph, &groups, &keep).unwrap();
    step("shrink");
    let patched = patch(&model, &graph, &small.graph).unwrap();
    std::fs::write(out, write(&patched).unwrap()).unwrap();
    step("write");
}

/// Convolutions one after the other.
fn generate(megabytes: usize, path: &Path) {
    let layer = WIDTH * WIDTH * 9 * 4;
    let layers = (megabytes * 1_000_000).div_ceil(layer) + 1;
    let plan = Images {
        inputs: 3,
        blocks: vec![Block::Conv(WIDTH, 3, true); layers],
        flat: false,
        outputs: 10,
        seed: 1,
    };
    let model = to_model(&plan.build().unwrap(), &ModelMeta::default()).unwrap();
    std::fs::write(path, write(&model).unwrap()).unwrap();
}

fn timed<T>(what: &str, bytes: u64, work: impl FnOnce() -> T) -> T {
    let known = memory::forget_peak();
    let begin = Instant::now();
    let made = work();
    let seconds = begin.elapsed().as_secs_f64();
    let peak = memory::peak().filter(|_| known);
    let peak = peak.map_or("not known here".into(), |peak| {
        format!("{:.2} times the file", peak as f64 / bytes as f64)
    });
    println!("{what}: {seconds:.2} s, peak memory {peak}");
    made
}

/// What Linux tells of a process's memory.
mod memory {
    /// Bytes of memory that the process had at most since [`forget_peak`].
    pub(super) fn peak() -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// Starts the peak anew; whether that worked.
    pub(super) fn forget_peak() -> bool {
        std::fs::write("/proc/self/clear_refs", "5").is_ok()
    }
}
