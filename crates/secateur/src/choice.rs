//! Picks one of a few named values, or says which there are.

use secateur_data::did_you_mean;

use crate::{Error, Result};

/// The value called `text`.
pub(crate) fn choose<T: Copy>(place: &str, text: &str, choices: &[(&str, T)]) -> Result<T> {
    match choices.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Err(unknown(place, text, &names))
        }
    }
}

/// The error for a name that is not among `names`; its hint starts with the nearest of them, if one is near.
pub(crate) fn unknown(place: &str, text: &str, names: &[&str]) -> Error {
    Error::usage(format!("there is no '{text}'"))
        .at(place)
        .hint(format!(
            "{}use one of: {}",
            did_you_mean(text, names.iter().copied()),
            names.join(", ")
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        assert_eq!(choose("--x", "b", &[("a", 1), ("b", 2)]).unwrap(), 2);
        let error = choose("--x", "c", &[("a", 1), ("b", 2)]).unwrap_err();
        assert_eq!(error.to_string(), "--x: there is no 'c'");
        assert_eq!(error.hint_text(), Some("use one of: a, b"));
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let error = unknown("--optimizer", "adma", &["sgd", "momentum", "adam"]);
        assert_eq!(
            error.hint_text(),
            Some("did you mean `adam`? use one of: sgd, momentum, adam")
        );
    }
}
