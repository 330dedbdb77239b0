#!/usr/bin/env python3
"""How fast are steps and forward passes of networks here, and in PyTorch?

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt
    .venv/bin/python scripts/bench_torch.py [--rounds 5] [--seconds 2] [--threads 1 2] [--rust BINARY] [--json FILE]

Times the workloads of `cargo bench -p secateur-train --bench networks`: a training step (SGD with momentum) of dense layers
784-400-300-100-10 with 128 and 400 rows and 784-2048-2048-10 with 256, of LeNet-5 and of ResNet-20 with projections as shortcuts
with 128 images; and ResNet-20 run on 1 and on 128 images. PyTorch runs eagerly; its fused optimiser and inference_mode are used.
Networks for images run in both memory layouts: that of the images as they come (contiguous) and channels last. Whether both sides multiply as much is checked.

In each round every workload is timed in PyTorch, layout by layout, and at once in the Rust bench, which is built first
unless --rust names it. Load that comes and goes thus meets both. Prints a line for each workload and layout (median and
least of all calls of all rounds), and tables of medians over rounds: of each round's median time, and of secateur's share of
the better layout's time within rounds, with the least and the greatest of these; and what two threads gain. Goals are those
that this project has set itself.

For a quiet machine: threads of PyTorch's wait for each other at every operator, and where other programs take their
processors away, it loses out of all proportion. A load of others at the beginning is told.

Exit code 0: done; 1: the bench fails, or does other work than PyTorch; 2: usage.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "peers"))
from nets import LeNet5, Mlp, ResNet20

LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
CLASSES = 10

# As the bench names them: the network, the shape of a row, how many there are, and whether it is trained.
WORKLOADS = {
    "mlp-128-step": (lambda: Mlp([784, 400, 300, 100, CLASSES]), (784,), 128, True),
    "mlp-400-step": (lambda: Mlp([784, 400, 300, 100, CLASSES]), (784,), 400, True),
    "mlp-2048-step": (lambda: Mlp([784, 2048, 2048, CLASSES]), (784,), 256, True),
    "lenet5-step": (lambda: LeNet5(CLASSES), (1, 28, 28), 128, True),
    "resnet20-step": (lambda: ResNet20(CLASSES), (3, 32, 32), 128, True),
    "resnet20-forward-1": (lambda: ResNet20(CLASSES), (3, 32, 32), 1, False),
    "resnet20-forward-128": (lambda: ResNet20(CLASSES), (3, 32, 32), 128, False),
}

# Share of PyTorch's time, at most.
GOALS = {
    "mlp-128-step": 0.5, "mlp-400-step": 0.5, "mlp-2048-step": 0.5,
    "lenet5-step": 0.6, "resnet20-step": 0.6, "resnet20-forward-1": 0.4,
}
# Time of one thread over that of two, at least.
GAINS = {"mlp-2048-step": 1.7, "resnet20-step": 1.7}


def layouts(workload):
    """Rows without height and width lie in one way only."""
    return [layout for layout in LAYOUTS if layout == "contiguous" or len(WORKLOADS[workload][1]) == 3]


def macs(network, shape):
    """Multiply-accumulates of convolutions and linear layers for one row."""
    total = 0

    def count(module, _, output):
        nonlocal total
        total += module.weight.numel() * (output[0][0].numel() if isinstance(module, nn.Conv2d) else 1)

    layers = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return total


def prepare(workload, layout):
    """What does the work once, and how many multiply-accumulates a row takes."""
    build, shape, rows, is_step = WORKLOADS[workload]
    torch.manual_seed(1)
    network = build()
    work = macs(network, shape)
    network = network.to(memory_format=LAYOUTS[layout])
    images = torch.randn(rows, *shape)
    if len(shape) == 3:
        images = images.contiguous(memory_format=LAYOUTS[layout])
    if not is_step:
        network.eval()

        def run():
            with torch.inference_mode():
                network(images)

        return run, work

    labels = torch.arange(rows) * 7 % CLASSES
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, fused=True)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step, work


def timed(run, seconds):
    """Milliseconds of many calls, after a fifth of the time for warming up."""
    times = []
    for share, keep in ((0.2, False), (1.0, True)):
        begin = time.perf_counter()
        while time.perf_counter() - begin < share * seconds or (keep and not times):
            start = time.perf_counter()
            run()
            if keep:
                times.append(1e3 * (time.perf_counter() - start))
    return times


def build_bench():
    command = ["cargo", "bench", "--locked", "-p", "secateur-train", "--bench", "networks"]
    command += ["--no-run", "--message-format=json"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in told.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "networks":
            return message["executable"]
    raise ValueError("cargo tells of no bench that it has built")


def run_bench(binary, workload, threads, seconds):
    command = [binary, f"only={workload}", f"threads={threads}", "json", str(seconds)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(arguments, binary):
    """Of each workload and number of threads, what each round gave."""
    rounds = {(workload, threads): [] for threads in arguments.threads for workload in arguments.workloads}
    for number in range(arguments.rounds):
        for (workload, threads), found in rounds.items():
            torch.set_num_threads(threads)
            torch_times = {}
            for layout in layouts(workload):
                run, work = prepare(workload, layout)
                torch_times[layout] = timed(run, arguments.seconds)
                del run
            told = run_bench(binary, workload, threads, arguments.seconds)
            if told["macs"] != work:
                raise ValueError(f"{workload} takes {told['macs']} multiply-accumulates here, in PyTorch {work}")
            found.append((torch_times, told))
        print(f"round {number + 1} of {arguments.rounds} done", file=sys.stderr, flush=True)
    return rounds


def summarise(workload, threads, found):
    by_layout = {layout: [statistics.median(times[layout]) for times, _ in found] for layout in layouts(workload)}
    best = min(by_layout, key=lambda layout: statistics.median(by_layout[layout]))
    ours = [told["median_ms"] for _, told in found]
    shares = [own / theirs for theirs, own in zip(by_layout[best], ours, strict=True)]
    least = {layout: min(min(times[layout]) for times, _ in found) for layout in layouts(workload)}
    return {
        "workload": workload,
        "threads": threads,
        "layout": best,
        "torch_ms": statistics.median(by_layout[best]),
        "torch_least_ms": min(least.values()),
        "secateur_ms": statistics.median(ours),
        "secateur_least_ms": min(told["least_ms"] for _, told in found),
        "share": statistics.median(shares),
        "shares": shares,
        "layouts": {
            layout: {
                "median_ms": statistics.median(by_layout[layout]),
                "least_ms": least[layout],
                "calls": sum(len(times[layout]) for times, _ in found),
            }
            for layout in layouts(workload)
        },
        "calls": sum(told["runs"] for _, told in found),
        "peak_bytes": max((told["peak_bytes"] or 0 for _, told in found), default=0),
    }


def tell(rows):
    for row in rows:
        head = f"{row['workload']:<21} {row['threads']} threads"
        for layout, times in row["layouts"].items():
            mark = "  <- best layout" if layout == row["layout"] else ""
            print(
                f"{head}  PyTorch, {layout:<14} {times['median_ms']:>9.2f} ms, least {times['least_ms']:>9.2f}"
                f" of {times['calls']}{mark}"
            )
        print(
            f"{head}  secateur                {row['secateur_ms']:>9.2f} ms, least {row['secateur_least_ms']:>9.2f}"
            f" of {row['calls']}; memory at most {row['peak_bytes'] >> 20} MB"
        )
    print()
    columns = ["workload", "threads", *(f"PyTorch, {layout} (ms)" for layout in LAYOUTS), "secateur (ms)", "secateur / better PyTorch"]
    print(f"| {' | '.join([*columns, 'least', 'greatest', 'goal', 'holds'])} |")
    print("|---|" + "---:|" * (len(columns) + 3))
    for row in rows:
        times = [f"{row['layouts'][layout]['median_ms']:.2f}" if layout in row["layouts"] else "-" for layout in LAYOUTS]
        shares = [f"{share:.2f}" for share in (row["share"], min(row["shares"]), max(row["shares"]))]
        goal = GOALS.get(row["workload"])
        judged = [f"{goal:g}", "yes" if row["share"] <= goal else "no"] if goal else ["-", "-"]
        print(f"| {' | '.join([row['workload'], str(row['threads']), *times, format(row['secateur_ms'], '.2f'), *shares, *judged])} |")
    two = [(one, row) for one in rows for row in rows if (one["workload"], one["threads"], row["threads"]) == (row["workload"], 1, 2)]
    if two:
        print("\n| workload | one thread over two, PyTorch | secateur | goal | holds |\n|---|---:|---:|---:|---:|")
    for one, row in two:
        gains = [one[key] / row[key] for key in ("torch_ms", "secateur_ms")]
        goal = GAINS.get(row["workload"])
        judged = [f"{goal:g}", "yes" if gains[1] >= goal else "no"] if goal else ["-", "-"]
        print(f"| {' | '.join([row['workload'], *(f'{gain:.2f}' for gain in gains), *judged])} |")


def told_set(rounds):
    return next(iter(rounds.values()))[0][1]["instruction_set"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"all, or some of {', '.join(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each workload, layout and side, in each round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rust", metavar="BINARY", help="the bench, as cargo built it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    arguments = parser.parse_args()
    if unknown := set(arguments.workloads) - set(WORKLOADS):
        parser.error(f"no workload is called {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if arguments.rounds < 1 or not arguments.seconds > 0 or min(arguments.threads) < 1:
        parser.error("rounds, seconds and threads are positive")
    arguments.workloads = arguments.workloads or list(WORKLOADS)
    try:
        # Before the build, which is a load itself.
        load = os.getloadavg()[0]
        binary = arguments.rust or build_bench()
        rounds = measure(arguments, binary)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"FAIL {error}")
        return 1
    rows = [summarise(workload, threads, found) for (workload, threads), found in rounds.items()]
    print(f"PyTorch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}), secateur on {told_set(rounds)}")
    loads = f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after"
    print(f"{arguments.rounds} rounds of {arguments.seconds:g} s each; {loads}\n")
    tell(rows)
    if load > 0.5:
        print("\nOther programs were running: these are no measurements, least of all those of several threads.")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
