//! One change after another to the bytes of a file.

use secateur_testkit::Stream;

/// Bytes that mean something to one reader or another.
const TELLING: &[u8] =
    b",;\t \"\n\r.-+eE?0123456789nafi()'\x00\x01\x08\x1f\x7f\x80\x8b\xd9\xef\xff";
/// Numbers at which text is wrong more often than elsewhere.
const NUMBERS: [&str; 8] = [
    "0",
    "-1",
    "65536",
    "4294967295",
    "18446744073709551616",
    "1e308",
    "1e-300",
    "nan",
];
/// The same for lengths of 1 to 8 bytes.
const LENGTHS: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// Changes `bytes` in one place or several; `other` is what parts may come from.
pub fn damage(bytes: &mut Vec<u8>, other: &[u8], stream: &mut Stream) {
    for _ in 0..=stream.below(4) {
        once(bytes, other, stream);
    }
}

fn once(bytes: &mut Vec<u8>, other: &[u8], stream: &mut Stream) {
    if bytes.is_empty() {
        bytes.extend(part(other, stream));
        return;
    }
    let at = stream.below(bytes.len());
    match stream.below(10) {
        0 => bytes[at] ^= 1 << stream.below(8),
        1 => bytes[at] = stream.below(256) as u8,
        2 => bytes[at] = TELLING[stream.below(TELLING.len())],
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..(at + 1 + stream.below(24)).min(bytes.len()))),
        5 => {
            let copy = part(bytes, stream);
            bytes.splice(at..at, copy);
        }
        6 => {
            let foreign = part(other, stream);
            bytes.splice(at..at, foreign);
        }
        7 => {
            // The head of one file and the tail of another.
            bytes.truncate(at);
            bytes.extend(&other[stream.below(other.len())..]);
        }
        8 => length(bytes, at, stream),
        _ => number(bytes, at, stream),
    }
}

/// Some bytes in a row, at most 64.
fn part(of: &[u8], stream: &mut Stream) -> Vec<u8> {
    let from = stream.below(of.len());
    let to = (from + 1 + stream.below(64)).min(of.len());
    of[from.min(to)..to].to_vec()
}

/// Sets what may be a length to an extreme one.
fn length(bytes: &mut [u8], at: usize, stream: &mut Stream) {
    let value = LENGTHS[stream.below(LENGTHS.len())];
    let width = (1 << stream.below(4)).min(bytes.len() - at);
    let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
    let from = match stream.below(2) {
        0 => &little[..width],
        _ => &big[8 - width..],
    };
    bytes[at..at + width].copy_from_slice(from);
}

/// Puts an extreme number in place of the digits that are next, if there are any.
fn number(bytes: &mut Vec<u8>, at: usize, stream: &mut Stream) {
    let digits = |bytes: &[u8], digit: bool| {
        let mut bytes = bytes.iter();
        bytes.position(|byte| byte.is_ascii_digit() == digit)
    };
    let Some(skip) = digits(&bytes[at..], true) else {
        return;
    };
    let from = at + skip;
    let to = digits(&bytes[from..], false).map_or(bytes.len(), |count| from + count);
    bytes.splice(from..to, NUMBERS[stream.below(NUMBERS.len())].bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_the_same_for_a_seed_and_bounded() {
        let (whole, other) = (b"P5 3 2 255 abcdef".to_vec(), vec![0xee; 100]);
        let make = |seed| {
            let mut bytes = whole.clone();
            damage(&mut bytes, &other, &mut Stream::new(seed));
            bytes
        };
        let all: Vec<Vec<u8>> = (0..500).map(make).collect();
        assert_eq!(all[7], make(7));
        assert!(all.iter().filter(|&bytes| *bytes == whole).count() < 25);
        assert!(all.iter().all(|bytes| bytes.len() < 17 + 4 * 100));
        let has = |part: &[u8]| all.iter().any(|b| b.windows(part.len()).any(|w| w == part));
        assert!(has(b"4294967295") && has(&[0xff; 4]) && has(&[0xee; 20]));
    }

    #[test]
    fn nothing_and_one_byte_can_be_damaged() {
        for seed in 0..200 {
            for start in [vec![], vec![7]] {
                let mut bytes = start;
                damage(&mut bytes, &[1], &mut Stream::new(seed));
            }
        }
    }
}
