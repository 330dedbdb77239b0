//! Which untrained network is asked for?

use secateur_train::{Architecture, ImageSize};

use crate::choice::choose;
use crate::{Error, Result};

/// Which network, and how large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Its layers.
    pub architecture: Architecture,
    /// The images that it takes.
    pub input: ImageSize,
    /// How many logits it gives.
    pub classes: usize,
    /// Factor of all hidden widths.
    pub width: f64,
    /// Decides the weights.
    pub seed: u64,
}

impl Start {
    /// The network of that name for the images that it was thought out for, 10 classes and seed 0.
    ///
    /// # Errors
    /// If there is no such network.
    pub fn named(name: &str) -> Result<Self> {
        let all = Architecture::ALL.map(|a| (a.name(), a));
        let architecture = choose("NAME", name, &all)?;
        Ok(Self {
            architecture,
            input: architecture.usual_input(),
            classes: 10,
            width: 1.0,
            seed: 0,
        })
    }

    /// The same for images of another size, such as `3x32x32`.
    ///
    /// # Errors
    /// If the text is no size.
    pub fn for_images(self, size: &str) -> Result<Self> {
        let input = size.parse().map_err(|e| by_flag(&e))?;
        Ok(Self { input, ..self })
    }
}

/// What is wrong with a choice, by the name of its flag.
pub(super) fn by_flag(error: &secateur_train::Error) -> Error {
    let message = match error.place() {
        Some(_) => format!("--{error}"),
        None => error.to_string(),
    };
    Error::usage(message).hint(error.hint_text().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::grouped;

    #[test]
    fn the_guide_tells_of_every_network() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/new.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        for architecture in Architecture::ALL {
            let start = Start::named(architecture.name()).unwrap();
            let cost = architecture.cost(start.input, start.classes, start.width);
            let cost = cost.unwrap();
            let (params, macs) = (grouped(cost.params), grouped(cost.macs));
            let end = format!("| `{}` | {params} | {macs} |", start.input);
            let mut rows = guide.lines();
            let row = rows.find(|l| l.starts_with(&format!("| `{architecture}` |")));
            assert!(row.is_some_and(|l| l.ends_with(&end)), "{row:?} {end}");
        }
    }

    #[test]
    fn names_and_sizes_are_those_of_the_flags() {
        let start = Start::named("lenet5").unwrap();
        assert_eq!(start.input, ImageSize::new(1, 28, 28));
        let start = start.for_images("3x20x24").unwrap();
        assert_eq!(start.input, ImageSize::new(3, 20, 24));
        let error = start.for_images("20x24").unwrap_err();
        assert!(error.to_string().starts_with("--input: "), "{error}");
        let error = Start::named("lenet-5").unwrap_err();
        let hint = error.hint_text().unwrap();
        assert!(hint.starts_with("did you mean `lenet5`?"), "{hint}");
    }
}
