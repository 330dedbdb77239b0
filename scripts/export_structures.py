#!/usr/bin/env python3
"""Exports networks of the structures that users meet, small, as torch writes them, for the tests.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt
    .venv/bin/python scripts/export_structures.py [NETWORK ...] [--into FOLDER]

Networks are in scripts/structures, one file a family. How they are exported, drawn, checked and kept free of the machine
is as export_fixtures.py says; `kinds` of a network names its exporters where it is not both.

Prints a line for each file. Exit code 0: all well; 1: an export failed or differs; 2: usage.
"""

import sys
from pathlib import Path

from export_fixtures import main
from structures import convolutions, gates, places, transformers, vision_attention

FOLDER = Path(__file__).resolve().parent.parent / "crates/secateur/tests/fixtures/structures"
NETWORKS = {
    **convolutions.NETWORKS,
    **gates.NETWORKS,
    **places.NETWORKS,
    **transformers.NETWORKS,
    **vision_attention.NETWORKS,
}
HEADING = [
    "# Structures that users meet, as torch writes them",
    "",
    "Written by `scripts/export_structures.py`, as is this page. Files named `.ts.onnx` are from the TorchScript exporter, operator set 17, with a batch of",
    "any length; `.dynamo.onnx` are from the exporter on `torch.export`, operator set 18, with a batch of 1. Both are there where they",
    "write other structures. Weights are random.",
]

if __name__ == "__main__":
    sys.exit(main(__doc__, NETWORKS, FOLDER, HEADING))
