//! Define a penalty of your own and let the battery check it.
//!
//! The penalty is `lambda norm2(w) + ridge / 2 norm2(w)^2`, the group lasso with a ridge. A second version
//! has a mistake that looks plausible; the battery names the law it breaks and where.

use secateur_prox::check::{self, Failure, Prox};

struct RidgedGroupLasso {
    lambda: f64,
    ridge: f64,
    /// The mistake: the ridge's step before the norm's.
    ridge_first: bool,
}

fn norm(group: &[f64]) -> f64 {
    group.iter().map(|w| w * w).sum::<f64>().sqrt()
}

impl Prox for RidgedGroupLasso {
    fn value(&self, group: &[f64]) -> f64 {
        let r = norm(group);
        self.lambda * r + 0.5 * self.ridge * r * r
    }

    fn prox(&self, group: &[f64], step: f64) -> Vec<f64> {
        let shrunk_by = 1.0 + step * self.ridge;
        let r = if self.ridge_first {
            norm(group) / shrunk_by
        } else {
            norm(group)
        };
        let threshold = step * self.lambda;
        if r <= threshold {
            return vec![0.0; group.len()];
        }
        let factor = (1.0 - threshold / r) / shrunk_by;
        group.iter().map(|w| w * factor).collect()
    }

    fn is_convex(&self) -> bool {
        true
    }

    fn subdiff_distance(&self, group: &[f64], gradient: &[f64]) -> Option<f64> {
        let r = norm(group);
        if r == 0.0 {
            return Some((norm(gradient) - self.lambda).max(0.0));
        }
        let slope = self.lambda / r + self.ridge;
        let residual = |(w, g): (&f64, &f64)| g + slope * w;
        Some(norm(
            &group.iter().zip(gradient).map(residual).collect::<Vec<_>>(),
        ))
    }
}

fn main() -> Result<(), Failure> {
    let mut penalty = RidgedGroupLasso {
        lambda: 1.0,
        ridge: 0.5,
        ridge_first: false,
    };
    check::penalty(&penalty)?;
    report("the step obeys every law");

    penalty.ridge_first = true;
    match check::penalty(&penalty) {
        Ok(()) => report("the mistake was not found"),
        Err(failure) => report(&format!("the mistake was found: {failure}")),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example speaks to its reader")]
fn report(line: &str) {
    println!("{line}");
}
