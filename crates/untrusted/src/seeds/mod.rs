//! Small valid files of every reader.

mod arrays;
mod pictures;

use crate::folder::{File, gzip};

pub use arrays::npy;
pub(crate) use arrays::{archives, folders_of_arrays};
pub(crate) use pictures::folders_of_pictures;
pub use pictures::{chunk, grey_png, png};

const TABLES: [&str; 5] = [
    "a,\"b, c\",y\n1,u,0.5\n2.5,v,1.5\n,u,2\n-3e4,\"w\"\"x\",4\n",
    "a;b\r\n1;0\r\n2;1\r\n3;0\r\n",
    "1\t2\t3.5\n4\t5\t6.5\n7\tNA\t9.5\n",
    " -2.3  0.568 0.11\n-2.2 0.568  0.27 \n1 2 3\n\n",
    "3,2,no,yes\n1,2,0\n3,4,1\n5,6,1\n",
];

/// Tables, plain and gzipped.
pub(crate) fn tables() -> Vec<Vec<File>> {
    let plain = TABLES.map(|text| vec![("table.csv", text.as_bytes().to_vec())]);
    let packed = vec![("table.csv", gzip(TABLES[0].as_bytes()))];
    plain.into_iter().chain([packed]).collect()
}

/// Ten images of 2 x 2 with labels and two for testing, plain and gzipped; and images with channels.
pub(crate) fn folders_of_idx() -> Vec<Vec<File>> {
    let images: Vec<u8> = (0..48).collect();
    let labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
    let plain = vec![
        ("train-images-idx3-ubyte", idx(&[10, 2, 2], &images[..40])),
        ("train-labels-idx1-ubyte", idx(&[10], &labels)),
        ("t10k-images-idx3-ubyte", idx(&[2, 2, 2], &images[40..])),
        ("t10k-labels-idx1-ubyte", idx(&[2], &[1, 0])),
    ];
    let packed = plain.iter().map(|(name, bytes)| (*name, gzip(bytes)));
    let packed = packed.collect();
    let colours = vec![
        ("train-images-idx4-ubyte", idx(&[4, 2, 2, 3], &images)),
        ("train-labels-idx1-ubyte", idx(&[4], &labels[..4])),
    ];
    vec![plain, packed, colours]
}

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// Two records for training and one for testing of CIFAR-10, and of CIFAR-100, gzipped in part.
pub(crate) fn folders_of_cifar() -> Vec<Vec<File>> {
    let record = |labels: &[u8], shade: u8| [labels, &[shade; 3_072]].concat();
    let names: String = (0..10).map(|class| format!("class {class}\n")).collect();
    let ten = vec![
        (
            "data_batch_1.bin",
            [record(&[3], 9), record(&[4], 8)].concat(),
        ),
        ("test_batch.bin", gzip(&record(&[3], 7))),
        ("batches.meta.txt", names.into_bytes()),
    ];
    let fine = [record(&[2, 3], 9), record(&[0, 99], 8)].concat();
    let hundred = vec![("train.bin", gzip(&fine)), ("test.bin", record(&[2, 3], 7))];
    vec![ten, hundred]
}
