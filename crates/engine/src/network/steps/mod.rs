//! What each operation does on the way forward and back, one file a family.

mod activate;
mod batch_norm;
mod binary;
mod convolve;
mod dense;
mod movement;
mod pool;
mod reduce;

pub(crate) use activate::Activate;
pub(crate) use batch_norm::{Normalise, Running, Statistics};
pub(crate) use binary::{Arithmetic, Binary, Operand};
pub(crate) use convolve::Convolve;
pub(crate) use dense::Dense;
pub(crate) use movement::{Move, Run, Source};
pub(crate) use pool::{Pool, Taken};
pub(crate) use reduce::Reduce;
