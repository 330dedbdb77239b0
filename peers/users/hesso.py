import sys
import tempfile

import torch
import torch.nn.functional as F
from torch.onnx._internal.torchscript_exporter import _globals, utils
from mnist import load
from torch import nn

epochs = int(sys.argv[1])
x, y, x_test, y_test = load(*(int(rows) for rows in sys.argv[2:]))
net = nn.Sequential(
    nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
)
sys.modules["torch.onnx._globals"] = _globals
torch.onnx._optimize_graph = utils._optimize_graph
torch.Tensor.cuda = lambda tensor: tensor
from only_train_once import OTO  # noqa: E402

steps = epochs * -(-len(x) // 128)
oto = OTO(net, x[:1])
optimizer = oto.hesso(
    variant="sgd", lr=0.1, first_momentum=0.9, target_group_sparsity=0.85,
    start_pruning_step=steps // 10, pruning_periods=10, pruning_steps=steps // 20 * 10,
)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
for _ in range(epochs):
    for rows in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        F.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
        schedule.step()
with tempfile.TemporaryDirectory() as folder:
    oto.construct_subnet(out_dir=folder)
    net = torch.load(oto.compressed_model_path, weights_only=False)
with torch.inference_mode():
    print("test accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
torch.onnx.export(net, (x[:1],), "small.onnx", dynamo=False, dynamic_axes={"x": {0: "batch"}}, input_names=["x"])
