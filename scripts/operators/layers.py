"""Convolutions, pools and attention."""

import numpy as np

from .drawing import Fixed, Spec, fixed, floats

SPATIAL = {1: (7,), 2: (7, 6), 3: (4, 5, 3)}
KERNEL = {1: [[3], [2]], 2: [[3, 2], [2, 3]], 3: [[2, 2, 1]]}


def taken(attributes, name, axes):
    """Draws of these lists are for two axes; others take as many as they have."""
    given = attributes.get(name)
    if given is None:
        return
    if name == "pads":
        half = len(given) // 2
        attributes[name] = (given[:half] * 2)[:axes] + (given[half:] * 2)[:axes]
    else:
        attributes[name] = (given * 2)[:axes]


def windows(a, axes):
    if "auto_pad" in a and a["auto_pad"] != "NOTSET":
        a.pop("pads", None)
    for name in ("pads", "strides", "dilations", "output_padding", "kernel_shape"):
        taken(a, name, axes)


def conv(transposed):
    def operands(g, a, o):
        axes = int(g.integers(1, 3))
        kernel = KERNEL[axes][g.integers(len(KERNEL[axes]))]
        windows(a, axes)
        if "kernel_shape" in a:
            a["kernel_shape"] = kernel
        groups = a.get("group", 1)
        spatial = tuple(n - 3 for n in SPATIAL[axes]) if transposed else SPATIAL[axes]
        weights = (2 * groups, 2, *kernel) if transposed else (3 * groups, 2, *kernel)
        bias = [Fixed(floats(g, (2 if transposed else 3) * groups))] if g.random() < 0.5 else []
        return [floats(g, (2, 2 * groups, *spatial)), Fixed(floats(g, weights)), *bias]

    return operands


def pool(g, a, o):
    axes = len(a["kernel_shape"])
    # ONNX Runtime forgets dilations where it is to find the padding.
    if a.get("auto_pad", "").startswith("SAME") and "dilations" in a:
        return None
    windows(a, axes)
    x = floats(g, (2, 3, *SPATIAL[axes]))
    # No window of padding alone, and of largest numbers none is 0.
    return [x - np.float32(3.0)]


def unpool(g, a, o):
    windows(a, 2)
    kernel, strides, pads = (a.get(n, d) for n, d in [("kernel_shape", None), ("strides", [1, 1]), ("pads", [0] * 4)])
    x = floats(g, (1, 2, 2, 2))
    lengths = [(2 - 1) * strides[i] - pads[i] - pads[i + 2] + kernel[i] for i in range(2)]
    places = g.permutation(2 * lengths[0] * lengths[1])[:8].reshape(x.shape)
    return [x, Fixed(places.astype(np.int64))]


def attention(flat):
    def operands(g, a, o):
        heads, kv = a.get("q_num_heads", 4), a.get("kv_num_heads", 2)
        if flat:
            q, k, v = (2, 3, heads * 4), (2, 5, kv * 4), (2, 5, kv * 3)
        else:
            q, k, v = (2, 4, 3, 4), (2, 2, 5, 4), (2, 2, 5, 3)
        operands = [floats(g, q), floats(g, k), floats(g, v)]
        mask = a.get("_mask")
        if mask == "added":
            operands.append(Fixed(floats(g, (3, 5))))
        if mask == "truth":
            truth = g.random((3, 5)) < 0.6
            truth[:, 0] = True
            operands.append(Fixed(truth))
        return operands

    return operands


def regions(g, a, o):
    boxes = np.asarray([[0.5, 0.0, 4.5, 3.0], [1.0, 1.5, 5.0, 5.0]], dtype=np.float32)
    return [floats(g, (2, 2, 6, 7)), Fixed(boxes), fixed([1, 0])]


def grid(g, a, o):
    return [floats(g, (2, 2, 4, 5)), Fixed((g.random((2, 3, 3, 2)) * 2.8 - 1.4).astype(np.float32))]


AUTO = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]
STEPS = {"strides": [[2, 1], [2, 3]], "dilations": [[2, 1], [1, 2]], "pads": [[1, 0, 0, 1], [1, 1, 1, 1]]}
POOLED = {"kernel_shape": [[3, 2], [3], [2, 2]], "ceil_mode": [0, 1], "auto_pad": AUTO, **STEPS}
SCORES = {"scale": [0.25], "softcap": [1.5], "is_causal": [0, 1], "_mask": ["added", "truth"]}

ALL = [
    Spec("Conv", conv(False), {"group": [1, 2, 3], "auto_pad": AUTO, "kernel_shape": [[1]], **STEPS}, (11, 22), more=2, runtime=True),
    Spec("ConvTranspose", conv(True), {"group": [1, 2], "kernel_shape": [[1]], "output_padding": [[1, 0]], "auto_pad": ["NOTSET"], **STEPS},
         (11, 22), more=2),  # fmt: skip
    Spec("MaxPool", pool, {"storage_order": [0], **POOLED}, (12, 22), required=("kernel_shape",), runtime=True),
    Spec("MaxPool", pool, {**POOLED}, (12,), required=("kernel_shape",), outputs=2, note="places", runtime=True),
    Spec("AveragePool", pool, {n: v for n, v in POOLED.items() if n != "dilations"} | {"count_include_pad": [0, 1]}, (11, 19),
         required=("kernel_shape",), runtime=True),  # fmt: skip
    Spec("AveragePool", pool, {**POOLED, "count_include_pad": [0, 1]}, (19, 22), required=("kernel_shape",), note="dilated", runtime=True),
    Spec("LpPool", pool, {**POOLED, "p": [1, 2, 3]}, (18, 22), required=("kernel_shape",), runtime=True),
    Spec("MaxUnpool", unpool, {"kernel_shape": [[2, 2], [3, 2]], "strides": [[2, 1], [2, 2]], "pads": [[1, 0, 0, 0]]}, (11,),
         required=("kernel_shape",)),  # fmt: skip
    Spec("Attention", attention(False), {**SCORES}, (23,), note="four axes"),
    Spec("Attention", attention(True), {"q_num_heads": [4, 2], "kv_num_heads": [2], **SCORES, "softmax_precision": [1]}, (23,),
         required=("q_num_heads", "kv_num_heads")),  # fmt: skip
    Spec("RoiAlign", regions, {"mode": ["avg", "max"], "coordinate_transformation_mode": ["half_pixel", "output_half_pixel"],
         "output_height": [1, 3], "output_width": [2], "sampling_ratio": [0, 2], "spatial_scale": [0.5]}, (16,), rows=0),  # fmt: skip
    Spec("RoiAlign", regions, {"mode": ["avg", "max"], "output_height": [3], "output_width": [2], "sampling_ratio": [0, 2],
         "spatial_scale": [0.5]}, (10,), rows=0, note="old"),  # fmt: skip
    Spec("GridSample", grid, {"mode": ["bilinear", "nearest", "bicubic"], "padding_mode": ["zeros", "border", "reflection"],
         "align_corners": [0, 1]}, (16,)),  # fmt: skip
    Spec("GridSample", grid, {"mode": ["linear", "nearest", "cubic"], "padding_mode": ["zeros", "border", "reflection"],
         "align_corners": [0, 1]}, (20, 22)),  # fmt: skip
]
