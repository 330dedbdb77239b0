//! The two small sets that come with the program, so that its first command needs no download.

use flate2::read::GzDecoder;
use std::io::Read;

use crate::dataset::{Dataset, ImageShape, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::features::{Features, Storage};

/// The names that [`load`](crate::load) knows without a file.
pub const EMBEDDED: [&str; 1] = ["digits"];

/// 1,797 handwritten digits of 8 x 8 pixels from 0 to 16, the label last.
const DIGITS: &[u8] = include_bytes!("../embedded/digits.csv.gz");

pub(crate) fn digits() -> Result<Dataset> {
    let malformed = |_| Error::new(ErrorKind::Malformed, "the embedded digits are damaged");
    let mut text = String::new();
    GzDecoder::new(DIGITS)
        .read_to_string(&mut text)
        .map_err(|_| malformed(()))?;
    let mut cells = Vec::new();
    let mut labels = Vec::new();
    for line in text.lines() {
        let mut row: Vec<u8> = line
            .split(',')
            .map(|cell| cell.parse().map_err(|_| malformed(())))
            .collect::<Result<_>>()?;
        labels.extend(row.pop().map(u32::from));
        cells.extend(row);
    }
    let features = Features::new(Storage::U8(cells), 64)?;
    let names = (0..10).map(|digit| digit.to_string()).collect();
    Ok(
        Dataset::new("digits", features, Target::Classes { labels, names })?.with_image(
            ImageShape {
                height: 8,
                width: 8,
                channels: 1,
            },
        ),
    )
}
