//! Residual networks for small images.

use super::architecture::Sizes;
use super::layers::{Filter, Here, Layers};
use crate::Result;

/// Channels of each stage; the second and the third begin by halving the image.
const STAGES: [usize; 3] = [16, 32, 64];

/// The networks of He et al. (2016), section 4.2, of `6 * blocks + 2` layers: a 3x3 convolution, three stages of `blocks` residual
/// blocks of two 3x3 convolutions, the mean over all places, and a dense layer.
///
/// One thing is not as there. Where a stage begins, the paper pads the shortcut with channels of zeros (option A), which makes the
/// channels of one stage the first ones of the next, so that all stages would be one group. Here a 1x1 convolution with
/// normalisation does it (option B of the same paper), and each stage is a group of its own.
///
/// Every convolution is drawn as for rectifiers, with the variance 2/in of He et al. (2015). As no mean or variance of a
/// batch has been seen yet, an untrained network does not normalise when it is run: each block adds to what flows, and the outputs of a deep one
/// are large.
pub(super) fn resnet(l: &mut Layers<'_>, image: Here, sizes: Sizes, blocks: usize) -> Result<Here> {
    let mut x = l.conv_norm("stem", image, sizes.width(STAGES[0]), Filter::same(3, 1))?;
    x = l.relu("stem", x);
    for (stage, width) in STAGES.into_iter().enumerate() {
        for block in 1..=blocks {
            let name = format!("stage{}.block{block}", stage + 1);
            let stride = if stage > 0 && block == 1 { 2 } else { 1 };
            x = residual(l, &name, x, (sizes.width(width), stride))?;
        }
    }
    let x = l.mean(x);
    l.dense("logits", x, sizes.classes, false)
}

/// Two convolutions beside a shortcut, which projects where the block halves the image.
fn residual(
    l: &mut Layers<'_>,
    name: &str,
    x: Here,
    (width, stride): (usize, usize),
) -> Result<Here> {
    let inner = format!("{name}.conv1");
    let own = l.conv_norm(&inner, x, width, Filter::same(3, stride))?;
    let own = l.relu(&inner, own);
    let own = l.conv_norm(&format!("{name}.conv2"), own, width, Filter::same(3, 1))?;
    let shortcut = match stride {
        1 => x,
        _ => l.conv_norm(
            &format!("{name}.shortcut"),
            x,
            width,
            Filter::same(1, stride),
        )?,
    };
    let sum = l.sum(name, own, shortcut);
    Ok(l.relu(name, sum))
}
