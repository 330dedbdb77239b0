//! How far outputs are from what they were.

use secateur_graph::Graph;
use secateur_prune::repair::{Activation, Batch, Runner};

use super::inputs::RepairInputs;
use super::runner::OnRuntime;
use crate::{Error, Result};

/// Rows of which as many as this may well have one answer.
const FEW: usize = 12;

/// Of so many classes at least, one that a larger share of the inputs is told to be in is odd.
const MANY: usize = 8;
const MUCH: f64 = 0.75;

/// How far an output is from what it was.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Loss {
    /// Squared distance as a share of the variance.
    pub error: f64,
    /// Share of places whose largest entry is the same one, where there are several entries.
    pub agreement: Option<f64>,
}

/// How far an output of smaller models is from that of the given one, on inputs that nothing was fitted or chosen on.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OutputLoss {
    /// What the output is called.
    pub name: String,
    /// Where there is an answer: along all axes but that of the entries, which is that of the channels of maps, or else the last; of all inputs.
    pub places: usize,
    /// Without repair.
    pub none: Loss,
    /// With statistics measured anew, where there are some.
    pub statistics: Option<Loss>,
    /// As the file is written.
    pub repaired: Loss,
    /// Inputs whose answer is another one in the file, where each input has one.
    pub changed: Vec<Changed>,
}

/// An input whose answer, the largest entry of an output, is another one than it was.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Changed {
    /// The file, or the row, counted from 1.
    pub input: String,
    /// The entry that was largest.
    pub was: usize,
    /// The entry that is.
    pub is: usize,
}

/// What a network makes of some inputs: for each output, batch by batch.
pub(super) struct Outputs {
    names: Vec<String>,
    of: Vec<Vec<Activation>>,
}

impl Outputs {
    pub(super) fn of(runner: &OnRuntime<'_>, graph: &Graph, inputs: &[Batch]) -> Result<Self> {
        let network = runner.compile(graph).map_err(Error::from)?;
        let ids = graph.outputs();
        let mut of: Vec<Vec<Activation>> = ids.iter().map(|_| vec![]).collect();
        for batch in inputs {
            let made = network
                .run(&batch.iter().collect::<Vec<_>>())
                .map_err(Error::from)?;
            of.iter_mut().zip(made).for_each(|(all, own)| all.push(own));
        }
        Ok(Self {
            names: ids.iter().map(|&id| graph.value(id).name.clone()).collect(),
            of,
        })
    }

    /// The mean distance of outputs that vary, in shares of their variance.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let pairs = self.of.iter().zip(&other.of);
        let each: Vec<f64> = pairs.map(|(want, have)| error(want, have)).collect();
        each.iter().sum::<f64>() / each.len().max(1) as f64
    }

    /// What looks as if inputs were not those that the network was trained on.
    pub(super) fn odd(&self) -> Vec<String> {
        let odd = |(name, own): (&String, &Vec<Activation>)| {
            let hint = "are inputs scaled as in training (--scale, --mean, --std)?";
            let each =
                |a: &'_ Activation| a.values.len() / a.shape.first().copied().unwrap_or(1).max(1);
            let mut inputs = own
                .iter()
                .flat_map(|a| a.values.chunks_exact(each(a).max(1)));
            let first = inputs.next()?;
            let mut count = 1;
            let are_same = inputs.fold(true, |same, input| {
                count += 1;
                same && input == first
            });
            if count > FEW && are_same {
                return Some(format!("'{name}' is the same for all inputs: {hint}"));
            }
            let answers = answers(own)?;
            let most = answers
                .iter()
                .map(|a| answers.iter().filter(|b| a == *b).count());
            let most = most.max().unwrap_or(0);
            if answers.len() <= FEW {
                return None;
            }
            if most == answers.len() {
                return Some(format!(
                    "the largest entry of '{name}' is the same one for all inputs: {hint}"
                ));
            }
            // Maps have an answer at each place, most of which may well be that nothing is there.
            let is_much = answers.len() == count && most as f64 > MUCH * count as f64;
            let entries = own.first().map_or(0, |a| entries(a).1);
            (is_much && entries >= MANY).then(|| {
                format!("the largest entry of '{name}' is the same one for {most} of {count} inputs: {hint}")
            })
        };
        self.names.iter().zip(&self.of).filter_map(odd).collect()
    }
}

/// The losses of each output of `[cut, with statistics, repaired]`.
pub(super) fn losses(
    runner: &OnRuntime<'_>,
    given: &Outputs,
    models: [Option<&Graph>; 3],
    inputs: &RepairInputs,
) -> Result<Vec<OutputLoss>> {
    let mut others = vec![];
    for graph in models {
        others.push(
            graph
                .map(|graph| Outputs::of(runner, graph, &inputs.test))
                .transpose()?,
        );
    }
    let each = given.of.iter().zip(&given.names).enumerate();
    let of = |at: usize, want: &Vec<Activation>, which: usize| {
        let have = &others[which].as_ref()?.of[at];
        Some(Loss {
            error: error(want, have),
            agreement: agreement(want, have),
        })
    };
    let none = Loss {
        error: 0.0,
        agreement: None,
    };
    Ok(each
        .map(|(at, (want, name))| OutputLoss {
            name: name.clone(),
            places: want.iter().map(|a| a.values.len() / entries(a).1).sum(),
            none: of(at, want, 0).unwrap_or(none),
            statistics: of(at, want, 1),
            repaired: of(at, want, 2).unwrap_or(none),
            changed: others[2]
                .as_ref()
                .map_or(vec![], |have| changed(want, &have.of[at], &inputs.tested)),
        })
        .collect())
}

/// Outputs that are further from what they were than without repair, in words.
pub(super) fn further(outputs: &[OutputLoss]) -> Vec<String> {
    let worse = outputs.iter().filter(|o| o.repaired.error > o.none.error);
    let told = worse.map(|o| {
        format!(
            "'{}' is further from what it was than without repair, by {:.3} against {:.3} of its variance, on inputs that nothing was fitted on: \
             give more inputs, or compare with other ways (--by, --allocation even, --repair-by)",
            o.name, o.repaired.error, o.none.error
        )
    });
    told.collect()
}

/// Squared distance as a share of the variance about the mean of all.
fn error(want: &[Activation], have: &[Activation]) -> f64 {
    let numbers = || want.iter().flat_map(|a| &a.values).map(|&v| f64::from(v));
    let count = numbers().count().max(1) as f64;
    let mean = numbers().sum::<f64>() / count;
    let variance: f64 = numbers().map(|v| (v - mean).powi(2)).sum();
    let have = have.iter().flat_map(|a| &a.values).map(|&v| f64::from(v));
    let distance: f64 = numbers().zip(have).map(|(a, b)| (a - b).powi(2)).sum();
    match (variance > 0.0, distance > 0.0) {
        (true, _) => distance / variance,
        (false, true) => f64::INFINITY,
        (false, false) => 0.0,
    }
}

/// Which axis the entries of an answer lie on, and how many there are: channels of maps, or else the last axis.
fn entries(made: &Activation) -> (usize, usize) {
    let axis = match made.shape.len() {
        4.. => 1,
        rank => rank.saturating_sub(1),
    };
    (axis, made.shape.get(axis).copied().unwrap_or(1).max(1))
}

/// Which entry is the largest at each place; none where there is one entry.
fn answers(made: &[Activation]) -> Option<Vec<usize>> {
    let mut found = vec![];
    for own in made {
        let (axis, entries) = entries(own);
        if entries < 2 {
            return None;
        }
        let inner: usize = own.shape[axis + 1..].iter().product();
        for block in own.values.chunks_exact(entries * inner.max(1)) {
            let at = |place: usize| {
                let better = |best: usize, entry: usize| match block[entry * inner + place]
                    > block[best * inner + place]
                {
                    true => entry,
                    false => best,
                };
                (0..entries).reduce(better).unwrap_or(0)
            };
            found.extend((0..inner).map(at));
        }
    }
    Some(found)
}

/// The inputs, called so, whose largest entry is another one; none where an input has several.
fn changed(want: &[Activation], have: &[Activation], names: &[String]) -> Vec<Changed> {
    let (Some(want), Some(have)) = (answers(want), answers(have)) else {
        return vec![];
    };
    if want.len() != names.len() {
        return vec![];
    }
    let each = names.iter().zip(want.into_iter().zip(have));
    let moved = each.filter(|(_, (was, is))| was != is);
    moved
        .map(|(input, (was, is))| Changed {
            input: input.clone(),
            was,
            is,
        })
        .collect()
}

/// The share of places whose largest entry is the same one.
fn agreement(want: &[Activation], have: &[Activation]) -> Option<f64> {
    let (want, have) = (answers(want)?, answers(have)?);
    let same = want.iter().zip(&have).filter(|(a, b)| a == b).count();
    Some(same as f64 / want.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_that_repair_took_further_away_are_told() {
        let of = |error: f64| Loss {
            error,
            agreement: None,
        };
        let output = |name: &str, none: f64, repaired: f64| OutputLoss {
            name: name.into(),
            places: 1,
            none: of(none),
            statistics: None,
            repaired: of(repaired),
            changed: vec![],
        };
        let found = further(&[
            output("nearer", 0.5, 0.25),
            output("same", 0.0, 0.0),
            output("boxes", 0.005, 12.0),
        ]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("'boxes' is further from what it was than without repair, by 12.000 against 0.005 of"),
            "{found:?}"
        );
    }

    fn outputs(values: &[f32]) -> Vec<Activation> {
        vec![Activation {
            shape: vec![values.len() / 2, 2],
            values: values.to_vec(),
        }]
    }

    #[test]
    fn losses_are_shares_of_variance_and_of_places() {
        let want = outputs(&[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
        let have = outputs(&[2.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
        // Of 8 numbers with a variance of 1/4 each.
        assert_eq!(error(&want, &have), 3.0 / 2.0);
        assert_eq!(agreement(&want, &have), Some(0.75));
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let moved = Changed {
            input: "b".into(),
            was: 1,
            is: 0,
        };
        assert_eq!(changed(&want, &have, &names), [moved]);
        assert_eq!(changed(&want, &have, &names[..2]), []);
        assert_eq!(
            (error(&want, &want), agreement(&want, &want)),
            (0.0, Some(1.0))
        );
        let flat = outputs(&[1.0; 4]);
        let other = outputs(&[1.0, 1.0, 1.0, 2.0]);
        assert_eq!(
            (error(&flat, &flat), error(&flat, &other)),
            (0.0, f64::INFINITY)
        );
        let single = vec![Activation {
            shape: vec![3, 1],
            values: vec![1.0; 3],
        }];
        assert_eq!(agreement(&single, &single), None);
        // Two maps of 1 x 3 places: channels are asked place by place.
        let maps = |values: [f32; 6]| {
            vec![Activation {
                shape: vec![1, 2, 1, 3],
                values: values.to_vec(),
            }]
        };
        let (want, have) = (
            maps([1.0, 0.0, 1.0, 0.0, 1.0, 0.0]),
            maps([1.0, 1.0, 1.0, 0.0, 0.0, 2.0]),
        );
        assert_eq!(answers(&want).unwrap(), [0, 1, 0]);
        assert_eq!(agreement(&want, &have), Some(1.0 / 3.0));
    }

    #[test]
    fn outputs_that_say_nothing_are_told() {
        let of = |values: &[f32]| Outputs {
            names: vec!["y".into()],
            of: vec![outputs(values)],
        };
        let told = |values: &[f32]| of(values).odd().join(" ");
        assert!(told(&[0.5; 40]).starts_with("'y' is the same for all inputs"));
        let mut rising: Vec<f32> = (0..40).map(|n| n as f32).collect();
        assert!(told(&rising).starts_with("the largest entry of 'y' is the same one"));
        rising.swap(0, 1);
        assert_eq!(told(&rising), "");
        assert_eq!(told(&[0.5; 10]), "");
        // Of eight classes, one that most inputs are told to be in; of seven it may be.
        let of_classes = |classes: usize, common: usize| {
            let input = |at: usize| (0..classes).map(move |class| (at, class));
            let value = |(at, class): (usize, usize)| {
                let is_largest = class == if at < common { 0 } else { 1 + at % 2 };
                f32::from(u8::from(is_largest)) + at as f32 / 100.0
            };
            let values = (0..40).flat_map(input).map(value);
            let made = Outputs {
                names: vec!["y".into()],
                of: vec![vec![Activation {
                    shape: vec![40, classes],
                    values: values.collect(),
                }]],
            };
            made.odd().join(" ")
        };
        assert!(
            of_classes(8, 31)
                .starts_with("the largest entry of 'y' is the same one for 31 of 40 inputs"),
            "{}",
            of_classes(8, 31)
        );
        assert_eq!(of_classes(8, 30), "");
        assert_eq!(of_classes(7, 31), "");
    }
}
