//! A small network of depthwise convolutions.

use super::architecture::Sizes;
use super::layers::{Filter, Here, Layers};
use crate::Result;

/// Channels of the first convolution.
const STEM: usize = 32;
/// Channels of the last convolution.
const HEAD: usize = 256;
/// Factor of expansion, channels, blocks, and stride of the first of them.
const STAGES: [(usize, usize, usize, usize); 4] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 2, 2)];

/// MobileNetV2 (Sandler et al. 2018, section 3 and table 2), cut short for images of 32x32: four of its seven stages, the first
/// convolution at stride 1, and 256 channels before the mean. An inverted residual widens by a 1x1 convolution, filters each channel
/// by itself with 3x3, and narrows by a 1x1 convolution that no function follows; where it keeps places and channels, its input is
/// added. Rectifiers end at 6.
pub(super) fn mobilenet(l: &mut Layers<'_>, image: Here, sizes: Sizes) -> Result<Here> {
    let mut x = l.conv_norm("stem", image, sizes.width(STEM), Filter::same(3, 1))?;
    x = l.relu6("stem", x)?;
    let mut before = STEM;
    for (stage, (factor, width, blocks, stride)) in STAGES.into_iter().enumerate() {
        for block in 1..=blocks {
            let shape = Inverted {
                // A factor of 1 adds no convolution.
                widened: (factor > 1).then(|| sizes.width(factor * before)),
                width: sizes.width(width),
                stride: if block == 1 { stride } else { 1 },
                adds: block > 1,
            };
            x = inverted(l, &format!("stage{}.block{block}", stage + 1), x, shape)?;
            before = width;
        }
    }
    x = l.conv_norm("head", x, sizes.width(HEAD), Filter::same(1, 1))?;
    x = l.relu6("head", x)?;
    let x = l.mean(x);
    l.dense("logits", x, sizes.classes, false)
}

/// The shape of an inverted residual.
#[derive(Clone, Copy)]
struct Inverted {
    /// Channels between, if they are made.
    widened: Option<usize>,
    /// Channels behind.
    width: usize,
    stride: usize,
    /// Whether the input is added.
    adds: bool,
}

fn inverted(l: &mut Layers<'_>, name: &str, x: Here, shape: Inverted) -> Result<Here> {
    let mut own = x;
    if let Some(widened) = shape.widened {
        let widen = format!("{name}.widen");
        own = l.conv_norm(&widen, own, widened, Filter::same(1, 1))?;
        own = l.relu6(&widen, own)?;
    }
    let filter = format!("{name}.filter");
    let each = Filter {
        depthwise: true,
        ..Filter::same(3, shape.stride)
    };
    own = l.conv_norm(&filter, own, own.channels(), each)?;
    own = l.relu6(&filter, own)?;
    own = l.conv_norm(
        &format!("{name}.narrow"),
        own,
        shape.width,
        Filter::same(1, 1),
    )?;
    Ok(match shape.adds {
        true => l.sum(name, own, x),
        false => own,
    })
}
