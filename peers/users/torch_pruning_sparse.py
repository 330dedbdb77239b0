import sys

import torch
import torch.nn.functional as F
import torch_pruning as tp
from mnist import load
from torch import nn

epochs = int(sys.argv[1])
x, y, x_test, y_test = load(*(int(rows) for rows in sys.argv[2:]))
net = nn.Sequential(
    nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
)


def train(epochs, pruner=None):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(x) // 128))
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            F.cross_entropy(net(x[rows]), y[rows]).backward()
            if pruner:
                pruner.regularize(net)
            optimizer.step()
            schedule.step()


pruner = tp.pruner.GroupNormPruner(
    net, x[:2], importance=tp.importance.GroupMagnitudeImportance(normalizer="max"), reg=1e-4,
    pruning_ratio=1.0, iterative_steps=200, ignored_layers=[net[-1]],
)
train(max(1, round(epochs * 2 / 3)), pruner)
most, _ = tp.utils.count_ops_and_params(net, x[:1])
while tp.utils.count_ops_and_params(net, x[:1])[0] > 0.1 * most:
    pruner.step()
train(epochs - max(1, round(epochs * 2 / 3)))
with torch.inference_mode():
    print("test accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
torch.onnx.export(net, (x[:1],), "small.onnx", dynamo=False, dynamic_axes={"x": {0: "batch"}}, input_names=["x"])
