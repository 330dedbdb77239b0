//! By what are units ranked?

mod flap;
mod fpgm;
mod norms;
mod slices;

use std::str::FromStr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use secateur_graph::{ChannelGroups, Graph, Group};

use crate::{Error, Result};

pub use norms::norms;

/// By what units are ranked; the lowest go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// Sum of the magnitudes of the weights that read the unit.
    L1,
    /// Root of the sum of their squares.
    L2,
    /// Distance of what makes the unit to what makes the others (He et al. 2019).
    Fpgm,
    /// Variance of the unit's activation over positions and inputs (Polyak and Wolf 2015).
    Variance,
    /// Share of the variance of what its readers make, were units independent (after FLAP, An et al. 2024).
    Flap,
    /// What the loss would change by, to first order, squared (Molchanov et al. 2019).
    Taylor,
    /// What giving it up adds to the distance of the outputs once the other units have made up for it (optimal brain surgeon, Hassibi and
    /// Stork 1993, by groups of columns).
    Reconstruction,
    /// Drawn from the seed.
    Random,
}

/// What of a network has to be measured before units are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Weights are all.
    Nothing,
    /// Variances of activations, on inputs.
    Variances,
    /// Gradients, on rows with targets.
    Gradients,
    /// Covariances of activations, on inputs: [`reconstruction`](crate::repair::reconstruction).
    Covariances,
}

/// What was measured: a number for each unit of each group.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Variances of activations as the first reader with weights sees them, all positions of a unit together.
    pub variances: Option<Vec<Vec<f64>>>,
    /// Taylor scores; NaN where no gradient reaches.
    pub gradients: Option<Vec<Vec<f64>>>,
    /// Scores by reconstruction.
    pub reconstruction: Option<Vec<Vec<f64>>>,
}

impl Criterion {
    const NAMES: [(&'static str, Self); 8] = [
        ("l1", Self::L1),
        ("l2", Self::L2),
        ("fpgm", Self::Fpgm),
        ("variance", Self::Variance),
        ("flap", Self::Flap),
        ("taylor", Self::Taylor),
        ("reconstruction", Self::Reconstruction),
        ("random", Self::Random),
    ];

    /// What has to be measured for it.
    pub fn needs(self) -> Needs {
        match self {
            Self::L1 | Self::L2 | Self::Fpgm | Self::Random => Needs::Nothing,
            Self::Variance | Self::Flap => Needs::Variances,
            Self::Taylor => Needs::Gradients,
            Self::Reconstruction => Needs::Covariances,
        }
    }

    /// Whether its scores compare between groups as they are. Others grow with the scale of a layer or the number of its weights.
    pub fn compares_groups(self) -> bool {
        match self {
            Self::Flap | Self::Taylor | Self::Reconstruction => true,
            Self::L1 | Self::L2 | Self::Fpgm | Self::Variance | Self::Random => false,
        }
    }

    /// What every unit of every group is worth, frozen ones included.
    ///
    /// # Errors
    /// If that takes what was not measured.
    pub fn scores(
        self,
        graph: &Graph,
        groups: &ChannelGroups,
        measured: &Measured,
        seed: u64,
    ) -> Result<Vec<Vec<f64>>> {
        let each = |of: &dyn Fn(&Group) -> Vec<f64>| Ok(groups.groups().iter().map(of).collect());
        match self {
            Self::L1 => each(&|group| norms(graph, group, f64::abs)),
            Self::L2 => each(&|group| {
                let squares = norms(graph, group, |w| w * w);
                squares.into_iter().map(f64::sqrt).collect()
            }),
            Self::Fpgm => each(&|group| fpgm::distances(graph, group)),
            Self::Variance => self.found(measured.variances.as_ref(), groups).cloned(),
            Self::Flap => {
                let variances = self.found(measured.variances.as_ref(), groups)?;
                let pairs = groups.groups().iter().zip(variances);
                Ok(pairs.map(|(g, v)| flap::shares(graph, g, v)).collect())
            }
            Self::Taylor => self.found(measured.gradients.as_ref(), groups).cloned(),
            Self::Reconstruction => self
                .found(measured.reconstruction.as_ref(), groups)
                .cloned(),
            Self::Random => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let mut drawn =
                    |group: &Group| (0..group.units).map(|_| rng.next_u64() as f64).collect();
                Ok(groups.groups().iter().map(&mut drawn).collect())
            }
        }
    }

    /// What was measured of these groups.
    fn found<'m>(
        self,
        measured: Option<&'m Vec<Vec<f64>>>,
        groups: &ChannelGroups,
    ) -> Result<&'m Vec<Vec<f64>>> {
        let Some(found) = measured else {
            let (on, hint) = match self.needs() {
                Needs::Covariances => ("inputs", "name them: --repair images/"),
                Needs::Variances => ("inputs", "name them: --repair images/, or --data mnist"),
                Needs::Gradients | Needs::Nothing => ("data", "name them: --data mnist"),
            };
            let message = format!("{} scores are measured on {on}", self.name());
            return Err(Error::choice(message).at("--by").hint(hint));
        };
        let units = groups.groups().iter().map(|g| g.units);
        match units.eq(found.iter().map(Vec::len)) {
            true => Ok(found),
            false => Err(Error::choice("scores were measured of other groups").at("--by")),
        }
    }

    /// The name of its flag.
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        names
            .find(|(_, own)| *own == self)
            .map_or("", |(name, _)| name)
    }
}

impl FromStr for Criterion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut names = Self::NAMES.iter();
        match names.find(|(name, _)| *name == text) {
            Some((_, criterion)) => Ok(*criterion),
            None => {
                let all: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                Err(Error::choice(format!("'{text}' is no criterion"))
                    .at("--by")
                    .hint(all.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use secateur_graph::Unary;
    use secateur_testkit::mlp;

    use super::*;

    #[test]
    fn names_are_read_back_and_others_list_them() {
        for (name, criterion) in Criterion::NAMES {
            assert_eq!(name.parse::<Criterion>().unwrap(), criterion);
            assert_eq!(criterion.name(), name);
        }
        let all = Criterion::NAMES.iter();
        let compared = all.filter(|(_, c)| c.compares_groups());
        let compared: Vec<&str> = compared.map(|(name, _)| *name).collect();
        assert_eq!(compared, ["flap", "taylor", "reconstruction"]);
        let error = "l3".parse::<Criterion>().unwrap_err();
        assert_eq!(error.to_string(), "--by: 'l3' is no criterion");
        assert_eq!(
            error.hint_text(),
            Some("l1, l2, fpgm, variance, flap, taylor, reconstruction, random")
        );
    }

    #[test]
    fn what_is_measured_is_asked_for_and_taken() {
        let graph = mlp(&[2, 3, 1], Unary::Relu, 1).unwrap();
        let groups = ChannelGroups::of(&graph).unwrap();
        let numbers = |first: f64| -> Vec<Vec<f64>> {
            let units = groups.groups().iter().map(|g| g.units);
            units
                .map(|n| (0..n).map(|u| first + u as f64).collect())
                .collect()
        };
        let all = Measured {
            variances: Some(numbers(1.0)),
            gradients: Some(numbers(50.0)),
            reconstruction: Some(numbers(70.0)),
        };
        for (name, criterion) in Criterion::NAMES {
            let of = |measured: &Measured| criterion.scores(&graph, &groups, measured, 1);
            let (needs, bare) = (criterion.needs(), of(&Measured::default()));
            match needs {
                Needs::Nothing => assert_eq!(bare.unwrap(), of(&all).unwrap(), "{name}"),
                Needs::Variances | Needs::Gradients | Needs::Covariances => {
                    let error = bare.unwrap_err();
                    assert!(error.to_string().contains("are measured on "), "{error}");
                }
            }
            let sizes = of(&all).unwrap();
            let sizes: Vec<usize> = sizes.iter().map(Vec::len).collect();
            let units: Vec<usize> = groups.groups().iter().map(|g| g.units).collect();
            assert_eq!(sizes, units, "{name}");
        }
        let other = Measured {
            gradients: Some(vec![vec![1.0]]),
            ..Measured::default()
        };
        assert!(
            Criterion::Taylor
                .scores(&graph, &groups, &other, 1)
                .is_err()
        );
        let of = |criterion: Criterion| criterion.scores(&graph, &groups, &all, 1).unwrap();
        assert_eq!(of(Criterion::Variance), numbers(1.0));
        assert_eq!(of(Criterion::Taylor), numbers(50.0));
    }
}
