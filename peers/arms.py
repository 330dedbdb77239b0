"""What the peers do, each as a competent user of it would: a trained and compressed network comes out.

Every arm takes the same number of epochs, and its learning rate falls over all of them; those that end in `-long` go the
way that the peer's own examples go, with an epoch of dense training, of sparse learning and of fine-tuning each for one of
the others.
"""

import copy
import tempfile

import torch

import nets
import train


class Made:
    """What an arm has made: the network, the inputs that it reads (none: all), and by how much cutting changed it."""

    def __init__(self, network, inputs=None, mask_difference=None):
        self.network, self.inputs, self.mask_difference = network, inputs, mask_difference


def stretches(epochs, settings):
    """Epochs before and behind the cut."""
    before = max(1, round(epochs * settings.get("cut_at", 2 / 3)))
    return before, epochs - before


def dense(network, rows, clock):
    train.train(network, rows, clock, clock.epochs)
    return Made(network)


def lasso(network, rows, clock, spared=0):
    """A group lasso in the loss, then all units below a threshold go, then the rest of the epochs without it."""
    strength = clock.settings["strength"]
    groups = network.groups()
    factors = [strength * nets.size(group) ** 0.5 for group in groups]
    counts = [group.units - (group.units // spared if spared and group.name != "inputs" else 0) for group in groups]

    def penalty():
        terms = [factor * nets.norms(group)[:count].sum() for group, factor, count in zip(groups, factors, counts, strict=True)]
        return torch.stack(terms).sum()

    before, behind = stretches(clock.epochs, clock.settings)
    train.train(network, rows, clock, before, penalty=penalty)
    shape = rows.x.shape[1:] if clock.work.network == "mlp" else rows.raw_shape
    keeps = above_threshold(network, shape, clock.work.budget * nets.macs(network, shape), clock.settings["global"])
    made, changed = nets.cut(network, keeps), nets.masked(network, keeps)
    x, _ = rows.batch(torch.arange(min(256, len(rows.x))))
    inputs = keeps[0] if groups[0].name == "inputs" else None
    with torch.inference_mode():
        small = made.eval()(x if inputs is None else x[:, inputs])
        gap = float((small - changed.eval()(x)).abs().max())
    if inputs is not None:
        rows.select(inputs)
    train.train(made.to(memory_format=rows.layout), rows, clock, behind)
    return Made(made, inputs, gap)


def lasso_partial(network, rows, clock):
    return lasso(network, rows, clock, spared=8)


LEAST = 1e-2


@torch.no_grad()
def above_threshold(network, shape, most, is_global):
    """The units whose norm is above a share of their group's largest; then, until the budget holds, fewer of them.

    That share grows for all groups together, or as large a part of each group's units goes.
    """
    scores = [nets.norms(group) for group in network.groups()]
    scores = [score / score.max() for score in scores]
    alive = [torch.nonzero(score >= LEAST).flatten() for score in scores]

    def keep(more):
        if is_global:
            return [torch.nonzero(score >= min(max(LEAST, more), 1.0)).flatten() for score in scores]
        counts = [max(1, round((1 - more) * len(units))) for units in alive]
        orders = [score.argsort(descending=True)[:count] for score, count in zip(scores, counts, strict=True)]
        return [order.sort().values for order in orders]

    def fits(more):
        keeps = keep(more)
        inputs = (len(keeps[0]),) if network.groups()[0].name == "inputs" else shape
        return nets.macs(nets.cut(network, keeps), inputs) <= most

    low, high = 0.0, 1.0
    if fits(low):
        return keep(low)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return keep(high)


def torch_pruning(network, rows, clock, pretrain=0.0, sparse=2 / 3, tune=1 / 3, learns=True):
    """Torch-Pruning: epochs without and with its sparse learning, pruning step by step to the budget, fine-tuning.

    Stretches are shares of the epochs. Where they sum up to more than one, each has its own fall of the learning rate.
    """
    import torch_pruning as tp

    settings, epochs = clock.settings, clock.epochs
    is_long = pretrain + sparse + tune > 1.01
    if not is_long:
        cut_at = settings.get("cut_at", 2 / 3)
        pretrain, sparse, tune = (0, cut_at, 1 - cut_at) if learns else (cut_at, 0, 1 - cut_at)
    lengths = [round(share * epochs) for share in (pretrain, sparse)]
    lengths.append(round(tune * epochs) if is_long else epochs - sum(lengths))

    def stretch(net, index, **more):
        own = train.Clock(clock.work, rows, lengths[index], settings) if is_long else clock
        if is_long and index == 2:
            own.rate *= settings.get("tune_rate", 1.0)
        train.train(net, rows, own, lengths[index], **more)

    example, _ = rows.batch(torch.arange(2))
    last = [module for module in network.modules() if isinstance(module, torch.nn.Linear)][-1]
    stretch(network, 0)
    if learns:
        importance, kind, more = tp.importance.GroupMagnitudeImportance(p=2, normalizer="max"), tp.pruner.GroupNormPruner, {}
        more["reg"] = settings["strength"]
    else:
        importance, kind, more = tp.importance.GroupMagnitudeImportance(p=2), tp.pruner.BasePruner, {}
    pruner = kind(
        network, example, importance=importance, global_pruning=settings.get("global", True), pruning_ratio=1.0,
        iterative_steps=200, ignored_layers=[last], **more,
    )
    if learns:
        stretch(network, 1, after_backward=lambda: pruner.regularize(network))
    before = copy.deepcopy(network)
    shape = tuple(example.shape[1:])
    most = clock.work.budget * nets.macs(network, shape)
    while nets.macs(network, shape) > most and pruner.current_step < pruner.iterative_steps:
        pruner.step()
    gap = masked_difference(tp, before, network, pruner.pruning_history(), example)
    stretch(network, 2)
    return Made(network, mask_difference=gap)


def masked_difference(tp, before, small, history, example):
    """Between the pruned network and the one before, with nothing left in the weights that pruning took out."""
    # The same cuts on a copy whose weights are their own places tell what is left.
    places = copy.deepcopy(before).double()
    for tensor in places.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.arange(tensor.numel()).view(tensor.shape))
    graph = tp.DependencyGraph().build_dependency(places, example_inputs=example.double())
    graph.load_pruning_history(history)
    mask = copy.deepcopy(before)
    for (name, tensor), left in zip(mask.state_dict().items(), places.state_dict().values(), strict=True):
        # Means of removed channels stay, as those are all 0 then.
        if tensor.is_floating_point() and "running" not in name:
            kept = torch.zeros(tensor.numel(), dtype=torch.bool)
            kept[left.flatten().long()] = True
            tensor.mul_(kept.view(tensor.shape))
    with torch.inference_mode():
        return float((mask.eval()(example) - small.eval()(example)).abs().max())


def tp_group(network, rows, clock):
    return torch_pruning(network, rows, clock)


def tp_group_long(network, rows, clock):
    return torch_pruning(network, rows, clock, 1, 1, 1)


def tp_magnitude(network, rows, clock):
    return torch_pruning(network, rows, clock, learns=False)


def tp_magnitude_long(network, rows, clock):
    return torch_pruning(network, rows, clock, 1, 0, 1, learns=False)


def hesso(network, rows, clock):
    """HESSO of only_train_once 3.0.1: trains and zeroes groups at once, and is cut in the end."""
    import hesso_names  # noqa: F401  three names that it looks for in vain
    from only_train_once import OTO

    work, settings = clock.work, clock.settings
    example, _ = rows.batch(torch.arange(1))
    oto = OTO(network, example)
    steps = clock.epochs * clock.each
    begin, periods = round(settings["begin"] * steps), settings["periods"]
    periods_end = max(periods, round(settings["end"] * steps) - begin)
    variant = {"sgd": {"variant": "sgd", "first_momentum": work.momentum}, "adam": {"variant": "adam"}}[work.optimizer]
    optimizer = oto.hesso(
        lr=clock.rate, target_group_sparsity=settings["sparsity"], start_pruning_step=begin,
        pruning_steps=periods_end // periods * periods, pruning_periods=periods, **variant,
    )
    train.train(network, rows, clock, clock.epochs, optimizer=optimizer)
    with tempfile.TemporaryDirectory() as folder:
        oto.construct_subnet(out_dir=folder)
        small = torch.load(oto.compressed_model_path, weights_only=False)
        full = torch.load(oto.full_group_sparse_model_path, weights_only=False)
    x, _ = rows.batch(torch.arange(min(256, len(rows.x))))
    return Made(small, mask_difference=train.difference(small, full, x))


ARMS = {
    "dense": dense,
    "lasso": lasso,
    "lasso-partial": lasso_partial,
    "tp-group": tp_group,
    "tp-group-long": tp_group_long,
    "tp-magnitude": tp_magnitude,
    "tp-magnitude-long": tp_magnitude_long,
    "hesso": hesso,
}
