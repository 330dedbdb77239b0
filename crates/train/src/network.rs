//! The networks that runs start from, with random weights.
//!
//! [`Mlp`] is a chain of dense layers of any widths, for tables. [`Architecture`] names networks for images; each file of
//! those below holds one family, written with [`layers`].

mod architecture;
mod image;
mod init;
mod layers;
mod lenet;
mod mlp;
mod mobilenet;
mod narrow;
mod resnet;
mod vgg;

pub use architecture::Architecture;
pub use image::ImageSize;
pub use init::Init;
pub use mlp::Mlp;
pub use narrow::narrowed;
