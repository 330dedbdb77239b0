//! All calls against the definition, on small integers, where every order of summation gives the same.

use proptest::prelude::*;

use super::*;

/// A shape with pixels of the input in whole vectors, or as narrow as can be.
fn shapes() -> impl Strategy<Value = (Shape, InstructionSet)> {
    let pair = |range: std::ops::Range<usize>| [range.clone(), range];
    let channels = prop_oneof![
        4 => (1usize..41, 1usize..41).prop_map(|(i, o)| (i, o, 1)),
        2 => (1usize..41).prop_map(|c| (c, c, c)),
        2 => (1usize..7, 1usize..7, 2usize..5).prop_map(|(i, o, g)| (i * g, o * g, g)),
        1 => (1usize..20, 2usize..4).prop_map(|(i, g)| (i * g, 16 * g, g)),
        1 => (1usize..20, 2usize..4).prop_map(|(o, g)| (16 * g, o * g, g)),
    ];
    let size = || prop_oneof![3 => 1usize..12, 1 => 12usize..40];
    let size = || [size(), size()];
    let sizes = (pair(1..6), pair(1..4), pair(1..3), size(), size());
    let sets = prop::sample::select(InstructionSet::available());
    let spare = (0usize..3, 0usize..4);
    let narrow = any::<bool>();
    (channels, sizes, pair(0..5), spare, narrow, sets).prop_map(
        |(channels, sizes, before, spare, narrow, set)| {
            let (inputs, outputs, groups) = channels;
            let (kernel, strides, dilations, in_size, out_size) = sizes;
            let padded = |c: usize, more: usize| {
                let lanes = set.lanes();
                c.next_multiple_of(lanes) + if more == 2 { lanes } else { 0 }
            };
            let shape = Shape {
                inputs,
                outputs,
                groups,
                kernel,
                strides,
                dilations,
                before,
                in_size,
                out_size,
                in_stride: if narrow {
                    inputs + spare.1 / 2
                } else {
                    padded(inputs, spare.0)
                },
                out_stride: padded(outputs, spare.0),
            };
            (shape, set)
        },
    )
}

fn integers(len: usize, seed: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (((i + seed) * (7 + seed) + i / 13) % 7) as f32 - 3.0)
        .collect()
}

/// An image with numbers in the channels and `beyond` in what fills up the pixels.
fn image(size: [usize; 2], channels: usize, stride: usize, seed: usize, beyond: f32) -> Vec<f32> {
    let mut numbers = integers(size[0] * size[1] * stride, seed);
    for pixel in numbers.chunks_exact_mut(stride) {
        pixel[channels..].fill(beyond);
    }
    numbers
}

/// Calls `visit` with the places in input, weights and output of every product of the definition.
fn each_product(s: &Shape, mut visit: impl FnMut(usize, usize, usize)) {
    let (gi, go) = (s.inputs / s.groups, s.outputs / s.groups);
    for oy in 0..s.out_size[0] {
        for ox in 0..s.out_size[1] {
            for ky in 0..s.kernel[0] {
                for kx in 0..s.kernel[1] {
                    let row = oy * s.strides[0] + ky * s.dilations[0];
                    let column = ox * s.strides[1] + kx * s.dilations[1];
                    let inside = |i: usize, axis: usize| {
                        i >= s.before[axis] && i - s.before[axis] < s.in_size[axis]
                    };
                    if !inside(row, 0) || !inside(column, 1) {
                        continue;
                    }
                    let (row, column) = (row - s.before[0], column - s.before[1]);
                    for o in 0..s.outputs {
                        for i in 0..gi {
                            visit(
                                (row * s.in_size[1] + column) * s.in_stride + o / go * gi + i,
                                ((o * gi + i) * s.kernel[0] + ky) * s.kernel[1] + kx,
                                (oy * s.out_size[1] + ox) * s.out_stride + o,
                            );
                        }
                    }
                }
            }
        }
    }
}

fn single(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|x| *x as f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn forward_equals_the_definition(
        (shape, set) in shapes(), with_bias in any::<bool>(), relu in any::<bool>(),
    ) {
        let kernel = Kernel::with(shape.clone(), set);
        let x = image(shape.in_size, shape.inputs, shape.in_stride, 1, 0.0);
        let w = integers(shape.weights_len(), 2);
        let bias = image([1, 1], shape.outputs, shape.out_stride, 3, 0.0);
        let bias = if with_bias { &bias[..] } else { &[] };
        let mut expected = vec![0.0; shape.out_len()];
        each_product(&shape, |i, k, o| expected[o] += f64::from(x[i]) * f64::from(w[k]));
        for (at, y) in expected.iter_mut().enumerate() {
            *y += f64::from(*bias.get(at % shape.out_stride).unwrap_or(&0.0));
            if relu {
                *y = y.max(0.0);
            }
        }
        let mut packed = vec![f32::NAN; kernel.packed_len()];
        kernel.pack(&w, &mut packed);
        let mut y = vec![f32::NAN; shape.out_len()];
        let mut scratch = vec![f32::NAN; kernel.scratch_len()];
        kernel.forward(&x, &packed, bias, relu, &mut y, &mut scratch);
        prop_assert_eq!(y, single(&expected));
    }

    #[test]
    fn input_gradient_equals_the_definition((shape, set) in shapes(), add in any::<bool>()) {
        let shape = Shape { in_stride: shape.in_stride.next_multiple_of(set.lanes()), ..shape };
        let kernel = Kernel::with(shape.clone(), set);
        let dy = image(shape.out_size, shape.outputs, shape.out_stride, 1, 0.0);
        let w = integers(shape.weights_len(), 2);
        let old = image(shape.in_size, shape.inputs, shape.in_stride, 3, 0.0);
        let mut expected: Vec<f64> = old.iter().map(|x| if add { f64::from(*x) } else { 0.0 }).collect();
        each_product(&shape, |i, k, o| expected[i] += f64::from(dy[o]) * f64::from(w[k]));
        let mut turned = vec![f32::NAN; kernel.turned_len()];
        kernel.pack_turned(&w, &mut turned);
        let mut dx = if add { old } else { vec![f32::NAN; shape.in_len()] };
        let mut scratch = vec![f32::NAN; kernel.scratch_len()];
        kernel.input_gradient(&dy, &turned, &mut dx, add, &mut scratch);
        prop_assert_eq!(dx, single(&expected));
    }

    #[test]
    fn weight_gradient_equals_the_definition((shape, set) in shapes()) {
        let kernel = Kernel::with(shape.clone(), set);
        let x = image(shape.in_size, shape.inputs, shape.in_stride, 1, 0.0);
        let dy = image(shape.out_size, shape.outputs, shape.out_stride, 2, 0.0);
        let old = integers(shape.weights_len(), 3);
        let mut expected: Vec<f64> = old.iter().map(|x| 2.0 * f64::from(*x)).collect();
        // The second call adds to the first.
        each_product(&shape, |i, k, o| expected[k] += 2.0 * f64::from(x[i]) * f64::from(dy[o]));
        let mut packed = vec![0.0; kernel.gradient_len()];
        let mut scratch = vec![f32::NAN; kernel.scratch_len()];
        kernel.weight_gradient(&x, &dy, &mut packed, &mut scratch);
        kernel.weight_gradient(&x, &dy, &mut packed, &mut scratch);
        let mut dw = old;
        kernel.unpack_gradient(&packed, 2.0, &mut dw);
        prop_assert_eq!(dw, single(&expected));
    }

    #[test]
    fn unpacking_what_was_packed_gives_the_weights((shape, set) in shapes()) {
        let kernel = Kernel::with(shape.clone(), set);
        let w = integers(shape.weights_len(), 2);
        let mut packed = vec![f32::NAN; kernel.packed_len()];
        kernel.pack(&w, &mut packed);
        let mut back = vec![f32::NAN; w.len()];
        kernel.unpack_gradient(&packed, 0.0, &mut back);
        prop_assert_eq!(back, w);
    }

    /// What fills up the pixels of the input is not looked at.
    #[test]
    fn only_channels_are_read((shape, set) in shapes()) {
        let kernel = Kernel::with(shape.clone(), set);
        let w = integers(shape.weights_len(), 2);
        let mut packed = vec![f32::NAN; kernel.packed_len()];
        kernel.pack(&w, &mut packed);
        let mut scratch = vec![0.0; kernel.scratch_len()];
        let [zeros, others] = [0.0, 5.0].map(|beyond| {
            let x = image(shape.in_size, shape.inputs, shape.in_stride, 1, beyond);
            let mut y = vec![f32::NAN; shape.out_len()];
            kernel.forward(&x, &packed, &[], false, &mut y, &mut scratch);
            y
        });
        prop_assert_eq!(zeros, others);
    }
}

fn small() -> Shape {
    Shape {
        inputs: 2,
        outputs: 3,
        groups: 1,
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        before: [1, 1],
        in_size: [4, 5],
        out_size: [4, 5],
        in_stride: 16,
        out_stride: 16,
    }
}

#[test]
fn a_nan_goes_through_relu() {
    for set in InstructionSet::available() {
        for (inputs, outputs, groups) in [(2, 3, 1), (4, 6, 2), (3, 3, 3)] {
            let shape = Shape {
                inputs,
                outputs,
                groups,
                ..small()
            };
            let kernel = Kernel::with(shape.clone(), set);
            let mut packed = vec![0.0; kernel.packed_len()];
            kernel.pack(&vec![1.0; shape.weights_len()], &mut packed);
            let mut x = vec![0.0; shape.in_len()];
            x[0] = f32::NAN;
            let mut y = vec![0.0; shape.out_len()];
            let mut scratch = vec![0.0; kernel.scratch_len()];
            kernel.forward(&x, &packed, &[], true, &mut y, &mut scratch);
            assert!(y[0].is_nan() && y[3 * shape.out_stride] == 0.0);
        }
    }
}

#[test]
#[should_panic(expected = "whole vectors")]
fn no_gradient_of_an_input_that_is_not_padded() {
    let shape = Shape {
        in_stride: 2,
        ..small()
    };
    let kernel = Kernel::new(shape.clone());
    let dy = vec![0.0; shape.out_len()];
    let turned = vec![0.0; kernel.turned_len()];
    let mut dx = vec![0.0; shape.in_len()];
    let mut scratch = vec![0.0; kernel.scratch_len()];
    kernel.input_gradient(&dy, &turned, &mut dx, false, &mut scratch);
}

#[test]
#[should_panic(expected = "image that is read")]
fn a_short_image_is_refused() {
    let kernel = Kernel::new(small());
    let packed = vec![0.0; kernel.packed_len()];
    let mut y = vec![0.0; small().out_len()];
    let mut scratch = vec![0.0; kernel.scratch_len()];
    kernel.forward(&[0.0; 7], &packed, &[], false, &mut y, &mut scratch);
}
