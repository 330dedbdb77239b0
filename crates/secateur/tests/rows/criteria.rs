//! What budgets rank units by is measured on training rows.

use std::collections::HashSet;

use crate::case::{Case, classifier, regressor};
use crate::decided::Tested;

#[test]
fn units_are_ranked_on_training_rows_whatever_by() {
    for of in [classifier, regressor] {
        let mut models = HashSet::new();
        for by in ["flap", "variance", "taylor", "reconstruction", "random"] {
            let mut case: Case = of();
            case.config.by = Some(by.into());
            let first = case.run(&case.data);
            assert!(first.report.removals.iter().any(|r| r.asked), "{by}");
            let spoilt = case.with_spoilt_tests();
            let other = case.run(&spoilt);
            assert_eq!(first.model.bytes(), other.model.bytes(), "{by}");
            assert_ne!(Tested::of(&first), Tested::of(&other), "{by}");
            let changed = case.with(|data, split| {
                data.with_exchanged_features(&split.validation)
                    .with_scaled_features(&split.validation, -1000.0)
            });
            let other = case.run(&changed);
            assert_eq!(first.model.bytes(), other.model.bytes(), "{by}");
            models.insert(first.model.bytes().to_vec());
        }
        assert!(models.len() > 1, "all criteria chose the same");
    }
}
