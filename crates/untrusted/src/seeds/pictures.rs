//! Pictures, and the parts of PNG files.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::folder::File;

/// Three classes of pictures of 5 x 4, of every depth that cameras and programs write.
pub(crate) fn folders_of_pictures() -> Vec<Vec<File>> {
    let pixels: Vec<u8> = (0..160).collect();
    let png = |colour: ExtendedColorType| {
        let mut bytes = Vec::new();
        let used = 20 * usize::from(colour.bits_per_pixel()) / 8;
        PngEncoder::new(&mut bytes)
            .write_image(&pixels[..used], 4, 5, colour)
            .expect("memory can be written");
        bytes
    };
    let jpeg = |colour: ExtendedColorType| {
        let mut bytes = Vec::new();
        let used = 20 * usize::from(colour.bits_per_pixel()) / 8;
        JpegEncoder::new(&mut bytes)
            .write_image(&pixels[..used], 4, 5, colour)
            .expect("memory can be written");
        bytes
    };
    let colours = vec![
        ("train/a/0.png", png(ExtendedColorType::Rgb8)),
        ("train/a/1.jpg", jpeg(ExtendedColorType::Rgb8)),
        ("train/b/2.png", png(ExtendedColorType::Rgba16)),
        ("test/b/3.png", png(ExtendedColorType::La8)),
    ];
    let grey = vec![
        ("a/0.png", png(ExtendedColorType::L8)),
        ("b/1.jpeg", jpeg(ExtendedColorType::L8)),
        ("b/2.png", png(ExtendedColorType::L16)),
    ];
    vec![colours, grey]
}

/// A PNG file of these chunks.
pub fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    chunks.iter().for_each(|chunk| bytes.extend(chunk));
    bytes
}

/// One chunk of a PNG file.
pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

/// A black PNG of one byte a pixel that says it is `width` x `height` and has `rows` of that, with `extra` chunks
/// before its pixels.
///
/// # Panics
/// Never: memory can be written.
pub fn grey_png(width: u32, height: u32, rows: usize, extra: &[Vec<u8>]) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..rows {
        let row = vec![0; 1 + width as usize];
        encoder.write_all(&row).expect("memory can be written");
    }
    let pixels = encoder.finish().expect("memory can be written");
    let head = chunk(b"IHDR", &[&size[..], &[8, 0, 0, 0, 0]].concat());
    let tail = [chunk(b"IDAT", &pixels), chunk(b"IEND", &[])];
    let chunks = [head].into_iter().chain(extra.iter().cloned()).chain(tail);
    png(&chunks.collect::<Vec<_>>())
}
