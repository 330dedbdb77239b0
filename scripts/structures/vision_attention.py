"""Attention for pictures, beside or between convolutions."""

import torch
import torch.nn.functional as F
from export_fixtures import CLASSES, EncoderBlock, FusedAttention, Inverted, conv_norm
from structures.transformers import from_heads, to_heads
from torch import nn


class MobileVit(nn.Module):
    """Patches unfolded by reshape and transpose, attention between equal places of them, folded back, as in MobileViT."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)

    def __init__(self, width=12):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 6, 3, nn.SiLU, stride=2), Inverted(6, 12, 8, nn.SiLU))
        self.local = nn.Sequential(conv_norm(8, 8, 3, nn.SiLU), nn.Conv2d(8, width, 1, bias=False))
        self.block, self.norm = EncoderBlock(width, FusedAttention(width, 2)), nn.LayerNorm(width)
        self.project, self.merge = conv_norm(width, 8, 1, nn.SiLU), conv_norm(16, 10, 3, nn.SiLU)
        self.head = nn.Linear(10, CLASSES)

    def forward(self, image):
        before = self.stem(image)
        x = self.local(before)
        rows, channels, height, width = x.shape
        high, wide = height // 2, width // 2
        x = x.reshape(rows * channels * high, 2, wide, 2).transpose(1, 2)
        x = x.reshape(rows, channels, high * wide, 4).transpose(1, 3).reshape(rows * 4, high * wide, channels)
        x = self.norm(self.block(x))
        x = x.contiguous().view(rows, 4, high * wide, channels).transpose(1, 3)
        x = x.reshape(rows * channels * high, wide, 2, 2).transpose(1, 2).reshape(rows, channels, height, width)
        return self.head(self.merge(torch.cat([before, self.project(x)], 1)).mean((2, 3)))


class LinearNorm(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear, self.norm = nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs)

    def forward(self, x):
        x = self.linear(x)
        return self.norm(x.flatten(0, 1)).reshape_as(x)


class Levit(nn.Module):
    """Queries and keys narrower than values, biases looked up in a table of distances, batch norm, as in LeViT."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)
    heads, key, value = 2, 4, 8

    def __init__(self, width=12, side=3):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 8, 3, nn.Hardswish, stride=2), conv_norm(8, width, 3, None, stride=2))
        self.qkv = LinearNorm(width, self.heads * (2 * self.key + self.value))
        self.out, self.up, self.down = LinearNorm(16, width), LinearNorm(width, 24), LinearNorm(24, width)
        self.bias = nn.Parameter(torch.randn(self.heads, side * side))
        places = torch.cartesian_prod(torch.arange(side), torch.arange(side))
        apart = (places[:, None] - places[None]).abs()
        self.register_buffer("index", apart[..., 0] * side + apart[..., 1])
        self.head = nn.Sequential(nn.BatchNorm1d(width), nn.Linear(width, CLASSES))

    def attention(self, x):
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).view(rows, length, self.heads, -1).split([self.key, self.key, self.value], dim=3)
        q, k, v = q.permute(0, 2, 1, 3), k.permute(0, 2, 3, 1), v.permute(0, 2, 1, 3)
        scores = q @ k * self.key**-0.5 + self.bias[:, self.index]
        x = (scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, length, self.heads * self.value)
        return self.out(F.hardswish(x))

    def forward(self, image):
        x = self.stem(image).flatten(2).transpose(1, 2)
        x = x + self.attention(x)
        return self.head((x + self.down(F.hardswish(self.up(x)))).mean(1))


class ReducedBlock(nn.Module):
    """Keys and values of a coarser map; an MLP with a depthwise convolution inside."""

    def __init__(self, width, heads, ratio):
        super().__init__()
        self.heads, hidden = heads, 2 * width
        self.norm1, self.norm2, self.norm = (nn.LayerNorm(width) for _ in range(3))
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.reduce = nn.Conv2d(width, width, ratio, ratio)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.deep = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)

    def forward(self, x):
        rows, width, high, wide = x.shape
        x = x.flatten(2).transpose(1, 2)
        y = self.norm1(x)
        coarse = self.reduce(y.permute(0, 2, 1).reshape(rows, width, high, wide))
        coarse = self.norm(coarse.reshape(rows, width, -1).permute(0, 2, 1))
        q, k, v = to_heads(self.q(y), self.heads), to_heads(self.k(coarse), self.heads), to_heads(self.v(coarse), self.heads)
        x = x + self.out(from_heads((q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5).softmax(-1) @ v))
        y = self.up(self.norm2(x)).transpose(1, 2).view(rows, -1, high, wide)
        x = x + self.down(F.gelu(self.deep(y).flatten(2).transpose(1, 2)))
        return x.reshape(rows, high, wide, width).permute(0, 3, 1, 2).contiguous()


class Segformer(nn.Module):
    """Attention with keys and values of a coarser map, mix-FFN, and a head on both stages, as in SegFormer."""

    shapes = {"image": (3, 16, 16)}
    kinds = ("ts",)
    outputs = ("mask",)

    def __init__(self):
        super().__init__()
        self.embed1, self.embed2 = nn.Conv2d(3, 8, 7, 4, 3), nn.Conv2d(8, 12, 3, 2, 1)
        self.block = ReducedBlock(8, 2, 2)
        self.line1, self.line2 = nn.Linear(8, 10), nn.Linear(12, 10)
        self.fuse, self.head = conv_norm(20, 10, 1), nn.Conv2d(10, 3, 1)

    @staticmethod
    def projected(layer, x):
        rows, _, high, wide = x.shape
        return layer(x.flatten(2).transpose(1, 2)).permute(0, 2, 1).reshape(rows, -1, high, wide)

    def forward(self, image):
        fine = self.block(self.embed1(image))
        coarse = self.projected(self.line2, F.gelu(self.embed2(fine)))
        coarse = F.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)
        return self.head(self.fuse(torch.cat([coarse, self.projected(self.line1, fine)], 1)))


class DetrLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.own, self.other = (nn.MultiheadAttention(width, heads, batch_first=True) for _ in range(2))
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.mlp = nn.Sequential(nn.Linear(width, 20), nn.ReLU(), nn.Linear(20, width))

    def forward(self, target, queries, memory, places):
        asked = target + queries
        target = self.norm1(target + self.own(asked, asked, target, need_weights=False)[0])
        found = self.other(target + queries, memory + places, memory, need_weights=False)[0]
        target = self.norm2(target + found)
        return self.norm3(target + self.mlp(target))


class Detr(nn.Module):
    """Learned queries, attention among them and over a map with positions, heads for boxes and scores, as in DETR."""

    shapes = {"image": (3, 12, 12)}
    kinds = ("ts",)
    outputs = ("boxes", "scores")

    def __init__(self, width=8):
        super().__init__()
        self.body = nn.Sequential(conv_norm(3, 10, 3, stride=2), nn.Conv2d(10, width, 2, stride=2))
        self.places, self.queries = nn.Parameter(torch.randn(1, 9, width)), nn.Parameter(torch.randn(4, width))
        self.layer = DetrLayer(width, 2)
        self.boxes = nn.Sequential(nn.Linear(width, 10), nn.ReLU(), nn.Linear(10, 4), nn.Sigmoid())
        self.scores = nn.Linear(width, CLASSES)

    def forward(self, image):
        memory = self.body(image).flatten(2).permute(0, 2, 1)
        queries = self.queries.unsqueeze(0).expand(image.shape[0], -1, -1)
        found = self.layer(torch.zeros_like(queries), queries, memory, self.places)
        return self.boxes(found), self.scores(found)


class Mvit(nn.Module):
    """Heads folded into rows, where depthwise convolutions and layer norm pool queries, keys and values, as in MViT."""

    shapes = {"image": (3, 16, 16)}

    def __init__(self, width=8, heads=2, size=6):
        super().__init__()
        self.heads, self.size = heads, size
        self.embed = nn.Conv2d(3, width, 4, stride=4)
        self.norm1, self.norm = nn.LayerNorm(width), nn.LayerNorm(12)
        self.qkv, self.out = nn.Linear(width, 3 * heads * size), nn.Linear(heads * size, 12)
        self.pools = nn.ModuleList(nn.Conv2d(size, size, 3, stride, 1, groups=size, bias=False) for stride in (1, 2, 2))
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(3))
        self.mlp = nn.Sequential(nn.Linear(12, 20), nn.GELU(), nn.Linear(20, 12))
        self.head = nn.Linear(12, CLASSES)

    def pooled(self, x, pool, norm):
        rows, heads, _, size = x.shape
        x = pool(x.reshape(rows * heads, 4, 4, size).permute(0, 3, 1, 2))
        return norm(x.reshape(rows, heads, size, -1).transpose(2, 3))

    def forward(self, image):
        x = self.norm1(self.embed(image).flatten(2).transpose(1, 2))
        qkv = self.qkv(x).reshape(x.shape[0], 16, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        q, k, v = (self.pooled(*parts) for parts in zip(qkv.unbind(0), self.pools, self.norms))
        x = (q * self.size**-0.5 @ k.transpose(-1, -2)).softmax(-1) @ v + q
        x = self.out(from_heads(x))
        return self.head((x + self.mlp(self.norm(x))).mean(1))


class BoxHead(nn.Module):
    """Distances to the sides of a box as expected values over bins: softmax, then a 1x1 convolution of 0, 1, 2 and so on (DFL)."""

    shapes = {"image": (3, 16, 16)}
    outputs = ("found",)
    bins = 8

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 8, 3, nn.SiLU, stride=2), conv_norm(8, 12, 3, nn.SiLU, stride=2))
        self.sides = nn.Sequential(conv_norm(12, 10, 3, nn.SiLU), nn.Conv2d(10, 4 * self.bins, 1))
        self.scores = nn.Sequential(conv_norm(12, 8, 3, nn.SiLU), nn.Conv2d(8, CLASSES, 1))
        self.expected = nn.Conv2d(self.bins, 1, 1, bias=False).requires_grad_(False)
        self.expected.weight.copy_(torch.arange(self.bins).view(1, -1, 1, 1))

    def forward(self, image):
        x = self.stem(image)
        sides, scores = self.sides(x).flatten(2), self.scores(x).flatten(2)
        rows, _, places = sides.shape
        sides = self.expected(sides.view(rows, 4, self.bins, places).transpose(2, 1).softmax(1)).view(rows, 4, places)
        low, high = sides.chunk(2, 1)
        return torch.cat([(high - low) / 2, low + high, scores.sigmoid()], 1)


NETWORKS = {
    "mobilevit": MobileVit,
    "levit": Levit,
    "segformer": Segformer,
    "detr": Detr,
    "mvit": Mvit,
    "box_head": BoxHead,
}
