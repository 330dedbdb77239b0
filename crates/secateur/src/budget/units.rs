//! Sizes as they are written: decimal and binary units, or plain bytes.

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
            ("20000", 20_000, "20KB"),
            ("12345B", 12_345, "12345"),
            ("1GB", 1_000_000_000, "1GB"),
        ] {
            assert_eq!(size(text), Some(Amount::Count(bytes)), "{text}");
            assert_eq!(size_text(Amount::Count(bytes)), written);
        }
        let share = Some(Amount::Share(Share::new(0.2).unwrap()));
        assert_eq!([size("20%"), size("0.2")], [share, share]);
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
            "120%",
            "1.5",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
