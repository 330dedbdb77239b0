"""The networks in PyTorch, which units live and die together in them, and how to cut such units out."""

import copy
import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass
class Group:
    """Units that several layers have in common: channels that `producers` make and `readers` read."""

    name: str
    units: int
    producers: list
    # Modules, and how many neighbouring inputs of each belong to a unit.
    readers: list


class Mlp(nn.Module):
    """Dense layers with rectifiers between; the first reads the inputs, which are units, too."""

    def __init__(self, widths):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in zip(widths, widths[1:], strict=False))
        for layer in self.layers:
            draw(layer, rectified=layer is not self.layers[-1])

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x), inplace=True)
        return self.layers[-1](x)

    def groups(self):
        made = [[], *([layer] for layer in self.layers[:-1])]
        return [
            Group("inputs" if index == 0 else f"hidden{index}", layer.in_features, made[index], [(layer, 1)])
            for index, layer in enumerate(self.layers)
        ]


class LeNet5(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.dense, self.logits = nn.Linear(50 * 4 * 4, 500), nn.Linear(500, classes)
        for layer in [self.conv1, self.conv2, self.logits]:
            draw(layer, rectified=False)
        draw(self.dense, rectified=True)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.logits(F.relu(self.dense(x.flatten(1)), inplace=True))

    def groups(self):
        return [
            Group("conv1", self.conv1.out_channels, [self.conv1], [(self.conv2, 1)]),
            Group("conv2", self.conv2.out_channels, [self.conv2], [(self.dense, 16)]),
            Group("dense", self.dense.out_features, [self.dense], [(self.logits, 1)]),
        ]


def conv_norm(inputs, outputs, kernel, stride=1):
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    draw(conv, rectified=True)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = conv_norm(inputs, outputs, 3, stride), conv_norm(outputs, outputs, 3)
        self.shortcut = conv_norm(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        own = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(own + self.shortcut(x), inplace=True)


class ResNet20(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = conv_norm(3, 16, 3)
        widths = [16, 16, 16, 16, 32, 32, 32, 64, 64, 64]
        strides = [1, 1, 1, 2, 1, 1, 2, 1, 1]
        self.blocks = nn.Sequential(*(Block(*sizes) for sizes in zip(widths, widths[1:], strides, strict=False)))
        self.logits = nn.Linear(64, classes)
        draw(self.logits, rectified=False)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x), inplace=True))
        return self.logits(x.mean((2, 3)))

    def groups(self):
        found = []
        stage = Group("stage1", self.stem[0].out_channels, list(self.stem), [])
        for number, block in enumerate(self.blocks, 1):
            stage.readers.append((block.first[0], 1))
            if not isinstance(block.shortcut, nn.Identity):
                stage.readers.append((block.shortcut[0], 1))
                found.append(stage)
                stage = Group(f"stage{len(found) + 1}", block.second[0].out_channels, list(block.shortcut), [])
            inner = Group(f"block{number}", block.first[0].out_channels, list(block.first), [(block.second[0], 1)])
            found.append(inner)
            stage.producers.extend(block.second)
        stage.readers.append((self.logits, 1))
        return [*found, stage]


def draw(layer, rectified):
    """Normal with variance 2/in before a rectifier and 1/in elsewhere, biases of 0."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if rectified else "linear")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def build(work, features, outputs):
    if work.network == "mlp":
        return Mlp([features, *(int(width) for width in work.net.split("-")), outputs])
    return {"lenet5": LeNet5, "resnet20": ResNet20}[work.network](outputs)


def norms(group):
    """The norm of what reads each unit."""
    found = []
    for reader, repeats in group.readers:
        weight = reader.weight
        weight = weight.flatten(2) if weight.dim() == 4 else weight.unflatten(1, (group.units, repeats))
        found.append(torch.linalg.vector_norm(weight, dim=(0, 2)))
    return found[0] if len(found) == 1 else torch.linalg.vector_norm(torch.stack(found), dim=0)


def size(group):
    """How many weights read a unit."""
    return sum(reader.weight.numel() for reader, _ in group.readers) // group.units


@torch.no_grad()
def cut(network, keeps):
    """A copy that has but the units `keeps` lists for each group."""
    network = copy.deepcopy(network)
    for group, keep in zip(network.groups(), keeps, strict=True):
        for layer in group.producers:
            take_outputs(layer, keep)
        for layer, repeats in group.readers:
            take_inputs(layer, keep, repeats)
    return network


def take_outputs(layer, keep):
    for name in ["weight", "bias", "running_mean", "running_var"]:
        old = getattr(layer, name, None)
        if old is not None:
            new = old[keep].clone()
            setattr(layer, name, nn.Parameter(new) if isinstance(old, nn.Parameter) else new)
    for name in ["out_features", "out_channels", "num_features"]:
        if hasattr(layer, name):
            setattr(layer, name, len(keep))


def take_inputs(layer, keep, repeats):
    places = (keep[:, None] * repeats + torch.arange(repeats)).flatten()
    layer.weight = nn.Parameter(layer.weight[:, places].clone())
    setattr(layer, "in_channels" if isinstance(layer, nn.Conv2d) else "in_features", len(places))


@torch.no_grad()
def masked(network, keeps):
    """A copy of full size, in which nothing reads the units that are not kept."""
    network = copy.deepcopy(network)
    for group, keep in zip(network.groups(), keeps, strict=True):
        gone = torch.ones(group.units, dtype=torch.bool)
        gone[keep] = False
        for layer, repeats in group.readers:
            layer.weight[:, gone.repeat_interleave(repeats)] = 0
    return network


def macs(network, shape):
    """Multiply-accumulates of convolutions and dense layers for one row."""
    total = 0

    def count(module, _, output):
        nonlocal total
        total += module.weight.numel() * (output[0][0].numel() if isinstance(module, nn.Conv2d) else 1)

    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    was_training = network.training
    with torch.inference_mode():
        network.eval()(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    network.train(was_training)
    return total
