//! GFLOP/s of convolutions of one image on one thread, and their share of what the machine can do at most.
//!
//! All products of the definition count, those with zeros around an image included: the kernels leave most of
//! them out, so that a share may be larger than the processor's own. Products with numbers that fill up
//! vectors do not count.
//!
//! `cargo bench -p secateur-engine --bench conv [-- SECONDS]`
#![expect(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "a bench may panic")]

mod common;
#[path = "common/peak.rs"]
mod peak;

use common::{drawn, interleaved};
use secateur_engine::kernels::conv::{InstructionSet, Kernel, Shape};

fn main() {
    let seconds = std::env::args()
        .filter_map(|a| a.parse().ok())
        .next()
        .unwrap_or(0.5);
    let peak = peak::gflops(1, seconds);
    println!("peak {peak:.0} GFLOP/s of fused multiply-adds; share of it: median, and best run");
    for set in InstructionSet::available() {
        println!("{set:?}: forward, input gradient, weight gradient");
        for (name, shape) in shapes(set.lanes()) {
            measure(&name, shape, set, seconds, peak);
        }
    }
}

fn shapes(lanes: usize) -> Vec<(String, Shape)> {
    let mut all = vec![];
    // Size, inputs, outputs, kernel, stride, groups; kernels of 3 and 1 keep the size, of 5 do not.
    for (size, inputs, outputs, kernel, stride, groups) in [
        (32, 3, 16, 3, 1, 1),
        (32, 16, 16, 3, 1, 1),
        (16, 32, 32, 3, 1, 1),
        (8, 64, 64, 3, 1, 1),
        (32, 16, 32, 3, 2, 1),
        (16, 32, 64, 3, 2, 1),
        (32, 16, 32, 1, 2, 1),
        (14, 64, 256, 1, 1, 1),
        (7, 64, 64, 3, 1, 1),
        (28, 1, 20, 5, 1, 1),
        (12, 20, 50, 5, 1, 1),
        (32, 11, 13, 3, 1, 1),
        (16, 21, 27, 3, 1, 1),
        (8, 43, 51, 3, 1, 1),
        (32, 32, 32, 3, 1, 32),
        (32, 32, 32, 3, 2, 32),
        (16, 64, 64, 3, 1, 4),
        (16, 64, 64, 3, 1, 16),
    ] {
        let before = if kernel == 3 { 1 } else { 0 };
        let out = (size + 2 * before - kernel) / stride + 1;
        let shape = Shape {
            inputs,
            outputs,
            groups,
            kernel: [kernel; 2],
            strides: [stride; 2],
            dilations: [1; 2],
            before: [before; 2],
            in_size: [size; 2],
            out_size: [out; 2],
            in_stride: if inputs <= 3 {
                inputs
            } else {
                inputs.next_multiple_of(lanes)
            },
            out_stride: outputs.next_multiple_of(lanes),
        };
        let groups = if groups == 1 {
            String::new()
        } else {
            format!(" in {groups} groups")
        };
        let name = format!(
            "{size}x{size}x{inputs} -> {out}x{out}x{outputs}, kernel {kernel}, stride {stride}{groups}"
        );
        all.push((name, shape));
    }
    all
}

/// Numbers from an address on that is a multiple of a cache line.
fn aligned(numbers: &[f32]) -> &'static mut [f32] {
    let len = numbers.len();
    let all = vec![0.0f32; len + 16].leak();
    let skip = all.as_ptr().align_offset(64);
    let part = &mut all[skip..skip + len];
    part.copy_from_slice(numbers);
    part
}

fn measure(name: &str, shape: Shape, set: InstructionSet, seconds: f64, peak: f64) {
    let flop = 2.0 * shape.macs() as f64;
    let with_input_gradient = shape.in_stride.is_multiple_of(set.lanes());
    let kernel = Kernel::with(shape, set);
    let shape = kernel.shape();
    let x = aligned(&drawn(shape.in_len(), 1));
    let y = aligned(&vec![0.0; shape.out_len()]);
    let dy = aligned(&drawn(shape.out_len(), 2));
    let dx = aligned(&vec![0.0; shape.in_len()]);
    let w = aligned(&drawn(shape.weights_len(), 3));
    let packed = aligned(&vec![0.0; kernel.packed_len()]);
    kernel.pack(w, packed);
    let turned = aligned(&vec![0.0; kernel.turned_len()]);
    kernel.pack_turned(w, turned);
    let dw = aligned(&vec![0.0; kernel.gradient_len()]);
    let mut scratch = [(); 3].map(|()| aligned(&vec![0.0; kernel.scratch_len()]));
    let [forward, backward, weights] = &mut scratch;
    let bias = aligned(&vec![0.0; shape.out_stride]);
    // Several images make the clock's own time small.
    let repeats = (4e6 / flop).ceil() as usize;
    let times = interleaved(
        seconds,
        [
            &mut || {
                for _ in 0..repeats {
                    kernel.forward(x, packed, bias, true, y, forward);
                }
            },
            &mut || {
                for _ in 0..if with_input_gradient { repeats } else { 0 } {
                    kernel.input_gradient(dy, turned, dx, false, backward);
                }
            },
            &mut || {
                for _ in 0..repeats {
                    kernel.weight_gradient(x, dy, dw, weights);
                }
            },
        ],
    );
    print!("  {name:52}");
    for (call, times) in times.iter().enumerate() {
        if call == 1 && !with_input_gradient {
            print!("        -       ");
            continue;
        }
        let gflops = |milliseconds: f64| flop * repeats as f64 / milliseconds / 1e6;
        let (median, best) = (gflops(times.median()), gflops(times.min()));
        let share = |gflops: f64| 100.0 * gflops / peak;
        print!(" {median:6.1} {:3.0} {:3.0} %", share(median), share(best));
    }
    println!(", {} runs", times[0].count());
}
