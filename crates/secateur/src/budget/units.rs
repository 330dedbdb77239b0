//! Sizes and times as they are written, with their units.

use std::time::Duration;

use secateur_prox::Amount;

/// Units of sizes, those of round numbers before the binary ones.
const SIZES: [(&str, u64); 6] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];

/// Reads `100KB`, `1.5MiB`, `20000`, `20000B` as bytes, rounded down, and `20%` or `0.2` as a share.
pub(super) fn size(text: &str) -> Option<Amount> {
    let unit = SIZES.iter().find(|(name, _)| text.ends_with(name));
    let (number, scale) = match unit {
        Some((name, scale)) => (&text[..text.len() - name.len()], *scale),
        None => match text.strip_suffix('B') {
            Some(number) => (number, 1),
            None => return text.parse().ok(),
        },
    };
    let bytes = match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(scale)?,
        // Below 2^53, where every whole number has its own.
        Err(_) => {
            let bytes = decimal(number)? * scale as f64;
            (bytes < 9e15).then_some(bytes as u64)?
        }
    };
    (bytes > 0).then_some(Amount::Count(bytes))
}

/// A number written with digits and a point.
fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse().ok().filter(|_| is_plain)
}

/// A number of bytes as it is typed: `100KB`, `1.5MiB`, `20000`; none if it is not one.
pub fn bytes_of(text: &str) -> Option<u64> {
    match size(text)? {
        Amount::Count(bytes) => Some(bytes),
        Amount::Share(_) => None,
    }
}

/// The shortest of the ways in which [`size`] reads the same.
pub(super) fn size_text(size: Amount) -> String {
    let Amount::Count(bytes) = size else {
        return size.to_string();
    };
    match SIZES.iter().find(|(_, scale)| bytes.is_multiple_of(*scale)) {
        Some((name, scale)) => format!("{}{name}", bytes / scale),
        None => bytes.to_string(),
    }
}

/// Units of times, in nanoseconds, the largest first.
const TIMES: [(&str, u64); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads `2ms`, `500us`, `0.5s`, to the nearest nanosecond.
pub(super) fn time(text: &str) -> Option<Duration> {
    // Backwards, as `s` ends all of them.
    let mut units = TIMES.iter().rev();
    let (name, scale) = units.find(|(name, _)| text.ends_with(name))?;
    let number = decimal(&text[..text.len() - name.len()])?;
    let nanoseconds = (number * *scale as f64).round();
    let is_time = (1.0..9e15).contains(&nanoseconds);
    is_time.then(|| Duration::from_nanos(nanoseconds as u64))
}

/// The same time in the largest unit of which it has a whole number.
pub(super) fn time_text(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as u64;
    let whole = TIMES
        .iter()
        .find(|(_, scale)| nanoseconds.is_multiple_of(*scale));
    let (name, scale) = whole.unwrap_or(&TIMES[3]);
    format!("{}{name}", nanoseconds / scale)
}

#[cfg(test)]
mod tests {
    use secateur_prox::Share;

    use super::*;

    #[test]
    fn sizes_are_read_in_all_units_and_written_in_the_largest_that_fits() {
        for (text, bytes, written) in [
            ("100KB", 100_000, "100KB"),
            ("100KiB", 102_400, "100KiB"),
            ("1.5MB", 1_500_000, "1500KB"),
            ("0.5KiB", 512, "512"),
            ("2MiB", 2_097_152, "2MiB"),
            ("3GiB", 3_221_225_472, "3GiB"),
            (
                "8999999999999.5KB",
                8_999_999_999_999_500,
                "8999999999999500",
            ),
            ("20000", 20_000, "20KB"),
            ("12345B", 12_345, "12345"),
            ("1GB", 1_000_000_000, "1GB"),
        ] {
            assert_eq!(size(text), Some(Amount::Count(bytes)), "{text}");
            assert_eq!(size_text(Amount::Count(bytes)), written);
        }
        let share = Some(Amount::Share(Share::new(0.2).unwrap()));
        assert_eq!([size("20%"), size("0.2")], [share, share]);
        // A limit that is told to a run must be a number of bytes.
        let bytes = ["100KB", "1.5MiB", "20000", "20%", "0.2", "KB"].map(bytes_of);
        let wanted = [
            Some(100_000),
            Some(1_572_864),
            Some(20_000),
            None,
            None,
            None,
        ];
        assert_eq!(bytes, wanted);
    }

    #[test]
    fn times_are_read_in_all_units_and_written_without_a_point() {
        for (text, nanoseconds, written) in [
            ("2ms", 2_000_000, "2ms"),
            ("500us", 500_000, "500us"),
            ("1s", 1_000_000_000, "1s"),
            ("1.5ms", 1_500_000, "1500us"),
            ("0.0005us", 1, "1ns"),
            ("1000ms", 1_000_000_000, "1s"),
        ] {
            assert_eq!(
                time(text),
                Some(Duration::from_nanos(nanoseconds)),
                "{text}"
            );
            assert_eq!(time_text(Duration::from_nanos(nanoseconds)), written);
        }
        for text in [
            "",
            "2",
            "ms",
            "0ms",
            "-1ms",
            "2 ms",
            "1e3s",
            "infs",
            "2m",
            "0.0001us",
            "9999999999s",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_none() {
        for text in [
            "",
            "KB",
            "0",
            "0KB",
            "0.0001KB",
            "-1KB",
            "1e3KB",
            "infKB",
            "NaNKB",
            "1kb",
            "1 KB",
            "99999999999999999999",
            "99999999999999GB",
            "9000000000000.0KB",
            "120%",
            "1.5",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
