#!/usr/bin/env python3
"""What ONNX files cost and are worth, counted alike for all: `measure.py WORK THREADS ROUNDS NAME=FILE...`, JSON to stdout.

Parameters and multiply-accumulates are those of convolutions and dense layers whose weights the file holds; the score is that of
ONNX Runtime on the test rows. Latencies at batch 1 and 64 are medians over rounds, in each of which every file has its turn, so
that load which comes and goes meets all.

Exit code 0: done; 1: a file cannot be read or run; 2: usage.
"""

import json
import math
import statistics
import sys
import time

import numpy as np
import onnx
import onnxruntime

import works

BATCHES = [1, 64]
# Of each turn, in seconds.
TURN = 0.05


def cost(path):
    """Parameters and multiply-accumulates of a row."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True, data_prop=True)
    weights = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    shapes = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in [*model.graph.value_info, *model.graph.output, *model.graph.input]
    }
    parameters, macs = 0, 0
    for node in model.graph.node:
        own = [weights[name] for name in node.input if name in weights]
        if node.op_type in ("Conv", "Gemm", "MatMul") and own:
            parameters += sum(math.prod(shape) for shape in own)
            places = shapes[node.output[0]][2:] if node.op_type == "Conv" else []
            macs += math.prod(max(own, key=math.prod)) * math.prod(places)
        elif node.op_type == "BatchNormalization":
            # Means and variances are measured, not trained.
            parameters += sum(math.prod(shape) for shape in own[:2])
        elif node.op_type == "Add" and own and len(own[0]) == 1:
            parameters += own[0][0]
    return parameters, macs


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def feed(model, x):
    """Rows in the shape that a model takes, which may be flat."""
    (taken,) = model.get_inputs()
    rows = x.astype(np.float32)
    return {taken.name: rows.reshape(len(rows), -1) if len(taken.shape) == 2 else rows}


def score(model, work, data):
    made = np.concatenate([
        model.run(None, feed(model, data.x_test[at : at + 500]))[0] for at in range(0, len(data.x_test), 500)
    ])
    if work.is_regression:
        return float(np.sqrt(np.mean((made.reshape(-1) - data.y_test.reshape(-1)) ** 2)))
    return 100 * float(np.mean(made.argmax(1) == data.y_test))


def timed(model, fed):
    """Microseconds of the calls of a turn."""
    model.run(None, fed)
    times, end = [], time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        model.run(None, fed)
        times.append(1e6 * (time.perf_counter() - start))
    return times


def latencies(models, rows, rounds):
    """Microseconds of each of `models` by name and by batch, which `rows` has rows for; medians over rounds."""
    times = {name: {batch: [] for batch in rows} for name in models}
    names = list(models)
    for number in range(rounds):
        # Nobody is always first.
        first = number % len(names)
        for batch, x in rows.items():
            for name in names[first:] + names[:first]:
                times[name][batch].append(statistics.median(timed(models[name], feed(models[name], x))))
    return {name: {batch: statistics.median(found) for batch, found in by_batch.items()} for name, by_batch in times.items()}


def main():
    if len(sys.argv) < 5:
        sys.exit(2)
    work, threads, rounds = works.WORKS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    files = dict(given.split("=", 1) for given in sys.argv[4:])
    data = works.load(work)
    models = {name: session(path, threads) for name, path in files.items()}
    times = latencies(models, {batch: data.x_test[:batch] for batch in BATCHES}, rounds)
    told = {}
    for name, path in files.items():
        parameters, macs = cost(path)
        told[name] = {
            "test_score": score(models[name], work, data),
            "params": parameters,
            "macs": macs,
            "latency_us": {str(batch): times[name][batch] for batch in BATCHES},
        }
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
