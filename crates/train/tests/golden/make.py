"""Makes the files of torch_step.rs: small networks, and what two steps of training make of them in PyTorch.

    python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements-fixtures.txt
    .venv/bin/python crates/train/tests/golden/make.py [--into FOLDER]

NETWORK.onnx is the network before training, with a batch of any length, as the TorchScript exporter writes it; batch
normalisation stays a node, and parameters and running statistics have the names of the state dictionary.

NETWORK.golden.onnx is a model without nodes that holds tensors:
    inputs, labels           a batch of ROWS rows
    loss                     mean cross entropy before each of the two steps
    gradient.NAME            of each parameter, before the first step
    after.NAME               parameters and running statistics after two steps of SGD with momentum
    logits                   of the same inputs after that, by running statistics

Weights are random from a fixed seed, and so are the statistics, scales and shifts of normalisations, so that none is
0 or 1. All is computed in 32-bit floats on one thread; two runs on one machine give equal bytes, and another
processor may round otherwise. Prints a line for each network.
"""

import argparse
import io
import warnings
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper
from torch import nn

ROWS = 6
CLASSES = 5
STEPS = 2
RATE = 0.05
MOMENTUM = 0.9


class Residual(nn.Module):
    """A stem, a residual block, one at stride 2 with a 1x1 projection, the mean over all places, and a linear layer."""

    shape = (3, 9, 9)

    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.conv1, self.norm1 = nn.Conv2d(5, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.conv2, self.norm2 = nn.Conv2d(5, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5)
        self.conv3, self.norm3 = nn.Conv2d(5, 7, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(7)
        self.conv4, self.norm4 = nn.Conv2d(7, 7, 3, padding=1, bias=False), nn.BatchNorm2d(7)
        self.project, self.project_norm = nn.Conv2d(5, 7, 1, stride=2, bias=False), nn.BatchNorm2d(7)
        self.head = nn.Linear(7, CLASSES)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        own = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        x = F.relu(own + x)
        own = self.norm4(self.conv4(F.relu(self.norm3(self.conv3(x)))))
        x = F.relu(own + self.project_norm(self.project(x)))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class LeNet(nn.Module):
    """Two 5x5 convolutions within the borders, each followed by the largest of 2x2, and two linear layers."""

    shape = (1, 20, 20)

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 5, 5), nn.Conv2d(5, 7, 5)
        self.dense, self.head = nn.Linear(7 * 2 * 2, 11), nn.Linear(11, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.head(F.relu(self.dense(x.flatten(1))))


class Depthwise(nn.Module):
    """An inverted residual: 1x1, depthwise 3x3, 1x1, with normalisation and ReLU6; then one depthwise at stride 2."""

    shape = (5, 8, 8)

    def __init__(self):
        super().__init__()
        self.widen, self.widen_norm = nn.Conv2d(5, 13, 1, bias=False), nn.BatchNorm2d(13)
        self.filter, self.filter_norm = nn.Conv2d(13, 13, 3, padding=1, groups=13, bias=False), nn.BatchNorm2d(13)
        self.narrow, self.narrow_norm = nn.Conv2d(13, 5, 1, bias=False), nn.BatchNorm2d(5)
        self.halve, self.halve_norm = nn.Conv2d(5, 5, 3, stride=2, padding=1, groups=5, bias=False), nn.BatchNorm2d(5)
        self.head = nn.Linear(5, CLASSES)

    def forward(self, x):
        own = F.relu6(self.widen_norm(self.widen(x)))
        own = F.relu6(self.filter_norm(self.filter(own)))
        x = x + self.narrow_norm(self.narrow(own))
        x = F.relu6(self.halve_norm(self.halve(x)))
        return self.head(x.mean((2, 3)))


NETWORKS = {"residual": Residual, "lenet": LeNet, "depthwise": Depthwise}


def build(network):
    torch.manual_seed(0)
    network = network()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                # Smaller where no normalisation follows: the loss is to fall, as errors grow where it does not.
                power = 0.5 if isinstance(network, LeNet) or isinstance(module, nn.Linear) else 2
                module.weight.normal_(0, (power / module.weight[0].numel()) ** 0.5)
                if module.bias is not None:
                    module.bias.normal_(0, 0.2)
            elif isinstance(module, nn.BatchNorm2d):
                # Wide enough for ReLU6 to cut off at both ends.
                module.weight.uniform_(1, 4)
                module.bias.normal_(0, 1)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
    return network


def export(network):
    file = io.BytesIO()
    torch.onnx.export(
        network.eval(),
        torch.zeros(2, *network.shape),
        file,
        dynamo=False,
        # Otherwise normalisation goes into the convolution before it.
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False,
        opset_version=17,
        input_names=["inputs"],
        output_names=["logits"],
        dynamic_axes={"inputs": {0: "batch"}, "logits": {0: "batch"}},
    )
    model = onnx.load_model_from_string(file.getvalue())
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    wanted = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    if lost := wanted - {tensor.name for tensor in model.graph.initializer}:
        raise ValueError(f"the exporter has lost {', '.join(sorted(lost))}")
    return model.SerializeToString(deterministic=True)


def train(network):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(ROWS, *network.shape, generator=generator)
    labels = torch.arange(ROWS) * 3 % CLASSES
    tensors = {"inputs": inputs, "labels": labels}
    losses = []
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(inputs), labels)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            for name, parameter in network.named_parameters():
                tensors[f"gradient.{name}"] = parameter.grad.clone()
        optimizer.step()
    tensors["loss"] = torch.stack(losses)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensors[f"after.{name}"] = tensor
    with torch.no_grad():
        tensors["logits"] = network.eval()(inputs)
    return tensors


def golden(tensors):
    stored = [numpy_helper.from_array(tensor.detach().numpy(), name) for name, tensor in tensors.items()]
    graph = helper.make_graph([], "golden", [], [], initializer=stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(deterministic=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parent, metavar="FOLDER")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name, network in NETWORKS.items():
        network = build(network)
        files = {f"{name}.onnx": export(network)}
        tensors = train(network)
        files[f"{name}.golden.onnx"] = golden(tensors)
        for file, data in files.items():
            (arguments.into / file).write_bytes(data)
        sizes = " + ".join(str(len(data)) for data in files.values())
        print(f"{name}: {sizes} bytes, losses {', '.join(f'{loss:.6f}' for loss in tensors['loss'].tolist())}")


if __name__ == "__main__":
    main()
