//! How good a model is before and after it lost units.

use serde_json::{Value, json};

use crate::compare::Table;
use crate::markdown::grouped;

/// How good a model is on rows that decided nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Whether it tells classes.
    pub is_classifier: bool,
    /// Number of validation rows; accuracy in [0, 1], or the root mean square error in the target's own units (the mean over
    /// columns, if there are several); mean loss, in nats or squares of standardised targets.
    pub validation: (usize, f64, f64),
    /// The same of test rows.
    pub test: (usize, f64, f64),
}

impl Quality {
    fn metric(&self) -> &'static str {
        match self.is_classifier {
            true => "accuracy",
            false => "rmse",
        }
    }
}

/// Several models beside each other, by what each is called; all on the same rows.
pub fn quality_table(models: &[(&str, Quality)]) -> Table {
    let mut header = vec![String::new(), "rows".into()];
    header.extend(models.iter().map(|(name, _)| (*name).to_owned()));
    let row = |what: String, rows: usize, of: &dyn Fn(&Quality) -> f64| {
        let numbers = models.iter().map(|(_, q)| format!("{:.4}", of(q)));
        let mut row = vec![what, grouped(rows as u64)];
        row.extend(numbers);
        row
    };
    let mut rows = vec![];
    if let Some((_, first)) = models.first() {
        let metric = first.metric();
        let unit = if first.is_classifier { " (nats)" } else { "" };
        let (validation, test) = (first.validation.0, first.test.0);
        rows = vec![
            row(format!("{metric}, validation"), validation, &|q| {
                q.validation.1
            }),
            row(format!("loss{unit}, validation"), validation, &|q| {
                q.validation.2
            }),
            row(format!("{metric}, test"), test, &|q| q.test.1),
            row(format!("loss{unit}, test"), test, &|q| q.test.2),
        ];
    }
    Table {
        title: "on data".into(),
        note: String::new(),
        header,
        rows,
    }
}

/// The same for scripts.
pub fn quality_to_json(models: &[(&str, Quality)]) -> Value {
    let part = |(rows, metric, loss): (usize, f64, f64), name: &str| json!({ "rows": rows, name: metric, "loss": loss });
    let each = models.iter().map(|(model, q)| {
        let (validation, test) = (part(q.validation, q.metric()), part(q.test, q.metric()));
        json!({ "model": model, "validation": validation, "test": test })
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_stand_beside_each_other_with_their_rows() {
        let whole = Quality {
            is_classifier: true,
            validation: (1500, 0.5, 1.25),
            test: (20, 0.75, 1.0),
        };
        let small = Quality {
            test: (20, 0.25, 2.0),
            ..whole
        };
        let models = [("before", whole), ("dropped", small)];
        let table = quality_table(&models);
        assert_eq!(table.header, ["", "rows", "before", "dropped"]);
        assert_eq!(
            table.rows[0],
            ["accuracy, validation", "1,500", "0.5000", "0.5000"]
        );
        assert_eq!(
            table.rows[3],
            ["loss (nats), test", "20", "1.0000", "2.0000"]
        );
        let told = quality_to_json(&models);
        assert_eq!(told[1]["model"], "dropped");
        assert_eq!(told[1]["test"]["accuracy"], 0.25);
        assert!(quality_table(&[]).rows.is_empty());
    }
}
