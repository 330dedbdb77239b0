//! Folders of pictures as they should be, and each way in which they may be wrong.

use image::{ExtendedColorType, ImageEncoder};
use tempfile::TempDir;

use super::*;
use crate::duplicates::first_equal_rows;
use crate::load::load;
use crate::options::Format;
use crate::standardise::{Scaling, Standardiser};

fn png(height: u32, width: u32, colour: ExtendedColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, colour)
        .unwrap();
    bytes
}

/// A picture of one colour.
pub(crate) fn plain(height: u32, width: u32, colour: [u8; 3]) -> Vec<u8> {
    let pixels = colour.repeat((height * width) as usize);
    png(height, width, ExtendedColorType::Rgb8, &pixels)
}

fn jpeg(height: u32, width: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = colour.repeat((height * width) as usize);
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100)
        .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

fn put(dir: &TempDir, name: &str, bytes: &[u8]) {
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Two cats and a dog of 2 x 3 pixels.
fn pets() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let six: Vec<u8> = (1..=18).collect();
    put(&dir, "dog/a.PNG", &plain(2, 3, [10, 20, 30]));
    put(&dir, "cat/b.png", &png(2, 3, ExtendedColorType::Rgb8, &six));
    put(&dir, "cat/c.jpeg", &jpeg(2, 3, [200, 200, 200]));
    dir
}

fn read_with(dir: &TempDir, set: impl FnOnce(&mut LoadOptions)) -> Result<Dataset> {
    let mut options = LoadOptions::default();
    set(&mut options);
    load(&dir.path().to_string_lossy(), &options)
}

#[test]
fn folders_are_classes_and_channels_lie_one_after_another() {
    let dir = pets();
    put(&dir, "cat/notes.txt", b"purrs");
    std::fs::create_dir(dir.path().join("bird")).unwrap();
    let set = read_with(&dir, |_| {}).unwrap();
    assert_eq!((set.rows(), set.shape()), (3, &[3, 2, 3][..]));
    assert_eq!(set.labels().unwrap(), [0, 0, 1]);
    assert!(matches!(set.target(), Target::Classes { names, .. } if names == &["cat", "dog"]));
    let row = |row: usize| {
        (0..18)
            .map(|c| set.features().cell(row, c) as u8)
            .collect::<Vec<_>>()
    };
    assert_eq!(row(0)[..7], [1, 4, 7, 10, 13, 16, 2]);
    assert!(
        row(1).iter().all(|&pixel| pixel.abs_diff(200) <= 1),
        "{:?}",
        row(1)
    );
    assert_eq!(row(2)[5..7], [10, 20]);
    assert_eq!(
        set.notes(),
        [
            "folder `bird` has no pictures and is no class",
            "1 files are not named as pictures and are not read"
        ]
    );
}

#[test]
fn test_pictures_may_lie_beside_training_pictures() {
    for test in ["test", "val"] {
        let dir = tempfile::tempdir().unwrap();
        put(&dir, "train/a/1.png", &plain(1, 1, [1, 1, 1]));
        put(&dir, "train/b/1.png", &plain(1, 1, [2, 2, 2]));
        put(&dir, &format!("{test}/b/1.png"), &plain(1, 1, [3, 3, 3]));
        let set = read_with(&dir, |_| {}).unwrap();
        assert_eq!(
            (set.test_rows(), set.labels().unwrap()),
            (Some(2..3), &[0, 1, 1][..])
        );
        put(&dir, &format!("{test}/c/1.png"), &plain(1, 1, [3, 3, 3]));
        let error = read_with(&dir, |_| {}).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("class `c` has no pictures for training")
        );
    }
}

#[test]
fn colours_go_where_there_are_none_or_where_asked() {
    let dir = tempfile::tempdir().unwrap();
    put(&dir, "a/1.png", &png(1, 2, ExtendedColorType::L8, &[7, 8]));
    put(
        &dir,
        "b/1.png",
        &png(1, 2, ExtendedColorType::La8, &[9, 255, 5, 0]),
    );
    let set = read_with(&dir, |_| {}).unwrap();
    assert_eq!(set.shape(), [1, 1, 2]);
    assert_eq!(
        (set.features().cell(0, 1), set.features().cell(1, 1)),
        (8.0, 5.0)
    );
    put(&dir, "b/2.png", &plain(1, 2, [90, 90, 90]));
    let set = read_with(&dir, |_| {}).unwrap();
    assert_eq!(
        (set.shape(), set.features().cell(0, 5)),
        (&[3, 1, 2][..], 8.0)
    );
    let set = read_with(&dir, |options| options.gray = true).unwrap();
    assert_eq!(
        (set.shape(), set.features().cell(2, 0)),
        (&[1, 1, 2][..], 90.0)
    );
}

#[test]
fn other_sizes_are_refused_or_resized() {
    let dir = pets();
    put(&dir, "cat/d.png", &plain(8, 8, [50, 60, 70]));
    let error = read_with(&dir, |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("d.png: 8 x 8 pixels (height x width) where the first picture has 2 x 3"),
        "{error}"
    );
    assert!(error.hint_text().unwrap().contains("--size"));
    let set = read_with(&dir, |options| options.size = Some((4, 2))).unwrap();
    assert_eq!(set.shape(), [3, 4, 2]);
    assert_eq!(
        (set.features().cell(2, 0), set.features().cell(2, 23)),
        (50.0, 70.0)
    );
    let error = read_with(&dir, |options| options.size = Some((0, 2))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn pictures_stay_in_files_where_they_do_not_fit_and_are_the_same() {
    let dir = pets();
    put(&dir, "dog/b.png", &plain(2, 3, [10, 20, 30]));
    let memory = read_with(&dir, |_| {}).unwrap();
    // Room for a file, but not for all pixels.
    let limited = |on_demand| {
        read_with(&dir, |options| {
            options.max_bytes = 4_000;
            options.size = Some((20, 30));
            options.on_demand = on_demand;
        })
    };
    assert_eq!(limited(false).unwrap_err().kind(), ErrorKind::Limit);
    assert!(matches!(
        limited(true).unwrap().features().storage(),
        Storage::Files(_)
    ));
    let vast = read_with(&dir, |options| {
        options.size = Some((u32::MAX as usize, u32::MAX as usize));
        options.on_demand = true;
    });
    assert_eq!(vast.unwrap_err().kind(), ErrorKind::Limit);
    let paths: Vec<_> = ["cat/b.png", "cat/c.jpeg", "dog/a.PNG", "dog/b.png"]
        .iter()
        .map(|name| dir.path().join(name))
        .collect();
    let files = ImageFiles::new(
        paths.clone(),
        memory.image().unwrap(),
        Fitting::AsItIs,
        Bounds::of(&LoadOptions::default()),
    )
    .unwrap();
    let features = Features::new(Storage::Files(files), 18).unwrap();
    assert_eq!(
        first_equal_rows(&features),
        first_equal_rows(memory.features())
    );
    let files = Dataset::new("t", features, memory.target().clone())
        .unwrap()
        .with_image(memory.image().unwrap());
    let rows = [3, 0, 1, 1];
    for scaling in [
        Scaling::PerFeature,
        Scaling::None,
        Scaling::measure_channels(&memory, &[0, 1, 2]).unwrap(),
        Scaling::measure_channels(&files, &[0, 1, 2]).unwrap(),
    ] {
        let by = files.standardiser(&[0, 1, 2], scaling.clone()).unwrap();
        let other = memory.standardiser(&[0, 1, 2], scaling).unwrap();
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(close(by.shift(), other.shift()) && close(by.scale(), other.scale()));
        for columns in [None, Some(&[17, 2, 9][..])] {
            let width = columns.map_or(18, <[u32]>::len);
            let (mut a, mut b) = (vec![0.0; 4 * width], vec![1.0; 4 * width]);
            files.try_gather(&rows, columns, &by, &mut a).unwrap();
            memory.gather(&rows, columns, &by, &mut b);
            assert_eq!(a, b);
        }
    }
    // What happens to a file after loading is an error, of the first such row in order.
    std::fs::remove_file(&paths[0]).unwrap();
    std::fs::write(&paths[3], plain(3, 3, [0, 0, 0])).unwrap();
    let raw = Standardiser::identity(18);
    let error = |rows: &[u32]| {
        files
            .try_gather(rows, None, &raw, &mut vec![0.0; rows.len() * 18])
            .unwrap_err()
    };
    assert_eq!(error(&[1, 0, 3]).kind(), ErrorKind::NotFound);
    assert!(error(&[1, 3, 0]).to_string().contains("3 x 3 pixels"));
}

#[test]
fn damaged_pictures_are_errors_that_name_them() {
    let whole = [plain(2, 3, [1, 2, 3]), jpeg(2, 3, [1, 2, 3])];
    for (name, bytes) in ["cat/z.png", "cat/z.jpg"].into_iter().zip(whole) {
        for cut in 0..bytes.len() - 1 {
            let dir = pets();
            put(&dir, name, &bytes[..cut]);
            // The end mark of a PNG comes after its pixels, and the decoder does without.
            if let Err(error) = read_with(&dir, |_| {}) {
                assert!(error.file().unwrap().contains("cat/z."), "{error}");
            } else {
                assert!(cut > bytes.len() - 20, "{name} of {cut} bytes");
            }
        }
    }
    let dir = pets();
    put(&dir, "cat/z.png", b"no picture");
    let error = read_with(&dir, |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("neither a PNG, a JPEG nor a WebP picture")
    );
}

#[test]
fn headers_that_promise_too_much_cost_no_memory() {
    let dir = pets();
    let mut huge = plain(2, 3, [1, 2, 3]);
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    put(&dir, "cat/a.png", &huge);
    let error = read_with(&dir, |options| options.size = Some((2, 3))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("65536 x 65536 pixels cannot be in a file of"),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |options: &mut LoadOptions| options.format = Some(Format::ImageFolder);
    assert_eq!(
        read_with(&dir, folder).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    put(&dir, "only/1.png", &plain(1, 1, [1, 1, 1]));
    assert_eq!(
        read_with(&dir, folder).unwrap_err().kind(),
        ErrorKind::Degenerate
    );
    let digits = LoadOptions {
        gray: true,
        ..LoadOptions::default()
    };
    assert_eq!(
        load("digits", &digits).unwrap_err().kind(),
        ErrorKind::Usage
    );
}
