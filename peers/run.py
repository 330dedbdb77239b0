#!/usr/bin/env python3
"""Trains and compresses the same networks here and with peers, and says who was faster, smaller and better.

    just peers
    SECATEUR_DATA=... .venv-peers/bin/python peers/run.py [--works mlp-128 ...] [--arms dense ours ...] [--seeds 0 1 2]
        [--epochs N] [--threads N] [--work FOLDER] [--binary FILE] [--only-table]

Every run is a process of its own. Seeds come first, then tries, then arms, so that load which comes and goes meets all. Runs
that --work (target/peers) has already are not run again; delete a folder there to have it anew. Dense PyTorch is run whatever --arms says.
Writes docs/peers.json, with everything, docs/runs/peers.md, with tables, and these into docs/peers.md. Both have all the runs of the
seeds that are there, also of other calls, and works as peers.json has them of which --work has no runs; --only-table trains nothing.

--epochs and --rows are for trying it out: less than the works say. The machine must have nothing else to do.

Exit code 0: done, whatever fails among the peers, or diverges (it stands in the tables); 1: a run of secateur's, or measuring,
fails otherwise; 2: usage.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

# This process stays small: what it had in memory would count as its children's peak.
import tables
import works

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ARMS = [
    "dense", "ours", "lasso", "tp-group", "ours-inputs", "lasso-partial", "tp-magnitude", "hesso",
    "ours-dense", "tp-group-long", "tp-magnitude-long",
]
LATENCY_ROUNDS = 15


def tries_of(work, arm):
    given = tomllib.loads((HERE / "tries.toml").read_text())
    return given["mlp-128" if work.name == "mlp-400" else work.name].get(arm, [])


def run(command, folder, environment):
    """The exit code, the seconds of the whole process, its peak of memory, and the end of what it said."""
    log = folder / "log.txt"
    with log.open("w") as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.perf_counter() - start, 1024 * usage.ru_maxrss, log.read_text().strip()[-2000:]


def flags_of_ours(arguments, work, arm, settings, seed, folder):
    data = work.data if not work.is_regression else arguments.work / "concrete.npz"
    flags = f"compress --data {data} --net {work.net} --batch {work.batch} --epochs {epochs_of(arguments, work)} --seed {seed}"
    flags += f" --optimizer {work.optimizer} --learning-rate {settings.get('rate', work.rate)} --threads {arguments.threads}"
    flags += f" --weight-decay {settings.get('decay', work.decay)} --out {folder / 'run'} --force --quiet"
    if arm == "ours-dense":
        return flags + " --penalty none"
    flags += f" --budget macs={100 * work.budget:g}% --strength {settings['strength']}"
    return flags + (" --inputs spared" if arm == "ours-inputs" else "")


def epochs_of(arguments, work):
    return arguments.epochs or work.epochs


def path_of(arguments, work, arm):
    """The number of threads and the layout of memory that are fastest for a work in PyTorch, found once."""
    folder = arguments.work / work.name
    kept = folder / "path.json"
    if not kept.exists():
        command = [sys.executable, str(HERE / "job.py"), work.name, "choose", "0", str(folder), "--threads", str(arguments.threads)]
        if subprocess.run(command).returncode != 0:
            sys.exit(f"{work.name}: no number of threads can be chosen for PyTorch")
    paths = json.loads(kept.read_text())
    # HESSO fails where channels are last.
    return next(path for path in paths if arm != "hesso" or path["layout"] == "contiguous")


def one(arguments, work, arm, seed, number, settings):
    """A run, if it is not there; what came out."""
    folder = arguments.work / work.name / f"{arm}-seed{seed}-try{number}"
    done = folder / "done.json"
    if done.exists():
        # Machines are slower at one time than at another.
        ended = datetime.datetime.fromtimestamp(done.stat().st_mtime, datetime.UTC)
        return json.loads(done.read_text()) | {"ended": ended.isoformat(" ", "minutes")[:16]}
    if arguments.only_table:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    if arm.startswith("ours"):
        command = [str(arguments.binary), *flags_of_ours(arguments, work, arm, settings, seed, folder).split()]
    else:
        path = path_of(arguments, work, arm)
        environment |= {"OMP_NUM_THREADS": str(path["threads"]), "MKL_NUM_THREADS": str(path["threads"])}
        command = [sys.executable, str(HERE / "job.py"), work.name, arm, str(seed), str(folder)]
        command += ["--epochs", str(epochs_of(arguments, work)), "--threads", str(path["threads"]), "--layout", path["layout"]]
        command += ["--settings", json.dumps(settings)] + (["--rows", str(arguments.rows)] if arguments.rows else [])
    load = os.getloadavg()[0]
    code, seconds, peak, said = run(command, folder, environment)
    told = {
        "work": work.name, "arm": arm, "seed": seed, "try": number, "settings": settings,
        "epochs": epochs_of(arguments, work), "process_seconds": seconds, "peak_bytes": peak, "load_before": load,
        "error": None,
    }
    if code != 0:
        told["error"] = without_paths(said or f"exit code {code}")
        # A rate that is too high for a network is too high for all who try it.
        if arm.startswith("ours") and "not a finite number" not in said:
            sys.exit(f"{' '.join(command)}\n{said}")
    else:
        told |= of_ours(folder, work) if arm.startswith("ours") else json.loads((folder / "result.json").read_text())
    done.write_text(json.dumps(told, indent=1) + "\n")
    print(f"{work.name} {arm} seed {seed} try {number}: {seconds:.1f} s{', FAILED' if code else ''}", flush=True)
    return told


def without_paths(said):
    """The line of an error that says what it is, and where it was raised, without the places of files."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    raised = [line.split("/")[-1].replace('"', "") for line in lines if line.startswith("File ")]
    # secateur's says what to do in the last one.
    last = next((line for line in lines if line.startswith("error: ")), lines[-1])
    return re.sub(r"(/[\w.-]+)+/", "", " at ".join([last, *raised[-1:]]))


def of_ours(folder, work):
    report = json.loads((folder / "run/report.json").read_text())
    after, machine = report["after"], report["machine"]
    (folder / "small.onnx").write_bytes((folder / "run/small.onnx").read_bytes())
    gaps = [removal["engine_difference"] for removal in report["removals"]]
    rows = report["data"]
    parts = {part: rows[f"{part}_rows"] for part in ("train", "validation", "test")}
    # As they are read, pixels as bytes; chains train on numbers beside them.
    held = sum(parts.values()) * rows["features"] * (4 if work.is_regression else 1)
    if work.network == "mlp":
        held += (parts["train"] + parts["validation"]) * rows["features"] * 4
    return {
        "train_seconds": after["train_seconds"],
        "peak_training_bytes": machine["peak_memory_bytes"],
        "data_bytes": held,
        "rows": parts,
        "threads": machine["threads"],
        "layout": machine["instruction_set"],
        "validation_score": after["validation_score"] * (1 if work.is_regression else 100),
        "mask_difference": max(gaps, default=None),
        "macs_told": after["macs"],
        "version": report["secateur"],
    }


def measured(arguments, work, seed):
    """What the files of a seed cost and are worth; all measured together, again if there are more of them."""
    found = sorted((arguments.work / work.name).glob(f"*-seed{seed}-try*/small.onnx"))
    files = {path.parent.name.replace(f"-seed{seed}", ""): path for path in found if (path.parent / "done.json").exists()}
    kept = arguments.work / work.name / f"measured-seed{seed}.json"
    told = json.loads(kept.read_text()) if kept.exists() else {}
    if arguments.only_table or set(files) <= set(told):
        return told
    command = [sys.executable, str(HERE / "measure.py"), work.name, str(arguments.threads), str(LATENCY_ROUNDS)]
    command += [f"{name}={path}" for name, path in files.items()]
    shown = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if shown.returncode != 0:
        sys.exit(f"{work.name}, seed {seed}: the files cannot be measured")
    kept.write_text(shown.stdout)
    return json.loads(shown.stdout)


def with_measures(results, found):
    return [told | found.get(f"{told['arm']}-try{told['try']}", {}) for told in results]


def choose(work, results):
    """Of each arm the number of the try that the other seeds take."""
    chosen = {}
    for arm in sorted({told["arm"] for told in results}):
        done = [told for told in results if told["arm"] == arm and "macs" in told]
        if not done:
            continue
        dense = next((told["macs"] for told in results if told["arm"] == "dense" and "macs" in told), None)
        most = 1.005 * work.budget * dense if dense and not arm.endswith("dense") else float("inf")
        fits = [told for told in done if told["macs"] <= most]
        if fits:
            best = max(fits, key=lambda told: work.better(told["validation_score"]))
        else:
            best = min(done, key=lambda told: told["macs"])
        chosen[arm] = best["try"]
    return chosen


def study(arguments, work):
    """All results of a work, and which tries were chosen."""
    # Budgets are shares of the dense network.
    arms = [arm for arm in ARMS if (arm in arguments.arms or arm == "dense") and tries_of(work, arm)]
    if work.is_regression and not arguments.only_table and not (arguments.work / "concrete.npz").exists():
        arguments.work.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-c", f"import works; works.write_arrays(works.concrete(), {str(arguments.work / 'concrete.npz')!r})"],
            cwd=HERE, check=True,
        )
    first, *others = arguments.seeds
    results = []
    for number in range(arguments.tries):
        for arm in arms:
            settings = tries_of(work, arm)
            if number < len(settings):
                results.append(one(arguments, work, arm, first, number, settings[number]))
    results = [told for told in results if told]
    results = with_measures(results, measured(arguments, work, first))
    chosen = choose(work, results)
    for seed in others:
        more = [one(arguments, work, arm, seed, chosen[arm], tries_of(work, arm)[chosen[arm]]) for arm in arms if arm in chosen]
        more = [told for told in more if told]
        results += with_measures(more, measured(arguments, work, seed))
    return results, chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", nargs="+", choices=works.WORKS, default=list(works.WORKS))
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="tries are with the first")
    parser.add_argument("--tries", type=int, default=3, help="how many settings of tries.toml")
    parser.add_argument("--epochs", type=int, help="for all works, in place of their own")
    parser.add_argument("--rows", type=int, help="the peers train on so many rows, to try the scripts out")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="at most; PyTorch takes fewer if that is faster")
    parser.add_argument("--work", type=Path, default=ROOT / "target/peers")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/secateur")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="where peers.json and peers.md go")
    parser.add_argument("--only-table", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    arguments.work, arguments.binary = arguments.work.resolve(), arguments.binary.resolve()
    if not arguments.only_table:
        works.folder()
        for name in arguments.works:
            study(arguments, works.WORKS[name])
    # The page has all that is there, also from calls before.
    arguments.only_table, arguments.arms = True, ARMS
    kept = arguments.out / "peers.json"
    before = json.loads(kept.read_text())["works"] if kept.exists() else {}
    told = {"works": {}}
    for name, work in works.WORKS.items():
        results, chosen = study(arguments, work)
        if results:
            told["works"][name] = {"chosen": chosen, "runs": results}
        elif name in before:
            told["works"][name] = before[name]
    about = [sys.executable, str(HERE / "about.py"), str(arguments.binary), str(arguments.threads)]
    told["about"] = json.loads(subprocess.run(about, check=True, stdout=subprocess.PIPE, text=True).stdout)
    kept.write_text(json.dumps(told, indent=1) + "\n")
    tables.write(arguments.out, "peers.md", tables.page(told))


if __name__ == "__main__":
    main()
