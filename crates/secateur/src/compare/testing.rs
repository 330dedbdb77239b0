//! Made-up measurements for tests.

use super::cell::Measured;
use crate::Seconds;

/// A network of one weight that took no time.
pub(super) fn measured() -> Measured {
    Measured {
        test: 0.0,
        validation: 0.0,
        train: 0.0,
        r2: None,
        units: vec![1],
        units_before: vec![1],
        live_units: vec![1],
        params: 1,
        macs: 1,
        macs_all_inputs: 1,
        macs_before: 1,
        weights: 1,
        zero_weights: 0,
        small_weights: 0,
        penalised_share: 1.0,
        strength: 1.0,
        epochs: 1,
        seconds: Seconds {
            total: 0.0,
            search: 0.0,
            forward: 0.0,
            backward: 0.0,
            update: 0.0,
            penalty: 0.0,
            shrink: 0.0,
            score: 0.0,
            load: 0.0,
            verify: 0.0,
        },
        alone: false,
        threads: 1,
        instruction_set: String::new(),
        narrow_test: None,
        right_rows: None,
        tries: vec![],
    }
}
