//! Inputs as users have them: folders of pictures, arrays, data sets.

use std::path::Path;

use super::*;
use crate::arrays::tests::{floats, npy, zip};
use crate::pictures::tests::plain;

const PICTURES: [Option<usize>; 4] = [None, Some(3), Some(2), Some(2)];

fn wanted<'a>(name: &'a str, axes: &'a [Option<usize>]) -> Wanted<'a> {
    Wanted { name, axes }
}

fn read(path: &Path, axes: &[Option<usize>], options: &InputOptions) -> Result<Rows> {
    read_input(&path.to_string_lossy(), &wanted("x", axes), options)
}

#[test]
fn pictures_of_any_folder_and_size_are_rows_in_the_order_of_their_paths() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("b.png", &plain(2, 2, [51, 0, 0]));
    put("a/z.png", &plain(8, 4, [102, 0, 0]));
    put("c/d/e.PNG", &plain(2, 6, [153, 0, 0]));
    put(".hidden/f.png", &plain(2, 2, [255, 0, 0]));
    put("notes.txt", b"no picture");
    let options = InputOptions::default();
    let rows = read(dir.path(), &PICTURES, &options).unwrap();
    assert_eq!(rows.count(), 3);
    let red = |rows: &Rows, at: usize| rows.pick(&[at]).1[0];
    assert_eq!([0, 1, 2].map(|at| red(&rows, at)), [0.4, 0.2, 0.6]);
    let scaled = InputOptions {
        pixels: Pixels {
            top: 255.0,
            mean: vec![51.0, 1.0, 2.0],
            std: vec![2.0],
        },
        ..options.clone()
    };
    let rows = read(dir.path(), &PICTURES, &scaled).unwrap();
    let row = [
        25.5, 25.5, 25.5, 25.5, -0.5, -0.5, -0.5, -0.5, -1.0, -1.0, -1.0, -1.0,
    ];
    assert_eq!(rows.pick(&[0]), (vec![1, 3, 2, 2], row.to_vec()));
    // Channels last.
    let rows = read(dir.path(), &[None, Some(2), Some(2), Some(3)], &scaled).unwrap();
    assert_eq!(rows.pick(&[0]).1[..6], [25.5, -0.5, -1.0, 25.5, -0.5, -1.0]);
    let few = InputOptions {
        rows: 2,
        ..options.clone()
    };
    assert_eq!(read(dir.path(), &PICTURES, &few).unwrap().count(), 2);
    // A link that leads back brings none a second time, and what is no file has no end.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.path(), dir.path().join("c/back")).unwrap();
        assert_eq!(read(dir.path(), &PICTURES, &options).unwrap().count(), 3);
        let error = read(Path::new("/dev/zero"), &PICTURES, &options).unwrap_err();
        assert!(error.to_string().contains("a pipe or a device"), "{error}");
    }
    let one = read(&dir.path().join("b.png"), &PICTURES, &options).unwrap();
    assert_eq!((one.count(), red(&one, 0)), (1, 0.2));
    let error = read(dir.path(), &[None, Some(3), None, None], &options).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("height and width of 'x' are open"),
        "{error}"
    );
    let error = read(dir.path(), &[None, Some(12)], &options).unwrap_err();
    assert!(error.to_string().contains("reads no pictures"), "{error}");
}

#[test]
fn the_middle_of_a_picture_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wide.png");
    // Black, white, black.
    let mut picture = image::RgbImage::new(6, 2);
    for (x, y) in [(2, 0), (3, 0), (2, 1), (3, 1)] {
        picture.put_pixel(x, y, image::Rgb([255; 3]));
    }
    picture.save(&path).unwrap();
    let rows = read(&path, &PICTURES, &InputOptions::default()).unwrap();
    assert_eq!(rows.pick(&[0]).1, [1.0; 12]);
}

#[test]
fn arrays_are_rows_and_archives_have_one_for_each_input() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let options = InputOptions::default();
    let lone = put(
        "lone.npy",
        &npy("<f4", "(2, 3)", &floats(&[1., 2., 3., 4., 5., 6.])),
    );
    let rows = read(&lone, &[Some(1), Some(3)], &options).unwrap();
    assert_eq!(rows.pick(&[1]), (vec![1, 3], vec![4.0, 5.0, 6.0]));
    // Bytes that are no pictures stay what they are, those of pictures are pixels.
    let bytes = put("bytes.npy", &npy("|u1", "(1, 4)", &[0, 51, 102, 255]));
    let rows = read(&bytes, &[None, Some(4)], &options).unwrap();
    assert_eq!(rows.pick(&[0]).1, [0.0, 51.0, 102.0, 255.0]);
    let rows = read(&bytes, &[None, Some(1), Some(2), Some(2)], &options).unwrap();
    assert_eq!(rows.pick(&[0]).1, [0.0, 0.2, 0.4, 1.0]);
    // True and false are 1 and 0 everywhere.
    let bools = put("bools.npy", &npy("|b1", "(1, 4)", &[0, 1, 1, 0]));
    let rows = read(&bools, &[None, Some(1), Some(2), Some(2)], &options).unwrap();
    assert_eq!(rows.pick(&[0]).1, [0.0, 1.0, 1.0, 0.0]);
    let (x, y) = (
        npy("<f4", "(2, 1)", &floats(&[1., 2.])),
        npy("<i8", "(2, 1)", &[3i64, 4].map(i64::to_le_bytes).concat()),
    );
    let both = put("both.npz", &zip(&[("x", x), ("y", y)], true));
    let axes = [None, Some(1)];
    let all = [wanted("y", &axes), wanted("x", &axes)];
    let spec = both.to_string_lossy();
    let found = read_inputs(&spec, &all, &options).unwrap();
    assert_eq!(found[0].pick(&[0, 1]).1, [3.0, 4.0]);
    assert_eq!(found[1].pick(&[0, 1]).1, [1.0, 2.0]);
    let error = read_inputs(&spec, &[all[0].clone(), wanted("z", &axes)], &options).unwrap_err();
    assert!(error.to_string().ends_with("has no array 'z'"), "{error}");
    assert_eq!(error.hint_text(), Some("it has x, y"));
    let error = read_inputs(&lone.to_string_lossy(), &all, &options).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is one input, and the network has 2: y, x"),
        "{error}"
    );
    let few = InputOptions { rows: 1, ..options };
    assert_eq!(read(&lone, &[None, Some(3)], &few).unwrap().count(), 1);
}

#[test]
fn data_sets_give_their_rows_for_training() {
    let axes = [None, Some(1), Some(8), Some(8)];
    let options = InputOptions {
        rows: 10,
        ..InputOptions::default()
    };
    let rows = read_input("digits", &wanted("x", &axes), &options).unwrap();
    assert_eq!(rows.count(), 10);
    assert!(
        rows.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
            .1
            .iter()
            .any(|&v| v > 0.0)
    );
    let other = InputOptions {
        seed: 1,
        ..options.clone()
    };
    assert_ne!(
        read_input("digits", &wanted("x", &axes), &other).unwrap(),
        rows
    );
    assert_eq!(
        read_input("digits", &wanted("x", &axes), &options).unwrap(),
        rows
    );
    assert!(read_input("no-such-set", &wanted("x", &axes), &options).is_err());
}

#[test]
fn positions_are_drawn_once_each_and_in_order() {
    let some = drawn(100, 30, 5);
    assert_eq!(some.len(), 30);
    assert!(some.windows(2).all(|pair| pair[0] < pair[1]) && some[29] < 100);
    assert_eq!(
        (drawn(3, 5, 1), drawn(4, 4, 2)),
        (vec![0, 1, 2], vec![0, 1, 2, 3])
    );
}
