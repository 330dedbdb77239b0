//! The weights of one unit, wherever they lie.

use secateur_engine::{Network, Parameter};
use secateur_graph::{Group, Member, Role};

/// An axis of a parameter whose positions belong to units.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// Place among the parameters of the network.
    parameter: usize,
    /// Slices before the axis.
    outer: usize,
    /// Positions on the axis.
    length: usize,
    /// Numbers behind the axis.
    inner: usize,
    /// The positions of each unit.
    positions: Vec<Vec<usize>>,
}

/// Which numbers of which parameters belong to each unit of a group.
#[derive(Debug, Clone)]
pub(crate) struct Slices {
    axes: Vec<Axis>,
}

impl Slices {
    /// The slices of a group that have one of the roles; none if there are none, one of them is not trained, or units of the
    /// group are not removed by their weights.
    pub(crate) fn new(group: &Group, roles: &[Role], network: &Network) -> Option<Self> {
        if !group.is_free() || group.in_products {
            return None;
        }
        let members = group.members.iter().filter(|m| roles.contains(&m.role));
        let axes = members.map(|member| Axis::new(member, group.units, network));
        let axes = axes.collect::<Option<Vec<Axis>>>()?;
        (!axes.is_empty()).then_some(Self { axes })
    }

    /// The norm of each unit's numbers.
    pub(crate) fn norms(&self, parameters: &[Parameter]) -> Vec<f64> {
        let units = self.axes.first().map_or(0, |a| a.positions.len());
        let mut numbers = vec![];
        let norm = |unit: usize| {
            self.gather(unit, parameters, Parameter::values, &mut numbers);
            let squares = numbers.iter().map(|&w| f64::from(w).powi(2));
            squares.sum::<f64>().sqrt()
        };
        (0..units).map(norm).collect()
    }

    /// How many numbers a unit has; of the largest, if they differ.
    pub(crate) fn size(&self) -> usize {
        let units = self.axes.first().map_or(0, |a| a.positions.len());
        let size = |unit: usize| -> usize {
            let axes = self.axes.iter();
            axes.map(|a| a.positions[unit].len() * a.outer * a.inner)
                .sum()
        };
        (0..units).map(size).max().unwrap_or(0)
    }

    /// The numbers of a unit, one after the other, from what `vector` finds in each parameter.
    pub(crate) fn gather(
        &self,
        unit: usize,
        parameters: &[Parameter],
        vector: impl Fn(&Parameter) -> &[f32],
        into: &mut Vec<f32>,
    ) {
        into.clear();
        for axis in &self.axes {
            let numbers = vector(&parameters[axis.parameter]);
            axis.each(unit, |range| into.extend_from_slice(&numbers[range]));
        }
    }

    /// The parameters that the slices lie in.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = usize> {
        self.axes.iter().map(|a| a.parameter)
    }

    /// Puts the numbers of a unit back to where [`Slices::gather`] took the values from.
    pub(crate) fn scatter(&self, unit: usize, from: &[f32], parameters: &mut [Parameter]) {
        self.put(unit, from, parameters, Parameter::values_mut);
    }

    /// Puts the gradient of a unit back to where [`Slices::gather`] took it from.
    pub(crate) fn scatter_gradient(&self, unit: usize, from: &[f32], parameters: &mut [Parameter]) {
        self.put(unit, from, parameters, |p| p.parts().gradient);
    }

    fn put(
        &self,
        unit: usize,
        from: &[f32],
        parameters: &mut [Parameter],
        vector: impl Fn(&mut Parameter) -> &mut [f32],
    ) {
        let mut rest = from;
        for axis in &self.axes {
            let numbers = vector(&mut parameters[axis.parameter]);
            axis.each(unit, |range| {
                let (front, back) = rest.split_at(range.len());
                numbers[range].copy_from_slice(front);
                rest = back;
            });
        }
    }
}

impl Axis {
    /// Where a member of a group of so many units lies; none if it is no parameter of the network.
    pub(crate) fn new(member: &Member, units: usize, network: &Network) -> Option<Self> {
        let mut all = network.parameters().iter().enumerate();
        let (parameter, found) = all.find(|(_, p)| p.id() == member.tensor)?;
        let shape = found.shape();
        let mut positions = vec![vec![]; units];
        for (position, unit) in member.unit_of.iter().enumerate() {
            if let Some(unit) = unit {
                positions[*unit as usize].push(position);
            }
        }
        Some(Self {
            parameter,
            outer: shape[..member.axis].iter().product(),
            length: shape[member.axis],
            inner: shape[member.axis + 1..].iter().product(),
            positions,
        })
    }

    /// Place among the parameters of the network.
    pub(crate) fn parameter(&self) -> usize {
        self.parameter
    }

    /// Calls `work` with every stretch of a unit's numbers.
    pub(crate) fn each(&self, unit: usize, mut work: impl FnMut(std::ops::Range<usize>)) {
        for outer in 0..self.outer {
            for &position in &self.positions[unit] {
                let start = (outer * self.length + position) * self.inner;
                work(start..start + self.inner);
            }
        }
    }
}
