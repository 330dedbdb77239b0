"""Attention in forms that exporters and converters write."""

import numpy as np

from built.net import Net

WIDTH, LENGTH, HEADS, SIZE = 18, 5, 3, 6


def steps(net):
    return net.input("steps", [1, LENGTH, WIDTH])


def to_heads(net, value, name):
    split = net.node("Reshape", [value, f"heads_shape"], f"{name}_split")
    return net.node("Transpose", [split], f"{name}_heads", perm=[0, 2, 1, 3])


def attended(net, q, k, v, guard=lambda weights: weights):
    """Of queries, keys and values without heads to a layer behind them, with what `guard` makes of the weights."""
    net.numbers("heads_shape", [0, 0, HEADS, SIZE])
    q, k, v = (to_heads(net, value, name) for value, name in ((q, "q"), (k, "k"), (v, "v")))
    turned = net.node("Transpose", [k], "k_turned", perm=[0, 1, 3, 2])
    scores = net.node("MatMul", [q, turned], "scores_by_head")
    scores = net.node("Mul", [scores, net.tensor("scale", SIZE**-0.5)], "scores_scaled")
    weights = guard(net.node("Softmax", [scores], "weights", axis=-1))
    x = net.node("Transpose", [net.node("MatMul", [weights, v], "found_by_head")], "found_turned", perm=[0, 2, 1, 3])
    x = net.node("Reshape", [x, net.numbers("flat_shape", [0, 0, HEADS * SIZE])], "found")
    return behind(net, x, HEADS * SIZE)


def behind(net, value, width):
    x = net.node("Relu", [net.dense(value, "out", width, 16)], "out_positive")
    net.output(net.dense(x, "answers", 16, 4), [1, LENGTH, 4])


def operator():
    """The operator Attention of set 23 on three axes, in a file without lengths between nodes"""
    net = Net(opset=23, ir_version=10)
    x = steps(net)
    q, k, v = (net.dense(x, name, WIDTH, HEADS * SIZE) for name in ("q", "k", "v"))
    x = net.node("Attention", [q, k, v], "found", q_num_heads=HEADS, kv_num_heads=HEADS)
    behind(net, x, HEADS * SIZE)
    return net.model()


def einsum():
    """Weights of three axes and Einsum, as Keras' attention is converted"""
    net = Net()
    x = steps(net)
    parts = {}
    for name in ("q", "k", "v"):
        read = [x, net.weights(f"{name}_w", WIDTH, HEADS, SIZE, fan=2 * WIDTH)]
        made = net.node("Einsum", read, f"{name}_product", equation="btd,dhs->bths")
        parts[name] = net.node("Add", [made, net.shifts(f"{name}_b", HEADS, SIZE)], name)
    scores = net.node("Einsum", [parts["k"], parts["q"]], "scores_by_head", equation="bshd,bthd->bhts")
    weights = net.node("Softmax", [scores], "weights", axis=-1)
    found = net.node("Einsum", [weights, parts["v"]], "found", equation="bhts,bshd->bthd")
    read = [found, net.weights("out_w", HEADS, SIZE, 16, fan=HEADS * SIZE)]
    x = net.node("Relu", [net.node("Einsum", read, "out", equation="bthd,hde->bte")], "out_positive")
    net.output(net.dense(x, "answers", 16, 4), [1, LENGTH, 4])
    return net.model()


def qkv_split():
    """Queries, keys and values of one layer, divided by Split before there are heads"""
    net = Net()
    qkv = net.dense(steps(net), "qkv", WIDTH, 3 * HEADS * SIZE)
    thirds = net.numbers("thirds", [HEADS * SIZE] * 3)
    q, k, v = net.node("Split", [qkv, thirds], ["q", "k", "v"], axis=2)
    attended(net, q, k, v)
    return net.model()


def nan_guard():
    """Weights of attention that are 0 where the softmax made no number: Where(IsNaN(p), 0, p)"""
    net = Net()
    x = steps(net)
    q, k, v = (net.dense(x, name, WIDTH, HEADS * SIZE) for name in ("q", "k", "v"))
    zero = net.tensor("zero", 0.0)

    def guard(weights):
        return net.node("Where", [net.node("IsNaN", [weights], "is_nan"), zero, weights], "weights_or_zero")

    attended(net, q, k, v, guard)
    return net.model()


def heads_as_rows():
    """Heads folded into the rows of a depthwise convolution; the file states the lengths between nodes"""
    net = Net()
    heads, size, side = 3, 10, 6
    x = net.input("places", [1, side**2, WIDTH])
    q = net.dense(x, "q", WIDTH, heads * size)
    q = net.node("Reshape", [q, net.numbers("heads_shape", [1, side**2, heads, size])], "q_split")
    q = net.node("Transpose", [q], "q_heads", perm=[0, 2, 3, 1])
    q = net.node("Reshape", [q, net.numbers("rows_shape", [heads, size, side, side])], "q_rows")
    read = [q, net.weights("pool_w", size, 1, 3, 3, fan=9)]
    q = net.node("Conv", read, "q_pooled", kernel_shape=[3, 3], pads=[1] * 4, group=size)
    q = net.node("Reshape", [q, net.numbers("back_shape", [1, heads, size, side**2])], "q_back")
    q = net.node("Transpose", [q], "q_last", perm=[0, 3, 1, 2])
    q = net.node("Reshape", [q, net.numbers("flat_shape", [1, side**2, heads * size])], "q_flat")
    x = net.node("Relu", [net.dense(q, "out", heads * size, 16)], "out_positive")
    net.output(net.dense(x, "answers", 16, 4), [1, side**2, 4])
    return net.with_lengths()


NETWORKS = {
    "attention_operator": operator,
    "attention_einsum": einsum,
    "attention_qkv_split": qkv_split,
    "attention_nan_guard": nan_guard,
    "attention_heads_as_rows": heads_as_rows,
}
