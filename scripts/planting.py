"""A checkout of a commit into which faults are put, for scripts/faults.py and scripts/mutants.py."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "target/mutants"
TREE = HOME / "tree"


def git(*arguments, folder=ROOT):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def checkout(commit="HEAD"):
    """Makes TREE that of a commit and returns the first digits of it. Files that did not change keep their time, so that they are
    not built again."""
    head = git("rev-parse", commit).strip()
    if not (TREE / ".git").exists():
        git("worktree", "prune")
        git("worktree", "add", "--force", "--detach", str(TREE), head)
    git("checkout", "--force", "--detach", head, folder=TREE)
    return head[:9]


def environment():
    """Of commands that build and test TREE, one change after the other."""
    own = {"CARGO_INCREMENTAL": "1", "CARGO_PROFILE_DEV_DEBUG": "0", "INSTA_UPDATE": "no", "NEXTEST_COLOR": "never"}
    return {"CARGO_TARGET_DIR": str(HOME / "target"), **os.environ, **own}
