//! Finished runs as a page to read: one HTML file that needs no network and no script, or Markdown.
//!
//! [`page`] and [`markdown`] say the same; the page has pictures too. Both are made from what run folders hold
//! ([`secateur::RunRecord`]) and, where arms were compared over seeds, a [`Comparison`] that the caller fills.
//! Runs on different data are never set in one table.
#![forbid(unsafe_code)]

mod contents;
mod from_comparison;
mod input;
mod markdown;
mod number;
mod outline;
mod page;
mod path_page;
mod plot;
mod sections;
mod shrunk_page;
mod table;

pub use from_comparison::of_comparison;
pub use input::{Comparison, Point, Table, TimeBar, TradeOff, Verdict, WidthPlot};
pub use markdown::markdown;
pub use page::page;
pub use path_page::path_page;
pub use shrunk_page::shrunk_page;
