"""Where the commands of reliability.py run, and where its tables go."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "docs/runs/reliability"
# Several strengths, a dense network and a narrowed one.
LONG = "compress --data digits --net 400-200 --threads 1 --epochs 60 --baseline --control narrow-same-decay"


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
