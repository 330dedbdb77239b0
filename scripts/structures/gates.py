"""Networks that weigh their maps, and normalisations that are written in pieces."""

import torch
import torch.nn.functional as F
from export_fixtures import classifier, conv_norm
from torch import nn


class Glu(nn.Module):
    """Gated linear units: halves of the channels, one of which gates the other, of a convolution and of linear layers."""

    shapes = {"steps": (6, 12)}

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(6, 16, 3, padding=1)
        self.second = nn.Conv1d(8, 20, 3, padding=1)
        self.up, self.down = nn.Linear(10, 24), nn.Linear(12, 8)
        self.head = nn.Linear(8, 5)

    def forward(self, steps):
        x = F.glu(self.second(F.glu(self.first(steps), 1)), 1).mean(-1)
        value, gate = self.up(x).chunk(2, -1)
        return self.head(F.relu(self.down(F.silu(gate) * value)))


class CoordinateGate(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.down = conv_norm(channels, squeezed, 1, nn.Hardswish)
        self.high, self.wide = nn.Conv2d(squeezed, channels, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        height, width = x.shape[-2:]
        rows, columns = x.mean(3, keepdim=True), x.mean(2, keepdim=True).permute(0, 1, 3, 2)
        rows, columns = torch.split(self.down(torch.cat([rows, columns], 2)), [height, width], 2)
        return x * torch.sigmoid(self.high(rows)) * torch.sigmoid(self.wide(columns.permute(0, 1, 3, 2)))


class CoordinateAttention(nn.Module):
    """Gates along height and along width, from one layer on both means, as in coordinate attention."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv_norm(3, 12), CoordinateGate(12, 6), conv_norm(12, 10))
        self.head = classifier(10)

    def forward(self, image):
        return self.head(self.body(image))


class Cbam(nn.Module):
    """A gate from means and maxima of channels by one shared MLP, then one of one channel over places, as in CBAM."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.first, self.last = conv_norm(3, 12), conv_norm(12, 10)
        self.mlp = nn.Sequential(nn.Conv2d(12, 4, 1, bias=False), nn.ReLU(), nn.Conv2d(4, 12, 1, bias=False))
        self.place = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.head = classifier(10)

    def forward(self, image):
        x = self.first(image)
        pooled = self.mlp(F.adaptive_avg_pool2d(x, 1)) + self.mlp(x.amax((2, 3), keepdim=True))
        x = x * torch.sigmoid(pooled)
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return self.head(self.last(x * torch.sigmoid(self.place(both))))


class SpatialGate(nn.Module):
    """A gate of one channel for all beside one for each channel, as in concurrent squeeze-and-excite (scSE)."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.first, self.last = conv_norm(3, 12), conv_norm(12, 10)
        self.place = nn.Conv2d(12, 1, 1)
        self.channel = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 4, 1), nn.ReLU(), nn.Conv2d(4, 12, 1), nn.Sigmoid()
        )
        self.head = classifier(10)

    def forward(self, image):
        x = self.first(image)
        return self.head(self.last(x * torch.sigmoid(self.place(x)) + x * self.channel(x)))


class SkipGate(nn.Module):
    def __init__(self, fine, coarse, inner):
        super().__init__()
        self.fine, self.coarse = conv_norm(fine, inner, 1, None), conv_norm(coarse, inner, 1, None)
        self.score = conv_norm(inner, 1, 1, nn.Sigmoid)

    def forward(self, fine, coarse):
        return fine * self.score(F.relu(self.fine(fine) + self.coarse(coarse)))


class AttentionUnet(nn.Module):
    """A U-Net whose skipped maps are gated by one channel made from both sides, as in Attention U-Net."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)
    outputs = ("mask",)

    def __init__(self):
        super().__init__()
        self.fine, self.middle, self.low = conv_norm(3, 6), conv_norm(6, 8), conv_norm(8, 12)
        self.up2, self.up1 = nn.ConvTranspose2d(12, 8, 2, stride=2), nn.ConvTranspose2d(8, 6, 2, stride=2)
        self.gate2, self.gate1 = SkipGate(8, 8, 4), SkipGate(6, 6, 4)
        self.merge2, self.merge1 = conv_norm(16, 8), conv_norm(12, 8)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, image):
        fine = self.fine(image)
        middle = self.middle(F.max_pool2d(fine, 2))
        x = self.up2(self.low(F.max_pool2d(middle, 2)))
        x = self.up1(self.merge2(torch.cat([self.gate2(middle, x), x], 1)))
        return self.head(self.merge1(torch.cat([self.gate1(fine, x), x], 1)))


class GroupNormUnit(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(groups, channels), nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class GroupNorm(nn.Module):
    """A residual unit of group norm, SiLU and convolution, as in diffusion models, for pictures of one size."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 12, 3, padding=1)
        self.unit = GroupNormUnit(12, 4)
        self.norm, self.last = nn.GroupNorm(4, 12), nn.Conv2d(12, 10, 3, padding=1)
        self.head = nn.Conv2d(10, 3, 1)

    def forward(self, image):
        return self.head(F.silu(self.last(F.silu(self.norm(self.unit(self.first(image)))))))


class GroupNormOpen(GroupNorm):
    """The same for pictures of any size."""

    open = {"image": {2: "height", 3: "width"}, "scores": {2: "height", 3: "width"}}
    kinds = ("ts", "dynamo")


class StandardizedConv(nn.Conv2d):
    def forward(self, x):
        flat = self.weight.reshape(1, self.out_channels, -1)
        weight = F.batch_norm(flat, None, None, training=True, momentum=0.0, eps=1e-6)
        return F.conv2d(x, weight.reshape_as(self.weight), self.bias, self.stride, self.padding)


class Standardized(nn.Module):
    """Convolutions that standardize their weights by batch norm in the graph, as in timm's ResNetV2 and NFNets."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            StandardizedConv(3, 8, 3, padding=1), nn.ReLU(), StandardizedConv(8, 12, 3, padding=1), nn.ReLU()
        )
        self.head = classifier(12)

    def forward(self, image):
        return self.head(self.body(image))


NETWORKS = {
    "glu": Glu,
    "coordinate_attention": CoordinateAttention,
    "cbam": Cbam,
    "spatial_gate": SpatialGate,
    "attention_unet": AttentionUnet,
    "group_norm": GroupNorm,
    "group_norm_open": GroupNormOpen,
    "standardized": Standardized,
}
