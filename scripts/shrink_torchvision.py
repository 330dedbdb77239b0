#!/usr/bin/env python3
"""What does half of torchvision's networks look like, and does ONNX Runtime find nothing wrong with it?

    cargo build --release
    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-torchvision.txt
    .venv/bin/python scripts/shrink_torchvision.py > docs/runs/torchvision.md

Exports each network at full size with random weights by both of PyTorch's exporters (TorchScript with an open batch, dynamo
with a batch of one), shrinks it with `secateur shrink --keep 50%` and holds the result to the masked network by
check_shrunk.py. Prints a table in Markdown, a line for each file. Takes half an hour and a gigabyte of disk.
`--only NAME...` does some of them.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch
from torchvision.models import get_model

NAMES = """alexnet convnext_small convnext_tiny deeplabv3_mobilenet_v3_large deeplabv3_resnet50 densenet121
densenet161 efficientnet_b0 efficientnet_v2_s fcn_resnet101 fcn_resnet50 googlenet inception_v3
lraspp_mobilenet_v3_large maxvit_t mc3_18 mnasnet0_5 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small
r2plus1d_18 r3d_18 regnet_x_400mf regnet_x_800mf regnet_y_1_6gf regnet_y_400mf resnet18 resnet34 resnet50
resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_1 swin3d_t
swin_s swin_t swin_v2_s swin_v2_t vgg11_bn vgg16_bn vit_b_16 vit_b_32 wide_resnet50_2""".split()
SEGMENTATION = ("fcn_", "deeplabv3_", "lraspp_")
# Images are squares of 224, but for one. Films are small: only the naive evaluator runs convolutions over three axes.
FILMS = ("mc3_18", "r2plus1d_18", "r3d_18", "swin3d_t")


class Output(torch.nn.Module):
    """The main output of a network that may give several."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        made = self.network(image)
        return made["out"] if isinstance(made, dict) else made


def build(name):
    torch.manual_seed(0)
    choices = {"weights": None}
    if name.startswith(SEGMENTATION):
        choices["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        choices |= {"init_weights": False, "aux_logits": False}
    network = get_model(name, **choices)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
        # Some start with a head of zeros, or with branches scaled to nothing: nothing could be compared.
        if isinstance(module, torch.nn.Linear) and not module.weight.any():
            torch.nn.init.normal_(module.weight, std=0.05)
        if hasattr(module, "layer_scale"):
            module.layer_scale.data.uniform_(0.5, 1.0)
    return Output(network).eval()


def shape(name):
    if name in FILMS:
        return 4, 32, 32
    side = 299 if name == "inception_v3" else 224
    return side, side


def export(name, exporter, path):
    names = {"input_names": ["input"], "output_names": ["output"]}
    image = torch.randn(1, 3, *shape(name))
    with torch.no_grad():
        if exporter == "dynamo":
            torch.onnx.export(build(name), (image,), path, dynamo=True, opset_version=18,
                              external_data=False, verbose=False, **names)
        else:
            open_batch = {"input": {0: "batch"}, "output": {0: "batch"}}
            torch.onnx.export(build(name), (image,), path, dynamo=False, opset_version=17,
                              dynamic_axes=open_batch, **names)


def shrink(secateur, path, folder):
    """The cuts, the small file, and the seconds that it took, verification included."""
    small, cuts = folder / "small.onnx", folder / "cuts.json"
    command = [secateur, "shrink", path, "--keep", "50%", "--json", "--force", "-o", small]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip().replace("\n", " "))
    cuts.write_text(done.stdout)
    return cuts, small, time.monotonic() - start


def row(name, exporter, secateur, folder):
    path = folder / f"{name}.onnx"
    export(name, exporter, path)
    cuts, small, seconds = shrink(secateur, path, folder)
    told = json.loads(cuts.read_text())
    check = [sys.executable, Path(__file__).with_name("check_shrunk.py"), path, small, cuts]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    line = (done.stdout.strip() or done.stderr.strip() or "nothing was said").splitlines()[-1]
    found = re.search(r"off by (\S+) \(masking moved it by ([^)]*)\)", line)
    if done.returncode != 0 or not found:
        raise ValueError(line)
    left = [100 * told[what]["after"] / told[what]["before"] for what in ("macs", "params")]
    size = told["bytes"]["before"] / 1e6
    path.unlink()
    return [name, exporter, f"{size:.0f}", *(f"{share:.0f}" for share in left), *found.groups(), f"{seconds:.1f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=NAMES, metavar="NAME")
    parser.add_argument("--secateur", default="target/release/secateur", type=Path)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    # Its fused attention has no counterpart in the older exporter.
    torch.backends.mha.set_fastpath_enabled(False)
    header = ["network", "exporter", "MB", "MACs left, %", "params left, %", "off by", "masking moved", "seconds"]
    print("| " + " | ".join(header) + " |")
    print("|---|---|" + "---:|" * (len(header) - 2), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            for exporter in ("TorchScript", "dynamo"):
                try:
                    cells = row(name, exporter, arguments.secateur, Path(folder))
                except Exception as error:  # a network that fails is a line, not the end
                    cells = [name, exporter, f"failed: {type(error).__name__}: {str(error)[:200]}"]
                print("| " + " | ".join(cells) + " |", flush=True)
    print()
    print("`--keep 50%` of the units of each group that is not frozen, by the root of squares. Off by: largest difference "
          "between the small and the masked network in ONNX Runtime, relative to the largest output; masking moved: the "
          "same between the masked and the whole network. Seconds with verification, other programs running.")


if __name__ == "__main__":
    main()
