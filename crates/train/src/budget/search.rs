//! The largest network of a ranking that is within a limit.

use super::counted;
use super::question::Question;
use super::ranked::{Candidate, Ranked};
use crate::settings::Widths;
use crate::{Error, ErrorKind, Result};

/// The largest network with at most `limit` of the ranking's quantity, and of those the largest that the question allows.
///
/// # Errors
/// If there is none; the message tells the nearest.
pub(crate) fn within(
    ranked: &Ranked,
    limit: u64,
    question: Option<&mut Question<'_>>,
) -> Result<Candidate> {
    let largest = ranked.candidate(limit)?;
    if largest.count > limit {
        return Err(out_of_reach(ranked, limit, &largest));
    }
    let Some(question) = question else {
        return Ok(largest);
    };
    if question.of(&largest.graph)?.0 {
        return Ok(largest);
    }
    let least = ranked.candidate(0)?;
    let mut good: Option<Candidate> = None;
    // No network between `low` and the best so far is larger than that; one of `high` is too large.
    let (mut low, mut high) = (least.count, largest.count);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        let next = ranked.candidate(middle)?;
        if next.count <= good.as_ref().map_or(least.count, |g| g.count) {
            low = middle;
            continue;
        }
        let (_, answer) = question.of(&next.graph)?;
        if !question.is_aimed(answer) {
            high = next.count;
            continue;
        }
        good = Some(next);
        low = middle;
        if question.is_near(answer) {
            break;
        }
    }
    match good {
        Some(good) => Ok(good),
        None => match question.of(&least.graph)? {
            (true, _) => Ok(least),
            (false, answer) => Err(not_allowed(question, answer, ranked.widths)),
        },
    }
}

/// Looks ahead before anything is trained: whether the network is within the limit already, and so nothing needs to go.
///
/// # Errors
/// If even the smallest network is not within it; the message tells how far that comes.
pub(crate) fn foresee(
    ranked: &Ranked,
    limit: u64,
    question: Option<&mut Question<'_>>,
) -> Result<Option<String>> {
    let (whole, least) = (ranked.whole()?, ranked.candidate(0)?);
    if least.count > limit {
        return Err(out_of_reach(ranked, limit, &least));
    }
    let met = |have: String, most: String| {
        format!(
            "the network is within its budget already ({have}, at most {most}): nothing is removed to meet it"
        )
    };
    let Some(question) = question else {
        let text = |count| counted(ranked.of, count);
        return Ok((whole.count <= limit).then(|| met(text(whole.count), text(limit))));
    };
    let (is_met, answer) = question.of(&whole.graph)?;
    if is_met && whole.count <= limit {
        let words = question.words;
        return Ok(Some(met(words(answer), words(question.most))));
    }
    match question.of(&least.graph)? {
        (true, _) => Ok(None),
        (false, answer) => Err(not_allowed(question, answer, ranked.widths)),
    }
}

fn out_of_reach(ranked: &Ranked, limit: u64, least: &Candidate) -> Error {
    let message = format!(
        "{} cannot be reached: {} are left when every layer keeps its least",
        counted(ranked.of, limit),
        least.count
    );
    unmet(message, ranked.widths)
}

fn not_allowed(question: &Question<'_>, least: f64, widths: Widths) -> Error {
    let message = format!(
        "{} cannot be reached: it is {} when every layer keeps its least",
        (question.words)(question.most),
        (question.words)(least)
    );
    unmet(message, widths)
}

fn unmet(message: String, widths: Widths) -> Error {
    let smaller = match widths.round {
        1 => "a lower floor".to_owned(),
        round => {
            format!("a lower floor or other numbers of units than multiples of {round} (--round 1)")
        }
    };
    Error::new(ErrorKind::Limit, message)
        .at("budget")
        .hint(format!(
            "allow a larger budget, {smaller}, or start from another network"
        ))
}
