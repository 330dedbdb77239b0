//! Any bytes: what can be read is written and read back, lowered to a network, grouped and shrunk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_untrusted::shrink_onnx;

fuzz_target!(|bytes: &[u8]| shrink_onnx(bytes));
