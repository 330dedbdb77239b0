#!/usr/bin/env python3
"""One arm of PyTorch's, once: `job.py WORK ARM SEED FOLDER --epochs N --threads N --layout NAME --settings JSON [--rows N]`.

Trains and compresses, writes `small.onnx` and `result.json` into FOLDER. A process of its own, so that memory and threads are
those of the arm. The clock runs while the arm trains, cuts and tunes: not while Python and PyTorch load, data is read, or the result
is scored and written.

The arm `choose` trains nothing: it writes `path.json`, with the layouts of memory and for each the number of threads, up to
--threads, that make a step of the dense network fastest.

Exit code 0: done; 1: the arm fails, with its error on standard error; 2: usage.
"""

import argparse
import json
import resource
import time
import warnings
from pathlib import Path


def peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work")
    parser.add_argument("arm")
    parser.add_argument("seed", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--layout", default="contiguous")
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--rows", type=int, help="train on the first rows alone, to try the scripts out")
    arguments = parser.parse_args()

    import torch

    import arms
    import nets
    import train
    import works

    warnings.filterwarnings("ignore", category=DeprecationWarning)
    after_import = peak_bytes()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    work = works.WORKS[arguments.work]
    data = works.load(work)
    train_rows, validation = works.split(data, arguments.seed)
    rows = train.Rows(work, data, train_rows[: arguments.rows], validation)
    del data
    data_bytes = rows.bytes()
    after_data = peak_bytes()

    torch.manual_seed(arguments.seed)
    outputs = 1 if work.is_regression else int(rows.y.max()) + 1
    network = nets.build(work, rows.raw_shape[0], outputs)
    if arguments.arm == "choose":
        chosen = train.choose_path(network, rows, work, arguments.threads)
        (arguments.folder / "path.json").write_text(json.dumps(chosen, indent=1) + "\n")
        return
    rows.layout = train.LAYOUTS[arguments.layout]
    network = network.to(memory_format=rows.layout)
    clock = train.Clock(work, rows, arguments.epochs, arguments.settings)

    torch.manual_seed(arguments.seed)
    start = time.perf_counter()
    made = arms.ARMS[arguments.arm](network, rows, clock)
    seconds = time.perf_counter() - start
    peak = peak_bytes()

    whole = train.Whole(made.network.to(memory_format=torch.contiguous_format), rows, made.inputs)
    result = {
        "train_seconds": seconds,
        "peak_training_bytes": peak,
        "peak_after_import_bytes": after_import,
        "peak_after_data_bytes": after_data,
        "data_bytes": data_bytes,
        "rows": rows.counts,
        "threads": arguments.threads,
        "layout": arguments.layout,
        "validation_score": train.score(whole, rows),
        "mask_difference": made.mask_difference,
    }
    train.write_onnx(whole, rows, arguments.folder / "small.onnx")
    (arguments.folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
