//! A small chain of convolutions.

use super::architecture::Sizes;
use super::layers::{Filter, Here, Layers};
use crate::Result;

/// Filters of each stage; each has two layers and halves the image.
const STAGES: [usize; 3] = [32, 64, 128];
/// Units between the last filters and the classes.
const DENSE: usize = 128;

/// In the manner of Simonyan & Zisserman (2015), section 2.1: pairs of 3x3 convolutions, normalised and rectified, 32-32, 64-64 and 128-128,
/// the largest of 2x2 places behind each pair, then all that is left as features of a dense layer of 128 units. Features are not
/// averaged over places, as in the original: a unit of the last convolution has one row of weights a place. Images have at least
/// 8 rows and columns.
pub(super) fn vgg(l: &mut Layers<'_>, image: Here, sizes: Sizes) -> Result<Here> {
    let mut x = image;
    for (stage, width) in STAGES.into_iter().enumerate() {
        for layer in 1..=2 {
            let name = format!("stage{}.conv{layer}", stage + 1);
            x = l.conv_norm(&name, x, sizes.width(width), Filter::same(3, 1))?;
            x = l.relu(&name, x);
        }
        x = l.halve(&format!("stage{}.pool", stage + 1), x)?;
    }
    let x = l.flatten(x);
    let x = l.dense("dense1", x, sizes.width(DENSE), true)?;
    l.dense("logits", x, sizes.classes, false)
}
