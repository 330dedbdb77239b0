//! Which known name was probably meant by one that is not known.

use strsim::normalized_damerau_levenshtein;

/// How alike two names must be, from 0 to 1, to be taken for a slip: two of five letters may differ.
const ALIKE: f64 = 0.6;
/// The least letters that stand for a longer name that starts with them.
const SHORTEST_START: usize = 3;
/// How alike a start is to its name at the least: as one with a slip in one letter of five.
const START: f64 = 0.8;

/// ``"did you mean `digits`? "``, to be put before the rest of a hint; empty where no name is near to `text`.
///
/// Near are names that differ in at most two of five letters, counted as insertions, deletions, replacements and
/// swaps of neighbours (Damerau-Levenshtein distance over the longer length), and names that start with `text`.
/// Upper and lower case count as equal; of names equally near the first is taken.
pub fn did_you_mean<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(text, names) {
        Some(name) => format!("did you mean `{name}`? "),
        None => String::new(),
    }
}

/// The nearest name, if one is near; see [`did_you_mean`].
pub(crate) fn nearest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    let mut best = None;
    for name in names {
        let found = likeness(&text, &name.to_lowercase());
        if found >= ALIKE && best.is_none_or(|(most, _)| found > most) {
            best = Some((found, name));
        }
    }
    best.map(|(_, name)| name)
}

fn likeness(text: &str, name: &str) -> f64 {
    let likeness = normalized_damerau_levenshtein(text, name);
    let starts = text.chars().count() >= SHORTEST_START && name.starts_with(text);
    if starts {
        likeness.max(START)
    } else {
        likeness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "group-lasso",
        "digits",
        "winequality-red.csv",
        "RMSD",
        "sine",
        "sinc",
    ];

    #[test]
    fn slips_starts_and_other_case_are_near() {
        for (text, wanted) in [
            ("group-laso", "group-lasso"),
            ("group_lasso", "group-lasso"),
            ("RMDS", "RMSD"),
            ("Digit", "digits"),
            ("DIGITS", "digits"),
            ("rmsd", "RMSD"),
            ("wine", "winequality-red.csv"),
            ("sinus", "sine"),
        ] {
            assert_eq!(nearest(text, NAMES), Some(wanted), "{text}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for text in ["", "s", "wi", "mnist", "price.csv", "lasso"] {
            assert_eq!(nearest(text, NAMES), None, "{text}");
        }
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_hint_leads_on_to_the_rest() {
        assert_eq!(did_you_mean("sin", NAMES), "did you mean `sine`? ");
        assert_eq!(did_you_mean("cosine", NAMES), "did you mean `sine`? ");
        assert_eq!(did_you_mean("tangent", NAMES), "");
    }
}
