//! Which penalties are there, and what can be asked of each?

mod text;

use crate::group_penalty::GroupPenalty;
use crate::{
    Cges, Exclusive, GroupL0, GroupLasso, GroupLogSum, GroupMcp, GroupScad, L1, Real, Result,
    SparseGroupLasso, SquaredL2, Strength, metric,
};

/// A penalty on a group of weights `w`, `lambda * phi(w)`, with the group's own weight `c` on its norm.
///
/// | name | value | a group is removed when |
/// |---|---|---|
/// | `l1` | `lambda norm1(w)` | every weight of it is small |
/// | `l2` | `lambda / 2 norm2(w)^2` | never |
/// | `group-lasso` | `lambda c norm2(w)` | its norm is small |
/// | `sparse-group-lasso` | `lambda (alpha norm1(w) + (1 - alpha) c norm2(w))` | what the l1 part leaves is small |
/// | `exclusive` | `lambda / 2 norm1(w)^2` | never |
/// | `cges` | `lambda (mu c norm2(w) + (1 - mu) / 2 norm1(w)^2)` | its norm is small, if `mu > 0` |
/// | `group-mcp` | MCP of `norm2(w)` with strength `lambda c` | its norm is small |
/// | `group-scad` | SCAD of `norm2(w)` with strength `lambda c` | its norm is small |
/// | `group-log-sum` | `lambda c ln(1 + norm2(w) / epsilon)` | its norm is small |
/// | `group-l0` | `lambda c` unless `w = 0` | its norm is small |
///
/// A removed group holds literal `+0.0`. A NaN in a group comes out as NaN (in the whole group wherever a
/// norm is taken, in its own place under `l1` and `l2`) and never as 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// Sum of magnitudes.
    L1(L1),
    /// Half the sum of squares.
    SquaredL2(SquaredL2),
    /// Norm of the group.
    GroupLasso(GroupLasso),
    /// Norm of the group and sum of magnitudes.
    SparseGroupLasso(SparseGroupLasso),
    /// Half the square of the sum of magnitudes.
    Exclusive(Exclusive),
    /// Norm of the group and half the square of the sum of magnitudes.
    Cges(Cges),
    /// Minimax concave penalty of the norm.
    GroupMcp(GroupMcp),
    /// Smoothly clipped absolute deviation of the norm.
    GroupScad(GroupScad),
    /// Logarithm of the norm.
    GroupLogSum(GroupLogSum),
    /// Number of groups that are not 0.
    GroupL0(GroupL0),
}

/// Runs `$body` with `$p` bound to the penalty inside `$penalty`.
macro_rules! each {
    ($penalty:expr, $p:ident => $body:expr) => {
        match $penalty {
            Penalty::L1($p) => $body,
            Penalty::SquaredL2($p) => $body,
            Penalty::GroupLasso($p) => $body,
            Penalty::SparseGroupLasso($p) => $body,
            Penalty::Exclusive($p) => $body,
            Penalty::Cges($p) => $body,
            Penalty::GroupMcp($p) => $body,
            Penalty::GroupScad($p) => $body,
            Penalty::GroupLogSum($p) => $body,
            Penalty::GroupL0($p) => $body,
        }
    };
}

impl Penalty {
    /// Every penalty with its default parameters.
    pub fn all() -> [Self; 10] {
        [
            Self::L1(L1),
            Self::SquaredL2(SquaredL2),
            Self::GroupLasso(GroupLasso),
            Self::SparseGroupLasso(SparseGroupLasso::default()),
            Self::Exclusive(Exclusive),
            Self::Cges(Cges::default()),
            Self::GroupMcp(GroupMcp::default()),
            Self::GroupScad(GroupScad::default()),
            Self::GroupLogSum(GroupLogSum::default()),
            Self::GroupL0(GroupL0),
        ]
    }

    /// The penalty of `group`.
    pub fn value<T: Real>(&self, group: &[T], s: Strength) -> f64 {
        each!(self, p => GroupPenalty::value(p, group, s))
    }

    /// Replaces `group` by the global minimiser of `value(.) + norm2(. - group)^2 / (2 step)`, for every
    /// `step > 0`; ties go to the smaller. Inlined, so that it is compiled for the instruction set of a
    /// caller that enables one.
    #[inline(always)]
    pub fn prox_in_place<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        match self {
            Self::GroupLasso(p) => p.prox_in_place(group, s, step),
            Self::SparseGroupLasso(p) => p.prox_in_place(group, s, step),
            Self::L1(p) => p.prox_in_place(group, s, step),
            _ => self.prox_outlined(group, s, step),
        }
    }

    /// The penalties whose step is not worth a copy in every caller.
    #[inline(never)]
    fn prox_outlined<T: Real>(&self, group: &mut [T], s: Strength, step: f64) {
        each!(self, p => GroupPenalty::prox_in_place(p, group, s, step));
    }

    /// Replaces `group` (`u`) by the minimiser of `value(w) + 1/2 sum d_i (w_i - u_i)^2`, for a positive
    /// diagonal metric `d` as long as the group, such as Adam's `(sqrt(v) + eps) / lr`.
    ///
    /// Exact for L1, squared L2, group lasso and sparse group lasso; an error for the others, and for a
    /// metric that is not positive and finite. A NaN in `d` comes out as NaN.
    pub fn prox_in_metric<T: Real>(
        &self,
        group: &mut [T],
        metric: &[T],
        s: Strength,
    ) -> Result<()> {
        metric::checked(group, metric)?;
        each!(self, p => p.prox_in_metric(group, metric, s))
    }

    /// Distance of `-gradient` to the subdifferential at `group`: 0 exactly where the group is stationary
    /// for a loss with this gradient. Fréchet subdifferential for the penalties that are not convex; at
    /// the jump of L0 it is the whole space.
    pub fn subdiff_distance<T: Real>(&self, group: &[T], gradient: &[T], s: Strength) -> f64 {
        each!(self, p => p.subdiff_distance(group, gradient, s))
    }

    /// Adds a subgradient at `group` to `gradient`, 0 at every kink: the published way to train, which
    /// never reaches exact zeros. The part of L0 is 0 everywhere. Inlined as
    /// [`prox_in_place`](Self::prox_in_place) is.
    #[inline(always)]
    pub fn subgradient_add<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        match self {
            Self::GroupLasso(p) => p.subgradient_add(group, s, gradient),
            Self::SparseGroupLasso(p) => p.subgradient_add(group, s, gradient),
            Self::L1(p) => p.subgradient_add(group, s, gradient),
            _ => self.subgradient_outlined(group, s, gradient),
        }
    }

    /// The penalties whose subgradient is not worth a copy in every caller.
    #[inline(never)]
    fn subgradient_outlined<T: Real>(&self, group: &[T], s: Strength, gradient: &mut [T]) {
        each!(self, p => p.subgradient_add(group, s, gradient));
    }

    /// The least `lambda` for which a group at 0 is stationary under a loss of this gradient, `weight`
    /// being the group's own. None where no `lambda` or every one is: L2, exclusive, L0, a weight of 0.
    pub fn lambda_max<T: Real>(&self, gradient: &[T], weight: f64) -> Option<f64> {
        each!(self, p => p.lambda_max(gradient, weight))
    }

    /// Whether the penalty is convex, and its step therefore firmly non-expansive.
    pub fn is_convex(&self) -> bool {
        each!(self, p => p.is_convex())
    }

    /// Whether the step can make a whole group 0, and so remove a unit. Squared L2 and the exclusive lasso
    /// (and CGES with `mu = 0`) cannot at any strength: a budget on them is an error. L1 can, but only by
    /// chance: it does not know groups.
    pub fn removes_units(&self) -> bool {
        each!(self, p => p.removes_units())
    }

    /// This penalty in layer `layer` (from 0) of `layers`; only CGES mixed by depth differs.
    #[must_use]
    pub fn at_depth(self, layer: usize, layers: usize) -> Self {
        match self {
            Self::Cges(cges) => Self::Cges(cges.at_depth(layer, layers)),
            other => other,
        }
    }

    /// The name without parameters, as [`parse`](Self::parse) takes it.
    pub fn name(&self) -> &'static str {
        fn name_of<P: GroupPenalty>(_: &P) -> &'static str {
            P::NAME
        }
        each!(self, p => name_of(p))
    }
}

macro_rules! from_each {
    ($($name:ident),*) => {
        $(impl From<$name> for Penalty {
            fn from(penalty: $name) -> Self {
                Self::$name(penalty)
            }
        })*
    };
}

from_each!(
    L1,
    SquaredL2,
    GroupLasso,
    SparseGroupLasso,
    Exclusive,
    Cges,
    GroupMcp,
    GroupScad,
    GroupLogSum,
    GroupL0
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_penalties_have_an_exact_step_in_a_metric() {
        let s = Strength {
            lambda: 0.1,
            weight: 1.0,
        };
        let exact = |p: &Penalty| p.prox_in_metric(&mut [1.0], &[1.0], s).is_ok();
        let names: Vec<_> = Penalty::all()
            .iter()
            .filter(|p| exact(p))
            .map(Penalty::name)
            .collect();
        assert_eq!(names, ["l1", "l2", "group-lasso", "sparse-group-lasso"]);
    }
}
