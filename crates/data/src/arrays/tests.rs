//! Sets of arrays as they should be, and each way in which they may be wrong.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder, write::GzEncoder};
use tempfile::TempDir;

use super::*;
use crate::dataset::Target;
use crate::load::load;
use crate::options::{Format, Task};

pub(crate) fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (text.len() as u16).to_le_bytes();
    [NPY_MAGIC, &[1, 0], &length, text.as_bytes(), bytes].concat()
}

pub(crate) fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// An archive as NumPy writes it: sizes of an entry's own header in its 64-bit extra field, those of the directory plain.
pub(crate) fn zip(arrays: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in arrays {
        let name = format!("{name}.npy");
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let packed = if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.clone()
        };
        let at = file.len() as u32;
        let method = if deflate { 8u16 } else { 0 };
        let name_length = (name.len() as u16).to_le_bytes();
        file.extend([b"PK\x03\x04", &[45, 0, 0, 0][..]].concat());
        file.extend(method.to_le_bytes());
        file.extend([0; 4]);
        file.extend(crc.sum().to_le_bytes());
        file.extend([0xff; 8]);
        file.extend(name_length);
        file.extend([20, 0]);
        file.extend(name.as_bytes());
        file.extend([1, 0, 16, 0]);
        file.extend((bytes.len() as u64).to_le_bytes());
        file.extend((packed.len() as u64).to_le_bytes());
        file.extend(&packed);
        directory.extend([b"PK\x01\x02", &[45, 3, 45, 0, 0, 0][..]].concat());
        directory.extend(method.to_le_bytes());
        directory.extend([0; 4]);
        directory.extend(crc.sum().to_le_bytes());
        directory.extend((packed.len() as u32).to_le_bytes());
        directory.extend((bytes.len() as u32).to_le_bytes());
        directory.extend(name_length);
        directory.extend([0; 12]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = (arrays.len() as u16).to_le_bytes();
    let at = (file.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    file.extend(directory);
    file.extend(
        [
            b"PK\x05\x06",
            &[0; 4][..],
            &count,
            &count,
            &size,
            &at,
            &[0, 0],
        ]
        .concat(),
    );
    file
}

fn archive(arrays: &[(&str, Vec<u8>)], deflate: bool) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.npz");
    std::fs::write(&path, zip(arrays, deflate)).unwrap();
    (dir, path.to_string_lossy().into_owned())
}

fn set_of(arrays: &[(&str, Vec<u8>)]) -> Result<Dataset> {
    let (_dir, spec) = archive(arrays, false);
    load(&spec, &LoadOptions::default())
}

fn labels() -> Vec<u8> {
    npy("|u1", "(3,)", &[7, 2, 7])
}

fn table() -> Vec<u8> {
    npy("<f4", "(3, 2)", &floats(&[0.5, 1.0, 1.5, 2.0, 2.5, 3.0]))
}

#[test]
fn archives_stored_or_deflated_read_alike() {
    let arrays = [
        ("x_train", table()),
        ("Y_train", labels()),
        (
            "x_test",
            npy("<f8", "(1, 2)", &9.25f64.to_le_bytes().repeat(2)),
        ),
        ("y_test", npy(">i4", "(1, 1)", &2i32.to_be_bytes())),
        ("weights", labels()),
    ];
    for deflate in [false, true] {
        let (_dir, spec) = archive(&arrays, deflate);
        let set = load(&spec, &LoadOptions::default()).unwrap();
        assert_eq!((set.name(), set.rows(), set.shape()), ("set", 4, &[2][..]));
        assert_eq!(set.test_rows(), Some(3..4));
        assert_eq!(set.features().cell(2, 0), 2.5);
        assert_eq!(set.features().cell(3, 1), 9.25);
        let Target::Classes { labels, names } = set.target() else {
            panic!("whole numbers are classes");
        };
        assert_eq!(
            (&labels[..], &names[..]),
            (&[1, 0, 1, 0][..], &["2".into(), "7".into()][..])
        );
        assert_eq!(set.notes().len(), 2, "{:?}", set.notes());
        assert_eq!(set.notes()[1], "other arrays are not read: `weights`");
    }
}

#[test]
fn folders_and_either_of_their_files_name_a_set() {
    let dir = tempfile::tempdir().unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&table()).unwrap();
    std::fs::write(dir.path().join("x.npy.gz"), encoder.finish().unwrap()).unwrap();
    let y = dir.path().join("y.npy");
    std::fs::write(&y, npy("<f4", "(3,)", &floats(&[0.5, 1.0, 2.0]))).unwrap();
    let options = LoadOptions::default();
    let set = load(&dir.path().to_string_lossy(), &options).unwrap();
    assert_eq!(set, load(&y.to_string_lossy(), &options).unwrap());
    let Target::Values { columns, values } = set.target() else {
        panic!("fractions are values");
    };
    assert_eq!(
        (&columns[..], &values[..]),
        (&["y".into()][..], &[0.5, 1.0, 2.0][..])
    );
    let lone = dir.path().join("other.npy");
    std::fs::write(&lone, table()).unwrap();
    let error = load(&lone.to_string_lossy(), &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
}

#[test]
fn pictures_come_in_the_order_of_networks() {
    let pixels: Vec<u8> = (0..36).collect();
    let last = set_of(&[("x", npy("|u1", "(3, 2, 2, 3)", &pixels)), ("y", labels())]).unwrap();
    assert_eq!(last.shape(), [3, 2, 2]);
    assert_eq!(last.features().cell(1, 1), 15.0);
    let first = set_of(&[("x", npy("|u1", "(3, 3, 2, 2)", &pixels)), ("y", labels())]).unwrap();
    assert_eq!(
        (first.shape(), first.features().cell(1, 1)),
        (&[3, 2, 2][..], 13.0)
    );
    assert!(first.notes().iter().all(|note| !note.contains("pictures")));
    let grey = set_of(&[("x", npy("|u1", "(3, 3, 4)", &pixels)), ("y", labels())]).unwrap();
    assert_eq!(grey.shape(), [3, 4]);
    assert_eq!(grey.image().unwrap().dimensions(), [1, 3, 4]);
    let deep = set_of(&[
        ("x", npy("|u1", "(3, 2, 3, 1, 2)", &pixels)),
        ("y", labels()),
    ])
    .unwrap();
    assert_eq!((deep.shape(), deep.image()), (&[2, 3, 1, 2][..], None));
}

#[test]
fn tasks_may_be_given() {
    let (_dir, spec) = archive(&[("x", table()), ("y", labels())], true);
    let with = |task| LoadOptions {
        task: Some(task),
        ..LoadOptions::default()
    };
    let set = load(&spec, &with(Task::Regression)).unwrap();
    assert!(matches!(set.target(), Target::Values { values, .. } if values == &[7.0, 2.0, 7.0]));
    let whole = npy("<f4", "(3,)", &floats(&[1.0, 0.0, 1.0]));
    let (_dir, spec) = archive(&[("x", table()), ("y", whole)], true);
    let set = load(&spec, &with(Task::Classification)).unwrap();
    assert_eq!(set.labels().unwrap(), [1, 0, 1]);
    let (_dir, spec) = archive(&[("x", table()), ("y", table())], true);
    assert_eq!(load(&spec, &LoadOptions::default()).unwrap().outputs(), 2);
    let error = load(&spec, &with(Task::Classification)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("y.npy: 2 targets a row cannot be classes")
    );
}

#[test]
fn arrays_that_do_not_fit_are_told_by_name() {
    let error = |arrays: &[(&str, Vec<u8>)]| set_of(arrays).unwrap_err();
    let none = error(&[("a", table()), ("y", labels())]);
    assert!(none.to_string().ends_with("no array `x` or `x_train`"));
    assert!(none.hint_text().unwrap().contains("there are `a`, `y`"));
    let fewer = error(&[("x", table()), ("y", npy("|u1", "(2,)", &[0, 1]))]);
    assert!(
        fewer
            .to_string()
            .ends_with("y.npy: 2 targets, but 3 rows of inputs"),
        "{fewer}"
    );
    let both = error(&[("x", table()), ("x_train", table()), ("y", labels())]);
    assert_eq!(both.kind(), ErrorKind::Usage);
    let alone = error(&[("x", table()), ("y", labels()), ("x_test", table())]);
    assert!(alone.to_string().ends_with("no array `y_test`"));
    let empty = error(&[
        ("x", npy("<f4", "(0, 2)", &[])),
        ("y", npy("|u1", "(0,)", &[])),
    ]);
    assert_eq!(empty.kind(), ErrorKind::Degenerate);
    let beyond = npy("<f4", "(3, 1000000000, 1000000000)", &[]);
    assert_eq!(
        error(&[("x", beyond), ("y", labels())]).kind(),
        ErrorKind::Limit
    );
    let short = npy("<f4", "(3, 2)", &[0; 23]);
    assert!(
        error(&[("x", short), ("y", labels())])
            .to_string()
            .ends_with("x.npy: ends after 5 of the 6 values that its header promises")
    );
    let newer = error(&[
        ("x", table()),
        ("y", labels()),
        ("x_test", table()),
        ("y_test", npy("|u1", "(3,)", &[2, 7, 9])),
    ]);
    assert!(
        newer
            .to_string()
            .contains("label 9 of test row 3 is beyond the 2 classes")
    );
}

#[test]
fn missing_values_are_an_error_or_take_the_mean() {
    let x = npy("<f4", "(3, 1)", &floats(&[0.5, f32::NAN, 1.5]));
    let (_dir, spec) = archive(&[("x", x), ("y", labels())], false);
    let error = load(&spec, &LoadOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("row 2 of the inputs has a missing value (NaN)")
    );
    let options = LoadOptions {
        missing: Missing::Mean,
        ..LoadOptions::default()
    };
    assert!(
        load(&spec, &options)
            .unwrap()
            .features()
            .cell(1, 0)
            .is_nan()
    );
}

#[test]
fn archives_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.npz");
    let whole = zip(&[("x", table()), ("y", labels())], true);
    let options = LoadOptions {
        format: Some(Format::Npz),
        ..LoadOptions::default()
    };
    for cut in [0, 3, 60, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = load(&path.to_string_lossy(), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        assert!(error.to_string().contains("not a ZIP archive"), "{error}");
    }
    // A flipped value does not escape the checksum.
    let mut flipped = zip(&[("x", table()), ("y", labels())], false);
    let at = flipped
        .windows(4)
        .position(|bytes| bytes == 2.5f32.to_le_bytes())
        .unwrap();
    flipped[at] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    let error = load(&path.to_string_lossy(), &options).unwrap_err();
    assert!(
        error.to_string().ends_with("its checksum is another"),
        "{error}"
    );
}
