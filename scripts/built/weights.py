"""Weights that are shared, computed, packed, or given as inputs, too."""

import numpy as np
from onnx import TensorProto, helper

from built.net import Net, pictures


def alias_identity():
    """A convolution that is applied to two maps; the second reads its weights through Identity"""
    net = Net()
    fine = net.conv(pictures(net), "stem", 3, 18)
    coarse = net.node("AveragePool", [fine], "coarse", kernel_shape=[3, 3], strides=[1, 1], pads=[1] * 4)
    own = [net.weights("both_w", 12, 18, 3, 3, fan=162), net.shifts("both_b", 12)]
    other = [net.node("Identity", [name], f"{name}_again") for name in own]
    attributes = {"kernel_shape": [3, 3], "pads": [1] * 4}
    first = net.node("Relu", [net.node("Conv", [fine, *own], "on_fine", **attributes)], "first")
    second = net.node("Tanh", [net.node("Conv", [coarse, *other], "on_coarse", **attributes)], "second")
    net.classes(net.node("Concat", [first, second], "beside", axis=1), 24)
    return net.model()


def alias_transpose():
    """A decoder that reads the encoder's weights through Transpose"""
    net = Net()
    x = net.node("Relu", [net.dense(net.input("vector", ["rows", 9]), "widen", 9, 22)], "wide")
    code = net.weights("code_w", 22, 12, fan=22)
    x = net.node("Relu", [net.node("MatMul", [x, code], "code_product")], "code")
    back = net.node("Transpose", [code], "code_w_back", perm=[1, 0])
    x = net.node("Relu", [net.node("MatMul", [x, back], "wide_again_product")], "wide_again")
    net.output(net.dense(x, "vector_again", 22, 9), ["rows", 9])
    return net.model()


def alias_reshape():
    """A 1x1 convolution whose weights a dense layer reads through Reshape"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 18)
    point = net.weights("point_w", 16, 18, 1, 1, fan=18)
    fine = net.node("Relu", [net.node("Conv", [x, point], "on_places", kernel_shape=[1, 1])], "places")
    fine = net.node("Flatten", [net.node("GlobalMaxPool", [fine], "largest")], "largest_flat")
    mean = net.node("Flatten", [net.node("GlobalAveragePool", [x], "mean")], "mean_flat")
    matrix = net.node("Reshape", [point, net.numbers("matrix_shape", [16, 18])], "point_w_matrix")
    mean = net.node("Relu", [net.node("Gemm", [mean, matrix], "on_mean", transB=1)], "of_mean")
    x = net.node("Concat", [fine, mean], "beside", axis=1)
    net.output(net.dense(x, "scores", 32, 7), ["rows", 7])
    return net.model()


def packed_bias():
    """A packed bias that is split: one part meets a constant alone, the other an activation"""
    net = Net()
    packed = net.shifts("packed_b", 40)
    parts = net.node("Split", [packed, net.numbers("halves", [20, 20])], ["query_b", "key_b"], axis=0)
    query = net.node("Add", [net.shifts("learned", 1, 20), parts[0]], "query")
    x = net.input("vector", ["rows", 12])
    key = net.node("MatMul", [x, net.weights("key_w", 12, 20, fan=12)], "key_product")
    key = net.node("Add", [key, parts[1]], "key")
    x = net.node("Relu", [net.node("Mul", [key, query], "both")], "both_positive")
    net.output(net.dense(x, "scores", 20, 7), ["rows", 7])
    return net.model()


def standardized():
    """A convolution whose weights BatchNormalization in training mode standardizes, over constants alone"""
    net = Net(opset=15)
    weights = net.weights("stem_w", 20, 3, 3, 3, fan=27)
    flat = net.node("Reshape", [weights, net.numbers("flat_shape", [1, 20, 27])], "stem_w_flat")
    read = [flat, net.scales("gain", 20), net.tensor("none", np.zeros(20))]
    read += [net.tensor("old_mean", np.zeros(20)), net.tensor("old_variance", np.ones(20))]
    made = ["stem_w_standard", "new_mean", "new_variance"]
    net.node("BatchNormalization", read, made, training_mode=1, epsilon=1e-5)
    back = net.node("Reshape", [made[0], net.numbers("back_shape", [20, 3, 3, 3])], "stem_w_back")
    x = net.node("Conv", [pictures(net), back, net.shifts("stem_b", 20)], "stem_sum", pads=[1] * 4)
    net.classes(net.conv(net.node("Relu", [x], "stem"), "next", 20, 16), 16)
    return net.model()


def inputs_too():
    """Initializers, one of them a shape, that are also inputs of the graph, as files before version 4 list them"""
    net = Net(opset=8, ir_version=3)
    x = net.conv(net.input("picture", [1, 1, 8, 8]), "stem", 1, 10)
    x = net.node("MaxPool", [x], "half", kernel_shape=[2, 2], strides=[2, 2])
    x = net.conv(x, "next", 10, 16)
    x = net.node("MaxPool", [x], "quarter", kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Reshape", [x, net.numbers("flat_shape", [1, 64])], "flat")
    matrix = net.weights("head_w", 16, 2, 2, 7, fan=64)
    matrix = net.node("Reshape", [matrix, net.numbers("matrix_shape", [64, 7])], "head_w_matrix")
    x = net.node("MatMul", [x, matrix], "head_product")
    net.output(net.node("Add", [x, net.shifts("head_b", 1, 7)], "scores"), [1, 7])
    return net.model()


def squeeze_if():
    """Squeeze in a branch of If, whose condition is the same for every input of the stated lengths"""
    net = Net()
    x = net.input("steps", ["rows", 6, 9])
    read = [x, net.weights("stem_w", 26, 6, 3, fan=18), net.shifts("stem_b", 26)]
    x = net.node("Relu", [net.node("Conv", read, "stem_sum", kernel_shape=[3])], "stem")
    x = net.node("ReduceMax", [x], "largest", axes=[2], keepdims=1)
    length = net.node("Gather", [net.node("Shape", [x], "shape"), net.numbers("last", [2])], "length")
    is_one = net.node("Equal", [length, net.numbers("one", [1])], "is_one")

    def branch(name, operator, *more):
        made = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph([helper.make_node(operator, ["largest", *more], [name])], name, [], [made])

    branches = {"then_branch": branch("squeezed", "Squeeze", "last"), "else_branch": branch("as_it_is", "Identity")}
    x = net.node("If", [is_one], "flat", **branches)
    net.node("Gemm", [x, net.weights("head_w", 7, 26, fan=26), net.shifts("head_b", 7)], "scores", transB=1)
    net.output("scores", ["rows", 7])
    return net.model()


NETWORKS = {
    "alias_identity": alias_identity,
    "alias_transpose": alias_transpose,
    "alias_reshape": alias_reshape,
    "packed_bias": packed_bias,
    "standardized": standardized,
    "inputs_too": inputs_too,
    "squeeze_if": squeeze_if,
}
