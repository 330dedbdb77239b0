//! Real data sets, read below the folder that `SECATEUR_DATA` names; skipped, aloud, where it is not set.

use std::io::Write;
use std::path::PathBuf;

use secateur_data::{
    Dataset, ErrorKind, LoadOptions, Missing, Scaling, SplitOptions, Standardiser, Storage, Target,
    Task, load, split,
};

fn options() -> Option<LoadOptions> {
    let Some(dir) = std::env::var_os("SECATEUR_DATA") else {
        // Unlike the print macros this is not captured, so that a run says what it left out.
        let _ = writeln!(std::io::stderr(), "skipped: SECATEUR_DATA is not set");
        return None;
    };
    Some(LoadOptions {
        data_dir: Some(PathBuf::from(dir)),
        ..LoadOptions::default()
    })
}

fn shape(dataset: &Dataset) -> (usize, usize, usize) {
    (dataset.rows(), dataset.inputs(), dataset.outputs())
}

fn is_classes(dataset: &Dataset) -> bool {
    matches!(dataset.target(), Target::Classes { .. })
}

#[test]
fn idx_folders_have_their_published_shapes_and_splits() {
    let Some(options) = options() else { return };
    for name in ["mnist", "fashion-mnist"] {
        let set = load(name, &options).unwrap();
        assert_eq!(shape(&set), (70_000, 784, 10), "{name}");
        assert_eq!(set.test_rows(), Some(60_000..70_000));
        assert_eq!(set.name(), name);
        let Storage::U8(cells) = set.features().storage() else {
            panic!("pixels stay bytes");
        };
        assert_eq!(cells.capacity(), 70_000 * 784);
        let parts = split(&set, 1, &SplitOptions::default()).unwrap();
        assert_eq!((parts.validation.len(), parts.test.len()), (5_000, 10_000));
        assert_eq!(set.default_scaling(), Scaling::Unit);
        let by = Standardiser::fit(set.features(), &parts.train, Scaling::Unit);
        assert_eq!((by.shift()[0], by.scale()[0]), (0.0, 255.0));
        if name == "mnist" {
            // No MNIST image occurs twice, and the first ten labels are those of the published file.
            assert_eq!(parts.train.len(), 55_000);
            assert_eq!(set.labels().unwrap()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
        }
    }
}

#[test]
fn tables_have_their_published_shapes_and_tasks() {
    let Some(options) = options() else { return };
    let cases = [
        ("cal_housing.csv.gz", (20_640, 8, 1), false),
        ("concrete.csv", (1_030, 8, 1), false),
        ("yacht_hydrodynamics.data", (308, 6, 1), false),
        ("airfoil_self_noise.dat", (1_503, 5, 1), false),
        ("ccpp.csv", (9_568, 4, 1), false),
        ("winequality-red.csv", (1_599, 11, 6), true),
        ("winequality-white.csv", (4_898, 11, 7), true),
        // Six inputs, of which sex (2), smoker (2) and region (4) are text.
        ("insurance", (1_338, 11, 1), false),
        ("sensorless", (2_200, 48, 11), true),
        ("optdigits.tra", (3_823, 64, 10), true),
        ("optdigits.tes", (1_797, 64, 10), true),
        ("iris.csv", (150, 4, 3), true),
        ("wine_data.csv", (178, 13, 3), true),
        ("breast_cancer.csv", (569, 30, 2), true),
    ];
    for (name, wanted, classes) in cases {
        let set = load(name, &options).unwrap();
        assert_eq!((shape(&set), is_classes(&set)), (wanted, classes), "{name}");
        let parts = split(&set, 0, &SplitOptions::default()).unwrap();
        let rows = parts.train.len() + parts.validation.len() + parts.test.len();
        assert_eq!(rows, set.rows(), "{name}");
    }
}

#[test]
fn targets_may_lie_anywhere_and_be_several() {
    let Some(mut options) = options() else { return };
    options.target = Some(vec!["RMSD".into()]);
    let protein = load("protein_CASP.csv.gz", &options).unwrap();
    assert_eq!(shape(&protein), (45_730, 9, 1));
    assert_eq!(protein.feature_names()[0], "F1");
    options.target = Some(vec!["Y1".into(), "10".into()]);
    let energy = load("energy_efficiency.csv", &options).unwrap();
    assert_eq!(shape(&energy), (768, 8, 2));
    let Target::Values { columns, values } = energy.target() else {
        panic!("energy is a regression");
    };
    assert_eq!(
        (columns[1].as_str(), &values[..2]),
        ("Y2", &[15.55, 21.33][..])
    );
    options.target = Some(vec!["charges".into()]);
    options.task = Some(Task::Regression);
    let insurance = load("insurance.csv", &options).unwrap();
    assert_eq!(insurance.feature_names()[1..3], ["sex=female", "sex=male"]);
}

#[test]
fn missing_bedrooms_are_an_error_or_take_the_mean() {
    let Some(mut options) = options() else { return };
    let name = "housing_with_ocean_proximity.csv.gz";
    options.target = Some(vec!["median_house_value".into()]);
    let error = load(name, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert_eq!(
        (error.line(), error.column()),
        (Some(292), Some("total_bedrooms"))
    );
    options.missing = Missing::Mean;
    let set = load(name, &options).unwrap();
    assert_eq!(shape(&set), (20_640, 8 + 5, 1));
    assert!(
        set.notes()
            .iter()
            .any(|note| note.contains("207 missing cells"))
    );
}

/// 1,030 rows, 996 different inputs: counted apart with a set of tuples in Python.
#[test]
fn repeated_rows_of_concrete_are_told() {
    let Some(options) = options() else { return };
    let set = load("concrete.csv", &options).unwrap();
    let parts = split(&set, 0, &SplitOptions::default()).unwrap();
    assert_eq!(
        parts.notes,
        ["34 rows repeat the inputs of another row; equal rows are kept in one part of the split"]
    );
}
