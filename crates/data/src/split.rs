//! Which rows train, which choose, and which are only looked at in the end.
//!
//! Rows are drawn from the seed alone, so that every arm of a comparison sees the same ones. Classes keep their shares
//! in each part. Rows with equal inputs stay on one side: a copy of a training row would make a test row easy.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::dataset::{Dataset, Target};
use crate::duplicates::first_equal_rows;
use crate::error::{Error, ErrorKind, Result};

/// The stream of the seed's generator that splits use, so that a trainer's shuffles from the same seed differ.
const STREAM: u64 = 0x73_706c_6974;

/// How much of the data is set aside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitOptions {
    /// The test share of all rows; not used where the data brings its own test rows.
    pub test: f64,
    /// The validation share of all rows, or of the training rows where the data brings its own test rows.
    pub validation: f64,
    /// The most validation rows: choices need no more, and the rest trains.
    pub validation_at_most: usize,
}

impl Default for SplitOptions {
    /// 70 / 10 / 20 per cent for training, validation and test, with at most 5,000 validation rows.
    ///
    /// MNIST, with 60,000 training rows and a test set of its own, thus gives 55,000 / 5,000 / 10,000.
    fn default() -> Self {
        Self {
            test: 0.2,
            validation: 0.1,
            validation_at_most: 5_000,
        }
    }
}

/// Row numbers of the three parts: disjoint, each ascending and not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<u32>,
    /// Rows on which strengths, learning rates and the like are chosen.
    pub validation: Vec<u32>,
    /// Rows that no choice looks at.
    pub test: Vec<u32>,
    /// What a user should know: repeated rows, classes absent from a part.
    pub notes: Vec<String>,
}

/// Draws the three parts from `seed`.
///
/// Shares are rounded to whole rows over all classes together, at least one row a part; a class always leaves a row to
/// training. Repeated rows that do not fit a share go to training, so parts may be a few rows short.
///
/// # Errors
/// [`ErrorKind::Usage`] for shares that are not in 0 to 1 or leave nothing to training, [`ErrorKind::Degenerate`] where
/// there are too few different rows for three parts.
pub fn split(dataset: &Dataset, seed: u64, options: &SplitOptions) -> Result<Split> {
    check(options)?;
    let first = first_equal_rows(dataset.features());
    let mut notes = Vec::new();
    let repeated = (0..).zip(&first).filter(|&(row, &f)| row != f).count();
    if repeated > 0 {
        notes.push(format!(
            "{repeated} rows repeat the inputs of another row; equal rows are kept in one part of the split"
        ));
    }

    let (pool, given_test) = pool(dataset, &first, &mut notes);
    let mut strata = strata(dataset, &first, &pool);
    let sizes: Vec<usize> = strata
        .iter()
        .map(|s| s.iter().map(Vec::len).sum())
        .collect();
    let test_quota = match given_test {
        Some(_) => vec![0; sizes.len()],
        None => quotas(&sizes, &sizes, share(pool.len(), options.test)),
    };
    let left: Vec<usize> = (sizes.iter().zip(&test_quota))
        .map(|(s, t)| s - t)
        .collect();
    let wanted = share(pool.len(), options.validation).min(options.validation_at_most.max(1));
    let validation_quota = quotas(&sizes, &left, wanted);

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(STREAM);
    let (mut train, mut validation, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for (stratum, blocks) in strata.iter_mut().enumerate() {
        blocks.shuffle(&mut rng);
        let (mut test_left, mut validation_left) = (test_quota[stratum], validation_quota[stratum]);
        for block in blocks.iter() {
            if block.len() <= test_left {
                test_left -= block.len();
                test.extend(block);
            } else if block.len() <= validation_left {
                validation_left -= block.len();
                validation.extend(block);
            } else {
                train.extend(block);
            }
        }
    }
    if let Some(rows) = given_test {
        test = rows;
    }
    train.sort_unstable();
    validation.sort_unstable();
    test.sort_unstable();
    for (part, rows) in [
        ("training", &train),
        ("validation", &validation),
        ("test", &test),
    ] {
        if rows.is_empty() {
            return Err(Error::new(
                ErrorKind::Degenerate,
                format!("{} rows are too few to leave any for {part}", dataset.rows()),
            )
            .hint("rows with equal inputs count as one, and every class keeps a row for training; add rows"));
        }
        notes.extend(absent_classes(dataset, part, rows));
    }
    Ok(Split {
        train,
        validation,
        test,
        notes,
    })
}

fn check(options: &SplitOptions) -> Result<()> {
    let open = |share: f64| share > 0.0 && share < 1.0;
    if open(options.test) && open(options.validation) && options.test + options.validation < 1.0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Usage,
        format!(
            "test share {} and validation share {} leave nothing to train on",
            options.test, options.validation
        ),
    )
    .hint("give each as a fraction above 0, below 1 in sum"))
}

/// The rows to draw from and, apart, the test rows that the data brings; training rows that repeat one of these are left out.
fn pool(dataset: &Dataset, first: &[u32], notes: &mut Vec<String>) -> (Vec<u32>, Option<Vec<u32>>) {
    let all = 0..dataset.rows() as u32;
    let Some(test) = dataset.test_rows() else {
        return (all.collect(), None);
    };
    let test = test.start as u32..test.end as u32;
    let mut in_test = vec![false; first.len()];
    for row in test.clone() {
        in_test[first[row as usize] as usize] = true;
    }
    let outside = || all.clone().filter(|row| !test.contains(row));
    let pool: Vec<u32> = outside()
        .filter(|&row| !in_test[first[row as usize] as usize])
        .collect();
    let dropped = outside().count() - pool.len();
    if dropped > 0 {
        notes.push(format!(
            "{dropped} training rows repeat a row of the test set and are left out"
        ));
    }
    (pool, Some(test.collect()))
}

/// Blocks of equal rows by the class of their first row; one stratum where numbers are predicted.
fn strata(dataset: &Dataset, first: &[u32], pool: &[u32]) -> Vec<Vec<Vec<u32>>> {
    let class = |row: u32| {
        dataset
            .labels()
            .map_or(0, |labels| labels[row as usize] as usize)
    };
    let count = dataset.labels().map_or(1, |_| dataset.outputs());
    let mut strata: Vec<Vec<Vec<u32>>> = vec![Vec::new(); count];
    let mut block_of: Vec<Option<(usize, usize)>> = vec![None; first.len()];
    for &row in pool {
        let place = &mut block_of[first[row as usize] as usize];
        match *place {
            Some((stratum, block)) => strata[stratum][block].push(row),
            None => {
                let stratum = class(row);
                *place = Some((stratum, strata[stratum].len()));
                strata[stratum].push(vec![row]);
            }
        }
    }
    strata
}

/// A share of `rows` in whole rows, at least one.
fn share(rows: usize, share: f64) -> usize {
    ((rows as f64 * share).round() as usize).max(1)
}

/// Hands `total` rows out over strata in proportion to `sizes` (largest remainders first), leaving one of `left` in each.
fn quotas(sizes: &[usize], left: &[usize], total: usize) -> Vec<usize> {
    let all = sizes.iter().sum::<usize>().max(1);
    let room = |stratum: usize| left[stratum].saturating_sub(1);
    let mut quotas: Vec<usize> = (0..sizes.len())
        .map(|stratum| (total * sizes[stratum] / all).min(room(stratum)))
        .collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&stratum| (usize::MAX - total * sizes[stratum] % all, stratum));
    let mut missing = total.saturating_sub(quotas.iter().sum());
    while missing > 0 {
        let before = missing;
        for &stratum in &by_remainder {
            if missing > 0 && quotas[stratum] < room(stratum) {
                quotas[stratum] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            break;
        }
    }
    quotas
}

/// A note for classes that a part has no row of; accuracies cannot speak of them.
fn absent_classes(dataset: &Dataset, part: &str, rows: &[u32]) -> Option<String> {
    let Target::Classes { labels, names } = dataset.target() else {
        return None;
    };
    let mut present = vec![false; names.len()];
    rows.iter()
        .for_each(|&row| present[labels[row as usize] as usize] = true);
    let absent = present.iter().filter(|&&present| !present).count();
    let name = &names[present.iter().position(|&present| !present)?];
    Some(match absent {
        1 => format!("class `{name}` has no {part} row"),
        _ => format!("{absent} classes, such as `{name}`, have no {part} row"),
    })
}

#[cfg(test)]
mod tests;
