"""The works that all arms do: data, network, training settings and size. Needs nothing but Python until data is loaded."""

import dataclasses
import gzip
import math
import os
from pathlib import Path

# As secateur divides: at most so many validation rows, a tenth of those that may train.
VALIDATION_SHARE, VALIDATION_AT_MOST = 0.1, 5_000
TEST_SHARE = 0.2


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    # What `load` reads, and what secateur's --data is given (Concrete: arrays that `write_arrays` makes).
    data: str
    network: str
    # Hidden widths of a chain, or the name of a network for images.
    net: str
    epochs: int
    batch: int
    optimizer: str
    rate: float
    # Decoupled, of weights alone.
    decay: float
    # What may be left of the multiply-accumulates.
    budget: float
    augment: bool = False
    momentum: float = 0.9

    @property
    def is_regression(self):
        return self.data == "concrete"

    @property
    def metric(self):
        return "RMSE" if self.is_regression else "accuracy, %"

    def better(self, score):
        """A number that grows as the score gets better."""
        return -score if self.is_regression else score


MLP = dict(data="mnist", network="mlp", net="400-300-100", optimizer="sgd", rate=0.1, decay=0.0, budget=0.10)
WORKS = {
    work.name: work
    for work in [
        Work("mlp-128", "MNIST, 784-400-300-100-10, batch 128", epochs=30, batch=128, **MLP),
        Work("mlp-400", "MNIST, 784-400-300-100-10, batch 400", epochs=30, batch=400, **MLP),
        Work(
            "lenet5", "MNIST, LeNet-5 (20-50-500), batch 128",
            data="mnist", network="lenet5", net="lenet5", epochs=6, batch=128,
            optimizer="sgd", rate=0.02, decay=5e-4, budget=0.10,
        ),
        Work(
            "resnet20", "CIFAR-10 (20,000 images), ResNet-20, batch 128",
            data="cifar-10", network="resnet20", net="resnet20", epochs=6, batch=128,
            optimizer="sgd", rate=0.1, decay=5e-4, budget=0.40, augment=True,
        ),
        Work(
            "concrete", "Concrete, 8-128-64-1, batch 32",
            data="concrete", network="mlp", net="128-64", epochs=200, batch=32,
            optimizer="adam", rate=3e-3, decay=0.0, budget=0.25,
        ),
    ]
}


@dataclasses.dataclass
class Data:
    """Raw rows: pixels from 0 to 255 as bytes, or numbers; labels, or targets `[rows, 1]`."""

    x: "numpy.ndarray"
    y: "numpy.ndarray"
    x_test: "numpy.ndarray"
    y_test: "numpy.ndarray"


def folder():
    found = os.environ.get("SECATEUR_DATA")
    if not found:
        raise SystemExit("SECATEUR_DATA must name the folder with the data")
    return Path(found)


def read_bytes(path):
    """A file's bytes, if need be from its gzipped copy."""
    if path.exists():
        return path.read_bytes()
    return gzip.decompress(path.with_name(path.name + ".gz").read_bytes())


def load(work):
    return {"mnist": mnist, "cifar-10": cifar10, "concrete": concrete}[work.data]()


def mnist():
    import numpy as np

    def images(name):
        return np.frombuffer(read_bytes(folder() / "mnist" / name), np.uint8, offset=16).reshape(-1, 1, 28, 28)

    def labels(name):
        return np.frombuffer(read_bytes(folder() / "mnist" / name), np.uint8, offset=8).astype(np.int64)

    return Data(
        images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte"),
        images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte"),
    )


def cifar10():
    import numpy as np

    def read(paths):
        records = [np.frombuffer(read_bytes(path), np.uint8).reshape(-1, 3073) for path in paths]
        images = np.concatenate([record[:, 1:] for record in records]).reshape(-1, 3, 32, 32)
        return images, np.concatenate([record[:, 0] for record in records]).astype(np.int64)

    where = folder() / "cifar-10"
    names = sorted({path.name.removesuffix(".gz") for path in where.glob("data_batch_*.bin*")})
    x, y = read([where / name for name in names])
    return Data(x, y, *read([where / "test_batch.bin"]))


def concrete():
    """The test rows are the same for every seed, so that all arms are scored on the same ones."""
    import numpy as np

    lines = read_bytes(folder() / "uci-regression/concrete.csv").decode().splitlines()[1:]
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines], np.float32)
    _, place = np.unique(table[:, :-1], axis=0, return_inverse=True)
    order = np.random.default_rng(0).permutation(place.max() + 1)
    # Rows with equal inputs stay on one side.
    is_test = np.isin(place, order[: round(TEST_SHARE * len(order))])
    train, test = table[~is_test], table[is_test]
    return Data(train[:, :-1], train[:, -1:], test[:, :-1], test[:, -1:])


def write_arrays(data, path):
    """What secateur reads where the data has no test rows of its own."""
    import numpy as np

    np.savez(path, x=data.x, y=data.y[:, 0], x_test=data.x_test, y_test=data.y_test[:, 0])


def split(data, seed):
    """Rows that train and rows that choose, in the sizes that secateur takes, classes in their shares."""
    import numpy as np

    rng = np.random.default_rng(seed)
    rows = len(data.x)
    wanted = min(round(VALIDATION_SHARE * rows), VALIDATION_AT_MOST)
    classes = data.y if data.y.ndim == 1 else np.zeros(rows, np.int64)
    strata = [np.flatnonzero(classes == label) for label in np.unique(classes)]
    exact = [wanted * len(stratum) / rows for stratum in strata]
    quotas = [math.floor(share) for share in exact]
    for at in sorted(range(len(strata)), key=lambda i: quotas[i] - exact[i])[: wanted - sum(quotas)]:
        quotas[at] += 1
    drawn = [rng.permutation(stratum)[:quota] for stratum, quota in zip(strata, quotas, strict=True)]
    validation = np.sort(np.concatenate(drawn))
    return np.setdiff1d(np.arange(rows), validation), validation
