use super::*;
use crate::{EMBEDDED, SplitOptions, split};

fn drawn(name: &str) -> &'static Drawn {
    all().iter().find(|drawn| drawn.name == name).unwrap()
}

fn set(name: &str) -> Dataset {
    read(name, &LoadOptions::default()).unwrap().unwrap()
}

fn values(set: &Dataset) -> &[f32] {
    match set.target() {
        Target::Values { values, .. } => values,
        Target::Classes { .. } => panic!("drawn sets are regressions"),
    }
}

#[test]
fn sets_say_what_they_were_drawn_from() {
    let told = of(&set("sinc")).unwrap().to_string();
    assert_eq!(
        told,
        "y = sin(x) / x, and 1 at x = 0, with Gaussian noise of standard deviation 0.05"
    );
    let digits = crate::load("digits", &LoadOptions::default()).unwrap();
    assert!(of(&digits).is_none());
}

/// Worked out apart from the code, from the formula's text.
#[test]
fn functions_are_what_their_formulas_say() {
    let cases: [(&str, &[f64], f64); 18] = [
        ("sine", &[0.25], 0.5625),
        ("sine", &[3.75], -1.4375),
        ("sine", &[2.0], 0.0),
        ("steps", &[0.149], 0.0),
        ("steps", &[0.15], 1.0),
        ("steps", &[0.3], -0.5),
        ("steps", &[0.45], 0.5),
        ("steps", &[0.7], 1.5),
        ("steps", &[0.85], 0.0),
        ("sinc", &[0.0], 1.0),
        (
            "sinc",
            &[-std::f64::consts::FRAC_PI_2],
            2.0 / std::f64::consts::PI,
        ),
        ("ripple", &[0.0, 0.0], 1.0),
        // r = 5: cos(15) exp(-5/3).
        ("ripple", &[-3.0, 4.0], -0.759_688 * 0.188_876),
        // Beside the centre of each bump.
        ("peaks", &[-1.0, -0.7], 0.609851),
        ("peaks", &[0.5, 1.5], 0.761691),
        ("peaks", &[1.4, -0.5], -0.466925),
        ("peaks", &[-0.4, 1.3], 0.303442),
        ("peaks", &[-3.0, 3.0], 0.0),
    ];
    for (name, x, wanted) in cases {
        let value = drawn(name).value(x);
        assert!((value - wanted).abs() < 1e-4, "{name} at {x:?}: {value}");
    }
}

#[test]
fn truth_is_the_function_of_the_row_and_noise_is_as_told() {
    for drawn in all() {
        let set = set(drawn.name);
        assert_eq!(
            (set.rows(), set.inputs(), set.outputs()),
            (drawn.rows, drawn.inputs, 1)
        );
        assert_eq!((set.name(), set.notes().len()), (drawn.name, 0));
        let truth = set.truth().unwrap();
        assert_eq!(truth.len(), drawn.rows);
        let (low, high) = drawn.domain;
        for (row, &truth) in truth.iter().enumerate() {
            let x: Vec<f64> = (0..drawn.inputs)
                .map(|column| f64::from(set.features().cell(row, column)))
                .collect();
            assert!(
                x.iter()
                    .all(|&x| x >= f64::from(low) && x <= f64::from(high))
            );
            assert_eq!(truth, drawn.value(&x) as f32, "{} row {row}", drawn.name);
        }
        let noise: Vec<f64> = (values(&set).iter().zip(truth))
            .map(|(&y, &truth)| f64::from(y) - f64::from(truth))
            .collect();
        let rows = noise.len() as f64;
        let sd = f64::from(drawn.noise);
        let mean = noise.iter().sum::<f64>() / rows;
        let measured = (noise.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / rows).sqrt();
        // Four standard errors: sd / sqrt(rows) of the mean, sd / sqrt(2 rows) of the sd.
        assert!(
            mean.abs() < 4.0 * sd / rows.sqrt(),
            "{}: {mean}",
            drawn.name
        );
        assert!(
            (measured - sd).abs() < 4.0 * sd / (2.0 * rows).sqrt(),
            "{}: {measured}",
            drawn.name
        );
    }
}

#[test]
fn inputs_fill_their_domain() {
    for drawn in all() {
        let set = set(drawn.name);
        let (low, high) = drawn.domain;
        for column in 0..drawn.inputs {
            let mut filled = [0; 10];
            for row in 0..set.rows() {
                let share = (set.features().cell(row, column) - low) / (high - low);
                filled[((share * 10.0) as usize).min(9)] += 1;
            }
            // A tenth of the rows in each tenth, within five standard deviations of that count.
            let wanted = drawn.rows as f64 / 10.0;
            let near = |&count: &i32| (f64::from(count) - wanted).abs() < 5.0 * wanted.sqrt();
            assert!(filled.iter().all(near), "{}: {filled:?}", drawn.name);
        }
    }
}

/// The last row, which any change of the numbers drawn before it would move. Close, not equal: platforms differ in the
/// last bit of `sin` and `exp`.
#[test]
fn rows_are_the_same_everywhere() {
    let last: [(&str, &[f32], f32); 5] = [
        ("sine", &[1.8534505], -0.8372228),
        ("steps", &[0.03217605], -0.008349994),
        ("sinc", &[9.692092], 0.09694725),
        ("ripple", &[-2.7958791, -2.305269], -0.039840255),
        ("peaks", &[1.277026, 0.3768654], 0.17968401),
    ];
    for (name, x, y) in last {
        let set = set(name);
        let row = set.rows() - 1;
        let cells: Vec<f32> = (0..x.len()).map(|c| set.features().cell(row, c)).collect();
        assert_eq!(cells, x, "{name}");
        assert!((values(&set)[row] - y).abs() < 1e-5, "{name}");
    }
}

#[test]
fn all_are_embedded_and_can_be_divided() {
    let names: Vec<&str> = all().iter().map(|drawn| drawn.name).collect();
    assert_eq!(EMBEDDED[2..], names);
    for name in names {
        let parts = split(&set(name), 1, &SplitOptions::default()).unwrap();
        assert!(parts.notes.is_empty(), "{name}: {:?}", parts.notes);
    }
    assert_eq!(set("sine").feature_names(), ["x"]);
    assert_eq!(set("peaks").feature_names(), ["x1", "x2"]);
}

#[test]
fn the_target_may_be_named_but_not_changed() {
    let read_as = |target: &[&str], task| {
        let target = target.iter().map(|&name| name.to_owned()).collect();
        let options = LoadOptions {
            target: Some(target),
            task,
            ..LoadOptions::default()
        };
        read("peaks", &options).unwrap()
    };
    let plain = set("peaks");
    assert_eq!(read_as(&["y"], None), Ok(plain.clone()));
    assert_eq!(read_as(&["3"], Some(Task::Regression)), Ok(plain));
    let error = read_as(&["x1"], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(
        error.to_string(),
        "peaks: `x1` cannot be predicted: a drawn set has one target, `y`"
    );
    let error = read_as(&[], Some(Task::Classification)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn truth_is_apart_from_what_is_trained_on() {
    let set = set("sine");
    let other = set.clone().with_truth(vec![0.0; set.rows()]);
    assert_ne!(set, other);
    assert_eq!(set.fingerprint(), other.fingerprint());
    assert_eq!(
        crate::load("diabetes", &LoadOptions::default())
            .unwrap()
            .truth(),
        None
    );
}
