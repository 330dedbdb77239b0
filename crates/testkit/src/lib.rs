//! Generators, gradient checks and tiny models for the tests of the workspace.
#![forbid(unsafe_code)]

mod building;
mod by_batch;
mod draw;
mod gradient;
mod images;
mod judged;
mod law;
mod mixed;
mod mixed_draw;
mod models;
mod on_axis;
mod plan;
mod recurrent;
mod skipped;
mod stream;

pub use by_batch::{by_batch, moved};
pub use draw::{piecewise_linear, smooth};
pub use gradient::{directional, taylor_slope};
pub use images::{Block, Images, images};
pub use judged::{ATTRIBUTES, Judged, attributes_of, judged};
pub use law::{Looked, cut, law, masked_equals_cut};
pub use mixed::{
    Alias, Branch, Channelwise, Choice, Constants, Layout, Mixed, Mixing, Normal, Operator, Places,
    Single, Tokens,
};
pub use mixed_draw::{drawn, exact_mixed, mixed, operators};
pub use models::{bits, change, largest_magnitude, mlp, model_files, opaque, rows, some_keep};
pub use on_axis::{OnAxis, drawn_on_axis, on_axis};
pub use plan::{Form, Plan, Step};
pub use recurrent::recurrent;
pub use skipped::{larger_data, skipped};
pub use stream::Stream;
