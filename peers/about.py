#!/usr/bin/env python3
"""Versions, machine, sizes of installations and lines that a user writes, as JSON: `about.py BINARY THREADS`."""

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What a user of each has to install; ONNX is for the file that comes out.
NEEDS = {
    "PyTorch": ["torch", "numpy", "onnx"],
    "Torch-Pruning": ["torch-pruning", "onnx"],
    "HESSO": ["only_train_once", "torch"],
}
VERSIONS = ["torch", "torch-pruning", "only_train_once", "onnx", "onnxruntime", "numpy"]
CUDA = re.compile("nvidia|cuda|triton")


def closure(names):
    """All distributions that these need."""
    found, open_ = {}, list(names)
    while open_:
        name = re.split(r"[\s;\[<>=!~(]", open_.pop())[0].lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for need in found[name].requires or []:
            marker = need.partition(";")[2]
            # cuda-toolkit names its parts as extras, and torch asks for them.
            if "extra ==" not in marker or name == "cuda-toolkit":
                open_.append(need)
    return found


def bytes_of(distribution):
    places = (Path(distribution.locate_file(file)) for file in distribution.files or [])
    return sum(place.stat().st_size for place in places if place.is_file())


def lines(path):
    """Lines of code."""
    return sum(1 for line in path.read_text().splitlines() if line.strip() and not line.strip().startswith("#"))


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    binary, threads = Path(sys.argv[1]), int(sys.argv[2])
    sizes = {}
    for peer, names in NEEDS.items():
        parts = {name: bytes_of(distribution) for name, distribution in closure(names).items()}
        sizes[peer] = {"bytes": sum(parts.values()), "of_cuda": sum(size for name, size in parts.items() if CUDA.search(name))}
    sizes["secateur"] = {"bytes": binary.stat().st_size, "of_cuda": 0}
    told = subprocess.run([binary, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    # All read the same data with the same lines.
    scripts = sorted(path for path in (HERE / "users").iterdir() if path.suffix in (".py", ".sh") and path.stem != "mnist")
    json.dump(
        {
            "versions": {"Python": platform.python_version(), "secateur": told[-1]}
            | {name: importlib.metadata.version(name) for name in VERSIONS},
            "machine": {"processor": processor(), "threads": threads},
            "installation": sizes,
            "user_lines": {path.stem: lines(path) for path in scripts},
        },
        sys.stdout, indent=1,
    )


if __name__ == "__main__":
    main()
