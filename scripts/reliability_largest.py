"""The largest files and networks that were tried: see reliability.py."""

import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

from reliability_place import Place, table


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
