//! Tables as they should be read, and the bad input that a reader meets.

use super::*;
use crate::options::{Missing, Task};

fn load(text: &str, options: &LoadOptions) -> Result<Dataset> {
    read(text.as_bytes(), "t", options)
}

fn loaded(text: &str) -> Dataset {
    load(text, &LoadOptions::default()).unwrap()
}

fn target(names: &[&str]) -> LoadOptions {
    LoadOptions {
        target: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..LoadOptions::default()
    }
}

fn task(task: Task) -> LoadOptions {
    LoadOptions {
        task: Some(task),
        ..LoadOptions::default()
    }
}

fn values(dataset: &Dataset) -> (&[String], &[f32]) {
    match dataset.target() {
        Target::Values { columns, values } => (columns, values),
        Target::Classes { .. } => panic!("numbers are predicted"),
    }
}

fn classes(dataset: &Dataset) -> (&[String], &[u32]) {
    match dataset.target() {
        Target::Classes { names, labels } => (names, labels),
        Target::Values { .. } => panic!("classes are predicted"),
    }
}

fn row(dataset: &Dataset, row: usize) -> Vec<f32> {
    (0..dataset.inputs())
        .map(|column| dataset.features().cell(row, column))
        .collect()
}

#[test]
fn the_last_column_is_predicted_as_a_number() {
    let set = loaded("a,b,y\n1,2,0.5\n3,4,1.5\n");
    assert_eq!(set.feature_names(), ["a", "b"]);
    assert_eq!(row(&set, 1), [3.0, 4.0]);
    assert_eq!(values(&set), (&["y".to_owned()][..], &[0.5, 1.5][..]));
    assert_eq!(
        set.notes(),
        ["the last column, `y`, is predicted as a number"]
    );
}

#[test]
fn targets_are_named_or_numbered_and_may_be_several() {
    let text = "a,b,y\n1,2,0.5\n3,5,1.5\n";
    for names in [["y", "a"], ["3", "1"], ["y", "1"]] {
        let set = load(text, &target(&names)).unwrap();
        assert_eq!(set.feature_names(), ["b"]);
        assert_eq!(values(&set).1, [0.5, 1.0, 1.5, 3.0]);
    }
    // A column that is called by a number is found by its name first.
    let set = load("2,1,y\n5,6,7\n8,9,10\n", &target(&["1"])).unwrap();
    assert_eq!(values(&set).1, [6.0, 9.0]);
}

#[test]
fn text_and_few_whole_numbers_are_classes() {
    let set = loaded("1,b\n2,a\n3,b\n");
    let names = ["a", "b"].map(str::to_owned);
    assert_eq!(classes(&set), (&names[..], &[1, 0, 1][..]));
    let tens: String = (0..10)
        .map(|row| format!("{row}.5,{}\n", 10 * (row % 2)))
        .collect();
    let set = loaded(&tens);
    assert_eq!(classes(&set).0, ["0", "10"]);
    assert_eq!(
        set.notes(),
        [
            "the last column, `2`, is predicted as a class: it has 2 different whole values; choose the task regression to predict a number"
        ]
    );
    assert_eq!(
        values(&load(&tens, &task(Task::Regression)).unwrap())
            .1
            .len(),
        10
    );
    // Four rows a class are too few to infer classes from.
    let eights: String = (0..8).map(|row| format!("{row}.5,{}\n", row % 2)).collect();
    assert_eq!(values(&loaded(&eights)).1.len(), 8);
    assert_eq!(
        classes(&load(&eights, &task(Task::Classification)).unwrap())
            .1
            .len(),
        8
    );
}

#[test]
fn text_columns_become_one_input_a_value() {
    let set = loaded("colour,size,y\nred,1,0.5\nblue,2,1\nred,3,2\n");
    assert_eq!(set.feature_names(), ["colour=blue", "colour=red", "size"]);
    assert_eq!(row(&set, 0), [0.0, 1.0, 1.0]);
    assert_eq!(row(&set, 1), [1.0, 0.0, 2.0]);
    assert_eq!(
        set.notes()[1],
        "column `colour` is text: one input for each of its 2 values"
    );
}

#[test]
fn missing_cells_are_kept_for_the_mean_of_the_training_rows() {
    let options = LoadOptions {
        missing: Missing::Mean,
        ..LoadOptions::default()
    };
    let set = load("c,a,y\nu,1,0.5\n?,,1\nv,3,2\n", &options).unwrap();
    assert!(row(&set, 1).iter().all(|cell| cell.is_nan()));
    assert_eq!(row(&set, 2), [0.0, 1.0, 3.0]);
    assert!(set.notes().contains(
        &"column `a` has 1 missing cell, which takes the mean of the training rows".to_owned()
    ));
    let error = load("a,y\n1,2.5\n3,NA\n", &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: column `y`: the target is missing"
    );
}

#[test]
fn a_constant_column_is_kept_with_a_note() {
    let set = loaded("a,b,y\n1,2,0.5\n1,4,1.5\n");
    assert_eq!(set.inputs(), 2);
    assert_eq!(
        set.notes()[1],
        "column `a` is constant; it is kept, but tells nothing"
    );
}

#[test]
fn scikit_learn_class_names_are_used_and_labels_beyond_them_refused() {
    let set = loaded("2,1,no,yes\n4.5,0\n5.5,1\n");
    assert_eq!(classes(&set).0, ["no", "yes"]);
    let error = load("2,1,no,yes\n4.5,0\n5.5,2\n", &LoadOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: column `2`: label `2` is beyond the 2 classes of the first line"
    );
}

#[test]
fn spacing_and_blank_last_lines_are_fine() {
    let set = loaded("-2.3  0.568 0.11\n-2.2 0.568  0.27 \n\n");
    assert_eq!((set.rows(), set.inputs()), (2, 2));
    assert_eq!(row(&set, 1), [-2.2, 0.568]);
}

/// Kind, message and hint of each bad input, as a user meets them.
#[test]
fn bad_tables_name_their_fault() {
    let number = task(Task::Regression);
    let class = task(Task::Classification);
    let any = LoadOptions::default();
    let identifiers: String = (0..101).map(|id| format!("id{id},{id}.5\n")).collect();
    let small = LoadOptions {
        max_bytes: 7,
        ..LoadOptions::default()
    };
    let cases: [(&str, &LoadOptions, ErrorKind, &str, &str); 17] = [
        ("", &any, ErrorKind::Degenerate, "the file has no rows", ""),
        (
            "a,y\n",
            &any,
            ErrorKind::Degenerate,
            "the table has no rows",
            "",
        ),
        (
            "a,y\n1,2\n3\n",
            &any,
            ErrorKind::Malformed,
            "line 3: 1 cells where 2 are expected",
            "divided by `,`",
        ),
        (
            "a,y\n1,2\n3,4,\n",
            &any,
            ErrorKind::Malformed,
            "line 3: 3 cells where 2 are expected",
            "needs quotes",
        ),
        (
            "a,y\n1,2\n3,4\nx,5\n",
            &any,
            ErrorKind::Value,
            "line 4: column `a`: `x` is not a number",
            "correct the cell",
        ),
        (
            "a,y\n1,2\nNaN,4\n",
            &any,
            ErrorKind::Value,
            "line 3: column `a`: `NaN` is a missing value",
            "--missing mean",
        ),
        (
            "a,y\n1,2\n3,inf\n",
            &any,
            ErrorKind::Value,
            "line 3: column `y`: `inf` is infinite or beyond the range of 32-bit floats",
            "remove the row",
        ),
        (
            "a,y\n1,2.5\n3,4\n",
            &target(&["Y"]),
            ErrorKind::Usage,
            "no column `Y`, but there is `y`",
            "the columns are `a`, `y`; a number from 1 to 2",
        ),
        (
            "a,y\n1,2.5\n3,4\n",
            &target(&["3"]),
            ErrorKind::Usage,
            "no column `3`",
            "`a`, `y`",
        ),
        (
            "a,y\n1,2.5\n3,4\n",
            &target(&["y", "2"]),
            ErrorKind::Usage,
            "the target `2` is named twice",
            "",
        ),
        (
            "a,a\n1,2.5\n3,4\n",
            &target(&["a"]),
            ErrorKind::Usage,
            "several columns are called `a`",
            "number of the column",
        ),
        (
            "a,y\n1,u\n3,v\n",
            &number,
            ErrorKind::Value,
            "column `y`: the target is text, not a number",
            "as classes",
        ),
        (
            "a,y\n1,2.5\n3,4\n",
            &class,
            ErrorKind::Usage,
            "column `y`: the target has fractions, which are no classes",
            "regression",
        ),
        (
            "1,u\n2,u\n",
            &any,
            ErrorKind::Degenerate,
            "all rows are of one class, `u`",
            "",
        ),
        (
            "1,7.5\n2,7.5\n",
            &any,
            ErrorKind::Degenerate,
            "the target `x2` is 7.5 in every row",
            "",
        ),
        (
            &identifiers,
            &any,
            ErrorKind::Limit,
            "column `1`: a text column of more than 100 different values",
            "remove the column",
        ),
        (
            "1,2.5\n2,7.5\n",
            &small,
            ErrorKind::Limit,
            "2 rows of 1 inputs take 8 bytes",
            "7 bytes",
        ),
    ];
    for (text, options, kind, message, hint) in cases {
        let error = load(text, options).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
        let shown = error.hint_text().unwrap_or_default();
        assert!(shown.contains(hint), "{message}: {shown}");
    }
}

#[test]
fn predicting_every_column_leaves_no_inputs() {
    let error = load("a,y\n1,2.5\n3,4\n", &target(&["a", "y"])).unwrap_err();
    assert_eq!(error.to_string(), "the data has no input columns");
    let error = load("1.5\n2.5\n", &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Degenerate);
}

#[test]
fn whole_pixels_are_kept_as_bytes() {
    let set = loaded("0,255,0.5\n7,8,1.5\n");
    assert!(matches!(set.features().storage(), Storage::U8(_)));
}
