"""Training in PyTorch as a competent user would write it: rows in memory, no loader, fused optimiser, no denormals."""

import copy
import math
import time
import warnings

import torch
import torch.nn.functional as F
from torch import nn

import nets

# Steps that are timed before the clock starts, to choose the number of threads and the memory layout.
TRIED_STEPS = 20
CROP = 4


class Rows:
    """Rows in memory, as they are trained on. Pixels stay bytes where pictures are changed, and are numbers elsewhere."""

    def __init__(self, work, data, train, validation):
        self.work = work
        self.counts = {"train": len(train), "validation": len(validation), "test": len(data.x_test)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Bytes of a file cannot be written to, and are not.
            raw, self.y = torch.from_numpy(data.x), torch.from_numpy(data.y).clone()
        train, validation = torch.from_numpy(train), torch.from_numpy(validation)
        self.mean, self.std = scaling(work, raw, train)
        self.target_mean, self.target_std = None, None
        if work.is_regression:
            self.target_mean, self.target_std = self.y[train].mean(0), self.y[train].std(0, correction=0)
            self.y = (self.y - self.target_mean) / self.target_std
        self.x_validation, self.y_validation, self.y = raw[validation].float(), self.y[validation], self.y[train]
        # Outside, the networks take raw rows of this shape.
        self.raw_shape = (raw[0].numel(),) if work.network == "mlp" else tuple(raw.shape[1:])
        if work.augment:
            self.x = F.pad(raw[train], (CROP,) * 4)
        else:
            divisor = 255 if raw.dtype == torch.uint8 else 1
            self.x = torch.empty(len(train), *self.raw_shape)
            # A part at a time, as a whole copy would be the peak of all.
            for part, places in zip(self.x.split(1000), train.split(1000), strict=True):
                part.copy_((raw[places].float().div_(divisor).sub_(self.mean).div_(self.std)).view(part.shape))
        self.layout = torch.contiguous_format

    def bytes(self):
        return self.x.nbytes + self.x_validation.nbytes

    def select(self, keep):
        """Rows with these inputs alone."""
        self.x = self.x[:, keep]

    def batch(self, places):
        x = self.x[places]
        if self.work.augment:
            x = changed(x).float().div_(255).sub_(self.mean).div_(self.std)
        if x.dim() == 4:
            x = x.contiguous(memory_format=self.layout)
        return x, self.y[places]


def scaling(work, raw, train):
    """What is subtracted, and by what is divided then: measured, or for chains pixels from 0 to 1."""
    if work.data == "mnist" and work.network == "mlp":
        return torch.tensor(0.0), torch.tensor(1.0)
    if raw.dtype == torch.uint8:
        counts = torch.zeros(raw.shape[1], 256, dtype=torch.float64)
        for places in train.split(1000):
            part = raw[places]
            for channel, count in enumerate(counts):
                count += torch.bincount(part[:, channel].flatten(), minlength=256)
        levels = torch.arange(256) / 255
        means = torch.stack([(count * levels).sum() / count.sum() for count in counts])
        squares = torch.stack([(count * levels**2).sum() / count.sum() for count in counts])
        deviations = (squares - means**2).sqrt()
        return means.float().view(-1, 1, 1), deviations.float().view(-1, 1, 1)
    return raw[train].mean(0), raw[train].std(0, correction=0)


def changed(x):
    """Padded pictures mirrored by chance, and cut out anywhere."""
    rows, channels, side = len(x), x.shape[1], x.shape[2] - 2 * CROP
    top, left = torch.randint(2 * CROP + 1, (2, rows, 1))
    lines = torch.arange(side)
    down, across = top + lines, left + lines
    across = torch.where(torch.rand(rows, 1) < 0.5, across.flip(1), across)
    picture = torch.arange(rows)[:, None, None, None]
    channel = torch.arange(channels)[None, :, None, None]
    return x[picture, channel, down[:, None, :, None], across[:, None, None, :]]


def loss_of(work):
    return F.mse_loss if work.is_regression else F.cross_entropy


def optimizer_of(work, network, settings):
    rate = settings.get("rate", work.rate)
    if work.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    return torch.optim.SGD(network.parameters(), lr=rate, momentum=work.momentum, fused=True)


class Clock:
    """Where a run is in its steps: the learning rate falls over all of them, whatever is cut on the way."""

    def __init__(self, work, rows, epochs, settings):
        self.work, self.settings, self.epochs = work, settings, epochs
        self.rate = settings.get("rate", work.rate)
        self.decay = settings.get("decay", work.decay)
        self.each = math.ceil(len(rows.x) / work.batch)
        self.step = 0

    def next_rate(self):
        rate = self.rate * 0.5 * (1 + math.cos(math.pi * self.step / (self.epochs * self.each)))
        self.step += 1
        return rate


def decayed(network):
    return [p for p in network.parameters() if p.dim() > 1]


def train(network, rows, clock, epochs, penalty=None, after_backward=None, optimizer=None):
    """So many epochs of them."""
    work, loss = clock.work, loss_of(clock.work)
    optimizer = optimizer or optimizer_of(work, network, clock.settings)
    weights = decayed(network)
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(rows.x))
        for places in order.split(work.batch):
            rate = clock.next_rate()
            for group in optimizer.param_groups:
                group["lr"] = rate
            x, y = rows.batch(places)
            total = loss(network(x), y)
            if penalty is not None:
                total = total + penalty()
            optimizer.zero_grad()
            total.backward()
            if after_backward is not None:
                after_backward()
            if clock.decay:
                torch._foreach_mul_([weight.data for weight in weights], 1 - rate * clock.decay)
            optimizer.step()


LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}


def choose_path(network, rows, work, most_threads):
    """For each memory layout the number of threads with the fastest step, the fastest layout first."""
    times = {layout: {} for layout in LAYOUTS if work.network != "mlp" or layout == "contiguous"}
    # Twice, as the first steps of a process are slow.
    for _ in range(2):
        for layout, by_threads in times.items():
            for threads in range(1, most_threads + 1):
                by_threads[threads] = time_steps(network, rows, work, threads, LAYOUTS[layout])
    best = [(min(found.values()), layout, min(found, key=found.get)) for layout, found in times.items()]
    return [{"layout": layout, "threads": threads, "step_seconds": seconds} for seconds, layout, threads in sorted(best)]


def time_steps(network, rows, work, threads, layout):
    torch.set_num_threads(threads)
    rows.layout = layout
    copied = copy.deepcopy(network).to(memory_format=layout)
    optimizer, loss = optimizer_of(work, copied, {}), loss_of(work)
    start = time.perf_counter()
    for step in range(TRIED_STEPS):
        if step == TRIED_STEPS // 4:
            start = time.perf_counter()
        x, y = rows.batch(torch.randint(len(rows.x), (work.batch,)))
        optimizer.zero_grad()
        loss(copied(x), y).backward()
        optimizer.step()
        if step > TRIED_STEPS // 4 and time.perf_counter() - start > 5:
            break
    return (time.perf_counter() - start) / (step + 1 - TRIED_STEPS // 4)


class Whole(nn.Module):
    """A network with its scaling: raw rows in, logits or the target's own units out."""

    def __init__(self, network, rows, inputs=None):
        super().__init__()
        self.network, self.inputs = network, inputs
        self.divisor = 255.0 if rows.work.data != "concrete" else 1.0
        mean, std = rows.mean * self.divisor, rows.std * self.divisor
        self.is_shifted = bool((mean != 0).any())
        if inputs is not None and mean.dim() == 1:
            mean, std = mean[inputs], std[inputs]
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.target = rows.target_mean, rows.target_std

    def forward(self, x):
        if self.inputs is not None:
            x = x[:, self.inputs]
        if self.is_shifted:
            x = x - self.mean
        made = self.network(x / self.std)
        mean, std = self.target
        return made if mean is None else made * std + mean


@torch.inference_mode()
def outputs(network, x, at_once=1000):
    network.eval()
    return torch.cat([network(part) for part in x.split(at_once)])


def score(whole, rows):
    """On validation rows: accuracy in per cent, or the root of the mean squared error in the target's units."""
    made = outputs(whole, rows.x_validation.flatten(1) if rows.work.network == "mlp" else rows.x_validation)
    if rows.work.is_regression:
        return float((made - (rows.y_validation * rows.target_std + rows.target_mean)).square().mean().sqrt())
    return 100 * float((made.argmax(1) == rows.y_validation).float().mean())


def difference(one, other, x):
    return float((outputs(one, x) - outputs(other, x)).abs().max())


def write_onnx(whole, rows, path):
    whole.eval()
    example = torch.zeros(1, *rows.raw_shape)
    with torch.no_grad():
        torch.onnx.export(
            whole, (example,), path, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}},
        )
