"""Names that only_train_once 3.0.1 looks for and does not find: two that PyTorch moved, and CUDA.

Its `hesso.py` puts a mask on the GPU with `.cuda()`, whatever the device of the weights, so that it does not run without
one. Here such calls leave a tensor where it is. Nothing of the method is changed.
"""

import sys

import torch
from torch.onnx._internal.torchscript_exporter import _globals, utils

sys.modules.setdefault("torch.onnx._globals", _globals)
torch.onnx._optimize_graph = utils._optimize_graph
if not torch.cuda.is_available():
    torch.Tensor.cuda = lambda tensor, *_, **__: tensor
