"""Checkouts of a commit into which faults are put, for scripts/faults.py and scripts/mutants.py."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "target/mutants"


def git(*arguments, folder=ROOT):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


class Tree:
    """A checkout of a commit, and where it is built. Files that did not change since the last one keep their time, so that they are
    not built again."""

    def __init__(self, commit="HEAD", number=0):
        self.number = number
        self.path = HOME / (f"tree-{number}" if number else "tree")
        head = git("rev-parse", commit).strip()
        if not (self.path / ".git").exists():
            HOME.mkdir(parents=True, exist_ok=True)
            git("worktree", "prune")
            git("worktree", "add", "--force", "--detach", str(self.path), head)
        git("checkout", "--force", "--detach", head, folder=self.path)
        self.head = head[:9]

    def run(self, *command, **options):
        """Runs a command that builds or tests the tree."""
        target = str(HOME / (f"target-{self.number}" if self.number else "target"))
        own = {"CARGO_INCREMENTAL": "1", "CARGO_PROFILE_DEV_DEBUG": "0", "INSTA_UPDATE": "no", "NEXTEST_COLOR": "never"}
        # The first tree may be built where a run of CI has built its dependencies.
        own["CARGO_TARGET_DIR"] = target if self.number else os.environ.get("CARGO_TARGET_DIR", target)
        return subprocess.run(command, cwd=self.path, env={**os.environ, **own}, capture_output=True, text=True, **options)


def in_trees(trees, work, jobs):
    """What `work(tree, job)` returns for each of the jobs, in their order, as it comes; a tree has one job at a time."""
    free = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(job):
        tree = free.get()
        try:
            return work(tree, job)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            yield from pool.map(one, jobs)
        finally:
            pool.shutdown(cancel_futures=True)
