//! Files of some length that take as much memory as they can: each within the multiple that its reader promises.
#![expect(
    clippy::print_stdout,
    reason = "how near the bounds are, with --nocapture"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use secateur_data::{LoadOptions, Missing, load};
use secateur_untrusted::{Folder, Memory, Reader, npy, peak_of};

#[global_allocator]
static MEMORY: Memory = Memory {};

const BYTES: usize = 1 << 18;

/// Memory is that of the whole program: one test at a time, from making its files on.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads plain files and compares what that took; whether they are a data set does not matter.
fn within(reader: Reader, what: &str, files: &[(&'static str, Vec<u8>)]) {
    let folder = Folder::new();
    folder.put(files);
    let spec = reader.spec(folder.path());
    for missing in [Missing::Error, Missing::Mean] {
        let options = LoadOptions {
            missing,
            ..LoadOptions::default()
        };
        let (read, peak) = peak_of(|| load(&spec, &options));
        let said = read.map_or_else(
            |error| error.to_string(),
            |set| format!("{} rows", set.rows()),
        );
        let said: String = said.chars().take(120).collect();
        let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        println!("{reader:?}, {what}: {} times; {said}", peak / bytes);
        let bound = reader.most(bytes, false, &options);
        assert!(peak <= bound, "{peak} bytes, not {bound}: {what}");
    }
}

/// `part` as often as makes [`BYTES`].
fn repeated(part: &str) -> String {
    part.repeat(BYTES / part.len())
}

#[test]
fn tables() {
    let _alone = alone();
    let row = |cell: &str| repeated(cell) + "0\n";
    let two = |one: &str, other: &str| row(one) + &row(other);
    let letters = ('A'..='Z').chain('a'..='z');
    let hot: String = letters
        .map(|letter| format!("{letter},0\n{letter},1\n"))
        .collect();
    let levels: String = (0..90).map(|at| format!("a{at},{}\n", at % 2)).collect();
    let tiny: String = (100..190)
        .map(|at| format!("a,1e-{at}\nb,2\nb,3\n"))
        .collect();
    let letter =
        |at: usize| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[at % 52]);
    let line = |at: usize| (0..30).flat_map(move |column| [letter(at + column), ',']);
    let lines: String = (0..52)
        .map(|at| line(at).collect::<String>() + "0\n")
        .collect();
    let long_name = format!("{},y\n{levels}", "n".repeat(BYTES));
    let texts = [
        ("no cells", row(",")),
        ("two rows of no cells", two(",", ",")),
        ("two rows of digits", two("1,", "2,")),
        ("a header and digits", two("a,", "2,")),
        ("two rows of letters", two("a,", "b,")),
        ("names, then two rows", two("a,", "b,") + &row("c,")),
        ("cells between spaces", row("1 ") + &row("2 ")),
        ("short rows", repeated("1\n2\n")),
        ("empty lines", repeated("\n")),
        ("quotes", repeated("\"")),
        ("quoted cells", two("\"\",", "\"\",")),
        ("one cell", row("1")),
        ("one letter a row", repeated(&hot)),
        ("thirty letters a row", repeated(&lines)),
        ("a long name with many values", long_name),
        ("small numbers", repeated(&tiny)),
    ];
    for (what, text) in texts {
        within(Reader::Table, what, &[("table.csv", text.into_bytes())]);
    }
}

#[test]
fn arrays() {
    let _alone = alone();
    let bytes: Vec<u8> = (0..BYTES).map(|at| (at / 7) as u8).collect();
    let flat = format!("({BYTES}, 1)");
    let y = npy("|u1", &flat, "True", &bytes);
    for (what, x) in [
        ("bytes", npy("|u1", &flat, "True", &bytes)),
        ("signed bytes", npy("|i1", &flat, "True", &bytes)),
    ] {
        within(Reader::Npy, what, &[("x.npy", x), ("y.npy", y.clone())]);
    }
    let test = npy("|i1", "(1, 1)", "True", &[1]);
    let parts = [
        ("x.npy", npy("|u1", &flat, "True", &bytes)),
        ("y.npy", y.clone()),
        ("x_test.npy", test.clone()),
        ("y_test.npy", test),
    ];
    within(Reader::Npy, "bytes and signed bytes", &parts);
}

#[test]
fn idx() {
    let _alone = alone();
    let count = (BYTES as u32).to_be_bytes();
    let bytes: Vec<u8> = (0..BYTES).map(|at| (at / 7) as u8).collect();
    let labels = [&[0, 0, 8, 1], &count, &bytes[..]].concat();
    let images = [&[0, 0, 8, 2], &count, &[0, 0, 0, 1], &bytes[..]].concat();
    let files = [
        ("train-images-idx2-ubyte", images),
        ("train-labels-idx1-ubyte", labels),
    ];
    within(Reader::Idx, "a pixel an image", &files);
}

#[test]
fn headers_that_promise_much_cost_nothing() {
    let _alone = alone();
    let files = [
        ("x.npy", npy("<f4", "(1000000, 4)", "False", &[0; 64])),
        ("y.npy", npy("|u1", "(1000000,)", "False", &[0; 64])),
    ];
    within(Reader::Npy, "promises", &files);
}
