//! Numbers that are trained, in the shape that the graph gives them.

use secateur_graph::{Graph, Tensor, ValueId};

use crate::{Error, Result};

/// A constant of the graph that is trained, with its gradient and what an optimiser knows of it.
///
/// All vectors lie as the constant does in the graph, so that they are cut as it is.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub(crate) kind: ParameterKind,
    pub(crate) id: ValueId,
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
    /// Raw gradients, slot by slot.
    pub(crate) raw: Vec<Vec<f32>>,
    pub(crate) state: Vec<Vec<f32>>,
}

/// What a constant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Trained, and decays: a tensor of two axes or more.
    Weight,
    /// Trained, does not decay: a number for each channel.
    Offset,
    /// Not trained but measured: the mean or variance of a channel.
    Running,
}

/// A parameter, divided for an optimiser's step.
#[derive(Debug)]
pub struct ParameterParts<'a> {
    /// The numbers.
    pub values: &'a mut [f32],
    /// `momentum * old + gradient` of the last step.
    pub gradient: &'a mut [f32],
    /// Optimiser state, slot by slot.
    pub state: Vec<&'a mut [f32]>,
}

impl Parameter {
    pub(crate) fn new(
        graph: &Graph,
        id: ValueId,
        [slots, raw]: [usize; 2],
        is_running: bool,
    ) -> Result<Self> {
        let value = graph.value(id);
        let tensor = graph
            .constant(id)
            .and_then(|t| Some((t.shape().to_vec(), t.as_f32()?.to_vec())));
        let Some((shape, values)) = tensor else {
            return Err(Error::unsupported("is not a constant of 32-bit floats")
                .at(&value.name)
                .hint("only weights of 32-bit floats can be trained"));
        };
        let kind = match (is_running, shape.len()) {
            (true, _) => ParameterKind::Running,
            (false, 0 | 1) => ParameterKind::Offset,
            (false, _) => ParameterKind::Weight,
        };
        let zeros = |count: usize| match is_running {
            true => vec![],
            false => vec![vec![0.0; values.len()]; count],
        };
        Ok(Self {
            kind,
            id,
            name: value.name.clone(),
            gradient: vec![0.0; values.len()],
            raw: zeros(raw),
            state: zeros(slots),
            shape,
            values,
        })
    }

    /// The constant in the graph.
    pub fn id(&self) -> ValueId {
        self.id
    }

    /// The constant's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lengths of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The numbers for writing.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// `momentum * old + gradient` of the last step.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Raw gradients, one vector for each slot.
    pub fn raw(&self) -> &[Vec<f32>] {
        &self.raw
    }

    /// Optimiser state, one vector for each slot.
    pub fn state(&self) -> &[Vec<f32>] {
        &self.state
    }

    /// Values, gradient and state at once, for an optimiser's step.
    pub fn parts(&mut self) -> ParameterParts<'_> {
        ParameterParts {
            values: &mut self.values,
            gradient: &mut self.gradient,
            state: self.state.iter_mut().map(Vec::as_mut_slice).collect(),
        }
    }

    /// What the constant is for.
    pub fn kind(&self) -> ParameterKind {
        self.kind
    }

    pub(crate) fn read(&mut self, graph: &Graph) -> Result<()> {
        let numbers = graph.constant(self.id).filter(|t| t.shape() == self.shape);
        let Some(numbers) = numbers.and_then(Tensor::as_f32) else {
            let message = format!("is not a constant of shape {:?}", self.shape);
            return Err(Error::invalid(message).at(&self.name));
        };
        self.values.copy_from_slice(numbers);
        Ok(())
    }

    pub(crate) fn write_back(&self, graph: &mut Graph) -> Result<()> {
        let tensor = Tensor::f32(self.shape.clone(), self.values.clone())?;
        Ok(graph.set_constant(self.id, tensor)?)
    }
}
