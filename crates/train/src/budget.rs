//! Which units a network must lose to keep within a limit.
//!
//! Units are [ranked](ranked::Ranked); a [search](search::within) then finds the largest network of the ranking that
//! holds the limit, by counting or by [asking](question::Question) whoever can measure it.

pub(crate) mod chain;
pub(crate) mod question;
pub(crate) mod ranked;
pub(crate) mod search;

use secateur_graph::{Graph, cost};
use secateur_prox::Quantity;

use crate::Result;

/// How much of a quantity a network has.
pub(crate) fn count(of: Quantity, graph: &Graph) -> Result<u64> {
    let cost = cost(graph)?;
    Ok(match of {
        Quantity::Macs => cost.macs,
        Quantity::Params => cost.params,
    })
}

/// A count with what is counted.
pub(crate) fn counted(of: Quantity, count: u64) -> String {
    match of {
        Quantity::Macs => format!("{count} MACs a row"),
        Quantity::Params => format!("{count} parameters"),
    }
}
