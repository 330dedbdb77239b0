//! Any bytes as a model: the numbers of its tensors, those beside it and sparse ones, and what it computes of shapes.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use secateur_untrusted::read_onnx;

/// The files that are named in hostile models, if the fuzzer is run from the root.
const BESIDE: &str = "crates/secateur/tests/fixtures/hostile";

fuzz_target!(|bytes: &[u8]| {
    read_onnx(bytes, Path::new(BESIDE));
});
