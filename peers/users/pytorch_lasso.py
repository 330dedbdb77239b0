import sys

import torch
import torch.nn.functional as F
from mnist import load
from torch import nn

epochs = int(sys.argv[1])
x, y, x_test, y_test = load(*(int(rows) for rows in sys.argv[2:]))
net = nn.Sequential(
    nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
)
strength, spared, budget, rate, step = 1e-4, 0, 46_460, 0.1, 0
layers = [layer for layer in net if isinstance(layer, nn.Linear)]


def penalty():
    norms = [layer.weight.norm(dim=0) for layer in layers]
    kept = [len(norm) - (len(norm) // spared if spared and index else 0) for index, norm in enumerate(norms)]
    return sum(layer.out_features**0.5 * norm[:count].sum() for layer, norm, count in zip(layers, norms, kept))


def train(net, x, epochs, penalised):
    global step
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: 0.5 + 0.5 * torch.cos(torch.tensor(torch.pi * (step + done) / total)).item())
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[rows]), y[rows])
            if penalised:
                loss = loss + strength * penalty()
            loss.backward()
            optimizer.step()
            schedule.step()
    step += epochs * -(-len(x) // 128)


before = max(1, round(epochs * 2 / 3))
total = epochs * -(-len(x) // 128)
train(net, x, before, penalised=True)
scores = [layer.weight.detach().norm(dim=0) for layer in layers]
scores = [score / score.max() for score in scores]
threshold = 0.01
while True:
    keeps = [torch.nonzero(score >= threshold).flatten() for score in scores] + [torch.arange(10)]
    if sum(len(a) * len(b) for a, b in zip(keeps, keeps[1:])) <= budget:
        break
    threshold *= 1.02
with torch.no_grad():
    for layer, reads, makes in zip(layers, keeps, keeps[1:]):
        layer.weight = nn.Parameter(layer.weight[makes][:, reads].clone())
        layer.bias = nn.Parameter(layer.bias[makes].clone())
        layer.in_features, layer.out_features = len(reads), len(makes)
x, x_test = x[:, keeps[0]], x_test[:, keeps[0]]
train(net, x, epochs - before, penalised=False)
with torch.inference_mode():
    print("test accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
torch.onnx.export(net, (x[:1],), "small.onnx", dynamo=False, dynamic_axes={"x": {0: "batch"}}, input_names=["x"])
