//! What is done with files of strangers in tests and under a fuzzer: small valid files, ways to damage them, what is
//! then read of them, and how memory and time are watched meanwhile.
//!
//! The tests of this crate damage the files of every reader on the stable toolchain; the targets in `fuzz` do the same
//! for as long as one likes.

#![forbid(unsafe_code)]

mod checkpoint;
mod damage;
mod folder;
mod memory;
mod onnx;
mod reader;
mod seeds;
mod watch;

pub use checkpoint::{CHECKPOINT_MULTIPLE, NETWORK_BYTES, checkpoint_seeds, read_checkpoint};
pub use damage::damage;
pub use folder::{File, Folder, gzip, zip};
pub use memory::{Memory, peak_of};
pub use onnx::{onnx_limits, onnx_seeds, read_onnx, shrink_onnx};
pub use reader::{Reader, exercise, fuzz, is_packed};
pub use seeds::{chunk, grey_png, npy, png};
pub use watch::Watch;
