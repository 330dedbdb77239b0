#!/usr/bin/env python3
"""What does a training step with a group lasso take as networks grow, here and in PyTorch?

    .venv-peers/bin/python peers/growth.py [--axes width depth batch groups] [--rounds 3] [--seconds 1] [--work FOLDER]
        [--binary FILE] [--out docs]

Chains of dense layers under SGD with momentum, on one thread and drawn rows, along one axis at a time: the width of three hidden
layers, their number at width 128, the batch of 784-400-300-100-10, and the units of one hidden layer that reads 64 inputs. Every
point is a process of its own and side, by turns; medians over rounds. Memory is the peak of the whole process above what it is at the
least point of its axis; secateur's process also keeps checkpoints, verifies the network and writes it. The exponent is the slope of a straight line through the logarithms, over all points and over the last three.

Writes peers-growth.json and runs/peers-growth.md into --out, and the tables into its peers.md. Points that --work (target/peers-growth) has are not measured again.

Exit code 0: done; 1: a point fails; 2: usage.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

# Small, as this process's memory would count as its children's.
import tables

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CLASSES, STRENGTH = 10, 1e-9
# Inputs, hidden widths, batch.
AXES = {
    "width": {w: (w, [w] * 3, 128) for w in (64, 128, 256, 512, 1024, 2048, 4096)},
    "depth": {d: (128, [128] * d, 128) for d in (2, 4, 8, 16, 32, 50)},
    "batch": {b: (784, [400, 300, 100], b) for b in (16, 64, 256, 1024, 4096)},
    "groups": {g: (64, [g], 128) for g in (64, 256, 1024, 4096, 16384)},
}


def torch_point(inputs, hidden, batch, seconds):
    """Seconds of a step."""
    import torch
    import torch.nn.functional as F

    import nets

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    network = nets.Mlp([inputs, *hidden, CLASSES])
    groups = network.groups()
    factors = [STRENGTH * nets.size(group) ** 0.5 for group in groups]
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, fused=True)
    x, y = torch.rand(2 * batch, inputs), torch.randint(CLASSES, (2 * batch,))

    def step():
        places = torch.randint(2 * batch, (batch,))
        loss = F.cross_entropy(network(x[places]), y[places])
        loss = loss + torch.stack([factor * nets.norms(group).sum() for group, factor in zip(groups, factors, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for _ in range(3):
        step()
    start, steps = time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - start < seconds:
        step()
        steps += 1
    return (time.perf_counter() - start) / steps


def run(command, work):
    """What a process says, and its peak of memory."""
    with (work / "said.txt").open("w+") as said:
        child = subprocess.Popen(command, stdout=said, env=os.environ | {"OMP_NUM_THREADS": "1"})
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"{command[0]} fails: {' '.join(command[1:])}")
        said.seek(0)
        return said.read(), 1024 * usage.ru_maxrss


def of_torch(arguments, inputs, hidden, batch):
    point = json.dumps([inputs, hidden, batch, arguments.seconds])
    said, peak = run([sys.executable, str(Path(__file__).resolve()), "--point", point], arguments.work)
    return float(said), peak


def of_ours(arguments, inputs, hidden, batch):
    data = arguments.work / f"rows-{inputs}-{batch}.npz"
    if not data.exists():
        rows = math.ceil(2 * batch / 0.9)
        code = f"import numpy as np; r = np.random.default_rng(0); x = lambda n: r.random((n, {inputs}), dtype=np.float32)"
        code += f"; y = lambda n: np.arange(n) % {CLASSES}"
        code += f"; np.savez({str(data)!r}, x=x({rows}), y=y({rows}), x_test=x(20), y_test=y(20))"
        subprocess.run([sys.executable, "-c", code], check=True)
    told = None
    # Few steps first, to know how many take as long as they should.
    for steps in (4, None):
        if steps is None:
            steps = max(4, min(2000, round(arguments.seconds / told)))
        out = arguments.work / "run"
        command = f"{arguments.binary} compress --data {data} --net {'-'.join(map(str, hidden))} --batch {batch} --steps {steps} --settle 0"
        command += f" --optimizer sgd --learning-rate 1e-3 --strength {STRENGTH} --part full --task classification --threads 1 --quiet --force --out {out}"
        _, peak = run(command.split(), arguments.work)
        report = json.loads((out / "report.json").read_text())
        seconds = report["seconds"]
        # What an epoch takes beside its steps is left out, as there are two steps in each.
        told = sum(seconds[phase] for phase in ("forward", "backward", "update", "penalty")) / steps
    return told, peak


SIDES = {"PyTorch": of_torch, "secateur": of_ours}


def slope(points):
    x, y = zip(*((math.log(a), math.log(b)) for a, b in points), strict=True)
    return statistics.linear_regression(x, y).slope


def exponents(found, get):
    """Over all points and the last three, of those that are above 0."""
    points = [(at, get(told)) for at, told in found.items() if get(told) > 0]
    return [slope(points) if len(points) > 1 else None, slope(points[-3:]) if len(points) > 2 else None]


def page(axes):
    parts = ["Made by `peers/growth.py`, which says what is measured; one thread."]
    for axis, sides in axes.items():
        parts += [f"### {axis.capitalize()}"]
        least = {side: min(told["peak_bytes"] for told in found.values()) for side, found in sides.items()}
        head = [axis, *(f"{side}, ms" for side in sides), "ratio", *(f"{side}, MB more" for side in sides)]
        lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
        for at in next(iter(sides.values())):
            times = [found[at]["step_seconds"] * 1e3 for found in sides.values()]
            more = [(found[at]["peak_bytes"] - least[side]) / 1e6 for side, found in sides.items()]
            row = [f"{at:,}", *(f"{t:.3f}" for t in times), f"{times[0] / times[-1]:.1f}", *(f"{m:,.0f}" for m in more)]
            lines.append("| " + " | ".join(row) + " |")
        parts.append("\n".join(lines))
        lines = ["| exponent | time | time, last three | memory, last three |", "|---|---:|---:|---:|"]
        for side, found in sides.items():
            whole, last = exponents(found, lambda told: told["step_seconds"])
            _, memory = exponents(found, lambda told, side=side: told["peak_bytes"] - least[side])
            lines.append(f"| {side} | " + " | ".join("-" if e is None else f"{e:.2f}" for e in (whole, last, memory)) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", nargs="+", choices=AXES, default=list(AXES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="that the steps of a point take")
    parser.add_argument("--work", type=Path, default=ROOT / "target/peers-growth")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(torch_point(*arguments.point))
        return
    arguments.work, arguments.binary = arguments.work.resolve(), arguments.binary.resolve()
    arguments.work.mkdir(parents=True, exist_ok=True)
    kept = arguments.work / "points.json"
    points = json.loads(kept.read_text()) if kept.exists() else {}
    for number in range(arguments.rounds):
        for axis in arguments.axes:
            for at, sizes in AXES[axis].items():
                for side, measure in SIDES.items():
                    name = f"{axis} {at} {side} {number}"
                    if name not in points:
                        points[name] = measure(arguments, *sizes)
                        kept.write_text(json.dumps(points, indent=1))
        print(f"round {number + 1} of {arguments.rounds} done", file=sys.stderr, flush=True)
    axes = {}
    for axis in arguments.axes:
        axes[axis] = {side: {} for side in SIDES}
        for at in AXES[axis]:
            for side in SIDES:
                rounds = [points[f"{axis} {at} {side} {number}"] for number in range(arguments.rounds)]
                seconds, peaks = ([told[index] for told in rounds] for index in (0, 1))
                axes[axis][side][at] = {"step_seconds": statistics.median(seconds), "peak_bytes": statistics.median(peaks)}
    (arguments.out / "peers-growth.json").write_text(json.dumps(axes, indent=1) + "\n")
    tables.write(arguments.out, "peers-growth.md", page(axes))


if __name__ == "__main__":
    main()
