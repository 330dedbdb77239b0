//! One picture file: its size, and its pixels in the form that a set has.

use std::io::Cursor;
use std::path::Path;

use image::{
    ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, imageops,
};

use crate::error::{Error, ErrorKind, Result};
use crate::expansion::{DEFLATE_MOST, Expansion};
use crate::image::ImageShape;
use crate::options::LoadOptions;
use crate::source;

/// A byte of DEFLATE gives 1,032 bytes at most, of which each may hold eight pixels; JPEG packs less.
const MOST_PIXELS_A_BYTE: u64 = 8 * DEFLATE_MOST;
/// The end mark of a JPEG is looked for in this many bytes at the end, as some programs write more behind it.
const JPEG_TAIL: usize = 4_096;
/// Resizing goes through pixels of four 32-bit floats.
const RESIZED_PIXEL: u64 = 16;

/// What a file says before its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// Whether it has no colours.
    pub(crate) grey: bool,
    /// The bytes of the file.
    pub(crate) file: u64,
}

/// What a picture may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    max_bytes: u64,
    expansion: Expansion,
}

/// How a picture of another size is brought to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitting {
    /// Not at all: it is an error.
    AsItIs,
    /// Height and width each by its own factor.
    Stretched,
    /// By one factor, so that it is covered, and the middle is cut out.
    Covering,
}

impl Bounds {
    /// These.
    pub(crate) fn new(max_bytes: u64, expansion: Expansion) -> Self {
        Self {
            max_bytes,
            expansion,
        }
    }

    /// Those of `options`.
    pub(crate) fn of(options: &LoadOptions) -> Self {
        Self::new(options.max_bytes, options.expansion)
    }

    /// The most bytes for the pixels of files of `length` bytes.
    pub(crate) fn pixels(self, length: u64) -> u64 {
        self.max_bytes.min(self.expansion.most(length))
    }
}

/// A file in memory, taken for what its first bytes say.
pub(crate) struct Picture<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
    /// The most bytes of its pixels.
    most: u64,
}

impl<'a> Picture<'a> {
    /// Reads a file without decoding it.
    ///
    /// # Errors
    /// A file that cannot be read, or of more than `bounds` allow.
    pub(crate) fn read(path: &'a Path, bounds: Bounds) -> Result<Self> {
        let bytes = source::read_all(path, bounds.max_bytes, bounds.expansion)?;
        Ok(Self {
            path,
            most: bounds.pixels(bytes.len() as u64),
            bytes,
        })
    }

    /// The file as it is.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Size and colours.
    ///
    /// # Errors
    /// Neither PNG, JPEG nor WebP; a damaged header; more pixels than a file of this length can hold, or may.
    pub(crate) fn header(&self) -> Result<Header> {
        let decoder = self.reader()?.into_decoder().map_err(|e| self.failed(&e))?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > (self.bytes.len() as u64).saturating_mul(MOST_PIXELS_A_BYTE) {
            let message = format!(
                "{width} x {height} pixels cannot be in a file of {} bytes",
                self.bytes.len()
            );
            return Err(self.error(ErrorKind::Malformed, message));
        }
        if decoder.total_bytes() > self.most {
            let total = decoder.total_bytes();
            return Err(self.too_large(format!(
                "{width} x {height} pixels take {total} bytes, and the file {}",
                self.bytes.len()
            )));
        }
        let grey = [
            ColorType::L8,
            ColorType::La8,
            ColorType::L16,
            ColorType::La16,
        ];
        Ok(Header {
            height: height as usize,
            width: width as usize,
            grey: grey.contains(&decoder.color_type()),
            file: self.bytes.len() as u64,
        })
    }

    /// Writes the pixels channel by channel into `out`, brought to `shape` as `fitting` says; alpha is left out, colours
    /// become grey where `shape` has one channel.
    ///
    /// # Errors
    /// As [`Picture::header`]; damaged or absent pixels; another size where that is not brought to `shape`; a form so long that
    /// resizing it takes more than its pixels may.
    pub(crate) fn decode(&self, shape: ImageShape, fitting: Fitting, out: &mut [u8]) -> Result<()> {
        self.header()?;
        let reader = self.reader()?;
        if reader.format() == Some(ImageFormat::Jpeg) && !self.jpeg_ends() {
            return Err(self
                .error(ErrorKind::Malformed, "the picture is cut short")
                .hint("fetch the file again"));
        }
        let mut picture = reader.decode().map_err(|error| self.failed(&error))?;
        let size = (picture.height() as usize, picture.width() as usize);
        if size != (shape.height, shape.width) {
            if fitting == Fitting::AsItIs {
                return Err(odd(self.path, size, (shape.height, shape.width)));
            }
            // Where the middle is cut out, what is cut off is computed before.
            let covering = (size.0 as u64 * shape.width as u64).div_ceil(size.1.max(1) as u64);
            let height = match fitting {
                Fitting::Covering => covering.max(shape.height as u64),
                Fitting::AsItIs | Fitting::Stretched => shape.height as u64,
            };
            let between = (size.1 as u64)
                .saturating_mul(height)
                .saturating_mul(RESIZED_PIXEL);
            if between > self.most {
                return Err(self.too_large(format!(
                    "resizing {} x {} pixels to {} x {} takes {between} bytes",
                    size.1, size.0, shape.width, shape.height
                )));
            }
            let filter = imageops::FilterType::Triangle;
            let (width, height) = (shape.width as u32, shape.height as u32);
            picture = match fitting {
                Fitting::Covering => picture.resize_to_fill(width, height, filter),
                Fitting::AsItIs | Fitting::Stretched => picture.resize_exact(width, height, filter),
            };
        }
        write(picture, shape, out);
        Ok(())
    }

    fn reader(&self) -> Result<ImageReader<Cursor<&[u8]>>> {
        let mut reader = ImageReader::new(Cursor::new(self.bytes.as_slice()))
            .with_guessed_format()
            .map_err(|error| source::from_io(&error).in_file(self.path.display()))?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.most);
        reader.limits(limits);
        match reader.format() {
            Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) => Ok(reader),
            _ => Err(self
                .error(
                    ErrorKind::Malformed,
                    "neither a PNG, a JPEG nor a WebP picture",
                )
                .hint("convert it, or remove it from the folder")),
        }
    }

    /// Whether the end mark is there: without it the decoder would leave the rest of the picture grey.
    fn jpeg_ends(&self) -> bool {
        let tail = &self.bytes[self.bytes.len().saturating_sub(JPEG_TAIL)..];
        tail.windows(2).any(|mark| mark == [0xff, 0xd9])
    }

    fn too_large(&self, message: String) -> Error {
        self.error(ErrorKind::Limit, message).hint(format!(
            "the limit is {} bytes for a file of this length; bring the picture to a smaller size, or remove it",
            self.most
        ))
    }

    fn failed(&self, error: &ImageError) -> Error {
        let kind = match error {
            ImageError::Limits(_) => ErrorKind::Limit,
            _ => ErrorKind::Malformed,
        };
        self.error(kind, format!("the picture cannot be decoded: {error}"))
    }

    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, message).in_file(self.path.display())
    }
}

/// An error about a picture of another size than the set's; sizes are height and width.
pub(crate) fn odd(path: &Path, size: (usize, usize), wanted: (usize, usize)) -> Error {
    let message = format!(
        "{} x {} pixels (height x width) where the first picture has {} x {}",
        size.0, size.1, wanted.0, wanted.1
    );
    Error::new(ErrorKind::Value, message)
        .in_file(path.display())
        .hint("give a size (--size) to which all pictures are brought")
}

fn write(picture: DynamicImage, shape: ImageShape, out: &mut [u8]) {
    if shape.channels == 1 {
        out.copy_from_slice(picture.into_luma8().as_raw());
    } else {
        out.copy_from_slice(picture.into_rgb8().as_raw());
        shape.separate_channels(out);
    }
}
