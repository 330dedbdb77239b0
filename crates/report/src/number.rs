//! Numbers as people read them.

/// A whole number with commas between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// About four significant digits; whole numbers from 1,000 on; powers of ten where zeros would hide the number.
pub(crate) fn significant(value: f64) -> String {
    if !value.is_finite() {
        return "not a number".to_owned();
    }
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    match size {
        0.0 => "0".to_owned(),
        1e9.. => format!("{value:.3e}"),
        999.95.. => format!("{sign}{}", grouped(size.round() as u64)),
        1e-4.. => format!(
            "{value:.*}",
            (3 - size.log10().floor() as i32).max(0) as usize
        ),
        _ => format!("{value:.3e}"),
    }
}

/// Four significant digits without zeros at the end, for ticks and round numbers.
pub(crate) fn short(value: f64) -> String {
    let text = significant(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// A small number such as a relative difference: two digits and a power of ten, or 0.
pub(crate) fn tiny(value: f64) -> String {
    match value == 0.0 {
        true => "0".to_owned(),
        false => format!("{value:.1e}"),
    }
}

/// Seconds, to three digits.
pub(crate) fn seconds(seconds: f64) -> String {
    short(rounded(seconds, 3))
}

/// A share of one in per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

/// Widths or unit counts, joined as they are typed: `300-100`.
pub(crate) fn joined(units: &[usize]) -> String {
    let units: Vec<String> = units.iter().map(ToString::to_string).collect();
    units.join("-")
}

/// Mean and standard deviation (of a sample; 0 for one value).
pub(crate) fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

/// A mean with its standard deviation, unless that is 0.
pub(crate) fn with_spread(mean: f64, sd: f64) -> String {
    match sd > 0.0 {
        true => format!("{} ± {}", significant(mean), short(rounded(sd, 2))),
        false => significant(mean),
    }
}

/// To so many significant digits.
pub(crate) fn rounded(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let power = 10f64.powi(digits - 1 - value.abs().log10().floor() as i32);
    (value * power).round() / power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(464_600), "464,600");
        assert_eq!(grouped(12), "12");
        assert_eq!(significant(0.012_345), "0.01235");
        assert_eq!(significant(-48_213.7), "-48,214");
        assert_eq!(significant(999.97), "1,000");
        assert_eq!(significant(3e-7), "3.000e-7");
        assert_eq!(short(0.05), "0.05");
        assert_eq!(short(2_000.0), "2,000");
        assert_eq!((tiny(0.0), tiny(1.23e-7)), ("0".into(), "1.2e-7".into()));
        assert_eq!(seconds(0.028_519), "0.0285");
        assert_eq!(percent(0.97654), "97.65");
        assert_eq!(joined(&[43, 79]), "43-79");
    }

    #[test]
    fn the_spread_is_that_of_a_sample() {
        assert_eq!(spread(&[1.0, 3.0]), (2.0, 2f64.sqrt()));
        assert_eq!(spread(&[5.0]), (5.0, 0.0));
        assert_eq!(with_spread(97.123, 0.123_4), "97.12 ± 0.12");
        assert_eq!(rounded(1_234.0, 2), 1_200.0);
    }
}
