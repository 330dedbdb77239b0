//! Any bytes as the body of a checkpoint: what can be read is stored and comes back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_untrusted::read_checkpoint;

fuzz_target!(|bytes: &[u8]| {
    read_checkpoint(bytes);
});
