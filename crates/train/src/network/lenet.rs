//! Networks for small grey images: chains of dense layers, and LeNet-5.

use super::architecture::Sizes;
use super::layers::{Filter, Here, Layers};
use crate::Result;

/// Dense layers of these hidden widths with rectifiers between, on all numbers of an image. 300-100 is LeNet-300-100 of
/// LeCun et al. (1998), section III.C.3, as Han et al. (2015), section 4.1, and pruning papers since have it.
pub(super) fn dense(
    l: &mut Layers<'_>,
    image: Here,
    sizes: Sizes,
    hidden: &[usize],
) -> Result<Here> {
    let mut x = l.flatten(image);
    for (index, &width) in hidden.iter().enumerate() {
        x = l.dense(&format!("dense{}", index + 1), x, sizes.width(width), true)?;
    }
    l.dense("logits", x, sizes.classes, false)
}

/// LeNet-5 as pruning papers use it, which is Caffe's (`examples/mnist/lenet_train_test.prototxt`), not that of LeCun et al.
/// (1998): 20 and 50 filters of 5x5, each followed by the largest of 2x2 places and by no other function, then 500 units with a
/// rectifier. Filters stay within the borders, so that images have at least 16 rows and columns. Where a length is odd, Caffe
/// pools what is left over, and this, as PyTorch, does not; images of 28x28 leave nothing over.
pub(super) fn lenet5(l: &mut Layers<'_>, image: Here, sizes: Sizes) -> Result<Here> {
    let inner = Filter {
        kernel: 5,
        stride: 1,
        padding: 0,
        depthwise: false,
    };
    let mut x = image;
    for (index, width) in [20, 50].into_iter().enumerate() {
        let number = index + 1;
        x = l.conv(&format!("conv{number}"), x, sizes.width(width), inner)?;
        x = l.halve(&format!("pool{number}"), x)?;
    }
    let x = l.flatten(x);
    let x = l.dense("dense1", x, sizes.width(500), true)?;
    l.dense("logits", x, sizes.classes, false)
}
