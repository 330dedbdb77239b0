//! The header of an NPY array: its type, order and shape.
//!
//! The format is described at <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::Read;

use crate::error::{Error, ErrorKind, Result};
use crate::source;

/// What every array starts with.
pub(crate) const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy writes some 120 bytes; the text of a header beyond this is another file's.
const MOST_TEXT: usize = 1 << 16;
/// As many dimensions as NumPy knew for most of its life.
const MOST_DIMENSIONS: usize = 32;

/// The type of an array's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// Bytes, and truth values.
    U1,
    U2,
    U4,
    I1,
    I2,
    I4,
    I8,
    F2,
    F4,
    F8,
}

impl Number {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "u1" | "b1" => Self::U1,
            "u2" => Self::U2,
            "u4" => Self::U4,
            "i1" => Self::I1,
            "i2" => Self::I2,
            "i4" => Self::I4,
            "i8" => Self::I8,
            "f2" => Self::F2,
            "f4" => Self::F4,
            "f8" => Self::F8,
            _ => return None,
        })
    }

    /// The bytes of a value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::U1 | Self::I1 => 1,
            Self::U2 | Self::I2 | Self::F2 => 2,
            Self::U4 | Self::I4 | Self::F4 => 4,
            Self::I8 | Self::F8 => 8,
        }
    }

    /// Whether values may have fractions.
    pub(crate) fn is_float(self) -> bool {
        matches!(self, Self::F2 | Self::F4 | Self::F8)
    }
}

/// What the header of an array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: Number,
    /// Whether its bytes are true or false.
    pub(crate) is_bool: bool,
    pub(crate) big_endian: bool,
    /// Whether the first index runs fastest.
    pub(crate) fortran: bool,
    pub(crate) shape: Vec<usize>,
}

impl Header {
    /// Reads the header and leaves `reader` at the first value.
    ///
    /// # Errors
    /// Another kind of file, a type that is not read, a shape without rows.
    pub(crate) fn read(reader: &mut impl Read) -> Result<Self> {
        let start = exactly(reader, 8)?;
        if !start.starts_with(MAGIC) {
            return Err(
                malformed("not an array in NumPy's format").hint("write it with numpy.save")
            );
        }
        let length = match start[6] {
            1 => {
                let length = exactly(reader, 2)?;
                usize::from(u16::from_le_bytes([length[0], length[1]]))
            }
            2 | 3 => {
                let length = exactly(reader, 4)?;
                u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize
            }
            other => return Err(malformed(format!("version {other} of NumPy's format"))),
        };
        if length > MOST_TEXT {
            return Err(malformed(format!("a header of {length} bytes")));
        }
        let text = exactly(reader, length)?;
        Self::parse(&String::from_utf8_lossy(&text))
    }

    /// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Result<Self> {
        let wrong = |what| malformed(format!("a header without {what}: `{}`", text.trim_end()));
        let descr = after(text, "descr").ok_or_else(|| wrong("a type"))?;
        let quoted = descr.strip_prefix(['\'', '"']);
        let name = quoted.and_then(|rest| Some(rest.split_once(['\'', '"'])?.0));
        let Some(name) = name else {
            return Err(malformed("an array of records, not of numbers")
                .hint("save each field as an array of its own"));
        };
        let big_endian = name.starts_with('>');
        let plain = name.strip_prefix(['<', '>', '|', '=']).unwrap_or(name);
        let number = Number::named(plain).ok_or_else(|| {
            malformed(format!("values of type `{name}`"))
                .hint("convert it with astype: u1, u2, u4, i1, i2, i4, i8, f2, f4 and f8 are read")
        })?;
        let order = after(text, "fortran_order").ok_or_else(|| wrong("an order"))?;
        let inner = after(text, "shape")
            .and_then(|rest| Some(rest.strip_prefix('(')?.split_once(')')?.0))
            .ok_or_else(|| wrong("a shape"))?;
        let sizes = inner.split(',').map(str::trim).filter(|s| !s.is_empty());
        let shape: Vec<usize> = sizes
            .map(|size| size.parse().map_err(|_| wrong("a shape of numbers")))
            .collect::<Result<_>>()?;
        if shape.is_empty() || shape.len() > MOST_DIMENSIONS {
            return Err(malformed(format!("an array of {} dimensions", shape.len()))
                .hint("give an array with an axis for its rows, and at most 8 in all"));
        }
        Ok(Self {
            number,
            is_bool: plain == "b1",
            big_endian,
            fortran: order.starts_with("True"),
            shape,
        })
    }

    /// The values of the array; `u64::MAX` where they are more.
    pub(crate) fn values(&self) -> u64 {
        let sizes = self.shape.iter().map(|&size| size as u64);
        // A later 0 must win over a product that is beyond counting.
        match self.shape.contains(&0) {
            true => 0,
            false => sizes.fold(1, u64::saturating_mul),
        }
    }
}

/// What follows `'key':`.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = ['\'', '"']
        .into_iter()
        .find_map(|quote| text.split_once(&format!("{quote}{key}{quote}")))?;
    Some(at.1.trim_start().strip_prefix(':')?.trim_start())
}

fn exactly(reader: &mut impl Read, count: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(count as u64).read_to_end(&mut bytes);
    read.map_err(|error| source::from_io(&error))?;
    if bytes.len() < count {
        return Err(malformed("ends within the header of the array")
            .hint("the file is cut short; fetch it again"));
    }
    Ok(bytes)
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_versions_and_spellings_are_read() {
        let text = "{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4, ), }   \n";
        let wanted = Header {
            number: Number::I2,
            is_bool: false,
            big_endian: true,
            fortran: true,
            shape: vec![3, 4],
        };
        let length = text.len() as u8;
        for start in [vec![1, 0, length, 0], vec![2, 0, length, 0, 0, 0]] {
            let bytes = [MAGIC, &start, text.as_bytes()].concat();
            assert_eq!(Header::read(&mut bytes.as_slice()).unwrap(), wanted);
        }
        let turned = r#"{"shape":(7,),"fortran_order":False,"descr":"|b1"}"#;
        let header = Header::parse(turned).unwrap();
        assert_eq!((header.number, header.values()), (Number::U1, 7));
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        let message = |text: &str| Header::parse(text).unwrap_err().to_string();
        let with = |descr: &str, shape: &str| {
            message(&format!(
                "{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"
            ))
        };
        assert_eq!(with("'<c8'", "(1,)"), "values of type `<c8`");
        assert_eq!(
            with("[('a', '<f4')]", "(1,)"),
            "an array of records, not of numbers"
        );
        assert_eq!(with("'<f4'", "()"), "an array of 0 dimensions");
        assert!(with("'<f4'", "(1, -2)").starts_with("a header without a shape of numbers"));
        assert!(with("'<f4'", "(1, 2").starts_with("a header without a shape"));
        assert!(message("{}").starts_with("a header without a type"));
        let short = [MAGIC, &[1, 0, 200, 0], b"{"].concat();
        let error = Header::read(&mut short.as_slice()).unwrap_err();
        assert_eq!(error.to_string(), "ends within the header of the array");
    }

    #[test]
    fn shapes_beyond_counting_do_not_overflow() {
        let most = usize::MAX;
        let shape = |shape: String| {
            Header::parse(&format!(
                "{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}"
            ))
        };
        assert_eq!(
            shape(format!("({most}, {most})")).unwrap().values(),
            u64::MAX
        );
        assert_eq!(shape(format!("({most}, {most}, 0)")).unwrap().values(), 0);
        assert!(shape(format!("({most}0,)")).is_err());
    }
}
