//! Networks of any form: a graph, planned for a batch, run forwards and differentiated.

mod back;
mod buffers;
mod combine;
mod deviation;
mod follow;
mod layout;
mod loops;
mod memory;
mod parameter;
mod pass;
mod plan;
mod read;
mod run;
mod shard;
mod step;
mod steps;
mod training;
mod update;

use std::ops::Range;
use std::time::Instant;

use secateur_graph::{Graph, ValueId};

use self::memory::Memory;
pub use self::parameter::{Parameter, ParameterKind, ParameterParts};
pub use self::pass::{Fill, Gradients, Pass};
use self::plan::Plan;
use self::read::Mode;
use self::run::Run;
pub use self::training::Training;
pub use self::update::Block;
use crate::{Error, Phases, Result, Threads};

/// A network ready to run and train on at most [`Network::batch`] rows at a time.
///
/// A row is one entry of the graph's batch: the network is planned for one row and every row goes its own way, but for the
/// statistics of batch normalisation. The same graph, inputs and thread count give the same bits.
#[derive(Debug)]
pub struct Network {
    parameters: Vec<Parameter>,
    /// None for a network that is only run.
    train: Option<(Plan, Memory)>,
    run: (Plan, Memory),
    /// The shape of a row of each input, its batch axis among the axes.
    rows: Vec<Vec<usize>>,
    /// Numbers of a row of each input.
    inputs: Vec<usize>,
    /// Numbers of a row of each output.
    outputs: Vec<usize>,
    /// Outputs in the order of the graph, then taps.
    ends: Vec<ValueId>,
    taps: Vec<ValueId>,
    trained: Vec<ValueId>,
    /// Slots of raw gradients.
    raw: usize,
    batch: usize,
    threads: Threads,
    phases: Phases,
    results: Vec<Vec<f32>>,
}

impl Network {
    /// Plans `graph` for training. All inputs have as many rows.
    ///
    /// Constants that layers read are trained, as are those with more than one number that are added to, or multiplied with, what trained
    /// layers made; other constants stay as they are.
    ///
    /// # Errors
    /// If the graph has anything that the engine does not run, naming the node, an output or tap does not depend on the inputs, or a size
    /// is zero.
    pub fn to_train(graph: &Graph, training: &Training<'_>, threads: Threads) -> Result<Self> {
        Self::with(graph, training, true, threads)
    }

    /// The same for one input, with `slots` vectors of optimizer state for every parameter.
    ///
    /// # Errors
    /// As [`Network::to_train`]; if there are several inputs or outputs.
    pub fn compile(
        graph: &Graph,
        row: &[usize],
        batch: usize,
        slots: usize,
        threads: Threads,
    ) -> Result<Self> {
        check_ends(graph)?;
        let samples = [row.to_vec()];
        let training = Training {
            slots,
            ..Training::of(&samples, batch)
        };
        Self::to_train(graph, &training, threads)
    }

    /// The same for running forwards only, which takes less memory.
    ///
    /// # Errors
    /// As [`Network::compile`].
    pub fn to_run(graph: &Graph, row: &[usize], batch: usize, threads: Threads) -> Result<Self> {
        check_ends(graph)?;
        Self::to_run_all(graph, &[row.to_vec()], batch, threads)
    }

    /// The same for a graph with any number of inputs and outputs; `rows` are the shapes of a row of each input, in their
    /// order. All inputs have as many rows.
    ///
    /// # Errors
    /// As [`Network::compile`]; if an output does not depend on the inputs.
    pub fn to_run_all(
        graph: &Graph,
        rows: &[Vec<usize>],
        batch: usize,
        threads: Threads,
    ) -> Result<Self> {
        Self::with(graph, &Training::of(rows, batch), false, threads)
    }

    fn with(
        graph: &Graph,
        training: &Training<'_>,
        trains: bool,
        threads: Threads,
    ) -> Result<Self> {
        let batch = training.batch;
        if batch == 0 {
            return Err(Error::invalid("a batch of zero rows").hint("use 1 row or more"));
        }
        let settled = read::at_rows(graph, training)?;
        let mut parameters = vec![];
        let mut planned = |mode| -> Result<(Plan, Memory)> {
            let plan = read::plan(graph, &settled, mode, training, &mut parameters)?;
            let memory = Memory::new(&plan, batch, threads.count());
            Ok((plan, memory))
        };
        let train = trains.then(|| planned(Mode::Train)).transpose()?;
        let run = planned(Mode::Run)?;
        let size = |&place: &usize| run.0.places[place].layout.elements();
        let taps = training.taps.iter();
        let new = taps.filter(|tap| !graph.outputs().contains(tap));
        Ok(Self {
            rows: training.samples.to_vec(),
            inputs: run.0.inputs.iter().map(size).collect(),
            outputs: run.0.outputs.iter().map(size).collect(),
            ends: graph.outputs().iter().chain(new).copied().collect(),
            taps: training.taps.to_vec(),
            trained: training.trained.to_vec(),
            raw: training.raw,
            train,
            run,
            parameters,
            batch,
            threads,
            phases: Phases::default(),
            results: vec![],
        })
    }

    /// Bytes that a network compiled with these arguments holds, found without taking them: buffers between the steps, and
    /// parameters with their gradients, their optimiser's state, and what each thread and each kernel keeps of them.
    ///
    /// # Errors
    /// As [`Network::compile`].
    pub fn planned_bytes(
        graph: &Graph,
        row: &[usize],
        batch: usize,
        slots: usize,
        threads: usize,
    ) -> Result<u64> {
        check_ends(graph)?;
        let samples = [row.to_vec()];
        let training = Training {
            slots,
            ..Training::of(&samples, batch)
        };
        let settled = read::at_rows(graph, &training)?;
        let mut parameters = vec![];
        let mut numbers = 0;
        for mode in [Mode::Train, Mode::Run] {
            let plan = read::plan(graph, &settled, mode, &training, &mut parameters)?;
            numbers += plan.numbers(batch, threads) + plan.scratch * threads;
        }
        // Values and gradient; weights in the order of three kernels; gradients of each thread.
        let copies = 2 + slots + 3 + threads;
        numbers += copies * parameters.iter().map(|p| p.values.len()).sum::<usize>();
        Ok(4 * numbers as u64)
    }

    /// What is trained or measured, in the order in which the network meets it.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameters for changing.
    pub fn parameters_mut(&mut self) -> &mut [Parameter] {
        if let Some((_, memory)) = &mut self.train {
            memory.is_stale = true;
        }
        self.run.1.is_stale = true;
        &mut self.parameters
    }

    /// What keeps parameters from being trained, one sentence for each node that has no derivative.
    pub fn notes(&self) -> &[String] {
        self.train.as_ref().map_or(&[], |(plan, _)| &plan.notes)
    }

    /// Numbers of a row of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs.iter().sum()
    }

    /// Numbers of a row of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs.iter().sum()
    }

    /// The most rows that can be trained on at once.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The threads that the network runs on.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Seconds spent so far, by phase.
    pub fn phases(&self) -> Phases {
        self.phases
    }

    /// Bytes of all buffers between the steps, parameters not counted.
    pub fn buffer_bytes(&self) -> usize {
        let numbers = |(plan, _): &(Plan, Memory)| plan.numbers(self.batch, self.threads.count());
        4 * (self.train.as_ref().map_or(0, numbers) + numbers(&self.run))
    }

    /// The outputs for any number of rows, with running statistics: `rows * inputs` numbers in, `rows * outputs` out.
    ///
    /// # Panics
    /// If `x` has another size, or there are several inputs or outputs.
    pub fn forward(&mut self, x: &[f32], rows: usize) -> &[f32] {
        assert_eq!(self.outputs.len(), 1, "outputs");
        &self.forward_all(&[x], rows)[0]
    }

    /// The same for any number of inputs and outputs, each by itself, in the order of the graph.
    ///
    /// # Panics
    /// If an input is missing or has another size.
    pub fn forward_all(&mut self, x: &[&[f32]], rows: usize) -> &[Vec<f32>] {
        assert_eq!(x.len(), self.inputs.len(), "inputs");
        for (x, width) in x.iter().zip(&self.inputs) {
            assert_eq!(x.len(), rows * width, "inputs of {rows} rows");
        }
        let start = Instant::now();
        self.results.resize(self.outputs.len(), vec![]);
        self.results.iter_mut().for_each(Vec::clear);
        let threads = self.threads.clone();
        threads.run(|| {
            for first in (0..rows).step_by(self.batch) {
                let rows = (rows - first).min(self.batch);
                let all = x.iter().zip(&self.inputs);
                let x: Vec<&[f32]> = all
                    .map(|(x, width)| &x[first * width..(first + rows) * width])
                    .collect();
                let (plan, memory) = &mut self.run;
                let mut run = Run::new(
                    plan,
                    memory,
                    &self.parameters,
                    &self.threads,
                    (rows, self.threads.count()),
                );
                run.forward(&x);
                run.outputs(&mut self.results);
            }
        });
        self.phases.forward += start.elapsed().as_secs_f64();
        &self.results
    }

    /// The loss of `rows` rows; gradients of all parameters become `momentum` times what they were plus the new ones, and
    /// running statistics move towards those of the batch.
    ///
    /// `loss` is called for consecutive ranges of rows, possibly at once on several threads. It is given the range, the
    /// outputs of those rows, and a slice of the same size to fill with the gradient of the outputs; it returns the loss of
    /// those rows. The losses are added in row order.
    ///
    /// # Panics
    /// If `x` has another size, there are more rows than [`Network::batch`], or the network was compiled to run only.
    pub fn forward_backward<L>(&mut self, x: &[f32], rows: usize, momentum: f32, loss: L) -> f64
    where
        L: Fn(Range<usize>, &[f32], &mut [f32]) -> f64 + Sync,
    {
        let output = self.ends[0];
        let mut pass = self.pass(&[x], rows);
        let Ok(total) = pass.seed(output, &loss) else {
            return f64::NAN;
        };
        match pass.backward(&[], Gradients::Fused(momentum)) {
            Ok(()) => total,
            Err(_) => f64::NAN,
        }
    }

    fn trains(train: &mut Option<(Plan, Memory)>) -> &mut (Plan, Memory) {
        match train {
            Some(train) => train,
            None => panic!("a network compiled to run was asked to train"),
        }
    }

    /// Writes all parameters into the constants of `graph` that they came from.
    ///
    /// # Errors
    /// If `graph` has other shapes than this network.
    pub fn write_back(&self, graph: &mut Graph) -> Result<()> {
        self.parameters.iter().try_for_each(|p| p.write_back(graph))
    }

    /// Reads all parameters from the constants of `graph`; gradients and optimiser state stay.
    ///
    /// # Errors
    /// If `graph` has other shapes than this network.
    pub fn read(&mut self, graph: &Graph) -> Result<()> {
        self.parameters_mut()
            .iter_mut()
            .try_for_each(|p| p.read(graph))
    }
}

/// Whether there are one input and one output.
fn check_ends(graph: &Graph) -> Result<()> {
    match (graph.inputs(), graph.outputs()) {
        ([_], [_]) => Ok(()),
        (inputs, outputs) => Err(Error::unsupported(format!(
            "the network has {} inputs and {} outputs",
            inputs.len(),
            outputs.len()
        ))
        .hint("only networks with one input and one output can be trained")),
    }
}
