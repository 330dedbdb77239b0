//! Any bytes in place of one file of a set that `Reader::Idx` reads; the first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_untrusted::{Reader, fuzz};

fuzz_target!(|bytes: &[u8]| fuzz(Reader::Idx, bytes));
