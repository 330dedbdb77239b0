//! Damaged files: whatever the bytes, loading gives a data set or an error, never a panic.

use std::io::Read;
use std::path::Path;

use flate2::{Compression, read::GzEncoder};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::*;
use secateur_data::{LoadOptions, Missing, SplitOptions, Standardiser, load, split};

const TABLES: [&str; 5] = [
    "a,\"b, c\",y\n1,u,0.5\n2.5,v,1.5\n,u,2\n-3e4,\"w\"\"x\",4\n",
    "a;b\r\n1;0\r\n2;1\r\n3;0\r\n",
    "1\t2\t3.5\n4\t5\t6.5\n7\tNA\t9.5\n",
    " -2.3  0.568 0.11\n-2.2 0.568  0.27 \n1 2 3\n\n",
    "3,2,no,yes\n1,2,0\n3,4,1\n5,6,1\n",
];

/// One change to a file.
#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Half of the bytes are those that mean something to a reader.
    let byte = || {
        prop_oneof![
            any::<u8>(),
            prop::sample::select(b",;\t \"\n\r.-+eE?0123456789nafi\x00\x01\x08\xff\xef".to_vec()),
        ]
    };
    prop_oneof![
        (any::<prop::sample::Index>(), byte()).prop_map(|(at, to)| Damage::Set(at, to)),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (
            any::<prop::sample::Index>(),
            prop::collection::vec(byte(), 1..6)
        )
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        any::<prop::sample::Index>().prop_map(Damage::Remove),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &[Damage]) {
    for damage in damage {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        match damage {
            Damage::Set(at, to) => bytes[at.index(length)] = *to,
            Damage::Cut(at) => bytes.truncate(at.index(length)),
            Damage::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Remove(at) => {
                bytes.remove(at.index(length));
            }
        }
    }
}

fn gzip(mut bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    GzEncoder::new(&mut bytes, Compression::fast())
        .read_to_end(&mut packed)
        .expect("memory can be read");
    packed
}

fn npy(descr: &str, shape: &str, fortran: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], text.as_bytes(), values].concat()
}

/// An archive of one stored entry after another.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let size = (bytes.len() as u32).to_le_bytes();
        let (crc, length) = (crc.sum().to_le_bytes(), (name.len() as u16).to_le_bytes());
        let fields = [&[0; 8][..], &crc, &size, &size, &length, &[0, 0]].concat();
        let at = (file.len() as u32).to_le_bytes();
        file.extend([b"PK\x03\x04\x14\0", &fields[..], name.as_bytes(), bytes].concat());
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend([&fields[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let (size, at) = (directory.len() as u32, file.len() as u32);
    file.extend([&directory[..], b"PK\x05\x06\0\0\0\0\x02\0\x02\0"].concat());
    file.extend([&size.to_le_bytes()[..], &at.to_le_bytes(), &[0, 0]].concat());
    file
}

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A picture of 5 x 4 pixels whose colours differ by `shade`.
fn picture(jpeg: bool, shade: u8) -> Vec<u8> {
    let pixels: Vec<u8> = (0..60).map(|at| at * 3 + shade).collect();
    let mut bytes = Vec::new();
    let written = match jpeg {
        true => JpegEncoder::new(&mut bytes).write_image(&pixels, 4, 5, ExtendedColorType::Rgb8),
        false => PngEncoder::new(&mut bytes).write_image(&pixels, 4, 5, ExtendedColorType::Rgb8),
    };
    written.expect("memory can be written");
    bytes
}

/// Loads, and uses what was loaded: every row is split and standardised to finite values.
fn exercise(path: &Path) -> Result<(), TestCaseError> {
    for missing in [Missing::Error, Missing::Mean] {
        let options = LoadOptions {
            missing,
            max_bytes: 1 << 20,
            ..LoadOptions::default()
        };
        let set = match load(&path.to_string_lossy(), &options) {
            Ok(set) => set,
            Err(error) => {
                prop_assert!(error.file().is_some(), "{}", error);
                continue;
            }
        };
        let Ok(parts) = split(&set, 0, &SplitOptions::default()) else {
            continue;
        };
        let by = Standardiser::fit(set.features(), &parts.train, set.default_scaling());
        let rows: Vec<u32> = (0..set.rows() as u32).collect();
        let mut out = vec![f32::NAN; rows.len() * set.inputs()];
        set.gather(&rows, None, &by.unscaled(), &mut out);
        prop_assert!(out.iter().all(|value| value.is_finite()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn tables_never_panic(
        table in 0..TABLES.len(),
        damage in prop::collection::vec(damage(), 1..6),
        pack in any::<bool>(),
        damage_packed in prop::collection::vec(damage(), 0..2),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        let mut bytes = TABLES[table].as_bytes().to_vec();
        apply(&mut bytes, &damage);
        if pack {
            bytes = gzip(&bytes);
            apply(&mut bytes, &damage_packed);
        }
        std::fs::write(&path, &bytes).unwrap();
        exercise(&path)?;
    }

    #[test]
    fn idx_folders_never_panic(
        file in 0..4usize,
        damage in prop::collection::vec(damage(), 1..4),
        pack in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let images: Vec<u8> = (0..40).collect();
        let mut files = [
            ("train-images-idx3-ubyte", idx(&[10, 2, 2], &images)),
            ("train-labels-idx1-ubyte", idx(&[10], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1])),
            ("t10k-images-idx3-ubyte", idx(&[2, 2, 2], &images[32..])),
            ("t10k-labels-idx1-ubyte", idx(&[2], &[1, 0])),
        ];
        if pack {
            files[file].1 = gzip(&files[file].1);
        }
        apply(&mut files[file].1, &damage);
        for (name, bytes) in &files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        exercise(dir.path())?;
    }

    #[test]
    fn cifar_folders_never_panic(
        hundred in any::<bool>(),
        damage in prop::collection::vec(damage(), 1..4),
        pack in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let labels = |at: u8| if hundred { vec![at % 20, at] } else { vec![at] };
        let record = |at| [labels(at), vec![at; 3_072]].concat();
        let mut batch: Vec<u8> = (0..6).flat_map(record).collect();
        if pack {
            batch = gzip(&batch);
        }
        apply(&mut batch, &damage);
        let names = if hundred { ["train.bin", "test.bin"] } else { ["data_batch_1.bin", "test_batch.bin"] };
        std::fs::write(dir.path().join(names[0]), &batch).unwrap();
        std::fs::write(dir.path().join(names[1]), record(3)).unwrap();
        exercise(dir.path())?;
    }

    #[test]
    fn archives_of_arrays_never_panic(
        descr in prop::sample::select(vec!["|u1", ">i2", "<f2", "<f4"]),
        shape in prop::sample::select(vec!["(6, 4)", "(6, 2, 2)", "(6, 1, 2, 2)", "(6, 2, 1, 2, 1)", "(6, 0)", "(6,)"]),
        fortran in prop::sample::select(vec!["True", "False"]),
        damage in prop::collection::vec(damage(), 0..3),
        damage_packed in prop::collection::vec(damage(), 0..3),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let cells: Vec<u8> = (0..6 * 4 * if descr == "|u1" { 1 } else if descr == "<f4" { 4 } else { 2 }).collect();
        let mut x = npy(descr, shape, fortran, &cells);
        apply(&mut x, &damage);
        let y = npy("|u1", "(6,)", "False", &[0, 1, 0, 1, 0, 1]);
        let path = dir.path().join("set.npz");
        let mut bytes = zip(&[("x.npy", &x), ("y.npy", &y)]);
        apply(&mut bytes, &damage_packed);
        std::fs::write(&path, &bytes).unwrap();
        exercise(&path)?;
        let folder = dir.path().join("pair");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x.npy"), &x).unwrap();
        std::fs::write(folder.join("y.npy"), &y).unwrap();
        exercise(&folder)?;
    }

    #[test]
    fn folders_of_pictures_never_panic(
        jpeg in any::<bool>(),
        damage in prop::collection::vec(damage(), 1..4),
        on_demand in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = picture(jpeg, 9);
        apply(&mut bytes, &damage);
        for (class, at) in [("a", 0), ("a", 1), ("b", 2), ("b", 3)] {
            std::fs::create_dir_all(dir.path().join(class)).unwrap();
            let path = dir.path().join(class).join(format!("{at}.png"));
            std::fs::write(&path, if at == 2 { bytes.clone() } else { picture(false, at) }).unwrap();
        }
        exercise(dir.path())?;
        let options = LoadOptions {
            size: Some((40, 40)),
            max_bytes: 4_000,
            on_demand,
            ..LoadOptions::default()
        };
        if let Ok(set) = load(&dir.path().to_string_lossy(), &options) {
            let by = set.standardiser(&[0, 3], set.default_scaling()).unwrap();
            let mut out = vec![0.0; 4 * set.inputs()];
            if let Err(error) = set.try_gather(&[0, 1, 2, 3], None, &by, &mut out) {
                prop_assert!(error.file().is_some(), "{}", error);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anything");
        std::fs::write(&path, &bytes).unwrap();
        exercise(&path)?;
    }
}

/// That what is damaged above is whole before.
#[test]
fn archives_of_stored_arrays_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.npz");
    let x = npy("|u1", "(2, 3)", "False", &[1, 2, 3, 4, 5, 6]);
    let y = npy("|u1", "(2,)", "False", &[0, 1]);
    std::fs::write(&path, zip(&[("x.npy", &x), ("y.npy", &y)])).unwrap();
    let set = load(path.to_str().unwrap(), &LoadOptions::default()).unwrap();
    assert_eq!((set.rows(), set.features().cell(1, 2)), (2, 6.0));
}

#[test]
fn a_small_file_that_unpacks_to_much_meets_the_limit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.csv.gz");
    let packed = gzip(&b"1,2.5\n".repeat(1 << 20));
    assert!(packed.len() < 100_000);
    std::fs::write(&path, &packed).unwrap();
    let options = LoadOptions {
        max_bytes: 1 << 20,
        ..LoadOptions::default()
    };
    let error = load(path.to_str().unwrap(), &options).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("more than 1048576 bytes once unpacked")
    );
}
