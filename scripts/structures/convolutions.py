"""Networks of convolutions: blocks, branches and shortcuts."""

import torch
import torch.nn.functional as F
from export_fixtures import CLASSES, Gate, classifier, conv_norm
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(conv_norm(channels, channels, 3, nn.SiLU), conv_norm(channels, channels, 3, nn.SiLU))

    def forward(self, x):
        return x + self.body(x)


class C2f(nn.Module):
    """Halves of the channels, bottlenecks on the last of them, all concatenated, as in YOLOv8's C2f."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self, half=6):
        super().__init__()
        self.stem = conv_norm(3, 8, 3, nn.SiLU, stride=2)
        self.first = conv_norm(8, 2 * half, 1, nn.SiLU)
        self.blocks = nn.ModuleList(Bottleneck(half) for _ in range(2))
        self.last = conv_norm(4 * half, 10, 1, nn.SiLU)
        self.head = classifier(10)

    def forward(self, image):
        parts = list(self.first(self.stem(image)).chunk(2, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.head(self.last(torch.cat(parts, 1)))


class PartialBlock(nn.Module):
    def __init__(self, channels, touched):
        super().__init__()
        self.parts = [touched, channels - touched]
        self.mix = nn.Conv2d(touched, touched, 3, padding=1, bias=False)
        self.mlp = nn.Sequential(conv_norm(channels, 2 * channels, 1), nn.Conv2d(2 * channels, channels, 1, bias=False))

    def forward(self, x):
        touched, rest = torch.split(x, self.parts, 1)
        return x + self.mlp(torch.cat([self.mix(touched), rest], 1))


class PartialConvolution(nn.Module):
    """Convolutions of a quarter of the channels, beside the others as they are, as in FasterNet."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 16, 4, None, stride=4)
        self.blocks = nn.Sequential(PartialBlock(16, 4), PartialBlock(16, 4))
        self.head = classifier(16)

    def forward(self, image):
        return self.head(self.blocks(self.stem(image)))


class RepUnit(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.wide = conv_norm(inputs, outputs, 3, None, stride=stride)
        self.narrow = conv_norm(inputs, outputs, 1, None, stride=stride)
        self.same = nn.BatchNorm2d(inputs) if inputs == outputs and stride == 1 else None

    def forward(self, x):
        found = self.wide(x) + self.narrow(x)
        return F.relu(found if self.same is None else found + self.same(x))


class RepVgg(nn.Module):
    """Sums of a 3x3, a 1x1 and a batch norm alone, as RepVGG trains them."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(RepUnit(3, 8, 2), RepUnit(8, 8), RepUnit(8, 12, 2), RepUnit(12, 12))
        self.head = classifier(12)

    def forward(self, image):
        return self.head(self.units(image))


class MbConv(nn.Module):
    def __init__(self, inputs, outputs, ratio, kernel, stride):
        super().__init__()
        hidden = ratio * inputs
        grown = [conv_norm(inputs, hidden, 1, nn.SiLU)] if ratio > 1 else []
        deep = conv_norm(hidden, hidden, kernel, nn.SiLU, stride=stride, groups=hidden)
        self.body = nn.Sequential(*grown, deep, Gate(hidden, 3, linear=False), conv_norm(hidden, outputs, 1, None))
        self.residual = inputs == outputs and stride == 1

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class EfficientNet(nn.Module):
    """Inverted residuals with squeeze-and-excite gates, as in EfficientNet."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 6, 3, nn.SiLU, stride=2)
        self.blocks = nn.Sequential(MbConv(6, 6, 1, 3, 1), MbConv(6, 8, 3, 5, 2), MbConv(8, 8, 3, 3, 1))
        self.head = nn.Sequential(conv_norm(8, 16, 1, nn.SiLU), classifier(16))

    def forward(self, image):
        return self.head(self.blocks(self.stem(image)))


class Inception(nn.Module):
    """Branches of other kernels, one of them pooled, concatenated, as in Inception."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 8, stride=2)
        self.point = conv_norm(8, 6, 1)
        self.middle = nn.Sequential(conv_norm(8, 4, 1), conv_norm(4, 8))
        self.wide = nn.Sequential(conv_norm(8, 4, 1), conv_norm(4, 6), conv_norm(6, 6))
        self.pooled = nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_norm(8, 4, 1))
        self.last = conv_norm(24, 12, 1)
        self.head = classifier(12)

    def forward(self, image):
        x = self.stem(image)
        parts = [branch(x) for branch in (self.point, self.middle, self.wide, self.pooled)]
        return self.head(self.last(torch.cat(parts, 1)))


class PaddedUnit(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(inputs, outputs, stride=stride), conv_norm(outputs, outputs, activation=None)
        )
        self.stride, self.more = stride, (outputs - inputs) // 2

    def forward(self, x):
        skipped = x
        if self.more:
            skipped = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return F.relu(self.body(x) + skipped)


class PaddedShortcut(nn.Module):
    """Shortcuts without weights, with zeros for the channels that they lack, as in ResNet-20 (option A)."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 6)
        self.units = nn.Sequential(PaddedUnit(6, 6, 1), PaddedUnit(6, 10, 2), PaddedUnit(10, 10, 1))
        self.head = classifier(10)

    def forward(self, image):
        return self.head(self.units(self.stem(image)))


class DepthMultiplier(nn.Module):
    """Depthwise convolutions that make two channels of each, as in MobileNets of Keras and FastViT."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 8, stride=2)
        self.deep = conv_norm(8, 16, groups=8)
        self.point = conv_norm(16, 12, 1)
        self.down = conv_norm(12, 24, 3, None, stride=2, groups=12)
        self.last = conv_norm(24, 16, 1)
        self.head = classifier(16)

    def forward(self, image):
        return self.head(self.last(self.down(self.point(self.deep(self.stem(image))))))


class Exchange(nn.Module):
    """Two resolutions side by side, each summed with the other made as fine or as coarse, as in HRNet."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)
    outputs = ("heat",)

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 6, stride=2)
        self.split = conv_norm(6, 10, stride=2)
        self.fine, self.coarse = conv_norm(6, 6), conv_norm(10, 10)
        self.up, self.down = conv_norm(10, 6, 1, None), conv_norm(6, 10, 3, None, stride=2)
        self.mix = conv_norm(16, 12, 1)
        self.head = nn.Conv2d(12, 3, 1)

    def forward(self, image):
        fine = self.stem(image)
        coarse = self.coarse(self.split(fine))
        fine = self.fine(fine)
        higher = F.interpolate(self.up(coarse), scale_factor=2, mode="nearest")
        fine, coarse = F.relu(fine + higher), F.relu(coarse + self.down(fine))
        coarse = F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear", align_corners=False)
        return self.head(self.mix(torch.cat([fine, coarse], 1)))


class Shared(nn.Module):
    """One convolution with its normalisation applied to two maps, and one to its own result."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self):
        super().__init__()
        self.stem = conv_norm(3, 8)
        self.tower = nn.Sequential(conv_norm(8, 8), nn.Conv2d(8, 10, 3, padding=1))
        self.twice = nn.Conv2d(20, 20, 1)
        self.head = nn.Linear(20, CLASSES)

    def forward(self, image):
        fine = self.stem(image)
        coarse = F.max_pool2d(fine, 2)
        x = torch.cat([self.tower(fine).mean((2, 3)), self.tower(coarse).amax((2, 3))], 1)[:, :, None, None]
        return self.head(F.relu(self.twice(F.relu(self.twice(x)))).flatten(1))


NETWORKS = {
    "c2f": C2f,
    "partial_convolution": PartialConvolution,
    "repvgg": RepVgg,
    "efficientnet": EfficientNet,
    "inception": Inception,
    "padded_shortcut": PaddedShortcut,
    "depth_multiplier": DepthMultiplier,
    "exchange": Exchange,
    "shared": Shared,
}
