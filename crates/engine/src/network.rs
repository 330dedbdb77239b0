//! Networks of any form: a graph, planned for a batch, run forwards and differentiated.

mod buffers;
mod deviation;
mod follow;
mod layout;
mod loops;
mod memory;
mod parameter;
mod plan;
mod read;
mod run;
mod shard;
mod step;
mod steps;
mod update;

use std::ops::Range;
use std::time::Instant;

use secateur_graph::Graph;

use self::memory::Memory;
pub use self::parameter::{Parameter, ParameterKind, ParameterParts};
use self::plan::Plan;
use self::read::Mode;
use self::run::{Run, finish};
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
    batch: usize,
    threads: Threads,
    phases: Phases,
    results: Vec<Vec<f32>>,
}

impl Network {
    /// Plans `graph` for at most `batch` rows of the shape `row`, whose first axis, the batch, has length 1; with `slots`
    /// vectors of optimiser state for every parameter.
    ///
    /// The graph has one input and one output. Constants that layers read are trained, as are those with more than one
    /// number that are added to, or multiplied with, what trained layers made; other constants stay as they are.
    ///
    /// # Errors
    /// If the graph has anything that the engine does not run, naming the node, or a size is zero.
    pub fn compile(
        graph: &Graph,
        row: &[usize],
        batch: usize,
        slots: usize,
        threads: Threads,
    ) -> Result<Self> {
        read::check_ends(graph)?;
        Self::with(graph, &[row.to_vec()], batch, Some(slots), threads)
    }

    /// The same for running forwards only, which takes less memory.
    ///
    /// # Errors
    /// As [`Network::compile`].
    pub fn to_run(graph: &Graph, row: &[usize], batch: usize, threads: Threads) -> Result<Self> {
        read::check_ends(graph)?;
        Self::with(graph, &[row.to_vec()], batch, None, threads)
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
        Self::with(graph, rows, batch, None, threads)
    }

    /// `slots` are none for a network that is only run.
    fn with(
        graph: &Graph,
        rows: &[Vec<usize>],
        batch: usize,
        slots: Option<usize>,
        threads: Threads,
    ) -> Result<Self> {
        if batch == 0 {
            return Err(Error::invalid("a batch of zero rows").hint("use 1 row or more"));
        }
        let settled = read::at_rows(graph, rows)?;
        let mut parameters = vec![];
        let mut planned = |mode, slots| -> Result<(Plan, Memory)> {
            let plan = read::plan(graph, &settled, mode, slots, &mut parameters)?;
            let memory = Memory::new(&plan, batch, threads.count());
            Ok((plan, memory))
        };
        let train = slots.map(|slots| planned(Mode::Train, slots)).transpose()?;
        let run = planned(Mode::Run, 0)?;
        let size = |&place: &usize| run.0.places[place].layout.elements();
        Ok(Self {
            rows: rows.to_vec(),
            inputs: run.0.inputs.iter().map(size).collect(),
            outputs: run.0.outputs.iter().map(size).collect(),
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
        read::check_ends(graph)?;
        let settled = read::at_rows(graph, &[row.to_vec()])?;
        let mut parameters = vec![];
        let mut numbers = 0;
        for (mode, slots) in [(Mode::Train, slots), (Mode::Run, 0)] {
            let plan = read::plan(graph, &settled, mode, slots, &mut parameters)?;
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
        assert!(rows <= self.batch, "{rows} rows beyond {}", self.batch);
        assert_eq!(x.len(), rows * self.inputs(), "inputs of {rows} rows");
        let start = Instant::now();
        let threads = self.threads.clone();
        let count = threads.count();
        let (plan, memory) = Self::trains(&mut self.train);
        let parameters = &mut self.parameters;
        let (total, busy) = threads.run(|| {
            let mut run = Run::new(plan, memory, parameters, &threads, (rows, count));
            run.forward(&[x]);
            let total = run.backward(&loss);
            let busy = run.busy();
            for parameter in parameters.iter_mut() {
                for g in &mut parameter.gradient {
                    // Not a product with 0, which would keep a NaN.
                    *g = if momentum == 0.0 { 0.0 } else { momentum * *g };
                }
            }
            finish(plan, memory, (rows, count), parameters);
            (total, busy)
        });
        // Running statistics have moved.
        self.run.1.is_stale = true;
        self.phases.add(start.elapsed(), &busy);
        total
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
