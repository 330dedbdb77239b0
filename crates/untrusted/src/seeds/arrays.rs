//! Arrays as NumPy writes them.

use crate::folder::{File, gzip, zip};

/// An array in NumPy's format from its type, shape and order as the header spells them.
pub fn npy(descr: &str, shape: &str, fortran: &str, values: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], text.as_bytes(), values].concat()
}

fn labels() -> Vec<u8> {
    npy("|u1", "(6,)", "False", &[0, 1, 0, 1, 0, 1])
}

fn floats(count: usize) -> Vec<u8> {
    let values = (0..count).map(|at| at as f32 + 0.5);
    values.flat_map(f32::to_le_bytes).collect()
}

/// Folders of arrays: floats with whole numbers; pictures gzipped, with test rows; a second axis of targets.
pub(crate) fn folders_of_arrays() -> Vec<Vec<File>> {
    let bytes: Vec<u8> = (0..72).collect();
    let pictures = npy("|u1", "(6, 2, 2, 3)", "False", &bytes);
    let test = npy(">i2", "(2, 2, 2, 3)", "True", &bytes[..48]);
    vec![
        vec![
            ("x.npy", npy("<f4", "(6, 4)", "False", &floats(24))),
            ("y.npy", labels()),
        ],
        vec![
            ("x_train.npy", gzip(&pictures)),
            ("y_train.npy", labels()),
            ("x_test.npy", test),
            (
                "y_test.npy",
                npy("<i8", "(2, 1)", "False", &[0; 8].repeat(2)),
            ),
        ],
        vec![
            (
                "x.npy",
                npy("<f2", "(6, 2, 4)", "True", &bytes[..48].repeat(2)),
            ),
            ("y.npy", npy("<f4", "(6, 2)", "True", &floats(12))),
        ],
    ]
}

/// Archives of two arrays, stored and deflated, and one that has another as well.
pub(crate) fn archives() -> Vec<Vec<File>> {
    let bytes: Vec<u8> = (0..24).collect();
    let x = npy("|u1", "(6, 2, 1, 2)", "False", &bytes);
    let wide = npy("<f4", "(6, 4)", "True", &floats(24));
    let y = labels();
    let stored = zip(&[("x.npy", &x), ("y.npy", &y)], false);
    let deflated = zip(&[("X.npy", &wide), ("Y.npy", &y), ("other.npy", &x)], true);
    vec![vec![("set.npz", stored)], vec![("set.npz", deflated)]]
}
