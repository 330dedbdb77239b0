//! Which of a few names did the user mean?

use crate::{Error, Result};

/// The value that `text` names among `options`; an unknown name is answered with the nearest one
/// and the whole list.
pub(crate) fn choose<T: Copy>(
    what: &'static str,
    text: &str,
    options: &[(&'static str, T)],
) -> Result<T> {
    let found = options.iter().find(|(name, _)| *name == text);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let names: Vec<&str> = options.iter().map(|&(name, _)| name).collect();
        unknown(what, text, &names)
    })
}

/// The error for a name that is none of `names`.
pub(crate) fn unknown(what: &'static str, text: &str, names: &[&str]) -> Error {
    let list = names.join(", ");
    let error = Error::unknown_name(format!("unknown {what} \"{text}\"")).at(what);
    match nearest(text, names) {
        Some(name) => error.hint(format!("did you mean \"{name}\"? allowed: {list}")),
        None => error.hint(format!("allowed: {list}")),
    }
}

/// The name within a third of its length in edits, if there is one.
fn nearest<'a>(text: &str, names: &[&'a str]) -> Option<&'a str> {
    let scored = names.iter().map(|&name| (edits(text, name), name));
    let (distance, name) = scored.min_by_key(|&(distance, _)| distance)?;
    (distance <= name.len().div_ceil(3)).then_some(name)
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let above = row[j + 1];
            let replaced = diagonal + usize::from(ca != cb);
            row[j + 1] = replaced.min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_count_insertions_deletions_and_replacements() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", "abc"), 0);
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let error = choose("colour", "gren", &[("red", 1), ("green", 2)]).unwrap_err();
        assert_eq!(error.to_string(), "colour: unknown colour \"gren\"");
        assert!(
            error
                .hint_text()
                .unwrap()
                .starts_with("did you mean \"green\"?")
        );
        let error = choose("colour", "zzzzzzzz", &[("red", 1)]).unwrap_err();
        assert_eq!(error.hint_text(), Some("allowed: red"));
    }
}
