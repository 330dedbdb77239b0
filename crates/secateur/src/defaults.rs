//! What is chosen where the user leaves it open, and why.

use secateur_data::{Dataset, Target};
use secateur_prox::Penalty;
use secateur_prune::Criterion;
use secateur_train::ImageSize;

use crate::{Config, Error, Origin, Result};

/// What suits a data set of this size and task unless the user says otherwise.
pub(crate) struct Defaults {
    pub(crate) batch: usize,
    pub(crate) epochs: usize,
    pub(crate) optimizer: &'static str,
    /// Highest learning rate.
    pub(crate) rate: f64,
    /// In how many stages a budget is come to.
    pub(crate) stages: usize,
}

impl Defaults {
    pub(crate) fn of(
        dataset: &Dataset,
        train_rows: usize,
        config: &Config,
        start: &Origin,
    ) -> Self {
        let by_size = match train_rows {
            // Statistics of a batch and convolutions over it are worth larger ones.
            1_000.. if !start.is_chain() => 128,
            0..2_000 => 32,
            2_000..20_000 => 64,
            _ => 128,
        };
        let batch = config.batch.unwrap_or(by_size);
        // Enough steps for the penalty to reach its end state, which takes thousands.
        let most = if start.is_chain() { 200 } else { 30 };
        let epochs = 6_000usize
            .div_ceil(train_rows.div_ceil(batch.max(1)).max(1))
            .clamp(30, most);
        // Momentum compresses pixels best; columns of unlike spread make it diverge (docs/results.md).
        let optimizer = if dataset.image().is_some() {
            "sgd"
        } else {
            "adam"
        };
        let rate = match config.optimizer.as_deref().unwrap_or(optimizer) {
            // Trained weights are not to be thrown about.
            "adam" | "adamw" if matches!(start, Origin::Model(_)) => 1e-3,
            "adam" | "adamw" => 3e-3,
            _ if !start.is_chain() => start.default_rate(),
            _ if dataset.image().is_some()
                && matches!(dataset.target(), Target::Classes { .. }) =>
            {
                0.1
            }
            // Columns of unlike spread: Sensorless collapses to one class at 0.05.
            _ => 0.02,
        };
        Self {
            batch,
            epochs,
            optimizer,
            rate,
            // Chains that learn from pixels spend most of a run at the full size. Tables train in a second, and small ones lose by
            // narrowing early: Energy's error grows by a seventh. Channels are coarse: in stages they end far below the limit.
            stages: match dataset.image() {
                Some(_) if start.is_chain() => 3,
                _ => 1,
            },
        }
    }
}

/// The epochs without a penalty at the end.
///
/// A budget's ranking decides what goes in networks for images, whose normalisations undo what the penalty does: after a fifth of
/// the epochs it chooses as well as later, and what is left has longer to learn, and is cheaper.
pub(crate) fn default_settle(start: &Origin, penalty: &str, part: &str, epochs: usize) -> usize {
    match penalty {
        "none" => 0,
        _ if !start.is_chain() && part.starts_with("budget") => epochs.saturating_mul(3) / 5,
        _ => epochs / 3,
    }
}

/// Multiples of which numbers of units a budget leaves.
///
/// Inference engines take channels by the vector. With odd counts a network of half the MACs can be the slower one, with multiples
/// of eight it is faster (docs/peers.md). Small networks spend their time elsewhere, and have no eight channels to spare.
pub(crate) fn default_round(
    start: &Origin,
    part: &str,
    image: Option<ImageSize>,
    outputs: usize,
) -> usize {
    match part.starts_with("budget") && start.is_large(image, outputs) {
        true => 8,
        false => 1,
    }
}

/// By what the budget of a run ranks units; none where there is no budget.
///
/// # Errors
/// If there is no such criterion, or one is given and no budget.
pub(crate) fn ranked_by(config: &Config, penalty: &str, part: &str) -> Result<Option<Criterion>> {
    let by: Option<Criterion> = config.by.as_deref().map(str::parse).transpose()?;
    match (by, penalty != "none" && part.starts_with("budget")) {
        (by, true) => Ok(Some(by.unwrap_or(Criterion::Flap))),
        (None, false) => Ok(None),
        (Some(by), false) => Err(Error::usage(format!(
            "without a budget no units are ranked, by {} or otherwise",
            by.name()
        ))
        .at("--by")
        .hint("leave it out, or give a budget, such as --budget macs=50%")),
    }
}

/// A quarter of the MACs, or everything under penalties that cannot remove units.
pub(crate) fn default_part(penalty: &str) -> &'static str {
    match penalty.parse::<Penalty>() {
        Ok(penalty) if !penalty.removes_units() => "full",
        _ => "budget:25%",
    }
}

#[cfg(test)]
mod tests {
    use secateur_train::Architecture;

    use super::*;

    #[test]
    fn networks_of_images_under_a_budget_settle_longest() {
        let named = Origin::Named(Architecture::ResNet20);
        assert_eq!(default_settle(&named, "group-lasso", "budget:40%", 20), 12);
        assert_eq!(default_settle(&named, "group-lasso", "full", 30), 10);
        assert_eq!(default_settle(&Origin::Chain, "l1", "budget:40%", 30), 10);
        assert_eq!(default_settle(&named, "none", "budget:40%", 20), 0);
    }

    #[test]
    fn budgets_of_large_networks_leave_multiples_of_eight() {
        let of = |start: &Origin, part, side| {
            default_round(start, part, Some(ImageSize::new(3, side, side)), 10)
        };
        let [resnet, lenet, mlp] = [
            Architecture::ResNet20,
            Architecture::LeNet5,
            Architecture::Mlp,
        ]
        .map(Origin::Named);
        assert_eq!(of(&resnet, "budget:40%", 32), 8);
        assert_eq!(of(&resnet, "full", 32), 1);
        assert_eq!(of(&lenet, "budget:40%", 32), 1);
        assert_eq!(of(&Origin::Chain, "budget:40%", 32), 1);
        // What counts is how much is convolved: a small picture, a large one.
        assert_eq!(of(&resnet, "budget:40%", 8), 1);
        assert_eq!(of(&lenet, "budget:40%", 96), 8);
        assert_eq!(of(&mlp, "budget:40%", 256), 1);
        assert_eq!(default_round(&resnet, "budget:40%", None, 10), 1);
    }
}
