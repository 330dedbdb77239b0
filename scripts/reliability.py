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
import multiprocessing
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "docs/runs/reliability"
# Several strengths, a dense network and a narrowed one.
LONG = "compress --data digits --net 400-200 --threads 1 --epochs 60 --baseline --control narrow-same-decay"
KILLS = 50


def table(name, head, rows):
    TABLES.mkdir(parents=True, exist_ok=True)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    (TABLES / f"{name}.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines), flush=True)


class Place:
    """An empty folder in which commands run."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)

    def start(self, arguments, **options):
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return subprocess.Popen([self.binary, *arguments.split()], cwd=self.folder, **{**quiet, **options})

    def run(self, arguments, before=""):
        line = f"{before} exec {self.binary} {arguments}"
        return subprocess.run(["sh", "-c", line], cwd=self.folder, capture_output=True, text=True)

    def bytes(self, run):
        return (self.folder / run / "small.onnx").read_bytes()

    def epochs(self, run):
        lines = (self.folder / run / "log.jsonl").read_text().splitlines()
        return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]

    def same(self, run, other):
        return self.bytes(run) == self.bytes(other) and self.epochs(run) == self.epochs(other)

    def next(self):
        """How to begin or to go on, by what is there."""
        if (self.folder / "run/checkpoint").exists() and (self.folder / "run/config.toml").exists():
            return "compress --resume run --quiet"
        return f"{LONG} --out run --force --quiet"

    def newest(self):
        """When something was kept last; none if nothing was."""
        kept = [p for p in (self.folder / "run/checkpoint").glob("[0-9]*")]
        return max((p.stat().st_mtime for p in kept), default=None)


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


def in_locked_folder(place, run):
    """What a run says that may write nowhere in its folder; the superuser, who may everywhere, runs it as nobody."""
    (place.folder / "locked").mkdir(mode=0o555)
    command = run.replace("--out run", "--out locked/run")
    if os.geteuid() != 0:
        return place.run(command)
    place.folder.chmod(0o755)
    own = shutil.copy(place.binary, place.folder / "secateur")
    nobody = dict(user=65534, group=65534, extra_groups=[])
    return subprocess.run([own, *command.split()], cwd=place.folder, capture_output=True, text=True, **nobody)


def picture(pixels, width):
    """A grey PNG."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height = len(pixels) // width
    lines = b"".join(b"\0" + pixels[i * width : (i + 1) * width] for i in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def without_a_picture(place, fault):
    """A picture goes while a network trains on pictures that are decoded when they are needed."""
    for kind, least in [("dark", 0), ("light", 100)]:
        folder = place.folder / "pictures" / kind
        folder.mkdir(parents=True)
        for i in range(5000):
            (folder / f"{i:04}.png").write_bytes(picture(bytes(least + (7 * i + j) % 90 for j in range(48)) * 48, 48))
    run = "compress --data pictures --net resnet20 --steps 300 --settle 0 --part full --strength 1e-4 --batch 2 --threads 1 --memory 22MB --quiet"
    whole = place.run(f"{run} --out of-pictures")
    assert whole.returncode == 0, whole.stderr
    assert place.run(f"{run} --out pictured --time 1ms").returncode == 0
    child = place.start("compress --resume pictured --memory 22MB", stderr=subprocess.PIPE, text=True)
    while "training resnet20" not in child.stderr.readline():
        assert child.poll() is None
    (place.folder / "pictures").rename(place.folder / "away")
    _, said = child.communicate()
    (place.folder / "away").rename(place.folder / "pictures")
    done = place.run("compress --resume pictured --memory 22MB --quiet")
    same = done.returncode == 0 and place.same("pictured", "of-pictures")
    gone = subprocess.CompletedProcess([], child.returncode, "", said)
    fault("pictures gone while training", gone, 3, "same bytes" if same else done.stderr or "no")


def faults(binary):
    rows, bad = [], []

    def fault(name, shown, code, goes_on):
        said = shown.stderr.strip().splitlines()
        told = [line for line in said if line.startswith("error")] + [line for line in said if line.startswith("warning: to go")]
        error = told[0] if told else said[-1] if said else ""
        rows.append([name, f"`{error[:110]}`", shown.returncode, goes_on])
        if shown.returncode != code:
            bad.append(f"{name}: exit {shown.returncode}, not {code}: {shown.stderr}")

    with tempfile.TemporaryDirectory() as folder:
        place = Place(binary, folder)
        drawn = random.Random(2)
        rows_of = [[drawn.uniform(-1, 1) for _ in range(4)] for _ in range(3000)]
        data = [",".join([*(f"{x:.4f}" for x in row), "yes" if row[0] * row[1] > row[2] else "no"]) for row in rows_of]
        (place.folder / "data.csv").write_text("\n".join(data) + "\n")
        run = "compress --data data.csv --task classification --net 512-256 --threads 1 --epochs 120 --quiet --out run"
        assert place.run(run.replace("--out run", "--out whole")).returncode == 0

        def stopped():
            shutil.rmtree(place.folder / "run", ignore_errors=True)
            child = place.start(run)
            while not (place.folder / "run/checkpoint/0").exists():
                time.sleep(0.005)
            child.kill()
            child.wait()

        def goes_on():
            done = place.run("compress --resume run --quiet")
            return "same bytes" if done.returncode == 0 and place.same("run", "whole") else bad.append(done.stderr) or "no"

        for blocks in [1, 8, 64]:
            stopped()
            shown = place.run("compress --resume run --quiet", f"trap '' XFSZ; ulimit -f {blocks};")
            fault(f"files of at most {blocks} blocks", shown, 4, goes_on())
        stopped()
        (place.folder / "data.csv").rename(place.folder / "away.csv")
        shown = place.run("compress --resume run --quiet")
        (place.folder / "away.csv").rename(place.folder / "data.csv")
        fault("data file gone", shown, 3, goes_on())
        stopped()
        (place.folder / "data.csv").write_text("\n".join(data[1:]) + "\n")
        shown = place.run("compress --resume run --quiet")
        (place.folder / "data.csv").write_text("\n".join(data) + "\n")
        fault("data file changed", shown, 3, goes_on())
        stopped()
        kept = place.folder / "run/checkpoint/0"
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])
        shown = place.run("compress --resume run --quiet")
        kept.write_bytes(whole)
        fault("checkpoint cut off", shown, 3, goes_on())
        stopped()
        child = place.start("compress --resume run --quiet")
        time.sleep(0.05)
        shown = place.run("compress --resume run --quiet")
        child.send_signal(signal.SIGTERM)
        child.wait()
        fault("two runs in a folder", shown, 4, goes_on())
        stopped()
        child = place.start("compress --resume run --quiet")
        time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        _, error = child.communicate()
        ended = subprocess.CompletedProcess([], child.wait(), "", "interrupted (SIGTERM)")
        fault("SIGTERM", ended, 130, goes_on())
        shutil.rmtree(place.folder / "run", ignore_errors=True)
        fault("out of time (`--time 100ms`)", place.run(f"{run} --time 100ms"), 0, goes_on())
        shutil.rmtree(place.folder / "run", ignore_errors=True)
        fault("memory (`--memory 1MB`)", place.run(f"{run} --memory 1MB"), 1, "nothing was begun")
        fault("loss not finite at once", place.run(f"{run} --learning-rate 1e30"), 1, "nothing was begun")
        shutil.rmtree(place.folder / "run", ignore_errors=True)
        shown = place.run(
            "compress --data digits --net 16 --epochs 40 --learning-rate 0.01 --weight-decay 220 --schedule constant "
            "--penalty none --threads 1 --quiet --out run"
        )
        kept = (place.folder / "run/small.onnx").exists()
        fault("weights that explode later", shown, 1, "last good model written" if kept else bad.append("no model"))
        fault("read-only folder", in_locked_folder(place, run), 4, "nothing was begun")
        without_a_picture(place, fault)
        small = place.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True)
        if mounted.returncode != 0:
            rows.append(["full file system (tmpfs)", "skipped: not permitted here", "", ""])
        else:
            try:
                shown = place.run(run.replace("--out run", "--out small/run"))
                shutil.rmtree(place.folder / "run", ignore_errors=True)
                kept = (small / "run/checkpoint/0").exists()
                if kept:
                    shutil.copytree(small / "run", place.folder / "run")
                fault("full file system (tmpfs)", shown, 4, goes_on() if kept else "nothing was kept")
            finally:
                subprocess.run(["umount", small], check=False)
    table("faults", ["fault", "what the run says first", "exit code", "afterwards"], rows)
    if bad:
        sys.exit("\n".join(bad))


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


def chain(folder, layers, width):
    """An ONNX file of dense layers with random weights; those of large ones lie beside it."""
    import numpy
    import onnx
    from onnx import TensorProto, helper

    draw = numpy.random.default_rng(0)
    is_large = 4 * layers * width * width > 1e9
    nodes, weights = [], []
    for i in range(layers):
        values = draw.standard_normal((width, width), numpy.float32) / numpy.float32(width**0.5)
        weight = TensorProto(name=f"w{i}", data_type=TensorProto.FLOAT, dims=[width, width])
        if is_large:
            with open(folder / "dense.onnx.data", "ab") as file:
                place = {"location": "dense.onnx.data", "offset": file.tell(), "length": values.nbytes}
                file.write(values.tobytes())
            weight.data_location = TensorProto.EXTERNAL
            for key, value in place.items():
                weight.external_data.add(key=key, value=str(value))
        else:
            weight.raw_data = values.tobytes()
        weights.append(weight)
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"y{i}"], name=f"dense{i}"))
        nodes.append(helper.make_node("Relu", [f"y{i}"], [f"x{i + 1}"], name=f"relu{i}"))
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", width]) for n in ("x0", f"x{layers}")]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), folder / "dense.onnx")
    return sum(path.stat().st_size for path in folder.glob("dense.onnx*")) / 1e6


def measured(place, arguments):
    """Seconds and the most memory of a command, in MB."""
    begin = time.monotonic()
    child = place.start(arguments, stderr=None)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{arguments}: {status}")
    return f"{time.monotonic() - begin:.1f}", f"{usage.ru_maxrss / 1e3:.0f}"


def largest(binary):
    rows = []
    shrink = "shrink --keep 50% dense.onnx --out small.onnx"
    for layers, width in [(100, 512), (12, 4096), (12, 8192), (5_000, 16), (25_000, 16)]:
        with tempfile.TemporaryDirectory() as folder:
            # By another process: what this one has had in memory would count as the most of its children.
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                megabytes = pool.apply(chain, (Path(folder), layers, width))
            what = f"{layers:,} dense layers of {width:,}, {2 * layers:,} nodes"
            rows.append([what, f"{megabytes:,.0f}", "`shrink --keep 50%`", *measured(Place(binary, folder), shrink)])
    with tempfile.TemporaryDirectory() as folder:
        train = "compress --data mnist --net 8192-8192-8192 --steps 20 --settle 0 --batch 128 --strength 1e-5 --part full"
        taken = measured(Place(binary, folder), f"{train} --threads 2 --quiet --out run")
        rows.append(["784-8192-8192-8192-10 on mnist", "563", "`compress --steps 20`", *taken])
    table("largest", ["network", "MB", "command", "seconds", "peak (MB)"], rows)


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
