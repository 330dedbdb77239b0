//! IDX folders as they should be, and each way in which they may be wrong.

use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// Three training and two test images of 2 x 2.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(dir.path().join(name), bytes).unwrap();
    put(
        TRAIN_IMAGES,
        idx(&[3, 2, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    );
    put(TRAIN_LABELS, idx(&[3], &[4, 9, 4]));
    put(
        TEST_IMAGES,
        idx(&[2, 2, 2], &[13, 14, 15, 16, 17, 18, 19, 20]),
    );
    put(TEST_LABELS, idx(&[2], &[9, 9]));
    dir
}

fn read_folder(folder: &Path) -> Result<Dataset> {
    read(folder, "set", &LoadOptions::default())
}

/// The error once `name` holds `bytes`, its file without the folder, and the message.
fn error_with(name: &str, bytes: &[u8]) -> (ErrorKind, String) {
    let dir = folder();
    std::fs::write(dir.path().join(name), bytes).unwrap();
    let error = read_folder(dir.path()).unwrap_err();
    let message = error
        .to_string()
        .replace(&format!("{}/", dir.path().display()), "");
    (error.kind(), message)
}

#[test]
fn test_rows_follow_training_rows_and_labels_become_classes() {
    let dir = folder();
    let set = read_folder(dir.path()).unwrap();
    assert_eq!((set.rows(), set.inputs(), set.outputs()), (5, 4, 2));
    assert_eq!(set.test_rows(), Some(3..5));
    assert_eq!(set.labels(), Some([0, 1, 0, 1, 1].as_slice()));
    assert_eq!(set.features().cell(4, 3), 20.0);
    assert_eq!(
        set.image(),
        Some(ImageShape {
            height: 2,
            width: 2,
            channels: 1
        })
    );
    for name in [TEST_IMAGES, TEST_LABELS] {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    let set = read_folder(dir.path()).unwrap();
    assert_eq!((set.rows(), set.test_rows()), (3, None));
}

#[test]
fn gzipped_and_dotted_names_read_alike() {
    let dir = folder();
    let plain = read_folder(dir.path()).unwrap();
    for name in [TRAIN_IMAGES, TEST_LABELS] {
        let path = dir.path().join(name);
        let packed = dir
            .path()
            .join(format!("{}.gz", name.replace("-idx", ".idx")));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&std::fs::read(&path).unwrap()).unwrap();
        std::fs::write(packed, encoder.finish().unwrap()).unwrap();
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(read_folder(dir.path()).unwrap(), plain);
}

#[test]
fn a_plain_file_is_taken_before_its_gzipped_copy_and_two_sets_are_refused() {
    let dir = folder();
    std::fs::write(dir.path().join(format!("{TRAIN_IMAGES}.gz")), b"not read").unwrap();
    assert!(read_folder(dir.path()).is_ok());
    std::fs::write(
        dir.path().join(format!("other-{TRAIN_IMAGES}")),
        b"not read",
    )
    .unwrap();
    assert_eq!(
        read_folder(dir.path()).unwrap_err().kind(),
        ErrorKind::Usage
    );
}

#[test]
fn headers_are_checked() {
    let malformed = |name, bytes: &[u8]| {
        let (kind, message) = error_with(name, bytes);
        assert_eq!(kind, ErrorKind::Malformed, "{message}");
        message
    };
    assert_eq!(
        malformed(TRAIN_IMAGES, b"\x89PNG\r\n\x1a\n"),
        "train-images-idx3-ubyte: magic number 0x89504e47 is not that of an IDX file"
    );
    assert_eq!(
        malformed(TRAIN_IMAGES, &[0, 0, 13, 3, 0, 0, 0, 1]),
        "train-images-idx3-ubyte: IDX values of type 0x0d, where only bytes (0x08) are read"
    );
    assert_eq!(
        malformed(TEST_LABELS, &[0, 0, 8, 1, 0]),
        "t10k-labels-idx1-ubyte: ends within the IDX header"
    );
    assert_eq!(
        malformed(TRAIN_IMAGES, &idx(&[3, 0, 2], &[])),
        "train-images-idx3-ubyte: rows of shape [0, 2]"
    );
    assert_eq!(
        malformed(TEST_IMAGES, &idx(&[1, 2, 3], &[0; 6])),
        "t10k-images-idx3-ubyte: rows of shape [2, 3] where training has [2, 2]"
    );
    assert_eq!(
        malformed(TRAIN_LABELS, &idx(&[3, 2], &[0; 6])),
        "train-labels-idx1-ubyte: not one label a row"
    );
}

#[test]
fn bytes_are_neither_too_few_nor_too_many() {
    assert_eq!(
        error_with(TRAIN_IMAGES, &idx(&[3, 2, 2], &[0; 11])).1,
        "train-images-idx3-ubyte: ends after 11 of the 12 bytes that its header promises"
    );
    assert_eq!(
        error_with(TRAIN_IMAGES, &idx(&[3, 2, 2], &[0; 13])).1,
        "train-images-idx3-ubyte: goes on after the 12 bytes that its header promises"
    );
    assert_eq!(
        error_with(TRAIN_LABELS, &idx(&[2], &[1, 2])).1,
        "train-labels-idx1-ubyte: 2 labels, but 3 images in train-images-idx3-ubyte"
    );
}

#[test]
fn a_header_that_promises_too_much_is_a_limit_and_costs_no_memory() {
    let (kind, message) = error_with(TRAIN_IMAGES, &idx(&[u32::MAX, 2, 2], &[0; 8]));
    assert_eq!(kind, ErrorKind::Limit, "{message}");
    // Without a limit, room is made for what so short a file can hold; for what its header says there is no memory.
    let dir = folder();
    let bytes = idx(&[3, u32::MAX, 1 << 28], &[0; 8]);
    std::fs::write(dir.path().join(TRAIN_IMAGES), bytes).unwrap();
    for name in [TEST_IMAGES, TEST_LABELS] {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    let options = LoadOptions {
        max_bytes: u64::MAX,
        ..LoadOptions::default()
    };
    let error = read(dir.path(), "set", &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
    let (kind, _) = error_with(
        TRAIN_IMAGES,
        &idx(&[u32::MAX, u32::MAX, u32::MAX, u32::MAX], &[]),
    );
    assert_eq!(kind, ErrorKind::Malformed);
}

#[test]
fn labels_must_be_known_and_of_several_classes() {
    assert_eq!(
        error_with(TEST_LABELS, &idx(&[2], &[9, 3])),
        (
            ErrorKind::Value,
            "t10k-labels-idx1-ubyte: label 3 of test row 2 is beyond the 2 classes of training"
                .into()
        )
    );
    let dir = folder();
    std::fs::write(dir.path().join(TRAIN_LABELS), idx(&[3], &[9, 9, 9])).unwrap();
    let error = read_folder(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Degenerate);
    assert!(
        error
            .to_string()
            .ends_with("all rows are of one class, `9`")
    );
}

#[test]
fn absent_files_and_empty_sets_are_named() {
    let dir = folder();
    std::fs::remove_file(dir.path().join(TEST_LABELS)).unwrap();
    let error = read_folder(dir.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .ends_with("t10k-images-idx3-ubyte: no labels beside this file")
    );
    let empty = tempfile::tempdir().unwrap();
    let error = read_folder(empty.path()).unwrap_err();
    assert!(error.to_string().ends_with("no IDX files for training"));
    let put = |name, bytes| std::fs::write(empty.path().join(name), bytes).unwrap();
    put(TRAIN_IMAGES, idx(&[0, 2, 2], &[]));
    put(TRAIN_LABELS, idx(&[0], &[]));
    assert_eq!(
        read_folder(empty.path()).unwrap_err().kind(),
        ErrorKind::Degenerate
    );
    // Images for testing are never trained on instead.
    put(TEST_IMAGES, idx(&[2, 2, 2], &[0; 8]));
    put(TEST_LABELS, idx(&[2], &[3, 4]));
    let error = read_folder(empty.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("train-images-idx3-ubyte: no images to train on"),
        "{error}"
    );
}

#[test]
fn channels_of_a_pixel_are_taken_apart() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: Vec<u8>| std::fs::write(dir.path().join(name), bytes).unwrap();
    let images: Vec<u8> = (1..=12).collect();
    put("train-images-idx4-ubyte", idx(&[2, 1, 2, 3], &images));
    put(TRAIN_LABELS, idx(&[2], &[0, 1]));
    let set = read_folder(dir.path()).unwrap();
    assert_eq!(set.shape(), [3, 1, 2]);
    let row: Vec<f32> = (0..6).map(|c| set.features().cell(1, c)).collect();
    assert_eq!(row, [7.0, 10.0, 8.0, 11.0, 9.0, 12.0]);
}
