//! How far predictions are from what was measured, and from the truth.

use secateur::TargetPredictions;

use super::fit::{pairs, wide};
use crate::input::Table;
use crate::number::significant;

/// Error, fit and spread of the residuals as sentences.
pub(super) fn in_words(target: &TargetPredictions) -> String {
    let residuals = residuals(&target.predicted, &target.measured);
    let mut words = format!(
        "RMSE {}, R² {}, half of the residuals between {} and {}.",
        significant(rms(&residuals)),
        r2(target),
        significant(quantile(&residuals, 0.25)),
        significant(quantile(&residuals, 0.75)),
    );
    if let Some(truth) = &target.truth {
        let to_truth = rms(&self::residuals(&target.predicted, truth));
        words += &format!(" RMSE to the truth {}.", significant(to_truth));
    }
    words
}

/// Differences in rising order.
pub(super) fn residuals(predicted: &[f32], to: &[f32]) -> Vec<f64> {
    let mut all: Vec<f64> = pairs(predicted, to).iter().map(|(p, m)| p - m).collect();
    all.sort_by(f64::total_cmp);
    all
}

/// Root mean square.
pub(super) fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// The value below which a share of the rising `values` lies, linear between them; 0 without values.
fn quantile(values: &[f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let at = share * last as f64;
    let (below, above) = (values[at.floor() as usize], values[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// Coefficient of determination.
pub(super) fn r2(target: &TargetPredictions) -> String {
    let measured = wide(&target.measured);
    let mean = measured.iter().sum::<f64>() / measured.len().max(1) as f64;
    let all: f64 = measured.iter().map(|m| (m - mean).powi(2)).sum();
    let left: f64 = residuals(&target.predicted, &target.measured)
        .iter()
        .map(|r| r * r)
        .sum();
    match all > 0.0 {
        true => format!("{:.3}", 1.0 - left / all),
        false => "undefined".to_owned(),
    }
}

/// Quantiles of the residuals, to the measured values and to the truth where it is known.
pub(super) fn numbers(target: &TargetPredictions) -> Table {
    let mut header = vec!["", "predicted − measured"];
    let mut columns = vec![residuals(&target.predicted, &target.measured)];
    if let Some(truth) = &target.truth {
        header.push("predicted − truth");
        columns.push(residuals(&target.predicted, truth));
    }
    let shares = [
        ("least", 0.0),
        ("5 %", 0.05),
        ("25 %", 0.25),
        ("median", 0.5),
        ("75 %", 0.75),
        ("95 %", 0.95),
        ("most", 1.0),
    ];
    let row = |name: &str, of: &dyn Fn(&[f64]) -> f64| {
        let mut row = vec![name.to_owned()];
        row.extend(columns.iter().map(|column| significant(of(column))));
        row
    };
    let mut rows: Vec<Vec<String>> = shares
        .iter()
        .map(|(name, share)| row(name, &|column| quantile(column, *share)))
        .collect();
    rows.push(row("root mean square", &|column| rms(column)));
    let mut table = Table::of(&header, rows);
    table.note = Some(format!(
        "Quantiles of the residuals of {}; R² is {}.",
        target.name,
        r2(target)
    ));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> TargetPredictions {
        TargetPredictions {
            name: "y".into(),
            measured: vec![3.0, 1.0, 2.0],
            predicted: vec![3.0, 2.0, 2.0],
            truth: None,
        }
    }

    #[test]
    fn residuals_are_summed_up() {
        assert_eq!(quantile(&[0.0, 1.0, 4.0], 0.75), 2.5);
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!(r2(&line()), "0.500");
        let table = numbers(&line());
        assert_eq!(table.rows[6], ["most", "1.000"]);
        assert_eq!(table.rows[7], ["root mean square", "0.5774"]);
    }
}
