//! One array whose header is read: how its values become those of a table.

use std::io::Read;

use half::f16;

use crate::arrays::header::{Header, Number};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{self, Opened};

/// What values may become: whole numbers or fractions, in the type of a table.
pub(crate) trait Cell: Copy {
    fn of_whole(value: i64) -> Self;
    fn of_float(value: f64) -> Self;
}

impl Cell for u8 {
    /// Only bytes are asked for as such.
    fn of_whole(value: i64) -> Self {
        value as u8
    }

    fn of_float(value: f64) -> Self {
        value as u8
    }
}

impl Cell for i64 {
    fn of_whole(value: i64) -> Self {
        value
    }

    fn of_float(value: f64) -> Self {
        value as i64
    }
}

impl Cell for f32 {
    fn of_whole(value: i64) -> Self {
        value as f32
    }

    fn of_float(value: f64) -> Self {
        value as f32
    }
}

/// An array that is open for reading.
pub(crate) struct Array {
    header: Header,
    reader: Box<dyn Read>,
    /// An upper bound on the bytes that follow.
    most: u64,
    place: String,
}

impl Array {
    /// Reads the header.
    ///
    /// # Errors
    /// As [`Header::read`].
    pub(crate) fn open(opened: Opened, place: String) -> Result<Self> {
        let Opened { mut reader, most } = opened;
        let header = Header::read(&mut reader).map_err(|error| error.in_file(&place))?;
        Ok(Self {
            header,
            reader,
            most,
            place,
        })
    }

    /// The sizes of all dimensions, rows first.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.header.shape[0]
    }

    /// The values that the header promises.
    pub(crate) fn values(&self) -> u64 {
        self.header.values()
    }

    /// The type of the values.
    pub(crate) fn number(&self) -> Number {
        self.header.number
    }

    /// Whether the values are true or false, as 1 and 0.
    pub(crate) fn is_bool(&self) -> bool {
        self.header.is_bool
    }

    /// Appends the values in row-major order.
    ///
    /// # Errors
    /// Fewer or more values than the header promises; no memory for them.
    pub(crate) fn read_into<T: Cell>(mut self, out: &mut Vec<T>) -> Result<()> {
        let width = self.header.number.bytes();
        let promised = self.values();
        // No more than the file can hold, so that a header that lies costs no memory.
        let room = promised.min(self.most / width as u64);
        out.try_reserve_exact(usize::try_from(room).unwrap_or(usize::MAX))
            .map_err(|_| self.error(ErrorKind::Limit, "no memory for the array"))?;
        let start = out.len();
        let mut left = promised.saturating_mul(width as u64);
        let mut buffer = vec![0; width << 13];
        while left > 0 {
            let wanted = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = self.fill(&mut buffer[..wanted])?;
            if read < wanted {
                let whole = (out.len() - start) + read / width;
                let message =
                    format!("ends after {whole} of the {promised} values that its header promises");
                return Err(self
                    .error(ErrorKind::Malformed, message)
                    .hint("the file is cut short; fetch it again"));
            }
            decode(&self.header, &buffer[..wanted], out);
            left -= wanted as u64;
        }
        if self.fill(&mut [0])? != 0 {
            let message = format!("goes on after the {promised} values that its header promises");
            return Err(self.error(ErrorKind::Malformed, message));
        }
        if self.header.fortran && promised > 0 {
            to_row_major(&mut out[start..], &self.header.shape);
        }
        Ok(())
    }

    /// An error about this array.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).in_file(&self.place)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<usize> {
        source::fill(&mut self.reader, bytes)
            .map_err(|error| source::from_io(&error).in_file(&self.place))
    }
}

fn decode<T: Cell>(header: &Header, bytes: &[u8], out: &mut Vec<T>) {
    let big = header.big_endian;
    match header.number {
        Number::U1 => out.extend(bytes.iter().map(|&byte| T::of_whole(byte.into()))),
        Number::I1 => each(bytes, big, out, |b| {
            T::of_whole(i8::from_le_bytes(b).into())
        }),
        Number::U2 => each(bytes, big, out, |b| {
            T::of_whole(u16::from_le_bytes(b).into())
        }),
        Number::I2 => each(bytes, big, out, |b| {
            T::of_whole(i16::from_le_bytes(b).into())
        }),
        Number::U4 => each(bytes, big, out, |b| {
            T::of_whole(u32::from_le_bytes(b).into())
        }),
        Number::I4 => each(bytes, big, out, |b| {
            T::of_whole(i32::from_le_bytes(b).into())
        }),
        Number::I8 => each(bytes, big, out, |b| T::of_whole(i64::from_le_bytes(b))),
        Number::F2 => each(bytes, big, out, |b| {
            T::of_float(f16::from_le_bytes(b).into())
        }),
        Number::F4 => each(bytes, big, out, |b| {
            T::of_float(f32::from_le_bytes(b).into())
        }),
        Number::F8 => each(bytes, big, out, |b| T::of_float(f64::from_le_bytes(b))),
    }
}

fn each<const N: usize, T>(bytes: &[u8], big: bool, out: &mut Vec<T>, of: impl Fn([u8; N]) -> T) {
    out.extend(bytes.as_chunks::<N>().0.iter().map(|&(mut value)| {
        if big {
            value.reverse();
        }
        of(value)
    }));
}

/// Turns values whose first index runs fastest into those whose last does.
fn to_row_major<T: Copy>(values: &mut [T], shape: &[usize]) {
    let source = values.to_vec();
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &size in shape {
        strides.push(stride);
        stride *= size;
    }
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    for value in values {
        *value = source[at];
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(
        number: Number,
        big_endian: bool,
        fortran: bool,
        shape: &[usize],
        bytes: &[u8],
    ) -> Array {
        Array {
            header: Header {
                number,
                is_bool: false,
                big_endian,
                fortran,
                shape: shape.to_vec(),
            },
            most: bytes.len() as u64,
            reader: Box::new(std::io::Cursor::new(bytes.to_vec())),
            place: "x.npy".into(),
        }
    }

    #[test]
    fn every_type_is_read_in_both_orders_of_bytes() {
        let half = f16::from_f32(-2.0).to_le_bytes();
        let cases: [(Number, &[u8], f32); 10] = [
            (Number::U1, &[200], 200.0),
            (Number::U2, &50_000u16.to_le_bytes(), 50_000.0),
            (Number::U4, &3_000_000_000u32.to_le_bytes(), 3e9),
            (Number::I1, &[0xff], -1.0),
            (Number::I2, &(-300i16).to_le_bytes(), -300.0),
            (Number::I4, &(-70_000i32).to_le_bytes(), -70_000.0),
            (
                Number::I8,
                &(-(1i64 << 40)).to_le_bytes(),
                -(1i64 << 40) as f32,
            ),
            (Number::F2, &half, -2.0),
            (Number::F4, &0.1f32.to_le_bytes(), 0.1),
            (Number::F8, &0.1f64.to_le_bytes(), 0.1),
        ];
        for (number, little, wanted) in cases {
            let big: Vec<u8> = little.iter().rev().copied().collect();
            for (is_big, bytes) in [(false, little), (true, &big)] {
                let mut out: Vec<f32> = Vec::new();
                array(number, is_big, false, &[1], bytes)
                    .read_into(&mut out)
                    .unwrap();
                assert_eq!(out, [wanted], "{number:?}");
            }
        }
    }

    #[test]
    fn column_major_values_are_turned_round() {
        // Position (i, j, k) of a 2 x 3 x 2 array holds 100 i + 10 j + k.
        let mut bytes = Vec::new();
        for (k, j, i) in
            (0..2u8).flat_map(|k| (0..3u8).flat_map(move |j| (0..2u8).map(move |i| (k, j, i))))
        {
            bytes.push(100 * i + 10 * j + k);
        }
        let mut out: Vec<u8> = vec![7];
        array(Number::U1, false, true, &[2, 3, 2], &bytes)
            .read_into(&mut out)
            .unwrap();
        assert_eq!(out, [7, 0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
    }

    #[test]
    fn promises_that_are_not_kept_are_told_and_cost_no_memory() {
        let error = |shape: &[usize], bytes: &[u8]| {
            let mut out: Vec<f32> = Vec::new();
            let read = array(Number::F4, false, false, shape, bytes).read_into(&mut out);
            assert!(out.capacity() <= 2);
            read.unwrap_err().to_string()
        };
        assert_eq!(
            error(&[3], &[0; 9]),
            "x.npy: ends after 2 of the 3 values that its header promises"
        );
        assert!(error(&[usize::MAX, usize::MAX], &[0; 9]).contains("ends after 2 of"));
        assert_eq!(
            error(&[2], &[0; 9]),
            "x.npy: goes on after the 2 values that its header promises"
        );
    }
}
