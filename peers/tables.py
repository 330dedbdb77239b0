"""The tables of docs/peers.md from what docs/peers.json holds."""

import statistics

import works

NAMES = {
    "dense": "PyTorch, dense",
    "lasso": "PyTorch, group lasso in the loss",
    "lasso-partial": "PyTorch, the same, last eighth spared",
    "tp-group": "Torch-Pruning, sparse learning",
    "tp-group-long": "Torch-Pruning, sparse learning, thrice the epochs",
    "tp-magnitude": "Torch-Pruning, magnitude",
    "tp-magnitude-long": "Torch-Pruning, magnitude, twice the epochs",
    "hesso": "HESSO",
    "ours": "secateur",
    "ours-inputs": "secateur, all inputs kept",
    "ours-dense": "secateur, dense",
}
PEERS = ["lasso", "lasso-partial", "tp-group", "tp-group-long", "tp-magnitude", "tp-magnitude-long", "hesso"]
# Time of ours over that of another arm, at most.
TIMES = {
    "mlp-128": [("dense", 0.10), ("tp-group", 0.05), ("tp-group-long", 0.05)],
    "mlp-400": [("dense", 0.20), ("tp-group", 0.05), ("tp-group-long", 0.05)],
    "lenet5": [("dense", 0.30), ("tp-group", 0.10), ("tp-group-long", 0.10)],
    "resnet20": [("dense", 0.60), ("tp-group", 0.30), ("tp-group-long", 0.30)],
}
MEMORY_SHARE = 0.25
LATENCY_SHARE, LATENCY_FROM_MACS = 0.8, 10_000_000
# A result meets a budget that it exceeds by less.
OVER = 1.005


def values(runs, get):
    found = []
    for run in runs:
        try:
            value = get(run)
        except (KeyError, TypeError):
            continue
        if value is not None:
            found.append(value)
    return found


def median(runs, get):
    found = values(runs, get)
    return statistics.median(found) if found else None


def shown(runs, get, digits=2):
    """The median, and the least and the greatest."""
    found = values(runs, get)
    if not found:
        return "-"
    text, least, most = (number(of(found), digits) for of in (statistics.median, min, max))
    return text if least == most else f"{text} ({least} to {most})"


def number(value, digits=2):
    return f"{value:,.{digits}f}"


def above_data(run):
    """Without the rows as the process holds them."""
    return run["peak_training_bytes"] - run["data_bytes"]


def above_import(run):
    return run["peak_training_bytes"] - run["data_bytes"] - run["peak_after_import_bytes"]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


class Study:
    """A work's runs by arm: those with the setting that was chosen, and all."""

    def __init__(self, work, told):
        self.work, self.runs = work, told["runs"]
        self.by_arm = {
            arm: [run for run in self.runs if run["arm"] == arm and run["try"] == told["chosen"].get(arm) and not run["error"]]
            for arm in NAMES
        }
        self.by_arm = {arm: runs for arm, runs in self.by_arm.items() if runs}
        self.dense_macs = self.of("dense", lambda run: run["macs"])

    def of(self, arm, get):
        return median(self.by_arm.get(arm, []), get)

    def ratio(self, one, other, get):
        one, other = self.of(one, get), self.of(other, get)
        return one / other if one is not None and other else None

    def meets(self, arm):
        macs = self.of(arm, lambda run: run["macs"])
        return macs is not None and self.dense_macs is not None and macs <= OVER * self.work.budget * self.dense_macs

    def seconds(self):
        rows = []
        for arm, runs in self.by_arm.items():
            share = self.ratio(arm, "dense", lambda run: run["train_seconds"])
            rows.append([
                NAMES[arm],
                shown(runs, lambda run: run["train_seconds"]),
                "-" if share is None else number(share, 3),
                shown(runs, lambda run: run["process_seconds"], 1),
                shown(runs, lambda run: run["peak_bytes"] / 1e6, 0),
                shown(runs, lambda run: above_data(run) / 1e6, 0),
                shown(runs, lambda run: above_import(run) / 1e6, 0),
                str(runs[0]["threads"]) if len({run["threads"] for run in runs}) == 1 else "1 or more",
            ])
        head = ["arm", "train and compress, s", "over dense PyTorch", "whole process, s", "peak, MB", "training, above data, MB"]
        return table([*head, "above import too, MB", "threads"], rows)

    def results(self):
        rows = []
        for arm, runs in self.by_arm.items():
            macs = self.of(arm, lambda run: run["macs"])
            rows.append([
                NAMES[arm],
                shown(runs, lambda run: run["test_score"]),
                shown(runs, lambda run: run["macs"], 0),
                "-" if not macs or not self.dense_macs else number(self.dense_macs / macs, 1),
                "-" if arm.endswith("dense") else "yes" if self.meets(arm) else "no",
                shown(runs, lambda run: run["params"], 0),
                shown(runs, lambda run: run["latency_us"]["1"], 1),
                shown(runs, lambda run: run["latency_us"]["64"], 0),
                "-" if not values(runs, lambda run: run["mask_difference"]) else
                f"{max(values(runs, lambda run: run['mask_difference'])):.1e}",
            ])
        head = ["arm", f"test {self.work.metric}", "MACs", "dense / MACs", "in budget", "params", "batch 1, us", "batch 64, us"]
        return table([*head, "pruned against masked"], rows)

    def goals(self):
        rows = []

        def judge(goal, found, holds, why="not measured"):
            rows.append([goal, found if found is not None else why, "-" if holds is None else "yes" if holds else "no"])

        for other, most in TIMES.get(self.work.name, []):
            share = self.ratio("ours", other, lambda run: run["train_seconds"])
            goal = f"time at most {most:g} of {NAMES[other]}"
            judge(goal, share and number(share, 3), share and share <= most)
        ours = self.of("ours", lambda run: run["test_score"])
        peers = [arm for arm in PEERS if self.meets(arm)]
        if ours is not None and peers:
            best = max(peers, key=lambda arm: self.work.better(self.of(arm, lambda run: run["test_score"])))
            theirs = self.of(best, lambda run: run["test_score"])
            holds = self.meets("ours") and self.work.better(ours) >= self.work.better(theirs)
            judge(f"test {self.work.metric} at or above the best peer's in budget", f"{number(ours)}, {NAMES[best]} {number(theirs)}", holds)
        else:
            judge(f"test {self.work.metric} at or above the best peer's in budget", None, None, "nobody in budget")
        if self.dense_macs and self.dense_macs > LATENCY_FROM_MACS and "ours" in self.by_arm:
            fewer = self.dense_macs / self.of("ours", lambda run: run["macs"])
            falls = [1 / self.ratio("ours", "dense", lambda run, b=batch: run["latency_us"][b]) for batch in ("1", "64")]
            found = f"{number(falls[0])} at batch 1, {number(falls[1])} at batch 64; MACs {number(fewer)}"
            judge(f"latency falls at least {LATENCY_SHARE:g} times as much as MACs", found, min(falls) >= LATENCY_SHARE * fewer)
        share = self.ratio("ours", "dense", above_data)
        judge(f"memory above the data at most {MEMORY_SHARE:g} of PyTorch's", share and number(share), share and share <= MEMORY_SHARE)
        theirs, own = self.of("dense", above_import), self.of("ours", above_data)
        share = own / theirs if own and theirs else None
        goal = f"the same, {MEMORY_SHARE:g} of PyTorch's without what importing it takes"
        judge(goal, share and number(share), share and share <= MEMORY_SHARE)
        return table(["goal", "found", "holds"], rows)

    def tries(self):
        rows = [
            [
                NAMES[run["arm"]],
                ", ".join(f"{key} {value}" for key, value in run["settings"].items()) or "as the work says",
                number(run["validation_score"]),
                number(run["macs"], 0) if "macs" in run else "-",
                "yes" if any(run is taken for taken in self.by_arm.get(run["arm"], [])) else "",
            ]
            for run in self.runs if run["seed"] == self.runs[0]["seed"] and not run["error"]
        ]
        rows.sort(key=lambda row: list(NAMES.values()).index(row[0]))
        return table(["arm", "setting", f"validation {self.work.metric}", "MACs", "chosen"], rows)

    def notes(self):
        told = []
        for arm in NAMES:
            errors = {run["error"] for run in self.runs if run["arm"] == arm and run["error"]}
            told += [f"- {NAMES[arm]} failed: `{error}`" for error in sorted(errors)]
        seeds = {arm: len({run["seed"] for run in runs}) for arm, runs in self.by_arm.items()}
        told += [f"- {NAMES[arm]}: {count} of {max(seeds.values())} seeds." for arm, count in seeds.items() if count < max(seeds.values())]
        rows = {tuple(run["rows"].values()) for run in self.runs if not run["error"]}
        if len(rows) == 1:
            (parts,) = rows
            told.append("- Rows to train, validate and test: " + ", ".join(f"{part:,}" for part in parts) + ", for all.")
        else:
            told.append(f"- Rows to train, validate and test are not the same for all: {sorted(rows)}.")
        ended = sorted(run["ended"] for run in self.runs if "ended" in run)
        if ended:
            told.append(f"- The first run ended at {ended[0]}, the last at {ended[-1]} (UTC).")
        busy = [run for run in self.runs if run["load_before"] > 1.5 * run.get("threads", 1)]
        if busy:
            told.append(f"- {len(busy)} of {len(self.runs)} runs began while other programs were running: their times are no measurements.")
        return "\n".join(told)


def page(told):
    about = told["about"]
    parts = [
        "Made by `just peers`, which says all it does in [peers/README.md](../peers/README.md); the numbers of every run are in"
        " [peers.json](peers.json). Medians over seeds, with the least and the greatest; ratios are those of medians.",
        f"{about['machine']['processor']}, at most {about['machine']['threads']} threads. "
        + ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".",
    ]
    for name, study in told["works"].items():
        work = works.WORKS[name]
        study = Study(work, study)
        epochs = sorted({run["epochs"] for run in study.runs})
        parts += [f"### {work.title}", f"{', '.join(map(str, epochs))} epochs, budget {100 * work.budget:g} % of the MACs."]
        parts += [study.goals(), study.seconds(), study.results(), "What was tried, with the first seed:", study.tries(), study.notes()]
    sizes = [
        [peer, number(size["bytes"] / 1e6, 1), number((size["bytes"] - size["of_cuda"]) / 1e6, 1)]
        for peer, size in about["installation"].items()
    ]
    parts += ["### To install, and to write", table(["what", "installed, MB", "without CUDA's packages, MB"], sizes)]
    written = [[name, str(count)] for name, count in about["user_lines"].items()]
    parts += ["Lines of the scripts in [peers/users](../peers/users), which do the first work and write an ONNX file:"]
    parts += [table(["script", "lines"], written)]
    return "\n\n".join(parts) + "\n"


def write(docs, name, body):
    """What was measured stands in docs/runs and in a block of docs/peers.md, which can be made anew from there.

    What is written around the block stays.
    """
    (docs / "runs").mkdir(exist_ok=True)
    (docs / "runs" / name).write_text(body)
    page, begin, end = docs / "peers.md", f"<!-- file {name} -->\n", "<!-- end -->\n"
    text = page.read_text() if page.exists() else "# secateur and its peers\n"
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2] if found else ""
    page.write_text((before if found else before + "\n") + begin + body.strip() + "\n" + end + after)
