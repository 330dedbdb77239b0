"""Attention for language and speech: masks, rotations, tied weights, learned queries."""

import torch
import torch.nn.functional as F
from export_fixtures import CLASSES
from torch import nn


def to_heads(x, heads):
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def from_heads(x):
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


class Rms(nn.Module):
    """Written out, as in the models' own code."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.rand(width) + 0.5)

    def forward(self, x):
        return self.scale * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class GroupedQueries(nn.Module):
    """Four heads of queries share two of keys and values; queries and keys are rotated by their places."""

    def __init__(self, width, length, heads=4, pairs=2, size=4):
        super().__init__()
        self.heads, self.pairs = heads, pairs
        self.q, self.out = nn.Linear(width, heads * size, bias=False), nn.Linear(heads * size, width, bias=False)
        self.k, self.v = (nn.Linear(width, pairs * size, bias=False) for _ in range(2))
        angles = torch.arange(length)[:, None] * 100.0 ** (-torch.arange(0, size, 2) / size)
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def rotated(self, x):
        first, second = x.chunk(2, -1)
        return x * self.cos + torch.cat([-second, first], -1) * self.sin

    def repeated(self, x):
        rows, pairs, length, size = x.shape
        times = self.heads // pairs
        return x[:, :, None].expand(rows, pairs, times, length, size).reshape(rows, self.heads, length, size)

    def forward(self, x):
        q = self.rotated(to_heads(self.q(x), self.heads))
        k = self.repeated(self.rotated(to_heads(self.k(x), self.pairs)))
        v = self.repeated(to_heads(self.v(x), self.pairs))
        return self.out(from_heads(F.scaled_dot_product_attention(q, k, v, is_causal=True)))


class Llama(nn.Module):
    """RMS norm, grouped queries with rotary embeddings, causal attention and SwiGLU, as in Llama."""

    shapes = {"steps": (6, 8)}
    outputs = ("next",)

    def __init__(self, width=16):
        super().__init__()
        self.embed = nn.Linear(8, width, bias=False)
        self.norm1, self.norm2, self.norm = Rms(width), Rms(width), Rms(width)
        self.attention = GroupedQueries(width, 6)
        self.gate, self.up = nn.Linear(width, 24, bias=False), nn.Linear(width, 24, bias=False)
        self.down, self.head = nn.Linear(24, width, bias=False), nn.Linear(width, 8, bias=False)

    def forward(self, steps):
        x = self.embed(steps)
        x = x + self.attention(self.norm1(x))
        y = self.norm2(x)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return self.head(self.norm(x))


class Gpt2Layer(nn.Module):
    """A weight [in, out] with a bias, as GPT-2 has them."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.outputs = outputs
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.randn(outputs))

    def forward(self, x):
        flat = torch.addmm(self.bias, x.view(-1, x.shape[-1]), self.weight)
        return flat.view(x.shape[:-1] + (self.outputs,))


class Gpt2Block(nn.Module):
    def __init__(self, width, heads, length):
        super().__init__()
        self.heads, self.width = heads, width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = Gpt2Layer(width, 3 * width), Gpt2Layer(width, width)
        self.up, self.down = Gpt2Layer(width, 2 * width), Gpt2Layer(2 * width, width)
        self.register_buffer("seen", torch.ones(length, length).tril().bool())

    def forward(self, x):
        q, k, v = (to_heads(part, self.heads) for part in self.qkv(self.norm1(x)).split(self.width, dim=2))
        scores = q @ k.transpose(-1, -2) / (self.width // self.heads) ** 0.5
        scores = torch.where(self.seen, scores, torch.finfo(scores.dtype).min)
        x = x + self.out(from_heads(scores.softmax(-1) @ v))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt2(nn.Module):
    """Tokens, positions, queries, keys and values of one layer by split, an output layer tied to the embedding, as in GPT-2."""

    shapes = {"tokens": (6,)}
    vocabulary = {"tokens": 20}

    def __init__(self, width=16):
        super().__init__()
        self.tokens = nn.Embedding(20, width)
        self.places = nn.Parameter(0.5 * torch.randn(6, width))
        self.block = Gpt2Block(width, 4, 6)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 20, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens):
        return self.head(self.norm(self.block(self.tokens(tokens) + self.places)))


class Tied(nn.Module):
    """An embedding and an output layer with weights in common; an MLP on the last token in between."""

    shapes = {"tokens": (5,)}
    vocabulary = {"tokens": 16}

    def __init__(self):
        super().__init__()
        self.tokens, self.head = nn.Embedding(16, 8), nn.Linear(8, 16)
        self.head.weight = self.tokens.weight
        self.up, self.down = nn.Linear(8, 20), nn.Linear(20, 8)

    def forward(self, tokens):
        return self.head(self.down(F.relu(self.up(self.tokens(tokens)[:, -1]))))


class Masked(nn.Module):
    """scaled_dot_product_attention with a mask that is an input: true where a step may be seen."""

    shapes = {"steps": (6, 8), "seen": (1, 6, 6)}
    vocabulary = {"seen": 2}

    def __init__(self, width=16):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(i, width) for i in (8, 8, 8, width))
        self.head = nn.Linear(width, CLASSES)

    def forward(self, steps, seen):
        q, k, v = (to_heads(layer(steps), 4) for layer in (self.q, self.k, self.v))
        own = torch.eye(6, dtype=torch.bool)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=(seen > 0) | own)
        return self.head(F.relu(self.out(from_heads(x))))


class WhisperAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.v, self.out = (nn.Linear(width, width) for _ in range(3))
        self.k = nn.Linear(width, width, bias=False)

    def forward(self, x):
        scale = (x.shape[-1] // self.heads) ** -0.25
        q, k = to_heads(self.q(x), self.heads) * scale, to_heads(self.k(x), self.heads) * scale
        return self.out(from_heads((q @ k.transpose(-1, -2)).softmax(-1) @ to_heads(self.v(x), self.heads)))


class Whisper(nn.Module):
    """Two convolutions along time, positions, then attention and MLP in residuals, as in Whisper's encoder."""

    shapes = {"mel": (8, 12)}
    kinds = ("ts",)
    outputs = ("audio",)

    def __init__(self, width=16):
        super().__init__()
        self.first, self.second = nn.Conv1d(8, 12, 3, padding=1), nn.Conv1d(12, width, 3, 2, 1)
        self.register_buffer("places", 0.5 * torch.randn(6, width))
        self.norm1, self.norm2, self.norm = (nn.LayerNorm(width) for _ in range(3))
        self.attention = WhisperAttention(width, 4)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.head = nn.Linear(width, 8)

    def forward(self, mel):
        x = F.gelu(self.second(F.gelu(self.first(mel)))).permute(0, 2, 1) + self.places
        x = x + self.attention(self.norm1(x))
        return self.head(self.norm(x + self.mlp(self.norm2(x))))


class LearnedQuery(nn.Module):
    """nn.MultiheadAttention of one learned query over patches, then an MLP, as in SigLIP's pooling."""

    shapes = {"image": (3, 12, 12)}

    def __init__(self, width=16):
        super().__init__()
        self.embed = nn.Conv2d(3, width, 4, stride=4)
        self.query = nn.Parameter(torch.randn(1, 1, width))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.head = nn.Sequential(nn.Linear(width, 24), nn.GELU(), nn.Linear(24, CLASSES))

    def forward(self, image):
        x = F.gelu(self.embed(image)).flatten(2).transpose(1, 2)
        query = self.query.repeat(x.shape[0], 1, 1)
        return self.head(self.attention(query, x, x, need_weights=False)[0][:, 0])


NETWORKS = {
    "llama": Llama,
    "gpt2": Gpt2,
    "tied": Tied,
    "masked": Masked,
    "whisper": Whisper,
    "learned_query": LearnedQuery,
}
