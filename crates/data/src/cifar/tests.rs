//! CIFAR folders as they should be, and each way in which they may be wrong.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

use super::*;
use crate::load::load;
use crate::options::Format;

/// Records whose picture is the label's value everywhere, but for its first byte of each channel: 1, 2 and 3.
fn batch(labels: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in labels {
        bytes.extend(*label);
        for channel in 1..=3 {
            bytes.push(channel);
            bytes.extend([*label.last().unwrap(); 1023]);
        }
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

fn read(dir: &TempDir) -> Result<Dataset> {
    load(&dir.path().to_string_lossy(), &LoadOptions::default())
}

#[test]
fn batches_are_read_in_order_and_named() {
    let dir = folder(&[
        ("data_batch_2.bin", batch(&[&[2]])),
        ("data_batch_1.bin.gz", gzip(&batch(&[&[0], &[9]]))),
        ("test_batch.bin", batch(&[&[5]])),
    ]);
    let set = read(&dir).unwrap();
    assert_eq!((set.rows(), set.inputs(), set.outputs()), (4, 3072, 10));
    assert_eq!(set.labels().unwrap(), [0, 9, 2, 5]);
    assert_eq!(set.test_rows(), Some(3..4));
    assert_eq!(set.shape(), [3, 32, 32]);
    assert_eq!(
        set.notes(),
        [
            "training images from data_batch_1.bin.gz and data_batch_2.bin; 3 others of the set are not there"
        ]
    );
    // Channels stay apart, as in the file.
    for channel in 0..3 {
        assert_eq!(set.features().cell(1, channel * 1024), 1.0 + channel as f32);
        assert_eq!(set.features().cell(1, channel * 1024 + 1), 9.0);
    }
    let Target::Classes { names, .. } = set.target() else {
        panic!("pictures have classes");
    };
    assert_eq!((names[0].as_str(), names[9].as_str()), ("0", "9"));
}

#[test]
fn a_hundred_classes_are_the_fine_ones() {
    let names: String = (0..100).map(|class| format!("fine{class}\n")).collect();
    let dir = folder(&[
        ("train.bin", batch(&[&[19, 99], &[0, 3]])),
        ("fine_label_names.txt", names.into_bytes()),
    ]);
    let set = read(&dir).unwrap();
    assert_eq!((set.rows(), set.outputs(), set.test_rows()), (2, 100, None));
    assert_eq!(set.labels().unwrap(), [99, 3]);
    let Target::Classes { names, .. } = set.target() else {
        panic!("pictures have classes");
    };
    assert_eq!(names[99], "fine99");
    assert!(set.notes()[0].ends_with("test rows are drawn from these"));
}

#[test]
fn what_is_wrong_is_told_by_file_and_record() {
    let whole = batch(&[&[0], &[1]]);
    let error = |name: &str, bytes: Vec<u8>| read(&folder(&[(name, bytes)])).unwrap_err();
    let cut = error("data_batch_3.bin", whole[..whole.len() - 1].to_vec());
    assert_eq!(cut.kind(), ErrorKind::Malformed);
    assert!(
        cut.to_string()
            .ends_with("data_batch_3.bin: ends after 3072 of the 3073 bytes of record 2"),
        "{cut}"
    );
    let label = error("data_batch_1.bin", batch(&[&[0], &[10]]));
    assert!(
        label
            .to_string()
            .ends_with("record 2 starts with [10], which is no label of CIFAR-10"),
        "{label}"
    );
    let gz = gzip(&whole);
    let packed = error("data_batch_1.bin.gz", gz[..gz.len() - 9].to_vec());
    assert_eq!(packed.kind(), ErrorKind::Malformed);
    assert_eq!(
        error("data_batch_1.bin", Vec::new()).kind(),
        ErrorKind::Degenerate
    );
    assert_eq!(
        error("test_batch.bin", whole.clone()).kind(),
        ErrorKind::NotFound
    );
    // Images for testing are never trained on instead.
    let dir = folder(&[("data_batch_1.bin", Vec::new()), ("test_batch.bin", whole)]);
    let error = read(&dir).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Degenerate, "{error}");
}

#[test]
fn names_that_are_too_few_are_refused() {
    let dir = folder(&[
        ("data_batch_1.bin", batch(&[&[0], &[1]])),
        ("batches.meta.txt", b"cat\ndog\n\n".to_vec()),
    ]);
    let error = read(&dir).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("batches.meta.txt: 2 names for the 10 classes of CIFAR-10"),
        "{error}"
    );
}

#[test]
fn pictures_beyond_the_limit_are_refused_and_the_format_may_be_given() {
    let dir = folder(&[("train.bin.gz", gzip(&batch(&[&[0, 0], &[1, 1], &[2, 2]])))]);
    let mut options = LoadOptions {
        format: Some(Format::Cifar100),
        max_bytes: 2 * 3072,
        ..LoadOptions::default()
    };
    let spec = dir.path().to_string_lossy().into_owned();
    assert_eq!(load(&spec, &options).unwrap_err().kind(), ErrorKind::Limit);
    options.max_bytes = 3 * 3072;
    assert_eq!(load(&spec, &options).unwrap().rows(), 3);
    options.target = Some(vec!["1".into()]);
    assert_eq!(load(&spec, &options).unwrap_err().kind(), ErrorKind::Usage);
}
