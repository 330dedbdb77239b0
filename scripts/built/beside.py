"""What a file holds beside the network, and constants that it computes."""

import numpy as np
from onnx import TensorProto, helper

from built.net import Net, pictures


def dead_head():
    """An auxiliary head that leads to no output, and a Reshape that does not either"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 18)
    aside = net.node("GlobalAveragePool", [x], "aside_mean")
    net.dense(net.node("Flatten", [aside], "aside_flat"), "aside_scores", 18, 7)
    net.node("Reshape", [x, net.numbers("rows_shape", [0, 18, 100])], "aside_rows")
    net.classes(net.conv(x, "next", 18, 16), 16)
    return net.model()


def scaled_weights():
    """Two layers over the same weights, of which the second reads them scaled and turned"""
    net = Net()
    x = net.input("vector", ["rows", 9])
    both = net.weights("both_w", 9, 20, fan=9)
    twice = net.node("Mul", [both, net.tensor("two", 2.0)], "both_w_twice")
    turned = net.node("Transpose", [twice], "both_w_turned", perm=[1, 0])
    first = net.node("Relu", [net.node("MatMul", [x, both], "first_product")], "first")
    second = net.node("Tanh", [net.node("Gemm", [x, turned], "second_product", transB=1)], "second")
    x = net.node("Concat", [first, second], "beside", axis=1)
    net.output(net.dense(x, "scores", 40, 7), ["rows", 7])
    return net.model()


def stated_steps():
    """Weights that are turned twice on the way to their layer, with the lengths of every step stated"""
    net = Net()
    weights = net.weights("stem_w", 18, 3, 3, 3, fan=27)
    there = net.node("Transpose", [weights], "stem_w_there", perm=[1, 0, 2, 3])
    back = net.node("Transpose", [there], "stem_w_back", perm=[1, 0, 2, 3])
    x = net.node("Conv", [pictures(net), back, net.shifts("stem_b", 18)], "stem_sum", pads=[1] * 4)
    net.classes(net.conv(net.node("Relu", [x], "stem"), "next", 18, 16), 16)
    model = net.model()
    for name, lengths in [("stem_w_there", [3, 18, 3, 3]), ("stem_w_back", [18, 3, 3, 3])]:
        model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, lengths))
    return model


def decided_if():
    """An If within an If, both with a stored condition, and LpPool, which fewer programs know"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 18)
    holds = net.tensor("holds", True, np.bool_)

    def branch(name, *nodes):
        made = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph(list(nodes), name, [], [made])

    inner = branch("inner", helper.make_node("Relu", ["halved"], ["inner"]))
    other = branch("other", helper.make_node("Neg", ["halved"], ["other"]))
    halved = helper.make_node("AveragePool", [x], ["halved"], kernel_shape=[2, 2], strides=[2, 2])
    nested = helper.make_node("If", [holds], ["outer"], then_branch=inner, else_branch=other)
    plain = branch("plain", helper.make_node("Identity", [x], ["plain"]))
    x = net.node("If", [holds], "taken", then_branch=branch("outer", halved, nested), else_branch=plain)
    x = net.node("LpPool", [x], "root", kernel_shape=[2, 2], strides=[1, 1])
    net.classes(net.conv(x, "next", 18, 16), 16)
    return net.model()


def short_windows():
    """A convolution over one axis that states nothing of its window, in front of LSTM"""
    net = Net()
    x = net.input("steps", [2, 8, 6])
    x = net.node("Relu", [net.node("Conv", [x, net.weights("stem_w", 20, 8, 1, fan=8)], "stem_sum")], "stem")
    x = net.node("Transpose", [x], "steps_first", perm=[2, 0, 1])
    read = [x, net.weights("cells_w", 1, 48, 20, fan=20), net.weights("cells_r", 1, 48, 12, fan=12)]
    net.node("LSTM", read, ["cells", "cells_last"], hidden_size=12)
    x = net.node("Squeeze", ["cells_last", net.numbers("first", [0])], "last")
    net.output(net.dense(x, "scores", 12, 7), [2, 7])
    return net.model()


NETWORKS = {
    "dead_head": dead_head,
    "scaled_weights": scaled_weights,
    "stated_steps": stated_steps,
    "decided_if": decided_if,
    "short_windows": short_windows,
}
