#!/usr/bin/env python3
"""Halves every ONNX file of folders and holds each half to the masked network in ONNX Runtime.

    cargo build --release && python .ci/check_halves.py target/release/secateur crates/secateur/tests/fixtures/torch

`--known FILE` names files that fail today, a line each, as in "built/a.onnx: why"; one that is well fails, so that its line goes.

For each file: `secateur shrink --keep 50% --json`, then scripts/check_shrunk.py. Afterwards the first half is spoilt in two
ways, by what `shrink` said and by a weight, and both must be found out, so that this cannot pass by looking at nothing.

Exit code 0: all well, or ONNX Runtime has nothing for this interpreter, which is printed; 1: not.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def has_wheel(package):
    """Whether pip finds a release of a package that fits this interpreter."""
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def halve(secateur, path, folder):
    name = f"{path.parent.name}.{path.stem}"
    small, cuts = folder / f"{name}.small.onnx", folder / f"{name}.json"
    command = [secateur, "shrink", path, "--keep", "50%", "--json", "-o", small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(f"exit code {done.returncode}: {done.stderr.strip()}")
    cuts.write_text(done.stdout)
    if not json.loads(done.stdout)["tensors"]:
        raise ValueError("nothing was removed")
    return small, cuts


def verdict(check, path, small, cuts):
    return check(argparse.Namespace(original=path, small=small, cuts=cuts, draws=2, length=[]))


def spoilt(check, path, small, cuts):
    """What is not found out, of a position that stayed said to have gone, and of a weight that is another."""
    import onnx
    from onnx import numpy_helper

    told, model = json.loads(cuts.read_text()), onnx.load(small)
    cut = next(cut for cut in told["tensors"] if cut["axis"] == 0 and len(cut["kept"]) > 1)
    cut["kept"].pop()
    other_cuts, other_small = cuts.with_suffix(".spoilt.json"), small.with_suffix(".spoilt.onnx")
    other_cuts.write_text(json.dumps(told))
    stored = next(tensor for tensor in model.graph.initializer if tensor.name == cut["tensor"])
    weights = numpy_helper.to_array(stored).copy()
    weights.flat[0] += 1
    stored.CopyFrom(numpy_helper.from_array(weights, stored.name))
    onnx.save(model, other_small)
    for what, *files in [("a position less in the cuts", small, other_cuts), ("another weight", other_small, cuts)]:
        try:
            found = verdict(check, path, *files)
        except ValueError:
            continue
        yield f"{what} ({cut['tensor']}) passes: {found}"


def known_failures(path):
    """Folder and name of each file that may fail; empty lines and those that begin with # say nothing."""
    lines = path.read_text().splitlines() if path else []
    return {line.partition(":")[0] for line in lines if line and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("secateur", type=Path)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--known", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if importlib.util.find_spec("onnxruntime") is None:
        # Another package tells a missing wheel from a missing network.
        if has_wheel("numpy") and not has_wheel("onnxruntime"):
            print("skipped: there is no onnxruntime for this interpreter")
            return 0
        print("FAIL onnxruntime is not installed (.ci/run does so)")
        return 1
    sys.path.insert(0, str(SCRIPTS))
    from check_shrunk import check

    paths = sorted(path for models in arguments.folders for path in models.glob("*.onnx"))
    known = known_failures(arguments.known)
    failures, well = [], []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            name = f"{path.parent.name}/{path.name}"
            try:
                files = halve(arguments.secateur, path, Path(folder))
                verdict(check, path, *files)
                well.append((path, *files))
            # Whatever the checker, the runtime or the files object to.
            except Exception as error:
                why = f"{path}: {' '.join(str(error).split())}"
                if name in known:
                    print(f"known {why}")
                    known.discard(name)
                else:
                    failures.append(why)
        failures += [f"{well[0][0]}: {found}" for found in spoilt(check, *well[0])] if well else ["nothing was compared"]
    failures += [f"{name} is well or not there, but {arguments.known} names it" for name in sorted(known)]
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"{len(well)} of {len(paths)} halves are valid and compute what the masked networks do")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
