//! Real data sets, read below the folder that `SECATEUR_DATA` names; skipped, aloud, where it is not set.

use secateur_data::{
    Dataset, ErrorKind, LoadOptions, Missing, Scaling, SplitOptions, Standardiser, Storage, Target,
    Task, load, split,
};
use secateur_testkit::larger_data;

fn options() -> Option<LoadOptions> {
    let data_dir = Some(larger_data()?);
    Some(LoadOptions {
        data_dir,
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

/// The last row, read off each file: that delimiter, header and order of columns are understood to the end.
#[test]
fn rows_are_read_to_the_last() {
    let Some(options) = options() else { return };
    let cases: [(&str, &str, &[f32], f32); 5] = [
        ("ccpp.csv", "AT", &[21.6, 62.52, 1017.23, 67.87], 453.28),
        (
            "airfoil_self_noise.dat",
            "x1",
            &[6300.0, 15.6, 0.1016, 39.6, 0.0528487],
            104.204,
        ),
        (
            "yacht_hydrodynamics.data",
            "x1",
            &[-2.3, 0.6, 4.34, 4.23, 2.73, 0.45],
            46.66,
        ),
        (
            "concrete.csv",
            "cement",
            &[260.9, 100.5, 78.3, 200.6, 8.6, 864.5, 761.5, 28.0],
            32.401_234,
        ),
        // Female of female and male, yes of no and yes, northwest as the second of four regions.
        (
            "insurance.csv",
            "age",
            &[61.0, 1.0, 0.0, 29.07, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0],
            29_141.36,
        ),
    ];
    for (name, first_name, inputs, target) in cases {
        let set = load(name, &options).unwrap();
        let row = set.rows() - 1;
        let cells: Vec<f32> = (0..set.inputs())
            .map(|column| set.features().cell(row, column))
            .collect();
        assert_eq!(set.feature_names()[0], first_name, "{name}");
        assert_eq!(cells, inputs, "{name}");
        let Target::Values { values, .. } = set.target() else {
            panic!("{name} is a regression");
        };
        assert_eq!(values[row], target, "{name}");
    }
}

#[test]
fn classes_have_the_names_of_their_files() {
    let Some(options) = options() else { return };
    let cases: [(&str, &[&str], u32); 5] = [
        ("iris.csv", &["setosa", "versicolor", "virginica"], 2),
        ("wine_data.csv", &["class_0", "class_1", "class_2"], 2),
        ("breast_cancer.csv", &["malignant", "benign"], 1),
        ("winequality-red.csv", &["3", "4", "5", "6", "7", "8"], 3),
        (
            "optdigits.tra",
            &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            7,
        ),
    ];
    for (name, wanted, last) in cases {
        let set = load(name, &options).unwrap();
        let Target::Classes { names, labels } = set.target() else {
            panic!("{name} has classes");
        };
        assert_eq!(names, wanted, "{name}");
        assert_eq!(labels.last(), Some(&last), "{name}");
    }
}

#[test]
fn targets_may_lie_anywhere_and_be_several() {
    let Some(mut options) = options() else { return };
    options.target = Some(vec!["RMSD".into()]);
    let protein = load("protein_CASP.csv.gz", &options).unwrap();
    assert_eq!(shape(&protein), (45_730, 9, 1));
    assert_eq!(protein.feature_names()[0], "F1");
    // By names and a path below the data folder, by a number and the file's name alone.
    for (file, second) in [
        ("uci-regression/energy_efficiency.csv", "Y2"),
        ("energy_efficiency.csv", "10"),
    ] {
        options.target = Some(vec!["Y1".into(), second.into()]);
        let energy = load(file, &options).unwrap();
        assert_eq!(shape(&energy), (768, 8, 2));
        assert_eq!(energy.feature_names()[7], "X8");
        let Target::Values { columns, values } = energy.target() else {
            panic!("energy is a regression");
        };
        assert_eq!(columns, &["Y1", "Y2"]);
        assert_eq!(values[..2], [15.55, 21.33]);
    }
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

/// As it is published: each class as often as any other, and means and deviations of all training pictures.
#[test]
fn cifar_has_its_published_shape_and_balance() {
    let Some(options) = options() else { return };
    let set = load("cifar-10", &options).unwrap();
    assert_eq!(shape(&set), (60_000, 3_072, 10));
    assert_eq!(set.test_rows(), Some(50_000..60_000));
    assert_eq!(set.shape(), [3, 32, 32]);
    let notes = set.notes();
    assert!(
        !notes.iter().any(|note| note.contains("not there")),
        "{notes:?}"
    );
    let labels = set.labels().unwrap();
    let count = |labels: &[u32]| {
        let mut counts = [0; 10];
        labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    };
    assert_eq!(count(&labels[50_000..]), [1_000; 10]);
    assert_eq!(count(&labels[..50_000]), [5_000; 10]);
    assert_eq!(set.default_scaling(), Scaling::Unit);
    let rows: Vec<u32> = (0..50_000).collect();
    let Scaling::PerChannel { mean, std } = Scaling::measure_channels(&set, &rows).unwrap() else {
        panic!("channels are measured");
    };
    let near = |a: &[f32], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(near(&mean, [0.4914, 0.4822, 0.4465]), "{mean:?}");
    assert!(near(&std, [0.2470, 0.2435, 0.2616]), "{std:?}");
}
