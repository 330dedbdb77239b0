"""Networks that move, make or mix places: along time, in volumes, up in resolution, between patches."""

import torch
import torch.nn.functional as F
from export_fixtures import CLASSES, classifier, conv_norm
from torch import nn


class CausalUnit(nn.Module):
    """The steps before the first one are a constant."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.register_buffer("before", torch.zeros(1, inputs, 2))
        self.conv = nn.Conv1d(inputs, outputs, 3)

    def forward(self, x):
        return F.relu(self.conv(torch.cat([self.before, x], 2)))


class Causal(nn.Module):
    """Causal convolutions whose context to the left is a constant in front, for one row, as in streaming speech models."""

    shapes = {"steps": (6, 12)}
    kinds = ("dynamo",)

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(CausalUnit(6, 12), CausalUnit(12, 16), CausalUnit(16, 12))
        self.head = nn.Linear(12, CLASSES)

    def forward(self, steps):
        return self.head(self.units(steps).mean(2))


class CausalPadded(nn.Module):
    """Causal convolutions whose steps to the left are zeros by F.pad, dilated, with residuals, as in TCN."""

    shapes = {"steps": (6, 12)}

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(6, 10, 1)
        self.convs = nn.ModuleList(nn.Conv1d(10, 10, 3, dilation=2**i) for i in range(2))
        self.head = nn.Linear(10, CLASSES)

    def forward(self, steps):
        x = self.first(steps)
        for i, conv in enumerate(self.convs):
            x = x + F.relu(conv(F.pad(x, (2 * 2**i, 0))))
        return self.head(x[:, :, -1])


class SqueezeUnknown(nn.Module):
    """A scripted squeeze of the last step, whose length the exporter does not know, which makes it an If."""

    shapes = {"steps": (6, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(6, 12, 3), nn.ReLU(), nn.Conv1d(12, 16, 3), nn.ReLU())
        self.head = nn.Linear(16, CLASSES)

    def forward(self, steps):
        return self.head(last(self.body(steps)))


@torch.jit.script
def last(x):
    return x[:, :, x.size(2) - 1 :].squeeze(2)


class PixelShuffle(nn.Module):
    """Super-resolution: residual units, then convolution and PixelShuffle, with the picture added, as in EDSR."""

    shapes = {"image": (3, 8, 8)}
    kinds = ("ts",)
    outputs = ("larger",)

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 10, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(10, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1))
        self.up = nn.Sequential(nn.Conv2d(10, 32, 3, padding=1), nn.PixelShuffle(2))
        self.head = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, image):
        x = self.first(image)
        larger = F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
        return self.head(self.up(x + self.body(x))) + larger


class Volume(nn.Module):
    """Convolutions, normalisation and pooling in three dimensions, with a factored one (1x3x3, 3x1x1)."""

    shapes = {"video": (2, 4, 8, 8)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(2, 6, 3, padding=1, bias=False),
            nn.BatchNorm3d(6),
            nn.ReLU(),
            nn.MaxPool3d((1, 2, 2)),
            nn.Conv3d(6, 8, (1, 3, 3), padding=(0, 1, 1)),
            nn.Conv3d(8, 12, (3, 1, 1), padding=(1, 0, 0)),
            nn.BatchNorm3d(12),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(12, CLASSES))

    def forward(self, video):
        return self.head(self.body(video))


class Decoder(nn.Module):
    """A vector made a map by a linear layer and transposed convolutions, as in decoders and generators."""

    shapes = {"code": (8,)}
    kinds = ("ts",)
    outputs = ("image",)

    def __init__(self):
        super().__init__()
        self.spread = nn.Linear(8, 12 * 9)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(12, 10, 4, 2, 1, bias=False),
            nn.BatchNorm2d(10),
            nn.ReLU(),
            nn.ConvTranspose2d(10, 8, 3, 2, 1, output_padding=1),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(8, 3, 3, 1, 1),
        )

    def forward(self, code):
        x = F.relu(self.spread(code))
        return torch.tanh(self.up(x.view(x.shape[0], 12, 3, 3)))


class LstmHead(nn.Module):
    """Convolutions, columns as steps, an LSTM in both directions, a linear layer at each step, as in CRNN."""

    shapes = {"image": (1, 8, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv_norm(1, 8), nn.MaxPool2d(2), conv_norm(8, 10), nn.MaxPool2d((4, 1)))
        self.lstm = nn.LSTM(10, 6, bidirectional=True)
        self.head = nn.Linear(12, CLASSES)

    def forward(self, image):
        steps, _ = self.lstm(self.body(image).squeeze(2).permute(2, 0, 1))
        return self.head(steps).permute(1, 0, 2)


class MixerBlock(nn.Module):
    def __init__(self, places, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.places = nn.Sequential(nn.Linear(places, 12), nn.GELU(), nn.Linear(12, places))
        self.channels = nn.Sequential(nn.Linear(width, 32), nn.GELU(), nn.Linear(32, width))

    def forward(self, x):
        x = x + self.places(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class Mixer(nn.Module):
    """Linear layers over places, transposed, and over channels by turns, as in MLP-Mixer."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 16, 4, stride=4)
        self.blocks = nn.Sequential(MixerBlock(9, 16), MixerBlock(9, 16))
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, CLASSES)

    def forward(self, image):
        x = self.blocks(self.embed(image).flatten(2).transpose(1, 2))
        return self.head(self.norm(x).mean(1))


class ScaledBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.deep = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.scale, self.shift = (nn.Parameter(torch.rand(channels) + 0.5) for _ in range(2))
        self.up, self.down = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(3 * channels, channels, 1)
        self.gamma = nn.Parameter(torch.rand(channels, 1, 1) + 0.5)

    def forward(self, x):
        y = self.deep(x)
        centred = y - y.mean(1, keepdim=True)
        y = centred / torch.sqrt(centred.pow(2).mean(1, keepdim=True) + 1e-6)
        y = self.scale[:, None, None] * y + self.shift[:, None, None]
        return x + self.gamma * self.down(F.gelu(self.up(y)))


class ConvNeXtFirst(nn.Module):
    """ConvNeXt with channels first: layer norm written out over the channels, 1x1 convolutions, layer scale."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.blocks = nn.Sequential(ScaledBlock(8), ScaledBlock(8))
        self.head = classifier(8)

    def forward(self, image):
        return self.head(self.blocks(self.stem(image)))


NETWORKS = {
    "causal": Causal,
    "causal_padded": CausalPadded,
    "squeeze_unknown": SqueezeUnknown,
    "pixel_shuffle": PixelShuffle,
    "volume": Volume,
    "decoder": Decoder,
    "lstm_head": LstmHead,
    "mixer": Mixer,
    "convnext_first": ConvNeXtFirst,
}
