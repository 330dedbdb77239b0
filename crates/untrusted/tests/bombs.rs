//! Small files that ask for much: each meets its limit before the memory is taken.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flate2::{Compression, write::ZlibEncoder};
use secateur_data::{ErrorKind, LoadOptions, load};
use secateur_untrusted::{
    Folder, Memory, Reader, chunk, grey_png, gzip, npy, onnx_limits, peak_of, zip,
};

#[global_allocator]
static MEMORY: Memory = Memory {};

/// Memory is that of the whole program: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Reads a set, one of whose files is a bomb, under narrow limits; what that says.
fn refused(reader: Reader, files: &[(&'static str, Vec<u8>)], options: &LoadOptions) -> String {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Folder::new();
    folder.put(files);
    let spec = reader.spec(folder.path());
    let (read, peak) = peak_of(|| load(&spec, options));
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(error.hint_text().is_some(), "{error}");
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let bound = reader.most(bytes, true, options);
    assert!(peak <= bound, "{peak} bytes, not {bound}: {error}");
    let place = Path::new(error.file().unwrap());
    let name = place.file_name().unwrap().to_string_lossy();
    let message = error.to_string();
    format!("{name}: {}", message.rsplit(": ").next().unwrap())
}

fn told(name: &str, most: u64) -> String {
    format!("{name}: unpacks to more than {most} bytes")
}

fn most(reader: Reader, bytes: &[u8]) -> u64 {
    reader.options().expansion.most(bytes.len() as u64)
}

#[test]
fn tables() {
    let bytes = gzip(&b"1,2.5\n".repeat(1 << 20));
    let wanted = told("table.csv", most(Reader::Table, &bytes));
    let files = [("table.csv", bytes)];
    assert_eq!(
        refused(Reader::Table, &files, &Reader::Table.options()),
        wanted
    );
    // What is honest is read as soon as it may take so much.
    let folder = Folder::new();
    folder.put(&[("table.csv", gzip(&b"1,2\n2,2\n3,1\n".repeat(10_000)))]);
    assert!(load(&Reader::Table.spec(folder.path()), &LoadOptions::default()).is_ok());
}

#[test]
fn idx() {
    let count = 1u32 << 20;
    let [a, b, c, d] = count.to_be_bytes();
    let images = [vec![0, 0, 8, 2, a, b, c, d, 0, 0, 0, 2], vec![0; 2 << 20]].concat();
    let labels = [vec![0, 0, 8, 1, a, b, c, d], vec![0; 1 << 20]].concat();
    let images = gzip(&images);
    let wanted = told("train-images-idx2-ubyte", most(Reader::Idx, &images));
    let files = [
        ("train-images-idx2-ubyte", images),
        ("train-labels-idx1-ubyte", labels),
    ];
    // The labels are plain, and allow no more for the images.
    assert_eq!(refused(Reader::Idx, &files, &Reader::Idx.options()), wanted);
}

#[test]
fn arrays() {
    let x = npy("|u1", "(1048576, 2)", "False", &vec![0; 2 << 20]);
    let y = npy("|u1", "(1048576,)", "False", &vec![0; 1 << 20]);
    let options = Reader::Npz.options();
    let archive = zip(&[("x.npy", &x), ("y.npy", &y)], true);
    let message = refused(Reader::Npz, &[("set.npz", archive)], &options);
    assert!(message.contains("unpacks to more than"), "{message}");
    let files = [("x.npy", gzip(&x)), ("y.npy", y)];
    let message = refused(Reader::Npy, &files, &options);
    assert!(message.starts_with("x.npy: unpacks to more"), "{message}");
}

#[test]
fn cifar() {
    let bytes = gzip(&vec![0; 3_073 * 1_000]);
    let wanted = told("data_batch_1.bin", most(Reader::Cifar, &bytes));
    let files = [("data_batch_1.bin", bytes)];
    assert_eq!(
        refused(Reader::Cifar, &files, &Reader::Cifar.options()),
        wanted
    );
}

#[test]
fn pictures_that_say_or_have_more_pixels_than_they_may() {
    let options = Reader::Pictures.options();
    for rows in [500, 3_000] {
        let bytes = grey_png(3_000, 3_000, rows, &[]);
        assert!(bytes.len() < 10_000);
        let message = refused(
            Reader::Pictures,
            &[("a/0.png", bytes.clone()), ("b/1.png", bytes)],
            &options,
        );
        assert!(
            message.contains("3000 x 3000 pixels take 9000000 bytes"),
            "{message}"
        );
    }
}

/// Such a profile is left out, as the colours of a picture are taken as they are.
#[test]
fn pictures_with_a_long_profile_of_colours() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut encoder = ZlibEncoder::new(b"name\0\0".to_vec(), Compression::best());
    encoder.write_all(&vec![0; 64 << 20]).unwrap();
    let profile = chunk(b"iCCP", &encoder.finish().unwrap());
    let plain = grey_png(4, 4, 4, &[]);
    let folder = Folder::new();
    let files = |bytes| [("a/0.png", bytes), ("b/1.png", plain.clone())];
    folder.put(&files(plain.clone()));
    let options = LoadOptions {
        expansion: Reader::Pictures.options().expansion,
        ..LoadOptions::default()
    };
    let spec = Reader::Pictures.spec(folder.path());
    // Threads and the like are there from here on.
    assert!(load(&spec, &options).is_ok());
    let long = grey_png(4, 4, 4, &[profile]);
    let most = options.expansion.most(long.len() as u64);
    folder.put(&files(long));
    let (read, peak) = peak_of(|| load(&spec, &options));
    assert_eq!(read.unwrap().rows(), 2);
    assert!(peak < 3 * most, "{peak} bytes, {most} allowed a picture");
}

#[test]
fn pictures_that_grow_when_they_are_resized() {
    let mut options = Reader::Pictures.options();
    options.expansion.free = 1 << 17;
    options.size = Some((200, 200));
    let files = [
        ("a/0.png", grey_png(60_000, 1, 1, &[])),
        ("b/1.png", grey_png(60_000, 1, 1, &[])),
    ];
    let message = refused(Reader::Pictures, &files, &options);
    assert!(
        message.ends_with("resizing 60000 x 1 pixels to 200 x 200 takes 192000000 bytes"),
        "{message}"
    );
}

#[test]
fn many_pictures_that_each_take_little() {
    let one = grey_png(126, 126, 126, &[]);
    let names = ["a/0.png", "a/1.png", "b/2.png", "b/3.png"];
    let files = names.map(|name| (name, one.clone()));
    let mut options = Reader::Pictures.options();
    options.expansion.ratio = 100;
    assert!(one.len() * 100 < 126 * 126);
    let message = refused(Reader::Pictures, &files, &options);
    assert!(
        message.ends_with("the pixels take 63504 bytes"),
        "{message}"
    );
}

#[test]
fn models_of_many_empty_messages() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limits = onnx_limits();
    let nodes = [0x0a, 0x00].repeat(1 << 19);
    let graph = [&[0x3a, 0x80, 0x80, 0x40][..], &nodes].concat();
    let (read, peak) = peak_of(|| secateur_onnx::read(&graph, &limits));
    assert_eq!(read.unwrap_err().kind(), secateur_onnx::ErrorKind::Limit);
    assert!(peak < 4 * limits.max_slot_bytes as u64, "{peak}");
}
