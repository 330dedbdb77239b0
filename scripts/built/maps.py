"""Maps of channels: what they meet, how they are normalized, and convolutions that multiply them."""

import numpy as np

from built.net import Net, pictures


def unknown_in_front():
    """LpPool between two layers, in a file without lengths between nodes"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 20)
    x = net.node("LpPool", [x], "pooled", kernel_shape=[2, 2], strides=[2, 2], p=2)
    net.classes(net.conv(x, "next", 20, 16), 16)
    return net.model()


def context_in_time():
    """A constant that stands in front of the steps of an activation"""
    net = Net()
    x = net.input("steps", [1, 6, 10])
    read = [x, net.weights("stem_w", 30, 6, 3, fan=18), net.shifts("stem_b", 30)]
    x = net.node("Relu", [net.node("Conv", read, "stem_sum", kernel_shape=[3], pads=[1, 1])], "stem")
    x = net.node("Concat", [net.shifts("before", 1, 30, 2), x], "with_context", axis=2)
    read = [x, net.weights("next_w", 24, 30, 3, fan=90), net.shifts("next_b", 24)]
    x = net.node("Relu", [net.node("Conv", read, "next_sum", kernel_shape=[3])], "next")
    x = net.node("ReduceMean", [x], "mean", axes=[2], keepdims=0)
    net.output(net.dense(x, "scores", 24, 7), [1, 7])
    return net.model()


def depthwise_twice():
    """A depthwise convolution with two outputs for each channel"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 18)
    x = net.conv(x, "deep", 18, 36, group=18)
    net.classes(net.conv(x, "point", 36, 20, kernel=1), 20)
    return net.model()


def depthwise_twice_up():
    """A transposed depthwise convolution with two outputs for each channel"""
    net = Net()
    x = net.conv(pictures(net, side=6), "stem", 3, 18)
    read = [x, net.weights("up_w", 18, 2, 2, 2, fan=1), net.shifts("up_b", 36)]
    x = net.node("ConvTranspose", read, "up_sum", kernel_shape=[2, 2], strides=[2, 2], group=18)
    net.classes(net.conv(net.node("Relu", [x], "up"), "point", 36, 20, kernel=1), 20)
    return net.model()


def grouped(net):
    """A convolution of 30 channels and its normalization in five groups, written in pieces."""
    x = net.conv(net.inputs[0].name, "stem", 3, 30, activation=None)
    groups = net.node("Reshape", [x, net.numbers("groups_shape", [0, 5, -1])], "groups")
    read = [groups, net.tensor("ones", np.ones(5)), net.tensor("zeros", np.zeros(5))]
    normal = net.node("InstanceNormalization", read, "groups_normal", epsilon=1e-5)
    normal = net.node("Reshape", [normal, net.node("Shape", [x], "shape")], "normal")
    normal = net.node("Mul", [normal, net.scales("gain", 30, 1, 1)], "scaled")
    normal = net.node("Add", [normal, net.shifts("shift", 30, 1, 1)], "shifted")
    net.classes(net.conv(net.node("Relu", [normal], "grouped"), "next", 30, 16), 16)
    return net.model()


def group_norm():
    """Group normalization as Reshape, InstanceNormalization, Reshape, Mul and Add, of pictures of one size"""
    net = Net()
    pictures(net)
    return grouped(net)


def group_norm_open():
    """The same for pictures of any size"""
    net = Net()
    net.input("picture", ["rows", 3, "height", "width"])
    return grouped(net)


def mask_image():
    """A second input of one channel, which multiplies all channels of a map"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 26)
    mask = net.input("valid", ["rows", 1, 10, 10])
    net.classes(net.conv(net.node("Mul", [x, mask], "masked"), "next", 26, 16), 16)
    return net.model()


def place_gate():
    """A gate of one channel, made from a map, which multiplies all its channels"""
    net = Net()
    x = net.conv(pictures(net), "stem", 3, 26)
    gate = net.conv(x, "gate", 26, 1, kernel=1, activation="Sigmoid")
    net.classes(net.conv(net.node("Mul", [x, gate], "gated"), "next", 26, 16), 16)
    return net.model()


def shortcut(net, pad):
    """A residual unit of 18 channels on one of 8, which are every second place and padded by `pad`."""
    x = net.conv(net.inputs[0].name, "stem", 3, 8)
    branch = net.conv(x, "down", 8, 14, strides=[2, 2])
    branch = net.conv(branch, "branch", 14, 18, activation=None)
    skipped = net.node("MaxPool", [x], "thinned", kernel_shape=[1, 1], strides=[2, 2])
    x = net.node("Relu", [net.node("Add", [branch, pad(skipped)], "unit_sum")], "unit")
    net.classes(net.conv(x, "next", 18, 16), 16)
    return net.model()


def padded_by_input():
    """A shortcut without weights, padded with channels of zeros; the pads are an input"""
    net = Net()
    pictures(net)
    pads = net.numbers("pads", [0, 5, 0, 0, 0, 5, 0, 0])
    return shortcut(net, lambda value: net.node("Pad", [value, pads], "skipped"))


def padded_by_attribute():
    """The same with the pads as an attribute, as before operator set 11"""
    net = Net(opset=10, ir_version=5)
    pictures(net)
    return shortcut(net, lambda value: net.node("Pad", [value], "skipped", pads=[0, 4, 0, 0, 0, 6, 0, 0]))


NETWORKS = {
    "unknown_in_front": unknown_in_front,
    "context_in_time": context_in_time,
    "depthwise_twice": depthwise_twice,
    "depthwise_twice_up": depthwise_twice_up,
    "group_norm": group_norm,
    "group_norm_open": group_norm_open,
    "mask_image": mask_image,
    "place_gate": place_gate,
    "padded_by_input": padded_by_input,
    "padded_by_attribute": padded_by_attribute,
}
