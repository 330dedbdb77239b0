//! Whether time follows the multiply-accumulates of widths rounded up to whole vectors: ResNet-20 with odd numbers of channels, by
//! turns with such whose widths are whole vectors.

use std::time::{Duration, Instant};

use secateur_engine::kernels::conv::lanes;
use secateur_engine::{Network, Threads};
use secateur_graph::{ChannelGroups, Graph, Group, GroupKind, Keep, Op, Tensor, cost, shrink};
use secateur_train::Architecture;

use crate::{Batch, Times, graph, milliseconds, row};

const NET: Architecture = Architecture::ResNet20;
const ROWS: usize = 128;
/// All widths of these are whole vectors; the others are held to the nearest of them.
const WHOLE: [f64; 3] = [1.0, 2.0, 3.0];
/// All widths of these are odd, as 13-27-53 for 0.83.
const ODD: [f64; 5] = [0.58, 0.83, 1.17, 1.33, 1.67];

/// A network beside its size.
struct Sized {
    name: String,
    macs: u64,
    /// Multiply-accumulates with widths rounded up: all, or where a layer puts out alone.
    rounded: [f64; 2],
    network: Network,
    step: Vec<f64>,
    forward: Vec<f64>,
}

impl Sized {
    fn new(name: String, graph: &Graph, threads: &Threads) -> Self {
        Self {
            name,
            macs: cost(graph).unwrap().macs,
            rounded: [true, false].map(|both| rounded_macs(graph, both)),
            network: Network::compile(graph, &row(NET), ROWS, 0, threads.clone()).unwrap(),
            step: vec![],
            forward: vec![],
        }
    }
}

/// Prints a line for each network, timed by turns for `seconds` for each.
pub(crate) fn compare(threads: usize, seconds: f64) {
    let pool = Threads::new(threads).unwrap();
    let mut all = vec![];
    for factor in WHOLE.into_iter().chain(ODD) {
        let widths = [16.0, 32.0, 64.0].map(|w| (w * factor).round().to_string());
        all.push(Sized::new(widths.join("-"), &graph(NET, factor), &pool));
    }
    all.push(Sized::new("shrunk, each odd".into(), &shrunk(), &pool));
    let batch = Batch::drawn(all[0].network.inputs(), ROWS);
    pool.run(|| {
        for sized in &mut all {
            batch.step(&mut sized.network);
            batch.forward(&mut sized.network);
        }
        let begin = Instant::now();
        let total = Duration::from_secs_f64(seconds * all.len() as f64);
        while all[0].step.is_empty() || begin.elapsed() < total {
            for sized in &mut all {
                let start = Instant::now();
                batch.step(&mut sized.network);
                sized.step.push(milliseconds(start));
                let start = Instant::now();
                batch.forward(&mut sized.network);
                sized.forward.push(milliseconds(start));
            }
        }
    });
    tell(&all, threads);
}

fn tell(all: &[Sized], threads: usize) {
    println!(
        "resnet20 of other widths, batch {ROWS}, {threads} threads, {} rounds; MMACs of a row: as they are, with all widths rounded up to {},\n\
         and with those alone that a layer puts out, as it reads no more than there are. Medians in ms; by each count, the least\n\
         time for a MAC relative to that of the nearest of the first {}",
        all[0].step.len(),
        lanes(),
        WHOLE.len(),
    );
    println!(
        "  {:<16} {:>7} {:>7} {:>7} {:>9} {:>5} {:>5} {:>9} {:>5} {:>5}",
        "widths", "as is", "all", "out", "step", "all", "out", "forward", "all", "out"
    );
    for sized in all {
        let distance = |whole: &Sized| (whole.rounded[0] / sized.rounded[0]).ln().abs();
        let whole = all[..WHOLE.len()].iter();
        let nearest = whole.min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let nearest = nearest.unwrap();
        let told = [|s: &Sized| s.step.clone(), |s: &Sized| s.forward.clone()].map(|of| {
            let (own, whole) = (Times::new(of(sized)), Times::new(of(nearest)));
            let [all, out] = [0, 1].map(|count| {
                let each = own.least() / sized.rounded[count];
                each / (whole.least() / nearest.rounded[count])
            });
            format!("{:>9.2} {all:>5.2} {out:>5.2}", own.median())
        });
        let [all, out] = sized.rounded.map(|macs| 1e-6 * macs);
        let macs = 1e-6 * sized.macs as f64;
        println!(
            "  {:<16} {macs:>7.2} {all:>7.2} {out:>7.2} {}",
            sized.name,
            told.join(" "),
        );
    }
}

/// Multiply-accumulates if the widths that convolutions put out, and if `both` those that they read too, were whole vectors; not the
/// channels of the image or the classes.
fn rounded_macs(graph: &Graph, both: bool) -> f64 {
    let counted = cost(graph).unwrap();
    let counted = counted.nodes.iter();
    let rounded = counted.map(|counted| {
        let node = graph.node(counted.node);
        let macs = counted.macs.unwrap_or(0) as f64;
        let weight = node.inputs.get(1).copied().flatten();
        let shape = weight.and_then(|w| graph.constant(w)).map(Tensor::shape);
        let grown = |width: usize| width.next_multiple_of(lanes()) as f64 / width as f64;
        match (&node.op, shape) {
            (Op::Conv(_), Some(&[out, inner, ..])) => {
                let reads_more = both && inner != row(NET)[1];
                macs * grown(out) * if reads_more { grown(inner) } else { 1.0 }
            }
            _ => macs,
        }
    });
    rounded.sum()
}

/// A ResNet-20 that has lost units here and there, so that every group has an odd number of channels left.
fn shrunk() -> Graph {
    let graph = graph(NET, 1.5);
    let groups = ChannelGroups::of(&graph).unwrap();
    let mut keep = Keep::all(&groups);
    let is_free = |group: &Group| group.kind == GroupKind::Hidden && group.frozen.is_none();
    let free = groups.iter().filter(|(_, g)| is_free(g));
    for (number, (id, group)) in free.enumerate() {
        let share = 0.45 + 0.07 * (number % 8) as f64;
        let kept = (share * group.units as f64) as usize | 1;
        // From all over, as a penalty would.
        let goes = |unit: usize| (unit * kept / group.units) == ((unit + 1) * kept / group.units);
        for unit in (0..group.units).filter(|&u| goes(u)) {
            keep.drop(id, unit).unwrap();
        }
        assert_eq!(keep.count(id) % 2, 1, "{}", group.name);
    }
    shrink(&graph, &groups, &keep).unwrap().graph
}
