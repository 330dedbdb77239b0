#!/usr/bin/env python3
"""What does a cut take from a small vision transformer, and what does `shrink --repair` give back?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-vit.txt
    SECATEUR_DATA=... .venv/bin/python scripts/repair_vit.py [--work FOLDER] [--secateur PATH] [--epochs N] [--operators SET]
        [--macs SHARE...] [--groups GROUPS...] [--ways WAY...] [--train]

Trains a vision transformer on $SECATEUR_DATA/cifar-10 (one thread, a quarter of an hour of a core; it goes on behind the last finished
epoch), exports it (operator set 17), and cuts it to shares of its multiply-adds: units of the MLPs alone, heads alone, and of all groups.
512 training pictures, without their labels, are what is repaired on; the 10,000 test pictures are what is counted on, in ONNX Runtime.
What --work (target/vit) has already is not made again; --train stops behind the export. Writes a table in Markdown to standard output.

Exit code 0: all well; 1: a run fails; 2: usage.
"""

import argparse
import gzip
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SECATEUR_DATA", "data"))
STEM, WIDTH, BLOCKS, HEADS, RATIO, PATCH, SIDE = 64, 128, 4, 4, 3, 4, 32
BATCH, RATE, DECAY, WARM = 64, 1e-3, 0.05, 300
# In this share of the steps, the first ones, half of the patches of each picture are left out, which is twice as fast.
HALVED = 0.75
MEAN = torch.tensor([125.3, 123.0, 113.9]).view(1, 3, 1, 1)
SPREAD = torch.tensor([63.0, 62.1, 66.7]).view(1, 3, 1, 1)
CALIBRATION = 512
# What may lose units: a unit of an MLP, a head with its queries, keys and values, or these and dimensions of heads.
GROUPS = {
    "MLPs": ["--only", "fc1"],
    "heads": ["--only", "qkv/MatMul#2$"],
    "all": [],
}
# What is typed for each way.
WAYS = {
    "none": ["--by", "l2", "--allocation", "even"],
    "formula": ["--by", "l2", "--allocation", "even"],
    "formula, reconstruction": [],
}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, RATIO * WIDTH), nn.Linear(RATIO * WIDTH, WIDTH)

    def forward(self, x):
        rows, places, _ = x.shape
        parts = self.qkv(self.norm1(x)).reshape(rows, places, 3, HEADS, WIDTH // HEADS)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(-1)
        x = x + self.proj((weights @ value).transpose(1, 2).reshape(rows, places, WIDTH))
        return x + self.fc2(functional.gelu(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        # Two convolutions make the patches, which are learned from sooner than single pixels.
        self.stem, self.patches = nn.Conv2d(3, STEM, 3, 2, 1), nn.Conv2d(STEM, WIDTH, 3, 2, 1)
        self.places = nn.Parameter(0.02 * torch.randn(1, (SIDE // PATCH) ** 2, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, x, chosen=None):
        x = self.patches(functional.gelu(self.stem(x))).flatten(2).transpose(1, 2) + self.places
        if chosen is not None:
            x = x.gather(1, chosen[:, :, None].expand(-1, -1, WIDTH))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


def read(names):
    rows = np.concatenate(
        [np.frombuffer(gzip.decompress((DATA / "cifar-10" / f"{name}.bin.gz").read_bytes()), np.uint8) for name in names]
    ).reshape(-1, 3073)
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, SIDE, SIDE).copy()), torch.from_numpy(rows[:, 0].astype(np.int64))


def scaled(pictures):
    return (pictures.float() - MEAN) / SPREAD


def moved(pictures, draw):
    """Each shifted by up to four pixels, and every second one mirrored."""
    rows = len(pictures)
    wide = functional.pad(pictures, (4, 4, 4, 4), mode="reflect")
    down, right = (torch.randint(0, 9, (rows, 1), generator=draw) + torch.arange(SIDE) for _ in range(2))
    mirrored = torch.rand(rows, 1, generator=draw) < 0.5
    right = torch.where(mirrored, right.flip(1), right)
    which = torch.arange(rows)
    return wide[which[:, None, None], :, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2).contiguous()


def score(network, pictures, labels):
    network.eval()
    with torch.no_grad():
        made = [network(scaled(pictures[at : at + 250])).argmax(1) for at in range(0, len(pictures), 250)]
    network.train()
    return 100 * (torch.cat(made) == labels).float().mean().item()


def train(folder, epochs):
    """The network after so many epochs, from the last one that is there."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = Transformer()
    decayed = [weight for weight in network.parameters() if weight.dim() in (2, 4)]
    others = [weight for weight in network.parameters() if weight.dim() not in (2, 4)]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98))
    draw = torch.Generator().manual_seed(1)
    start = 0
    kept = folder / "training.pt"
    if kept.exists():
        state = torch.load(kept)
        if state["epochs"] != epochs:
            sys.exit(f"{kept} is of a training of {state['epochs']} epochs: remove it, or give --epochs {state['epochs']}")
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        draw.set_state(state["draw"])
        start = state["epoch"]
    if start == epochs:
        return network.eval()
    pictures, labels = read([f"data_batch_{number}" for number in range(1, 6)])
    tests = read(["test_batch"])
    steps = len(pictures) // BATCH
    places = (SIDE // PATCH) ** 2
    for epoch in range(start, epochs):
        began, spent, total = time.monotonic(), time.process_time(), 0.0
        order = torch.randperm(len(pictures), generator=draw)
        for step in range(steps):
            done = epoch * steps + step
            share = (done - WARM) / (epochs * steps - WARM)
            rate = RATE * (done + 1) / WARM if done < WARM else RATE * 0.5 * (1 + math.cos(math.pi * share))
            for group in optimizer.param_groups:
                group["lr"] = rate
            which = order[step * BATCH : (step + 1) * BATCH]
            chosen = None
            if done < HALVED * epochs * steps:
                chosen = torch.rand(BATCH, places, generator=draw).argsort(1)[:, : places // 2]
            loss = functional.cross_entropy(network(moved(scaled(pictures[which]), draw), chosen), labels[which])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        state = {"epochs": epochs, "epoch": epoch + 1, "draw": draw.get_state()}
        state |= {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, kept.with_suffix(".new"))
        kept.with_suffix(".new").replace(kept)
        right, took, busy = score(network, *tests), time.monotonic() - began, time.process_time() - spent
        told = f"epoch {epoch + 1}/{epochs}: loss {total / steps:.3f}, test {right:.2f} %, {took:.0f} s ({busy:.0f} s of a core)"
        print(told, file=sys.stderr, flush=True)
    return network.eval()


def export(network, path, operators):
    if not path.exists():
        torch.onnx.export(
            network,
            torch.zeros(1, 3, SIDE, SIDE),
            path,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
            dynamo=False,
            opset_version=operators,
        )


def calibration(path):
    """Drawn training pictures, as the network reads them."""
    if not path.exists():
        pictures, _ = read([f"data_batch_{number}" for number in range(1, 6)])
        which = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(2))[:CALIBRATION]
        np.save(path, scaled(pictures[which]).numpy())


def answers(path, rows):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    made = [session.run(None, {"input": rows[at : at + 100]})[0] for at in range(0, len(rows), 100)]
    return np.concatenate(made)


def divergence(want, have):
    def log_softmax(x):
        x = x - x.max(1, keepdims=True)
        return x - np.log(np.exp(x).sum(1, keepdims=True))

    p, q = log_softmax(want.astype(np.float64)), log_softmax(have.astype(np.float64))
    return (np.exp(p) * (p - q)).sum(1).mean()


def cut(secateur, model, share, groups, way, out, inputs):
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        repair = [] if way == "none" else ["--repair", str(inputs)]
        flags = ["--macs", f"{share}%", *GROUPS[groups], *repair, *WAYS[way], "--force", "--json"]
        start = time.monotonic()
        command = [str(secateur), "shrink", str(model), *flags, "-o", str(out)]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            print(f"{' '.join(command)}\n{made.stderr}", file=sys.stderr, flush=True)
            return None
        record = json.loads(made.stdout)
        kept = {key: record[key] for key in ("macs", "params", "repair") if key in record}
        told.write_text(json.dumps(kept | {"seconds": time.monotonic() - start}))
    return json.loads(told.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/vit")
    parser.add_argument("--secateur", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--operators", type=int, default=17)
    parser.add_argument("--macs", nargs="+", type=int, default=[85, 70])
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--train", action="store_true")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    model, inputs = args.work / f"vit{args.operators}.onnx", args.work / "calibration.npy"
    if not model.exists():
        export(train(args.work, args.epochs), model, args.operators)
    calibration(inputs)
    if args.train:
        return 0
    pictures, labels = read(["test_batch"])
    rows, labels = scaled(pictures).numpy(), labels.numpy()
    want = answers(model, rows)
    print("| groups | MACs % | repair | agreement % | accuracy % | KL | minutes |\n|---|---:|---|---:|---:|---:|---:|")
    print(f"| - | 100 | - | 100 | {100 * (want.argmax(1) == labels).mean():.1f} | 0 | - |", flush=True)
    is_well = True
    for groups in args.groups:
        for share in args.macs:
            for number, way in enumerate(WAYS):
                if way not in args.ways:
                    continue
                out = args.work / f"{args.operators}-{groups.lower()}-{share}-{number}.onnx"
                record = cut(args.secateur, model, share, groups, way, out, inputs)
                if record is None:
                    print(f"| {groups} | {share} | {way} | fails | - | - | - |", flush=True)
                    is_well = False
                    continue
                have = answers(out, rows)
                same = 100 * (have.argmax(1) == want.argmax(1)).mean()
                right = 100 * (have.argmax(1) == labels).mean()
                left = 100 * record["macs"]["after"] / record["macs"]["before"]
                took, kl = record["seconds"] / 60, divergence(want, have)
                print(f"| {groups} | {left:.1f} | {way} | {same:.1f} | {right:.1f} | {kl:.2f} | {took:.1f} |", flush=True)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
