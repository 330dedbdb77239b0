//! Models of others are ranked and recalibrated on training rows, and verified on test rows.

use secateur::{Choice, Criterion, ModelData, ModelFile, Recalibration, SmallModel, shrink_model};
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
    fn recalibrated(&self, data: &Data) -> SmallModel {
        let small = shrink_model(&self.file, &Choice::of("50%".parse().unwrap())).unwrap();
        small.recalibrate(&self.file, &self.on(data, 100)).unwrap()
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
fn statistics_are_measured_on_training_rows_and_verified_on_test_rows() {
    for bench in Bench::all() {
        let evidence = |small: &SmallModel| match small.recalibration() {
            Some(Recalibration::Measured {
                rows: 100,
                verified,
                ..
            }) => verified.clone(),
            other => panic!("{other:?}"),
        };
        let first = bench.recalibrated(&bench.case.data);
        assert_eq!(evidence(&first).rows, bench.case.split().test.len());

        let other = bench.recalibrated(&bench.spoilt(|s| &s.test));
        assert_eq!(other.bytes(), first.bytes());
        assert_ne!(evidence(&other), evidence(&first));

        let other = bench.recalibrated(&bench.spoilt(|s| &s.validation));
        assert_eq!(other.bytes(), first.bytes());
        assert_eq!(evidence(&other), evidence(&first));

        let other = bench.recalibrated(&bench.spoilt(|s| &s.train));
        assert_ne!(other.bytes(), first.bytes());
    }
}
