//! The numbers a network is trained or scored on, and the order in which they are visited.

mod drawn;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{Error, ErrorKind, Result, Table, Targets};

/// Where features come from that are not held as numbers.
pub trait Gather: Send + Sync {
    /// Writes the standardised features of `rows` to `out`, row-major. In training, `epoch` counts from 0, and rows may
    /// come out otherwise in each; elsewhere it is `None`.
    ///
    /// # Errors
    /// If they cannot be read.
    fn gather(&self, rows: &[u32], epoch: Option<usize>, out: &mut [f32]) -> Result<()>;
}

/// Features, or where they come from.
#[derive(Clone)]
enum Features {
    Held(Table),
    Gathered(Arc<dyn Gather>),
}

/// Standardised features with their targets, row-major.
#[derive(Debug, Clone)]
pub struct Rows {
    features: Features,
    columns: usize,
    /// Lengths of a row's axes; their product is `columns`.
    shape: Vec<usize>,
    targets: Targets,
}

impl Rows {
    /// Rows of `columns` features each.
    ///
    /// # Errors
    /// If there are no rows or columns, the numbers do not fill them, the targets are for another
    /// number of rows, or a label is beyond the classes.
    pub fn new(values: Vec<f32>, columns: usize, targets: Targets) -> Result<Self> {
        Self::of_table(values.into(), columns, targets)
    }

    /// [`Rows::new`] with numbers that lie in a table already.
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn of_table(values: Table, columns: usize, targets: Targets) -> Result<Self> {
        let data = |message: String| Err(Error::new(ErrorKind::Data, message));
        let rows = targets.rows();
        check(columns, &targets)?;
        if values.len() != rows * columns {
            return data(format!(
                "{} numbers do not make {rows} rows of {columns} features",
                values.len()
            ));
        }
        Ok(Self {
            features: Features::Held(values),
            columns,
            shape: vec![columns],
            targets,
        })
    }

    /// Rows of `columns` features each, which are gathered as they are needed.
    ///
    /// # Errors
    /// As [`Rows::new`].
    pub fn gathered(source: Arc<dyn Gather>, columns: usize, targets: Targets) -> Result<Self> {
        check(columns, &targets)?;
        Ok(Self {
            features: Features::Gathered(source),
            columns,
            shape: vec![columns],
            targets,
        })
    }

    /// The same rows, each of a shape: channels, height and width for images.
    ///
    /// # Errors
    /// If the shape has another number of elements than there are columns.
    pub fn with_shape(mut self, shape: Vec<usize>) -> Result<Self> {
        if shape.iter().product::<usize>() != self.columns {
            return Err(Error::new(
                ErrorKind::Data,
                format!("{} features do not make the shape {shape:?}", self.columns),
            ));
        }
        self.shape = shape;
        Ok(self)
    }

    /// Lengths of a row's axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many rows there are; at least 1.
    pub fn len(&self) -> usize {
        self.targets.rows()
    }

    /// Whether there are no rows: never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Features a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// What the network should put out.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Features of the rows from `start`, `count` of them, row-major.
    ///
    /// # Errors
    /// If they cannot be gathered.
    pub fn features(&self, start: usize, count: usize) -> Result<Cow<'_, [f32]>> {
        match &self.features {
            Features::Held(values) => {
                let range = start * self.columns..(start + count) * self.columns;
                Ok(Cow::Borrowed(&values[range]))
            }
            Features::Gathered(source) => {
                let rows: Vec<u32> = (start as u32..(start + count) as u32).collect();
                let mut values = vec![0.0; count * self.columns];
                source.gather(&rows, None, &mut values)?;
                Ok(Cow::Owned(values))
            }
        }
    }

    /// Copies the given rows into `features` and `targets`, as they are to be learnt from in an epoch (from 0).
    pub(crate) fn gather(
        &self,
        rows: &[u32],
        epoch: usize,
        features: &mut Vec<f32>,
        targets: &mut Targets,
    ) -> Result<()> {
        match &self.features {
            Features::Held(values) => {
                let columns = self.columns;
                features.resize(rows.len() * columns, 0.0);
                // One part for each thread: they also stay awake for the step that follows.
                let part = rows.len().div_ceil(rayon::current_num_threads()).max(1);
                features
                    .par_chunks_mut(part * columns)
                    .zip(rows.par_chunks(part))
                    .for_each(|(features, rows)| {
                        for (row, &r) in features.chunks_exact_mut(columns).zip(rows) {
                            let start = r as usize * columns;
                            row.copy_from_slice(&values[start..start + columns]);
                        }
                    });
            }
            Features::Gathered(source) => {
                features.resize(rows.len() * self.columns, 0.0);
                source.gather(rows, Some(epoch), features)?;
            }
        }
        targets.gather_from(&self.targets, rows);
        Ok(())
    }

    /// Drops all columns but `kept` (ascending), in place.
    ///
    /// # Panics
    /// If the rows are gathered: no caller drops columns of those.
    pub(crate) fn keep_columns(&mut self, kept: &[usize]) {
        let rows = self.len();
        let Features::Held(values) = &mut self.features else {
            panic!("columns of gathered rows stay");
        };
        let (from, to) = (self.columns, kept.len());
        for row in 0..rows {
            for (j, &k) in kept.iter().enumerate() {
                // Ascending indices are read at or after the place that is written.
                values[row * to + j] = values[row * from + k];
            }
        }
        values.truncate(rows * to);
        self.columns = to;
        self.shape = vec![to];
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(values) => write!(f, "{} numbers", values.len()),
            Self::Gathered(_) => f.write_str("gathered"),
        }
    }
}

/// Checks that there is something to learn, and that labels have classes.
fn check(columns: usize, targets: &Targets) -> Result<()> {
    let data = |message: String| Err(Error::new(ErrorKind::Data, message));
    let rows = targets.rows();
    if rows == 0 || columns == 0 {
        return data(format!(
            "{rows} rows of {columns} features leave nothing to learn from"
        ));
    }
    if let Targets::Classes {
        labels, weights, ..
    } = targets
        && let Some(row) = labels.iter().position(|&l| l as usize >= weights.len())
    {
        return data(format!(
            "row {row} has label {}, but there are {} classes",
            labels[row],
            weights.len()
        ));
    }
    Ok(())
}

/// In which order rows are learnt from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Drawn anew for every epoch, in batches of near-equal size that cover every row once.
    #[default]
    Shuffled,
    /// As they are, round and round in batches of exactly the size asked for, as in the published script: a
    /// batch that comes to the end goes on at the start.
    AsIs,
}

/// Mini-batches, epoch after epoch.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    kind: Order,
    order: Vec<u32>,
    size: usize,
    /// Where the next batch of the ring starts.
    at: usize,
    ring: Vec<u32>,
}

impl Batches {
    pub(crate) fn new(rows: usize, size: usize, kind: Order) -> Self {
        Self {
            kind,
            order: (0..rows as u32).collect(),
            size,
            at: 0,
            ring: vec![],
        }
    }

    /// Mini-batches an epoch.
    pub(crate) fn count(&self) -> usize {
        self.order.len().div_ceil(self.size)
    }

    /// Begins an epoch.
    pub(crate) fn shuffle(&mut self, rng: &mut ChaCha8Rng) {
        match self.kind {
            Order::Shuffled => self.order.shuffle(rng),
            Order::AsIs => {}
        }
    }

    /// Goes on behind so many epochs and further batches, as if they had been drawn.
    pub(crate) fn skip(&mut self, epochs: usize, batches: usize, rng: &mut ChaCha8Rng) {
        for _ in 0..epochs + usize::from(batches > 0) {
            self.shuffle(rng);
        }
        if self.kind == Order::AsIs {
            let steps = (epochs * self.count() + batches) % self.order.len();
            self.at = (steps * self.size) % self.order.len();
        }
    }

    /// The rows of batch `index` of the epoch; under [`Order::AsIs`] those that are next. Shuffled batches
    /// differ by at most one in size, so that no small remainder takes a noisy step of full length.
    pub(crate) fn batch(&mut self, index: usize) -> &[u32] {
        let (rows, count) = (self.order.len(), self.count());
        match self.kind {
            Order::Shuffled => &self.order[index * rows / count..(index + 1) * rows / count],
            Order::AsIs => {
                let next = (self.at..self.at + self.size).map(|i| (i % rows) as u32);
                self.ring.clear();
                self.ring.extend(next);
                self.at = (self.at + self.size) % rows;
                &self.ring
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn classes(labels: &[u32], classes: usize) -> Targets {
        Targets::Classes {
            labels: labels.to_vec(),
            weights: vec![1.0; classes],
            loss: crate::ClassLoss::CrossEntropy,
        }
    }

    #[test]
    fn misfits_are_refused() {
        assert!(Rows::new(vec![], 3, classes(&[], 2)).is_err());
        assert!(Rows::new(vec![0.0; 5], 3, classes(&[0, 1], 2)).is_err());
        let error = Rows::new(vec![0.0; 2], 1, classes(&[0, 2], 2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 1 has label 2, but there are 2 classes"
        );
    }

    #[test]
    fn columns_are_dropped_from_every_row() {
        let mut rows =
            Rows::new((0..6).map(|v| v as f32).collect(), 3, classes(&[0, 1], 2)).unwrap();
        rows.keep_columns(&[0, 2]);
        assert_eq!(*rows.features(0, 2).unwrap(), [0., 2., 3., 5.]);
        assert_eq!(rows.columns(), 2);
    }

    #[test]
    fn rows_in_their_order_go_round() {
        let mut batches = Batches::new(5, 3, Order::AsIs);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut seen = vec![];
        for _ in 0..2 {
            batches.shuffle(&mut rng);
            for b in 0..batches.count() {
                seen.push(batches.batch(b).to_vec());
            }
        }
        assert_eq!(seen, [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]);
    }

    proptest! {
        #[test]
        fn an_epoch_visits_every_row_once(rows in 1usize..200, size in 1usize..50, seed: u64) {
            let mut batches = Batches::new(rows, size, Order::Shuffled);
            batches.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
            let mut seen = vec![];
            for b in 0..batches.count() {
                let count = batches.count();
                let batch = batches.batch(b);
                prop_assert!(batch.len() <= size && batch.len() + 1 >= rows / count);
                seen.extend_from_slice(batch);
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows as u32).collect::<Vec<_>>());
        }
    }
}
