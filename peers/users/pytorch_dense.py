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
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, fused=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(x) // 128))
for _ in range(epochs):
    for rows in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
with torch.inference_mode():
    print("test accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
torch.onnx.export(net, (x[:1],), "small.onnx", dynamo=False, dynamic_axes={"x": {0: "batch"}}, input_names=["x"])
