//! Tables of numbers from files: readers, splits and standardisation.
//!
//! [`load`] reads an embedded or [`drawn`] set, a text table or a folder of pictures into a [`Dataset`]; [`split`] draws
//! training, validation and test rows from a seed; a [`Standardiser`] is fitted on the training rows and applied as rows
//! are copied out. Files are not trusted: every byte sequence gives a data set or an [`Error`] that names its place.

#![forbid(unsafe_code)]

mod arrays;
mod augment;
mod channels;
mod cifar;
mod dataset;
pub mod drawn;
mod duplicates;
mod embedded;
mod error;
mod expansion;
mod features;
mod idx;
mod image;
mod inputs;
mod load;
mod nearest;
mod options;
mod pictures;
mod source;
mod split;
mod standardise;
mod table;

pub use augment::Augment;
pub use dataset::{Dataset, Fingerprint, Target};
pub use embedded::EMBEDDED;
pub use error::{Error, ErrorKind, Result};
pub use expansion::Expansion;
pub use features::{Features, Storage};
pub use image::ImageShape;
pub use inputs::{InputOptions, Pixels, Rows, Wanted, array_rows, read_input, read_inputs};
pub use load::load;
pub use nearest::did_you_mean;
pub use options::{Format, LoadOptions, Missing, Task};
pub use pictures::ImageFiles;
pub use split::{Split, SplitOptions, split};
pub use standardise::{Scaling, Standardiser, TargetScaler};
