//! Which rows have the same inputs.

use std::hash::{DefaultHasher, Hasher};

use crate::features::{Features, Storage};

/// For each row the first row with equal inputs; a row that repeats none names itself.
pub(crate) fn first_equal_rows(features: &Features) -> Vec<u32> {
    let rows = features.rows() as u32;
    first_equal(
        rows,
        |row| hash(features, row),
        |a, b| equal(features, a, b),
    )
}

/// Rows are compared where their hashes agree, so that the answer does not depend on the hash.
fn first_equal(rows: u32, hash: impl Fn(u32) -> u64, equal: impl Fn(u32, u32) -> bool) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> = (0..rows).map(|row| (hash(row), row)).collect();
    order.sort_unstable();
    let mut first: Vec<u32> = (0..rows).collect();
    let mut distinct: Vec<u32> = Vec::new();
    for alike in order.chunk_by(|a, b| a.0 == b.0) {
        distinct.clear();
        for &(_, row) in alike {
            match distinct.iter().find(|&&seen| equal(seen, row)) {
                Some(&seen) => first[row as usize] = seen,
                None => distinct.push(row),
            }
        }
    }
    first
}

fn hash(features: &Features, row: u32) -> u64 {
    let cells = span(features, row);
    let mut hasher = DefaultHasher::new();
    match features.storage() {
        Storage::U8(all) => hasher.write(&all[cells]),
        Storage::F32(all) => all[cells]
            .iter()
            .for_each(|&cell| hasher.write_u32(canonical(cell))),
        Storage::Files(files) => hasher.write(&files.digests()[row as usize]),
    }
    hasher.finish()
}

fn equal(features: &Features, a: u32, b: u32) -> bool {
    let span = |row| span(features, row);
    match features.storage() {
        Storage::U8(all) => all[span(a)] == all[span(b)],
        Storage::F32(all) => {
            (all[span(a)].iter().zip(&all[span(b)])).all(|(&a, &b)| canonical(a) == canonical(b))
        }
        Storage::Files(files) => files.digests()[a as usize] == files.digests()[b as usize],
    }
}

fn span(features: &Features, row: u32) -> std::ops::Range<usize> {
    let start = row as usize * features.columns();
    start..start + features.columns()
}

/// Bits that agree where values do: both zeros alike, and missing equal to missing.
fn canonical(cell: f32) -> u32 {
    if cell.is_nan() {
        f32::NAN.to_bits()
    } else {
        (cell + 0.0).to_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_name_the_first_of_them() {
        let cells = vec![1, 2, 3, 4, 1, 2, 5, 6, 3, 4, 1, 2];
        let features = Features::new(Storage::U8(cells), 2).unwrap();
        assert_eq!(first_equal_rows(&features), [0, 1, 0, 3, 1, 0]);
    }

    #[test]
    fn rows_whose_hashes_collide_are_told_apart() {
        let rows = [3, 4, 3, 5, 4];
        let equal = |a: u32, b: u32| rows[a as usize] == rows[b as usize];
        assert_eq!(first_equal(5, |_| 7, equal), [0, 1, 0, 3, 1]);
    }

    #[test]
    fn zeros_of_either_sign_and_missing_cells_are_equal() {
        let cells = vec![0.0, f32::NAN, -0.0, f32::NAN, 0.0, 1.0];
        let features = Features::new(Storage::F32(cells), 2).unwrap();
        assert_eq!(first_equal_rows(&features), [0, 0, 2]);
    }
}
