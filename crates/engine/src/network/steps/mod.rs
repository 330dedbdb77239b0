//! What each operation does on the way forward and back, one file a family.

mod activate;
mod batch_norm;
mod binary;
mod choose;
mod convolve;
mod dense;
mod filters;
mod fold;
mod function;
mod movement;
mod pool;
mod product;
mod reduce;
mod softmax;
mod spread;
mod standardise;
mod still;
mod stretch;

pub(crate) use activate::Activate;
pub(crate) use batch_norm::{Normalise, Running, Statistics};
pub(crate) use binary::{Arithmetic, Binary, Operand};
pub(crate) use choose::Choose;
pub(crate) use convolve::Convolve;
pub(crate) use dense::Dense;
pub(crate) use filters::Filters;
pub(crate) use fold::{Fold, Folded};
pub(crate) use function::Function;
pub(crate) use movement::{Move, Run, Source};
pub(crate) use pool::{Pool, Taken};
pub(crate) use product::Product;
pub(crate) use reduce::Reduce;
pub(crate) use softmax::Softmax;
pub(crate) use spread::Spread;
pub(crate) use standardise::Standardise;
pub(crate) use still::{Given, Still};
pub(crate) use stretch::{Mixture, Stretch};
