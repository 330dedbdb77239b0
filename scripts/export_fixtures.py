#!/usr/bin/env python3
"""Exports small torch networks, as torch writes them, for the tests.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt
    .venv/bin/python scripts/export_fixtures.py [NETWORK ...] [--into FOLDER]

Each network is exported twice: NETWORK.ts.onnx by the TorchScript exporter, operator set 17, with a first axis
"batch" of any length; NETWORK.dynamo.onnx by the exporter on torch.export, operator set 18, with a batch of 1.
Weights are random from a fixed seed, and so are the statistics, scales and shifts of normalisations, so that none is
0 or 1. Each file is checked (onnx.checker with full shape inference) and run in ONNX Runtime beside torch on drawn
inputs (1e-4, relative to the largest magnitude of an output, at least 1). The README.md beside the files is written
too.

Two runs give equal bytes. Files are what the exporter wrote, but for stack traces and documentation strings, which
name files of the machine: `doc_string` and the metadata in MACHINE_KEYS are removed, and nothing else.

Prints a line for each file. Exit code 0: all well; 1: an export failed or differs; 2: usage.
"""

import argparse
import collections
import io
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = Path(__file__).resolve().parent.parent / "crates/secateur/tests/fixtures/torch"
TOLERANCE = 1e-4
MACHINE_KEYS = ("pkg.torch.onnx.stack_trace",)
CLASSES = 5
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def conv_norm(inputs, outputs, kernel=3, activation=nn.ReLU, **options):
    layers = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **options), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


def classifier(inputs):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES))


class Plain(nn.Module):
    """Convolutions with batch norm and ReLU, max pooling, adaptive average pooling, two linear layers."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(conv_norm(3, 8), nn.MaxPool2d(2), conv_norm(8, 12), nn.MaxPool2d(2))
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, CLASSES))

    def forward(self, image):
        return self.head(self.pool(self.features(image)))


class ResidualUnit(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(inputs, outputs, stride=stride), conv_norm(outputs, outputs, activation=None)
        )
        projected = inputs != outputs or stride > 1
        self.skip = conv_norm(inputs, outputs, 1, None, stride=stride) if projected else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


class Residual(nn.Module):
    """Residual units as in ResNet: one onto the network's input, then with, without and again with a projection."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(conv_norm(3, 6), nn.Conv2d(6, 3, 3, padding=1))
        self.units = nn.Sequential(ResidualUnit(3, 8), ResidualUnit(8, 8), ResidualUnit(8, 12, 2))
        self.head = classifier(12)

    def forward(self, image):
        return self.head(self.units(image + self.first(image)))


class Dense(nn.Module):
    """Dense concatenation with batch norm and ReLU before each convolution, and a transition, as in DenseNet."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.layers = nn.ModuleList(self.layer(8 + 4 * i, 4) for i in range(3))
        self.transition = nn.Sequential(nn.BatchNorm2d(20), nn.ReLU(), nn.Conv2d(20, 10, 1), nn.AvgPool2d(2))
        self.last = nn.BatchNorm2d(10)
        self.head = classifier(10)

    @staticmethod
    def layer(inputs, growth):
        squeeze = [nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, 8, 1, bias=False)]
        grow = [nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, growth, 3, padding=1, bias=False)]
        return nn.Sequential(*squeeze, *grow)

    def forward(self, image):
        maps = [self.stem(image)]
        for layer in self.layers:
            maps.append(layer(torch.cat(maps, 1)))
        return self.head(F.relu(self.last(self.transition(torch.cat(maps, 1)))))


class Inverted(nn.Module):
    def __init__(self, inputs, hidden, outputs, activation, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(inputs, hidden, 1, activation),
            conv_norm(hidden, hidden, 3, activation, stride=stride, groups=hidden),
            conv_norm(hidden, outputs, 1, None),
        )
        self.residual = inputs == outputs and stride == 1

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class Depthwise(nn.Module):
    """Inverted residuals with depthwise convolutions, as in MobileNetV2 (ReLU6) and V3 (hard-swish)."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 6, activation=nn.ReLU6, stride=2)
        self.blocks = nn.Sequential(
            Inverted(6, 12, 6, nn.ReLU6), Inverted(6, 18, 8, nn.Hardswish, 2), Inverted(8, 16, 8, nn.Hardswish)
        )
        self.head = classifier(8)

    def forward(self, image):
        return self.head(self.blocks(self.stem(image)))


class Grouped(nn.Module):
    """Bottlenecks with a grouped 3x3 convolution (4 groups of 3 channels) and a residual, as in ResNeXt."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 8)
        self.blocks = nn.ModuleList(
            nn.Sequential(conv_norm(8, 12, 1), conv_norm(12, 12, groups=4), conv_norm(12, 8, 1, None)) for _ in range(2)
        )
        self.head = classifier(8)

    def forward(self, image):
        x = self.stem(image)
        for block in self.blocks:
            x = F.relu(x + block(x))
        return self.head(x)


class Gate(nn.Module):
    def __init__(self, channels, squeezed, linear):
        super().__init__()
        self.linear = linear
        make = nn.Linear if linear else lambda i, o: nn.Conv2d(i, o, 1)
        self.down, self.up = make(channels, squeezed), make(squeezed, channels)

    def forward(self, x):
        pooled = x.mean((2, 3)) if self.linear else F.adaptive_avg_pool2d(x, 1)
        gate = torch.sigmoid(self.up(F.silu(self.down(pooled))))
        return x * (gate.view(x.shape[0], -1, 1, 1) if self.linear else gate)


class SqueezeExcite(nn.Module):
    """Squeeze-and-excite gates: one of 1x1 convolutions, one of linear layers on a mean, viewed back."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(3, 10), Gate(10, 4, linear=False), conv_norm(10, 12), Gate(12, 4, linear=True), conv_norm(12, 8)
        )
        self.head = classifier(8)

    def forward(self, image):
        return self.head(self.body(image))


class ShuffleUnit(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        half = outputs // 2
        self.stride = stride
        if stride > 1:
            down = conv_norm(inputs, inputs, 3, None, stride=2, groups=inputs)
            self.left = nn.Sequential(down, conv_norm(inputs, half, 1))
        self.right = nn.Sequential(
            conv_norm(inputs if stride > 1 else half, half, 1),
            conv_norm(half, half, 3, None, stride=stride, groups=half),
            conv_norm(half, half, 1),
        )

    def forward(self, x):
        if self.stride > 1:
            x = torch.cat([self.left(x), self.right(x)], 1)
        else:
            left, right = x.chunk(2, 1)
            x = torch.cat([left, self.right(right)], 1)
        rows, channels, height, width = x.shape
        x = x.view(rows, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return x.view(rows, channels, height, width)


class Shuffle(nn.Module):
    """Units that split the channels, work on one half and shuffle, as in ShuffleNetV2."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 8)
        self.units = nn.Sequential(ShuffleUnit(8, 16, 2), ShuffleUnit(16, 16, 1), ShuffleUnit(16, 16, 1))
        self.head = nn.Sequential(conv_norm(16, 20, 1), classifier(20))

    def forward(self, image):
        return self.head(self.units(self.stem(image)))


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up, self.down = nn.Linear(channels, 3 * channels), nn.Linear(3 * channels, channels)
        self.scale = nn.Parameter(torch.rand(channels) + 0.5)

    def forward(self, x):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.down(F.gelu(self.up(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """Blocks of a depthwise 7x7, permute, layer norm, linear, GELU, linear and layer scale, as in ConvNeXt."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 2, stride=2)
        self.blocks = nn.Sequential(ConvNeXtBlock(8), ConvNeXtBlock(8))
        self.norm = nn.LayerNorm(8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, image):
        return self.head(self.norm(self.blocks(self.stem(image)).mean((-2, -1))))


class TorchAttention(nn.Module):
    """nn.MultiheadAttention on itself."""

    def __init__(self, width, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class FusedAttention(nn.Module):
    """One linear layer for queries, keys and values, and the fused operator."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        rows, length, width = x.shape
        qkv = self.qkv(x).reshape(rows, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.out(x.transpose(1, 2).reshape(rows, length, width))


class OpenAttention(nn.Module):
    """Three linear layers, written out, with a scale that is computed from the shape of the queries."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class EncoderBlock(nn.Module):
    def __init__(self, width, attention):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = attention
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    shapes = {"image": (3, 12, 12)}

    def __init__(self, attention, width=16, heads=2):
        super().__init__()
        self.embed = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(0.5 * torch.randn(1, 1, width))
        self.position = nn.Parameter(0.5 * torch.randn(1, 10, width))
        self.blocks = nn.Sequential(*(EncoderBlock(width, attention(width, heads)) for _ in range(2)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, image):
        x = self.embed(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class TransformerMha(VisionTransformer):
    """A vision transformer: patches, class token, positions, two blocks with nn.MultiheadAttention, head."""

    def __init__(self):
        super().__init__(TorchAttention)


class TransformerQkv(VisionTransformer):
    """The same with one linear layer for queries, keys and values, and scaled_dot_product_attention."""

    def __init__(self):
        super().__init__(FusedAttention)


class TransformerScale(VisionTransformer):
    """The same with attention written out: three linear layers, scale q.shape[-1] ** -0.5 in the graph."""

    def __init__(self):
        super().__init__(OpenAttention)


class WindowAttention(nn.Module):
    """Attention inside windows of a map [rows, height, width, channels], rolled by `shift` first."""

    def __init__(self, width, heads, side, window, shift):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias = nn.Parameter(0.5 * torch.randn((2 * window - 1) ** 2, heads))
        axis = torch.arange(window)
        places = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
        apart = places[:, :, None] - places[:, None, :] + window - 1
        self.register_buffer("index", (apart[0] * (2 * window - 1) + apart[1]).flatten())
        if shift:
            band = torch.zeros(side, dtype=torch.long)
            band[-window:-shift], band[-shift:] = 1, 2
            region = self.partition((3 * band[:, None] + band)[None, :, :, None].float()).squeeze(-1)
            self.register_buffer("mask", torch.where(region[:, None, :] == region[:, :, None], 0.0, -100.0))

    def partition(self, x):
        rows, height, width, channels = x.shape
        w = self.window
        x = x.view(rows, height // w, w, width // w, w, channels)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, w * w, channels)

    def forward(self, x):
        rows, height, width, channels = x.shape
        w, length = self.window, self.window**2
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        qkv = self.qkv(self.partition(x)).reshape(-1, length, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = q * (channels // self.heads) ** -0.5 @ k.transpose(-2, -1)
        scores = scores + self.bias[self.index].view(length, length, -1).permute(2, 0, 1).unsqueeze(0)
        if self.shift:
            windows = self.mask.shape[0]
            scores = scores.view(-1, windows, self.heads, length, length) + self.mask[None, :, None]
            scores = scores.view(-1, self.heads, length, length)
        x = self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(-1, length, channels))
        x = x.view(rows, height // w, width // w, w, w, channels)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(rows, height, width, channels)
        return torch.roll(x, (self.shift, self.shift), (1, 2)) if self.shift else x


class Windowed(nn.Module):
    """Attention in windows, plain and shifted (roll, mask), with relative position bias, then merging, as in Swin."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self, width=16):
        super().__init__()
        self.embed = nn.Conv2d(3, width, 2, stride=2)
        self.blocks = nn.Sequential(
            *(EncoderBlock(width, WindowAttention(width, 2, side=8, window=4, shift=shift)) for shift in (0, 2))
        )
        self.merge = nn.Sequential(nn.LayerNorm(4 * width), nn.Linear(4 * width, 24, bias=False))
        self.norm = nn.LayerNorm(24)
        self.head = nn.Linear(24, CLASSES)

    def forward(self, image):
        x = self.blocks(self.embed(image).permute(0, 2, 3, 1))
        corners = [x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]]
        return self.head(self.norm(self.merge(torch.cat(corners, -1))).mean((1, 2)))


class Unet(nn.Module):
    """A U-Net: one level goes up by ConvTranspose2d, one by nn.Upsample; both concatenate what skipped."""

    shapes = {"image": (3, 16, 16)}
    outputs = ("mask",)

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = conv_norm(3, 6), conv_norm(6, 8), conv_norm(8, 12)
        self.pool = nn.MaxPool2d(2)
        self.up2 = nn.ConvTranspose2d(12, 8, 2, stride=2)
        self.merge2 = conv_norm(16, 10)
        self.up1 = nn.Upsample(scale_factor=2)
        self.merge1 = conv_norm(16, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, image):
        fine = self.down1(image)
        coarse = self.down2(self.pool(fine))
        x = self.up2(self.middle(self.pool(coarse)))
        x = self.merge2(torch.cat([x, coarse], 1))
        return self.head(self.merge1(torch.cat([self.up1(x), fine], 1)))


class Detector(nn.Module):
    """A detection head on two maps, permuted, reshaped and concatenated to boxes and scores, as in SSD."""

    shapes = {"image": (3, 16, 16)}
    outputs = ("boxes", "scores")
    anchors = 2

    def __init__(self):
        super().__init__()
        self.fine, self.coarse = conv_norm(3, 8, stride=2), conv_norm(8, 12, stride=2)
        self.boxes = nn.ModuleList(nn.Conv2d(channels, 4 * self.anchors, 3, padding=1) for channels in (8, 12))
        self.scores = nn.ModuleList(nn.Conv2d(channels, CLASSES * self.anchors, 3, padding=1) for channels in (8, 12))

    def forward(self, image):
        fine = self.fine(image)
        maps = [fine, self.coarse(fine)]
        rows = image.shape[0]
        boxes = [head(x).permute(0, 2, 3, 1).reshape(rows, -1, 4) for head, x in zip(self.boxes, maps)]
        scores = [head(x).permute(0, 2, 3, 1).reshape(rows, -1, CLASSES) for head, x in zip(self.scores, maps)]
        return torch.cat(boxes, 1), torch.cat(scores, 1).softmax(-1)


class Lstm(nn.Module):
    """A linear layer, a two-layer LSTM, and a classifier on its last step."""

    shapes = {"steps": (6, 5)}

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(5, 8)
        self.lstm = nn.LSTM(8, 10, num_layers=2, batch_first=True)
        self.head = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, CLASSES))

    def forward(self, steps):
        found, _ = self.lstm(torch.tanh(self.embed(steps)))
        return self.head(found[:, -1])


class TwoInputs(nn.Module):
    """Two inputs, an image and a vector: the vector gates the image's channels and joins them before the head."""

    shapes = {"image": (3, 12, 12), "vector": (6,)}

    def __init__(self):
        super().__init__()
        self.image = nn.Sequential(conv_norm(3, 8), conv_norm(8, 10))
        self.vector = nn.Sequential(nn.Linear(6, 12), nn.ReLU())
        self.gate = nn.Linear(12, 10)
        self.head = nn.Sequential(nn.Linear(22, 16), nn.ReLU(), nn.Linear(16, CLASSES))

    def forward(self, image, vector):
        vector = self.vector(vector)
        image = self.image(image) * torch.sigmoid(self.gate(vector))[:, :, None, None]
        return self.head(torch.cat([image.mean((2, 3)), vector], 1))


NETWORKS = {
    "plain": Plain,
    "residual": Residual,
    "dense": Dense,
    "depthwise": Depthwise,
    "grouped": Grouped,
    "squeeze_excite": SqueezeExcite,
    "shuffle": Shuffle,
    "convnext": ConvNeXt,
    "transformer_mha": TransformerMha,
    "transformer_qkv": TransformerQkv,
    "transformer_scale": TransformerScale,
    "windowed": Windowed,
    "unet": Unet,
    "detector": Detector,
    "lstm": Lstm,
    "two_inputs": TwoInputs,
}


def build(make):
    torch.manual_seed(0)
    network = make().eval()
    with torch.no_grad():
        # Torch's own weights let signals die out, and outputs would hardly depend on inputs.
        for path, weights in network.named_parameters():
            if not weights.requires_grad:
                continue
            last = path.rpartition(".")[-1]
            if "weight" in last and weights.dim() > 1:
                weights.normal_(0, (2 / weights[0].numel()) ** 0.5)
            elif "bias" in last and weights.dim() == 1:
                weights.normal_(0, 0.2)
        for module in network.modules():
            if isinstance(module, (*BATCH_NORMS, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)):
                module.weight.uniform_(0.5, 1.5)
            if isinstance(module, BATCH_NORMS):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
    return network


def drawn(network, rows, more=0):
    """Numbers, or places below those in `vocabulary`; open axes are longer by `more`."""
    generator = torch.Generator().manual_seed(1)
    inputs = {}
    for name, shape in network.shapes.items():
        places = open_axes(network).get(name, {})
        shape = [rows, *(length + more * (axis in places) for axis, length in enumerate(shape, 1))]
        if name in getattr(network, "vocabulary", {}):
            inputs[name] = torch.randint(network.vocabulary[name], shape, generator=generator)
        else:
            inputs[name] = torch.randn(shape, generator=generator)
    return inputs


def open_axes(network):
    """The axes of inputs that may be of any length, by input, beside the first one."""
    return getattr(network, "open", {})


def outputs_of(network):
    return list(getattr(network, "outputs", ("scores",)))


def export_ts(network, file):
    inputs = drawn(network, 2)
    names = [*inputs, *outputs_of(network)]
    torch.onnx.export(
        network,
        tuple(inputs.values()),
        file,
        dynamo=False,
        opset_version=17,
        input_names=list(inputs),
        output_names=outputs_of(network),
        dynamic_axes={name: {0: "batch", **open_axes(network).get(name, {})} for name in names},
    )


def export_dynamo(network, file):
    inputs = drawn(network, 1)
    # Nothing is said where nothing is open, as the exporter writes other metadata where something is.
    shapes = {name: open_axes(network).get(name, {}) for name in inputs} if open_axes(network) else None
    program = torch.onnx.export(
        network,
        tuple(inputs.values()),
        dynamo=True,
        opset_version=18,
        input_names=list(inputs),
        output_names=outputs_of(network),
        dynamic_shapes=shapes,
        verbose=False,
    )
    file.write(program.model_proto.SerializeToString())


EXPORTERS = {"ts": (export_ts, 2), "dynamo": (export_dynamo, 1)}


def kinds(make):
    """The exporters that a network goes through."""
    return getattr(make, "kinds", tuple(EXPORTERS))


def without_machine(message):
    """Removes documentation strings and MACHINE_KEYS, wherever they are in the model."""
    for field, value in message.ListFields():
        if field.name == "doc_string":
            message.ClearField("doc_string")
        elif field.name == "metadata_props":
            kept = [entry for entry in value if entry.key not in MACHINE_KEYS]
            message.ClearField("metadata_props")
            message.metadata_props.extend(kept)
        elif field.message_type is not None:
            for part in value if isinstance(value, collections.abc.Sequence) or hasattr(value, "add") else [value]:
                without_machine(part)


def differs(network, data, rows):
    """The largest difference between ONNX Runtime and torch, relative to an output's scale."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst = 0.0
    for more in (0, 4) if open_axes(network) else (0,):
        inputs = drawn(network, rows, more)
        with torch.no_grad():
            wanted = network(*inputs.values())
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        found = session.run(outputs_of(network), {name: value.numpy() for name, value in inputs.items()})
        for ours, theirs in zip(found, (value.numpy() for value in wanted), strict=True):
            if ours.shape != theirs.shape:
                raise ValueError(f"shape {ours.shape}, but torch makes {theirs.shape}")
            worst = max(worst, float(np.abs(ours - theirs).max()) / max(1.0, float(np.abs(theirs).max())))
    if not worst <= TOLERANCE:
        raise ValueError(f"off by {worst:.3g} of the scale, allowed {TOLERANCE:.3g}")
    return worst


def export(name, make, kind, folder):
    exporter, rows = EXPORTERS[kind]
    network = build(make)
    file = io.BytesIO()
    with torch.no_grad():
        exporter(network, file)
    model = onnx.load_model_from_string(file.getvalue())
    without_machine(model)
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    worst = differs(network, data, rows)
    (folder / f"{name}.{kind}.onnx").write_bytes(data)
    return f"{len(data)} bytes, {len(model.graph.node)} nodes, within {worst:.1g} of torch's scale"


def readme(heading, networks):
    lines = [
        *heading,
        "",
        "| network | what it is |",
        "|---|---|",
        *(f"| `{name}` | {network.__doc__.rstrip('.')} |" for name, network in networks.items()),
    ]
    return "\n".join(lines) + "\n"


HEADING = [
    "# Small networks, as torch writes them",
    "",
    "Written by `scripts/export_fixtures.py`, as is this page; its docstring says how to run it and what is fixed.",
    "Each network comes twice: `.ts.onnx` is from the TorchScript exporter, with a batch of any length; `.dynamo.onnx` is from the exporter on",
    "`torch.export`, with a batch of 1. Weights are random.",
]


def main(about, networks, folder, heading):
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"all, or some of {', '.join(networks)}")
    parser.add_argument("--into", type=Path, default=folder, metavar="FOLDER")
    arguments = parser.parse_args()
    if unknown := set(arguments.networks) - set(networks):
        parser.error(f"no network is called {', '.join(sorted(unknown))}; there are {', '.join(networks)}")

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    # The fast path is an operator that the TorchScript exporter does not know.
    torch.backends.mha.set_fastpath_enabled(False)
    arguments.into.mkdir(parents=True, exist_ok=True)
    (arguments.into / "README.md").write_text(readme(heading, networks))
    failed = False
    for name in arguments.networks or networks:
        for kind in kinds(networks[name]):
            try:
                verdict = f"ok   {name}.{kind}.onnx: {export(name, networks[name], kind, arguments.into)}"
            # Whatever torch, the checker or the runtime object to is the verdict.
            except Exception as error:
                verdict = f"FAIL {name}.{kind}.onnx: {' '.join(str(error).split())}"
                failed = True
            print(verdict, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(__doc__, NETWORKS, FOLDER, HEADING))
