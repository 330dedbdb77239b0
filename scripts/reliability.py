#!/usr/bin/env python3
"""What do kills, faults, limits and budgets do to `secateur compress`?

    cargo build --release
    SECATEUR_DATA=... python3 scripts/reliability.py [kills faults budgets memory largest fuzzed] [--binary FILE]

kills    kills a run at 50 random moments, goes on each time, and compares the bytes with those of a run that nothing stopped
faults   provokes what can go wrong: what the run says, its exit code, and whether it goes on once the fault is gone
budgets  asks for 24 budgets on four data sets: is each met, and how closely?
memory   trains networks of several sizes at several batches: memory as planned, and as it was
largest  halves files of up to 3 GB and of up to 50,000 nodes, and trains a network of 140 million weights; needs the packages of
         scripts/requirements.txt, 6 GB of disk and 16 GB of memory
fuzzed   `just fuzz`: a minute of each fuzz target; skipped without a nightly compiler and cargo-fuzz

Writes tables to docs/runs/reliability, for docs/reliability.md. What is not permitted here (a small file system) is said to be
skipped. Exit code 0: all well; 1: a run ends otherwise than it has to; 2: usage.
"""

import argparse
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reliability_faults import faults
from reliability_largest import largest
from reliability_place import LONG, ROOT, Place, table

KILLS = 50


def kills(binary):
    with tempfile.TemporaryDirectory() as folder:
        place = Place(binary, folder)
        begin = time.time()
        assert place.run(f"{LONG} --out whole --quiet").returncode == 0
        whole = time.time() - begin
        epoch = whole / 60 / 5
        moments, killed, runs, lost, within = random.Random(1), 0, 0, [], 0
        while killed < KILLS:
            child = place.start(place.next())
            try:
                child.wait(moments.uniform(0.02, 1.2))
                assert child.returncode == 0
                assert place.same("run", "whole"), "another model"
                shutil.rmtree(place.folder / "run")
                runs += 1
                continue
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                now = time.time()
                child.wait()
            killed += 1
            if kept := place.newest():
                lost.append(now - kept)
        done = place.run(place.next())
        assert done.returncode == 0 and place.same("run", "whole"), done.stderr
        runs += 1
        rows = [
            ["kills at random moments", killed],
            ["runs that ended between them, each with the bytes and epochs of an undisturbed one", runs],
            ["folders that could neither be gone on with nor begun anew", 0],
            ["seconds of an undisturbed run", f"{whole:.1f}"],
            ["seconds since something was kept, at the kills: median", f"{sorted(lost)[len(lost) // 2]:.2f}"],
            ["the same, longest", f"{max(lost):.2f}"],
        ]
        table("kills", ["what", "count"], rows)


SETS = {
    "digits": "--data digits --net 128-64",
    "digits, convolutions": "--data digits --net resnet20 --epochs 8",
    "concrete": "--data uci-regression/concrete.csv --net 128-64",
    "mnist": "--data mnist --net 300-100 --epochs 3",
}
BUDGETS = ["macs=50%", "macs=10%", "params=25%", "params=3000", "bytes=40%", "latency"]


def budgets(binary):
    rows, bad = [], []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(binary, folder)
        for name, flags in SETS.items():
            for number, asked in enumerate(BUDGETS):
                out = f"{name.split(',')[0]}-{len(name)}-{number}"
                if asked == "latency":
                    # What the network of half the MACs takes here.
                    asked = f"latency={latency(place, flags, out.removesuffix('-5') + '-0'):.4f}ms"
                shown = place.run(f"compress {flags} --threads 2 --strength 1e-5 --budget {asked} --quiet --out {out}")
                report = place.folder / out / "report.json"
                print(name, asked, shown.returncode, shown.stderr.strip().splitlines()[-1:], flush=True)
                if not report.exists():
                    said = shown.stderr.strip().splitlines()
                    rows.append([name, asked, "", "", "", f"exit {shown.returncode}: `{said[0][:90]}`"])
                    if shown.returncode != 1:
                        bad.append(f"{name} {asked}: {shown.stderr}")
                    continue
                budget = json.loads(report.read_text())["budget"]
                below = 100 * (1 - budget["reached"] / budget["most"])
                rows.append([
                    name, asked, f"{budget['most']:.6g}", f"{budget['reached']:.6g} {budget['unit']}",
                    f"{below:.1f}", "met" if budget["is_met"] else "not met",
                ])
                if not budget["is_met"] and "latency" not in asked:
                    bad.append(f"{name} {asked}: not met")
    table("budgets", ["data and network", "budget", "limit", "reached", "below, %", "outcome"], rows)
    if bad:
        sys.exit("\n".join(bad))


def latency(place, flags, run):
    """What the network of an earlier run takes in turn with the dense one, on the slower engine, in milliseconds."""
    if place.run(f"compress {flags} --threads 2 --penalty none --quiet --force --out dense").returncode != 0:
        sys.exit("the dense network was not trained")
    shown = place.run(f"bench dense/small.onnx {run}/small.onnx --batch 1 --threads 2 --json")
    if shown.returncode != 0:
        sys.exit(shown.stderr)
    rows = json.loads(shown.stdout)["latencies"]
    return max(row["measured"]["milliseconds"]["p90"] for row in rows if row["model"].startswith(run))


def memory(binary):
    rows = []
    sets = [
        ("--data mnist --net 300-100", [32, 128, 512]),
        ("--data mnist --net 2000-2000", [128]),
        ("--data mnist --net lenet5", [32, 128, 512]),
        ("--data cifar-10 --net resnet20", [32, 128, 512]),
        ("--data cifar-10 --net vgg-small", [128]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(binary, folder)
        for flags, batches in sets:
            for batch in batches:
                out = f"run-{len(rows)}"
                line = f"compress {flags} --batch {batch} --steps 40 --settle 0 --strength 1e-5 --part full --threads 2"
                shown = place.run(f"{line} --quiet --out {out}")
                if shown.returncode != 0:
                    sys.exit(shown.stderr)
                machine = json.loads((place.folder / out / "report.json").read_text())["machine"]
                net = flags.split("--net ")[1]
                planned, peak = machine["planned_memory_bytes"] / 1e6, machine["peak_memory_bytes"] / 1e6
                rows.append([flags.split()[1], net, batch, f"{planned:.0f}", f"{peak:.0f}"])
    table("memory", ["data", "network", "batch", "planned (MB)", "peak of the whole run (MB)"], rows)


def fuzz_row(target, text):
    """What the fuzzer says of a target at its end."""
    stat = {name: int(value) for name, value in re.findall(r"stat::(\w+):\s+(\d+)", text)}
    crashes = len(re.findall(r"Test unit written to", text))
    return [
        f"`{target}`",
        f"{stat['number_of_executed_units']:,}",
        stat["new_units_added"],
        f"{stat['slowest_unit_time_sec']}",
        stat["peak_rss_mb"],
        crashes,
    ]


def fuzzed(_binary):
    both = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    done = subprocess.run(["just", "fuzz"], cwd=ROOT, text=True, errors="replace", **both)
    texts = re.split(r"^(\w+) for \d+ s$", done.stdout, flags=re.MULTILINE)
    if len(texts) < 3:
        print(done.stdout)
        return
    fuzz_table([fuzz_row(target, text) for target, text in zip(texts[1::2], texts[2::2])])


def fuzz_table(rows):
    table("fuzzed", ["target", "inputs", "new ones kept", "slowest (s)", "peak memory (MB)", "crashes, hangs, too much memory"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = {"kills": kills, "faults": faults, "budgets": budgets, "memory": memory, "largest": largest, "fuzzed": fuzzed}
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    arguments = parser.parse_args()
    for name in arguments.parts or parts:
        print(f"== {name}", flush=True)
        parts[name](arguments.binary.resolve())


if __name__ == "__main__":
    main()
