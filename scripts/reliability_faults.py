"""What can go wrong around a run, provoked: see reliability.py."""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from reliability_place import Place, table


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
        fault("memory (`--memory 1MB`)", place.run(f"{run} --memory 1MB"), 5, "nothing was begun")
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
