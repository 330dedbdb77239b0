//! Steps of chains of dense layers, by the engine that trains those.

use std::ops::Range;

use secateur_engine::kernels::update::Sgd;
use secateur_engine::{Chain, Threads};
use secateur_graph::{Unary, cost};
use secateur_testkit::mlp;

use crate::{Batch, Measured, Workload, peak_memory, timed};

pub(crate) fn measure<'a>(
    workload: &'a Workload,
    widths: &[usize],
    threads: usize,
    seconds: f64,
) -> Measured<'a> {
    let graph = mlp(widths, Unary::Relu, 1).unwrap();
    let pool = Threads::new(threads).unwrap();
    let mut chain = Chain::compile_on(&graph, workload.batch, 0, pool.clone()).unwrap();
    let batch = Batch::drawn(chain.inputs(), workload.batch);
    let times = pool.run(|| timed(seconds, || step(&batch, &mut chain)));
    Measured {
        workload,
        threads,
        macs: cost(&graph).unwrap().macs,
        times,
        phases: chain.phases(),
        buffer_bytes: Chain::planned_bytes(&graph, workload.batch, 0).unwrap(),
        peak: peak_memory(),
    }
}

/// One step of SGD with momentum.
fn step(batch: &Batch, chain: &mut Chain) {
    let loss =
        |rows: Range<usize>, z: &[f32], g: &mut [f32]| batch.targets.loss_and_gradient(rows, z, g);
    chain.forward_backward(&batch.x, batch.rows, loss);
    let step = Sgd {
        rate: 0.01,
        decay: 0.0,
    };
    chain.update(&batch.x, batch.rows, 0.9, |block| {
        block.sgd(step, |_, _| {});
    });
}
