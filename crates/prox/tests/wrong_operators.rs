//! The battery fails on operators that are wrong in the ways that operators get wrong.
//!
//! None of them is caught by an account of its own (naive version, conjugate, subdifferential): the
//! laws on values and points alone suffice.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use secateur_prox::check::{self, Law, Prox};
use secateur_prox::{Exclusive, GroupLasso, Penalty, Strength};

const UNIT: Strength = Strength {
    lambda: 1.0,
    weight: 1.0,
};

/// The value of a penalty, with another operator.
struct Wrong {
    penalty: Penalty,
    step: fn(&mut [f64], f64),
}

impl Prox for Wrong {
    fn value(&self, group: &[f64]) -> f64 {
        self.penalty.value(group, UNIT)
    }

    fn prox(&self, group: &[f64], step: f64) -> Vec<f64> {
        let mut result = group.to_vec();
        (self.step)(&mut result, step);
        result
    }

    fn is_convex(&self) -> bool {
        self.penalty.is_convex()
    }
}

fn broken_law(penalty: &str, step: fn(&mut [f64], f64)) -> Option<Law> {
    let penalty = penalty.parse().unwrap();
    check::penalty(&Wrong { penalty, step })
        .err()
        .map(|failure| failure.law())
}

fn norm(group: &[f64]) -> f64 {
    group.iter().map(|w| w * w).sum::<f64>().sqrt()
}

fn scale(group: &mut [f64], factor: f64) {
    group.iter_mut().for_each(|w| *w *= factor);
}

/// Gives the group the length `to`, guarded as it should be.
fn resize(group: &mut [f64], to: f64) {
    let r = norm(group);
    if to == 0.0 {
        group.fill(0.0);
    } else {
        scale(group, to / r);
    }
}

#[test]
fn cges_is_not_the_composition_of_its_two_steps() {
    fn apply(penalty: impl Into<Penalty>, group: &mut [f64], s: Strength, step: f64) {
        penalty.into().prox_in_place(group, s, step);
    }
    const HALF: Strength = Strength {
        lambda: 0.5,
        weight: 1.0,
    };
    let exclusive_first = broken_law("cges:0.5", |group, step| {
        apply(Exclusive, group, HALF, step);
        apply(GroupLasso, group, HALF, step);
    });
    assert_eq!(exclusive_first, Some(Law::Minimiser));
    let group_first = broken_law("cges:0.5", |group, step| {
        apply(GroupLasso, group, HALF, step);
        apply(Exclusive, group, HALF, step);
    });
    assert_eq!(group_first, Some(Law::Minimiser));
}

#[test]
fn sparse_group_lasso_softens_first() {
    let reversed = broken_law("sparse-group-lasso:0.5", |group, step| {
        let r = norm(group);
        resize(group, if r <= 0.5 * step { 0.0 } else { r - 0.5 * step });
        for w in group {
            *w = if w.abs() <= 0.5 * step {
                0.0
            } else {
                w.signum() * (w.abs() - 0.5 * step)
            };
        }
    });
    assert_eq!(reversed, Some(Law::Minimiser));
}

#[test]
fn the_textbook_scad_is_wrong_for_long_steps() {
    let textbook = broken_law("group-scad:2.1", |group, step| {
        let (r, a) = (norm(group), 2.1);
        resize(
            group,
            if r <= step {
                0.0
            } else if r <= 1.0 + step {
                r - step
            } else if r <= a {
                ((a - 1.0) * r - a * step) / (a - 1.0 - step)
            } else {
                r
            },
        );
    });
    assert_eq!(textbook, Some(Law::Minimiser));
}

#[test]
fn the_textbook_mcp_is_wrong_for_long_steps() {
    let textbook = broken_law("group-mcp:1.5", |group, step| {
        let (r, gamma) = (norm(group), 1.5);
        resize(
            group,
            if r <= step {
                0.0
            } else if r <= gamma {
                (r - step) / (1.0 - step / gamma)
            } else {
                r
            },
        );
    });
    assert_eq!(textbook, Some(Law::Minimiser));
}

#[test]
fn the_inner_root_of_log_sum_must_be_compared_with_zero() {
    let root = broken_law("group-log-sum:0.1", |group, step| {
        let (r, epsilon) = (norm(group), 0.1);
        let discriminant = (r + epsilon) * (r + epsilon) - 4.0 * step;
        let p = (r - epsilon + discriminant.sqrt()) / 2.0;
        resize(
            group,
            if discriminant < 0.0 || p <= 0.0 {
                0.0
            } else {
                p
            },
        );
    });
    assert_eq!(root, Some(Law::Minimiser));
}

#[test]
fn a_half_step_is_not_a_step() {
    let half = broken_law("group-lasso", |group, step| {
        let r = norm(group);
        resize(group, if r <= 0.5 * step { 0.0 } else { r - 0.5 * step });
    });
    assert_eq!(half, Some(Law::Minimiser));
}

#[test]
fn a_maximum_that_drops_nan_is_caught() {
    let dropping = broken_law("group-lasso", |group, step| {
        let r = norm(group);
        let to = (r - step).max(0.0);
        if to == 0.0 {
            group.fill(0.0);
        } else {
            scale(group, to / r);
        }
    });
    assert_eq!(dropping, Some(Law::Nan));
}

#[test]
fn a_negative_zero_is_caught() {
    let signed = broken_law("group-lasso", |group, step| {
        let r = norm(group);
        let factor = if r <= step { 0.0 } else { 1.0 - step / r };
        scale(group, factor);
    });
    assert_eq!(signed, Some(Law::Zero));
}

#[test]
fn a_division_of_zero_by_zero_is_caught() {
    let unguarded = broken_law("group-lasso", |group, step| {
        let r = norm(group);
        let to = if r <= step { 0.0 } else { r - step };
        group.iter_mut().for_each(|w| *w = *w / r * to);
    });
    assert_eq!(unguarded, Some(Law::Shape));
}

/// An operator that is right, with accounts of it that are not.
struct Misdescribed {
    conjugate_radius: f64,
    slope: f64,
    naive_threshold: f64,
}

impl Prox for Misdescribed {
    fn value(&self, group: &[f64]) -> f64 {
        norm(group)
    }

    fn prox(&self, group: &[f64], step: f64) -> Vec<f64> {
        (Penalty::from(GroupLasso), UNIT).prox(group, step)
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn subdiff_distance(&self, group: &[f64], gradient: &[f64]) -> Option<f64> {
        let s = Strength {
            lambda: self.slope,
            weight: 1.0,
        };
        Some(Penalty::from(GroupLasso).subdiff_distance(group, gradient, s))
    }

    fn conjugate_prox(&self, group: &[f64], _: f64) -> Option<Vec<f64>> {
        let factor = (self.conjugate_radius / norm(group)).min(1.0);
        Some(group.iter().map(|w| w * factor).collect())
    }

    fn naive(&self, group: &[f64], step: f64) -> Option<Vec<f64>> {
        let s = Strength {
            lambda: self.naive_threshold,
            weight: 1.0,
        };
        Some((Penalty::from(GroupLasso), s).prox(group, step))
    }
}

#[test]
fn every_account_is_held_against_the_step() {
    let law = |conjugate_radius, slope, naive_threshold| {
        let described = Misdescribed {
            conjugate_radius,
            slope,
            naive_threshold,
        };
        check::penalty(&described)
            .err()
            .map(|failure| failure.law())
    };
    assert_eq!(law(1.0, 1.0, 1.0), None);
    assert_eq!(law(1.01, 1.0, 1.0), Some(Law::Moreau));
    assert_eq!(law(1.0, 1.01, 1.0), Some(Law::Subdifferential));
    assert_eq!(law(1.0, 1.0, 1.01), Some(Law::Naive));
}

/// Says no more than it must.
struct Bare;

impl Prox for Bare {
    fn value(&self, group: &[f64]) -> f64 {
        group.iter().map(|w| w.abs()).sum()
    }

    fn prox(&self, group: &[f64], step: f64) -> Vec<f64> {
        let shrunk = group.iter().map(|w| w - w.clamp(-step, step));
        shrunk.collect()
    }

    fn is_convex(&self) -> bool {
        true
    }
}

#[test]
fn what_a_penalty_does_not_say_is_not_held_against_it() {
    check::penalty(&Bare).unwrap();
    assert_eq!(Bare.subdiff_distance(&[1.0], &[-1.0]), None);
    assert_eq!(Bare.conjugate_prox(&[1.0], 1.0), None);
    assert_eq!(Bare.naive(&[1.0], 1.0), None);
    assert_eq!(Bare.prox_f32(&[1.0], 1.0), None);
}
