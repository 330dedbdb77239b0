//! The published script with its quirks, each of which is a choice of its own.

use super::arm::{Arm, Choices};

/// Where the script departs from the corrected method: key, its value there, and the corrected one.
const QUIRKS: [(&str, &str, &str); 7] = [
    ("loss", "double-softmax", "cross-entropy"),
    ("init", "truncated-normal:0.1:0.1", "scaled"),
    ("order", "as-is", "shuffled"),
    ("penalty-step", "subgradient", "proximal"),
    ("inputs", "like-hidden", "penalised"),
    ("group-weights", "initial-widths", "current-widths"),
    ("schedule", "constant", "cosine"),
];

/// What both modes share: network, optimiser, batch, steps and strength of the script.
const SHARED: [(&str, &str); 6] = [
    ("net", "400-300-100"),
    ("optimizer", "adam"),
    ("learning-rate", "0.001"),
    ("batch", "400"),
    ("steps", "25000"),
    ("strength", "0.0001"),
];

/// The script and the corrected method without a penalty, with the full one and with spare-last:8; with
/// `each_quirk` also the script without each of its quirks in turn.
pub fn author_arms(each_quirk: bool) -> Vec<Arm> {
    let modes = |name: &str, is_quirky: &dyn Fn(usize) -> bool| -> (String, Choices) {
        let quirk = |(i, (key, author, corrected)): (usize, &(&str, &str, &str))| {
            let value = if is_quirky(i) { author } else { corrected };
            ((*key).to_owned(), (*value).to_owned())
        };
        (
            name.to_owned(),
            QUIRKS.iter().enumerate().map(quirk).collect(),
        )
    };
    let mut all = vec![modes("author", &|_| true), modes("corrected", &|_| false)];
    if each_quirk {
        all.extend((0..QUIRKS.len()).map(|left_out| {
            let name = format!("author, {} {}", QUIRKS[left_out].0, QUIRKS[left_out].2);
            modes(&name, &|i| i != left_out)
        }));
    }
    let parts = ["full", "spare-last:8"];
    all.iter()
        .flat_map(|(name, mode)| parts.map(|part| penalised(name, mode, part)))
        .collect()
}

fn penalised(name: &str, mode: &Choices, part: &str) -> Arm {
    let mut choices = mode.clone();
    choices.extend(SHARED.map(|(key, value)| (key.to_owned(), value.to_owned())));
    choices.insert("penalty".into(), "group-lasso".into());
    choices.insert("part".into(), part.into());
    let removes = choices["penalty-step"] == "proximal";
    choices.insert(
        "control".into(),
        if removes { "narrow" } else { "none" }.into(),
    );
    if choices["schedule"] == "constant" {
        // The script never lets go of the penalty.
        choices.insert("settle".into(), "0".into());
    }
    Arm {
        mode: Some(name.to_owned()),
        ..Arm::new(choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quirk_is_left_out_once() {
        let arms = author_arms(true);
        assert_eq!(arms.len(), 2 * (2 + QUIRKS.len()));
        let author = &arms[0].choices;
        for (i, arm) in arms.iter().step_by(2).enumerate().skip(2) {
            let differs = |key: &str| arm.choices.get(key) != author.get(key);
            let others: Vec<&str> = QUIRKS
                .iter()
                .map(|q| q.0)
                .filter(|key| differs(key))
                .collect();
            assert_eq!(others, [QUIRKS[i - 2].0]);
            assert_eq!(arm.removes_units(), arm.choices["control"] == "narrow");
        }
    }
}
