//! Lossless reading and writing of ONNX model files.
//!
//! [`read`] turns bytes into a [`proto::ModelProto`] and [`write()`] turns it back; nothing in
//! between is interpreted, so fields that this schema does not know survive. [`shape`] and
//! [`elements`] take the numbers out of a tensor message, [`raw_tensor`] and its typed forms put
//! them in.
//!
//! # Design
//!
//! Files come from anywhere, so the crate forbids unsafe code, bounds what it allocates by
//! [`Limits`] and by the length of the data at hand, and answers bad input with an [`Error`]. The
//! messages are generated from the official schema once and checked in; building needs no `protoc`
//! and no code generator. The library behind them is named by no other crate.
//!
//! Writing what was read gives the same bytes for files in the order that the official serialiser
//! uses. Where a file must pass through untouched, copy it.
#![forbid(unsafe_code)]

mod error;
mod external;
mod limits;
mod listed;
#[rustfmt::skip]
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::derivable_impls,
    reason = "generated from the schema, which documents the fields; the generator writes `allow`"
)]
pub mod proto;
mod read;
mod refill;
mod sparse;
mod tensor;
mod visit;
mod write;

pub use error::{Error, ErrorKind, Result};
pub use external::{
    Parts, external_locations, keep_inside, keep_inside_node, take_in_external, write_apart,
    write_parts,
};
pub use limits::Limits;
pub use listed::{lists_initializers, unlist_initializers};
pub use read::{read, read_file, read_node, read_tensor_file};
pub use refill::refill;
pub use sparse::{dense, densify};
pub use tensor::{
    Elements, data_type, elements, f32_tensor, i64_tensor, is_external, raw_tensor, shape,
};
pub use write::{write, write_node, write_tensor};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
