//! Damaged files of every reader: whatever the bytes, there is a data set or an error that names its place; never a
//! panic, never more than some seconds, and never more memory than a multiple of what the files hold.
#![expect(
    clippy::print_stdout,
    reason = "how near the bounds are, with --nocapture"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use secateur_data::{LoadOptions, Missing, load};
use secateur_testkit::Stream;
use secateur_untrusted::{
    CHECKPOINT_MULTIPLE, Folder, Memory, Reader, Watch, checkpoint_seeds, damage, exercise,
    is_packed, onnx_limits, onnx_seeds, peak_of, read_checkpoint, read_onnx,
};

#[global_allocator]
static MEMORY: Memory = Memory {};

/// Memory is that of the whole program: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());
const LIMIT: Duration = Duration::from_secs(10);
const CASES: u64 = 2_000;

/// Damages one file of a set after another and reads the set.
fn damaged(reader: Reader) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = Watch::new(LIMIT);
    let seeds = reader.seeds();
    let folders: Vec<Folder> = seeds.iter().map(|_| Folder::new()).collect();
    let (mut whole, mut most) = (0, 0.0f64);
    for case in 0..CASES {
        let mut stream = Stream::new(case);
        // The first ones are left whole, and must be read.
        let sound = case < seeds.len() as u64;
        let at = match sound {
            true => case as usize,
            false => stream.below(seeds.len()),
        };
        let mut files = seeds[at].clone();
        let file = stream.below(files.len());
        let other = &seeds[stream.below(seeds.len())];
        let other = &other[stream.below(other.len())].1;
        if !sound {
            damage(&mut files[file].1, other, &mut stream);
        }
        folders[at].put(&files);
        let options = LoadOptions {
            missing: match sound || stream.below(2) == 0 {
                true => Missing::Mean,
                false => Missing::Error,
            },
            size: (reader == Reader::Pictures && stream.below(2) == 1).then_some((9, 7)),
            ..reader.options()
        };
        let name = format!(
            "case {case} of {reader:?}, file {}: {:02x?}",
            files[file].0, files[file].1
        );
        let spec = reader.spec(folders[at].path());
        let work = || watch.over(name.clone(), || peak_of(|| load(&spec, &options)));
        let Ok((read, peak)) = catch_unwind(AssertUnwindSafe(work)) else {
            panic!("{name}");
        };
        let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let packed = files.iter().any(|(_, bytes)| is_packed(bytes));
        let bound = reader.most(bytes, packed, &options);
        most = most.max(peak as f64 / bound as f64);
        assert!(peak <= bound, "{peak} bytes, not {bound}: {name}");
        match read {
            Ok(set) => {
                whole += 1;
                watch.over(name.clone(), || exercise(&set));
            }
            Err(error) => {
                assert!(!sound, "{error}: {name}");
                assert!(error.file().is_some(), "{error}: {name}");
            }
        }
    }
    println!("{reader:?}: {whole} of {CASES} were read, {most:.3} of the memory allowed");
    assert!(whole > CASES / 50, "{whole} of {CASES}");
}

#[test]
fn idx() {
    damaged(Reader::Idx);
}

#[test]
fn tables() {
    damaged(Reader::Table);
}

#[test]
fn arrays() {
    damaged(Reader::Npy);
}

#[test]
fn archives() {
    damaged(Reader::Npz);
}

#[test]
fn cifar() {
    damaged(Reader::Cifar);
}

#[test]
fn pictures() {
    damaged(Reader::Pictures);
}

/// Slots of messages and numbers beside a model have limits of their own; all else is a multiple of the file.
#[test]
fn models() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = Watch::new(LIMIT);
    let seeds = onnx_seeds();
    let valid = ["valid.onnx", "everything.onnx"];
    let valid: Vec<_> = seeds
        .iter()
        .filter(|(name, _)| valid.contains(&name.as_str()))
        .cloned()
        .collect();
    let folder = Folder::new();
    folder.put(&[("external.bin", vec![0; 40])]);
    let limits = onnx_limits();
    let fixed = 4 * (limits.max_slot_bytes as u64 + limits.max_external_bytes);
    let mut reached = [0; 4];
    let mut most = 0;
    for case in 0..3 * CASES {
        let mut stream = Stream::new(case);
        // Half of them were valid.
        let (name, mut bytes) = match case % 2 {
            0 => valid[stream.below(valid.len())].clone(),
            _ => seeds[stream.below(seeds.len())].clone(),
        };
        let other = &seeds[stream.below(seeds.len())].1;
        damage(&mut bytes, other, &mut stream);
        let name = format!("case {case}, {name}: {bytes:02x?}");
        let work = || {
            watch.over(name.clone(), || {
                peak_of(|| read_onnx(&bytes, folder.path()))
            })
        };
        let Ok((far, peak)) = catch_unwind(AssertUnwindSafe(work)) else {
            panic!("{name}");
        };
        reached[far] += 1;
        most = most.max(peak);
        let bound = fixed + 64 * bytes.len() as u64;
        assert!(peak <= bound, "{peak} bytes, not {bound}: {name}");
    }
    println!("{reached:?} came so far; {most} bytes at most");
    assert!(reached.iter().all(|&count| count > 50), "{reached:?}");
}

/// Their bodies: the hash in front of one stops chance, not whoever makes a file.
#[test]
fn checkpoints() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let watch = Watch::new(LIMIT);
    let seeds = checkpoint_seeds();
    let (mut whole, mut most) = (0, 0);
    for case in 0..3 * CASES {
        let mut stream = Stream::new(case);
        // The first ones are left whole, and must be read.
        let sound = case < seeds.len() as u64;
        let at = match sound {
            true => case as usize,
            false => stream.below(seeds.len()),
        };
        let (name, mut bytes) = seeds[at].clone();
        let other = &seeds[stream.below(seeds.len())].1;
        if !sound {
            damage(&mut bytes, other, &mut stream);
        }
        let name = format!("case {case}, {name}: {bytes:02x?}");
        let work = || watch.over(name.clone(), || peak_of(|| read_checkpoint(&bytes)));
        let Ok((read, peak)) = catch_unwind(AssertUnwindSafe(work)) else {
            panic!("{name}");
        };
        assert!(read || !sound, "{name}");
        whole += usize::from(read);
        let bound = (2 << 20) + CHECKPOINT_MULTIPLE * bytes.len() as u64;
        most = most.max(peak);
        assert!(peak <= bound, "{peak} bytes, not {bound}: {name}");
    }
    println!("{whole} were read; {most} bytes at most");
    assert!(whole > 300, "{whole}");
}
