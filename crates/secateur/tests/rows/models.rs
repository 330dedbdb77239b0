//! Models of others are ranked and repaired on training rows.

use secateur::{Choice, Criterion, ModelData, ModelFile, RepairBy, SmallModel, shrink_model};
use secateur_data::Split;

use crate::case::{Case, classifier, regressor};
use crate::data::Data;

struct Bench {
    case: Case,
    file: ModelFile,
}

impl Bench {
    fn all() -> [Self; 2] {
        [classifier(), regressor()].map(|case| {
            let path = case.config.model.as_deref().unwrap();
            let file = ModelFile::read(path.as_ref()).unwrap();
            Self { case, file }
        })
    }

    /// The model with so many drawn rows of some data.
    fn on(&self, data: &Data, rows: usize) -> ModelData {
        data.write(self.case.place());
        ModelData::read(&self.file, &self.case.config, rows, None).unwrap()
    }

    fn spoilt(&self, rows: fn(&Split) -> &[u32]) -> Data {
        let change = |data: Data, split: &Split| {
            data.with_exchanged_features(rows(split))
                .with_scaled_features(rows(split), 1000.0)
        };
        self.case.with(change)
    }

    /// Half of the units, with statistics of some data.
    fn repaired(&self, data: &Data) -> SmallModel {
        let small = shrink_model(&self.file, &Choice::of("50%".parse().unwrap())).unwrap();
        let inputs = self.on(data, 100).repair_inputs(&self.file).unwrap();
        let tell = |_| {};
        (small.repair(&self.file, &inputs, RepairBy::Statistics, &tell)).unwrap()
    }
}

#[test]
fn units_are_scored_on_training_rows() {
    for bench in Bench::all() {
        for rows in [40, 10_000] {
            let scores = |data: &Data| {
                let on = bench.on(data, rows);
                on.measured_for(Criterion::Taylor, &bench.file)
                    .unwrap()
                    .gradients
                    .unwrap()
            };
            let first = scores(&bench.case.data);
            assert_eq!(scores(&bench.spoilt(|s| &s.test)), first);
            assert_eq!(scores(&bench.spoilt(|s| &s.validation)), first);
            assert_ne!(scores(&bench.spoilt(|s| &s.train)), first);
        }
        // As many as there are, and no more.
        let all = bench.on(&bench.case.data, 10_000).rows();
        assert_eq!(all, bench.case.split().train.len());
    }
}

#[test]
fn each_quality_is_of_its_own_rows() {
    for bench in Bench::all() {
        let quality = |data: &Data| bench.on(data, 10).quality(bench.file.graph()).unwrap();
        let first = quality(&bench.case.data);
        let split = bench.case.split();
        let counts = (first.validation.0, first.test.0);
        assert_eq!(counts, (split.validation.len(), split.test.len()));
        let other = quality(&bench.spoilt(|s| &s.test));
        assert_eq!(other.validation, first.validation);
        assert_ne!(other.test, first.test);
        let other = quality(&bench.spoilt(|s| &s.validation));
        assert_ne!(other.validation, first.validation);
        assert_eq!(other.test, first.test);
        assert_eq!(quality(&bench.spoilt(|s| &s.train)), first);
    }
}

#[test]
fn statistics_are_measured_on_training_rows() {
    for bench in Bench::all() {
        let first = bench.repaired(&bench.case.data);
        let [fitted, chosen, tested] = first.repaired().unwrap().inputs();
        assert_eq!(fitted + chosen + tested, 100);
        for spoilt in [bench.spoilt(|s| &s.test), bench.spoilt(|s| &s.validation)] {
            let other = bench.repaired(&spoilt);
            assert_eq!(other.bytes(), first.bytes());
            // What was lost, and how that was verified, is of training rows that nothing was fitted on.
            let (own, before) = (other.repaired().unwrap(), first.repaired().unwrap());
            assert_eq!(own.outputs(), before.outputs());
        }
        let other = bench.repaired(&bench.spoilt(|s| &s.train));
        assert_ne!(other.bytes(), first.bytes());
    }
}
